/** What a consumer's handlers have done with, and what of it is committed. By partition; next offsets. */
import { TopicPartition } from '../values/topic-partition.ts'
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
    const position = new TopicPartition(topic, partition, offset + 1)
    const known = this.#resolved.get(position.key())
    if (known !== undefined && known.offset > offset) return
    this.#resolved.set(position.key(), position)
    this.#resolvedCount++
  }

  /** A jump: forward or backward, the next commit commits it. */
  jump(position: TopicPartition): void {
    this.#committed.delete(position.key())
    if (position.offset >= 0) this.#resolved.set(position.key(), position)
    else this.#resolved.delete(position.key())
  }

  /** The next offset to do; undefined when nothing of the partition was done. */
  next(position: TopicPartition): number | undefined {
    return this.#resolved.get(position.key())?.offset
  }

  uncommitted(): TopicPartition[] {
    return [...this.#resolved.values()].filter((entry) => this.#committed.get(entry.key()) !== entry.offset)
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
