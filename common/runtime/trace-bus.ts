/**
 * The implementation of `Trace`: events go to the listeners at once, in the order they came. Owned by the runtime; holds
 * nothing, so journals bound themselves. A listener that throws is taken off and the others are told.
 */
import type { Trace, TraceEvent, TraceLevel } from './trace.ts'

const severity: Readonly<Record<TraceLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

interface Listening {
  readonly listener: (event: TraceEvent) => void
  readonly minimum: number
}

export class TraceBus implements Trace {
  enabled = false
  #listening: readonly Listening[] = []

  emit(event: TraceEvent): void {
    const level = severity[event.level]
    for (const entry of this.#listening) {
      if (level < entry.minimum) continue
      try {
        entry.listener(event)
      } catch (error) {
        this.#remove(entry)
        this.emit({
          level: 'error',
          kind: 'trace.listener-failed',
          message: 'A trace listener threw and was removed.',
          error,
        })
      }
    }
  }

  listen(listener: (event: TraceEvent) => void, level: TraceLevel = 'debug'): () => void {
    const entry: Listening = { listener, minimum: severity[level] }
    this.#listening = [...this.#listening, entry]
    this.#update()
    return () => this.#remove(entry)
  }

  #remove(entry: Listening): void {
    this.#listening = this.#listening.filter((other) => other !== entry)
    this.#update()
  }

  #update(): void {
    this.enabled = this.#listening.some((entry) => entry.minimum === severity.debug)
  }
}
