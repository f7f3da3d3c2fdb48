/**
 * A set of partitions, by topic id. It must not change while it is iterated over.
 */
export class PartitionIndex {
  readonly #topics = new Map<string, Set<number>>()

  get isEmpty(): boolean {
    return this.#topics.size === 0
  }

  add(topicId: string, partitionId: number): void {
    const partitions = this.#topics.get(topicId)
    if (partitions === undefined) this.#topics.set(topicId, new Set([partitionId]))
    else partitions.add(partitionId)
  }

  delete(topicId: string, partitionId: number): void {
    const partitions = this.#topics.get(topicId)
    if (partitions?.delete(partitionId) === true && partitions.size === 0) this.#topics.delete(topicId)
  }

  set(topicId: string, partitionId: number, isMember: boolean): void {
    if (isMember) this.add(topicId, partitionId)
    else this.delete(topicId, partitionId)
  }

  has(topicId: string, partitionId: number): boolean {
    return this.#topics.get(topicId)?.has(partitionId) === true
  }

  *[Symbol.iterator](): Iterator<{ readonly topicId: string; readonly partitionId: number }> {
    for (const [topicId, partitions] of this.#topics) {
      for (const partitionId of partitions) yield { topicId, partitionId }
    }
  }
}
