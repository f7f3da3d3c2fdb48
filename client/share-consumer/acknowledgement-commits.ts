/**
 * Commits of acknowledgements (KIP-932): verdicts on their way to the brokers, and how the application hears of their fate. That of
 * `commitSync` is what it returns; that of all others goes to the callback, which runs while a call of the consumer serves events.
 */
import { KeyedMap } from '../admin/keyed-map.ts'
import type { ClientCore } from '../client-core.ts'
import { KafkaError, KafkaException } from '../errors.ts'
import { OnceEvent } from '../event-queue.ts'
import { TopicPartition } from '../values/topic-partition.ts'
import { GAP } from './acquired-records.ts'
import type { Acknowledgements } from './in-flight-batch.ts'
import type { ShareFetcher } from './share-fetcher.ts'

export type AcknowledgementCommitCallback = (
  offsets: Map<TopicPartition, Set<number>>,
  exception: KafkaException | null,
) => void

/** A commit that somebody waits for. */
export interface AwaitedCommit {
  /** `_TIMED_OUT` where there is no answer yet. */
  readonly results: Map<TopicPartition, KafkaException | null>
  readonly isSettled: () => boolean
}

export class AcknowledgementCommits {
  readonly #core: Pick<ClientCore, 'events'>
  readonly #fetcher: Pick<ShareFetcher, 'acknowledge'>
  callback: AcknowledgementCommitCallback | null = null
  #isInCallback = false

  constructor(core: Pick<ClientCore, 'events'>, fetcher: Pick<ShareFetcher, 'acknowledge'>) {
    this.#core = core
    this.#fetcher = fetcher
  }

  get isInCallback(): boolean {
    return this.#isInCallback
  }

  /** The fate is told to the callback, with one call for each way it went. */
  commit(all: readonly Acknowledgements[]): void {
    let waiting = all.length
    const outcomes = new Map<
      string,
      { error: KafkaError | null; offsets: Map<TopicPartition, Set<number>> }
    >()
    for (const acknowledgements of all) {
      this.#fetcher.acknowledge({
        acknowledgements,
        done: (error) => {
          waiting--
          const { from, verdicts } = acknowledgements
          // Gaps are between the broker and this client.
          const offsets = [...verdicts].filter(([, verdict]) => verdict !== GAP).map(([offset]) => offset)
          if (offsets.length > 0) {
            const text = error?.toString() ?? ''
            const outcome = outcomes.get(text) ?? { error, offsets: new KeyedMap() }
            outcomes.set(text, outcome)
            const key = new TopicPartition(from.topic, from.partition)
            outcome.offsets.set(key, new Set([...(outcome.offsets.get(key) ?? []), ...offsets]))
          }
          if (waiting === 0) for (const one of outcomes.values()) this.#tell(one.offsets, one.error)
        },
      })
    }
  }

  /** The fate fills the results; the callback is not told. A partition has succeeded when all that was said of it has. */
  commitAwaited(all: readonly Acknowledgements[]): AwaitedCommit {
    const results = new KeyedMap<TopicPartition, KafkaException | null>()
    const late = new KafkaException(
      new KafkaError(KafkaError._TIMED_OUT, 'no answer to the acknowledgements yet'),
    )
    /** A partition whose leader changed has been given out by two brokers, and both have to agree. */
    const waitingOf = new KeyedMap<TopicPartition, number>()
    let waiting = 0
    for (const acknowledgements of all) {
      const { topic, partition } = acknowledgements.from
      const key = new TopicPartition(topic, partition)
      results.set(key, late)
      waitingOf.set(key, (waitingOf.get(key) ?? 0) + 1)
      waiting++
      this.#fetcher.acknowledge({
        acknowledgements,
        done: (error) => {
          waiting--
          const left = (waitingOf.get(key) ?? 0) - 1
          waitingOf.set(key, left)
          if (error !== null) results.set(key, new KafkaException(error))
          else if (left === 0 && results.get(key) === late) results.set(key, null)
          this.#core.events.notify()
        },
      })
    }
    return { results, isSettled: () => waiting === 0 }
  }

  #tell(offsets: Map<TopicPartition, Set<number>>, error: KafkaError | null): void {
    this.#core.events.push(
      new OnceEvent(() => {
        const { callback } = this
        if (callback === null) return
        this.#isInCallback = true
        try {
          callback(offsets, error === null ? null : new KafkaException(error))
        } finally {
          this.#isInCallback = false
        }
      }),
    )
  }
}
