/**
 * What became of messages, on its way to the application: reports wait in the served queue, one event for a whole batch,
 * and a message keeps its place in the producer's queue until its report was served.
 */
import type { RecordHeader } from '../../common/record/record.ts'
import type { DeliveryCallback } from '../config/producer-properties.ts'
import { PersistenceStatus, TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME } from '../constants.ts'
import { KafkaError } from '../errors.ts'
import type { QueuedEvent } from '../event-queue.ts'
import type { Trace } from '../tracing/channels.ts'
import { fromRecordHeaders } from '../values/headers.ts'
import { Message } from '../values/message.ts'

/** A callback of the client's own (direct reports): it asks the event for what it needs, and a message is made only for those who do. */
export type DirectReport = (error: KafkaError | null, report: PendingReport, event: DeliveryEvent) => void

export type ReportCallback = DirectReport | DeliveryCallback

/** What is kept of a message for its report; nothing is kept of messages without a callback. */
export interface PendingReport {
  /** Position in its batch. Changes when a batch is split. */
  index: number
  /** Position among the messages that were sent by one call. */
  place: number
  callback: ReportCallback
  /** Not served by the application: reported as soon as its fate is known. */
  isDirect: boolean
  trace: Trace | undefined
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
  readonly timestampMs: number
  /** Monotonic time of `produce`. Set, as the next, when the message is accepted. */
  createdMs: number
  /** Bytes that it takes of `queue.buffering.max.kbytes`. */
  sizeBytes: number
  readonly opaque: unknown
}

export interface Delivery {
  readonly topic: string
  /** -1 when it was not chosen. */
  readonly partition: number
  /** null: delivered. */
  readonly error: KafkaError | null
  /** Of the batch; -1 when the broker did not tell. */
  readonly baseOffset: number
  /** -1: the topic keeps the producer's timestamps. */
  readonly logAppendTimeMs: number
  /** Oldest offset of the partition, where the broker told. */
  readonly logStartOffset?: number
  readonly persistence: PersistenceStatus
  /** Records that the broker named (KIP-467), by position in the batch. */
  readonly recordErrors?: ReadonlyMap<number, KafkaError>
  readonly leaderEpoch?: number
}

/** What follows a report. */
export interface DeliverySettled {
  /** Its place in the queue is free. */
  readonly release: (count: number, sizeBytes: number) => void
  /** For the listeners of `delivery-report`; undefined without any. */
  readonly told: ((error: KafkaError | null, message: Message, isDirect: boolean) => void) | undefined
}

export class DeliveryEvent implements QueuedEvent {
  readonly delivery: Delivery
  readonly #reports: readonly PendingReport[]
  readonly #nowMs: number
  readonly #settle: DeliverySettled
  #next = 0

  /** @param nowMs monotonic time of the acknowledgement */
  constructor(delivery: Delivery, reports: readonly PendingReport[], nowMs: number, settle: DeliverySettled) {
    this.delivery = delivery
    this.#reports = reports
    this.#nowMs = nowMs
    this.#settle = settle
  }

  get isServed(): boolean {
    return this.#next >= this.#reports.length
  }

  serve(): void {
    const report = this.#reports[this.#next++]
    if (report === undefined) return
    this.#settle.release(1, report.sizeBytes)
    const error = errorOf(this.delivery, report.index)
    const { told } = this.#settle
    if (report.isDirect) {
      try {
        ;(report.callback as DirectReport)(error, report, this)
      } finally {
        told?.(error, this.messageOf(report, error), true)
      }
      return
    }
    const message = this.messageOf(report, error)
    try {
      ;(report.callback as DeliveryCallback)(error, message)
    } finally {
      told?.(error, message, false)
    }
  }

  /** undefined when it failed or the broker did not tell. */
  offsetOf({ index }: PendingReport, error: KafkaError | null): number | undefined {
    const { baseOffset } = this.delivery
    return error === null && baseOffset >= 0 ? baseOffset + index : undefined
  }

  messageOf(report: PendingReport, error: KafkaError | null): Message {
    const { topic, partition, logAppendTimeMs, persistence } = this.delivery
    return new Message({
      topic,
      partition,
      offset: this.offsetOf(report, error) ?? null,
      key: report.key,
      value: report.value,
      headers: fromRecordHeaders(report.headers),
      error,
      timestamp:
        logAppendTimeMs >= 0
          ? [TIMESTAMP_LOG_APPEND_TIME, logAppendTimeMs]
          : [TIMESTAMP_CREATE_TIME, report.timestampMs],
      latency: error === null ? (this.#nowMs - report.createdMs) / 1000 : null,
      persistence,
      opaque: report.opaque,
    })
  }
}

const otherRecordError = new KafkaError(KafkaError._INVALID_DIFFERENT_RECORD)

/** The fate of one record of a batch. */
function errorOf({ error, recordErrors }: Delivery, index: number): KafkaError | null {
  if (error === null || recordErrors === undefined || recordErrors.size === 0) return error
  return recordErrors.get(index) ?? otherRecordError
}

/** A failure of records that were never handed to a broker. */
export function failedDelivery(topic: string, partition: number, error: KafkaError): Delivery {
  return {
    topic,
    partition,
    error,
    baseOffset: -1,
    logAppendTimeMs: -1,
    persistence: PersistenceStatus.NOT_PERSISTED,
  }
}
