/**
 * What every part of the storage layer is given: the world's ports, and what all logs of a process share.
 */
import type { Clock } from '../common/runtime/clock.ts'
import type { FileError, FileSystem } from '../common/runtime/files.ts'
import type { Random } from '../common/runtime/random.ts'
import type { Reactor } from '../common/runtime/reactor.ts'
import type { Scheduler } from '../common/runtime/scheduler.ts'
import type { Trace } from '../common/runtime/trace.ts'
import type { FilePool } from './file-pool.ts'
import type { TailCache } from './tail-cache.ts'

export interface StorageContext {
  readonly files: FileSystem
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly reactor: Reactor
  readonly random: Random
  readonly trace: Trace
  readonly filePool: FilePool
  readonly tailCache: TailCache
}

/** The log directory that a log lies in, as far as the log has to know it. */
export interface LogDirectoryState {
  readonly path: string
  /** false once an operation in it has failed; never true again while the process lives. */
  readonly isOnline: boolean
  /**
   * A log was cut below its recovery point, so the checkpoint on disk promises too much. `saveLoweredRecoveryPoints` puts
   * it right before the next append anywhere in the directory; cuts of many logs cost one write.
   */
  noteLoweredRecoveryPoint(): void
  saveLoweredRecoveryPoints(): void
  /** Takes the directory offline: its logs refuse everything with KAFKA_STORAGE_ERROR from now on. */
  fail(error: FileError): void
}
