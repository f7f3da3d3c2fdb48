/** What the configuration says of the local queue and its batches. */
import { CompressionType, codecNamed } from '../../common/record/codecs.ts'
import { RecycledBytes } from '../../common/runtime/recycled-bytes.ts'
import type { Config } from '../config/config.ts'
import type { AccumulatorOptions } from './accumulator.ts'
import type { BatchFormat } from './producer-batch.ts'

/** Oldest age of a batch that still takes records: they expire with it. */
const batchMaxAgeMs = 1000

/** All options but the world and the listeners. */
export type AccumulatorSettings = Omit<AccumulatorOptions, 'runtime' | 'onNewTopic' | 'onReady'>

export function accumulatorSettingsOf(config: Config): AccumulatorSettings {
  const deliveryTimeoutMs = config.get('delivery.timeout.ms')
  const lifeMs = deliveryTimeoutMs === 0 ? Number.POSITIVE_INFINITY : deliveryTimeoutMs
  const lingerMs = config.get('linger.ms')
  return {
    limits: {
      maxRecords: config.get('batch.num.messages'),
      maxBytes: Math.min(config.get('batch.size'), config.get('message.max.bytes')),
      lingerMs,
      maxAgeMs: lingerMs + Math.min(batchMaxAgeMs, lifeMs / 8),
    },
    format: batchFormatOf(config),
    maxMessages: config.get('queue.buffering.max.messages'),
    maxBytes: config.get('queue.buffering.max.kbytes') * 1024,
    partitioner: config.get('partitioner'),
    stickyMs: config.get('sticky.partitioning.linger.ms'),
  }
}

function batchFormatOf(config: Config): BatchFormat {
  const name = config.get('compression.codec')
  const codec = codecNamed(name === 'inherit' ? 'none' : name)
  const level = config.get('compression.level')
  const isGiven = codec !== null && level >= 0 && codec.minLevel < codec.maxLevel
  return {
    compressionType: (codec?.type ?? CompressionType.none) as CompressionType,
    compressionLevel: isGiven ? Math.min(Math.max(level, codec.minLevel), codec.maxLevel) : undefined,
    isTransactional: config.get('transactional.id') !== undefined,
    memory: new RecycledBytes(),
  }
}
