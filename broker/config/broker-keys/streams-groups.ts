/**
 * Broker keys of streams groups (KIP-1071). All of them are known, none has an effect.
 */
import { boolean, defineTable, int, internal, javaClass, list, long } from '../define.ts'
import { NO_JAVA_CLASSES, NO_STREAMS_GROUPS, NO_THREAD_POOLS } from '../effects.ts'
import { atLeast, listOf, nonEmptyList } from '../validators.ts'

export const STREAMS_GROUP_KEYS = defineTable({
  'group.streams.acceptable.recovery.lag': long('10000', atLeast(0), 'MEDIUM', 'read-only', 'How many offsets a member may be behind and still count as caught up.', internal(NO_STREAMS_GROUPS)),
  'group.streams.assignment.interval.ms': int('1000', atLeast(0), 'MEDIUM', 'cluster-wide', "Shortest pause between two computations of a streams group's assignment, in milliseconds.", NO_STREAMS_GROUPS),
  'group.streams.assignor.offload.enable': boolean('true', null, 'MEDIUM', 'cluster-wide', 'Whether assignments of streams groups are computed on a background thread.', internal(NO_THREAD_POOLS)),
  'group.streams.assignors': list('sticky', nonEmptyList, 'MEDIUM', 'read-only', 'Server-side task assignors that streams groups may choose from; the first is the default.', NO_STREAMS_GROUPS),
  'group.streams.heartbeat.interval.ms': int('5000', atLeast(1), 'MEDIUM', 'read-only', 'How often members of streams groups are told to send heartbeats, in milliseconds.', NO_STREAMS_GROUPS),
  'group.streams.initial.rebalance.delay.ms': int('3000', atLeast(0), 'MEDIUM', 'read-only', 'How long the first assignment of an empty streams group waits for more members, in milliseconds.', NO_STREAMS_GROUPS),
  'group.streams.max.assignment.interval.ms': int('15000', atLeast(0), 'MEDIUM', 'read-only', 'Largest assignment interval that a streams group may configure, in milliseconds.', NO_STREAMS_GROUPS),
  'group.streams.max.heartbeat.interval.ms': int('15000', atLeast(1), 'MEDIUM', 'read-only', 'Largest heartbeat interval that a streams group may configure, in milliseconds.', NO_STREAMS_GROUPS),
  'group.streams.max.session.timeout.ms': int('60000', atLeast(1), 'MEDIUM', 'read-only', 'Largest session timeout that a streams group may configure, in milliseconds.', NO_STREAMS_GROUPS),
  'group.streams.max.size': int('2147483647', atLeast(1), 'MEDIUM', 'read-only', 'How many members one streams group may have.', NO_STREAMS_GROUPS),
  'group.streams.max.standby.replicas': int('2', atLeast(0), 'MEDIUM', 'read-only', 'Largest number of standby replicas that a streams group may configure.', NO_STREAMS_GROUPS),
  'group.streams.max.warmup.replicas': int('20', atLeast(0), 'MEDIUM', 'read-only', 'Largest number of warm-up copies that a streams group may configure.', internal(NO_STREAMS_GROUPS)),
  'group.streams.min.assignment.interval.ms': int('0', atLeast(0), 'MEDIUM', 'read-only', 'Smallest assignment interval that a streams group may configure, in milliseconds.', NO_STREAMS_GROUPS),
  'group.streams.min.heartbeat.interval.ms': int('5000', atLeast(1), 'MEDIUM', 'read-only', 'Smallest heartbeat interval that a streams group may configure, in milliseconds.', NO_STREAMS_GROUPS),
  'group.streams.min.session.timeout.ms': int('45000', atLeast(1), 'MEDIUM', 'read-only', 'Smallest session timeout that a streams group may configure, in milliseconds.', NO_STREAMS_GROUPS),
  'group.streams.min.task.offset.interval.ms': int('15000', atLeast(1), 'MEDIUM', 'read-only', 'Smallest task offset interval that a streams group may configure, in milliseconds.', internal(NO_STREAMS_GROUPS)),
  'group.streams.num.standby.replicas': int('0', atLeast(0), 'MEDIUM', 'read-only', 'How many standby copies of each task a streams group keeps.', NO_STREAMS_GROUPS),
  'group.streams.num.warmup.replicas': int('2', atLeast(0), 'MEDIUM', 'read-only', 'How many warm-up copies a streams group may have.', internal(NO_STREAMS_GROUPS)),
  'group.streams.rack.aware.assignment.tags': list('', listOf(), 'LOW', 'read-only', 'Client tags over whose values the standby copies of a task are spread.', NO_STREAMS_GROUPS),
  'group.streams.session.timeout.ms': int('45000', atLeast(1), 'MEDIUM', 'read-only', 'A member of a streams group that sends no heartbeat for this many milliseconds is removed.', NO_STREAMS_GROUPS),
  'group.streams.task.offset.interval.ms': int('60000', atLeast(1), 'MEDIUM', 'read-only', 'How often members of streams groups report the offsets of their tasks, in milliseconds.', internal(NO_STREAMS_GROUPS)),
  'group.streams.topology.description.plugin.class': javaClass(null, null, 'MEDIUM', 'read-only', 'Class that receives the topology descriptions of streams groups.', NO_JAVA_CLASSES),
})
