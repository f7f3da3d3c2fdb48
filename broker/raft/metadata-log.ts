/**
 * The metadata log of one node and its quorum (KRaft): appends of the active controller, what is committed, and who leads.
 *
 * Today the quorum is one voter: it leads from the start, in a new epoch, and what it appended is committed once it is in the log. The
 * surface is that of a quorum of several (leadership may come and go, commits follow appends), so that voters can be added without
 * changing what stands on it. Appends are made durable before the turn's responses leave, since an acknowledged topic must outlive a
 * power cut as its flushed records do.
 *
 * Owner: the broker. Invariants: epochs only grow, over restarts too; listeners get each committed batch once, in order.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import {
  buildControlBatch,
  ControlRecordType,
  encodeLeaderChange,
} from '../../common/record/control-record.ts'
import type { Flushable, Wakeable } from '../../common/runtime/reactor.ts'
import type { Runtime } from '../../common/runtime/runtime.ts'
import type { Log } from '../../storage/log.ts'
import {
  type DecodedSnapshot,
  listSnapshots,
  readSnapshotFile,
  type SnapshotId,
  writeSnapshotFile,
} from '../metadata/snapshot.ts'
import type { ReplicatedLog } from '../statemachine/replicated-log.ts'
import { readQuorumState, writeQuorumState } from './quorum-state.ts'

export interface MetadataLogListener {
  /** The log begins after this snapshot: forget everything and start from it. Comes before any commit. */
  onSnapshot(snapshot: DecodedSnapshot, id: SnapshotId): void
  /** Whole committed batches, in log order. */
  onCommit(batches: Buffer): void
  /** The high watermark moved; after `onCommit`. */
  onHighWatermark(): void
}

export interface MetadataLogOptions {
  readonly nodeId: number
  readonly runtime: Runtime
  readonly log: Log
  readonly listener: MetadataLogListener
}

const MAX_DELIVERY_BYTES = 1 << 20

export class MetadataLog implements ReplicatedLog, Flushable, Wakeable {
  readonly nodeId: number
  readonly #runtime: Runtime
  readonly #log: Log
  readonly #listener: MetadataLogListener
  #epoch = 0
  #leaderId = -1
  /** Next offset to hand to the listener. */
  #deliveredOffset = 0
  #snapshot: { readonly content: DecodedSnapshot; readonly id: SnapshotId } | undefined

  constructor(options: MetadataLogOptions) {
    this.nodeId = options.nodeId
    this.#runtime = options.runtime
    this.#log = options.log
    this.#listener = options.listener
  }

  get leaderId(): number {
    return this.#leaderId
  }
  get leaderEpoch(): number {
    return this.#epoch
  }
  get isLeader(): boolean {
    return this.#leaderId === this.nodeId
  }
  get voterIds(): readonly number[] {
    return [this.nodeId]
  }
  get logStartOffset(): number {
    return this.#snapshot?.id.endOffset ?? this.#log.logStartOffset
  }
  get logEndOffset(): number {
    return this.#log.logEndOffset
  }
  get highWatermark(): number {
    return this.#log.highWatermark
  }
  get log(): Log {
    return this.#log
  }
  /** The snapshot that the log continues, when its beginning is gone. */
  get startingSnapshot(): { readonly content: DecodedSnapshot; readonly id: SnapshotId } | undefined {
    return this.#snapshot
  }

  /** Takes the lead of a new epoch and delivers what the log holds. */
  start(): void {
    const { files } = this.#runtime
    this.#loadSnapshot()
    const known = readQuorumState(files, this.#log.path)
    this.#epoch = Math.max(known?.leaderEpoch ?? 0, this.#log.latestEpoch ?? 0) + 1
    this.#leaderId = this.nodeId
    writeQuorumState(files, this.#log.path, {
      leaderId: this.nodeId,
      leaderEpoch: this.#epoch,
      votedId: -1,
      voterIds: this.voterIds,
    })
    const voters = this.voterIds.map((voterId) => ({ voterId }))
    const value = encodeLeaderChange({ version: 0, leaderId: this.nodeId, voters, grantingVoters: voters })
    const timestamp = this.#runtime.clock.wallMs()
    const change = { type: ControlRecordType.LEADER_CHANGE, value, timestamp }
    this.appendStateBatch(buildControlBatch([change], { partitionLeaderEpoch: this.#epoch }))
    this.wake()
  }

  appendStateBatch(batch: Buffer): { readonly error: ErrorCode; readonly lastOffset: number } {
    if (!this.isLeader) return { error: ErrorCode.NOT_LEADER_OR_FOLLOWER, lastOffset: -1 }
    const appended = this.#log.appendAsLeader(batch, { origin: 'raft', leaderEpoch: this.#epoch })
    if (appended.error !== ErrorCode.NONE) return { error: appended.error, lastOffset: -1 }
    this.#log.updateHighWatermark(this.#log.logEndOffset)
    this.#runtime.reactor.flushLater(this)
    this.#runtime.reactor.touch(this)
    return { error: ErrorCode.NONE, lastOffset: appended.lastOffset }
  }

  readStateBatches(offset: number, maxBytes: number): Buffer | undefined {
    const read = this.#log.read({ offset, maxBytes, upTo: 'logEnd', atLeastOneBatch: true })
    return read.error === ErrorCode.NONE ? read.records : undefined
  }

  /** Durable before the send phase of this turn. */
  flush(): void {
    this.#log.syncTo()
  }

  wake(): void {
    while (this.#deliveredOffset < this.highWatermark) {
      const read = this.#log.read({
        offset: this.#deliveredOffset,
        maxBytes: MAX_DELIVERY_BYTES,
        upTo: 'highWatermark',
        atLeastOneBatch: true,
      })
      if (read.error !== ErrorCode.NONE || read.records.length === 0) break
      this.#deliveredOffset = read.nextOffset
      this.#listener.onCommit(read.records)
    }
    this.#listener.onHighWatermark()
  }

  /** Keeps a snapshot of everything below `id.endOffset`; the log before it may go. */
  writeSnapshot(id: SnapshotId, buffers: readonly Buffer[]): void {
    writeSnapshotFile(this.#runtime.files, this.#log.path, id, buffers)
    this.#log.maybeIncrementLogStartOffset(id.endOffset, 'snapshot')
    this.#log.deleteOldSegments()
  }

  #loadSnapshot(): void {
    this.#deliveredOffset = this.#log.logStartOffset
    if (this.#log.logStartOffset === 0) return
    const { files } = this.#runtime
    const candidates = listSnapshots(files, this.#log.path).filter(
      ({ endOffset }) => endOffset >= this.#log.logStartOffset && endOffset <= this.#log.logEndOffset,
    )
    for (const id of candidates.reverse()) {
      const content = readSnapshotFile(files, this.#log.path, id)
      if (content === undefined) continue
      this.#snapshot = { content, id }
      this.#deliveredOffset = id.endOffset
      this.#listener.onSnapshot(content, id)
      return
    }
    this.#runtime.trace.emit({
      level: 'error',
      kind: 'metadata.snapshot-missing',
      nodeId: this.nodeId,
      message: `the metadata log begins at offset ${this.#log.logStartOffset} and there is no snapshot of what was before`,
    })
  }
}
