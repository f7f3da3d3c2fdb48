/**
 * The trailing options object of admin calls: seconds under the documented names, or milliseconds under names in `…Ms`. What
 * a call does not know is a TypeError; what is out of range a ValueError.
 */
import { ValueError } from '../errors.ts'
import { checkSignal } from '../timeouts.ts'

export interface AdminOptions {
  /** Milliseconds for the whole call; default `socket.timeout.ms`. */
  readonly requestTimeoutMs?: number
  /** The same in seconds. */
  readonly requestTimeout?: number
  readonly signal?: AbortSignal
}

export interface OperationOptions extends AdminOptions {
  /**
   * How long the broker waits for the effect to spread; -1 as long as the call lasts. A controller since KRaft begins nothing
   * that is given 0: REQUEST_TIMED_OUT.
   */
  readonly operationTimeoutMs?: number
  /** The same in seconds. */
  readonly operationTimeout?: number
}

export interface ValidateOptions {
  /** Checks without applying. Default false. */
  readonly validateOnly?: boolean
}

export interface BrokerOptions {
  /** Sends to this broker. */
  readonly broker?: number
}

export interface AuthorizedOptions {
  /** Asks for the caller's permitted operations. Default false. */
  readonly includeAuthorizedOperations?: boolean
}

/** What every call is bound by. */
export interface AdminLimits {
  /** undefined: `socket.timeout.ms` */
  readonly requestTimeoutMs: number | undefined
  readonly signal: AbortSignal | undefined
}

const maxTimeoutMs = 3_600_000

/** The options object of one call: each getter marks a name as known, `limits` refuses what is left. */
export class OptionReader {
  readonly #options: Readonly<Record<string, unknown>>
  readonly #unread: Set<string>

  constructor(options: unknown) {
    if (
      options !== undefined &&
      options !== null &&
      (typeof options !== 'object' || Array.isArray(options))
    ) {
      throw new TypeError('options must be an object')
    }
    this.#options = (options ?? {}) as Readonly<Record<string, unknown>>
    this.#unread = new Set(Object.keys(this.#options))
  }

  /** undefined when absent, null included. */
  raw(name: string): unknown {
    this.#unread.delete(name)
    return this.#options[name] ?? undefined
  }

  /** False when absent. */
  flag(name: string): boolean {
    const value = this.raw(name)
    if (value !== undefined && typeof value !== 'boolean') throw new TypeError(`${name} must be a boolean`)
    return value === true
  }

  /** A whole number of at least `lowest`. */
  integer(name: string, lowest: number): number | undefined {
    const value = this.raw(name)
    if (value === undefined) return undefined
    if (typeof value !== 'number') throw new TypeError(`${name} must be a number`)
    if (!Number.isInteger(value) || value < lowest) {
      throw new ValueError(`${name} must be a whole number of at least ${lowest}, not ${value}`)
    }
    return value
  }

  /** Milliseconds, given as `name` in seconds or as `nameMs`. */
  timeoutMs(name: string, lowestMs = 0): number | undefined {
    const seconds = this.raw(name)
    const milliseconds = this.raw(`${name}Ms`)
    if (seconds !== undefined && milliseconds !== undefined) {
      throw new TypeError(`${name} and ${name}Ms exclude each other`)
    }
    const given = seconds ?? milliseconds
    if (given === undefined) return undefined
    const givenName = seconds === undefined ? `${name}Ms` : name
    if (typeof given !== 'number' || Number.isNaN(given)) throw new TypeError(`${givenName} must be a number`)
    if (given === -1 && lowestMs === -1) return -1
    const ms = seconds === undefined ? given : given * 1000
    if (ms < 0 || ms > maxTimeoutMs) {
      throw new ValueError(`${givenName} must be between ${lowestMs} and 3600 s, not ${given}`)
    }
    return ms
  }

  /** -1: as long as the call lasts. undefined: `socket.timeout.ms`. */
  operationTimeoutMs(): number | undefined {
    return this.timeoutMs('operationTimeout', -1)
  }

  /** What all calls share. To be read last: names that nobody read are a TypeError. */
  limits(): AdminLimits {
    const requestTimeoutMs = this.timeoutMs('requestTimeout')
    const signal = this.raw('signal')
    checkSignal(signal)
    for (const name of this.#unread) throw new TypeError(`unknown option "${name}"`)
    return { requestTimeoutMs, signal }
  }
}
