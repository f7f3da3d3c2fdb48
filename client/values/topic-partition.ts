/** A partition of a topic, with an offset: what assignments, commits and look-ups speak in. */
import {
  OFFSET_BEGINNING,
  OFFSET_END,
  OFFSET_INVALID,
  OFFSET_STORED,
  OFFSET_TAIL_BASE,
  PARTITION_UA,
} from '../constants.ts'
import type { KafkaError } from '../errors.ts'
import { wholeNumber } from './numbers.ts'

export interface TopicPartitionInit {
  readonly metadata?: string | null
  readonly leaderEpoch?: number | null
  readonly error?: KafkaError | null
}

/** What the client itself hands around of a partition: many more of these are made than the application ever sees. */
export type Position = Pick<
  TopicPartition,
  'topic' | 'partition' | 'offset' | 'metadata' | 'leaderEpoch' | 'error'
>

export class TopicPartition {
  /** Cannot be written, as `metadata` and `error`. */
  declare readonly topic: string
  partition: number
  /** Absolute or logical; milliseconds for `offsetsForTimes`. */
  offset: number
  /** Text stored beside a committed offset. */
  declare readonly metadata: string | null
  leaderEpoch: number | null
  declare readonly error: KafkaError | null

  constructor(
    topic: string,
    partition: number = PARTITION_UA,
    offset: number | bigint = OFFSET_INVALID,
    init: TopicPartitionInit = {},
  ) {
    if (typeof topic !== 'string') throw new TypeError('topic must be a string')
    this.partition = wholeNumber(partition, 'partition')
    this.offset = wholeNumber(offset, 'offset')
    const { metadata = null, leaderEpoch = null, error = null } = init
    if (metadata !== null && typeof metadata !== 'string')
      throw new TypeError('metadata must be a string or null')
    const epoch = leaderEpoch === null ? -1 : wholeNumber(leaderEpoch, 'leaderEpoch')
    this.leaderEpoch = epoch === -1 ? null : epoch
    // Own and enumerable, so that copies and deep comparisons see them.
    Object.defineProperties(this, {
      topic: { value: topic, enumerable: true },
      metadata: { value: metadata, enumerable: true },
      error: { value: error, enumerable: true, configurable: true },
    })
  }

  /** Identity for maps: topic and partition, not the offset. */
  key(): string {
    return topicPartitionKey(this.topic, this.partition)
  }

  equals(other: unknown): boolean {
    return other instanceof TopicPartition && TopicPartition.compare(this, other) === 0
  }

  compare(other: TopicPartition): number {
    return TopicPartition.compare(this, other)
  }

  static compare(one: TopicPartition, other: TopicPartition): number {
    if (one.topic !== other.topic) return one.topic < other.topic ? -1 : 1
    return one.partition - other.partition
  }

  toString(): string {
    return `${this.topic}[${this.partition}]@${offsetName(this.offset)}`
  }
}

/** Results of local calls stand in the entries of the caller, who cannot write them. */
export function setPartitionError(entry: Position, error: KafkaError | null): void {
  if (entry.error === error) return
  Object.defineProperty(entry, 'error', { value: error, enumerable: true, configurable: true })
}

/** Equal topics and partitions share it, and no others where partitions are not negative. */
export function topicPartitionKey(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/** The offset as a word when it is a logical one. */
function offsetName(offset: number): string {
  switch (offset) {
    case OFFSET_BEGINNING:
      return 'BEGINNING'
    case OFFSET_END:
      return 'END'
    case OFFSET_STORED:
      return 'STORED'
    case OFFSET_INVALID:
      return 'INVALID'
    default:
      return offset <= OFFSET_TAIL_BASE ? `TAIL(${OFFSET_TAIL_BASE - offset})` : `${offset}`
  }
}
