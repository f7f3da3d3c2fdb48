/**
 * The coordinator of one group or transactional id: found when needed, looked for again when it moved. Calls go on until they
 * are answered with something that trying again cannot change, or the client is closed.
 */
import { FindCoordinator } from '../../common/protocol/apis/10-find-coordinator.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../common/protocol/schema.ts'
import type { ClientCore } from '../client-core.ts'
import { KafkaError, KafkaException } from '../errors.ts'
import { Backoff, retryJitter } from './backoff.ts'
import type { Broker } from './broker.ts'
import type { RequestResult } from './request.ts'
import type { VersionLimits } from './versions.ts'

export const CoordinatorType = { group: 0, transaction: 1, share: 2 } as const
export type CoordinatorType = (typeof CoordinatorType)[keyof typeof CoordinatorType]

export interface CoordinatorCall<A extends ApiSchema> extends VersionLimits {
  readonly api: A
  /** The body, or what makes it when the version is known. */
  readonly body: RequestInputOf<A> | ((version: number) => RequestInputOf<A>)
  /** The code that decides over the answer; NONE when there is none. */
  readonly errorOf: (response: ResponseOf<A>) => number
  /** Codes after which the same is asked again, besides those of a coordinator that moved or loads. */
  readonly retryOn?: ReadonlySet<number>
  /** Asked before the same is tried again; with false the call rejects with `_TIMED_OUT`. */
  readonly isWanted?: () => boolean
}

/** The coordinator is elsewhere. */
const movedCodes: ReadonlySet<number> = new Set([
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
])

export class Coordinator {
  readonly #core: ClientCore
  readonly #type: CoordinatorType
  readonly #key: string
  #nodeId: number | undefined

  constructor(core: ClientCore, type: CoordinatorType, key: string) {
    this.#core = core
    this.#type = type
    this.#key = key
  }

  /** Rejects with a KafkaException when trying again is of no use. */
  async call<A extends ApiSchema>(call: CoordinatorCall<A>): Promise<ResponseOf<A>> {
    const backoff = this.#newBackoff()
    for (;;) {
      const broker = await this.#find(call.isWanted)
      const result = await this.#request(broker, call)
      if (result.ok) {
        const code = call.errorOf(result.response)
        if (movedCodes.has(code)) this.#nodeId = undefined
        else if (code !== ErrorCode.COORDINATOR_LOAD_IN_PROGRESS && call.retryOn?.has(code) !== true) {
          return result.response
        }
      } else {
        if (!isPassing(result.error)) throw new KafkaException(result.error)
        this.#nodeId = undefined
      }
      await this.#pause(backoff.nextMs(), call.isWanted)
    }
  }

  async #find(isWanted: (() => boolean) | undefined): Promise<Broker> {
    const backoff = this.#newBackoff()
    for (;;) {
      if (this.#nodeId !== undefined) {
        const known = this.#core.pool.coordinator(this.#nodeId)
        if (known !== undefined) return known
        this.#core.metadata.refreshSoon('a coordinator is needed')
      }
      const broker = this.#core.pool.any()
      const result = broker === undefined ? undefined : await this.#ask(broker)
      if (result?.ok === true) {
        const answer = result.response.coordinators[0] ?? result.response
        if (answer.errorCode === ErrorCode.NONE) {
          const { nodeId, host, port } = answer
          this.#core.pool.learn({ nodeId, host, port, rack: null })
          this.#nodeId = nodeId
          continue
        }
        const error = new KafkaError(answer.errorCode, answer.errorMessage || undefined)
        if (
          !movedCodes.has(answer.errorCode) &&
          answer.errorCode !== ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
        ) {
          throw new KafkaException(error)
        }
      } else if (result !== undefined && !isPassing(result.error)) throw new KafkaException(result.error)
      await this.#pause(backoff.nextMs(), isWanted)
    }
  }

  #ask(broker: Broker): Promise<RequestResult<typeof FindCoordinator>> {
    return new Promise((resolve) => {
      broker.request({
        api: FindCoordinator,
        body: (version) =>
          version >= 4
            ? { keyType: this.#type, coordinatorKeys: [this.#key] }
            : { key: this.#key, ...(version >= 1 ? { keyType: this.#type } : {}) },
        timeoutMs: this.#core.config.get('socket.timeout.ms'),
        isForAny: true,
        done: resolve,
      })
    })
  }

  #request<A extends ApiSchema>(broker: Broker, call: CoordinatorCall<A>): Promise<RequestResult<A>> {
    return new Promise((resolve) => {
      const { api, body, minVersion, maxVersion } = call
      broker.request<A>({
        api,
        body,
        timeoutMs: this.#core.config.get('socket.timeout.ms'),
        ...(minVersion === undefined ? {} : { minVersion }),
        ...(maxVersion === undefined ? {} : { maxVersion }),
        done: resolve,
      })
    })
  }

  #newBackoff(): Backoff {
    const { config, runtime } = this.#core
    return new Backoff({
      firstMs: config.get('retry.backoff.ms'),
      maxMs: config.get('retry.backoff.max.ms'),
      random: runtime.random,
      ...retryJitter,
    })
  }

  async #pause(ms: number, isWanted: (() => boolean) | undefined): Promise<void> {
    if (!this.#core.isClosed) {
      await new Promise<void>((resolve) => {
        this.#core.runtime.scheduler.schedule(`calling the coordinator of ${this.#key} again`, ms, resolve)
      })
    }
    if (this.#core.isClosed) throw new KafkaException(new KafkaError(KafkaError._DESTROY))
    if (isWanted?.() === false) throw new KafkaException(new KafkaError(KafkaError._TIMED_OUT))
  }
}

function isPassing(error: KafkaError): boolean {
  const code = error.code()
  return code !== KafkaError._UNSUPPORTED_FEATURE && code !== KafkaError._DESTROY
}
