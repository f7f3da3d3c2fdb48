/**
 * Time that a test owns. `VirtualClock` is the clock alone; `VirtualTime` joins it with the scheduler and the reactor so
 * that moving time fires what comes due on the way, in order.
 */
import type { Clock } from './clock.ts'
import type { HeapScheduler } from './heap-scheduler.ts'
import type { Timer } from './scheduler.ts'
import type { TurnReactor } from './turn-reactor.ts'

/** 2024-01-01T00:00:00Z: a wall clock of zero would make every retention period look expired. */
export const defaultVirtualEpochMs = 1_704_067_200_000

export class VirtualClock implements Clock {
  #monotonicMs = 0
  #wallAtZeroMs: number

  constructor(wallMs: number = defaultVirtualEpochMs) {
    this.#wallAtZeroMs = wallMs
  }

  wallMs(): number {
    return Math.floor(this.#wallAtZeroMs + this.#monotonicMs)
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  /** Moves both times forward to a monotonic time; never back. Fires nothing: see `VirtualTime.advance`. */
  moveTo(monotonicMs: number): void {
    this.#monotonicMs = Math.max(this.#monotonicMs, monotonicMs)
  }

  /** Sets the wall clock as an operator or NTP would; monotonic time does not follow. */
  stepWall(deltaMs: number): void {
    this.#wallAtZeroMs += deltaMs
  }
}

/** A broker's own view of a clock: same pace, another time of day. */
export function skewedClock(clock: Clock, skewMs: () => number): Clock {
  return {
    wallMs: () => clock.wallMs() + Math.trunc(skewMs()),
    monotonicMs: () => clock.monotonicMs(),
  }
}

export class VirtualTime {
  readonly #clock: VirtualClock
  readonly #scheduler: HeapScheduler
  readonly #reactor: TurnReactor

  constructor(parts: { clock: VirtualClock; scheduler: HeapScheduler; reactor: TurnReactor }) {
    this.#clock = parts.clock
    this.#scheduler = parts.scheduler
    this.#reactor = parts.reactor
  }

  /** Wall clock, as records see it. */
  now(): number {
    return this.#clock.wallMs()
  }

  /** The timer that will fire next; undefined when nothing waits. */
  nextTimer(): Timer | undefined {
    return this.#scheduler.nextTimer()
  }

  /** Does what can be done without time passing. */
  runUntilIdle(): void {
    this.#reactor.runUntilIdle()
  }

  /**
   * Lets `ms` pass. Timers that come due on the way fire at their own time, one by one, each in a turn of its own and
   * with the reactor idle before the next.
   */
  advance(ms: number): void {
    if (!(ms >= 0) || ms === Number.POSITIVE_INFINITY) throw new Error(`time cannot advance by ${ms} ms`)
    const targetMs = this.#clock.monotonicMs() + ms
    this.#reactor.runUntilIdle()
    for (let next = this.#nextDueMs(); next !== undefined && next <= targetMs; next = this.#nextDueMs()) {
      this.#clock.moveTo(next)
      this.#reactor.runUntilIdle()
    }
    this.#clock.moveTo(targetMs)
  }

  /** Moves to the next timer and fires it. @returns false when there is none */
  advanceToNextTimer(): boolean {
    this.#reactor.runUntilIdle()
    const next = this.#nextDueMs()
    if (next === undefined) return false
    this.#clock.moveTo(next)
    this.#reactor.runUntilIdle()
    return true
  }

  #nextDueMs(): number | undefined {
    return this.#scheduler.nextDueMs()
  }
}
