/**
 * The way to the coordinator of the group, in callbacks: finds it when somebody has a request for it, keeps what waits
 * meanwhile, and forgets it when an answer says that it moved. One attempt a request: those who ask know what to repeat.
 */
import { FindCoordinator } from '../../common/protocol/apis/10-find-coordinator.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ApiSchema } from '../../common/protocol/schema.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { ClientCore } from '../client-core.ts'
import { Backoff, retryJitter } from '../connections/backoff.ts'
import type { Broker } from '../connections/broker.ts'
import { CoordinatorType } from '../connections/coordinator.ts'
import type { BrokerRequest, RequestResult } from '../connections/request.ts'
import { KafkaError } from '../errors.ts'

interface Waiting {
  readonly send: (broker: Broker) => void
  readonly fail: (error: KafkaError) => void
  timer: Timer | undefined
}

/** The coordinator is elsewhere, or not there yet. */
export function isCoordinatorCode(code: number): boolean {
  return (
    code === ErrorCode.NOT_COORDINATOR ||
    code === ErrorCode.COORDINATOR_NOT_AVAILABLE ||
    code === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
  )
}

export class GroupCoordinator {
  readonly groupId: string
  readonly #core: ClientCore
  readonly #backoff: Backoff
  #coordinatorId: number | undefined
  /** Since when it is known, or not; monotonic. */
  stateSinceMs: number
  readonly #waiting = new Set<Waiting>()
  #isFinding = false
  #timer: Timer | undefined
  #isClosed = false

  constructor(core: ClientCore, groupId: string) {
    this.#core = core
    this.stateSinceMs = core.startedMs
    this.groupId = groupId
    const { config, runtime } = core
    this.#backoff = new Backoff({
      firstMs: config.get('retry.backoff.ms'),
      maxMs: config.get('retry.backoff.max.ms'),
      random: runtime.random,
      ...retryJitter,
    })
  }

  get #nodeId(): number | undefined {
    return this.#coordinatorId
  }

  set #nodeId(nodeId: number | undefined) {
    if (nodeId === this.#coordinatorId) return
    this.#coordinatorId = nodeId
    this.stateSinceMs = this.#core.runtime.clock.monotonicMs()
  }

  get isKnown(): boolean {
    return this.#nodeId !== undefined
  }

  /**
   * Sends it once the coordinator is known, and `isAside` over the broker's other connection, not behind what the group's
   * requests wait for; fails with `_WAIT_COORD` when that takes longer than the request may.
   */
  request<A extends ApiSchema>(request: BrokerRequest<A> & { readonly isAside?: boolean }): void {
    const { scheduler, reactor } = this.#core.runtime
    if (this.#isClosed) {
      reactor.post(() =>
        request.done({ ok: false, error: new KafkaError(KafkaError._DESTROY), wasSent: false }),
      )
      return
    }
    const aside = request.isAside === true ? this.#core.pool.byId(this.#nodeId ?? -1) : undefined
    const known = aside ?? this.#known()
    if (known !== undefined) {
      this.#send(known, request)
      return
    }
    const waiting: Waiting = {
      send: (broker) => this.#send(broker, request),
      fail: (error) => request.done({ ok: false, error, wasSent: false }),
      timer: undefined,
    }
    waiting.timer = scheduler.schedule(
      `${request.api.name} waits for the coordinator of ${this.groupId}`,
      request.timeoutMs,
      () => {
        this.#waiting.delete(waiting)
        waiting.fail(new KafkaError(KafkaError._WAIT_COORD, 'The group coordinator is not known'))
      },
    )
    this.#waiting.add(waiting)
    this.#find()
  }

  /** Takes note of the code of an answer: the coordinator may have moved. */
  note(code: number): void {
    if (code === ErrorCode.NOT_COORDINATOR || code === ErrorCode.COORDINATOR_NOT_AVAILABLE)
      this.#nodeId = undefined
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#failWaiting(new KafkaError(KafkaError._DESTROY))
  }

  #known(): Broker | undefined {
    return this.#nodeId === undefined ? undefined : this.#core.pool.coordinator(this.#nodeId)
  }

  #send<A extends ApiSchema>(broker: Broker, request: BrokerRequest<A>): void {
    broker.request({
      ...request,
      done: (result: RequestResult<A>) => {
        if (!result.ok && result.error.code() !== KafkaError._UNSUPPORTED_FEATURE) this.#nodeId = undefined
        request.done(result)
      },
    })
  }

  #find(): void {
    if (this.#isFinding || this.#isClosed || this.#timer !== undefined) return
    const broker = this.#core.pool.any()
    if (broker === undefined) {
      this.#again()
      return
    }
    this.#isFinding = true
    broker.request({
      api: FindCoordinator,
      body: (version) =>
        version >= 4
          ? { keyType: CoordinatorType.group, coordinatorKeys: [this.groupId] }
          : { key: this.groupId, ...(version >= 1 ? { keyType: CoordinatorType.group } : {}) },
      timeoutMs: this.#core.config.get('socket.timeout.ms'),
      isForAny: true,
      done: (result) => {
        this.#isFinding = false
        if (this.#isClosed) return
        if (result.ok) this.#found(result.response.coordinators[0] ?? result.response)
        else this.#again()
      },
    })
  }

  #found(answer: {
    readonly nodeId: number
    readonly host: string
    readonly port: number
    readonly errorCode: number
    readonly errorMessage: string | null
  }): void {
    if (answer.errorCode !== ErrorCode.NONE) {
      if (!isCoordinatorCode(answer.errorCode)) {
        this.#failWaiting(new KafkaError(answer.errorCode, answer.errorMessage || undefined))
      } else this.#again()
      return
    }
    const { pool, logger } = this.#core
    const { nodeId, host, port } = answer
    if (pool.byId(nodeId) === undefined) pool.learn({ nodeId, host, port, rack: null })
    const broker = pool.coordinator(nodeId)
    if (broker === undefined) {
      this.#again()
      return
    }
    logger.debug('cgrp', 'COORD', `The coordinator of ${this.groupId} is ${broker.name}`)
    this.#nodeId = nodeId
    this.#backoff.reset()
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const { timer, send } of waiting) {
      timer?.cancel()
      send(broker)
    }
  }

  #again(): void {
    if (this.#waiting.size === 0 || this.#isClosed) return
    this.#timer = this.#core.runtime.scheduler.schedule(
      `finding the coordinator of ${this.groupId} again`,
      this.#backoff.nextMs(),
      () => {
        this.#timer = undefined
        if (this.#waiting.size > 0) this.#find()
      },
    )
  }

  #failWaiting(error: KafkaError): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const { timer, fail } of waiting) {
      timer?.cancel()
      fail(error)
    }
  }
}
