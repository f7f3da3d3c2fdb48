/**
 * The broker settings under which Kafka's answers were recorded, besides those of a single combined node:
 * `node.id=1`, replication factors of 1 for the internal topics, `min.isr` of 1 for their writes.
 */
export const recordedSettings: Readonly<Record<string, string>> = {
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '1',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.num.partitions': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.num.partitions': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'auto.create.topics.enable': 'true',
}

/** Scenarios write records of long ago, which retention must not take between two steps. */
export const noRetention: Readonly<Record<string, string>> = { 'log.initial.task.delay.ms': '86400000' }

/** The same for three brokers, of which the first is the only controller; besides replication factors of 3. */
export const threeBrokerSettings: Readonly<Record<string, string>> = {
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.num.partitions': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.num.partitions': '1',
  'share.coordinator.state.topic.min.isr': '1',
}
