/**
 * Settings of one log: the topic configs that the storage layer obeys. The broker's config tables fill it.
 * Durations in ms, sizes in bytes; `UNLIMITED` stands for Kafka's Long.MAX_VALUE.
 */
export const UNLIMITED = Number.MAX_SAFE_INTEGER

export type TopicCompression = 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

export interface LogConfig {
  readonly cleanupPolicy: ReadonlySet<'compact' | 'delete'>
  readonly compressionType: TopicCompression
  readonly compressionGzipLevel: number
  readonly compressionLz4Level: number
  readonly compressionZstdLevel: number
  readonly deleteRetentionMs: number
  readonly fileDeleteDelayMs: number
  readonly flushMessages: number
  readonly flushMs: number
  readonly indexIntervalBytes: number
  readonly maxCompactionLagMs: number
  readonly maxDecompressedMessageBytes: number
  readonly maxMessageBytes: number
  readonly messageTimestampAfterMaxMs: number
  readonly messageTimestampBeforeMaxMs: number
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime'
  readonly minCleanableDirtyRatio: number
  readonly minCompactionLagMs: number
  /** Not used by the log itself; a partition finds it here with the rest. */
  readonly minInsyncReplicas: number
  /** -1 for no limit. */
  readonly retentionBytes: number
  /** -1 for no limit. */
  readonly retentionMs: number
  readonly segmentBytes: number
  readonly segmentIndexBytes: number
  readonly segmentJitterMs: number
  readonly segmentMs: number
  /** Parse every record of every append as Kafka does, rather than trust crc and counts (docs/adr: header-only validation). */
  readonly validateRecords: boolean
}

/** Kafka's defaults. */
export const DEFAULT_LOG_CONFIG: LogConfig = {
  cleanupPolicy: new Set(['delete'] as const),
  compressionType: 'producer',
  compressionGzipLevel: -1,
  compressionLz4Level: 9,
  compressionZstdLevel: 3,
  deleteRetentionMs: 86_400_000,
  fileDeleteDelayMs: 60_000,
  flushMessages: UNLIMITED,
  flushMs: UNLIMITED,
  indexIntervalBytes: 4096,
  maxCompactionLagMs: UNLIMITED,
  maxDecompressedMessageBytes: 2_147_483_639,
  maxMessageBytes: 1_048_588,
  messageTimestampAfterMaxMs: 3_600_000,
  messageTimestampBeforeMaxMs: UNLIMITED,
  messageTimestampType: 'CreateTime',
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  minInsyncReplicas: 1,
  retentionBytes: -1,
  retentionMs: 604_800_000,
  segmentBytes: 1_073_741_824,
  segmentIndexBytes: 10_485_760,
  segmentJitterMs: 0,
  segmentMs: 604_800_000,
  validateRecords: false,
}

/** Kafka's defaults with some values replaced. */
export function logConfig(overrides: Partial<LogConfig> = {}): LogConfig {
  return { ...DEFAULT_LOG_CONFIG, ...overrides }
}
