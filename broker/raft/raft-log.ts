/**
 * The metadata log as the quorum sees it: where it ends, what of it is durable and committed, where two logs part, and the snapshots
 * that stand for what is no longer in it.
 *
 * Owner: the metadata log. Invariants: the high watermark never goes back while the process lives, and nothing below it is ever cut.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { FileError, type FileSystem } from '../../common/runtime/files.ts'
import type { Log } from '../../storage/log.ts'
import { type DecodedSnapshot, decodeSnapshot, type SnapshotId } from '../metadata/snapshot.ts'
import { type SnapshotChunk, SnapshotStore } from './snapshot-store.ts'

export interface EpochEnd {
  readonly epoch: number
  readonly endOffset: number
}

/** What a leader tells a replica that stands at an offset and last saw an epoch. */
export type FetchPosition =
  | { readonly kind: 'valid' }
  /** Their logs part: here the leader's ended that epoch, or the one before it. */
  | { readonly kind: 'diverging'; readonly end: EpochEnd }
  /** The log does not reach back so far: this snapshot stands for it. */
  | { readonly kind: 'snapshot'; readonly id: SnapshotId }

export interface StartingSnapshot {
  readonly content: DecodedSnapshot
  readonly id: SnapshotId
}

export class RaftLog {
  readonly log: Log
  readonly #snapshots: SnapshotStore

  constructor(log: Log, files: FileSystem) {
    this.log = log
    this.#snapshots = new SnapshotStore(files, log.path)
  }

  /**
   * Puts right what an unclean end left: a snapshot that was fetched but not put in the log's place yet, a log end that was read but may
   * not be on disk. A snapshot holds committed records only.
   */
  open(): void {
    const { log } = this
    this.guard(undefined, () => {
      const latest = this.#snapshots.latest
      if (latest === undefined) return
      if (latest.endOffset > log.logEndOffset) {
        if (this.#snapshots.read(latest) !== undefined) this.#restartAt(latest)
      } else if (this.startingSnapshot !== undefined) {
        this.advanceHighWatermark(this.startingSnapshot.id.endOffset)
      }
    })
    log.syncTo()
  }

  get endOffset(): number {
    return this.log.logEndOffset
  }

  /** First offset that need not be taken from a snapshot. */
  get startOffset(): number {
    return this.startingSnapshot?.id.endOffset ?? this.log.logStartOffset
  }

  get highWatermark(): number {
    return this.log.highWatermark
  }

  /** Everything below survives a power cut. */
  get durableEndOffset(): number {
    return this.log.recoveryPoint
  }

  /** Epoch of the last record, in the log or in the snapshot that it continues; 0 when there is none. */
  get lastEpoch(): number {
    const { log } = this
    const ofLog = log.logEndOffset > log.logStartOffset ? log.epochForOffset(log.logEndOffset - 1) : undefined
    if (ofLog !== undefined) return ofLog
    const { latest } = this.#snapshots
    return latest !== undefined && latest.endOffset === log.logEndOffset ? latest.epoch : 0
  }

  /** The snapshot that the log continues, when its beginning is gone: the newest that can be read. */
  get startingSnapshot(): StartingSnapshot | undefined {
    const { logStartOffset, logEndOffset } = this.log
    if (logStartOffset === 0) return undefined
    return this.guard(undefined, () => {
      for (const id of [...this.#snapshots.ids].reverse()) {
        if (id.endOffset < logStartOffset || id.endOffset > logEndOffset) continue
        const content = this.#snapshots.read(id)
        if (content !== undefined) return { content, id }
      }
      return undefined
    })
  }

  /** @returns whether it moved; it never goes back, nor beyond the log's end */
  advanceHighWatermark(offset: number): boolean {
    const { log } = this
    const next = Math.min(offset, log.logEndOffset)
    if (next <= log.highWatermark) return false
    return log.updateHighWatermark(next) === next
  }

  positionOf(offset: number, epoch: number): FetchPosition {
    const earliest = this.#earliestSnapshot()
    if (earliest === undefined) {
      if (offset === 0 && epoch === 0) return { kind: 'valid' }
    } else {
      const isBefore =
        offset < earliest.endOffset ||
        epoch < earliest.epoch ||
        (offset === earliest.endOffset && epoch !== earliest.epoch)
      if (isBefore) return { kind: 'snapshot', id: this.#snapshots.latest ?? earliest }
    }
    const end = this.#endOf(epoch)
    if (end.epoch !== epoch || end.endOffset < offset) return { kind: 'diverging', end }
    return { kind: 'valid' }
  }

  /**
   * Cuts what the leader does not have, after it told where it ended the replica's last epoch or the one before it.
   * @throws Error when that would cut what is committed: the rules of the quorum were broken
   */
  truncateToDivergence(end: EpochEnd): void {
    const own = this.#endOf(end.epoch)
    const target = own.epoch === end.epoch ? Math.min(own.endOffset, end.endOffset) : own.endOffset
    if (target < this.highWatermark) {
      throw new Error(
        `the metadata log was to be cut at offset ${target}, below what is committed (${this.highWatermark})`,
      )
    }
    this.log.truncateTo(target)
  }

  readChunk(id: SnapshotId, position: number, maxBytes: number): SnapshotChunk | undefined {
    return this.guard(undefined, () => this.#snapshots.readChunk(id, position, maxBytes))
  }

  /** Keeps a snapshot of what is committed; retention decides when the log before it goes. Raises FileError. */
  writeSnapshot(id: SnapshotId, buffers: readonly Buffer[]): void {
    this.#snapshots.write(id, buffers)
  }

  /**
   * Puts a snapshot that was fetched in the place of the log.
   * @returns undefined when the bytes are no whole snapshot, or when the disk failed
   */
  installSnapshot(id: SnapshotId, content: Buffer): DecodedSnapshot | undefined {
    const decoded = decodeSnapshot(content)
    if (decoded === undefined || id.endOffset <= this.highWatermark) return undefined
    return this.guard(undefined, () => {
      this.#snapshots.write(id, [content])
      this.#restartAt(id)
      return this.log.isFailed ? undefined : decoded
    })
  }

  /** Runs an operation on files; a failure takes the directory offline. */
  guard<T>(failed: T, operation: () => T): T {
    try {
      return operation()
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      this.log.directory.fail(error)
      return failed
    }
  }

  sync(): ErrorCode {
    return this.log.isFailed ? ErrorCode.KAFKA_STORAGE_ERROR : this.log.syncTo()
  }

  #restartAt({ endOffset }: SnapshotId): void {
    this.log.truncateFullyAndStartAt(endOffset)
    this.log.updateHighWatermark(endOffset)
  }

  /**
   * The oldest snapshot from which the log can be followed; undefined while it reaches back to its very beginning. Positions before it
   * are not compared: the epochs of records that a snapshot stands for are forgotten, even where an unclean end brought the records back.
   */
  #earliestSnapshot(): SnapshotId | undefined {
    const { logStartOffset, epochEntries } = this.log
    const knownFrom = Math.max(logStartOffset, epochEntries[0]?.startOffset ?? 0)
    if (knownFrom === 0) return undefined
    return this.guard(undefined, () => this.#snapshots.earliestFrom(knownFrom))
  }

  #endOf(epoch: number): EpochEnd {
    const { log } = this
    const end = log.endOffsetForEpoch(epoch)
    if (end.epoch >= 0) return end
    return { epoch: this.lastEpoch, endOffset: log.logEndOffset }
  }
}
