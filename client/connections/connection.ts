/**
 * One link to a broker, from connecting to closed. Owned by a `Broker`, which makes another one after it.
 *
 *     CONNECT ─► APIVERSION_QUERY ─► AUTH_HANDSHAKE ─► UP ─► closed
 *                     (KIP-511)      (if SASL is on)
 *
 * A broker may end sessions after a while (KIP-368): authentication is then repeated before, between two requests, while the
 * answers of earlier ones still come.
 *
 * Answers come in the order of the requests, so an answer with another correlation id ends the link, and so does a request
 * that times out: its late answer could not be told from the next one's.
 */
import { ApiVersions } from '../../common/protocol/apis/18-api-versions.ts'
import { decodeResponse } from '../../common/protocol/codec.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { type Frame, recycledBy } from '../../common/protocol/frame.ts'
import { decodeResponseHeader, encodeRequestFrame } from '../../common/protocol/header.ts'
import type { Reader } from '../../common/protocol/reader.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../common/protocol/schema.ts'
import type { Runtime } from '../../common/runtime/runtime.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { Address, AddressOrder, Link } from '../../common/runtime/transport.ts'
import { KafkaError } from '../errors.ts'
import type { Authenticator } from './authenticator.ts'
import type { BrokerMetrics } from './broker-metrics.ts'
import { closeError } from './close-error.ts'
import type { ConnectionState } from './connection-state.ts'
import type { BrokerRequest } from './request.ts'
import type { SocketOptions } from './socket-options.ts'
import { BrokerVersions } from './versions.ts'

export interface ConnectionOptions {
  readonly runtime: Runtime
  readonly address: Address
  readonly addresses: AddressOrder
  readonly clientId: string
  readonly softwareName: string
  readonly softwareVersion: string
  /** `receive.message.max.bytes` */
  readonly maxFrameBytes: number
  /** `socket.connection.setup.timeout.ms`: until the connection is up. */
  readonly setupTimeoutMs: number
  readonly apiVersionTimeoutMs: number
  readonly authenticator: Authenticator | undefined
  readonly socket: SocketOptions
  readonly metrics: BrokerMetrics
  readonly onStateChanged: (state: ConnectionState) => void
  /** Every request that was not answered has been told before. */
  readonly onClosed: (error: KafkaError) => void
  /** Something left or an answer came: there may be room for more. */
  readonly onRoom: () => void
  readonly onThrottled: (throttleMs: number) => void
}

/** Longest pause that a broker may ask for (KIP-219): its quotas look back on some ten seconds. */
const longestThrottleMs = 60_000
/** Authentication is not repeated more often than this, however short a session is said to be. */
const shortestRenewalMs = 100

/** Share of a session's life after which it is renewed. */
const renewFrom = 0.85
const renewUntil = 0.95

interface InFlight {
  readonly api: ApiSchema
  readonly version: number
  readonly correlationId: number
  readonly sentMs: number
  readonly answered: (reader: Reader, version: number) => void
  readonly failed: (error: KafkaError) => void
  timer: Timer | undefined
}

export class Connection {
  readonly #options: ConnectionOptions
  readonly #link: Link
  readonly #setupTimer: Timer
  #sessionTimer: Timer | undefined
  #isReauthenticating = false
  #inFlight: InFlight[] = []
  #state: ConnectionState = 'CONNECT'
  #nextCorrelationId = 1
  #versions: BrokerVersions | undefined
  /** ApiVersions was asked again, in a version that the broker told. */
  #hasFallenBack = false
  /** An ordinary request was answered. */
  #hasServed = false
  #throttledUntilMs = 0
  #throttleTimer: Timer | undefined
  /** Monotonic time of the last byte in either direction. */
  lastActiveMs: number

  constructor(options: ConnectionOptions) {
    this.#options = options
    const { runtime, address, addresses, maxFrameBytes, setupTimeoutMs, socket } = options
    this.lastActiveMs = runtime.clock.monotonicMs()
    this.#setupTimer = runtime.scheduler.schedule(
      `setting up the connection to ${address.host}:${address.port}`,
      setupTimeoutMs,
      () =>
        this.close(
          new KafkaError(KafkaError._TRANSPORT, `Connection setup timed out in state ${this.#state}`),
        ),
    )
    const connectTimeoutMs = setupTimeoutMs
    this.#link = runtime.transport.connect({
      ...socket,
      ...address,
      addresses,
      maxFrameBytes,
      connectTimeoutMs,
    })
    this.#link.onOpen = () =>
      this.#queryVersions(ApiVersions.versions.highest - (ApiVersions.latestVersionUnstable ? 1 : 0))
    this.#link.onFrame = (frame) => this.#received(frame)
    this.#link.onClose = (reason, cause) => {
      const hasSasl = options.authenticator !== undefined
      const state = this.#state
      this.#ended(closeError({ reason, cause, state, hasSasl, hasServed: this.#hasServed }))
    }
    this.#link.onDrain = () => options.onRoom()
  }

  get state(): ConnectionState {
    return this.#state
  }

  get inFlightCount(): number {
    return this.#inFlight.length
  }

  /** undefined until the broker has told. */
  get versions(): BrokerVersions | undefined {
    return this.#versions
  }

  get queuedBytes(): number {
    return this.#link.queuedBytes
  }

  /** Whether a request may be sent now: up, authenticated, not throttled (KIP-219), and the socket takes bytes. */
  get isReady(): boolean {
    return (
      this.#state === 'UP' &&
      !this.#isReauthenticating &&
      this.#throttleTimer === undefined &&
      this.#link.isWritable
    )
  }

  /** Only when `isReady` and in a version that `versions` allows. */
  send<A extends ApiSchema>(request: BrokerRequest<A>, version: number, timeoutMs: number): void {
    const { api, body, done } = request
    const input = typeof body === 'function' ? body(version) : body
    if (request.expectsNoResponse === true) {
      this.#write(api, version, input, request.released)
      done({ ok: true, response: undefined as unknown as ResponseOf<A>, version })
      return
    }
    this.#call(api, version, input, timeoutMs, {
      answered: (reader) => {
        const response = decodeResponse(api, version, reader)
        this.#hasServed = true
        this.#maybeThrottle(response)
        return () => done({ ok: true, response, version })
      },
      failed: (error) => done({ ok: false, error, wasSent: true }),
      released: request.released,
    })
  }

  /** What was sent leaves now, not at the end of the turn. */
  sendPending(): void {
    this.#link.sendPending?.()
  }

  /** Everything in flight fails with the error. Idempotent. */
  close(error: KafkaError): void {
    this.#ended(error)
    this.#link.destroy()
  }

  #setState(state: ConnectionState): void {
    this.#state = state
    this.#options.onStateChanged(state)
  }

  #queryVersions(version: number): void {
    this.#setState('APIVERSION_QUERY')
    const { softwareName, softwareVersion, apiVersionTimeoutMs } = this.#options
    const body = { clientSoftwareName: softwareName, clientSoftwareVersion: softwareVersion }
    this.#call(ApiVersions, version, body, apiVersionTimeoutMs, {
      answered: (reader) => {
        // A broker that lacks the version answers in version 0, with the versions it has.
        const isRefused = reader.view.getInt16(reader.position) === ErrorCode.UNSUPPORTED_VERSION
        const response = decodeResponse(ApiVersions, isRefused ? 0 : version, reader)
        return () => this.#versionsKnown(new BrokerVersions(response), response.errorCode)
      },
      failed: (error) => this.close(error),
    })
  }

  #versionsKnown(versions: BrokerVersions, errorCode: number): void {
    if (errorCode === ErrorCode.UNSUPPORTED_VERSION && !this.#hasFallenBack) {
      this.#hasFallenBack = true
      this.#queryVersions(versions.pick(ApiVersions) ?? 0)
      return
    }
    if (errorCode !== ErrorCode.NONE) {
      this.close(new KafkaError(errorCode, 'ApiVersions was refused'))
      return
    }
    this.#versions = versions
    if (this.#options.authenticator === undefined) {
      this.#up()
      return
    }
    this.#setState('AUTH_HANDSHAKE')
    this.#authenticate(versions, () => this.#up())
  }

  #authenticate(versions: BrokerVersions, done: () => void): void {
    this.#options.authenticator?.authenticate({
      versions,
      call: (api, version, body, answered) => {
        // A token may come when the connection is gone already.
        if (this.#state !== 'DOWN') this.#callRaw(api, version, body, answered)
      },
      done: (sessionMs) => {
        if (this.#state === 'DOWN') return
        if (sessionMs > 0) this.#renewBefore(sessionMs, versions)
        done()
      },
      failed: (error) => this.close(error),
    })
  }

  /** At a random moment late in the session, so that the connections of many clients do not renew at once. */
  #renewBefore(sessionMs: number, versions: BrokerVersions): void {
    const { address, onRoom, runtime, setupTimeoutMs } = this.#options
    const share = renewFrom + runtime.random.float() * (renewUntil - renewFrom)
    const afterMs = Math.max(shortestRenewalMs, sessionMs * share)
    const label = `authenticating again to ${address.host}:${address.port}`
    this.#sessionTimer = runtime.scheduler.schedule(label, afterMs, () => {
      this.#isReauthenticating = true
      // A bearer token may never come; until it does nothing else is sent.
      const limit = runtime.scheduler.schedule(label, setupTimeoutMs, () =>
        this.close(new KafkaError(KafkaError._TRANSPORT, 'Authenticating again timed out')),
      )
      this.#sessionTimer = limit
      this.#authenticate(versions, () => {
        limit.cancel()
        this.#isReauthenticating = false
        onRoom()
      })
    })
  }

  #callRaw<A extends ApiSchema>(
    api: A,
    version: number,
    body: RequestInputOf<A>,
    answered: (response: ResponseOf<A>) => void,
  ): void {
    this.#call(api, version, body, this.#options.setupTimeoutMs, {
      answered: (reader) => {
        const response = decodeResponse(api, version, reader)
        return () => answered(response)
      },
      failed: (error) => this.close(error),
    })
  }

  #up(): void {
    if (this.#state === 'DOWN') return
    this.#setupTimer.cancel()
    this.#setState('UP')
    this.#options.onRoom()
  }

  #call<A extends ApiSchema>(
    api: A,
    version: number,
    input: RequestInputOf<A>,
    timeoutMs: number,
    handlers: {
      /** Decodes (may throw: the link ends) and returns what to do with it. */
      readonly answered: (reader: Reader) => () => void
      readonly failed: (error: KafkaError) => void
      readonly released?: BrokerRequest['released']
    },
  ): void {
    const { address, runtime } = this.#options
    const correlationId = this.#write(api, version, input, handlers.released)
    const call: InFlight = {
      api,
      version,
      correlationId,
      sentMs: runtime.clock.monotonicMs(),
      answered: (reader) => {
        let use: () => void
        try {
          use = handlers.answered(reader)
        } catch (error) {
          this.#options.metrics.rxErrors++
          const bad = new KafkaError(
            KafkaError._BAD_MSG,
            `${api.name} response cannot be parsed: ${String(error)}`,
          )
          handlers.failed(bad)
          this.close(bad)
          return
        }
        use()
      },
      failed: handlers.failed,
      timer: undefined,
    }
    call.timer = runtime.scheduler.schedule(`${api.name} to ${address.host}:${address.port}`, timeoutMs, () =>
      this.#timedOut(call, timeoutMs),
    )
    this.#inFlight.push(call)
  }

  #write<A extends ApiSchema>(
    api: A,
    version: number,
    input: RequestInputOf<A>,
    released: BrokerRequest['released'],
  ): number {
    const { clientId, metrics, runtime } = this.#options
    const correlationId = this.#nextCorrelationId
    this.#nextCorrelationId = correlationId === 0x7fffffff ? 1 : correlationId + 1
    const frame = encodeRequestFrame(api, { version, correlationId, clientId }, input)
    metrics.sent(api.name, frame.sizeBytes)
    this.lastActiveMs = runtime.clock.monotonicMs()
    metrics.sentAtMs = this.lastActiveMs
    this.#link.send(released === undefined ? frame : recycledBy(frame, released))
    return correlationId
  }

  #received(frame: Frame): void {
    const { metrics, runtime } = this.#options
    const call = this.#inFlight.shift()
    metrics.rx++
    metrics.rxBytes += frame.sizeBytes
    const nowMs = runtime.clock.monotonicMs()
    this.lastActiveMs = nowMs
    metrics.receivedAtMs = nowMs
    if (call === undefined) {
      this.close(new KafkaError(KafkaError._BAD_MSG, 'A response came without a request'))
      return
    }
    call.timer?.cancel()
    metrics.rtt.add((nowMs - call.sentMs) * 1000)
    metrics.requestTimes.add(nowMs - call.sentMs)
    let reader: Reader
    try {
      const header = decodeResponseHeader(call.api, call.version, frame)
      if (header.correlationId !== call.correlationId) {
        metrics.correlationErrors++
        throw new Error(`correlation id ${header.correlationId} in place of ${call.correlationId}`)
      }
      reader = header.reader
    } catch (error) {
      metrics.rxErrors++
      const bad = new KafkaError(KafkaError._BAD_MSG, `Response header cannot be used: ${String(error)}`)
      call.failed(bad)
      this.close(bad)
      return
    }
    call.answered(reader, call.version)
    if (this.#state === 'UP') this.#options.onRoom()
  }

  #maybeThrottle(response: unknown): void {
    const { throttleTimeMs } = response as { readonly throttleTimeMs?: number }
    if (throttleTimeMs === undefined || throttleTimeMs <= 0) return
    const { runtime, metrics, onThrottled, onRoom, address } = this.#options
    metrics.throttle.add(throttleTimeMs)
    onThrottled(throttleTimeMs)
    const pauseMs = Math.min(throttleTimeMs, longestThrottleMs)
    const untilMs = runtime.clock.monotonicMs() + pauseMs
    if (untilMs <= this.#throttledUntilMs) return
    this.#throttledUntilMs = untilMs
    this.#throttleTimer?.cancel()
    const label = `throttled by ${address.host}:${address.port}`
    this.#throttleTimer = runtime.scheduler.schedule(label, pauseMs, () => {
      this.#throttleTimer = undefined
      onRoom()
    })
  }

  #timedOut(call: InFlight, timeoutMs: number): void {
    const index = this.#inFlight.indexOf(call)
    if (index < 0) return
    this.#options.metrics.requestTimeouts++
    this.#inFlight.splice(index, 1)
    const text = `${call.api.name} timed out after ${Math.round(timeoutMs)} ms`
    call.failed(new KafkaError(KafkaError._TIMED_OUT, text))
    this.close(new KafkaError(KafkaError._TRANSPORT, `${text}: disconnecting`))
  }

  #ended(error: KafkaError): void {
    if (this.#state === 'DOWN') return
    this.#setupTimer.cancel()
    this.#throttleTimer?.cancel()
    this.#sessionTimer?.cancel()
    this.#setState('DOWN')
    const calls = this.#inFlight
    this.#inFlight = []
    // What was sent may have been done: its owners only need to know that the answer is lost.
    const isOwn = error.code() === KafkaError._AUTHENTICATION || error.code() === KafkaError._SSL
    const lost = isOwn ? new KafkaError(KafkaError._TRANSPORT, error.str()) : error
    for (const call of calls) {
      call.timer?.cancel()
      call.failed(lost)
    }
    this.#options.onClosed(error)
  }
}
