/**
 * The scheduler port: every timer of the product, each with an owner and a label that a person can read.
 */
export interface Timer {
  /** What will happen, in words: "session timeout of member m-1 in group g". */
  readonly label: string
  /** Monotonic time at which it is due. */
  readonly dueMs: number
  /** Takes the timer back. Does nothing when it has fired or was cancelled before. */
  cancel(): void
}

export interface Scheduler {
  /**
   * Runs `callback` once, `delayMs` from now, inside a turn of the reactor. Timers that are due at the same
   * time fire in the order they were made (a simulation may order them by its seed).
   */
  schedule(label: string, delayMs: number, callback: () => void): Timer
  /** The timers that have not fired, earliest first. For views and leak checks, not for logic. */
  pending(): readonly Timer[]
  /**
   * A scheduler whose timers can be taken back together: a broker that is killed loses all of its timers, and one
   * that is frozen keeps them but they do not fire until it is thawed.
   */
  scope(owner: string): SchedulerScope
}

export interface SchedulerScope extends Scheduler {
  readonly owner: string
  /** Holds back every timer of this scope; those that come due meanwhile fire at `thaw`, in order. */
  freeze(): void
  thaw(): void
  /** Cancels every timer of this scope and refuses new ones (they never fire). */
  close(): void
}
