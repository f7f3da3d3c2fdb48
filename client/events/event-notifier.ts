/**
 * Tells listeners. Owned by a handle's core; the handle itself is the emitter. Costs a look-up when nobody listens. A
 * listener that throws never reaches the machinery: what it threw becomes an `error` event, or is logged.
 */
import type { EventEmitter } from 'node:events'
import type { Reactor } from '../../common/runtime/reactor.ts'
import { type Logger, LogLevel } from '../log.ts'
import type { AnyEvents, EventName } from './event-maps.ts'

/** Events of all kinds go through one emitter: the handle's own type says which it has. */
export type Emitter = Pick<EventEmitter, 'emit' | 'listenerCount'>

export class EventNotifier {
  readonly #emitter: Emitter | undefined
  readonly #reactor: Reactor
  readonly #logger: () => Logger

  /** @param emitter undefined: nobody can listen */
  constructor(emitter: Emitter | undefined, reactor: Reactor, logger: () => Logger) {
    this.#emitter = emitter
    this.#reactor = reactor
    this.#logger = logger
  }

  has(name: EventName): boolean {
    return this.#emitter !== undefined && this.#emitter.listenerCount(name) > 0
  }

  /** Tells in a task of its own: listeners find the state that the present turn leaves behind. */
  tell<N extends EventName>(name: N, ...args: AnyEvents[N]): void {
    if (this.has(name)) this.#reactor.post(() => this.tellNow(name, ...args))
  }

  /** Tells at once, for what goes with a serving call. */
  tellNow<N extends EventName>(name: N, ...args: AnyEvents[N]): void {
    if (!this.has(name)) return
    try {
      this.#emitter?.emit(name, ...args)
    } catch (thrown) {
      const error = asError(thrown)
      if (name === 'error' || name === 'log') this.#log(error)
      else this.error(error)
    }
  }

  /** To the listeners of `error`, else to the log: a failure nobody waits for never ends the process. */
  error(thrown: unknown): void {
    const error = asError(thrown)
    if (this.has('error')) this.tell('error', error)
    else this.#log(error)
  }

  #log(error: Error): void {
    this.#logger().log(LogLevel.ERR, 'ERROR', error.stack ?? error.message)
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown })
}
