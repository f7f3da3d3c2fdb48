/**
 * How far a log's bytes have come: to the operating system once a turn, to the disk when somebody asks. Owned by its log,
 * which guards the calls against failures of the directory.
 *
 * Invariant: recoveryPoint <= writtenEndOffset <= logEndOffset; everything below `recoveryPoint` is durable, epochs and
 * the indexes of closed segments included.
 */
import { ErrorCode } from '../common/protocol/errors.ts'
import { FileError } from '../common/runtime/files.ts'
import type { LeaderEpochCache } from './leader-epoch-cache.ts'
import type { LocalLog } from './local-log.ts'
import type { Segment } from './segment.ts'
import type { LogDirectoryState, StorageContext } from './storage-context.ts'

interface LogParts {
  readonly context: StorageContext
  readonly directory: LogDirectoryState
  readonly local: LocalLog
  readonly epochs: LeaderEpochCache
}

export class LogWriter {
  readonly #parts: LogParts
  #recoveryPoint: number
  #writtenEndOffset: number
  #lastSyncMs: number
  #isSyncing = false
  #cuts = 0
  #waiting: ((error: ErrorCode) => void)[] = []

  constructor(parts: LogParts, recoveryPoint: number) {
    this.#parts = parts
    this.#recoveryPoint = recoveryPoint
    this.#writtenEndOffset = parts.local.logEndOffset
    this.#lastSyncMs = parts.context.clock.wallMs()
  }

  get recoveryPoint(): number {
    return this.#recoveryPoint
  }

  get writtenEndOffset(): number {
    return this.#writtenEndOffset
  }

  /** Time since the last sync, when there is something to sync. */
  get unsyncedMs(): number {
    const { local, context } = this.#parts
    return local.logEndOffset > this.#recoveryPoint ? context.clock.wallMs() - this.#lastSyncMs : 0
  }

  write(): void {
    const { local } = this.#parts
    local.writePending()
    this.#writtenEndOffset = local.logEndOffset
  }

  /** Writes, syncs when `flush.messages` says so, and then tells those who wait how it went. Does not throw. */
  flush(isFailed: boolean): void {
    const { directory, local } = this.#parts
    if (!isFailed) {
      try {
        this.write()
        if (local.logEndOffset - this.#recoveryPoint >= local.config.flushMessages)
          this.syncTo(local.logEndOffset)
      } catch (error) {
        if (!(error instanceof FileError)) throw error
        directory.fail(error)
      }
    }
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    const error = isFailed || !directory.isOnline ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE
    for (const callback of waiting) callback(error)
  }

  whenWritten(callback: (error: ErrorCode) => void): void {
    if (this.#writtenEndOffset >= this.#parts.local.logEndOffset) callback(ErrorCode.NONE)
    else this.#waiting.push(callback)
  }

  syncTo(offset: number): void {
    if (offset <= this.#recoveryPoint) return
    this.write()
    const { local, epochs } = this.#parts
    const { active } = local.segments
    for (const segment of this.#unsynced(offset)) segment.sync({ isActive: segment === active })
    epochs.save({ durable: true })
    this.markSynced(offset)
  }

  syncInBackground(): void {
    const { local, epochs, directory } = this.#parts
    const offset = local.logEndOffset
    if (this.#isSyncing || offset <= this.#recoveryPoint) return
    this.write()
    epochs.save({ durable: true })
    const { active } = local.segments
    const cuts = this.#cuts
    const segments = this.#unsynced(offset)
    let left = segments.length
    if (left === 0) this.markSynced(offset)
    this.#isSyncing = left > 0
    for (const segment of segments) {
      segment.syncInBackground({ isActive: segment === active }, (error) => {
        if (error !== undefined) directory.fail(error)
        if (--left > 0) return
        this.#isSyncing = false
        // What was cut and appended again meanwhile is not what was synced.
        if (directory.isOnline && cuts === this.#cuts) this.markSynced(offset)
      })
    }
  }

  /** Everything below `offset` is durable. */
  markSynced(offset: number): void {
    const { local, context } = this.#parts
    this.#recoveryPoint = Math.max(this.#recoveryPoint, Math.min(offset, local.logEndOffset))
    this.#lastSyncMs = context.clock.wallMs()
  }

  /** @returns whether the recovery point went back */
  truncatedTo(offset: number): boolean {
    this.#cuts++
    this.#writtenEndOffset = Math.min(this.#writtenEndOffset, offset)
    if (offset >= this.#recoveryPoint) return false
    this.#recoveryPoint = offset
    return true
  }

  #unsynced(offset: number): Segment[] {
    const { active } = this.#parts.local.segments
    return this.#parts.local.segments.all.filter(
      (segment) => segment.baseOffset < offset && (segment.needsSync || segment === active),
    )
  }
}
