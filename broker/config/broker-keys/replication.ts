/**
 * Broker keys of replication and fetching.
 */
import { defineTable, int, long, part, string } from '../define.ts'
import { NO_PURGATORY, NO_SOCKET_BUFFERS, NO_THREAD_POOLS, ONE_LOG_DIRECTORY } from '../effects.ts'
import { atLeast } from '../validators.ts'

export const REPLICATION_KEYS = defineTable({
  'alter.log.dirs.replication.quota.window.num': int('11', atLeast(1), 'LOW', 'read-only', 'How many sample windows the throttle for moves between log directories remembers.', ONE_LOG_DIRECTORY),
  'alter.log.dirs.replication.quota.window.size.seconds': int('1', atLeast(1), 'LOW', 'read-only', 'Length of one sample window of the throttle for moves between log directories, in seconds.', ONE_LOG_DIRECTORY),
  'delete.records.purgatory.purge.interval.requests': int('1', null, 'MEDIUM', 'read-only', 'After how many requests the waiting room of DeleteRecords is cleaned.', NO_PURGATORY),
  'fetch.max.bytes': int('57671680', atLeast(1024), 'MEDIUM', 'read-only', 'Largest number of bytes in one answer to a fetch; at least the first batch is sent even if it is larger.'),
  'fetch.purgatory.purge.interval.requests': int('1000', null, 'MEDIUM', 'read-only', 'After how many requests the waiting room of Fetch is cleaned.', NO_PURGATORY),
  'max.incremental.fetch.session.cache.slots': int('1000', atLeast(0), 'MEDIUM', 'read-only', 'How many incremental fetch sessions a broker keeps (KIP-227).'),
  'min.insync.replicas': int('1', atLeast(1), 'HIGH', 'cluster-wide', 'How many replicas must be in sync for a write with `acks=all` to be accepted.'),
  'num.replica.alter.log.dirs.threads': int(null, null, 'HIGH', 'read-only', 'Threads that move replicas between log directories.', NO_THREAD_POOLS),
  'num.replica.fetchers': int('1', atLeast(1), 'HIGH', 'cluster-wide', 'Fetchers per source broker that a follower copies partitions with.', NO_THREAD_POOLS),
  'producer.purgatory.purge.interval.requests': int('1000', null, 'MEDIUM', 'read-only', 'After how many requests the waiting room of Produce is cleaned.', NO_PURGATORY),
  'replica.fetch.backoff.ms': int('1000', atLeast(0), 'MEDIUM', 'read-only', 'How long a follower rests after a fetch that failed, in milliseconds.'),
  'replica.fetch.max.bytes': int('1048576', atLeast(0), 'MEDIUM', 'read-only', 'How many bytes a follower asks for per partition; the first batch is sent even if it is larger.'),
  'replica.fetch.min.bytes': int('1', null, 'HIGH', 'read-only', "How many bytes have to be there before a follower's fetch is answered; it waits up to `replica.fetch.wait.max.ms`."),
  'replica.fetch.response.max.bytes': int('10485760', atLeast(0), 'MEDIUM', 'read-only', 'How many bytes a follower asks for in one fetch.'),
  'replica.fetch.wait.max.ms': int('500', null, 'HIGH', 'read-only', "How long a follower's fetch may wait for data, in milliseconds. At most `replica.lag.time.max.ms`."),
  'replica.high.watermark.checkpoint.interval.ms': long('5000', null, 'HIGH', 'read-only', 'How often the high watermarks are written to disk, in milliseconds.'),
  'replica.lag.time.max.ms': long('30000', null, 'HIGH', 'read-only', 'A follower that has not caught up with its leader for this many milliseconds leaves the in-sync set.'),
  'replica.selector.class': string(null, null, 'MEDIUM', 'read-only', 'How a leader picks the replica a consumer should read from (KIP-392).', part("Only Kafka's rack-aware selector is known by name.")),
  'replica.socket.receive.buffer.bytes': int('65536', null, 'HIGH', 'read-only', 'Receive buffer of the sockets that followers fetch through, in bytes.', NO_SOCKET_BUFFERS),
  'replica.socket.timeout.ms': int('30000', null, 'HIGH', 'read-only', 'How long a follower waits for the answer to a fetch, in milliseconds.'),
  'replication.quota.window.num': int('11', atLeast(1), 'LOW', 'read-only', 'How many sample windows replication throttles remember.'),
  'replication.quota.window.size.seconds': int('1', atLeast(1), 'LOW', 'read-only', 'Length of one sample window of replication throttles, in seconds.'),
})
