/** Clock and pauses of the façade; one for each `Kafka`. Its timers keep the process alive only while somebody waits. */
import { createNodeRuntime } from '../../common/runtime/node/runtime.ts'
import type { Runtime } from '../../common/runtime/runtime.ts'

export class Timing {
  readonly #runtime: Pick<Runtime, 'clock' | 'scheduler'>

  constructor(
    runtime: Pick<Runtime, 'clock' | 'scheduler'> = createNodeRuntime({ timersKeepProcessAlive: true }),
  ) {
    this.#runtime = runtime
  }

  /** Milliseconds since 1970. */
  wallMs(): number {
    return this.#runtime.clock.wallMs()
  }

  monotonicMs(): number {
    return this.#runtime.clock.monotonicMs()
  }

  /** Ends early when the signal aborts. */
  pause(label: string, delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel()
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const timer = this.#runtime.scheduler.schedule(label, delayMs, wake)
      signal?.addEventListener('abort', wake)
      if (signal?.aborted === true) wake()
    })
  }
}
