/** Which partitions the application paused, whole topics included, also those that are assigned later. */
import type { TopicPartitions } from './consumer-types.ts'

export type TopicSelection = readonly { readonly topic: string; readonly partitions?: readonly number[] }[]

export class Pauses {
  readonly #topics = new Set<string>()
  readonly #partitions = new Map<string, Set<number>>()

  pause(selection: TopicSelection): void {
    for (const { topic, partitions } of selection) {
      if (partitions === undefined) this.#topics.add(topic)
      else for (const partition of partitions) this.#of(topic).add(partition)
    }
  }

  resume(selection: TopicSelection): void {
    for (const { topic, partitions } of selection) {
      if (partitions === undefined) {
        this.#topics.delete(topic)
        this.#partitions.delete(topic)
      } else for (const partition of partitions) this.#of(topic).delete(partition)
    }
  }

  has(topic: string, partition: number): boolean {
    return this.#topics.has(topic) || this.#partitions.get(topic)?.has(partition) === true
  }

  /** Of what is assigned. */
  paused(assigned: readonly { readonly topic: string; readonly partition: number }[]): TopicPartitions[] {
    const found = new Map<string, number[]>()
    for (const { topic, partition } of assigned) {
      if (!this.has(topic, partition)) continue
      found.set(topic, [...(found.get(topic) ?? []), partition])
    }
    return [...found].map(([topic, partitions]) => ({ topic, partitions }))
  }

  #of(topic: string): Set<number> {
    let partitions = this.#partitions.get(topic)
    if (partitions === undefined) {
      partitions = new Set()
      this.#partitions.set(topic, partitions)
    }
    return partitions
  }
}
