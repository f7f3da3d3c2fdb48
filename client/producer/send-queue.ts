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
import type { ReportCallback } from './delivery.ts'
import { DeliveryError } from './delivery-error.ts'
import type { RecordMetadata } from './send-arguments.ts'
import { SendGroup } from './send-group.ts'

export interface TopicRecord {
  readonly topic: string
  readonly record: ProduceRecord
}

interface Waiting extends TopicRecord {
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

  /** @param record its callback is set */
  send(topic: string, record: ProduceRecord, signal: AbortSignal | undefined): Promise<Message> {
    return new Promise((resolve, reject) => {
      checkSignal(signal)
      signal?.throwIfAborted()
      let settled = (): void => {}
      record.isDirect = true
      record.callback = (error, report) => {
        settled()
        if (error === null) resolve(report)
        else reject(new DeliveryError(report))
      }
      const refuse = (error: unknown): void => {
        settled()
        reject(error)
      }
      this.#addOrWait({ topic, record, reject: refuse })
      if (signal !== undefined) settled = this.#abortOn(signal, [record], reject)
    })
  }

  /**
   * Resolves when all are delivered. Rejects when all are settled, with the failure of the first that failed; with an abort at once.
   * @param sends the callbacks of the records are set
   */
  sendAll(sends: readonly TopicRecord[], signal: AbortSignal | undefined): Promise<RecordMetadata[]> {
    return new Promise((resolve, reject) => {
      checkSignal(signal)
      signal?.throwIfAborted()
      let settled = (): void => {}
      const group = new SendGroup(sends.length, (failure, metadata) => {
        settled()
        if (failure === undefined) resolve(metadata)
        else reject(failure.error)
      })
      sends.forEach(({ topic, record }, index) => {
        record.isDirect = true
        record.callback = (error, report, delivery) => {
          if (error === null) group.delivered(index, report.offset() ?? -1, delivery)
          else group.failed(index, new DeliveryError(report))
        }
        const refuse = (error: unknown): void => group.failed(index, error)
        try {
          this.#addOrWait({ topic, record, reject: refuse })
        } catch (error) {
          refuse(error)
        }
      })
      if (signal === undefined || group.isSettled) return
      const records = sends.map(({ record }) => record)
      settled = this.#abortOn(signal, records, reject)
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
