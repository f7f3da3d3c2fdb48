/**
 * Broker keys of classic and consumer groups and of committed offsets.
 */
import { boolean, defineTable, int, internal, list, long, part, short, string } from '../define.ts'
import { NO_SUCH_BUFFER, NO_THREAD_POOLS } from '../effects.ts'
import { atLeast, listOf, nonEmptyList, oneOfIgnoringCase } from '../validators.ts'

export const GROUP_KEYS = defineTable({
  'group.consumer.assignment.interval.ms': int('1000', atLeast(0), 'MEDIUM', 'cluster-wide', "Shortest pause between two computations of a consumer group's assignment, in milliseconds."),
  'group.consumer.assignor.offload.enable': boolean('true', null, 'MEDIUM', 'cluster-wide', 'Whether assignments of consumer groups are computed on a background thread.', internal(NO_THREAD_POOLS)),
  'group.consumer.assignors': list('uniform,range', nonEmptyList, 'MEDIUM', 'read-only', 'Server-side assignors that consumer groups may choose from; the first is used when a member names none.', part('Only the built-in names `uniform` and `range` are known, classes cannot be loaded.')),
  'group.consumer.heartbeat.interval.ms': int('5000', atLeast(1), 'MEDIUM', 'read-only', 'How often members of consumer groups are told to send heartbeats, in milliseconds.'),
  'group.consumer.max.assignment.interval.ms': int('15000', atLeast(0), 'MEDIUM', 'read-only', 'Largest assignment interval that a consumer group may configure, in milliseconds.'),
  'group.consumer.max.heartbeat.interval.ms': int('15000', atLeast(1), 'MEDIUM', 'read-only', 'Largest heartbeat interval that a consumer group may configure, in milliseconds.'),
  'group.consumer.max.session.timeout.ms': int('60000', atLeast(1), 'MEDIUM', 'read-only', 'Largest session timeout that a consumer group may configure, in milliseconds.'),
  'group.consumer.max.size': int('2147483647', atLeast(1), 'MEDIUM', 'read-only', 'How many members one consumer group of the KIP-848 protocol may have.'),
  'group.consumer.migration.policy': string('bidirectional', oneOfIgnoringCase('DISABLED', 'DOWNGRADE', 'UPGRADE', 'BIDIRECTIONAL'), 'MEDIUM', 'read-only', 'Which way a group that is not empty may convert between the classic and the consumer protocol: `upgrade`, `downgrade`, `bidirectional` or `disabled`.'),
  'group.consumer.min.assignment.interval.ms': int('0', atLeast(0), 'MEDIUM', 'read-only', 'Smallest assignment interval that a consumer group may configure, in milliseconds.'),
  'group.consumer.min.heartbeat.interval.ms': int('5000', atLeast(1), 'MEDIUM', 'read-only', 'Smallest heartbeat interval that a consumer group may configure, in milliseconds.'),
  'group.consumer.min.session.timeout.ms': int('45000', atLeast(1), 'MEDIUM', 'read-only', 'Smallest session timeout that a consumer group may configure, in milliseconds.'),
  'group.consumer.regex.refresh.interval.ms': int('600000', atLeast(10_000), 'MEDIUM', 'read-only', "How often the topics that match a group's patterns are looked up anew, in milliseconds.", internal()),
  'group.consumer.session.timeout.ms': int('45000', atLeast(1), 'MEDIUM', 'read-only', 'A member of a consumer group that sends no heartbeat for this many milliseconds is removed.'),
  'group.coordinator.append.linger.ms': int('-1', atLeast(-1), 'MEDIUM', 'read-only', 'How long the group coordinator gathers records before it writes them, in milliseconds; -1 adapts to the load.', NO_THREAD_POOLS),
  'group.coordinator.background.threads': int('2', atLeast(1), 'HIGH', 'read-only', 'Threads on which the group coordinator computes assignments and matches patterns.', NO_THREAD_POOLS),
  'group.coordinator.cached.buffer.max.bytes': int('1048588', atLeast(524_288), 'MEDIUM', 'cluster-wide', 'Largest write buffer that the group coordinator keeps for reuse, in bytes.', NO_SUCH_BUFFER),
  'group.coordinator.rebalance.protocols': list('classic,consumer,streams', listOf({ allowed: ['consumer', 'classic', 'share', 'streams'], isEmptyAllowed: false }), 'MEDIUM', 'read-only', 'The group protocols that the coordinator speaks. Kafka will drop the key and always allow all of them.'),
  'group.coordinator.threads': int('4', atLeast(1), 'HIGH', 'read-only', 'Threads that serve the group coordinator.', NO_THREAD_POOLS),
  'group.initial.rebalance.delay.ms': int('3000', null, 'MEDIUM', 'read-only', 'How long the first rebalance of an empty classic group waits for more members, in milliseconds. 0 makes tests fast.'),
  'group.max.session.timeout.ms': int('1800000', null, 'MEDIUM', 'read-only', 'Largest session timeout that a member of a classic group may ask for, in milliseconds.'),
  'group.max.size': int('2147483647', atLeast(1), 'MEDIUM', 'read-only', 'How many members one classic group may have.'),
  'group.min.session.timeout.ms': int('6000', null, 'MEDIUM', 'read-only', 'Smallest session timeout that a member of a classic group may ask for, in milliseconds.'),
  'offset.metadata.max.bytes': int('4096', null, 'HIGH', 'read-only', 'Largest metadata text a client may commit together with an offset, in bytes.'),
  'offsets.commit.timeout.ms': int('5000', atLeast(1), 'HIGH', 'read-only', 'How long a write of the group coordinator may wait for its replicas, in milliseconds.'),
  'offsets.load.buffer.size': int('5242880', atLeast(1), 'HIGH', 'read-only', 'How many bytes the group coordinator reads at a time when it loads a partition.'),
  'offsets.retention.check.interval.ms': long('600000', atLeast(1), 'HIGH', 'read-only', 'How often the group coordinator looks for expired offsets, in milliseconds.'),
  'offsets.retention.minutes': int('10080', atLeast(1), 'HIGH', 'read-only', 'How long committed offsets are kept after their group became empty or stopped subscribing, in minutes.'),
  'offsets.topic.compression.codec': int('0', null, 'HIGH', 'read-only', 'Codec of the batches in `__consumer_offsets`: 0 none, 1 gzip, 2 snappy, 3 LZ4, 4 Zstandard.'),
  'offsets.topic.num.partitions': int('50', atLeast(1), 'HIGH', 'read-only', 'Number of partitions of `__consumer_offsets`. Not to be changed once the topic exists.'),
  'offsets.topic.replication.factor': short('3', atLeast(1), 'HIGH', 'read-only', 'Replication factor of `__consumer_offsets`; the topic is created once there are enough brokers.'),
  'offsets.topic.segment.bytes': int('104857600', atLeast(1), 'HIGH', 'read-only', 'Segment size of `__consumer_offsets`, in bytes. Small segments load faster.'),
})
