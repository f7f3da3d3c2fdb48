/**
 * Broker keys that exist only as dynamic settings: replication throttles (KIP-73). They are described only while set,
 * and have no default among their synonyms.
 */
import { defineTable, internal, long } from '../define.ts'
import { NO_LOG_DIRECTORY_MOVES } from '../effects.ts'
import { atLeast } from '../validators.ts'

export const THROTTLE_KEYS = defineTable({
  'leader.replication.throttled.rate': long(
    null,
    atLeast(0),
    'MEDIUM',
    'cluster-wide',
    'Upper bound of what leaders send per second for the replicas named by the topic key `leader.replication.throttled.replicas`, in bytes.',
    internal(),
  ),
  'follower.replication.throttled.rate': long(
    null,
    atLeast(0),
    'MEDIUM',
    'cluster-wide',
    'Upper bound of what followers fetch per second for the replicas named by the topic key `follower.replication.throttled.replicas`, in bytes.',
    internal(),
  ),
  'replica.alter.log.dirs.io.max.bytes.per.second': long(
    null,
    atLeast(0),
    'MEDIUM',
    'cluster-wide',
    'Upper bound of what moves between log directories may copy per second, in bytes.',
    internal(NO_LOG_DIRECTORY_MOVES),
  ),
})
