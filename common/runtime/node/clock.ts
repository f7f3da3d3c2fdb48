/** The clock of the machine, and the one that a server goes by. */
import { performance } from 'node:perf_hooks'
import type { Clock } from '../clock.ts'

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
}

/**
 * For a server whose peers live in the same process: time in which the process did not run (a suspended machine, a long collection of
 * garbage, code of the application that held the event loop) is taken out of its monotonic time. Else all time-outs would be due at once
 * when it runs again, those of its peers as well, before anybody could say that he is alive.
 */
export class ServingClock implements Clock {
  #missedMs = 0

  wallMs(): number {
    return Date.now()
  }

  monotonicMs(): number {
    return performance.now() - this.#missedMs
  }

  /** The last `durationMs` did not pass. */
  forget(durationMs: number): void {
    this.#missedMs += durationMs
  }
}
