/**
 * Records of one partition on their way to the broker: first a builder that takes records, then finished bytes that may be
 * sent several times. Owned by a `PartitionQueue`.
 *
 *     appending ─ seal ─► sealed ─ encode ─► bytes ─ (retry: same bytes; new epoch: stamped anew) ─► done
 */
import {
  ATTRIBUTES_POSITION,
  BASE_SEQUENCE_POSITION,
  BatchView,
  CRC_POSITION,
  PRODUCER_EPOCH_POSITION,
  PRODUCER_ID_POSITION,
  writeInt64,
} from '../../common/record/batch.ts'
import { BatchBuilder, type BatchMemory } from '../../common/record/batch-builder.ts'
import type { CompressionType } from '../../common/record/codecs.ts'
import { crc32c } from '../../common/record/crc32c.ts'
import type { RecordHeader } from '../../common/record/record.ts'
import { RecordReader } from '../../common/record/record-reader.ts'
import type { PendingReport } from './delivery.ts'

export interface BatchFormat {
  readonly compressionType: CompressionType
  /** undefined: the codec's default. */
  readonly compressionLevel: number | undefined
  readonly isTransactional: boolean
  /** Absent: no memory is used again. */
  readonly memory?: BatchMemory
}

export interface ProducerState {
  readonly producerId: number
  readonly producerEpoch: number
}

export class ProducerBatch {
  /** Number of its first record among those of the partition: its place, to which it goes back when it is retried. */
  readonly order: number
  /** Monotonic time of the first message. */
  readonly createdMs: number
  /** Monotonic time from which it may be sent although it is not full. */
  dueMs: number
  recordCount = 0
  /** Bytes that its messages take of `queue.buffering.max.kbytes`. */
  chargedBytes = 0
  /** Of the messages that have a callback, in order. */
  reports: PendingReport[] = []
  /** -1 until it was sent with a sequence. */
  baseSequence = -1
  producerId = -1
  producerEpoch = -1
  /** Failed attempts that count against `retries`. */
  attempts = 0
  retryAtMs = 0
  sentMs = 0
  /** The broker may have stored it. */
  isPossiblyPersisted = false
  /** Reported already (purged): its answer is of no interest any more. */
  isAbandoned = false
  readonly #format: BatchFormat
  #builder: BatchBuilder | undefined
  #bytes: Buffer | undefined
  /** Sends whose link may still read the bytes; one that failed is never known not to. */
  #readerCount = 0
  #isOver = false

  constructor(
    format: BatchFormat,
    init: {
      readonly order: number
      readonly createdMs: number
      readonly dueMs: number
      readonly initialBytes: number
    },
  ) {
    this.#format = format
    this.order = init.order
    this.createdMs = init.createdMs
    this.dueMs = init.dueMs
    const { compressionType, compressionLevel, isTransactional, memory } = format
    const { initialBytes } = init
    this.#builder = new BatchBuilder({
      compressionType,
      compressionLevel,
      isTransactional,
      memory,
      initialBytes,
    })
  }

  /** Before compression while it is appended to, on the wire afterwards. */
  get sizeBytes(): number {
    return this.#bytes?.length ?? this.#builder?.sizeBytes ?? 0
  }

  append(
    timestampMs: number,
    key: Buffer | null,
    value: Buffer | null,
    headers: readonly RecordHeader[],
  ): void {
    const builder = this.#builder as BatchBuilder
    builder.append(timestampMs, key, value, headers)
    this.recordCount++
  }

  /** Forgets its sequence: it is sent as new. */
  unsequence(): void {
    this.baseSequence = -1
  }

  assignSequence({ producerId, producerEpoch }: ProducerState, baseSequence: number): void {
    this.producerId = producerId
    this.producerEpoch = producerEpoch
    this.baseSequence = baseSequence
    const bytes = this.#bytes
    if (bytes === undefined) return
    // The bytes may still be on their way to an earlier socket: those that read them must not see the change.
    const copy = Buffer.from(bytes)
    writeInt64(copy, PRODUCER_ID_POSITION, producerId)
    copy.writeInt16BE(producerEpoch, PRODUCER_EPOCH_POSITION)
    copy.writeInt32BE(baseSequence, BASE_SEQUENCE_POSITION)
    copy.writeUInt32BE(crc32c(copy, ATTRIBUTES_POSITION, copy.length), CRC_POSITION)
    this.#bytes = copy
  }

  /** The batch as it goes on the wire. No more records after this. */
  encode(): Buffer {
    if (this.#bytes !== undefined) return this.#bytes
    const builder = this.#builder as BatchBuilder
    this.#builder = undefined
    const { producerId, producerEpoch, baseSequence } = this
    if (baseSequence >= 0) builder.setProducerState({ producerId, producerEpoch, baseSequence })
    this.#bytes = builder.build()
    return this.#bytes
  }

  /** A link has the bytes now. @returns to be called when it reads them no more, if that is ever known */
  beginSend(): () => void {
    this.#readerCount++
    return () => {
      this.#readerCount--
      this.#maybeGiveBack()
    }
  }

  /** It is acknowledged and will not be sent again: its memory serves another batch when no link reads it any more. */
  over(): void {
    this.#isOver = true
    this.#maybeGiveBack()
  }

  #maybeGiveBack(): void {
    const bytes = this.#bytes
    if (!this.#isOver || this.#readerCount > 0 || bytes === undefined) return
    this.#bytes = undefined
    this.#format.memory?.give(bytes)
  }

  /** Two batches with the records of this one, for a broker that found it too large. Needs two records or more. */
  split(): [ProducerBatch, ProducerBatch] {
    const half = Math.ceil(this.recordCount / 2)
    const halves: [ProducerBatch, ProducerBatch] = [this.#empty(this.order), this.#empty(this.order + half)]
    const reader = new RecordReader(new BatchView(this.encode()))
    for (let index = 0; reader.next(); index++) {
      const { timestamp, key, value } = reader
      const target = halves[index < half ? 0 : 1]
      target.append(timestamp, key, value, reader.headers())
    }
    for (const report of this.reports) {
      const isFirst = report.index < half
      if (!isFirst) report.index -= half
      halves[isFirst ? 0 : 1].reports.push(report)
    }
    const share = Math.round((this.chargedBytes * half) / this.recordCount)
    halves[0].chargedBytes = share
    halves[1].chargedBytes = this.chargedBytes - share
    return halves
  }

  /** A batch with the other records; undefined when none is left. It still takes records. */
  without(reports: readonly PendingReport[]): ProducerBatch | undefined {
    const removed = new Set(reports.map(({ index }) => index))
    if (removed.size === this.recordCount) return undefined
    const rest = this.#empty(this.order)
    const newIndexes = new Map<number, number>()
    const reader = new RecordReader(new BatchView(this.encode()))
    for (let index = 0; reader.next(); index++) {
      if (removed.has(index)) continue
      newIndexes.set(index, rest.recordCount)
      const { timestamp, key, value } = reader
      rest.append(timestamp, key, value, reader.headers())
    }
    for (const report of this.reports) {
      const index = newIndexes.get(report.index)
      if (index === undefined) continue
      report.index = index
      rest.reports.push(report)
    }
    rest.chargedBytes = reports.reduce((left, { sizeBytes }) => left - sizeBytes, this.chargedBytes)
    return rest
  }

  /** For some of its records, with what has happened to them. */
  #empty(order: number): ProducerBatch {
    const { createdMs, dueMs } = this
    const batch = new ProducerBatch(this.#format, { order, createdMs, dueMs, initialBytes: this.sizeBytes })
    batch.attempts = this.attempts
    batch.retryAtMs = this.retryAtMs
    batch.isPossiblyPersisted = this.isPossiblyPersisted
    return batch
  }
}
