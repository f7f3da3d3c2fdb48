/**
 * What fails in the client or on a broker, as values (`KafkaError`) and as exceptions around them. The documented API's
 * exception tree, rendered for JavaScript's single inheritance.
 */
import { inspect } from 'node:util'
import { codeInfo, type KafkaErrorCodeName, kafkaErrorCodes } from './error-codes.ts'

export interface KafkaErrorFlags {
  /** The client instance cannot go on. */
  readonly fatal?: boolean
  /** The same call may be made again. */
  readonly retriable?: boolean
  /** The open transaction must be aborted; the producer stays usable. */
  readonly txnRequiresAbort?: boolean
}

/** Immutable; may be shared between events. Compares by code, also with numbers. */
class KafkaErrorClass {
  static {
    Object.defineProperty(KafkaErrorClass, 'name', { value: 'KafkaError' })
  }

  readonly #code: number
  readonly #reason: string | undefined
  readonly #flags: KafkaErrorFlags

  constructor(code: number, reason?: string | null, flags: KafkaErrorFlags = {}) {
    if (!Number.isInteger(code)) throw new TypeError('the code of a KafkaError must be an integer')
    this.#code = code
    // Brokers send empty messages too, which say nothing.
    this.#reason = reason || undefined
    this.#flags = { ...flags }
  }

  /** Below -1 local, otherwise the broker's. */
  code(): number {
    return this.#code
  }

  name(): string {
    return codeInfo(this.#code).name
  }

  str(): string {
    return this.#reason ?? codeInfo(this.#code).text
  }

  fatal(): boolean {
    return this.#flags.fatal === true
  }

  retriable(): boolean {
    return this.#flags.retriable === true
  }

  txnRequiresAbort(): boolean {
    return this.#flags.txnRequiresAbort === true
  }

  equals(other: unknown): boolean {
    return typeof other === 'number'
      ? other === this.#code
      : KafkaErrorClass.is(other) && other.code() === this.#code
  }

  compare(other: number | { code(): number }): number {
    return this.#code - (typeof other === 'number' ? other : other.code())
  }

  valueOf(): number {
    return this.#code
  }

  toString(): string {
    const flags = [
      this.fatal() ? 'FATAL' : '',
      this.retriable() ? 'RETRIABLE' : '',
      this.txnRequiresAbort() ? 'TXN_REQUIRES_ABORT' : '',
    ].filter((flag) => flag !== '')
    return `KafkaError{${[...flags, `code=${this.name()}`, `val=${this.#code}`, `str="${this.str()}"`].join(',')}}`
  }

  [inspect.custom](): string {
    return this.toString()
  }

  static is(value: unknown): value is InstanceType<typeof KafkaErrorClass> {
    return value instanceof KafkaErrorClass
  }
}

export type KafkaError = InstanceType<typeof KafkaErrorClass>
export const KafkaError: typeof KafkaErrorClass & { readonly [N in KafkaErrorCodeName]: number } =
  Object.assign(KafkaErrorClass, kafkaErrorCodes)

export class KafkaException extends Error {
  override readonly name: string = 'KafkaException'
  readonly args: readonly [KafkaError]

  constructor(error: KafkaError, options?: ErrorOptions) {
    super(error.str(), options)
    this.args = [error]
  }

  get error(): KafkaError {
    return this.args[0]
  }
}

/** The local queue has no room; poll and try again. */
export class BufferError extends KafkaException {
  override readonly name = 'BufferError'
}

export class ValueError extends RangeError {
  override readonly name = 'ValueError'
}

export class RuntimeError extends Error {
  override readonly name: string = 'RuntimeError'
}

/** A method of a closed handle was called. */
export class ClosedError extends RuntimeError {
  override readonly name = 'ClosedError'
}

export class NotImplementedError extends Error {
  override readonly name = 'NotImplementedError'
}

/** A share consumer's call that is not allowed in the present state. */
export class IllegalStateException extends RuntimeError {
  override readonly name = 'IllegalStateException'
}

/** A share consumer was used by two callers at once. */
export class ConcurrentModificationException extends RuntimeError {
  override readonly name = 'ConcurrentModificationException'
}

export const serializationMark: unique symbol = Symbol('kafkito.SerializationError')

/** A shipped serializer rejects its input. The key and value errors below count as instances too. */
export class SerializationError extends KafkaException {
  override readonly name = 'SerializationError'
  readonly [serializationMark] = true

  constructor(message: string, options?: ErrorOptions) {
    super(new KafkaError(KafkaError._VALUE_SERIALIZATION, message), options)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && serializationMark in value
  }
}

export class WrappedFailure extends KafkaException {
  readonly exception: unknown

  constructor(error: KafkaError, exception?: unknown) {
    super(error, exception === undefined ? undefined : { cause: exception })
    this.exception = exception ?? null
  }

  get code(): number {
    return this.error.code()
  }
}

export class ProduceError extends WrappedFailure {
  override readonly name: string = 'ProduceError'
}

export class KeySerializationError extends ProduceError {
  override readonly name = 'KeySerializationError'
  readonly [serializationMark] = true

  constructor(exception: unknown) {
    super(new KafkaError(KafkaError._KEY_SERIALIZATION, String(exception)), exception)
  }
}

export class ValueSerializationError extends ProduceError {
  override readonly name = 'ValueSerializationError'
  readonly [serializationMark] = true

  constructor(exception: unknown) {
    super(new KafkaError(KafkaError._VALUE_SERIALIZATION, String(exception)), exception)
  }
}

/** Shorthand for the commonest throw. */
export function kafkaException(code: number, reason?: string, flags?: KafkaErrorFlags): KafkaException {
  return new KafkaException(new KafkaError(code, reason, flags))
}
