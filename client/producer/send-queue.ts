/**
 * A promise for each message: `send` in the place of `produce`, `poll` and a callback. What finds no room in the local queue
 * waits here, in order, so that awaiting is back-pressure. Owned by the producer; reports come as soon as a message's fate
 * is known, whether or not anybody polls.
 */
import type { Reactor } from '../../common/runtime/reactor.ts'
import { BufferError, KafkaError, KafkaException } from '../errors.ts'
import type { EventNotifier } from '../events/event-notifier.ts'
import type { Message } from '../values/message.ts'
import type { Accumulator, ProduceRecord } from './accumulator.ts'
import type { BatchOutcomes } from './batch-outcomes.ts'
import { type Delivery, failedDelivery, type ReportCallback } from './delivery.ts'
import { DeliveryError } from './delivery-error.ts'

/** What became of a message: the report, and what the broker told of its partition. */
export interface Delivered {
  readonly report: Message
  readonly delivery: Delivery
}

interface Waiting {
  readonly topic: string
  readonly record: ProduceRecord
  readonly reject: (error: unknown) => void
}

export interface SendQueueOptions {
  readonly accumulator: Accumulator
  readonly outcomes: BatchOutcomes
  readonly notifier: EventNotifier
  readonly reactor: Reactor
  /** Accepts the record or throws, `BufferError` when there is no room. */
  readonly add: (topic: string, record: ProduceRecord) => void
}

export class SendQueue {
  readonly #options: SendQueueOptions
  #waiting: Waiting[] = []
  #isPumping = false
  /** Callbacks of aborted messages that are taken back together at the end of the turn. */
  #aborted = new Set<ReportCallback>()

  constructor(options: SendQueueOptions) {
    this.#options = options
  }

  /** Messages that wait for room. */
  get waitingCount(): number {
    return this.#waiting.length
  }

  /** @param record its callback is not used */
  send(topic: string, record: ProduceRecord, signal: AbortSignal | undefined): Promise<Delivered> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const abort = (): void => {
        this.#abort(callback)
        reject(signal?.reason)
      }
      const callback: ReportCallback = (error, report, delivery) => {
        signal?.removeEventListener('abort', abort)
        if (error === null) resolve({ report, delivery })
        else reject(new DeliveryError(report))
      }
      const refuse = (error: unknown): void => {
        signal?.removeEventListener('abort', abort)
        reject(error)
      }
      this.#addOrWait({ topic, record: { ...record, callback, isDirect: true }, reject: refuse })
      signal?.addEventListener('abort', abort)
    })
  }

  /** Everything that waits fails. */
  fail(error: KafkaError): void {
    for (const { reject } of this.#waiting.splice(0)) reject(new KafkaException(error))
    this.#options.accumulator.onRelease = undefined
  }

  #addOrWait(waiting: Waiting): void {
    const { accumulator, notifier, add } = this.#options
    if (this.#waiting.length === 0) {
      try {
        add(waiting.topic, waiting.record)
        return
      } catch (error) {
        if (!(error instanceof BufferError)) throw error
        notifier.tell('queue-full', accumulator.messageCount)
      }
    }
    this.#waiting.push(waiting)
    accumulator.onRelease = () => this.#pumpSoon()
  }

  #pumpSoon(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    this.#options.reactor.post(() => {
      this.#isPumping = false
      this.#pump()
    })
  }

  #pump(): void {
    const { accumulator, notifier, add } = this.#options
    let count = 0
    for (const { topic, record, reject } of this.#waiting) {
      try {
        add(topic, record)
      } catch (error) {
        if (error instanceof BufferError) break
        reject(error)
      }
      count++
    }
    this.#waiting.splice(0, count)
    if (this.#waiting.length > 0) return
    accumulator.onRelease = undefined
    notifier.tell('queue-drain', accumulator.messageCount)
  }

  #abort(callback: ReportCallback): void {
    const index = this.#waiting.findIndex(({ record }) => record.callback === callback)
    if (index >= 0) {
      this.#waiting.splice(index, 1)
      return
    }
    const { reactor } = this.#options
    if (this.#aborted.size === 0) reactor.post(() => this.#withdraw())
    this.#aborted.add(callback)
  }

  #withdraw(): void {
    const { accumulator, outcomes } = this.#options
    const aborted = this.#aborted
    this.#aborted = new Set()
    const error = new KafkaError(KafkaError._PURGE_QUEUE)
    for (const { topic, partition, reports } of accumulator.withdraw(aborted)) {
      outcomes.withdrawn(reports, failedDelivery(topic, partition, error))
    }
  }
}
