/**
 * What the listener of a metadata log has been told of it: a snapshot to begin with, then each committed batch once, in order, and how far
 * it is committed.
 *
 * Owner: the metadata log. Invariant: a high watermark is told only when the quorum has said how far the log is committed since the start,
 * and this node has all of that.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { DecodedSnapshot, SnapshotId } from '../metadata/snapshot.ts'
import type { RaftLog } from './raft-log.ts'

export interface CommitListener {
  /** The log begins after this snapshot: forget everything and start from it. At the start, or when the leader's log has gone on too far. */
  onSnapshot(snapshot: DecodedSnapshot, id: SnapshotId): void
  /** Whole committed batches, in log order. */
  onCommit(batches: Buffer): void
  /**
   * The high watermark moved; after `onCommit`. First when the quorum has said how far it is committed and this node has all of that.
   */
  onHighWatermark(): void
}

const MAX_DELIVERY_BYTES = 1 << 20

export class CommitDelivery {
  readonly #log: RaftLog
  readonly #listener: CommitListener
  readonly #onNews: () => void
  /** Next offset to hand to the listener. */
  #deliveredOffset = 0
  /** What the listener was last told. */
  #toldHighWatermark = -1
  /** Whether the quorum has said what is committed since the start, and this node has it. */
  #isUpToDate = false

  /** @param onNews there is something to deliver */
  constructor(log: RaftLog, listener: CommitListener, onNews: () => void) {
    this.#log = log
    this.#listener = listener
    this.#onNews = onNews
  }

  /** Delivers the snapshot that the log continues. @returns whether the log is whole: false when what was before its beginning is lost */
  begin(): boolean {
    const { log, startingSnapshot } = this.#log
    this.#deliveredOffset = startingSnapshot?.id.endOffset ?? log.logStartOffset
    if (startingSnapshot === undefined) return log.logStartOffset === 0
    this.#listener.onSnapshot(startingSnapshot.content, startingSnapshot.id)
    return true
  }

  /** A snapshot has taken the log's place. */
  restartFrom(content: DecodedSnapshot, id: SnapshotId): void {
    this.#deliveredOffset = id.endOffset
    this.#listener.onSnapshot(content, id)
    this.#onNews()
  }

  /** The quorum says that everything below the offset is committed. */
  advanceHighWatermark(offset: number): void {
    const hasMoved = this.#log.advanceHighWatermark(offset)
    const isNews = !this.#isUpToDate && this.#log.endOffset >= offset
    if (isNews) this.#isUpToDate = true
    if (hasMoved || isNews) this.#onNews()
  }

  /** Tells the listener what it has not been told yet. */
  deliver(): void {
    const { log } = this.#log
    while (this.#deliveredOffset < log.highWatermark) {
      const read = log.read({
        offset: this.#deliveredOffset,
        maxBytes: MAX_DELIVERY_BYTES,
        upTo: 'highWatermark',
        atLeastOneBatch: true,
      })
      if (read.error !== ErrorCode.NONE || read.records.length === 0) break
      this.#deliveredOffset = read.nextOffset
      this.#listener.onCommit(read.records)
    }
    if (!this.#isUpToDate || this.#toldHighWatermark === log.highWatermark) return
    this.#toldHighWatermark = log.highWatermark
    this.#listener.onHighWatermark()
  }
}
