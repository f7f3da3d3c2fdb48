/**
 * One call of the admin client: its time, its abort signal, and requests that end with it. Made by `AdminEngine`, used by one
 * family of calls.
 *
 * `ask` finds the broker of a target and asks again, with back-off, while the broker is unreachable, unknown, or says that
 * another one is responsible. When time runs out, the signal aborts or the client closes, whatever the call waits for rejects
 * with that reason, and so do its open results.
 */
import type { MetadataResponse } from '../../common/protocol/apis/03-metadata.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ApiSchema, ResponseOf } from '../../common/protocol/schema.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { ClientCore } from '../client-core.ts'
import { Backoff, retryJitter } from '../connections/backoff.ts'
import type { Broker } from '../connections/broker.ts'
import type { RequestResult } from '../connections/request.ts'
import { KafkaError, KafkaException } from '../errors.ts'
import type { AdminLimits } from './admin-options.ts'
import type { AdminAnswer, AdminRequest } from './admin-request.ts'
import { BrokerFinder, type Target } from './broker-finder.ts'
import { mayTryAgain } from './may-try-again.ts'

/** What a broker says that is not (yet, or no longer) responsible, by kind of target. */
const elsewhereCodes: Readonly<Record<Target['kind'], ReadonlySet<number>>> = {
  any: new Set(),
  broker: new Set(),
  controller: new Set([ErrorCode.NOT_CONTROLLER]),
  coordinator: new Set([
    ErrorCode.NOT_COORDINATOR,
    ErrorCode.COORDINATOR_NOT_AVAILABLE,
    ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ]),
}

export class AdminCall {
  readonly core: ClientCore
  readonly #finder: BrokerFinder
  readonly #deadlineMs: number
  readonly #signal: AbortSignal | undefined
  readonly #timer: Timer
  readonly #onEnd: (call: AdminCall) => void
  readonly #waits = new Set<(reason: unknown) => void>()
  #ending: { readonly reason: unknown } | undefined

  constructor(core: ClientCore, limits: AdminLimits, onEnd: (call: AdminCall) => void) {
    this.core = core
    this.#finder = new BrokerFinder(this)
    const { clock, scheduler } = core.runtime
    const timeoutMs = limits.requestTimeoutMs ?? core.config.get('socket.timeout.ms')
    this.#deadlineMs = clock.monotonicMs() + timeoutMs
    this.#onEnd = onEnd
    this.#timer = scheduler.schedule('an admin call runs out of time', timeoutMs, () =>
      this.end(new KafkaException(core.lateError(KafkaError._TIMED_OUT, 'The call ran out of time'))),
    )
    this.#signal = limits.signal
    this.#signal?.addEventListener('abort', this.#aborted)
    if (this.#signal?.aborted === true) this.#aborted()
  }

  /** Milliseconds that are left for the whole call. */
  get leftMs(): number {
    return Math.max(0, this.#deadlineMs - this.core.runtime.clock.monotonicMs())
  }

  /**
   * What to send as the broker's own timeout.
   * @param operationTimeoutMs as `OptionReader.operationTimeoutMs` gives it
   */
  brokerTimeoutMs(operationTimeoutMs: number | undefined): number {
    const wantedMs = operationTimeoutMs ?? this.core.config.get('socket.timeout.ms')
    return Math.round(wantedMs < 0 ? this.leftMs : wantedMs)
  }

  /** Throws the reason when the call is over. */
  check(): void {
    if (this.#ending !== undefined) throw this.#ending.reason
  }

  /** Ends the call: what waits rejects with the reason. The first one counts. */
  end(reason: unknown): void {
    if (this.#ending !== undefined) return
    this.#ending = { reason }
    this.#timer.cancel()
    this.#signal?.removeEventListener('abort', this.#aborted)
    this.#onEnd(this)
    for (const reject of [...this.#waits]) reject(reason)
  }

  /**
   * A promise that the call's end rejects.
   * @param start gets what resolves it; may return what to undo when the call ends first
   */
  wait<T>(start: (resolve: (value: T) => void) => (() => void) | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#ending !== undefined) {
        reject(this.#ending.reason)
        return
      }
      let undo: (() => void) | undefined
      const stop = (reason: unknown): void => {
        this.#waits.delete(stop)
        undo?.()
        reject(reason)
      }
      this.#waits.add(stop)
      undo = start((value) => {
        this.#waits.delete(stop)
        resolve(value)
      })
    })
  }

  pause(ms: number): Promise<void> {
    return this.wait((resolve) => {
      const timer = this.core.runtime.scheduler.schedule('an admin call tries again', ms, resolve)
      return () => timer.cancel()
    })
  }

  /** One request to this broker, as it ends. Rejects only when the call is over. */
  tryRequest<A extends ApiSchema>(broker: Broker, request: AdminRequest<A>): Promise<RequestResult<A>> {
    const { api, body, isForAny = false, minVersion, maxVersion } = request
    // A request that is not answered costs the connection: a call in a hurry does not take it from the others.
    const timeoutMs = Math.max(this.leftMs, this.core.config.get('socket.timeout.ms'))
    return this.wait((resolve) => {
      broker.request<A>({
        api,
        body,
        timeoutMs,
        isForAny,
        ...(minVersion === undefined ? {} : { minVersion }),
        ...(maxVersion === undefined ? {} : { maxVersion }),
        done: resolve,
      })
      return undefined
    })
  }

  /** Asks whoever is responsible. Rejects with KafkaException when trying again is of no use, or the call is over. */
  async ask<A extends ApiSchema>(target: Target, request: AdminRequest<A>): Promise<AdminAnswer<A>> {
    const backoff = this.backoff()
    for (;;) {
      const broker = await this.#finder.find(target)
      const result = await this.tryRequest(broker, { ...request, isForAny: target.kind === 'any' })
      if (result.ok) {
        const { response, version } = result
        if (!this.#isElsewhere(target, request, response)) return { response, version, broker }
      } else if (!mayTryAgain(result, request.isRepeatable ?? true)) throw new KafkaException(result.error)
      this.#finder.forget(target)
      await this.pause(backoff.nextMs())
    }
  }

  /** The broker of a target, once it is known. */
  find(target: Target): Promise<Broker> {
    return this.#finder.find(target)
  }

  /** Metadata of these topics, asked for now. */
  metadata(topics: readonly string[]): Promise<MetadataResponse> {
    return this.#finder.metadata(topics)
  }

  /** Every broker there is, by fresh metadata. */
  async brokers(): Promise<Broker[]> {
    const { brokers } = await this.metadata([])
    return brokers.flatMap(({ nodeId }) => this.core.pool.byId(nodeId) ?? [])
  }

  backoff(): Backoff {
    const { config, runtime } = this.core
    return new Backoff({
      firstMs: config.get('retry.backoff.ms'),
      maxMs: config.get('retry.backoff.max.ms'),
      random: runtime.random,
      ...retryJitter,
    })
  }

  readonly #aborted = (): void => this.end(this.#signal?.reason)

  #isElsewhere<A extends ApiSchema>(
    target: Target,
    { codesOf, retryOn }: AdminRequest<A>,
    response: ResponseOf<A>,
  ): boolean {
    for (const code of codesOf?.(response) ?? []) {
      if (elsewhereCodes[target.kind].has(code) || retryOn?.has(code) === true) return true
    }
    return false
  }
}
