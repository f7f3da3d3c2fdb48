/**
 * Which broker key is the default of which topic or group key, and which keys say the same thing in other units.
 * The first name of a list wins over the second wherever both are set.
 */

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

export interface Synonym {
  readonly name: string
  /** Turns the value of this key into the unit of the topic key. */
  readonly factor: number
}

function same(name: string): readonly Synonym[] {
  return [{ name, factor: 1 }]
}

/** Topic key → broker keys. A topic key that is missing here has only its own default. */
export const TOPIC_SYNONYMS: Readonly<Record<string, readonly Synonym[]>> = {
  'cleanup.policy': same('log.cleanup.policy'),
  'compression.gzip.level': same('compression.gzip.level'),
  'compression.lz4.level': same('compression.lz4.level'),
  'compression.type': same('compression.type'),
  'compression.zstd.level': same('compression.zstd.level'),
  'delete.retention.ms': same('log.cleaner.delete.retention.ms'),
  'file.delete.delay.ms': same('log.segment.delete.delay.ms'),
  'flush.messages': same('log.flush.interval.messages'),
  'flush.ms': [
    { name: 'log.flush.interval.ms', factor: 1 },
    { name: 'log.flush.scheduler.interval.ms', factor: 1 },
  ],
  'index.interval.bytes': same('log.index.interval.bytes'),
  'local.retention.bytes': same('log.local.retention.bytes'),
  'local.retention.ms': same('log.local.retention.ms'),
  'max.compaction.lag.ms': same('log.cleaner.max.compaction.lag.ms'),
  'max.decompressed.message.bytes': same('max.decompressed.message.bytes'),
  'max.message.bytes': same('message.max.bytes'),
  'message.timestamp.after.max.ms': same('log.message.timestamp.after.max.ms'),
  'message.timestamp.before.max.ms': same('log.message.timestamp.before.max.ms'),
  'message.timestamp.type': same('log.message.timestamp.type'),
  'min.cleanable.dirty.ratio': same('log.cleaner.min.cleanable.ratio'),
  'min.compaction.lag.ms': same('log.cleaner.min.compaction.lag.ms'),
  'min.insync.replicas': same('min.insync.replicas'),
  preallocate: same('log.preallocate'),
  'remote.copy.lag.bytes': same('log.remote.copy.lag.bytes'),
  'remote.copy.lag.ms': same('log.remote.copy.lag.ms'),
  'retention.bytes': same('log.retention.bytes'),
  'retention.ms': [
    { name: 'log.retention.ms', factor: 1 },
    { name: 'log.retention.minutes', factor: MINUTE_MS },
    { name: 'log.retention.hours', factor: HOUR_MS },
  ],
  'segment.bytes': same('log.segment.bytes'),
  'segment.index.bytes': same('log.index.size.max.bytes'),
  'segment.jitter.ms': [
    { name: 'log.roll.jitter.ms', factor: 1 },
    { name: 'log.roll.jitter.hours', factor: HOUR_MS },
  ],
  'segment.ms': [
    { name: 'log.roll.ms', factor: 1 },
    { name: 'log.roll.hours', factor: HOUR_MS },
  ],
  'unclean.leader.election.enable': same('unclean.leader.election.enable'),
}

/** Group key → broker key. A group key that is missing here has only its own default. */
export const GROUP_SYNONYMS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'consumer.assignment.interval.ms',
      'consumer.assignor.offload.enable',
      'consumer.heartbeat.interval.ms',
      'consumer.session.timeout.ms',
      'share.assignment.interval.ms',
      'share.assignor.offload.enable',
      'share.delivery.count.limit',
      'share.heartbeat.interval.ms',
      'share.partition.max.record.locks',
      'share.record.lock.duration.ms',
      'share.session.timeout.ms',
      'streams.acceptable.recovery.lag',
      'streams.assignment.interval.ms',
      'streams.assignor.offload.enable',
      'streams.heartbeat.interval.ms',
      'streams.initial.rebalance.delay.ms',
      'streams.num.standby.replicas',
      'streams.num.warmup.replicas',
      'streams.rack.aware.assignment.tags',
      'streams.session.timeout.ms',
      'streams.task.offset.interval.ms',
    ].map((key) => [key, `group.${key}`]),
  ),
  'streams.assignor.name': 'group.streams.assignors',
}

const BROKER_FAMILIES: readonly (readonly string[])[] = [
  ['log.roll.ms', 'log.roll.hours'],
  ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
  ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'],
  ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
]

/** All names of what a broker key sets, the strongest first; for most keys just the key itself. */
export function brokerSynonyms(name: string, baseKey: string | null = null): readonly string[] {
  const family = BROKER_FAMILIES.find((names) => names.includes(name))
  if (family !== undefined) return family
  return baseKey === null ? [name] : [name, baseKey]
}
