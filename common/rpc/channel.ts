/**
 * Typed calls over one link: gives correlation ids, matches answers, bounds what is in flight and how long it may take.
 *
 * Owner: whoever talks to one node. Answers come in the order of the requests (Kafka's rule), so an answer with another
 * correlation id breaks the link. A channel does not reconnect: when it is closed, make another.
 * Limits: `maxInFlight` requests on the wire, the rest waits here in order.
 */
import { decodeResponse } from '../protocol/codec.ts'
import type { Frame } from '../protocol/frame.ts'
import { decodeResponseHeader, encodeRequestFrame } from '../protocol/header.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../protocol/schema.ts'
import { Deferred } from '../runtime/deferred.ts'
import type { Scheduler, Timer } from '../runtime/scheduler.ts'
import type { Address, Link, LinkCloseReason, Transport } from '../runtime/transport.ts'

export type CallFailure = 'disconnected' | 'timed-out' | 'malformed'
export type CallResult<Response> =
  | { readonly ok: true; readonly response: Response }
  | { readonly ok: false; readonly failure: CallFailure }

export interface ChannelOptions {
  readonly transport: Transport
  readonly scheduler: Scheduler
  readonly address: Address
  readonly clientId: string
  /** Longest answer that is accepted. */
  readonly maxFrameBytes: number
  readonly connectTimeoutMs: number
  /** For each call from the moment it is made. */
  readonly requestTimeoutMs: number
  readonly maxInFlight: number
  readonly onClosed?: (reason: LinkCloseReason) => void
}

interface Call {
  readonly api: ApiSchema
  readonly version: number
  readonly correlationId: number
  readonly frame: Frame
  readonly result: Deferred<CallResult<unknown>>
  readonly timer: Timer
}

export class Channel {
  readonly #options: ChannelOptions
  readonly #link: Link
  readonly #waiting: Call[] = []
  readonly #inFlight: Call[] = []
  #nextCorrelationId = 0
  #isOpen = false
  #isClosed = false

  constructor(options: ChannelOptions) {
    this.#options = options
    const { transport, address, maxFrameBytes, connectTimeoutMs } = options
    this.#link = transport.connect({ ...address, maxFrameBytes, connectTimeoutMs })
    this.#link.onOpen = () => {
      this.#isOpen = true
      this.#sendWaiting()
    }
    this.#link.onFrame = (frame) => this.#onFrame(frame)
    this.#link.onClose = (reason) => this.#onClose(reason)
    this.#link.onDrain = () => this.#sendWaiting()
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get callsInProgress(): number {
    return this.#waiting.length + this.#inFlight.length
  }

  /** Sends a request in the given version. The result is always completed, in the worst case by the time limit. */
  call<A extends ApiSchema>(
    api: A,
    version: number,
    request: RequestInputOf<A>,
    timeoutMs: number = this.#options.requestTimeoutMs,
  ): Deferred<CallResult<ResponseOf<A>>> {
    const result = new Deferred<CallResult<ResponseOf<A>>>()
    if (this.#isClosed) {
      result.complete({ ok: false, failure: 'disconnected' })
      return result
    }
    const correlationId = this.#nextCorrelationId
    this.#nextCorrelationId = (correlationId + 1) & 0x7fffffff
    const { address, clientId, scheduler } = this.#options
    const frame = encodeRequestFrame(api, { version, correlationId, clientId }, request)
    const timer = scheduler.schedule(
      `time limit of ${api.name} to ${address.host}:${address.port}`,
      timeoutMs,
      () => this.#onTimeout(call),
    )
    const call: Call = {
      api,
      version,
      correlationId,
      frame,
      result: result as Deferred<CallResult<unknown>>,
      timer,
    }
    this.#waiting.push(call)
    this.#sendWaiting()
    return result
  }

  /** Everything in progress fails as disconnected. */
  close(): void {
    this.#link.destroy()
    this.#onClose('local')
  }

  #sendWaiting(): void {
    if (!this.#isOpen || this.#isClosed) return
    while (this.#inFlight.length < this.#options.maxInFlight && this.#link.isWritable) {
      const call = this.#waiting.shift()
      if (call === undefined) return
      this.#inFlight.push(call)
      this.#link.send(call.frame)
    }
  }

  #onFrame(frame: Frame): void {
    const call = this.#inFlight.shift()
    if (call === undefined) {
      this.close()
      return
    }
    call.timer.cancel()
    let response: unknown
    try {
      const { correlationId, reader } = decodeResponseHeader(call.api, call.version, frame)
      if (correlationId !== call.correlationId)
        throw new Error(`answer ${correlationId} to request ${call.correlationId}`)
      response = decodeResponse(call.api, call.version, reader)
    } catch {
      call.result.complete({ ok: false, failure: 'malformed' })
      this.close()
      return
    }
    // Outside of the above: a bug of whoever waits for the answer is not a malformed answer.
    call.result.complete({ ok: true, response })
    this.#sendWaiting()
  }

  /** The answer may still come and could not be told apart from the next one's, so the link is given up. */
  #onTimeout(call: Call): void {
    const waiting = this.#waiting.indexOf(call)
    call.result.complete({ ok: false, failure: 'timed-out' })
    if (waiting >= 0) this.#waiting.splice(waiting, 1)
    else this.close()
  }

  #onClose(reason: LinkCloseReason): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const call of [...this.#inFlight.splice(0), ...this.#waiting.splice(0)]) {
      call.timer.cancel()
      call.result.complete({ ok: false, failure: 'disconnected' })
    }
    this.#options.onClosed?.(reason)
  }
}
