/**
 * Broker keys of tiered storage (KIP-405). All of them are known, none has an effect.
 */
import { boolean, defineTable, double, int, internal, long, string } from '../define.ts'
import { NO_REMOTE_STORAGE } from '../effects.ts'
import { atLeast, between, nonEmptyString } from '../validators.ts'

export const REMOTE_STORAGE_KEYS = defineTable({
  'follower.fetch.last.tiered.offset.enable': boolean('false', null, 'MEDIUM', 'cluster-wide', 'Whether a new replica starts at the first offset that is not in remote storage instead of copying all local data.', NO_REMOTE_STORAGE),
  'log.local.retention.bytes': long('-2', atLeast(-2), 'MEDIUM', 'cluster-wide', 'How much of a partition stays on local disk once it was copied to remote storage, in bytes; -2 follows `log.retention.bytes`.', NO_REMOTE_STORAGE),
  'log.local.retention.ms': long('-2', atLeast(-2), 'MEDIUM', 'cluster-wide', 'How long a segment stays on local disk once it was copied to remote storage, in milliseconds; -2 follows `log.retention.ms`.', NO_REMOTE_STORAGE),
  'log.remote.copy.lag.bytes': long('-1', atLeast(-1), 'MEDIUM', 'cluster-wide', 'How many bytes a closed segment may wait before it is copied to remote storage.', NO_REMOTE_STORAGE),
  'log.remote.copy.lag.ms': long('0', atLeast(-1), 'MEDIUM', 'cluster-wide', 'How long a closed segment may wait before it is copied to remote storage, in milliseconds.', NO_REMOTE_STORAGE),
  'remote.fetch.max.wait.ms': int('500', atLeast(1), 'MEDIUM', 'cluster-wide', 'How long a fetch waits for data from remote storage, in milliseconds.', NO_REMOTE_STORAGE),
  'remote.list.offsets.request.timeout.ms': long('30000', atLeast(1), 'MEDIUM', 'cluster-wide', 'How long ListOffsets waits for remote storage, in milliseconds.', NO_REMOTE_STORAGE),
  'remote.log.index.file.cache.total.size.bytes': long('1073741824', atLeast(1), 'LOW', 'cluster-wide', 'Disk space for indexes fetched from remote storage, in bytes.', NO_REMOTE_STORAGE),
  'remote.log.index.file.cache.ttl.ms': long('900000', atLeast(-1), 'LOW', 'read-only', 'How long an unused index fetched from remote storage is kept, in milliseconds.', internal(NO_REMOTE_STORAGE)),
  'remote.log.manager.copier.thread.pool.size': int('10', atLeast(1), 'MEDIUM', 'cluster-wide', 'Threads that copy segments to remote storage.', NO_REMOTE_STORAGE),
  'remote.log.manager.copy.max.bytes.per.second': long('9223372036854775807', atLeast(1), 'MEDIUM', 'cluster-wide', 'Upper bound of what is copied to remote storage per second, in bytes.', NO_REMOTE_STORAGE),
  'remote.log.manager.copy.quota.window.num': int('11', atLeast(1), 'MEDIUM', 'read-only', 'How many sample windows the throttle for copies to remote storage remembers.', NO_REMOTE_STORAGE),
  'remote.log.manager.copy.quota.window.size.seconds': int('1', atLeast(1), 'MEDIUM', 'read-only', 'Length of one sample window of the throttle for copies to remote storage, in seconds.', NO_REMOTE_STORAGE),
  'remote.log.manager.expiration.thread.pool.size': int('10', atLeast(1), 'MEDIUM', 'cluster-wide', 'Threads that delete expired segments from remote storage.', NO_REMOTE_STORAGE),
  'remote.log.manager.fetch.max.bytes.per.second': long('9223372036854775807', atLeast(1), 'MEDIUM', 'cluster-wide', 'Upper bound of what is read from remote storage per second, in bytes.', NO_REMOTE_STORAGE),
  'remote.log.manager.fetch.quota.window.num': int('11', atLeast(1), 'MEDIUM', 'read-only', 'How many sample windows the throttle for reads from remote storage remembers.', NO_REMOTE_STORAGE),
  'remote.log.manager.fetch.quota.window.size.seconds': int('1', atLeast(1), 'MEDIUM', 'read-only', 'Length of one sample window of the throttle for reads from remote storage, in seconds.', NO_REMOTE_STORAGE),
  'remote.log.manager.follower.thread.pool.size': int('2', atLeast(1), 'MEDIUM', 'cluster-wide', 'Threads that follow the state of remote segments on followers.', NO_REMOTE_STORAGE),
  'remote.log.manager.task.interval.ms': long('30000', atLeast(1), 'LOW', 'read-only', 'How often remote storage tasks run for each partition, in milliseconds.', NO_REMOTE_STORAGE),
  'remote.log.manager.task.retry.backoff.max.ms': long('30000', atLeast(1), 'LOW', 'read-only', 'Longest pause before a remote storage task that failed is repeated, in milliseconds.', internal(NO_REMOTE_STORAGE)),
  'remote.log.manager.task.retry.backoff.ms': long('500', atLeast(1), 'LOW', 'read-only', 'First pause before a remote storage task that failed is repeated, in milliseconds.', internal(NO_REMOTE_STORAGE)),
  'remote.log.manager.task.retry.jitter': double('0.2', between(0, 0.5), 'LOW', 'read-only', 'Random share added to the pause before a remote storage task is repeated.', internal(NO_REMOTE_STORAGE)),
  'remote.log.manager.thread.pool.size': int('2', atLeast(1), 'MEDIUM', 'read-only', 'Threads that schedule remote storage tasks.', NO_REMOTE_STORAGE),
  'remote.log.metadata.custom.metadata.max.bytes': int('128', atLeast(0), 'LOW', 'read-only', 'Largest custom metadata that a storage plug-in may attach to a segment, in bytes.', NO_REMOTE_STORAGE),
  'remote.log.metadata.manager.class.name': string('org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager', nonEmptyString, 'MEDIUM', 'read-only', 'Class that keeps the metadata of remote segments.', NO_REMOTE_STORAGE),
  'remote.log.metadata.manager.class.path': string(null, null, 'MEDIUM', 'read-only', 'Class path of the manager of remote metadata.', NO_REMOTE_STORAGE),
  'remote.log.metadata.manager.impl.prefix': string('rlmm.config.', nonEmptyString, 'MEDIUM', 'read-only', 'Prefix of the settings handed to the manager of remote metadata.', NO_REMOTE_STORAGE),
  'remote.log.metadata.manager.listener.name': string(null, nonEmptyString, 'MEDIUM', 'read-only', 'Listener over which the manager of remote metadata reaches the brokers.', NO_REMOTE_STORAGE),
  'remote.log.reader.max.pending.tasks': int('100', atLeast(1), 'MEDIUM', 'read-only', 'How many reads from remote storage may wait.', NO_REMOTE_STORAGE),
  'remote.log.reader.threads': int('10', atLeast(1), 'MEDIUM', 'cluster-wide', 'Threads that read from remote storage.', NO_REMOTE_STORAGE),
  'remote.log.storage.manager.class.name': string(null, nonEmptyString, 'MEDIUM', 'read-only', 'Class that stores segments remotely.', NO_REMOTE_STORAGE),
  'remote.log.storage.manager.class.path': string(null, null, 'MEDIUM', 'read-only', 'Class path of the remote storage plug-in.', NO_REMOTE_STORAGE),
  'remote.log.storage.manager.impl.prefix': string('rsm.config.', nonEmptyString, 'MEDIUM', 'read-only', 'Prefix of the settings handed to the remote storage plug-in.', NO_REMOTE_STORAGE),
  'remote.log.storage.system.enable': boolean('false', null, 'MEDIUM', 'read-only', 'Whether the broker can keep segments in remote storage.', NO_REMOTE_STORAGE),
})
