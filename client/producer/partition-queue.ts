/**
 * Batches of one partition, from the application's records to the broker's answer. Owned by the `Accumulator`; the `Sender`
 * takes from it.
 *
 *     append ─► open ─ full, lingered or flushed ─► sealed ─ take ─► in flight ─► done
 *                                                      ▲──── retry ────┘
 *
 * Invariant: sealed batches stand in the order of their records, whatever was retried. With idempotence, sequences follow
 * that order without gaps within one producer epoch; the epoch belongs to the partition alone, so a gap here disturbs no
 * other partition (batches elsewhere keep their sequences and stay protected against duplicates).
 *
 * A leader takes any sequence of a producer that it knows nothing of: were the first of several refused for a while, a later one would
 * stand before it. So one batch alone is in flight until the leader is known to remember the series.
 */
import { ZERO_UUID } from '../../common/protocol/schema.ts'
import type { RecordHeader } from '../../common/record/record.ts'
import type { PendingReport } from './delivery.ts'
import { type BatchFormat, ProducerBatch, type ProducerState } from './producer-batch.ts'

/** Batches a broker remembers of a producer: more in flight could not be told apart after a reconnect. */
const MAX_IDEMPOTENT_IN_FLIGHT = 5
/** Longest that a leader is trusted to remember a producer that it hears nothing of (`producer.id.expiration.ms`). */
const REMEMBERED_MS = 60_000
const MAX_PRODUCER_EPOCH = 32767
const SEQUENCE_MASK = 0x7fffffff

export interface BatchLimits {
  /** `batch.num.messages` */
  readonly maxRecords: number
  /** The smaller of `batch.size` and `message.max.bytes`; one record may exceed the former. */
  readonly maxBytes: number
  /** `linger.ms` */
  readonly lingerMs: number
  /** An open batch takes no more records when it is older: all of a batch expire together. */
  readonly maxAgeMs: number
}

export class PartitionQueue {
  readonly topic: string
  readonly id: number
  leaderId = -1
  leaderEpoch = -1
  /** Takes records. */
  open: ProducerBatch | undefined
  /** To be sent, in order. */
  readonly sealed: ProducerBatch[] = []
  /** Sent and not answered, in order. */
  inFlight: ProducerBatch[] = []
  /** Node that the batches in flight went to. */
  inFlightNodeId = -1
  /** Since when brokers say that they do not know the partition; monotonic. */
  unknownSinceMs: number | undefined
  producerId = -1
  producerEpoch = -1
  nextSequence = 0
  /** The next batch must begin a new epoch. */
  needsNewEpoch = false
  lastAckedOffset = -1
  lastAckedLeaderEpoch = -1
  epochCount = 0
  txMessages = 0
  ackedMessages = 0
  txBytes = 0
  #topicId = ZERO_UUID
  /** Producer id that the leader remembers; -1 when it may have forgotten, or is another one. */
  #rememberedId = -1
  #rememberedAtMs = 0
  /** Number of the next record of the partition. */
  #nextOrder = 0
  #expectedBytes = 512

  /** The coordinator counts epochs for the whole producer. */
  readonly #isTransactional: boolean

  constructor(topic: string, id: number, isTransactional: boolean) {
    this.topic = topic
    this.id = id
    this.#isTransactional = isTransactional
  }

  get isEmpty(): boolean {
    return this.open === undefined && this.sealed.length === 0 && this.inFlight.length === 0
  }

  get hasSealed(): boolean {
    return this.sealed.length > 0
  }

  /** Messages not sent, for statistics. */
  get queuedMessages(): number {
    return this.sealed.reduce((sum, { recordCount }) => sum + recordCount, this.open?.recordCount ?? 0)
  }

  get queuedBytes(): number {
    return this.sealed.reduce((sum, { sizeBytes }) => sum + sizeBytes, this.open?.sizeBytes ?? 0)
  }

  /**
   * @param createdMs monotonic time of the record, from which it expires
   * @param dueMs monotonic time from which a new batch may be sent although it is not full
   * @returns the open batch, a new one if the old one has no room for the record
   */
  batchFor(
    recordBytes: number,
    createdMs: number,
    dueMs: number,
    limits: BatchLimits,
    format: BatchFormat,
  ): ProducerBatch {
    const open = this.open
    if (open !== undefined) {
      const fits = open.sizeBytes + recordBytes <= limits.maxBytes && open.recordCount < limits.maxRecords
      if (fits && createdMs - open.createdMs < limits.maxAgeMs) return open
      this.seal()
    }
    const batch = new ProducerBatch(format, {
      order: this.#nextOrder,
      createdMs,
      dueMs,
      initialBytes: Math.max(this.#expectedBytes, recordBytes),
    })
    this.open = batch
    return batch
  }

  /** Appends to a batch that `batchFor` gave. */
  append(
    batch: ProducerBatch,
    timestampMs: number,
    key: Buffer | null,
    value: Buffer | null,
    headers: readonly RecordHeader[],
    chargedBytes: number,
    report: PendingReport | undefined,
  ): void {
    if (report !== undefined) {
      report.index = batch.recordCount
      batch.reports.push(report)
    }
    batch.append(timestampMs, key, value, headers)
    this.#nextOrder++
    batch.chargedBytes += chargedBytes
  }

  /** The open batch takes no more records. */
  seal(): void {
    const open = this.open
    if (open === undefined) return
    this.open = undefined
    // Sizes may alternate, as when what is sent together fills a batch and a little more: the next one may be large again.
    this.#expectedBytes = Math.max(open.sizeBytes, this.#expectedBytes >> 1)
    this.sealed.push(open)
  }

  /** Who leads the partition, of which topic. */
  setLeader(leaderId: number, leaderEpoch: number, topicId: string): void {
    if (leaderId !== this.leaderId || leaderEpoch !== this.leaderEpoch) this.distrust()
    this.leaderId = leaderId
    this.leaderEpoch = leaderEpoch
    if (topicId === this.#topicId || topicId === ZERO_UUID) return
    const isRecreated = this.#topicId !== ZERO_UUID
    this.#topicId = topicId
    if (!isRecreated) return
    this.distrust()
    this.lastAckedOffset = -1
    this.lastAckedLeaderEpoch = -1
    if (this.producerId >= 0 && !this.#isTransactional) this.needsNewEpoch = true
  }

  /** The leader has acknowledged the batch: it refuses what is out of order from now. */
  trust({ producerId }: ProducerBatch, nowMs: number): void {
    this.#rememberedId = producerId
    this.#rememberedAtMs = nowMs
  }

  /** The leader may know nothing of the series. */
  distrust(): void {
    this.#rememberedId = -1
  }

  /**
   * The batch that may be sent next; undefined when none may now.
   * @param identity undefined without idempotence
   */
  peek(nowMs: number, brokerId: number, identity: ProducerState | undefined): ProducerBatch | undefined {
    // What went to another broker must be answered first, or the order would be lost.
    if (this.inFlight.length > 0 && this.inFlightNodeId !== brokerId) return undefined
    if (identity !== undefined && this.inFlight.length > 0) {
      if (this.needsNewEpoch || this.producerId !== identity.producerId) return undefined
      const isRemembered =
        this.#rememberedId === this.producerId && nowMs - this.#rememberedAtMs < REMEMBERED_MS
      if (!isRemembered || this.inFlight.length >= MAX_IDEMPOTENT_IN_FLIGHT) return undefined
    }
    let head = this.sealed[0]
    if (head === undefined && this.open !== undefined && this.open.dueMs <= nowMs) {
      this.seal()
      head = this.sealed[0]
    }
    return head !== undefined && head.retryAtMs <= nowMs ? head : undefined
  }

  /** Removes the batch that `peek` gave from the queue; it is in flight from now. */
  take(nodeId: number, nowMs: number): void {
    const batch = this.sealed.shift()
    if (batch === undefined) return
    batch.sentMs = nowMs
    this.inFlight.push(batch)
    this.inFlightNodeId = nodeId
    this.txMessages += batch.recordCount
  }

  /** Gives the batch its place in the series of this partition. `identity` is that of the whole producer. */
  assignSequence(batch: ProducerBatch, identity: ProducerState): void {
    if (this.#mustKeepSequence(batch)) return
    const isOther = this.#isTransactional && this.producerEpoch !== identity.producerEpoch
    if (this.needsNewEpoch || isOther || this.producerId !== identity.producerId) this.#beginEpoch(identity)
    if (
      batch.baseSequence >= 0 &&
      batch.producerId === this.producerId &&
      batch.producerEpoch === this.producerEpoch
    ) {
      return
    }
    batch.assignSequence(this, this.nextSequence)
    this.nextSequence = (this.nextSequence + batch.recordCount) & SEQUENCE_MASK
  }

  /** Whether the present producer id has no epoch left for the batch. */
  isOutOfEpochsFor(batch: ProducerBatch): boolean {
    if (this.#mustKeepSequence(batch)) return false
    return this.needsNewEpoch && !this.#isTransactional && this.producerEpoch >= MAX_PRODUCER_EPOCH
  }

  /** What may be stored already is recognised by its sequence only: a new epoch waits for it. */
  #mustKeepSequence(batch: ProducerBatch): boolean {
    return batch.isPossiblyPersisted && batch.baseSequence >= 0 && !this.#isTransactional
  }

  #beginEpoch({ producerId, producerEpoch }: ProducerState): void {
    const isSameId = this.producerId === producerId && !this.#isTransactional
    this.producerEpoch = isSameId ? this.producerEpoch + 1 : producerEpoch
    this.producerId = producerId
    this.nextSequence = 0
    this.needsNewEpoch = false
    this.epochCount++
    // Within a transactional producer every leader that knew it asks for sequence 0 first.
    if (!this.#isTransactional) this.distrust()
    for (const batch of this.sealed) batch.unsequence()
  }

  /** The answer has come (or never will). */
  removeInFlight(batch: ProducerBatch): void {
    const index = this.inFlight.indexOf(batch)
    if (index >= 0) this.inFlight.splice(index, 1)
  }

  /** Puts batches back to their places. */
  requeue(...batches: readonly ProducerBatch[]): void {
    this.sealed.push(...batches)
    this.sealed.sort((one, other) => one.order - other.order)
  }

  /** Whether a batch before this one has not been answered yet. */
  hasEarlier(batch: ProducerBatch): boolean {
    const isEarlier = ({ order }: ProducerBatch): boolean => order < batch.order
    return this.inFlight.some(isEarlier) || this.sealed.some(isEarlier)
  }

  /** Takes out what has expired: whose `createdMs + timeoutMs` has come, in just this sum (a difference may be rounded otherwise). */
  takeExpired(nowMs: number, timeoutMs: number): ProducerBatch[] {
    if (this.open !== undefined && nowMs >= this.open.createdMs + timeoutMs) this.seal()
    let count = 0
    for (const { createdMs } of this.sealed) {
      if (nowMs < createdMs + timeoutMs) break
      count++
    }
    return count === 0 ? [] : this.sealed.splice(0, count)
  }

  /** Takes messages out of batches that no broker can have seen. @returns their reports */
  withdraw(isWanted: (report: PendingReport) => boolean): PendingReport[] {
    const withdrawn: PendingReport[] = []
    const filter = (batch: ProducerBatch): ProducerBatch | undefined => {
      if (batch.baseSequence >= 0 || batch.isPossiblyPersisted) return batch
      const reports = batch.reports.filter(isWanted)
      if (reports.length === 0) return batch
      withdrawn.push(...reports)
      return batch.without(reports)
    }
    const sealed = this.sealed.map(filter).filter((batch) => batch !== undefined)
    this.sealed.splice(0, this.sealed.length, ...sealed)
    if (this.open !== undefined) this.open = filter(this.open)
    return withdrawn
  }

  /** Takes out everything that was not sent. */
  takeQueued(): ProducerBatch[] {
    this.seal()
    return this.sealed.splice(0)
  }
}
