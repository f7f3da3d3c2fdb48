/**
 * A promise for each message: `send` in the place of `produce`, `poll` and a callback. What finds no room in the local queue
 * waits here, in order, so that awaiting is back-pressure. Owned by the producer; reports come as soon as a message's fate
 * is known, whether or not anybody polls.
 */
import type { Reactor } from '../../common/runtime/reactor.ts'
import { BufferError, type KafkaError, KafkaException } from '../errors.ts'
import type { EventNotifier } from '../events/event-notifier.ts'
import { checkSignal } from '../timeouts.ts'
import type { Message } from '../values/message.ts'
import type { Accumulator, ProduceRecord } from './accumulator.ts'
import type { BatchOutcomes } from './batch-outcomes.ts'
import type { DirectReport, ReportCallback } from './delivery.ts'
import { DeliveryError } from './delivery-error.ts'
import type { RecordMetadata } from './send-arguments.ts'
import { SendGroup } from './send-group.ts'

export interface TopicRecords {
  readonly topic: string
  readonly records: readonly ProduceRecord[]
}

type Refuse = (error: unknown, record: ProduceRecord) => void

interface Waiting {
  readonly topic: string
  readonly record: ProduceRecord
  readonly refuse: Refuse
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

  /** @param record its callback is set here */
  send(topic: string, record: ProduceRecord, signal: AbortSignal | undefined): Promise<Message> {
    return new Promise((resolve, reject) => {
      checkSignal(signal)
      signal?.throwIfAborted()
      let settled = (): void => {}
      record.isDirect = true
      const callback: DirectReport = (error, report, event) => {
        settled()
        const message = event.messageOf(report, error)
        if (error === null) resolve(message)
        else reject(new DeliveryError(message))
      }
      record.callback = callback
      this.#addOrWait(topic, record, (error) => {
        settled()
        reject(error)
      })
      if (signal !== undefined) settled = this.#abortOn(signal, [record], reject)
    })
  }

  /**
   * Resolves when all are delivered. Rejects when all are settled, with the failure of the first that failed; with an abort at once.
   * @param sends the callbacks of the records are set here
   */
  sendAll(sends: readonly TopicRecords[], signal: AbortSignal | undefined): Promise<RecordMetadata[]> {
    return new Promise((resolve, reject) => {
      checkSignal(signal)
      signal?.throwIfAborted()
      let settled = (): void => {}
      const count = sends.reduce((sum, { records }) => sum + records.length, 0)
      const group = new SendGroup(count, (failure, metadata) => {
        settled()
        if (failure === undefined) resolve(metadata)
        else reject(failure.error)
      })
      // One callback for all: there may be many thousands of them.
      const callback: DirectReport = (error, report, event) => {
        if (error === null) group.delivered(report.place, event.offsetOf(report, error) ?? -1, event.delivery)
        else group.failed(report.place, new DeliveryError(event.messageOf(report, error)))
      }
      const refuse: Refuse = (error, { place }) => group.failed(place, error)
      let place = 0
      for (const { topic, records } of sends) {
        for (const record of records) {
          record.place = place++
          record.isDirect = true
          record.callback = callback
          try {
            this.#addOrWait(topic, record, refuse)
          } catch (error) {
            refuse(error, record)
          }
        }
      }
      if (signal === undefined || group.isSettled) return
      const records = sends.flatMap((entry) => entry.records)
      settled = this.#abortOn(signal, records, reject)
    })
  }

  /** Everything that waits fails. */
  fail(error: KafkaError): void {
    for (const { record, refuse } of this.#waiting.splice(0)) refuse(new KafkaException(error), record)
    this.#options.accumulator.onRelease = undefined
  }

  #addOrWait(topic: string, record: ProduceRecord, refuse: Refuse): void {
    const { accumulator, notifier, add } = this.#options
    if (this.#waiting.length === 0) {
      try {
        add(topic, record)
        return
      } catch (error) {
        if (!(error instanceof BufferError)) throw error
        notifier.tell('queue-full', accumulator.messageCount)
      }
    }
    this.#waiting.push({ topic, record, refuse })
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
    for (const { topic, record, refuse } of this.#waiting) {
      try {
        add(topic, record)
      } catch (error) {
        if (error instanceof BufferError) break
        refuse(error, record)
      }
      count++
    }
    this.#waiting.splice(0, count)
    if (this.#waiting.length > 0) return
    accumulator.onRelease = undefined
    notifier.tell('queue-drain', accumulator.messageCount)
  }

  /** @returns what forgets the signal */
  #abortOn(
    signal: AbortSignal,
    records: readonly ProduceRecord[],
    reject: (error: unknown) => void,
  ): () => void {
    const abort = (): void => {
      this.#abort(new Set(records))
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    return () => signal.removeEventListener('abort', abort)
  }

  #abort(records: ReadonlySet<ProduceRecord>): void {
    const waiting = new Set<ProduceRecord>()
    this.#waiting = this.#waiting.filter(({ record }) => {
      if (!records.has(record)) return true
      waiting.add(record)
      return false
    })
    if (waiting.size === records.size) return
    const { reactor } = this.#options
    if (this.#aborted.size === 0) reactor.post(() => this.#withdraw())
    for (const record of records) {
      if (!waiting.has(record) && record.callback !== undefined) this.#aborted.add(record.callback)
    }
  }

  #withdraw(): void {
    const { accumulator, outcomes } = this.#options
    const aborted = this.#aborted
    this.#aborted = new Set()
    for (const withdrawn of accumulator.withdraw(aborted)) outcomes.withdrawn(withdrawn)
  }
}
