/**
 * Group keys (KIP-848, KIP-932, KIP-1071). A group without a value of its own takes the broker key that `synonyms.ts` names.
 */
import { boolean, defineTable, int, internal, list, long, string } from './define.ts'
import { NO_DEAD_LETTER_QUEUE, NO_STREAMS_GROUPS, NO_THREAD_POOLS } from './effects.ts'
import { atLeast, listOf, oneOf, shareAutoOffsetReset } from './validators.ts'

export const GROUP_TABLE = defineTable({
  'consumer.assignment.interval.ms': int('1000', atLeast(0), 'MEDIUM', 'cluster-wide', "Shortest pause between two computations of the consumer group's assignment, in milliseconds."),
  'consumer.assignor.offload.enable': boolean('true', null, 'MEDIUM', 'cluster-wide', "Whether the consumer group's assignments are computed on a background thread.", internal(NO_THREAD_POOLS)),
  'consumer.heartbeat.interval.ms': int('5000', atLeast(1), 'MEDIUM', 'cluster-wide', 'How often members of the consumer group send heartbeats, in milliseconds.'),
  'consumer.session.timeout.ms': int('45000', atLeast(1), 'MEDIUM', 'cluster-wide', 'A member of the consumer group that sends no heartbeat for this many milliseconds is removed.'),
  'errors.deadletterqueue.copy.record.enable': boolean('false', null, 'MEDIUM', 'cluster-wide', 'Whether the record itself goes to the dead-letter topic, or only headers that tell where it is (KIP-1191).', NO_DEAD_LETTER_QUEUE),
  'errors.deadletterqueue.topic.name': string('', null, 'MEDIUM', 'cluster-wide', 'Dead-letter topic of the share group; empty means it has none (KIP-1191).', NO_DEAD_LETTER_QUEUE),
  'share.assignment.interval.ms': int('1000', atLeast(0), 'MEDIUM', 'cluster-wide', "Shortest pause between two computations of the share group's assignment, in milliseconds."),
  'share.assignor.offload.enable': boolean('true', null, 'MEDIUM', 'cluster-wide', "Whether the share group's assignments are computed on a background thread.", internal(NO_THREAD_POOLS)),
  'share.auto.offset.reset': string('latest', shareAutoOffsetReset, 'MEDIUM', 'cluster-wide', 'Where a share group begins on a partition it has never read: `latest`, `earliest`, or the first record younger than a duration (`by_duration:PT1H`).'),
  'share.delivery.count.limit': int('5', atLeast(2), 'MEDIUM', 'cluster-wide', 'How often a record is handed out before it is archived as undeliverable.'),
  'share.heartbeat.interval.ms': int('5000', atLeast(1), 'MEDIUM', 'cluster-wide', 'How often members of the share group send heartbeats, in milliseconds.'),
  'share.isolation.level': string('read_uncommitted', oneOf('read_committed', 'read_uncommitted'), 'MEDIUM', 'cluster-wide', 'Whether the share group also reads records of open and aborted transactions.'),
  'share.partition.max.record.locks': int('2000', atLeast(100), 'MEDIUM', 'cluster-wide', 'How many records of one partition may be handed out and unacknowledged at a time.'),
  'share.record.lock.duration.ms': int('30000', atLeast(1000), 'MEDIUM', 'cluster-wide', 'How long a record that was handed out stays reserved before it is offered again, in milliseconds.'),
  'share.renew.acknowledge.enable': boolean('true', null, 'MEDIUM', 'cluster-wide', 'Whether members may prolong the lock on a record (KIP-1222).'),
  'share.session.timeout.ms': int('45000', atLeast(1), 'MEDIUM', 'cluster-wide', 'A member of the share group that sends no heartbeat for this many milliseconds is removed.'),
  'streams.acceptable.recovery.lag': long('10000', atLeast(0), 'MEDIUM', 'cluster-wide', 'How many offsets a member may be behind and still count as caught up.', internal(NO_STREAMS_GROUPS)),
  'streams.assignment.interval.ms': int('1000', atLeast(0), 'MEDIUM', 'cluster-wide', "Shortest pause between two computations of the streams group's assignment, in milliseconds.", NO_STREAMS_GROUPS),
  'streams.assignor.name': string(null, null, 'MEDIUM', 'cluster-wide', 'Task assignor of the streams group; without it the first of `group.streams.assignors`.', NO_STREAMS_GROUPS),
  'streams.assignor.offload.enable': boolean('true', null, 'MEDIUM', 'cluster-wide', "Whether the streams group's assignments are computed on a background thread.", internal(NO_THREAD_POOLS)),
  'streams.heartbeat.interval.ms': int('5000', atLeast(1), 'MEDIUM', 'cluster-wide', 'How often members of the streams group send heartbeats, in milliseconds.', NO_STREAMS_GROUPS),
  'streams.initial.rebalance.delay.ms': int('3000', atLeast(0), 'MEDIUM', 'cluster-wide', 'How long the first assignment of the empty streams group waits for more members, in milliseconds.', NO_STREAMS_GROUPS),
  'streams.num.standby.replicas': int('0', atLeast(0), 'MEDIUM', 'cluster-wide', 'How many standby copies of each task the streams group keeps.', NO_STREAMS_GROUPS),
  'streams.num.warmup.replicas': int('2', atLeast(0), 'MEDIUM', 'cluster-wide', 'How many warm-up copies the streams group may have.', internal(NO_STREAMS_GROUPS)),
  'streams.rack.aware.assignment.tags': list('', listOf(), 'LOW', 'cluster-wide', 'Client tags over whose values the standby copies of a task are spread.', NO_STREAMS_GROUPS),
  'streams.session.timeout.ms': int('45000', atLeast(1), 'MEDIUM', 'cluster-wide', 'A member of the streams group that sends no heartbeat for this many milliseconds is removed.', NO_STREAMS_GROUPS),
  'streams.task.offset.interval.ms': int('60000', atLeast(1), 'MEDIUM', 'cluster-wide', 'How often members of the streams group report the offsets of their tasks, in milliseconds.', internal(NO_STREAMS_GROUPS)),
})
