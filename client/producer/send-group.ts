/**
 * Messages that were sent by one call: counts what is settled and keeps what the answer needs, one place a partition, so that a
 * message of an array costs neither a promise nor a report that lives until the last. Owned by the `SendQueue`.
 */
import type { Delivery } from './delivery.ts'
import type { RecordMetadata } from './send-arguments.ts'

interface Place {
  /** Of its first message in the call. */
  index: number
  /** Of the first of its messages in the log; -1 when the broker does not tell. */
  offset: number
  delivery: Delivery
}

export class SendGroup {
  #left: number
  #failedIndex = Number.POSITIVE_INFINITY
  #failure: { readonly error: unknown } | undefined
  readonly #places = new Map<string, Place>()
  /** Messages of a batch come one after the other, with one delivery. */
  #delivery: Delivery | undefined
  #place: Place | undefined
  readonly #done: (failure: { readonly error: unknown } | undefined, metadata: RecordMetadata[]) => void

  /** @param done called once, at once when there are no messages */
  constructor(
    count: number,
    done: (failure: { readonly error: unknown } | undefined, metadata: RecordMetadata[]) => void,
  ) {
    this.#left = count
    this.#done = done
    if (count === 0) done(undefined, [])
  }

  get isSettled(): boolean {
    return this.#left === 0
  }

  delivered(index: number, offset: number, delivery: Delivery): void {
    if (delivery !== this.#delivery) {
      const key = `${delivery.topic}/${delivery.partition}`
      this.#delivery = delivery
      this.#place = this.#places.get(key)
      if (this.#place === undefined) {
        this.#place = { index, offset, delivery }
        this.#places.set(key, this.#place)
      }
    }
    const place = this.#place as Place
    if (index < place.index) place.index = index
    if (offset < place.offset) {
      place.offset = offset
      place.delivery = delivery
    }
    this.#settled()
  }

  failed(index: number, error: unknown): void {
    if (index < this.#failedIndex) {
      this.#failedIndex = index
      this.#failure = { error }
    }
    this.#settled()
  }

  #settled(): void {
    this.#left--
    if (this.#left === 0) this.#done(this.#failure, this.#metadata())
  }

  /** In the order of the first messages. */
  #metadata(): RecordMetadata[] {
    const places = [...this.#places.values()].sort((one, other) => one.index - other.index)
    return places.map(({ offset, delivery }) => ({
      topicName: delivery.topic,
      partition: delivery.partition,
      errorCode: 0,
      baseOffset: `${offset}`,
      logAppendTime: `${delivery.logAppendTimeMs}`,
      logStartOffset: `${delivery.logStartOffset ?? -1}`,
    }))
  }
}
