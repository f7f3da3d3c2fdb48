/**
 * What waits for the application: delivery reports, errors, statistics, log lines. Filled from the network side, emptied
 * only inside the application's serving calls. Owned by one handle.
 *
 * A callback that throws stops serving: the exception leaves the serving call, its event counts as served, the rest stays.
 */
import type { Runtime } from '../common/runtime/runtime.ts'
import type { Timer } from '../common/runtime/scheduler.ts'

export interface QueuedEvent {
  /** Whether no call is left. Must be right also after `serve` threw. */
  readonly isServed: boolean
  /** Calls the application once. */
  serve(): void
}

/** An event of one call. */
export class OnceEvent implements QueuedEvent {
  isServed = false
  readonly #call: () => void

  constructor(call: () => void) {
    this.#call = call
  }

  serve(): void {
    this.isServed = true
    this.#call()
  }
}

export class EventQueue {
  readonly #runtime: Runtime
  #events: QueuedEvent[] = []
  #head = 0
  #waiting = new Set<() => void>()
  #isClosed = false

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  get size(): number {
    return this.#events.length - this.#head
  }

  /** Whether a serving call waits. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0
  }

  push(event: QueuedEvent): void {
    this.#events.push(event)
    this.notify()
  }

  /** Ends the waits of serving calls, so that they look at their condition again. */
  notify(): void {
    if (this.#waiting.size === 0) return
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }

  /** No serving call waits any longer: what would come is not coming. */
  close(): void {
    this.#isClosed = true
    this.notify()
  }

  /** Serves what is there. @returns the number of calls made */
  serveReady(): number {
    let served = 0
    while (this.#head < this.#events.length) {
      const event = this.#events[this.#head] as QueuedEvent
      served++
      try {
        event.serve()
      } finally {
        if (event.isServed) this.#dropHead(event)
      }
    }
    this.#events = []
    this.#head = 0
    return served
  }

  /** Lets the event loop turn once, so that what has arrived at the sockets is processed. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.#runtime.reactor.postAfterInput(resolve))
  }

  /** Resolves when something was pushed or `notify` was called, when the time is over, or when the signal aborts. */
  wait(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      let timer: Timer | undefined
      const wake = (): void => {
        timer?.cancel()
        signal?.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      this.#waiting.add(wake)
      if (timeoutMs !== Number.POSITIVE_INFINITY) {
        timer = this.#runtime.scheduler.schedule('serving call waits for an event', timeoutMs, wake)
      }
      signal?.addEventListener('abort', wake)
      if (signal?.aborted === true) wake()
    })
  }

  /** Serves events until at least one was served, the time is over, or the queue is closed. */
  async poll(timeoutMs: number, signal?: AbortSignal): Promise<number> {
    signal?.throwIfAborted()
    const { clock } = this.#runtime
    const deadlineMs = clock.monotonicMs() + timeoutMs
    await this.turn()
    for (;;) {
      const served = this.serveReady()
      if (served > 0) return served
      signal?.throwIfAborted()
      const leftMs = deadlineMs - clock.monotonicMs()
      if (leftMs <= 0 || this.#isClosed) return 0
      await this.wait(leftMs, signal)
    }
  }

  #dropHead(event: QueuedEvent): void {
    // A callback may have served the queue itself.
    if (this.#events[this.#head] !== event) return
    this.#head++
    if (this.#head * 2 > this.#events.length && this.#head > 1024) {
      this.#events.splice(0, this.#head)
      this.#head = 0
    }
  }
}
