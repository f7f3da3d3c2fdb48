/**
 * Commits that many ask for at once: one request at a time, the newest position of each partition in it, never backwards.
 * Owned by a stream or a façade; a partition that came anew is forgotten, since others may have committed meanwhile.
 */
import { KafkaError, KafkaException } from '../errors.ts'
import type { TopicPartition } from '../values/topic-partition.ts'
import type { ConsumerEngine } from './consumer-engine.ts'

interface Waiter {
  readonly key: string
  readonly offset: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** What it needs of the engine. */
export type CommittingEngine = Pick<ConsumerEngine<unknown>, 'core' | 'assignment' | 'commits'>

export class CommitQueue {
  readonly #engine: CommittingEngine
  readonly #pending = new Map<string, TopicPartition>()
  readonly #committed = new Map<string, number>()
  #waiters: Waiter[] = []
  #isRunning = false

  constructor(engine: CommittingEngine) {
    this.#engine = engine
  }

  /** @param position the next offset to read. Rejects with `_ASSIGNMENT_LOST` when the partition belongs to others by now */
  async commit(position: TopicPartition): Promise<void> {
    const { topic, partition, offset } = position
    if (this.#engine.assignment.get(topic, partition) === undefined) {
      const text = `${topic}[${partition}] is not assigned any more`
      throw new KafkaException(new KafkaError(KafkaError._ASSIGNMENT_LOST, text))
    }
    const key = position.key()
    if (offset <= (this.#committed.get(key) ?? -1)) return
    if (offset > (this.#pending.get(key)?.offset ?? -1)) this.#pending.set(key, position)
    await new Promise<void>((resolve, reject) => {
      this.#waiters.push({ key, offset, resolve, reject })
      this.#run()
    })
  }

  forget(partitions: readonly TopicPartition[]): void {
    for (const entry of partitions) {
      this.#committed.delete(entry.key())
      this.#pending.delete(entry.key())
    }
  }

  #run(): void {
    if (this.#isRunning) return
    if (this.#pending.size === 0) {
      for (const { resolve } of this.#waiters.splice(0)) resolve()
      return
    }
    this.#isRunning = true
    const offsets = [...this.#pending.values()]
    const waiters = this.#waiters
    this.#pending.clear()
    this.#waiters = []
    const timeoutMs = this.#engine.core.config.get('socket.timeout.ms')
    this.#engine.commits.commit(offsets, timeoutMs, (error, partitions) => {
      this.#isRunning = false
      const errors = new Map<string, KafkaError>()
      for (const entry of partitions) {
        const failure = error ?? entry.error
        if (failure !== null) errors.set(entry.key(), failure)
        else this.#committed.set(entry.key(), entry.offset)
      }
      for (const { key, resolve, reject } of waiters) {
        const failure = errors.get(key)
        if (failure === undefined) resolve()
        else reject(new KafkaException(failure))
      }
      this.#run()
    })
  }
}
