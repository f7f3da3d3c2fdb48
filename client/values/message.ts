/** One record consumed or produced, or an event (`error()` not null). */
import { type InspectOptions, inspect } from 'node:util'
import { OFFSET_INVALID, PARTITION_UA, PersistenceStatus, TIMESTAMP_NOT_AVAILABLE } from '../constants.ts'
import { KafkaError } from '../errors.ts'
import { fromRecordHeaders, type Headers, type HeadersInput, toRecordHeaders } from './headers.ts'

export interface MessageInit {
  readonly topic?: string | null | undefined
  readonly partition?: number | null | undefined
  readonly offset?: number | null | undefined
  readonly key?: Buffer | null | undefined
  readonly value?: Buffer | null | undefined
  readonly headers?: Headers | null | undefined
  readonly error?: KafkaError | null | undefined
  readonly timestamp?: readonly [type: number, ms: number] | undefined
  /** Seconds. */
  readonly latency?: number | null | undefined
  readonly leaderEpoch?: number | null | undefined
  readonly deliveryCount?: number | null | undefined
  readonly persistence?: PersistenceStatus | undefined
  readonly opaque?: unknown
}

/** Generics follow (de)serializers, which replace key and value by objects. */
export class Message<K = Buffer, V = Buffer> {
  #topic: string | null
  readonly #partition: number
  readonly #offset: number
  #key: K | null
  #value: V | null
  #headers: Headers | null
  #error: KafkaError | null
  readonly #timestampType: number
  readonly #timestampMs: number
  readonly #latency: number | null
  readonly #leaderEpoch: number | null
  readonly #deliveryCount: number | null
  readonly #persistence: PersistenceStatus
  readonly #opaque: unknown

  constructor(init: MessageInit = {}) {
    this.#topic = init.topic ?? null
    this.#partition = init.partition ?? PARTITION_UA
    this.#offset = init.offset ?? OFFSET_INVALID
    this.#key = (init.key ?? null) as K | null
    this.#value = (init.value ?? null) as V | null
    this.#headers = init.headers?.length === 0 ? null : (init.headers ?? null)
    this.#error = init.error ?? null
    this.#timestampType = init.timestamp?.[0] ?? TIMESTAMP_NOT_AVAILABLE
    this.#timestampMs = init.timestamp?.[1] ?? -1
    this.#latency = init.latency ?? null
    this.#leaderEpoch = init.leaderEpoch === undefined || init.leaderEpoch === -1 ? null : init.leaderEpoch
    this.#deliveryCount = init.deliveryCount ?? null
    this.#persistence = init.persistence ?? PersistenceStatus.NOT_PERSISTED
    this.#opaque = init.opaque
  }

  topic(): string | null {
    return this.#topic
  }

  partition(): number | null {
    return this.#partition < 0 ? null : this.#partition
  }

  offset(): number | null {
    return this.#offset < 0 ? null : this.#offset
  }

  key(): K | null {
    return this.#key
  }

  /** null is a tombstone. */
  value(): V | null {
    return this.#value
  }

  /** In order, with duplicates; null when there are none. */
  headers(): Headers | null {
    return this.#headers
  }

  /** Must be null before the record is used. */
  error(): KafkaError | null {
    return this.#error
  }

  /** Type (`TIMESTAMP_*`) and milliseconds. */
  timestamp(): [number, number] {
    return [this.#timestampType, this.#timestampMs]
  }

  /** Seconds from `produce` to acknowledgement, on reports of delivered messages. */
  latency(): number | null {
    return this.#latency
  }

  leaderEpoch(): number | null {
    return this.#leaderEpoch
  }

  deliveryCount(): number | null {
    return this.#deliveryCount
  }

  /** What is known about a produced message (addition). */
  persistence(): PersistenceStatus {
    return this.#persistence
  }

  /** What was given to `produce` as `opaque` (addition). */
  opaque(): unknown {
    return this.#opaque
  }

  setTopic(topic: string): void {
    this.#topic = topic
  }

  setKey(key: K | null): void {
    this.#key = key
  }

  setValue(value: V | null): void {
    this.#value = value
  }

  setHeaders(headers: HeadersInput | null): void {
    this.#headers = fromRecordHeaders(toRecordHeaders(headers))
  }

  setError(error: KafkaError | null): void {
    if (error !== null && !KafkaError.is(error)) throw new TypeError('error must be a KafkaError or null')
    this.#error = error
  }

  /** Bytes in the value. */
  get length(): number {
    const value: unknown = this.#value
    if (value instanceof Uint8Array || typeof value === 'string') return value.length
    return 0
  }

  len(): number {
    return this.length
  }

  /** By everything but latency. */
  equals(other: unknown): boolean {
    if (!(other instanceof Message)) return false
    return (
      this.#topic === other.#topic &&
      this.#partition === other.#partition &&
      this.#offset === other.#offset &&
      isSame(this.#key, other.#key) &&
      isSame(this.#value, other.#value) &&
      isSameHeaders(this.#headers, other.#headers) &&
      this.#error?.code() === other.#error?.code() &&
      this.#timestampType === other.#timestampType &&
      this.#timestampMs === other.#timestampMs &&
      this.#leaderEpoch === other.#leaderEpoch &&
      this.#deliveryCount === other.#deliveryCount
    )
  }

  toString(): string {
    return this.#value === null ? '' : String(this.#value)
  }

  /** What `console.log` shows: where the record lies and what it holds. */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    const shown = {
      topic: this.topic(),
      partition: this.partition(),
      offset: this.offset(),
      timestamp: this.#timestampMs,
      key: this.#key,
      value: this.#value,
      headers: this.#headers,
      ...(this.#error === null ? {} : { error: this.#error }),
    }
    return `${this.constructor.name} ${inspect(shown, options)}`
  }
}

function isSame(one: unknown, other: unknown): boolean {
  if (one instanceof Uint8Array && other instanceof Uint8Array) return Buffer.compare(one, other) === 0
  return one === other
}

function isSameHeaders(one: Headers | null, other: Headers | null): boolean {
  if (one === null || other === null) return one === other
  return (
    one.length === other.length &&
    one.every(([name, value], index) => name === other[index]?.[0] && isSame(value, other[index]?.[1]))
  )
}
