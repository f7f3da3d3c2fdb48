/** `max.poll.interval.ms`: notices when the application stays away from polling. A call that waits is polling, its callbacks are not. */
import type { Runtime } from '../../common/runtime/runtime.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'

export class PollWatch {
  readonly #runtime: Runtime
  readonly #maxIntervalMs: number
  readonly #onExceeded: (overdueMs: number) => void
  #lastMs: number
  #depth = 0
  #timer: Timer | undefined
  #isWatching = false

  constructor(runtime: Runtime, maxIntervalMs: number, onExceeded: (elapsedMs: number) => void) {
    this.#runtime = runtime
    this.#maxIntervalMs = maxIntervalMs
    this.#onExceeded = onExceeded
    this.#lastMs = runtime.clock.monotonicMs()
  }

  /** From now on, or from the next poll after it was exceeded. */
  start(): void {
    if (this.#isWatching) return
    this.#isWatching = true
    this.#lastMs = this.#runtime.clock.monotonicMs()
    this.#schedule(this.#maxIntervalMs)
  }

  stop(): void {
    this.#isWatching = false
    this.#timer?.cancel()
    this.#timer = undefined
  }

  enter(): void {
    this.#depth++
  }

  leave(): void {
    this.#depth--
    this.touch()
  }

  /** A callback of the application runs inside the calls that wait: its time counts, for nobody polls meanwhile. */
  async during<T>(callback: () => Promise<T>): Promise<T> {
    const waiting = this.#depth
    this.#depth = 0
    this.touch()
    try {
      return await callback()
    } finally {
      // One that blocked the thread has kept the timer from firing.
      if (this.#elapsedMs() >= this.#maxIntervalMs) this.#check()
      this.#depth += waiting
    }
  }

  /** The time begins anew. */
  touch(): void {
    this.#lastMs = this.#runtime.clock.monotonicMs()
  }

  #schedule(delayMs: number): void {
    this.#timer = this.#runtime.scheduler.schedule('max.poll.interval.ms', delayMs, () => this.#check())
  }

  #check(): void {
    if (!this.#isWatching) return
    const elapsedMs = this.#elapsedMs()
    if (elapsedMs < this.#maxIntervalMs) {
      this.#schedule(Math.max(1, this.#maxIntervalMs - elapsedMs))
      return
    }
    this.stop()
    this.#onExceeded(elapsedMs)
  }

  #elapsedMs(): number {
    return this.#depth > 0 ? 0 : this.#runtime.clock.monotonicMs() - this.#lastMs
  }
}
