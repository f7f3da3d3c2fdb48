/**
 * The implementation of `Scheduler`: all timers of a process on one heap, fired by the reactor's timer phase. Owned by the
 * runtime. Invariants: a callback runs at most once and only inside a turn; one alarm at most is set, for the earliest
 * timer or an earlier moment, and none is newly set while a turn is due.
 */
import type { Clock } from './clock.ts'
import type { Random } from './random.ts'
import type { Scheduler, SchedulerScope, Timer } from './scheduler.ts'
import { StallWatch } from './stall-watch.ts'
import { type HeapEntry, isEarlier, TimerHeap } from './timer-heap.ts'
import type { TurnReactor, TurnTimers } from './turn-reactor.ts'

/** Something that calls back once when a time has passed. The real one is in `node/turn-driver.ts`. */
export interface Alarm {
  /** Replaces what was set before. */
  set(delayMs: number, ring: () => void): void
  clear(): void
}

/** For virtual time: only what is due now needs a turn; the rest waits for the clock's owner. */
export const virtualAlarm: Alarm = {
  set: (delayMs, ring) => {
    if (delayMs <= 0) ring()
  },
  clear: () => {},
}

export interface HeapSchedulerOptions {
  readonly clock: Clock
  readonly reactor: TurnReactor
  readonly alarm: Alarm
  /** Orders timers that are due at the same time; without it they fire in the order they were made. */
  readonly tieBreaker?: Random
  /** Told how long the process stood still beyond `maxLatenessMs`, before any timer is looked at; the clock may go back by that. */
  readonly onStall?: (durationMs: number) => void
}

class HeapTimer implements Timer, HeapEntry {
  readonly label: string
  readonly dueMs: number
  readonly tieBreak: number
  readonly sequence: number
  readonly scope: Scope | undefined
  heapIndex = -1
  /** undefined once it has fired or was cancelled. */
  callback: (() => void) | undefined
  readonly #scheduler: HeapScheduler

  constructor(
    scheduler: HeapScheduler,
    init: { label: string; dueMs: number; tieBreak: number; sequence: number; scope: Scope | undefined },
    callback: (() => void) | undefined,
  ) {
    this.#scheduler = scheduler
    this.label = init.label
    this.dueMs = init.dueMs
    this.tieBreak = init.tieBreak
    this.sequence = init.sequence
    this.scope = init.scope
    this.callback = callback
  }

  cancel(): void {
    if (this.callback === undefined) return
    this.callback = undefined
    this.#scheduler.forget(this)
  }
}

export class HeapScheduler implements Scheduler, TurnTimers {
  readonly #clock: Clock
  readonly #reactor: TurnReactor
  readonly #alarm: Alarm
  readonly #tieBreaker: Random | undefined
  readonly #heap = new TimerHeap<HeapTimer>()
  /** Timers of frozen scopes that have come due. */
  #held = new Set<HeapTimer>()
  #sequence = 0
  #alarmMs: number | undefined
  readonly #watch: StallWatch | undefined
  readonly #ring = (): void => {
    this.#alarmMs = undefined
    this.#reactor.requestTurn()
  }

  constructor(options: HeapSchedulerOptions) {
    this.#clock = options.clock
    this.#reactor = options.reactor
    this.#alarm = options.alarm
    this.#tieBreaker = options.tieBreaker
    this.#watch = options.onStall === undefined ? undefined : new StallWatch(options.clock, options.onStall)
    options.reactor.attachTimers(this)
  }

  schedule(label: string, delayMs: number, callback: () => void): Timer {
    return this.add(undefined, label, delayMs, callback)
  }

  pending(): readonly Timer[] {
    return [...this.#heap.values(), ...this.#held].sort((a, b) => (isEarlier(a, b) ? -1 : 1))
  }

  scope(owner: string): SchedulerScope {
    return new Scope(this, owner, undefined)
  }

  /** The timer that will fire next unless something changes: the earliest that no frozen scope holds back. */
  nextTimer(): Timer | undefined {
    const first = this.#heap.peek()
    if (first?.scope?.isFrozen !== true) return first
    return this.pending().find((timer) => timer instanceof HeapTimer && timer.scope?.isFrozen !== true)
  }

  nextDueMs(): number | undefined {
    return this.nextTimer()?.dueMs
  }

  /** Cancels everything and clears the alarm. */
  close(): void {
    for (const timer of this.#heap.removeWhere(() => true)) timer.callback = undefined
    for (const timer of this.#held) timer.callback = undefined
    this.#held.clear()
    this.#clearAlarm()
  }

  hasDue(): boolean {
    this.#holdFrozen()
    const first = this.#heap.peek()
    return first !== undefined && first.dueMs <= this.#clock.monotonicMs()
  }

  runDue(limit: number, run: (callback: () => void) => void): boolean {
    this.#watch?.onAwake()
    const nowMs = this.#clock.monotonicMs()
    // Virtual time may have passed the alarm without letting it ring.
    if (this.#alarmMs !== undefined && this.#alarmMs <= nowMs) this.#alarmMs = undefined
    // Taken off first, so that timers made by a callback wait for the next turn even when they are due at once.
    const due: HeapTimer[] = []
    while (due.length < limit) {
      const first = this.#heap.peek()
      if (first === undefined || first.dueMs > nowMs) break
      this.#heap.remove(first)
      if (first.scope?.isFrozen === true) this.#held.add(first)
      else due.push(first)
    }
    for (const timer of due) {
      const callback = timer.callback
      if (callback === undefined) continue
      if (timer.scope?.isClosed === true) continue
      if (timer.scope?.isFrozen === true) {
        this.#held.add(timer)
        continue
      }
      timer.callback = undefined
      run(callback)
    }
    return this.hasDue()
  }

  arm(): void {
    this.#watch?.onAwake()
    const first = this.#heap.peek()
    // An alarm that rings too early costs one empty turn; setting it anew for every timer would cost more.
    if (first === undefined) this.#clearAlarm()
    else if (this.#alarmMs === undefined || this.#alarmMs > first.dueMs) {
      this.#alarmMs = first.dueMs
      this.#alarm.set(first.dueMs - this.#clock.monotonicMs(), this.#ring)
    }
    this.#watch?.onRest(this.#alarmMs ?? Number.POSITIVE_INFINITY)
  }

  /** @internal for scopes */
  add(scope: Scope | undefined, label: string, delayMs: number, callback: () => void): Timer {
    if (Number.isNaN(delayMs)) throw new Error(`the delay of "${label}" is not a number`)
    const isRefused = scope?.isClosed === true
    const init = {
      label,
      dueMs: this.#clock.monotonicMs() + Math.max(0, delayMs),
      tieBreak: this.#tieBreaker?.int(2 ** 32) ?? 0,
      sequence: this.#sequence++,
      scope,
    }
    const timer = new HeapTimer(this, init, isRefused ? undefined : callback)
    // An infinite delay is a timer that never fires.
    if (!isRefused && init.dueMs !== Number.POSITIVE_INFINITY) {
      this.#heap.push(timer)
      if (!this.#reactor.isBusy) this.arm()
    }
    return timer
  }

  /** @internal for timers */
  forget(timer: HeapTimer): void {
    if (timer.heapIndex >= 0) this.#heap.remove(timer)
    else this.#held.delete(timer)
    if (this.#heap.size === 0) this.#clearAlarm()
  }

  /** @internal for scopes */
  release(): void {
    for (const timer of this.#held) {
      if (timer.scope?.isFrozen === true) continue
      this.#held.delete(timer)
      this.#heap.push(timer)
    }
    if (!this.#reactor.isBusy) this.arm()
  }

  /** @internal for scopes */
  dropClosed(): void {
    const isClosed = (timer: HeapTimer): boolean => timer.scope?.isClosed === true
    for (const timer of this.#heap.removeWhere(isClosed)) timer.callback = undefined
    for (const timer of this.#held) {
      if (!isClosed(timer)) continue
      timer.callback = undefined
      this.#held.delete(timer)
    }
    if (this.#heap.size === 0) this.#clearAlarm()
  }

  #holdFrozen(): void {
    const nowMs = this.#clock.monotonicMs()
    for (;;) {
      const first = this.#heap.peek()
      if (first === undefined || first.dueMs > nowMs || first.scope?.isFrozen !== true) return
      this.#heap.remove(first)
      this.#held.add(first)
    }
  }

  #clearAlarm(): void {
    if (!this.#reactor.isBusy) this.#watch?.onRest(Number.POSITIVE_INFINITY)
    if (this.#alarmMs === undefined) return
    this.#alarmMs = undefined
    this.#alarm.clear()
  }
}

class Scope implements SchedulerScope {
  readonly owner: string
  readonly #scheduler: HeapScheduler
  readonly #parent: Scope | undefined
  #isFrozen = false
  #isClosed = false

  constructor(scheduler: HeapScheduler, owner: string, parent: Scope | undefined) {
    this.#scheduler = scheduler
    this.owner = owner
    this.#parent = parent
  }

  get isFrozen(): boolean {
    return this.#isFrozen || this.#parent?.isFrozen === true
  }

  get isClosed(): boolean {
    return this.#isClosed || this.#parent?.isClosed === true
  }

  schedule(label: string, delayMs: number, callback: () => void): Timer {
    return this.#scheduler.add(this, label, delayMs, callback)
  }

  pending(): readonly Timer[] {
    return this.#scheduler.pending().filter((timer) => timer instanceof HeapTimer && this.#holds(timer.scope))
  }

  scope(owner: string): SchedulerScope {
    return new Scope(this.#scheduler, owner, this)
  }

  freeze(): void {
    this.#isFrozen = true
  }

  thaw(): void {
    if (!this.#isFrozen) return
    this.#isFrozen = false
    this.#scheduler.release()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#scheduler.dropClosed()
  }

  #holds(scope: Scope | undefined): boolean {
    for (let current = scope; current !== undefined; current = current.#parent) {
      if (current === this) return true
    }
    return false
  }
}
