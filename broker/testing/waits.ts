/**
 * Waits that look again when something has happened, never by the clock: a condition in this process is looked at after each turn that could
 * have changed it. Owner: the cluster of a test.
 */
import type { Scheduler } from '../../common/runtime/scheduler.ts'
import type { TurnReactor } from '../../common/runtime/turn-reactor.ts'

/** Below the five seconds after which vitest and jest give up: the words of the wait must come first. */
export const DEFAULT_WAIT_MS = 4_000
/** When the clock is virtual: the time of the cluster. */
export const DEFAULT_VIRTUAL_WAIT_MS = 60_000

/** Pause between two looks that need the wire. */
const ASK_AGAIN_MS = 5

export interface WaitOptions {
  readonly timeoutMs?: number
}

export class WaitTimeoutError extends Error {
  override readonly name = 'WaitTimeoutError'
}

export type Checked<T> = { readonly value: T } | undefined

export interface WaitsOptions {
  readonly realTimers: Scheduler
  /** Absent when the clock is real. */
  readonly virtualTimers: Scheduler | undefined
  /** Calls back whenever something may have changed. @returns a function that stops it */
  readonly onChange: (callback: () => void) => () => void
  /** The latest requests, for the message. */
  readonly journalTail: () => readonly string[]
}

export class Waits {
  readonly #options: WaitsOptions
  readonly #open = new Set<{ fail: (reason: string) => void }>()
  #isEnded = false

  constructor(options: WaitsOptions) {
    this.#options = options
  }

  /**
   * @param check the value when it is there; asked now and after every change
   * @param present what is there at present, in words
   */
  until<T>(
    what: string,
    check: () => Checked<T> | Promise<Checked<T>>,
    present: () => string | Promise<string>,
    options: WaitOptions = {},
  ): Promise<T> {
    const { realTimers, virtualTimers, onChange, journalTail } = this.#options
    if (this.#isEnded)
      return Promise.reject(new Error(`The cluster was stopped: nobody can wait for ${what} any more.`))
    return new Promise<T>((resolve, reject) => {
      let isDone = false
      let isAsking = false
      let mustAskAgain = false
      const end = (): void => {
        isDone = true
        stop()
        for (const timer of timers) timer.cancel()
        this.#open.delete(entry)
      }
      const settle = (checked: Checked<T>): void => {
        if (isDone || checked === undefined) return
        end()
        resolve(checked.value)
      }
      const fail = (error: unknown): void => {
        if (isDone) return
        end()
        reject(error)
      }
      const failWith = (reason: string): void => {
        if (isDone) return
        end()
        Promise.resolve()
          .then(present)
          .then(
            (now) => {
              const tail = journalTail()
              const journal = tail.length === 0 ? '' : `\nThe latest requests:\n  ${tail.join('\n  ')}`
              reject(new WaitTimeoutError(`${reason} for ${what}: ${now}.${journal}`))
            },
            (error: unknown) => reject(error),
          )
      }
      const ask = (): void => {
        if (isDone) return
        if (isAsking) {
          mustAskAgain = true
          return
        }
        try {
          const checked = check()
          if (!(checked instanceof Promise)) {
            settle(checked)
            return
          }
          isAsking = true
          checked.then(
            (value) => {
              isAsking = false
              settle(value)
              if (!mustAskAgain) return
              mustAskAgain = false
              // What it asked over the wire was a change itself: without a pause it would ask for ever.
              realTimers.schedule(`asking again for ${what}`, ASK_AGAIN_MS, ask)
            },
            (error: unknown) => fail(error),
          )
        } catch (error) {
          fail(error)
        }
      }
      const entry = { fail: failWith }
      this.#open.add(entry)
      const stop = onChange(ask)
      const limitMs = options.timeoutMs ?? DEFAULT_WAIT_MS
      const timers =
        virtualTimers === undefined
          ? [realTimers.schedule(`wait for ${what}`, limitMs, () => failWith(`Waited ${limitMs} ms in vain`))]
          : [
              virtualTimers.schedule(`wait for ${what}`, options.timeoutMs ?? DEFAULT_VIRTUAL_WAIT_MS, () =>
                failWith(`Waited ${options.timeoutMs ?? DEFAULT_VIRTUAL_WAIT_MS} ms of virtual time in vain`),
              ),
              realTimers.schedule(`wait for ${what}`, DEFAULT_WAIT_MS, () =>
                failWith(
                  `Waited ${DEFAULT_WAIT_MS} ms of real time in vain (the clock is virtual: advance it)`,
                ),
              ),
            ]
      ask()
    })
  }

  /** Everybody who waits is told so, and whoever comes later. */
  end(reason: string): void {
    this.#isEnded = true
    for (const { fail } of [...this.#open]) fail(reason)
  }
}

/** Changes of this process: the end of each turn. Costs nothing while nobody waits. */
export function turnChanges(reactor: TurnReactor): (callback: () => void) => () => void {
  const callbacks = new Set<() => void>()
  return (callback) => {
    callbacks.add(callback)
    reactor.onTurnEnd = () => {
      for (const other of [...callbacks]) other()
    }
    return () => {
      callbacks.delete(callback)
      if (callbacks.size === 0) reactor.onTurnEnd = undefined
    }
  }
}

/** Changes of a cluster elsewhere: nobody tells us, so we look now and then. */
export function periodicChanges(
  scheduler: Scheduler,
  intervalMs: number,
): (callback: () => void) => () => void {
  return (callback) => {
    let isStopped = false
    const again = (): void => {
      scheduler.schedule('looking at the cluster again', intervalMs, () => {
        if (isStopped) return
        callback()
        again()
      })
    }
    again()
    return () => {
      isStopped = true
    }
  }
}
