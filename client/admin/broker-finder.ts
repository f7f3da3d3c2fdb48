/** Which broker an admin request goes to. Asks for metadata or the coordinator when that is not known. One per call. */
import type { MetadataResponse } from '../../common/protocol/apis/03-metadata.ts'
import { FindCoordinator } from '../../common/protocol/apis/10-find-coordinator.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ApiSchema } from '../../common/protocol/schema.ts'
import type { ClientCore } from '../client-core.ts'
import type { Backoff } from '../connections/backoff.ts'
import type { Broker } from '../connections/broker.ts'
import type { CoordinatorType } from '../connections/coordinator.ts'
import type { RequestResult } from '../connections/request.ts'
import { KafkaError, KafkaException } from '../errors.ts'
import type { MetadataResult } from '../metadata/metadata-refresher.ts'
import type { AdminRequest } from './admin-request.ts'
import { mayTryAgain } from './may-try-again.ts'

export type Target =
  | { readonly kind: 'any' }
  | { readonly kind: 'controller' }
  | { readonly kind: 'broker'; readonly nodeId: number }
  /** Of a group or a transactional id. */
  | { readonly kind: 'coordinator'; readonly type: CoordinatorType; readonly key: string }

/** What it needs of the call that it belongs to: see `AdminCall`. */
export interface FinderCall {
  readonly core: ClientCore
  check(): void
  backoff(): Backoff
  pause(ms: number): Promise<void>
  wait<T>(start: (resolve: (value: T) => void) => (() => void) | undefined): Promise<T>
  tryRequest<A extends ApiSchema>(broker: Broker, request: AdminRequest<A>): Promise<RequestResult<A>>
}

export class BrokerFinder {
  readonly #call: FinderCall
  #isMetadataStale = false
  /** Node ids by type and key. */
  readonly #coordinators = new Map<string, number>()

  constructor(call: FinderCall) {
    this.#call = call
  }

  async find(target: Target): Promise<Broker> {
    const backoff = this.#call.backoff()
    for (;;) {
      this.#call.check()
      const known = this.#known(target)
      if (known !== undefined) return known
      if (target.kind === 'coordinator') await this.#findCoordinator(target)
      else await this.#query([])
      if (this.#known(target) === undefined) await this.#call.pause(backoff.nextMs())
    }
  }

  /** Metadata of these topics, from whichever broker answers first. */
  async metadata(topics: readonly string[]): Promise<MetadataResponse> {
    const backoff = this.#call.backoff()
    for (;;) {
      const response = await this.#query(topics)
      if (response !== undefined) return response
      await this.#call.pause(backoff.nextMs())
    }
  }

  /** The broker that was found is not the one, or cannot be reached. */
  forget(target: Target): void {
    if (target.kind === 'coordinator') this.#coordinators.delete(coordinatorKey(target))
    else this.#isMetadataStale = true
  }

  #known(target: Target): Broker | undefined {
    const { metadata, pool } = this.#call.core
    switch (target.kind) {
      case 'any':
        return pool.any()
      case 'controller':
        if (this.#isMetadataStale) return undefined
        return pool.byId(metadata.cache.controllerId)
      case 'broker':
        if (this.#isMetadataStale) return undefined
        return pool.byId(target.nodeId)
      case 'coordinator': {
        const nodeId = this.#coordinators.get(coordinatorKey(target))
        return nodeId === undefined ? undefined : pool.byId(nodeId)
      }
    }
  }

  /** undefined when no broker answered. */
  async #query(topics: readonly string[]): Promise<MetadataResponse | undefined> {
    const { metadata, config } = this.#call.core
    const query = { topics, mayCreate: false, timeoutMs: config.get('socket.timeout.ms') }
    const result = await this.#call.wait<MetadataResult>((resolve) => {
      metadata.query(query, resolve)
      return undefined
    })
    if (!result.ok) {
      this.#checkPassing(result.error)
      return undefined
    }
    this.#isMetadataStale = false
    return result.response
  }

  async #findCoordinator(target: Target & { readonly kind: 'coordinator' }): Promise<void> {
    const { pool } = this.#call.core
    const broker = pool.any()
    if (broker === undefined) return
    const { type, key } = target
    const result = await this.#call.tryRequest(broker, {
      api: FindCoordinator,
      isForAny: true,
      body: (version) =>
        version >= 4
          ? { keyType: type, coordinatorKeys: [key] }
          : { key, ...(version >= 1 ? { keyType: type } : {}) },
    })
    if (!result.ok) {
      this.#checkPassing(result.error)
      return
    }
    const answer = result.response.coordinators[0] ?? result.response
    const { errorCode, errorMessage, nodeId, host, port } = answer
    if (errorCode === ErrorCode.NONE) {
      pool.learn({ nodeId, host, port, rack: null })
      this.#coordinators.set(coordinatorKey(target), nodeId)
      return
    }
    const mayComeUp =
      errorCode === ErrorCode.COORDINATOR_NOT_AVAILABLE ||
      errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ||
      errorCode === ErrorCode.NOT_COORDINATOR
    if (!mayComeUp) throw new KafkaException(new KafkaError(errorCode, errorMessage || undefined))
  }

  #checkPassing(error: KafkaError): void {
    if (error.code() >= 0) return
    if (!mayTryAgain({ error, wasSent: false }, true)) throw new KafkaException(error)
  }
}

function coordinatorKey({ type, key }: Target & { readonly kind: 'coordinator' }): string {
  return `${type}:${key}`
}
