/**
 * The producer id of an idempotent producer (KIP-98): asked for when it is first needed, and anew when a broker has forgotten
 * or refused it. Epochs beyond the first are counted per partition, see `PartitionQueue`.
 */
import { InitProducerId } from '../../common/protocol/apis/22-init-producer-id.ts'
import { ErrorCode, errorInfo } from '../../common/protocol/errors.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { ClientCore } from '../client-core.ts'
import { Backoff, retryJitter } from '../connections/backoff.ts'
import { KafkaError } from '../errors.ts'
import type { ProducerState } from './producer-batch.ts'

const fatalCodes: ReadonlySet<number> = new Set([
  ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
  ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  ErrorCode.UNSUPPORTED_VERSION,
  KafkaError._UNSUPPORTED_FEATURE,
])

/** Where the sender has producer ids from: this class, or the transaction manager. */
export interface IdentitySource {
  readonly state: ProducerState | undefined
  readonly stateName: string
  readonly stateAgeMs: number
  ensure(): void
  reset(): void
  close(): void
}

/** Whether a broker gave what can be an id and an epoch. */
export function isIdentity({ producerId, producerEpoch }: ProducerState): boolean {
  return producerId >= 0 && Number.isSafeInteger(producerId) && producerEpoch >= 0
}

export class ProducerIdentity implements IdentitySource {
  readonly #core: ClientCore
  readonly #backoff: Backoff
  readonly #onReady: () => void
  readonly #onFatal: (error: KafkaError) => void
  #state: ProducerState | undefined
  #isAsking = false
  #retryTimer: Timer | undefined
  #sinceMs: number

  constructor(core: ClientCore, onReady: () => void, onFatal: (error: KafkaError) => void) {
    this.#core = core
    this.#onReady = onReady
    this.#onFatal = onFatal
    this.#sinceMs = core.startedMs
    this.#backoff = new Backoff({
      firstMs: core.config.get('retry.backoff.ms'),
      maxMs: core.config.get('retry.backoff.max.ms'),
      random: core.runtime.random,
      ...retryJitter,
    })
  }

  /** undefined until a broker gave one. */
  get state(): ProducerState | undefined {
    return this.#state
  }

  /** As in the statistics document. */
  get stateName(): string {
    if (this.#state !== undefined) return 'Assigned'
    return this.#isAsking ? 'WaitPID' : 'Init'
  }

  get stateAgeMs(): number {
    return this.#core.runtime.clock.monotonicMs() - this.#sinceMs
  }

  /** Asks for an id unless there is one or one is on its way. */
  ensure(): void {
    if (this.#state !== undefined || this.#isAsking || this.#retryTimer !== undefined) return
    const broker = this.#core.pool.any()
    if (broker === undefined) return
    this.#isAsking = true
    broker.request({
      api: InitProducerId,
      body: { transactionalId: null, transactionTimeoutMs: 0x7fffffff },
      timeoutMs: this.#core.config.get('socket.timeout.ms'),
      isForAny: true,
      done: (result) => {
        this.#isAsking = false
        if (!result.ok) this.#failed(result.error)
        else if (result.response.errorCode !== ErrorCode.NONE)
          this.#failed(new KafkaError(result.response.errorCode))
        else if (!isIdentity(result.response))
          this.#failed(new KafkaError(KafkaError._BAD_MSG, 'InitProducerId gave no producer id'))
        else this.#assigned(result.response)
      },
    })
  }

  /** The id is of no use any more. */
  reset(): void {
    this.#state = undefined
    this.#sinceMs = this.#core.runtime.clock.monotonicMs()
    this.ensure()
  }

  close(): void {
    this.#retryTimer?.cancel()
  }

  #assigned({ producerId, producerEpoch }: ProducerState): void {
    this.#state = { producerId, producerEpoch }
    this.#sinceMs = this.#core.runtime.clock.monotonicMs()
    this.#backoff.reset()
    this.#core.logger.debug('eos', 'PID', `Acquired producer id ${producerId}, epoch ${producerEpoch}`)
    this.#onReady()
  }

  #failed(error: KafkaError): void {
    if (this.#core.isClosed) return
    const code = error.code()
    const isKnownToEnd = code > 0 && !errorInfo(code).isRetriable
    if (fatalCodes.has(code) || isKnownToEnd) {
      this.#onFatal(new KafkaError(code, `Failed to acquire a producer id: ${error.str()}`, { fatal: true }))
      return
    }
    const { scheduler } = this.#core.runtime
    this.#retryTimer = scheduler.schedule('asking for a producer id again', this.#backoff.nextMs(), () => {
      this.#retryTimer = undefined
      this.ensure()
    })
  }
}
