/**
 * The acquisition locks of a share partition (`group.share.record.lock.duration.ms`): a timer for what was handed out together, for as long
 * as a member still has some of it.
 */
import type { SchedulerScope } from '../../common/runtime/scheduler.ts'
import type { AcquisitionLock, RecordRun } from './record-run.ts'

export interface AcquisitionLocksOptions {
  readonly scheduler: SchedulerScope
  /** Names the timers. */
  readonly label: string
  readonly durationMs: () => number
  readonly onExpired: (lock: AcquisitionLock) => void
}

export class AcquisitionLocks {
  readonly #options: AcquisitionLocksOptions
  readonly #running = new Set<AcquisitionLock>()

  constructor(options: AcquisitionLocksOptions) {
    this.#options = options
  }

  /** A lock from now on. */
  take(): AcquisitionLock {
    const { scheduler, label, durationMs, onExpired } = this.#options
    const lock: AcquisitionLock = { timer: undefined, isExpired: false }
    lock.timer = scheduler.schedule(label, durationMs(), () => {
      lock.isExpired = true
      onExpired(lock)
    })
    this.#running.add(lock)
    return lock
  }

  /** Ends the locks that none of the runs has any more, nor would have again if a change of it were taken back. */
  cancelUnused(runs: Iterable<RecordRun>): void {
    if (this.#running.size === 0) return
    const used = new Set<AcquisitionLock>()
    for (const { lock, before } of runs) {
      if (lock !== undefined) used.add(lock)
      if (before?.lock !== undefined) used.add(before.lock)
    }
    for (const lock of this.#running) {
      if (used.has(lock)) continue
      lock.timer?.cancel()
      this.#running.delete(lock)
    }
  }

  cancelAll(): void {
    this.cancelUnused([])
  }
}
