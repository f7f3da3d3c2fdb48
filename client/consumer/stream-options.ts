/** The options of `consumer.stream()`, checked. */

import type { KafkaError } from '../errors.ts'
import { ValueError } from '../errors.ts'
import type { Message } from '../values/message.ts'
import { TopicPartition } from '../values/topic-partition.ts'
import { checkNames } from './consumer-arguments.ts'

const streamModes = ['latest', 'earliest', 'committed', 'manual'] as const
export type StreamMode = (typeof streamModes)[number]
const fallbackModes = ['latest', 'earliest', 'fail'] as const
export type FallbackMode = (typeof fallbackModes)[number]

export interface StreamOptions {
  /** Subscribes to them. Without topics the present subscription or assignment is read. */
  readonly topics?: readonly string[]
  /**
   * Where partitions start that this stream meets for the first time; one that comes back goes on where the group or the
   * stream was. Default `committed`. `manual` starts at `offsets`, other partitions as with `committed`.
   */
  readonly mode?: StreamMode
  readonly offsets?: readonly TopicPartition[]
  /** What `committed` does where nothing is committed. Default: `auto.offset.reset`. */
  readonly fallbackMode?: FallbackMode
  /**
   * Commits what has left the stream, but for the last message, which may still be in work: at intervals
   * (`auto.commit.interval.ms`, or these milliseconds), on revoke and at the end. Default: `enable.auto.commit`. Behind a
   * `pipeline`, whose stages hold messages of their own, commit by hand or let `producer.writable` do it.
   */
  readonly autocommit?: boolean | number
  /** Messages that the stream holds. Default 64; the rest waits in the consumer's own bounded queue. */
  readonly highWaterMark?: number
  /** Told of a batch that cannot be decoded: true goes on behind it. Without it the stream fails. */
  readonly onCorrupted?: (error: KafkaError, message: Message<unknown, unknown>) => boolean
  readonly signal?: AbortSignal
}

export interface StreamSettings {
  readonly topics: readonly string[] | undefined
  readonly mode: StreamMode
  /** By `TopicPartition.key`. */
  readonly offsets: ReadonlyMap<string, number>
  readonly fallbackMode: FallbackMode | undefined
  /** undefined: by hand. */
  readonly commitIntervalMs: number | undefined
  readonly highWaterMark: number
  readonly onCorrupted: ((error: KafkaError, message: Message<unknown, unknown>) => boolean) | undefined
}

export function streamSettings(
  options: StreamOptions,
  defaults: { readonly commits: boolean; readonly commitIntervalMs: number },
): StreamSettings {
  const names = [
    'topics',
    'mode',
    'offsets',
    'fallbackMode',
    'autocommit',
    'highWaterMark',
    'onCorrupted',
    'signal',
  ]
  checkNames(options, names)
  const { topics, mode = 'committed', fallbackMode, offsets = [], highWaterMark = 64, onCorrupted } = options
  if (!streamModes.includes(mode)) throw new ValueError(`mode must be one of ${streamModes.join()}`)
  if (fallbackMode !== undefined && !fallbackModes.includes(fallbackMode)) {
    throw new ValueError(`fallbackMode must be one of ${fallbackModes.join()}`)
  }
  if (!Number.isInteger(highWaterMark) || highWaterMark < 1)
    throw new ValueError('highWaterMark must be positive')
  if (onCorrupted !== undefined && typeof onCorrupted !== 'function')
    throw new TypeError('onCorrupted must be a function')
  if (!Array.isArray(offsets) || !offsets.every((entry) => entry instanceof TopicPartition))
    throw new TypeError('offsets must be a list of TopicPartition')
  if (mode === 'manual' && offsets.length === 0) throw new ValueError('mode manual needs offsets')
  if (topics === undefined && options.mode !== undefined) throw new ValueError('mode needs topics')
  return {
    topics,
    mode,
    fallbackMode,
    offsets: new Map(offsets.map((entry) => [entry.key(), entry.offset])),
    commitIntervalMs: commitInterval(options.autocommit, defaults),
    highWaterMark,
    onCorrupted,
  }
}

function commitInterval(
  autocommit: unknown,
  { commits, commitIntervalMs }: { readonly commits: boolean; readonly commitIntervalMs: number },
): number | undefined {
  if (autocommit === undefined) return commits ? commitIntervalMs : undefined
  if (typeof autocommit === 'boolean') return autocommit ? commitIntervalMs : undefined
  if (typeof autocommit === 'number' && autocommit > 0) return autocommit
  throw new TypeError('autocommit must be a boolean or a positive number of milliseconds')
}
