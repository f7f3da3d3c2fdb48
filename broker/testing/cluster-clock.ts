/**
 * The clock of a cluster whose time belongs to the test. Clients keep their own time: only what brokers do by the clock moves.
 */
import type { NodeRuntime } from '../../common/runtime/node/runtime.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { VirtualTime } from '../../common/runtime/virtual-clock.ts'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds, or a number with a unit: `45s`, `7d`. */
export type Duration = number | string

export function durationMs(duration: Duration): number {
  if (typeof duration === 'number') return duration
  const found = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(duration.trim())
  if (found === null)
    throw new Error(`"${duration}" is no time: write 500, "500ms", "45s", "10m", "2h" or "7d".`)
  return Number(found[1]) * (UNITS[found[2] as string] as number)
}

/** Turns of the event loop after which what was on its way through sockets has arrived. */
const SETTLE_TURNS = 4

export class ClusterClock {
  readonly #runtime: Pick<NodeRuntime, 'reactor'>
  readonly #time: VirtualTime

  /** @internal */
  constructor(runtime: Pick<NodeRuntime, 'reactor'>, time: VirtualTime) {
    this.#runtime = runtime
    this.#time = time
  }

  /** Wall clock of the brokers, in ms. */
  now(): number {
    return this.#time.now()
  }

  /** The timer that fires next. */
  nextTimer(): Timer | undefined {
    return this.#time.nextTimer()
  }

  /** Lets time pass; timers on the way fire in order. Resolves when what they caused has been done. */
  async advance(duration: Duration): Promise<void> {
    await this.settle()
    this.#time.advance(durationMs(duration))
    await this.settle()
  }

  /** Lets time pass to the next timer. @returns false when there is none */
  async advanceToNextTimer(): Promise<boolean> {
    await this.settle()
    const hasFired = this.#time.advanceToNextTimer()
    await this.settle()
    return hasFired
  }

  /** What is on its way arrives, and what it causes is done; no time passes. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < SETTLE_TURNS; turn++) await nextTurn(this.#runtime)
    this.#time.runUntilIdle()
  }
}

/** Resolves in a later turn: sockets have been read in between. */
export function nextTurn(runtime: Pick<NodeRuntime, 'reactor'>): Promise<void> {
  return new Promise((resolve) => runtime.reactor.post(resolve))
}

/** Longest pause that start and stop may take in virtual time at once: elections and heartbeats, but no session. */
const MAX_JUMP_MS = 5_000

/**
 * Moves virtual time on while something is under way that the test does not wait for, start and stop: only when nothing is left to do at the
 * present time.
 */
export async function letTimePass<T>(
  runtime: Pick<NodeRuntime, 'reactor' | 'time' | 'clock'>,
  work: Promise<T>,
): Promise<T> {
  const { time, clock } = runtime
  if (time === undefined) return work
  let isDone = false
  const ended = work.then(
    () => {
      isDone = true
    },
    () => {
      isDone = true
    },
  )
  for (let idleTurns = 0; !isDone; ) {
    await Promise.race([ended, nextTurn(runtime)])
    if (isDone) break
    idleTurns = runtime.reactor.isBusy ? 0 : idleTurns + 1
    if (idleTurns < SETTLE_TURNS) continue
    const next = time.nextTimer()
    if (next !== undefined && next.dueMs - clock.monotonicMs() <= MAX_JUMP_MS) time.advanceToNextTimer()
  }
  return work
}
