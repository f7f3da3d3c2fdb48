import type { Random } from '../../common/runtime/random.ts'

/** Short times, so that much happens in few simulated seconds. */
export function simulationSettings(random: Random): Record<string, string | number | boolean> {
  return {
    'broker.heartbeat.interval.ms': 400,
    'broker.session.timeout.ms': 2_000,
    // So short that a broker which is slow leaves the ISR, or not.
    'replica.lag.time.max.ms': random.int(2) === 0 ? 600 : 2_000,
    'replica.fetch.backoff.ms': 100,
    'replica.fetch.wait.max.ms': 200,
    'controller.quorum.election.timeout.ms': 400,
    'controller.quorum.fetch.timeout.ms': 800,
    'controller.quorum.election.backoff.max.ms': 300,
    'controller.quorum.request.timeout.ms': 1_000,
    // With 1 the metadata log is copied batch by batch.
    'controller.quorum.fetch.max.bytes': random.int(2) === 0 ? 1 : 1 << 20,
    // Also of the offsets topic, which has no setting of its own: with 1, the last one in sync may lose its tail and lead on all the same.
    'min.insync.replicas': 2,
    'offsets.topic.num.partitions': 2,
    'offsets.topic.replication.factor': 3,
    'transaction.state.log.num.partitions': 2,
    'transaction.state.log.replication.factor': 3,
    'transaction.state.log.min.isr': 2,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 100,
    'group.consumer.min.session.timeout.ms': 100,
    'group.consumer.session.timeout.ms': 2_000,
    'group.consumer.min.heartbeat.interval.ms': 10,
    'group.consumer.heartbeat.interval.ms': 250,
    'group.consumer.assignment.interval.ms': 0,
    'group.share.min.session.timeout.ms': 100,
    'group.share.session.timeout.ms': 2_000,
    'group.share.min.heartbeat.interval.ms': 10,
    'group.share.heartbeat.interval.ms': 250,
    'group.share.assignment.interval.ms': 0,
    'group.share.min.record.lock.duration.ms': 1_000,
    'group.share.max.delivery.count.limit': 25,
    'share.coordinator.state.topic.num.partitions': 2,
    'share.coordinator.state.topic.replication.factor': 3,
    'share.coordinator.state.topic.min.isr': 2,
    // So few that snapshots and updates take turns.
    'share.coordinator.snapshot.update.records.per.snapshot': 10,
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1_000,
    'log.initial.task.delay.ms': 500,
    'auto.create.topics.enable': false,
    'metadata.log.max.record.bytes.between.snapshots': 4_000,
  }
}
