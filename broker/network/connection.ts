/**
 * One client connection: its requests are carried out one after the other, and their answers leave in that order.
 *
 * Owner: the listener. Invariants: a request starts when the one before it is answered and its bytes fit the link's queue (a slow
 * reader slows only itself). A Produce need not wait for answers of Produces that are carried out and only wait for replicas: so one
 * round of the followers copies all that a client has under way. Answers are encoded in the send phase, after the turn's records are
 * with the operating system; when writing them failed, everything that this turn answered about records is refused instead.
 * Whoever did too much under a quota is answered at once and not read for a while (KIP-219).
 * Limits: `maxWaitingRequests` frames wait here, then the link is paused; `maxOverlappingRequests` run at a time.
 */

import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { type Frame, recycledBy } from '../../common/protocol/frame.ts'
import { encodeResponseFrame } from '../../common/protocol/header.ts'
import type { Reactor, Sendable } from '../../common/runtime/reactor.ts'
import type { SchedulerScope, Timer } from '../../common/runtime/scheduler.ts'
import type { Link } from '../../common/runtime/transport.ts'
import { CLOSE_CONNECTION, NO_RESPONSE } from '../api/handler.ts'
import type { ConnectionInfo, ListenerInfo, Principal } from './connection-info.ts'
import type { Exchange, Router } from './router.ts'

/** Frames of one connection that may wait while a request of it is in progress. */
export const maxWaitingRequests = 128

/** Produces of one connection that may wait for replicas at a time; the memory of their records is held until they are answered. */
export const maxOverlappingRequests = 32

export const ANONYMOUS: Principal = { type: 'User', name: 'ANONYMOUS', isTokenAuthenticated: false }

/** A request that has been started; the oldest is answered first. */
interface Running {
  /** undefined: the frame was no request, the connection ends when those before it are answered. */
  readonly exchange: Exchange | undefined
  readonly isProduce: boolean
  isAnswered: boolean
  answer: unknown
}

export interface ConnectionOptions {
  readonly link: Link
  readonly listener: ListenerInfo
  readonly router: Router
  readonly reactor: Reactor
  readonly scheduler: SchedulerScope
  readonly nowMs: () => number
  /** Whether records that were appended in this turn could not be handed to the operating system. */
  readonly hasFlushFailed: () => boolean
  readonly onClosed: (connection: Connection) => void
}

export class Connection implements ConnectionInfo, Sendable {
  readonly id: string
  readonly listener: ListenerInfo
  readonly clientAddress: string
  readonly clientPort: number
  readonly principal: Principal = ANONYMOUS
  clientSoftwareName = ''
  clientSoftwareVersion = ''
  /** Monotonic time of the latest frame in or out. */
  lastActiveMs: number
  readonly #options: ConnectionOptions
  readonly #link: Link
  readonly #waiting: Frame[] = []
  readonly #closeCallbacks = new Set<() => void>()
  #running: Running[] = []
  /** Answered in this turn, to be encoded in its send phase. */
  #answered: { exchange: Exchange; answer: unknown }[] = []
  #isPaused = false
  /** Runs while this connection is not heard. */
  #mute: Timer | undefined
  #isStartPosted = false
  /** Takes no more requests: one of them was not to be understood. */
  #isEnding = false
  #isClosed = false

  constructor(options: ConnectionOptions) {
    const { link, listener } = options
    this.#options = options
    this.#link = link
    this.listener = listener
    this.clientAddress = link.remote.host
    this.clientPort = link.remote.port
    this.id = `${link.local.host}:${link.local.port}-${link.remote.host}:${link.remote.port}-${link.id}`
    this.lastActiveMs = options.nowMs()
    link.onFrame = (frame) => this.#onFrame(frame)
    link.onClose = () => this.#onClose()
    link.onDrain = () => this.#startNext()
  }

  /** Requests that have arrived and are not answered. */
  get pendingRequests(): number {
    return this.#waiting.length + this.#running.length
  }

  onClosed(callback: () => void): () => void {
    this.#closeCallbacks.add(callback)
    return () => this.#closeCallbacks.delete(callback)
  }

  /** Lets answers that are on their way leave, then closes. */
  close(): void {
    this.#link.close()
  }

  destroy(): void {
    this.#link.destroy()
    this.#onClose()
  }

  sendPending(): void {
    const answered = this.#answered
    this.#answered = []
    const hasFlushFailed = this.#options.hasFlushFailed()
    for (const { exchange, answer } of answered) {
      if (this.#isClosed) return
      if (answer === NO_RESPONSE) this.#count(exchange, 0)
      else this.#send(exchange, (hasFlushFailed && exchange.refuseUnwritten?.()) || answer)
      exchange.recycle?.()
    }
    this.lastActiveMs = this.#options.nowMs()
    if (this.#isEnding) this.close()
    else this.#startNextLater()
  }

  /** An answer that its version cannot carry is a bug: the client must not wait for it for ever. */
  #send(exchange: Exchange, response: unknown): void {
    const { api, context } = exchange
    const { apiVersion: version, correlationId } = context
    try {
      const frame = encodeResponseFrame(api, { version, correlationId }, response as never)
      this.#count(exchange, frame.sizeBytes)
      const { onSent } = context
      this.#link.send(onSent === undefined ? frame : recycledBy(frame, onSent))
    } catch (error) {
      this.destroy()
      throw error
    }
  }

  #count({ context }: Exchange, responseBytes: number): void {
    const elapsedMs = this.#options.nowMs() - context.receivedMs
    context.broker.requestCounters.record(context.apiKey, { responseBytes, elapsedMs })
  }

  #onFrame(frame: Frame): void {
    if (this.#isClosed || this.#isEnding) return
    this.lastActiveMs = this.#options.nowMs()
    if (this.#waiting.length === 0 && this.#mayStart(frame)) {
      this.#start(frame)
      return
    }
    this.#waiting.push(frame)
    this.#pauseOrResume()
  }

  #mayStart(frame: Frame): boolean {
    if (!this.#link.isWritable || this.#mute !== undefined) return false
    const count = this.#running.length
    if (count === 0) return true
    const last = this.#running[count - 1] as Running
    // Each was started because the one before it was carried out, so the last speaks for all.
    return (
      last.isProduce &&
      // Under quotas it is known only with its answer whether the next one is heard.
      last.exchange?.context.broker.quotas.isActive !== true &&
      (last.isAnswered || last.exchange?.context.isCarriedOut === true) &&
      count < maxOverlappingRequests &&
      isProduce(frame)
    )
  }

  #start(frame: Frame): void {
    const exchange = this.#options.router.dispatch(this, frame)
    const running: Running = {
      exchange,
      isProduce: exchange?.api === Produce,
      isAnswered: false,
      answer: undefined,
    }
    this.#running.push(running)
    if (exchange === undefined) {
      this.#onAnswer(running, CLOSE_CONNECTION)
      return
    }
    const { context } = exchange
    context.broker.requestCounters.of(context.apiKey).requestBytes += frame.sizeBytes
    exchange.answer.whenDone((answer) => this.#onAnswer(running, answer))
  }

  #onAnswer(running: Running, answer: unknown): void {
    if (this.#isClosed || this.#isEnding) return
    running.isAnswered = true
    running.answer = answer
    for (let first = this.#running[0]; first?.isAnswered === true; first = this.#running[0]) {
      this.#running.shift()
      if (first.exchange === undefined || first.answer === CLOSE_CONNECTION) {
        this.#end()
        return
      }
      this.#answered.push({ exchange: first.exchange, answer: first.answer })
      const { throttleTimeMs = 0 } = first.exchange.context
      if (throttleTimeMs > 0) this.#muteFor(throttleTimeMs)
      this.#options.reactor.sendLater(this)
    }
    this.#startNextLater()
  }

  /** Hears nothing for this time: what has arrived waits, what has not is not read. */
  #muteFor(throttleTimeMs: number): void {
    if (this.#mute !== undefined && this.#mute.dueMs >= this.#options.nowMs() + throttleTimeMs) return
    this.#mute?.cancel()
    this.#mute = this.#options.scheduler.schedule(`mute of ${this.id}`, throttleTimeMs, () => {
      this.#mute = undefined
      this.#pauseOrResume()
      this.#startNext()
    })
    this.#pauseOrResume()
  }

  #pauseOrResume(): void {
    const count = this.#waiting.length
    const isFull = this.#isPaused ? count >= maxWaitingRequests / 2 : count >= maxWaitingRequests
    const mustPause = this.#mute !== undefined || isFull
    if (mustPause === this.#isPaused) return
    this.#isPaused = mustPause
    if (mustPause) this.#link.pause()
    else this.#link.resume()
  }

  /** Closes, as soon as what was answered earlier in this turn has been sent. */
  #end(): void {
    if (this.#answered.length === 0) {
      this.destroy()
      return
    }
    this.#isEnding = true
    this.#waiting.length = 0
  }

  /** Behind what other connections wait for in this turn. */
  #startNextLater(): void {
    if (this.#waiting.length === 0 || this.#isStartPosted) return
    this.#isStartPosted = true
    this.#options.reactor.post(() => {
      this.#isStartPosted = false
      this.#startNext()
    })
  }

  #startNext(): void {
    if (this.#isClosed || this.#isEnding) return
    const [frame] = this.#waiting
    if (frame === undefined || !this.#mayStart(frame)) return
    this.#waiting.shift()
    this.#pauseOrResume()
    this.#start(frame)
    this.#startNextLater()
  }

  #onClose(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#mute?.cancel()
    this.#waiting.length = 0
    this.#running = []
    this.#answered = []
    for (const callback of [...this.#closeCallbacks]) callback()
    this.#closeCallbacks.clear()
    this.#options.onClosed(this)
  }
}

/** Told by the first field of its header, before anything is decoded. */
function isProduce({ fragments }: Frame): boolean {
  const [head] = fragments
  return head !== undefined && head.length >= 2 && head.readInt16BE(0) === Produce.key
}
