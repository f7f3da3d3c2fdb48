/** `on(name, listener)` as kafkajs has it: events with id, type, time and payload; `on` returns what stops listening. */
import { EventEmitter } from 'node:events'
import type { RequestEvent as ClientRequestEvent } from '../events/event-maps.ts'
import { KafkaJSNonRetriableError } from './errors.ts'
import type { Timing } from './timing.ts'

export interface InstrumentationEvent<T = unknown> {
  readonly id: string
  readonly type: string
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly payload: T
}

export const producerEvents = {
  CONNECT: 'producer.connect',
  DISCONNECT: 'producer.disconnect',
  REQUEST: 'producer.network.request',
  REQUEST_TIMEOUT: 'producer.network.request_timeout',
  REQUEST_QUEUE_SIZE: 'producer.network.request_queue_size',
} as const

export const adminEvents = {
  CONNECT: 'admin.connect',
  DISCONNECT: 'admin.disconnect',
  REQUEST: 'admin.network.request',
  REQUEST_TIMEOUT: 'admin.network.request_timeout',
  REQUEST_QUEUE_SIZE: 'admin.network.request_queue_size',
} as const

export const consumerEvents = {
  HEARTBEAT: 'consumer.heartbeat',
  COMMIT_OFFSETS: 'consumer.commit_offsets',
  GROUP_JOIN: 'consumer.group_join',
  FETCH_START: 'consumer.fetch_start',
  FETCH: 'consumer.fetch',
  START_BATCH_PROCESS: 'consumer.start_batch_process',
  END_BATCH_PROCESS: 'consumer.end_batch_process',
  CONNECT: 'consumer.connect',
  DISCONNECT: 'consumer.disconnect',
  STOP: 'consumer.stop',
  CRASH: 'consumer.crash',
  REBALANCING: 'consumer.rebalancing',
  RECEIVED_UNSUBSCRIBED_TOPICS: 'consumer.received_unsubscribed_topics',
  REQUEST: 'consumer.network.request',
  REQUEST_TIMEOUT: 'consumer.network.request_timeout',
  REQUEST_QUEUE_SIZE: 'consumer.network.request_queue_size',
} as const

interface RequestPayload {
  readonly apiKey: number
  readonly apiName: string
  readonly broker: string
  readonly clientId: string
  readonly createdAt: number
  readonly duration: number
}

interface BatchPayload {
  readonly topic: string
  readonly partition: number
  readonly highWatermark: string
  readonly offsetLag: string
  readonly offsetLagLow: string
  readonly batchSize: number
  readonly firstOffset: string
  readonly lastOffset: string
}

interface MemberPayload {
  readonly groupId: string
  readonly memberId: string
  readonly groupGenerationId: number
}

/** What comes with each event; null with those not named. */
export interface Payloads {
  'consumer.heartbeat': MemberPayload
  'consumer.commit_offsets': MemberPayload & {
    readonly topics: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
    }[]
  }
  'consumer.group_join': {
    readonly groupId: string
    readonly memberId: string
    readonly leaderId: string
    readonly isLeader: boolean
    readonly groupProtocol: string
    readonly duration: number
    readonly memberAssignment: Readonly<Record<string, number[]>>
  }
  'consumer.fetch_start': { readonly nodeId: number }
  'consumer.fetch': {
    readonly nodeId: number
    readonly duration: number
    readonly numberOfBatches: number
  }
  'consumer.start_batch_process': BatchPayload
  'consumer.end_batch_process': BatchPayload & { readonly duration: number }
  'consumer.crash': { readonly error: Error; readonly groupId: string; readonly restart: boolean }
  'consumer.rebalancing': { readonly groupId: string; readonly memberId: string }
  'consumer.network.request': RequestPayload
  'consumer.network.request_timeout': RequestPayload
  'producer.network.request': RequestPayload
  'producer.network.request_timeout': RequestPayload
  'admin.network.request': RequestPayload
  'admin.network.request_timeout': RequestPayload
}

export type ConsumerCommitOffsetsEvent = InstrumentationEvent<Payloads['consumer.commit_offsets']>
export type ConsumerCrashEvent = InstrumentationEvent<Payloads['consumer.crash']>
export type ConsumerFetchEvent = InstrumentationEvent<Payloads['consumer.fetch']>
export type ConsumerGroupJoinEvent = InstrumentationEvent<Payloads['consumer.group_join']>
export type ConsumerHeartbeatEvent = InstrumentationEvent<Payloads['consumer.heartbeat']>
export type ConsumerRebalancingEvent = InstrumentationEvent<Payloads['consumer.rebalancing']>
export type RequestEvent = InstrumentationEvent<RequestPayload>

export type PayloadOf<N extends string> = N extends keyof Payloads ? Payloads[N] : null
export type Listener<N extends string> = (event: InstrumentationEvent<PayloadOf<N>>) => void

export class Instrumentation {
  readonly #emitter = new EventEmitter()
  readonly #names: ReadonlySet<string>
  readonly #timing: Timing
  readonly #onFailure: (error: unknown) => void
  #lastId = 0

  /** @param onFailure what a listener threw */
  constructor(names: Readonly<Record<string, string>>, timing: Timing, onFailure: (error: unknown) => void) {
    this.#names = new Set(Object.values(names))
    this.#timing = timing
    this.#onFailure = onFailure
  }

  on<N extends string>(name: N, listener: Listener<N>): () => void {
    if (!this.#names.has(name)) throw new KafkaJSNonRetriableError(`there is no event "${name}"`)
    this.#emitter.on(name, listener)
    return () => this.#emitter.off(name, listener)
  }

  has(name: string): boolean {
    return this.#emitter.listenerCount(name) > 0
  }

  emit<N extends string>(name: N, payload: PayloadOf<N>): void {
    if (!this.has(name)) return
    const event = { id: `${++this.#lastId}`, type: name, timestamp: this.#timing.wallMs(), payload }
    try {
      this.#emitter.emit(name, event)
    } catch (error) {
      this.#onFailure(error)
    }
  }
}

interface RequestEventNames {
  readonly REQUEST: 'consumer.network.request' | 'producer.network.request' | 'admin.network.request'
  readonly REQUEST_TIMEOUT:
    | 'consumer.network.request_timeout'
    | 'producer.network.request_timeout'
    | 'admin.network.request_timeout'
}

interface RequestSource {
  on(name: 'request' | 'request-timeout', listener: (event: ClientRequestEvent) => void): unknown
}

/** Carries the requests of a handle over. What only kafkajs's own connections know is left out. */
export function forwardRequests(
  source: RequestSource,
  to: Instrumentation,
  names: RequestEventNames,
  timing: Timing,
): void {
  const payload = ({ apiKey, apiName, host, port, clientId, durationMs }: ClientRequestEvent) => ({
    apiKey,
    apiName,
    broker: `${host}:${port}`,
    clientId,
    createdAt: timing.wallMs() - durationMs,
    duration: durationMs,
  })
  source.on('request', (event) => to.emit(names.REQUEST, payload(event)))
  source.on('request-timeout', (event) => to.emit(names.REQUEST_TIMEOUT, payload(event)))
}
