/**
 * The turn loop. All work of a process happens in turns that run to completion, in phases:
 *
 *     timers due -> posted tasks in order -> wake touched objects until quiet -> flush logs -> send
 *
 * so that one `writev` serves everything a turn appended, and no byte leaves a node before the operating system has the
 * records it speaks of. State therefore needs no locks: nothing else runs between a check and the change it allows.
 */
export interface Wakeable {
  /** Called in the wake phase of the turn in which it was touched. May touch others, and itself. */
  wake(): void
}
export interface Flushable {
  /** Hands everything pending to the operating system. Must not throw: a failed disk is recorded, not raised. */
  flush(): void
}
export interface Sendable {
  sendPending(): void
}

export interface Reactor {
  /** Runs `task` in the next turn (or later in this one, when the bounds allow), in the order posted. */
  post(task: () => void): void
  /** As `post`, in a turn that begins when the event loop came by: whatever the sockets had is there then. */
  postAfterInput(task: () => void): void
  /** Asks for `target.wake()` in this turn's wake phase. Touching twice is the same as once. */
  touch(target: Wakeable): void
  /** Asks for `target.flush()` in this turn's flush phase. */
  flushLater(target: Flushable): void
  /** Asks for `target.sendPending()` in this turn's send phase. */
  sendLater(target: Sendable): void
  /** Number of turns run so far: an identity for "in the same turn". */
  readonly turn: number
}
