/** Short times, so that much happens in few simulated seconds. */
export function simulationSettings(): Record<string, string | number | boolean> {
  return {
    'broker.heartbeat.interval.ms': 400,
    'broker.session.timeout.ms': 2_000,
    'replica.lag.time.max.ms': 2_000,
    'replica.fetch.backoff.ms': 100,
    'replica.fetch.wait.max.ms': 200,
    'controller.quorum.election.timeout.ms': 400,
    'controller.quorum.fetch.timeout.ms': 800,
    'controller.quorum.election.backoff.max.ms': 300,
    'controller.quorum.request.timeout.ms': 1_000,
    'offsets.topic.num.partitions': 2,
    'offsets.topic.replication.factor': 3,
    'transaction.state.log.num.partitions': 2,
    'transaction.state.log.replication.factor': 3,
    'transaction.state.log.min.isr': 2,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 100,
    'log.initial.task.delay.ms': 500,
    'auto.create.topics.enable': false,
    'metadata.log.max.record.bytes.between.snapshots': 4_000,
  }
}
