/** The partitions that the consumer reads, by topic and partition. Owned by the consumer. */
import type { TopicPartition } from '../values/topic-partition.ts'
import { topicPartitionKey } from '../values/topic-partition.ts'
import { AssignedPartition } from './assigned-partition.ts'
import type { DeliveryQueue } from './delivery-queue.ts'

export interface AssignmentOptions {
  readonly delivery: DeliveryQueue
  /** `fetch.message.max.bytes` */
  readonly maxPartitionBytes: number
  /** Monotonic. */
  readonly nowMs: () => number
  readonly wantTopic: (topic: string) => void
  readonly unwantTopic: (topic: string) => void
}

export class Assignment {
  readonly #options: AssignmentOptions
  readonly #partitions = new Map<string, AssignedPartition>()

  constructor(options: AssignmentOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#partitions.size
  }

  get(topic: string, partition: number): AssignedPartition | undefined {
    return this.#partitions.get(topicPartitionKey(topic, partition))
  }

  all(): IterableIterator<AssignedPartition> {
    return this.#partitions.values()
  }

  /** Starts at the offset of the entry. It must not be assigned yet. */
  add({ topic, partition: id, offset, leaderEpoch }: TopicPartition): void {
    const partition = new AssignedPartition(topic, id, this.#options.maxPartitionBytes)
    partition.assignedAtMs = this.#options.nowMs()
    partition.startAt(offset, leaderEpoch ?? -1)
    this.#partitions.set(partition.key, partition)
    this.#options.wantTopic(topic)
  }

  remove(partition: AssignedPartition): void {
    if (!this.#partitions.delete(partition.key)) return
    partition.isRemoved = true
    partition.version++
    this.#options.delivery.drop(partition)
    this.#options.unwantTopic(partition.topic)
  }

  /** Jumps; what is buffered is dropped. */
  seek(partition: AssignedPartition, offset: number, leaderEpoch: number): void {
    this.#options.delivery.drop(partition)
    partition.startAt(offset, leaderEpoch)
  }
}
