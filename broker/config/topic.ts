/**
 * Topic keys. A topic without a value of its own takes the broker key that `synonyms.ts` names.
 */
import { boolean, defineTable, double, int, internal, list, long, string } from './define.ts'
import { NO_DEAD_LETTER_QUEUE, NO_PREALLOCATION, NO_REMOTE_STORAGE } from './effects.ts'
import { atLeast, between, gzipLevel, listOf, oneOf, throttledReplicas } from './validators.ts'

export const TOPIC_TABLE = defineTable({
  'cleanup.policy': list('delete', listOf({ allowed: ['compact', 'delete'] }), 'MEDIUM', 'cluster-wide', 'What happens to old data: `delete` drops old segments, `compact` keeps the last record of each key, both may be combined; an empty list keeps everything.'),
  'compression.gzip.level': int('-1', gzipLevel, 'MEDIUM', 'cluster-wide', 'Level the broker compresses with when it has to recompress batches with gzip; -1 leaves the choice to zlib.'),
  'compression.lz4.level': int('9', between(1, 17), 'MEDIUM', 'cluster-wide', 'Level the broker compresses with when it has to recompress batches with LZ4.'),
  'compression.type': string('producer', oneOf('uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'), 'MEDIUM', 'cluster-wide', 'Codec in which batches are stored. `producer` keeps what the producer chose, `uncompressed` stores them plain, any other value recompresses batches that arrive in another codec.'),
  'compression.zstd.level': int('3', between(-131_072, 22), 'MEDIUM', 'cluster-wide', 'Level the broker compresses with when it has to recompress batches with Zstandard.'),
  'delete.retention.ms': long('86400000', atLeast(0), 'MEDIUM', 'cluster-wide', 'How long tombstones and transaction markers stay in a compacted log, in milliseconds.'),
  'errors.deadletterqueue.group.enable': boolean('false', null, 'MEDIUM', 'cluster-wide', 'Whether share groups may use this topic as their dead-letter queue (KIP-1191).', NO_DEAD_LETTER_QUEUE),
  'file.delete.delay.ms': long('60000', atLeast(0), 'MEDIUM', 'cluster-wide', 'How long the files of a deleted segment stay on disk under their `.deleted` names, in milliseconds.'),
  'flush.messages': long('9223372036854775807', atLeast(1), 'MEDIUM', 'cluster-wide', 'After how many records the log is forced to disk. Replication, not flushing, is what makes records safe.'),
  'flush.ms': long('9223372036854775807', atLeast(0), 'MEDIUM', 'cluster-wide', 'After how many milliseconds unflushed records are forced to disk.'),
  'follower.replication.throttled.replicas': list('', throttledReplicas, 'MEDIUM', 'cluster-wide', 'Replicas whose fetching from their leader is throttled, as `partition:broker` pairs, or `*` for all.'),
  'index.interval.bytes': int('4096', atLeast(0), 'MEDIUM', 'cluster-wide', 'After how many bytes of records an entry goes into the offset index.'),
  'internal.segment.bytes': int(null, null, 'MEDIUM', 'cluster-wide', 'Segment size without the lower bound of `segment.bytes`, for tests, in bytes.', internal()),
  'leader.replication.throttled.replicas': list('', throttledReplicas, 'MEDIUM', 'cluster-wide', 'Replicas whose serving of followers is throttled, as `partition:broker` pairs, or `*` for all.'),
  'local.retention.bytes': long('-2', atLeast(-2), 'MEDIUM', 'cluster-wide', 'How much of a partition stays on local disk once it was copied to remote storage, in bytes; -2 follows `retention.bytes`.', NO_REMOTE_STORAGE),
  'local.retention.ms': long('-2', atLeast(-2), 'MEDIUM', 'cluster-wide', 'How long a segment stays on local disk once it was copied to remote storage, in milliseconds; -2 follows `retention.ms`.', NO_REMOTE_STORAGE),
  'max.compaction.lag.ms': long('9223372036854775807', atLeast(1), 'MEDIUM', 'cluster-wide', 'A record is compacted at the latest this many milliseconds after it was written.'),
  'max.decompressed.message.bytes': int('2147483639', between(1, 2_147_483_639), 'MEDIUM', 'cluster-wide', 'Largest size of a single record after decompression that the broker accepts where it has to decompress, in bytes.'),
  'max.message.bytes': int('1048588', atLeast(0), 'MEDIUM', 'cluster-wide', 'Largest record batch the topic accepts, in bytes, after compression.'),
  'message.timestamp.after.max.ms': long('3600000', atLeast(0), 'MEDIUM', 'cluster-wide', 'A record whose timestamp is more than this many milliseconds in the future is refused. Not checked for `LogAppendTime`.'),
  'message.timestamp.before.max.ms': long('9223372036854775807', atLeast(0), 'MEDIUM', 'cluster-wide', 'A record whose timestamp is more than this many milliseconds in the past is refused. Not checked for `LogAppendTime`.'),
  'message.timestamp.type': string('CreateTime', oneOf('CreateTime', 'LogAppendTime'), 'MEDIUM', 'cluster-wide', 'Whether records carry the time the producer gave them (`CreateTime`) or the time the broker appended them (`LogAppendTime`).'),
  'min.cleanable.dirty.ratio': double('0.5', between(0, 1), 'MEDIUM', 'cluster-wide', 'Share of the log that must be uncompacted before the cleaner takes it up. Smaller values compact more often.'),
  'min.compaction.lag.ms': long('0', atLeast(0), 'MEDIUM', 'cluster-wide', 'A record stays untouched by compaction for at least this many milliseconds.'),
  'min.insync.replicas': int('1', atLeast(1), 'MEDIUM', 'cluster-wide', 'How many replicas must be in sync for a write with `acks=all` to be accepted.'),
  'preallocate': boolean('false', null, 'MEDIUM', 'cluster-wide', "Whether a new segment's file gets its full size at once.", NO_PREALLOCATION),
  'remote.copy.lag.bytes': long('-1', atLeast(-1), 'MEDIUM', 'cluster-wide', 'How many bytes a closed segment may wait before it is copied to remote storage.', NO_REMOTE_STORAGE),
  'remote.copy.lag.ms': long('0', atLeast(-1), 'MEDIUM', 'cluster-wide', 'How long a closed segment may wait before it is copied to remote storage, in milliseconds.', NO_REMOTE_STORAGE),
  'remote.log.copy.disable': boolean('false', null, 'MEDIUM', 'cluster-wide', 'Whether copying to remote storage has stopped and the remote data is read-only.', NO_REMOTE_STORAGE),
  'remote.log.delete.on.disable': boolean('false', null, 'MEDIUM', 'cluster-wide', 'Whether remote data is deleted when remote storage is switched off for the topic.', NO_REMOTE_STORAGE),
  'remote.storage.enable': boolean('false', null, 'MEDIUM', 'cluster-wide', 'Whether closed segments of the topic are copied to remote storage.', NO_REMOTE_STORAGE),
  'retention.bytes': long('-1', null, 'MEDIUM', 'cluster-wide', 'Size of a partition beyond which its oldest segments are deleted, in bytes; -1 sets no limit. The limit is per partition, not for the whole topic.'),
  'retention.ms': long('604800000', atLeast(-1), 'MEDIUM', 'cluster-wide', 'Age beyond which segments are deleted, in milliseconds; -1 keeps them for ever.'),
  'segment.bytes': int('1073741824', atLeast(1_048_576), 'MEDIUM', 'cluster-wide', 'Size at which a segment is closed and a new one is begun, in bytes.'),
  'segment.index.bytes': int('10485760', atLeast(4), 'MEDIUM', 'cluster-wide', "Largest size of a segment's offset index, in bytes; a full index rolls the segment."),
  'segment.jitter.ms': long('0', atLeast(0), 'MEDIUM', 'cluster-wide', 'Up to this many milliseconds are randomly taken off the roll time, so that segments do not roll together.'),
  'segment.ms': long('604800000', atLeast(1), 'MEDIUM', 'cluster-wide', 'A segment is closed at the latest after this many milliseconds.'),
  'unclean.leader.election.enable': boolean('false', null, 'MEDIUM', 'cluster-wide', 'Whether a replica that is not in sync may become leader as a last resort, at the price of lost records.'),
})
