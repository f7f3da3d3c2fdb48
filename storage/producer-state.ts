/**
 * What a log knows of its producers: sequences and epochs for idempotence, open transactions for the last stable offset,
 * and pending verifications (KIP-890). Owned by its log.
 *
 * Derived state: a function of the records below `mapEndOffset`. Snapshots (`<offset>.snapshot`) spare reading them all.
 * Invariant: open and unreplicated transactions are sorted by their first offset.
 */
import { ErrorCode } from '../common/protocol/errors.ts'
import type { BatchView } from '../common/record/batch.ts'
import type { FileSystem } from '../common/runtime/files.ts'
import { DELETED_SUFFIX, offsetFileName, PRODUCER_SNAPSHOT_SUFFIX } from './file-names.ts'
import {
  type AppendOrigin,
  type CompletedTransaction,
  ProducerAppend,
  type ProducerRefusal,
  type VerificationEntry,
  type VerificationGuard,
} from './producer-append.ts'
import {
  addProducerBatch,
  findDuplicate,
  type ProducerBatch,
  type ProducerStateEntry,
  updateProducerEpoch,
} from './producer-entry.ts'
import { decodeProducerSnapshot, encodeProducerSnapshot } from './producer-snapshot.ts'
import { readEndTransactionMarker } from './transaction-marker.ts'

interface Transaction {
  readonly producerId: number
  readonly firstOffset: number
  /** Of the marker; -1 while the transaction is open. */
  lastOffset: number
}

export interface ProducerStateOptions {
  /** `producer.id.expiration.ms` */
  readonly producerIdExpirationMs: number
}

export class ProducerState {
  readonly #files: FileSystem
  #directory: string
  #options: ProducerStateOptions
  readonly #producers = new Map<number, ProducerStateEntry>()
  readonly #verifications = new Map<number, VerificationEntry>()
  #open: Transaction[] = []
  /** Ended, but the marker is not below the high watermark yet. */
  #unreplicated: Transaction[] = []
  /** Offsets of the snapshot files, ascending. */
  #snapshots: number[] = []
  #lastSnapshotOffset = 0
  #mapEndOffset = 0

  constructor(files: FileSystem, directory: string, options: ProducerStateOptions) {
    this.#files = files
    this.#directory = directory
    this.#options = options
  }

  /** State reflects exactly the records below this offset. */
  get mapEndOffset(): number {
    return this.#mapEndOffset
  }

  updateMapEndOffset(offset: number): void {
    this.#mapEndOffset = offset
  }

  updateOptions(options: ProducerStateOptions): void {
    this.#options = options
  }

  movedTo(directory: string): void {
    this.#directory = directory
  }

  get producers(): ReadonlyMap<number, ProducerStateEntry> {
    return this.#producers
  }

  entry(producerId: number): ProducerStateEntry | undefined {
    return this.#producers.get(producerId)
  }

  hasOngoingTransaction(producerId: number, producerEpoch: number): boolean {
    const entry = this.#producers.get(producerId)
    return (
      entry !== undefined && entry.currentTransactionFirstOffset >= 0 && entry.producerEpoch === producerEpoch
    )
  }

  /** First offset that a `read_committed` reader must not pass, whatever the high watermark is. */
  get firstUnstableOffset(): number | undefined {
    const unreplicated = this.#unreplicated[0]?.firstOffset
    const open = this.#open[0]?.firstOffset
    if (unreplicated === undefined) return open
    return open === undefined ? unreplicated : Math.min(open, unreplicated)
  }

  get openTransactions(): readonly { readonly producerId: number; readonly firstOffset: number }[] {
    return this.#open
  }

  // --- verification (KIP-890) ---

  startVerification(request: {
    producerId: number
    sequence: number
    producerEpoch: number
    supportsEpochBump: boolean
    nowMs: number
  }): VerificationGuard {
    const { producerId, sequence, producerEpoch, supportsEpochBump, nowMs } = request
    const known = this.#verifications.get(producerId)
    if (known === undefined) {
      const guard = { producerId }
      this.#verifications.set(producerId, {
        producerId,
        producerEpoch,
        lowestSequence: sequence,
        supportsEpochBump,
        createdMs: nowMs,
        guard,
      })
      return guard
    }
    if (producerEpoch > known.producerEpoch) {
      known.producerEpoch = producerEpoch
      known.lowestSequence = sequence
    } else if (producerEpoch === known.producerEpoch && sequence < known.lowestSequence) {
      known.lowestSequence = sequence
    }
    return known.guard
  }

  verificationGuard(producerId: number): VerificationGuard | undefined {
    return this.#verifications.get(producerId)?.guard
  }

  // --- appends ---

  prepare(producerId: number, origin: AppendOrigin): ProducerAppend {
    const verification = origin === 'client' ? this.#verifications.get(producerId) : undefined
    return new ProducerAppend(this.#producers.get(producerId), producerId, origin, verification)
  }

  findDuplicate(batch: BatchView): ProducerBatch | undefined {
    const entry = this.#producers.get(batch.producerId)
    return entry === undefined ? undefined : findDuplicate(entry, batch)
  }

  /** Makes the result of a successful append the state. */
  apply(append: ProducerAppend): void {
    const { updated } = append
    const entry = this.#producers.get(append.producerId)
    if (entry === undefined) {
      this.#producers.set(append.producerId, updated)
    } else {
      updateProducerEpoch(entry, updated.producerEpoch)
      for (const batch of updated.batches) addProducerBatch(entry, updated.producerEpoch, batch)
      entry.coordinatorEpoch = updated.coordinatorEpoch
      entry.currentTransactionFirstOffset = updated.currentTransactionFirstOffset
      entry.lastTimestamp = updated.lastTimestamp
    }
    for (const { producerId, firstOffset } of append.started) {
      insertByFirstOffset(this.#open, { producerId, firstOffset, lastOffset: -1 })
    }
  }

  /** What the last stable offset will be once `completed` is no longer open. */
  lastStableOffsetAfter(completed: CompletedTransaction): number {
    const next = this.#open.find((transaction) => transaction.producerId !== completed.producerId)
    return next?.firstOffset ?? completed.lastOffset + 1
  }

  completeTransaction(completed: CompletedTransaction): void {
    const slot = this.#open.findIndex((transaction) => transaction.firstOffset === completed.firstOffset)
    const transaction = this.#open[slot]
    if (transaction === undefined) return
    this.#open.splice(slot, 1)
    transaction.lastOffset = completed.lastOffset
    insertByFirstOffset(this.#unreplicated, transaction)
  }

  clearVerification(producerId: number): void {
    this.#verifications.delete(producerId)
  }

  onHighWatermarkUpdated(highWatermark: number): void {
    if (this.#unreplicated.length === 0) return
    this.#unreplicated = this.#unreplicated.filter(({ lastOffset }) => lastOffset >= highWatermark)
  }

  onLogStartOffsetIncremented(logStartOffset: number): void {
    this.onHighWatermarkUpdated(logStartOffset)
    if (this.#mapEndOffset < logStartOffset) this.#mapEndOffset = logStartOffset
    this.#lastSnapshotOffset = this.#snapshots.at(-1) ?? logStartOffset
  }

  removeExpired(nowMs: number): void {
    const { producerIdExpirationMs } = this.#options
    for (const [producerId, entry] of this.#producers) {
      if (this.#isExpired(entry, nowMs)) this.#producers.delete(producerId)
    }
    for (const [producerId, { createdMs }] of this.#verifications) {
      if (nowMs - createdMs >= producerIdExpirationMs) this.#verifications.delete(producerId)
    }
  }

  #isExpired(entry: ProducerStateEntry, nowMs: number): boolean {
    return (
      entry.currentTransactionFirstOffset < 0 &&
      nowMs - entry.lastTimestamp >= this.#options.producerIdExpirationMs
    )
  }

  // --- snapshots ---

  get snapshotOffsets(): readonly number[] {
    return this.#snapshots
  }

  /** Tells which snapshot files the directory has. */
  setSnapshots(offsets: readonly number[]): void {
    this.#snapshots = [...offsets].sort((a, b) => a - b)
  }

  /** Writes a snapshot at `mapEndOffset`, unless the last one is there already. */
  takeSnapshot(): void {
    if (this.#mapEndOffset <= this.#lastSnapshotOffset) return
    // A snapshot that is lost or torn by a power cut is found out by its crc and rebuilt, so nothing waits for the disk.
    const content = encodeProducerSnapshot([...this.#producers.values()])
    this.#files.replaceFile(this.#snapshotPath(this.#mapEndOffset), content, { durable: false })
    this.#lastSnapshotOffset = this.#mapEndOffset
    if (!this.#snapshots.includes(this.#mapEndOffset)) {
      this.setSnapshots([...this.#snapshots, this.#mapEndOffset])
    }
  }

  /**
   * Writes to a copy of the disk what `takeSnapshot` would write; nothing when a producer is due to be forgotten, which would happen as the
   * snapshot is loaded and does not when the batches speak for themselves.
   */
  saveSnapshotTo(copy: FileSystem, nowMs: number): void {
    if (this.#mapEndOffset <= this.#lastSnapshotOffset) return
    const entries = [...this.#producers.values()]
    if (entries.some((entry) => this.#isExpired(entry, nowMs))) return
    const content = encodeProducerSnapshot(entries)
    copy.replaceFile(this.#snapshotPath(this.#mapEndOffset), content, { durable: false })
  }

  /** Keeps only snapshots at the base of a segment, and the newest if it is beyond them all. */
  removeStraySnapshots(segmentBaseOffsets: readonly number[]): void {
    const bases = new Set(segmentBaseOffsets)
    const newest = this.#snapshots.at(-1)
    const lastBase = segmentBaseOffsets.at(-1) ?? 0
    for (const offset of [...this.#snapshots]) {
      const isKept = bases.has(offset) || (offset === newest && offset > lastBase)
      if (!isKept) this.#removeSnapshot(offset)
    }
  }

  /** The snapshot at a segment's base goes with the segment. @returns the path to remove later, when there was one */
  markSnapshotForDeletion(offset: number): string | undefined {
    if (!this.#snapshots.includes(offset)) return undefined
    this.#snapshots = this.#snapshots.filter((candidate) => candidate !== offset)
    const path = this.#snapshotPath(offset)
    if (this.#files.stat(path) === undefined) return undefined
    this.#files.rename(path, path + DELETED_SUFFIX)
    return path + DELETED_SUFFIX
  }

  /**
   * Forgets everything at or after `endOffset` and loads the newest snapshot at or below it. The caller replays the
   * records from `mapEndOffset` on.
   */
  truncateAndReload(logStartOffset: number, endOffset: number, nowMs: number): void {
    for (const offset of [...this.#snapshots]) {
      if (offset > endOffset) this.#removeSnapshot(offset)
    }
    if (endOffset === this.#mapEndOffset) {
      this.onLogStartOffsetIncremented(logStartOffset)
      return
    }
    this.#clear()
    this.#loadNewestSnapshot(logStartOffset, nowMs)
  }

  truncateFullyAndStartAt(offset: number): void {
    this.#clear()
    for (const snapshot of [...this.#snapshots]) this.#removeSnapshot(snapshot)
    this.#lastSnapshotOffset = 0
    this.#mapEndOffset = offset
  }

  /** Applies a batch that is in the log already. @returns the transaction it ended */
  replay(batch: BatchView, append: ProducerAppend): ReplayOutcome {
    if (!batch.isControl) {
      const refusal = append.appendData(batch)
      return refusal === undefined ? {} : { refusal }
    }
    const marker = readEndTransactionMarker(batch)
    return marker === undefined ? {} : append.appendMarker(batch, marker, 0)
  }

  #clear(): void {
    this.#producers.clear()
    this.#open = []
    this.#unreplicated = []
  }

  #loadNewestSnapshot(logStartOffset: number, nowMs: number): void {
    for (let newest = this.#snapshots.at(-1); newest !== undefined; newest = this.#snapshots.at(-1)) {
      const path = this.#snapshotPath(newest)
      const content = this.#files.stat(path) === undefined ? undefined : this.#files.readFile(path)
      const entries = content === undefined ? undefined : decodeProducerSnapshot(content)
      if (entries !== undefined) {
        for (const entry of entries) {
          if (!this.#isExpired(entry, nowMs)) this.#load(entry)
        }
        this.#lastSnapshotOffset = newest
        this.#mapEndOffset = newest
        return
      }
      this.#removeSnapshot(newest)
    }
    this.#lastSnapshotOffset = logStartOffset
    this.#mapEndOffset = logStartOffset
  }

  #load(entry: ProducerStateEntry): void {
    this.#producers.set(entry.producerId, entry)
    const firstOffset = entry.currentTransactionFirstOffset
    if (firstOffset >= 0) {
      insertByFirstOffset(this.#open, { producerId: entry.producerId, firstOffset, lastOffset: -1 })
    }
  }

  #removeSnapshot(offset: number): void {
    this.#snapshots = this.#snapshots.filter((candidate) => candidate !== offset)
    this.#files.remove(this.#snapshotPath(offset))
  }

  #snapshotPath(offset: number): string {
    return `${this.#directory}/${offsetFileName(offset, PRODUCER_SNAPSHOT_SUFFIX)}`
  }
}

export interface ReplayOutcome {
  readonly refusal?: ProducerRefusal
  readonly completed?: CompletedTransaction
}

export function producerEpochRefusal(
  entry: ProducerStateEntry | undefined,
  producerEpoch: number,
): ProducerRefusal | undefined {
  if (entry === undefined || producerEpoch >= entry.producerEpoch) return undefined
  return {
    error: ErrorCode.INVALID_PRODUCER_EPOCH,
    message: `Epoch ${producerEpoch} of producer ${entry.producerId} is behind the known epoch ${entry.producerEpoch}`,
  }
}

function insertByFirstOffset(transactions: Transaction[], transaction: Transaction): void {
  let slot = transactions.length
  while (slot > 0 && (transactions[slot - 1] as Transaction).firstOffset > transaction.firstOffset) slot--
  transactions.splice(slot, 0, transaction)
}
