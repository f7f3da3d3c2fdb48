/**
 * A request that waits for something to happen on partitions: Produce with acks=all, Fetch with min bytes, DeleteRecords.
 *
 * It watches its partitions; each wake of one of them asks it once whether it can be answered. Its time limit answers it
 * anyway. Completing is idempotent; afterwards it watches nothing and has no timer.
 */
import type { SchedulerScope, Timer } from '../../common/runtime/scheduler.ts'

/** What a delayed operation waits on. */
export interface Watchable {
  watch(operation: DelayedOperation): void
  unwatch(operation: DelayedOperation): void
}

export abstract class DelayedOperation {
  #isDone = false
  #timer: Timer | undefined
  #watched: readonly Watchable[] = []

  get isDone(): boolean {
    return this.#isDone
  }

  /**
   * Answers at once if it can, else waits on `watched` for at most `timeoutMs`.
   */
  start(scheduler: SchedulerScope, label: string, timeoutMs: number, watched: readonly Watchable[]): void {
    if (this.tryComplete()) return
    this.#watched = watched
    for (const watchable of watched) watchable.watch(this)
    this.#timer = scheduler.schedule(label, timeoutMs, () => this.#finish(() => this.onExpired()))
  }

  /** @returns whether the operation is done now */
  tryComplete(): boolean {
    if (this.#isDone) return true
    if (!this.canComplete()) return false
    this.#finish(() => this.onComplete())
    return true
  }

  /** Answers now, as if its time were up. */
  expire(): void {
    this.#finish(() => this.onExpired())
  }

  /** Ends it without an answer: its connection is gone. */
  abandon(): void {
    this.#finish(() => undefined)
  }

  protected abstract canComplete(): boolean
  protected abstract onComplete(): void
  protected abstract onExpired(): void

  #finish(answer: () => void): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#timer?.cancel()
    for (const watchable of this.#watched) watchable.unwatch(this)
    this.#watched = []
    answer()
  }
}
