/**
 * A scheduler in real time beside a virtual clock: each timer is one of Node's and never keeps the process alive. Owned by the
 * runtime. For few timers; everything that the product does by the clock belongs to the runtime's own scheduler.
 */
import { maxAlarmDelayMs } from '../limits.ts'
import type { Reactor } from '../reactor.ts'
import type { SchedulerScope, Timer } from '../scheduler.ts'
import { systemClock } from './clock.ts'

export class RealTimers implements SchedulerScope {
  readonly owner: string
  readonly #reactor: Reactor
  readonly #timers = new Set<RealTimer>()
  #isClosed = false

  constructor(reactor: Reactor, owner = 'real time') {
    this.#reactor = reactor
    this.owner = owner
  }

  schedule(label: string, delayMs: number, callback: () => void): Timer {
    const timer = new RealTimer(label, delayMs, {
      onDue: () => {
        if (!this.#timers.delete(timer)) return
        this.#reactor.post(() => {
          if (!timer.isCancelled) callback()
        })
      },
      onCancel: () => this.#timers.delete(timer),
    })
    if (this.#isClosed) timer.cancel()
    else this.#timers.add(timer)
    return timer
  }

  pending(): readonly Timer[] {
    return [...this.#timers].sort((left, right) => left.dueMs - right.dueMs)
  }

  scope(owner: string): SchedulerScope {
    return new RealTimers(this.#reactor, owner)
  }

  /** Real time does not stop. */
  freeze(): void {}
  thaw(): void {}

  close(): void {
    this.#isClosed = true
    for (const timer of [...this.#timers]) timer.cancel()
  }
}

class RealTimer implements Timer {
  readonly label: string
  readonly dueMs: number
  isCancelled = false
  readonly #timeout: NodeJS.Timeout
  readonly #onCancel: () => void

  constructor(label: string, delayMs: number, events: { onDue: () => void; onCancel: () => void }) {
    this.label = label
    this.dueMs = systemClock.monotonicMs() + delayMs
    this.#onCancel = events.onCancel
    this.#timeout = setTimeout(events.onDue, Math.min(Math.max(0, delayMs), maxAlarmDelayMs))
    this.#timeout.unref()
  }

  cancel(): void {
    this.isCancelled = true
    clearTimeout(this.#timeout)
    this.#onCancel()
  }
}
