/**
 * One broker as the client knows it: an address, at most one connection, and requests that wait for it. Outlives its
 * connections. Owned by the `BrokerPool`.
 *
 * Connections are opened on demand only. A connection that could not be made fails what waits for it, so that callers can
 * turn to another broker; the next attempt waits for the back-off.
 */
import type { ApiSchema } from '../../common/protocol/schema.ts'
import type { Runtime } from '../../common/runtime/runtime.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { Address } from '../../common/runtime/transport.ts'
import { KafkaError, KafkaException } from '../errors.ts'
import type { RequestWatch } from '../tracing/request-watch.ts'
import type { AddressHistories, AddressHistory } from './address-history.ts'
import type { Authenticator } from './authenticator.ts'
import { BrokerMetrics } from './broker-metrics.ts'
import { Connection } from './connection.ts'
import type { ConnectionState } from './connection-state.ts'
import type { BrokerRequest } from './request.ts'
import type { SocketOptions } from './socket-options.ts'
import type { BrokerVersions } from './versions.ts'

export type BrokerSource = 'configured' | 'learned' | 'logical'
export type BrokerState = 'INIT' | ConnectionState

/** What all brokers of a client share. */
export interface BrokerSettings {
  readonly runtime: Runtime
  readonly clientId: string
  readonly softwareName: string
  readonly softwareVersion: string
  readonly maxFrameBytes: number
  readonly setupTimeoutMs: number
  readonly apiVersionTimeoutMs: number
  /** 0 never closes. */
  readonly maxIdleMs: number
  readonly maxInFlight: number
  readonly histories: AddressHistories
  readonly authenticator: Authenticator | undefined
  /** Told of every request. */
  readonly watch?: RequestWatch
  readonly socket: SocketOptions
}

export interface BrokerListener {
  /** A connection was lost or could not be made. */
  brokerDown(broker: Broker, error: KafkaError): void
  brokerUp(broker: Broker): void
  /** There may be room for more requests, or the broker came up. */
  brokerRoom(broker: Broker): void
  brokerThrottled(broker: Broker, throttleMs: number): void
  /** Whether there is another broker for what any can answer. */
  hasOther(broker: Broker): boolean
}

/** Longest that a request which any broker can answer waits for one that does not come up: most are up in milliseconds, one that hangs for no time. */
export const patienceMs = 1000

interface Waiting {
  readonly request: BrokerRequest<ApiSchema>
  readonly queuedMs: number
  readonly deadlineMs: number
  timer: Timer | undefined
}

export class Broker {
  readonly metrics = new BrokerMetrics()
  readonly source: BrokerSource
  readonly #settings: BrokerSettings
  readonly #listener: BrokerListener
  #nodeId: number
  #address: Address
  #history: AddressHistory
  #rack: string | null = null
  #connection: Connection | undefined
  #waiting: Waiting[] = []
  #state: BrokerState = 'INIT'
  #stateSinceMs: number
  #reconnectTimer: Timer | undefined
  #idleTimer: Timer | undefined
  #hasFailed = false
  #isClosed = false

  constructor(
    settings: BrokerSettings,
    listener: BrokerListener,
    identity: { readonly nodeId: number; readonly address: Address; readonly source: BrokerSource },
  ) {
    this.#settings = settings
    this.#listener = listener
    this.source = identity.source
    this.#nodeId = identity.nodeId
    this.#address = identity.address
    this.#stateSinceMs = settings.runtime.clock.monotonicMs()
    this.#history = this.#historyOf(identity.address)
  }

  /** -1 while it is only an entry of `bootstrap.servers`. */
  get nodeId(): number {
    return this.#nodeId
  }

  get address(): Address {
    return this.#address
  }

  /** Of its address. */
  get history(): AddressHistory {
    return this.#history
  }

  get rack(): string | null {
    return this.#rack
  }

  get nodeName(): string {
    return `${this.#address.host}:${this.#address.port}`
  }

  /** As in logs and statistics. */
  get name(): string {
    return `${this.nodeName}/${this.#nodeId < 0 ? 'bootstrap' : this.#nodeId}`
  }

  get state(): BrokerState {
    return this.#state
  }

  get stateAgeMs(): number {
    return this.#settings.runtime.clock.monotonicMs() - this.#stateSinceMs
  }

  get isUp(): boolean {
    return this.#state === 'UP'
  }

  get isConnecting(): boolean {
    return this.#connection !== undefined && this.#state !== 'UP'
  }

  /** The last attempt failed, and there has been no success since. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** Milliseconds until another attempt is allowed. */
  get backoffLeftMs(): number {
    return this.#history.pauseLeftMs(this.#settings.runtime.clock.monotonicMs())
  }

  get inFlightCount(): number {
    return this.#connection?.inFlightCount ?? 0
  }

  get waitingCount(): number {
    return this.#waiting.length
  }

  /** Bytes that the socket has not taken yet. */
  get queuedBytes(): number {
    return this.#connection?.queuedBytes ?? 0
  }

  get versions(): BrokerVersions | undefined {
    return this.#connection?.versions
  }

  /** A request given now would leave in this turn. */
  get hasRoom(): boolean {
    return (
      this.#connection?.isReady === true &&
      this.#waiting.length === 0 &&
      this.#connection.inFlightCount < this.#settings.maxInFlight
    )
  }

  /** Connects unless it is connected; after a failure it waits for the back-off first. */
  connect(): void {
    if (this.#isClosed || this.#connection !== undefined || this.#reconnectTimer !== undefined) return
    const pauseMs = this.backoffLeftMs
    if (pauseMs <= 0) {
      this.#open()
      return
    }
    const { scheduler } = this.#settings.runtime
    this.#reconnectTimer = scheduler.schedule(`reconnecting to ${this.name}`, pauseMs, () => {
      this.#reconnectTimer = undefined
      this.#open()
    })
  }

  /** What was sent leaves now, not at the end of the turn. */
  sendPending(): void {
    this.#connection?.sendPending()
  }

  /** Sends the request now or when there is room; connects if need be. */
  request<A extends ApiSchema>(request: BrokerRequest<A>): void {
    const { runtime } = this.#settings
    const erased = this.#watched(request as unknown as BrokerRequest<ApiSchema>)
    if (this.#isClosed) {
      runtime.reactor.post(() =>
        erased.done({ ok: false, error: new KafkaError(KafkaError._DESTROY_BROKER), wasSent: false }),
      )
      return
    }
    if (this.hasRoom) {
      this.#sendNow(erased, request.timeoutMs)
      return
    }
    const { isForAny = false, timeoutMs } = request
    const mayGoElsewhere = isForAny && !this.isUp && this.#listener.hasOther(this)
    const nowMs = runtime.clock.monotonicMs()
    const waiting: Waiting = {
      request: erased,
      queuedMs: nowMs,
      deadlineMs: nowMs + timeoutMs,
      timer: undefined,
    }
    waiting.timer = runtime.scheduler.schedule(
      `${request.api.name} waits for ${this.name}`,
      mayGoElsewhere ? Math.min(timeoutMs, patienceMs) : timeoutMs,
      () => this.#expired(waiting),
    )
    this.#waiting.push(waiting)
    this.connect()
  }

  /** Who watches hears of the end before its owner does. */
  #watched(request: BrokerRequest<ApiSchema>): BrokerRequest<ApiSchema> {
    const ended = this.#settings.watch?.begin(this, request.api)
    if (ended === undefined) return request
    return {
      ...request,
      done: (result) => {
        ended(result)
        request.done(result)
      },
    }
  }

  /** New facts from metadata. A connection to an old address is given up. */
  update(nodeId: number, address: Address, rack: string | null): void {
    this.#nodeId = nodeId
    this.#rack = rack
    if (address.host === this.#address.host && address.port === this.#address.port) return
    this.#address = address
    this.#history = this.#historyOf(address)
    this.#connection?.close(new KafkaError(KafkaError._NODE_UPDATE))
    if (this.#reconnectTimer === undefined) return
    // The pause was the old address's.
    this.#reconnectTimer.cancel()
    this.#reconnectTimer = undefined
    this.connect()
  }

  /** Closes the connection when nothing is in progress on it. */
  closeIfIdle(): void {
    if (this.inFlightCount === 0 && this.#waiting.length === 0) this.#dropConnection()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#reconnectTimer?.cancel()
    this.#idleTimer?.cancel()
    this.#connection?.close(new KafkaError(KafkaError._DESTROY))
    this.#failWaiting(new KafkaError(KafkaError._DESTROY))
  }

  #open(): void {
    if (this.#isClosed || this.#connection !== undefined) return
    const settings = this.#settings
    this.metrics.connects++
    let trace = this.#settings.watch?.connecting(this)
    const { resolved } = this.#history
    let hasBeenUp = false
    this.#setState('CONNECT')
    const connection: Connection = new Connection({
      ...settings,
      address: this.#address,
      addresses: resolved,
      metrics: this.metrics,
      onStateChanged: (state) => {
        if (state === 'UP') {
          hasBeenUp = true
          trace?.succeeded()
          trace = undefined
        }
        this.#connectionChanged(state)
      },
      onClosed: (error) => {
        trace?.failed(new KafkaException(error))
        if (!hasBeenUp) resolved.ledNowhere()
        this.#connectionClosed(connection, error)
      },
      onRoom: () => this.#sendWaiting(),
      onThrottled: (throttleMs) => this.#listener.brokerThrottled(this, throttleMs),
    })
    this.#connection = connection
  }

  #historyOf(address: Address): AddressHistory {
    return this.#settings.histories.of(address, this.source === 'logical' ? 'logical' : 'ordinary')
  }

  #setState(state: BrokerState): void {
    this.#state = state
    this.#stateSinceMs = this.#settings.runtime.clock.monotonicMs()
  }

  #connectionChanged(state: ConnectionState): void {
    this.#setState(state)
    if (state !== 'UP') return
    this.#hasFailed = false
    this.#history.succeeded()
    this.#watchIdleness()
    this.#settings.watch?.connected(this)
    this.#listener.brokerUp(this)
  }

  #connectionClosed(connection: Connection, error: KafkaError): void {
    if (this.#connection !== connection) return
    this.#connection = undefined
    this.#idleTimer?.cancel()
    this.#idleTimer = undefined
    this.metrics.disconnects++
    this.#settings.watch?.disconnected(this, error)
    if (this.#isClosed) return
    const isWanted = error.code() === KafkaError._NOOP || error.code() === KafkaError._NODE_UPDATE
    if (!isWanted) {
      this.#hasFailed = true
      this.#history.failed(this.#settings.runtime.clock.monotonicMs())
      this.#failWaiting(error)
      this.#listener.brokerDown(this, error)
    }
    if (this.#waiting.length > 0) this.connect()
    this.#listener.brokerRoom(this)
  }

  #dropConnection(): void {
    this.#connection?.close(new KafkaError(KafkaError._NOOP))
  }

  #sendWaiting(): void {
    while (this.#waiting.length > 0) {
      const connection = this.#connection
      if (connection?.isReady !== true || connection.inFlightCount >= this.#settings.maxInFlight) return
      const waiting = this.#waiting.shift() as Waiting
      waiting.timer?.cancel()
      const nowMs = this.#settings.runtime.clock.monotonicMs()
      this.metrics.outbufLatency.add((nowMs - waiting.queuedMs) * 1000)
      this.#sendNow(waiting.request, waiting.deadlineMs - nowMs)
    }
    this.#listener.brokerRoom(this)
  }

  #sendNow(request: BrokerRequest<ApiSchema>, timeoutMs: number): void {
    const connection = this.#connection as Connection
    const version = connection.versions?.pick(request.api, request)
    if (version !== undefined) {
      connection.send(request, version, timeoutMs)
      return
    }
    const text = connection.versions?.lack(this.name, request.api, request)
    request.done({
      ok: false,
      error: new KafkaError(KafkaError._UNSUPPORTED_FEATURE, text),
      wasSent: false,
    })
  }

  #expired(waiting: Waiting): void {
    const index = this.#waiting.indexOf(waiting)
    if (index < 0) return
    this.#waiting.splice(index, 1)
    const text = `${waiting.request.api.name} waited in vain for ${this.name}`
    waiting.request.done({
      ok: false,
      error: new KafkaError(KafkaError._TIMED_OUT_QUEUE, text),
      wasSent: false,
    })
  }

  #failWaiting(error: KafkaError): void {
    const all = this.#waiting
    this.#waiting = []
    for (const waiting of all) {
      waiting.timer?.cancel()
      waiting.request.done({ ok: false, error, wasSent: false })
    }
  }

  #watchIdleness(): void {
    const { maxIdleMs, runtime } = this.#settings
    if (maxIdleMs === 0) return
    const check = (): void => {
      const connection = this.#connection
      if (connection === undefined) return
      const idleMs = runtime.clock.monotonicMs() - connection.lastActiveMs
      if (idleMs >= maxIdleMs && connection.inFlightCount === 0) {
        this.#dropConnection()
        return
      }
      const leftMs = Math.max(1, maxIdleMs - idleMs)
      this.#idleTimer = runtime.scheduler.schedule(
        `closing the idle connection to ${this.name}`,
        leftMs,
        check,
      )
    }
    this.#idleTimer?.cancel()
    check()
  }
}
