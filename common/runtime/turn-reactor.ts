/**
 * The implementation of `Reactor`. One per process (or per simulation); owns the queue of tasks and the sets of what asked
 * for a phase. Invariants: turns never nest; everything that was appended in a turn is flushed before anything is sent;
 * an exception ends the task it came from and nothing else. Limits: `limits.ts`.
 *
 *            post · touch · flushLater · sendLater · alarm
 *                              │ driver.request (once)
 *                              ▼
 *     ┌─ turn: timers due → tasks ─► ( wake until quiet → flush )* ─► send ─┐
 *     └────────── work left: request again · none: arm the earliest timer ──┘
 */
import type { Clock } from './clock.ts'
import {
  maxSettleRoundsPerTurn,
  maxTasksPerTurn,
  maxTimersPerTurn,
  maxTurnMs,
  maxTurnsUntilIdle,
  maxWakesPerTurn,
} from './limits.ts'
import type { Flushable, Reactor, Sendable, Wakeable } from './reactor.ts'
import type { Trace } from './trace.ts'

/** Starts turns. The real one is in `node/turn-driver.ts`. */
export interface TurnDriver {
  /** Called at most once until `runTurn` was called. Must not call it at once. */
  request(runTurn: () => void): void
  /** Calls when the event loop came by; absent where every turn begins so. */
  readonly afterInput?: (task: () => void) => void
}

/** For tests and simulations that call `runUntilIdle` themselves. */
export const manualDriver: TurnDriver = { request: () => {} }

/** What the reactor asks of the scheduler. */
export interface TurnTimers {
  hasDue(): boolean
  /** Fires at most `limit` timers that are due; `run` guards each callback. @returns whether more are due */
  runDue(limit: number, run: (callback: () => void) => void): boolean
  /** Called when no turn is due any more: sets the alarm for the earliest timer. */
  arm(): void
}

export type TurnPhase = 'timer' | 'task' | 'wake' | 'flush' | 'send'

export interface TurnReactorOptions {
  readonly clock: Clock
  readonly trace: Trace
  readonly driver: TurnDriver
  /** Told of every exception that escaped. What it throws leaves `runTurn` when the turn is complete. */
  readonly onBug?: (error: unknown, phase: TurnPhase) => void
}

export class TurnReactor implements Reactor {
  /** Called after each turn, when everything it changed has settled: for those who wait for a state. Must not throw. */
  onTurnEnd: (() => void) | undefined
  readonly #clock: Clock
  readonly #trace: Trace
  readonly #driver: TurnDriver
  readonly #onBug: ((error: unknown, phase: TurnPhase) => void) | undefined
  readonly #onDriver = (): void => {
    if (this.#isTurnDue) this.runTurn()
  }
  readonly #runTimer = (callback: () => void): void => this.#guard(callback, 'timer')
  #timers: TurnTimers | undefined
  #tasks: Array<(() => void) | undefined> = []
  #nextTask = 0
  #touched = new Set<Wakeable>()
  #spareTouched = new Set<Wakeable>()
  #toFlush = new Set<Flushable>()
  #spareToFlush = new Set<Flushable>()
  #toSend = new Set<Sendable>()
  #spareToSend = new Set<Sendable>()
  #isTurnDue = false
  #isRunning = false
  #turn = 0
  #rethrown: { readonly error: unknown } | undefined

  constructor(options: TurnReactorOptions) {
    this.#clock = options.clock
    this.#trace = options.trace
    this.#driver = options.driver
    this.#onBug = options.onBug
  }

  get turn(): number {
    return this.#turn
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** true while a turn runs or will run without anything else happening: no alarm is needed. */
  get isBusy(): boolean {
    return this.#isRunning || this.#isTurnDue
  }

  attachTimers(timers: TurnTimers): void {
    this.#timers = timers
  }

  post(task: () => void): void {
    this.#tasks.push(task)
    this.requestTurn()
  }

  postAfterInput(task: () => void): void {
    const { afterInput } = this.#driver
    if (afterInput === undefined) this.post(task)
    else afterInput(() => this.post(task))
  }

  touch(target: Wakeable): void {
    this.#touched.add(target)
    this.requestTurn()
  }

  flushLater(target: Flushable): void {
    this.#toFlush.add(target)
    this.requestTurn()
  }

  sendLater(target: Sendable): void {
    this.#toSend.add(target)
    this.requestTurn()
  }

  /** Asks for a turn even when nothing was posted: a timer may be due. */
  requestTurn(): void {
    if (this.#isTurnDue || this.#isRunning) return
    this.#isTurnDue = true
    this.#driver.request(this.#onDriver)
  }

  /** @param maxTimers 0 runs a turn without its timer phase */
  runTurn(maxTimers: number = maxTimersPerTurn): void {
    if (this.#isRunning) throw new Error('a turn was started inside a turn')
    this.#isTurnDue = false
    this.#isRunning = true
    this.#turn++
    const deadlineMs = this.#clock.monotonicMs() + maxTurnMs
    const moreDue = (maxTimers > 0 && this.#timers?.runDue(maxTimers, this.#runTimer)) === true
    this.#runTasks(deadlineMs)
    this.#settle()
    this.#send()
    this.#isRunning = false
    this.onTurnEnd?.()
    if (moreDue || this.#hasWork()) this.requestTurn()
    else this.#timers?.arm()
    const rethrown = this.#rethrown
    if (rethrown !== undefined) {
      this.#rethrown = undefined
      throw rethrown.error
    }
  }

  /**
   * Runs turns until nothing is left to do at the present time. Timers that are due fire one by one, each only when
   * all that the one before it caused has been done. For tests, simulations and virtual time.
   */
  runUntilIdle(maxTurns: number = maxTurnsUntilIdle): void {
    for (let count = 0; this.runNextTurn(); count++) {
      if (count >= maxTurns) throw new Error(`the reactor was not idle after ${maxTurns} turns`)
    }
  }

  /** Runs one turn, as `runUntilIdle` runs many: for those who have something to do between two. @returns whether one was due */
  runNextTurn(): boolean {
    const hasWork = this.#hasWork()
    if (!hasWork && this.#timers?.hasDue() !== true) return false
    this.runTurn(hasWork ? 0 : 1)
    return true
  }

  #hasWork(): boolean {
    return (
      this.#nextTask < this.#tasks.length ||
      this.#touched.size > 0 ||
      this.#toFlush.size > 0 ||
      this.#toSend.size > 0
    )
  }

  #runTasks(deadlineMs: number): void {
    for (let count = 0; count < maxTasksPerTurn && this.#nextTask < this.#tasks.length; count++) {
      const task = this.#tasks[this.#nextTask] as () => void
      this.#tasks[this.#nextTask++] = undefined
      this.#guard(task, 'task')
      if (this.#clock.monotonicMs() >= deadlineMs) break
    }
    if (this.#nextTask === this.#tasks.length) {
      this.#tasks.length = 0
      this.#nextTask = 0
    } else if (this.#nextTask * 2 > this.#tasks.length) {
      this.#tasks.splice(0, this.#nextTask)
      this.#nextTask = 0
    }
  }

  #settle(): void {
    let wakesLeft = maxWakesPerTurn
    for (let round = 0; round < maxSettleRoundsPerTurn; round++) {
      wakesLeft = this.#wakeUntilQuiet(wakesLeft)
      this.#flush()
      if (this.#toFlush.size === 0 && (this.#touched.size === 0 || wakesLeft <= 0)) return
    }
    this.#trace.emit({
      level: 'error',
      kind: 'reactor.livelock',
      message: `Flushing kept asking for more work after ${maxSettleRoundsPerTurn} rounds; the rest waits for the next turn.`,
    })
  }

  #wakeUntilQuiet(wakes: number): number {
    let left = wakes
    while (this.#touched.size > 0) {
      if (left <= 0) {
        this.#trace.emit({
          level: 'error',
          kind: 'reactor.livelock',
          message: `Objects kept touching each other after ${maxWakesPerTurn} wakes; the rest waits for the next turn.`,
        })
        return left
      }
      const batch = this.#touched
      this.#touched = this.#spareTouched
      this.#spareTouched = batch
      left -= batch.size
      for (const target of batch) {
        try {
          target.wake()
        } catch (error) {
          this.#bug(error, 'wake')
        }
      }
      batch.clear()
    }
    return left
  }

  #flush(): void {
    const batch = this.#toFlush
    this.#toFlush = this.#spareToFlush
    this.#spareToFlush = batch
    for (const target of batch) {
      try {
        target.flush()
      } catch (error) {
        this.#bug(error, 'flush')
      }
    }
    batch.clear()
  }

  #send(): void {
    const batch = this.#toSend
    this.#toSend = this.#spareToSend
    this.#spareToSend = batch
    for (const target of batch) {
      try {
        target.sendPending()
      } catch (error) {
        this.#bug(error, 'send')
      }
    }
    batch.clear()
  }

  #guard(callback: () => void, phase: TurnPhase): void {
    try {
      callback()
    } catch (error) {
      this.#bug(error, phase)
    }
  }

  #bug(error: unknown, phase: TurnPhase): void {
    this.#trace.emit({
      level: 'error',
      kind: 'reactor.bug',
      message: `A ${phase} threw: ${String(error)}`,
      error,
    })
    try {
      this.#onBug?.(error, phase)
    } catch (thrown) {
      this.#rethrown ??= { error: thrown }
    }
  }
}
