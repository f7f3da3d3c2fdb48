/**
 * Finds out that a process stood still: it is awake later than it meant to rest, or was long in a turn.
 *
 * Owner: the scheduler. Invariants: resting is no stall, however long; a stall is told before any timer is looked at.
 */
import type { Clock } from './clock.ts'
import { maxLatenessMs } from './limits.ts'

export class StallWatch {
  readonly #clock: Clock
  readonly #onStall: (durationMs: number) => void
  #awakeMs: number
  /** Until then nothing is to be done; 0 while a turn runs. */
  #restUntilMs = Number.POSITIVE_INFINITY

  /** @param onStall told how long it stood still beyond `maxLatenessMs`; the clock may go back by that */
  constructor(clock: Clock, onStall: (durationMs: number) => void) {
    this.#clock = clock
    this.#onStall = onStall
    this.#awakeMs = clock.monotonicMs()
  }

  /** A turn begins, or has ended. */
  onAwake(): void {
    const nowMs = this.#clock.monotonicMs()
    const stallMs = nowMs - Math.max(this.#awakeMs, this.#restUntilMs) - maxLatenessMs
    if (stallMs > 0) this.#onStall(stallMs)
    this.#awakeMs = stallMs > 0 ? this.#clock.monotonicMs() : nowMs
    this.#restUntilMs = 0
  }

  /** @param untilMs when the next timer is due; infinite without any */
  onRest(untilMs: number): void {
    this.#restUntilMs = untilMs
  }
}
