/**
 * What a topic's settings come to: its own values over those of the broker, as texts for DescribeConfigs and as
 * one typed object for those who obey them.
 */
import type { LogConfig } from '../../storage/log-config.ts'
import type { ConfigRow, ValueOf } from './define.ts'
import { type BrokerLevels, brokerText, type ConfigTexts } from './levels.ts'
import { TOPIC_SYNONYMS } from './synonyms.ts'
import { TOPIC_TABLE } from './topic.ts'
import { canonicalText, defaultValue, parseValue } from './values.ts'

type TopicTable = typeof TOPIC_TABLE
export type TopicKey = keyof TopicTable

const TOPIC_ROWS: ReadonlyMap<string, ConfigRow> = new Map<string, ConfigRow>(Object.entries(TOPIC_TABLE))

export function topicRow(name: string): ConfigRow | undefined {
  return TOPIC_ROWS.get(name)
}

/** The text a topic has for a key it does not set itself: the broker's, in the topic key's unit. */
export function inheritedTopicText(name: string, levels: BrokerLevels): string | null {
  const row = topicRow(name)
  if (row === undefined) return null
  for (const { name: synonym, factor } of TOPIC_SYNONYMS[name] ?? []) {
    const text = brokerText(synonym, levels)
    if (text === null) continue
    if (factor !== 1) return String(scaled(Number(text), factor))
    // Below -1 means "for ever" for the broker's retention, which the topic key writes as -1.
    if (name === 'retention.ms' && Number(text) < 0) return '-1'
    return text
  }
  return row.defaultText ?? null
}

function scaled(value: number, factor: number): number {
  return value < 0 ? -1 : value * factor
}

/** The text that counts for a topic key, in canonical form. */
export function topicText(name: string, levels: BrokerLevels, overrides: ConfigTexts): string | null {
  const row = topicRow(name)
  const own = overrides.get(name)
  if (row === undefined) return own ?? null
  return own === undefined ? inheritedTopicText(name, levels) : canonicalText(row, own)
}

/** The value that counts for a topic key. */
export function topicValue<Key extends TopicKey>(
  name: Key,
  levels: BrokerLevels,
  overrides: ConfigTexts,
): ValueOf<TopicTable[Key]> {
  const row: ConfigRow = TOPIC_TABLE[name]
  const text = topicText(name, levels, overrides)
  const parsed = text === null ? null : parseValue(row.type, name, text)
  const value = parsed === null ? null : parsed.error === null ? parsed.value : defaultValue(row)
  // The row's type parameter is the type its own parser produces.
  return value as ValueOf<TopicTable[Key]>
}

/**
 * Everything a partition obeys: what its log does (see `storage/log-config.ts` for units), and what is decided above
 * the log. `validateRecords` is no topic key; whoever opens the log adds it.
 */
export interface TopicConfig extends Omit<LogConfig, 'validateRecords'> {
  readonly followerThrottledReplicas: readonly string[]
  readonly leaderThrottledReplicas: readonly string[]
  readonly uncleanLeaderElectionEnable: boolean
}

/** `internal.segment.bytes` beats `segment.bytes`. */
export function topicConfigOf(levels: BrokerLevels, overrides: ConfigTexts): TopicConfig {
  const get = <Key extends TopicKey>(name: Key): ValueOf<TopicTable[Key]> =>
    topicValue(name, levels, overrides)
  return {
    cleanupPolicy: new Set(get('cleanup.policy') as readonly ('compact' | 'delete')[]),
    compressionType: get('compression.type') as TopicConfig['compressionType'],
    compressionGzipLevel: get('compression.gzip.level'),
    compressionLz4Level: get('compression.lz4.level'),
    compressionZstdLevel: get('compression.zstd.level'),
    deleteRetentionMs: get('delete.retention.ms'),
    fileDeleteDelayMs: get('file.delete.delay.ms'),
    flushMessages: get('flush.messages'),
    flushMs: get('flush.ms'),
    followerThrottledReplicas: get('follower.replication.throttled.replicas'),
    leaderThrottledReplicas: get('leader.replication.throttled.replicas'),
    indexIntervalBytes: get('index.interval.bytes'),
    maxCompactionLagMs: get('max.compaction.lag.ms'),
    maxDecompressedMessageBytes: get('max.decompressed.message.bytes'),
    maxMessageBytes: get('max.message.bytes'),
    messageTimestampAfterMaxMs: get('message.timestamp.after.max.ms'),
    messageTimestampBeforeMaxMs: get('message.timestamp.before.max.ms'),
    messageTimestampType: get('message.timestamp.type') as TopicConfig['messageTimestampType'],
    minCleanableDirtyRatio: get('min.cleanable.dirty.ratio'),
    minCompactionLagMs: get('min.compaction.lag.ms'),
    minInsyncReplicas: get('min.insync.replicas'),
    retentionBytes: get('retention.bytes'),
    retentionMs: get('retention.ms'),
    segmentBytes: get('internal.segment.bytes') ?? get('segment.bytes'),
    segmentIndexBytes: get('segment.index.bytes'),
    segmentJitterMs: get('segment.jitter.ms'),
    segmentMs: get('segment.ms'),
    uncleanLeaderElectionEnable: get('unclean.leader.election.enable'),
  }
}
