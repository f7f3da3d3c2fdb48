/**
 * Bundles of broker settings. `kafka` is Kafka's own behaviour and empty by definition; `test` makes a cluster fit
 * for unit tests: nothing waits for members or replicas that will never come, internal topics are small.
 */

export type ProfileName = 'kafka' | 'test'

export const PROFILES: Readonly<Record<ProfileName, Readonly<Record<string, string>>>> = {
  kafka: {},
  test: {
    'group.initial.rebalance.delay.ms': '0',
    'offsets.topic.num.partitions': '3',
    'transaction.state.log.num.partitions': '3',
    'share.coordinator.state.topic.num.partitions': '3',
    // Sessions may be as short as a test wants them.
    'group.min.session.timeout.ms': '100',
    'group.consumer.min.session.timeout.ms': '100',
    'group.consumer.min.heartbeat.interval.ms': '10',
    'group.consumer.assignment.interval.ms': '0',
    'group.share.min.session.timeout.ms': '100',
    'group.share.min.heartbeat.interval.ms': '10',
    'group.share.assignment.interval.ms': '0',
    'group.share.min.record.lock.duration.ms': '1000',
    // A broker that dies is noticed while the test still looks.
    'broker.heartbeat.interval.ms': '500',
    'broker.session.timeout.ms': '3000',
    'replica.lag.time.max.ms': '5000',
    'replica.fetch.backoff.ms': '100',
    'connection.failed.authentication.delay.ms': '0',
    'log.initial.task.delay.ms': '500',
  },
}

export function profileProperties(name: ProfileName): ReadonlyMap<string, string> {
  return new Map(Object.entries(PROFILES[name]))
}
