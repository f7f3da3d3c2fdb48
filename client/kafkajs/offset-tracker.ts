/** What a consumer's handlers have done with, and what of it is committed. By partition; next offsets. */
import { TopicPartition, topicPartitionKey } from '../values/topic-partition.ts'
import type { Offsets } from './consumer-types.ts'

export interface CommitTriggers {
  readonly intervalMs: number | null
  readonly threshold: number | null
}

export class OffsetTracker {
  readonly #resolved = new Map<string, TopicPartition>()
  readonly #committed = new Map<string, number>()
  #resolvedCount = 0
  #committedAtMs: number

  constructor(nowMs: number) {
    this.#committedAtMs = nowMs
  }

  /** @param offset of a message that is done with */
  resolve(topic: string, partition: number, offset: number): void {
    const key = topicPartitionKey(topic, partition)
    const known = this.#resolved.get(key)
    if (known === undefined) this.#resolved.set(key, new TopicPartition(topic, partition, offset + 1))
    else if (known.offset > offset) return
    else known.offset = offset + 1
    this.#resolvedCount++
  }

  /** A jump: forward or backward, the next commit commits it. */
  jump(position: TopicPartition): void {
    this.#committed.delete(position.key())
    if (position.offset >= 0) this.#resolved.set(position.key(), copyOf(position))
    else this.#resolved.delete(position.key())
  }

  /** The next offset to do; undefined when nothing of the partition was done. */
  next(position: TopicPartition): number | undefined {
    return this.#resolved.get(position.key())?.offset
  }

  uncommitted(): TopicPartition[] {
    return [...this.#resolved.values()]
      .filter((entry) => this.#committed.get(entry.key()) !== entry.offset)
      .map(copyOf)
  }

  isCommitDue({ intervalMs, threshold }: CommitTriggers, nowMs: number): boolean {
    if (threshold !== null && this.#resolvedCount >= threshold) return true
    return intervalMs !== null && nowMs - this.#committedAtMs >= intervalMs
  }

  committed(positions: readonly TopicPartition[], nowMs: number): void {
    for (const entry of positions) if (entry.error === null) this.#committed.set(entry.key(), entry.offset)
    this.#resolvedCount = 0
    this.#committedAtMs = nowMs
  }

  forget(positions: readonly TopicPartition[]): void {
    for (const entry of positions) {
      this.#resolved.delete(entry.key())
      this.#committed.delete(entry.key())
    }
  }
}

/** The tracker's own entries move on while a commit is under way. */
function copyOf({ topic, partition, offset }: TopicPartition): TopicPartition {
  return new TopicPartition(topic, partition, offset)
}

export function toOffsets(positions: readonly TopicPartition[]): Offsets {
  const topics = new Map<string, { partition: number; offset: string }[]>()
  for (const { topic, partition, offset } of positions) {
    const entry = { partition, offset: `${offset}` }
    const known = topics.get(topic)
    if (known === undefined) topics.set(topic, [entry])
    else known.push(entry)
  }
  return { topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })) }
}

export function fromOffsets({ topics }: Offsets): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, offset }) => new TopicPartition(topic, partition, Number(offset))),
  )
}
