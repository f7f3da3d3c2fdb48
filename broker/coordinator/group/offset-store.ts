/**
 * Committed offsets of the groups of one shard, and those of transactions that have not ended.
 *
 * Owner: the shard; only replay changes it. Invariants: an offset written by an open transaction is not visible before its
 * commit marker; of two commits of one partition the one later in the log counts, whatever the order of their markers.
 */
import { ZERO_UUID } from '../../../common/protocol/schema.ts'

export interface CommittedOffset {
  /** Where its record lies in the log: the later commit wins. */
  readonly recordOffset: number
  readonly offset: number
  /** -1 when the client did not say. */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitTimestampMs: number
  /** -1: the broker's retention counts. */
  readonly expireTimestampMs: number
  /** Zero in records before version 4. */
  readonly topicId: string
}

export type PartitionOffsets = ReadonlyMap<number, CommittedOffset>

/** group -> topic -> partition -> offset */
class OffsetTable {
  readonly #groups = new Map<string, Map<string, Map<number, CommittedOffset>>>()

  get(group: string, topic: string, partition: number): CommittedOffset | undefined {
    return this.#groups.get(group)?.get(topic)?.get(partition)
  }

  set(group: string, topic: string, partition: number, offset: CommittedOffset): void {
    let topics = this.#groups.get(group)
    if (topics === undefined) {
      topics = new Map()
      this.#groups.set(group, topics)
    }
    let partitions = topics.get(topic)
    if (partitions === undefined) {
      partitions = new Map()
      topics.set(topic, partitions)
    }
    partitions.set(partition, offset)
  }

  delete(group: string, topic: string, partition: number): void {
    const topics = this.#groups.get(group)
    const partitions = topics?.get(topic)
    if (topics === undefined || partitions === undefined) return
    partitions.delete(partition)
    if (partitions.size > 0) return
    topics.delete(topic)
    if (topics.size === 0) this.#groups.delete(group)
  }

  topicsOf(group: string): ReadonlyMap<string, PartitionOffsets> {
    return this.#groups.get(group) ?? EMPTY
  }

  get groupIds(): Iterable<string> {
    return this.#groups.keys()
  }
}

const EMPTY: ReadonlyMap<string, PartitionOffsets> = new Map()

export class OffsetStore {
  readonly #committed = new OffsetTable()
  /** producer id -> what its open transaction has written */
  readonly #pending = new Map<number, OffsetTable>()

  /** @param producerId -1 unless the record belongs to a transaction */
  put(
    key: { readonly group: string; readonly topic: string; readonly partition: number },
    offset: CommittedOffset,
    producerId: number,
  ): void {
    if (producerId < 0) {
      this.#committed.set(key.group, key.topic, key.partition, offset)
      return
    }
    let table = this.#pending.get(producerId)
    if (table === undefined) {
      table = new OffsetTable()
      this.#pending.set(producerId, table)
    }
    table.set(key.group, key.topic, key.partition, offset)
  }

  /** A tombstone also takes what open transactions have written for the partition before it. */
  remove(group: string, topic: string, partition: number): void {
    this.#committed.delete(group, topic, partition)
    for (const table of this.#pending.values()) table.delete(group, topic, partition)
  }

  /** The transaction of this producer has ended. */
  endTransaction(producerId: number, isCommit: boolean): void {
    const table = this.#pending.get(producerId)
    this.#pending.delete(producerId)
    if (table === undefined || !isCommit) return
    for (const group of table.groupIds) {
      for (const [topic, partitions] of table.topicsOf(group)) {
        for (const [partition, offset] of partitions) {
          const known = this.#committed.get(group, topic, partition)
          if (known !== undefined && known.recordOffset > offset.recordOffset) continue
          this.#committed.set(group, topic, partition, offset)
        }
      }
    }
  }

  get(group: string, topic: string, partition: number): CommittedOffset | undefined {
    return this.#committed.get(group, topic, partition)
  }

  /** topic -> partition -> offset of a group; empty when it has none. */
  topicsOf(group: string): ReadonlyMap<string, PartitionOffsets> {
    return this.#committed.topicsOf(group)
  }

  /** Whether an open transaction has written an offset of this partition. */
  isPending(group: string, topic: string, partition: number): boolean {
    for (const table of this.#pending.values()) {
      if (table.get(group, topic, partition) !== undefined) return true
    }
    return false
  }

  /** Whether an open transaction has written offsets of the group. */
  hasPending(group: string): boolean {
    for (const table of this.#pending.values()) if (table.topicsOf(group).size > 0) return true
    return false
  }

  /** Every partition of the group with an offset, committed or pending. */
  partitionsOf(group: string): { topic: string; partition: number }[] {
    const seen = new Set<string>()
    const found: { topic: string; partition: number }[] = []
    for (const table of [this.#committed, ...this.#pending.values()]) {
      for (const [topic, partitions] of table.topicsOf(group)) {
        for (const partition of partitions.keys()) {
          const name = `${topic}-${partition}`
          if (seen.has(name)) continue
          seen.add(name)
          found.push({ topic, partition })
        }
      }
    }
    return found
  }

  /** Groups with an offset, committed or pending. */
  allGroupIds(): Set<string> {
    const ids = new Set(this.#committed.groupIds)
    for (const table of this.#pending.values()) for (const id of table.groupIds) ids.add(id)
    return ids
  }
}

export const NO_TOPIC_ID: string = ZERO_UUID
