/** Chooses the partition of a record that names none. One per topic: it holds the sticky partition of keyless records. */
import type { Random } from '../../common/runtime/random.ts'
import type { PartitionerFunction, PartitionerName } from '../config/producer-properties.ts'
import { KafkaError, KafkaException } from '../errors.ts'
import type { TopicInfo } from '../metadata/metadata-cache.ts'
import { crc32Hash, fnv1aHash, murmur2Hash } from './hashes.ts'

const NO_KEY = Buffer.alloc(0)

export interface PartitionerOptions {
  readonly partitioner: PartitionerName | PartitionerFunction
  /** 0: not sticky. */
  readonly stickyMs: number
  readonly random: Random
}

export class TopicPartitioner {
  readonly #options: PartitionerOptions
  #availableOf: TopicInfo | undefined
  #available: readonly number[] = []
  #sticky = -1
  #stickyUntilMs = 0

  constructor(options: PartitionerOptions) {
    this.#options = options
  }

  /**
   * A partition below the topic's count. Throws a KafkaException when the application's function gives none: `_APPLICATION` when
   * it threw, `_UNKNOWN_PARTITION` when there is no such partition.
   */
  choose(topic: TopicInfo, key: Buffer | null, nowMs: number): number {
    const { partitioner } = this.#options
    const count = topic.partitions.length
    if (typeof partitioner === 'function') {
      return askApplication(() => partitioner(topic.name, key, count, this.#availableIn(topic)), count)
    }
    switch (partitioner) {
      case 'consistent_random':
        return key === null || key.length === 0 ? this.#spread(topic, nowMs) : crc32Hash(key) % count
      case 'consistent':
        return crc32Hash(key ?? NO_KEY) % count
      case 'murmur2_random':
        return key === null ? this.#spread(topic, nowMs) : (murmur2Hash(key) & 0x7fffffff) % count
      case 'murmur2':
        return (murmur2Hash(key ?? NO_KEY) & 0x7fffffff) % count
      case 'fnv1a_random':
        return key === null ? this.#spread(topic, nowMs) : fnv1aHash(key) % count
      case 'fnv1a':
        return fnv1aHash(key ?? NO_KEY) % count
      case 'random':
        return this.#pickRandom(topic)
    }
  }

  #spread(topic: TopicInfo, nowMs: number): number {
    const { stickyMs } = this.#options
    if (stickyMs <= 0) return this.#pickRandom(topic)
    if (this.#sticky < 0 || this.#sticky >= topic.partitions.length || nowMs >= this.#stickyUntilMs) {
      this.#sticky = this.#pickRandom(topic)
      this.#stickyUntilMs = nowMs + stickyMs
    }
    return this.#sticky
  }

  /** Partitions with a leader first. */
  #pickRandom(topic: TopicInfo): number {
    const { random } = this.#options
    const available = this.#availableIn(topic)
    if (available.length === 0) return random.int(topic.partitions.length)
    return available[random.int(available.length)]!
  }

  #availableIn(topic: TopicInfo): readonly number[] {
    if (this.#availableOf !== topic) {
      this.#availableOf = topic
      this.#available = topic.partitions.filter(({ leaderId }) => leaderId >= 0).map(({ id }) => id)
    }
    return this.#available
  }
}

function askApplication(partitioner: () => number, count: number): number {
  let chosen: number
  try {
    chosen = partitioner()
  } catch (error) {
    const reason = `The partitioner threw: ${error instanceof Error ? error.message : error}`
    throw new KafkaException(new KafkaError(KafkaError._APPLICATION, reason), { cause: error })
  }
  if (Number.isInteger(chosen) && chosen >= 0 && chosen < count) return chosen
  const reason = `The partitioner chose ${chosen} of ${count} partitions`
  throw new KafkaException(new KafkaError(KafkaError._UNKNOWN_PARTITION, reason))
}
