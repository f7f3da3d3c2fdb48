/**
 * Transactions of one producer (KIP-98): the state machine, producer id and epoch, and what was added to the open
 * transaction.
 *
 * Speaks two protocols. The first, which every broker since 0.11 has, adds partitions and groups to the transaction by requests of their
 * own. The second (KIP-890, where the cluster's `transaction.version` is 2 or higher) leaves that to the leaders of the partitions, and
 * the end of every transaction begins a new epoch, so that what is late of the old one is refused. Which one the next transaction
 * speaks is settled when the one before has ended.
 *
 *     Init ─ initTransactions ─► Ready ─ begin ─► InTransaction ─ commit / abort ─► Ready
 *                                                      │ a message or a call failed
 *                                                      ▼
 *                                                  Abortable ─ abort ─► Ready        (any) ─ fenced … ─► Fatal
 *
 * An operation goes on when the application's time for it is over: calling the same method again waits for it once more,
 * calling another is `_CONFLICT`. Sending offsets is not resumed: each call has offsets of its own, and when nobody waits for
 * them any more they are not tried again; then they are sent by another call, or the transaction is aborted.
 * What is sent is in `transaction-requests.ts`.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ClientCore } from '../client-core.ts'
import { KafkaError, KafkaException, kafkaException } from '../errors.ts'
import type { CallLimits } from '../timeouts.ts'
import type { ConsumerGroupMetadata } from '../values/consumer-group-metadata.ts'
import { TopicPartition } from '../values/topic-partition.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerState } from './producer-batch.ts'
import { isIdentity } from './producer-identity.ts'
import { TransactionRequests } from './transaction-requests.ts'

export type TransactionState = 'Init' | 'Ready' | 'InTransaction' | 'Abortable' | 'Fatal'
type OperationName =
  | 'initTransactions'
  | 'sendOffsetsToTransaction'
  | 'commitTransaction'
  | 'abortTransaction'

/** A newer producer with the same id has taken over. */
const fencedCodes: ReadonlySet<number> = new Set([
  ErrorCode.INVALID_PRODUCER_EPOCH,
  ErrorCode.PRODUCER_FENCED,
])
const fatalCodes: ReadonlySet<number> = new Set([
  ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
  ErrorCode.INVALID_TRANSACTION_TIMEOUT,
  ErrorCode.UNSUPPORTED_VERSION,
  ErrorCode.TRANSACTION_COORDINATOR_FENCED,
  KafkaError._UNSUPPORTED_FEATURE,
])
/** Level of the feature `transaction.version` from which the second protocol is spoken. */
const secondProtocolLevel = 2

/** There is nothing to abort. */
const goneCodes: ReadonlySet<number> = new Set([
  ErrorCode.INVALID_TXN_STATE,
  ErrorCode.INVALID_PRODUCER_ID_MAPPING,
])

interface Operation {
  readonly name: OperationName
  readonly outcome: Promise<void>
  /** Calls that wait for the outcome. */
  callers: number
}

/** What an operation does, once the one before has ended. @param isWanted whether somebody waits for it */
type Work = (isWanted: () => boolean) => Promise<void>

export interface TransactionHooks {
  /** The partition may be sent to now. */
  readonly onPartitionAdded: (partition: PartitionQueue) => void
  readonly onFatal: (error: KafkaError) => void
  /** Every message is delivered or failed, and reported. */
  readonly flushAll: (signal: AbortSignal | undefined) => Promise<void>
  /** Drops what is outstanding and waits until nothing of it is on its way to a broker. */
  readonly discardAll: () => Promise<void>
  /** Sequences that were given and never stored: the next transaction needs a new epoch. */
  readonly hasGaps: () => boolean
}

export class TransactionManager {
  readonly #core: ClientCore
  readonly #hooks: TransactionHooks
  readonly #requests: TransactionRequests
  #currentState: TransactionState = 'Init'
  #stateSinceMs: number
  #identitySinceMs: number
  #identity: ProducerState | undefined
  #error: KafkaError | undefined
  #operation: Operation | undefined
  /** Offsets of the open transaction were given up: it must not be committed without them. */
  #lacksOffsets = false
  readonly #added = new Set<PartitionQueue>()
  #toAdd = new Set<PartitionQueue>()
  #isAdding = false
  #hasOffsets = false
  #isSecondProtocol = false
  #beganMs = 0

  constructor(core: ClientCore, transactionalId: string, hooks: TransactionHooks) {
    this.#core = core
    this.#hooks = hooks
    this.#stateSinceMs = core.startedMs
    this.#identitySinceMs = core.startedMs
    this.#requests = new TransactionRequests(core, transactionalId)
  }

  get state(): ProducerState | undefined {
    return this.#identity
  }

  get stateName(): string {
    return this.#identity === undefined ? 'Init' : 'Assigned'
  }

  get transactionState(): TransactionState {
    return this.#state
  }

  get transactionStateAgeMs(): number {
    return this.#core.runtime.clock.monotonicMs() - this.#stateSinceMs
  }

  get stateAgeMs(): number {
    return this.#core.runtime.clock.monotonicMs() - this.#identitySinceMs
  }

  get #state(): TransactionState {
    return this.#currentState
  }

  set #state(state: TransactionState) {
    this.#currentState = state
    this.#stateSinceMs = this.#core.runtime.clock.monotonicMs()
  }

  /** Part of the identity's contract: ids come from `initTransactions` only. */
  ensure(): void {}
  reset(): void {}
  close(): void {}

  /** Produce requests add their partitions to the open transaction by themselves. */
  get addsPartitionsItself(): boolean {
    return this.#isSecondProtocol
  }

  /** Throws `_STATE` outside a transaction. */
  checkProduce(): void {
    const isEnding = this.#operation !== undefined && this.#operation.name !== 'sendOffsetsToTransaction'
    if (this.#state === 'InTransaction' && !isEnding) return
    throw kafkaException(KafkaError._STATE, `produce is not allowed in state ${this.#state}`)
  }

  /** Whether the partition belongs to the transaction; else it is added, and `onPartitionAdded` tells when. */
  maySend(partition: PartitionQueue): boolean {
    if (this.#state !== 'InTransaction') return false
    if (this.#added.has(partition)) return true
    if (this.#isSecondProtocol) {
      this.#added.add(partition)
      return true
    }
    this.#toAdd.add(partition)
    if (!this.#isAdding) {
      this.#isAdding = true
      void this.#addPartitions()
    }
    return false
  }

  /** A message failed for good. */
  messageFailed(error: KafkaError): void {
    if (this.#state !== 'InTransaction') return
    if (this.#operation?.name === 'abortTransaction') return
    this.#failed(error)
  }

  init(limits: CallLimits): Promise<void> {
    return this.#run('initTransactions', limits, () => {
      if (this.#state !== 'Init') throw this.#wrongState('initTransactions')
      return async () => {
        await this.#acquireIdentity()
        this.#settleProtocol()
        this.#state = 'Ready'
      }
    })
  }

  begin(): void {
    if (this.#operation !== undefined) throw this.#conflict('beginTransaction', this.#operation.name)
    if (this.#state !== 'Ready') throw this.#wrongState('beginTransaction')
    this.#state = 'InTransaction'
    this.#beganMs = this.#core.runtime.clock.monotonicMs()
  }

  /** Milliseconds that the open transaction has left. */
  get timeLeftMs(): number {
    const elapsedMs = this.#core.runtime.clock.monotonicMs() - this.#beganMs
    return Math.max(1000, this.#core.config.get('transaction.timeout.ms') - elapsedMs)
  }

  sendOffsets(
    positions: readonly TopicPartition[],
    group: ConsumerGroupMetadata,
    limits: CallLimits,
  ): Promise<void> {
    return this.#run('sendOffsetsToTransaction', limits, () => {
      if (this.#state !== 'InTransaction') throw this.#wrongState('sendOffsetsToTransaction')
      // Copies: the application may go on with its own.
      const usable = positions
        .filter(({ offset }) => offset >= 0)
        .map((position) => new TopicPartition(position.topic, position.partition, position.offset, position))
      return async (isWanted) => {
        if (this.#state !== 'InTransaction') throw this.#wrongState('sendOffsetsToTransaction')
        if (usable.length > 0) await this.#sendOffsets(usable, group, isWanted)
        this.#lacksOffsets = false
      }
    })
  }

  commit(limits: CallLimits): Promise<void> {
    return this.#run('commitTransaction', limits, () => {
      if (this.#state !== 'InTransaction') throw this.#wrongState('commitTransaction')
      if (this.#lacksOffsets) throw this.#conflict('commitTransaction', 'sendOffsetsToTransaction')
      return async () => {
        await this.#hooks.flushAll(limits.signal)
        if ((this.#state as TransactionState) !== 'InTransaction') throw this.#wrongState('commitTransaction')
        const isNewEpoch = await this.#end(true)
        if (this.#settleProtocol() && !isNewEpoch) await this.#acquireIdentity()
      }
    })
  }

  abort(limits: CallLimits): Promise<void> {
    return this.#run('abortTransaction', limits, () => {
      const check = (): void => {
        if (this.#state !== 'InTransaction' && this.#state !== 'Abortable')
          throw this.#wrongState('abortTransaction')
      }
      check()
      return async () => {
        check()
        this.#toAdd.clear()
        await this.#hooks.discardAll()
        // A coordinator that has forgotten the producer has nothing to end, and would refuse to.
        const isForgotten = this.#error?.code() === ErrorCode.INVALID_PRODUCER_ID_MAPPING
        const isNewEpoch = isForgotten ? this.#ended() : await this.#end(false)
        const isUpgraded = this.#settleProtocol()
        if (isForgotten || (!isNewEpoch && (isUpgraded || this.#hooks.hasGaps())))
          await this.#acquireIdentity()
      }
    })
  }

  /** Runs an operation, joins the one of the same name that an earlier call left running, or follows the sending of offsets. */
  async #run(name: OperationName, { timeoutMs, signal }: CallLimits, start: () => Work): Promise<void> {
    signal?.throwIfAborted()
    const earlier = this.#operation
    const isGivenUp = earlier?.callers === 0
    const follows =
      earlier?.name === 'sendOffsetsToTransaction' &&
      (name === earlier.name || (name === 'abortTransaction' && isGivenUp))
    if (earlier !== undefined && earlier.name !== name && !follows) throw this.#conflict(name, earlier.name)
    const operation = earlier === undefined || follows ? this.#started(name, start(), earlier) : earlier
    operation.callers++
    try {
      await this.#inTime(operation.outcome, timeoutMs, signal)
    } finally {
      operation.callers--
    }
  }

  #started(name: OperationName, work: Work, earlier: Operation | undefined): Operation {
    // Not at once: what it does to messages must find the operation noted.
    const outcome = Promise.resolve(earlier?.outcome.catch(() => {}))
      .then(() => work(() => operation.callers > 0))
      .finally(() => {
        if (this.#operation === operation) this.#operation = undefined
      })
    outcome.catch(() => {})
    const operation: Operation = { name, outcome, callers: 0 }
    this.#operation = operation
    return operation
  }

  #inTime(outcome: Promise<void>, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const timedOut = (): void =>
        reject(
          kafkaException(KafkaError._TIMED_OUT, 'The operation is still in progress', { retriable: true }),
        )
      const timer = this.#core.runtime.scheduler.schedule(
        'a transactional call times out',
        timeoutMs,
        timedOut,
      )
      const aborted = (): void => reject(signal?.reason)
      signal?.addEventListener('abort', aborted)
      outcome
        .then(resolve, (error: unknown) => reject(error))
        .finally(() => {
          timer.cancel()
          signal?.removeEventListener('abort', aborted)
        })
    })
  }

  /**
   * Which protocol the next transaction speaks.
   * @returns whether it is the first one of the second protocol, which needs a new epoch: the end of the last transaction may not have
   *   come to all leaders, and what is sent to them in its epoch would become a part of it
   */
  #settleProtocol(): boolean {
    const wasSecondProtocol = this.#isSecondProtocol
    this.#isSecondProtocol = this.#core.pool.featureLevel('transaction.version') >= secondProtocolLevel
    return this.#isSecondProtocol && !wasSecondProtocol
  }

  async #acquireIdentity(): Promise<void> {
    const response = await this.#call(() => this.#requests.initProducerId(this.#identity))
    this.#check(response.errorCode)
    if (!isIdentity(response)) throw kafkaException(KafkaError._BAD_MSG, 'InitProducerId gave no producer id')
    const { producerId, producerEpoch } = response
    this.#identity = { producerId, producerEpoch }
    this.#identitySinceMs = this.#core.runtime.clock.monotonicMs()
  }

  async #addPartitions(): Promise<void> {
    try {
      while (this.#toAdd.size > 0 && this.#state === 'InTransaction') {
        const batch = [...this.#toAdd]
        this.#toAdd = new Set()
        const identity = this.#identity as ProducerState
        this.#check(await this.#call(() => this.#requests.addPartitions(identity, batch)))
        for (const partition of batch) {
          this.#added.add(partition)
          this.#hooks.onPartitionAdded(partition)
        }
      }
    } catch {
      // `#check` and `#call` have noted the failure: the transaction is abortable, or the producer is at its end.
    } finally {
      this.#isAdding = false
    }
  }

  async #sendOffsets(
    positions: readonly TopicPartition[],
    group: ConsumerGroupMetadata,
    isWanted: () => boolean,
  ): Promise<void> {
    const identity = this.#identity as ProducerState
    if (!this.#isSecondProtocol) {
      this.#check(await this.#call(() => this.#requests.addOffsets(identity, group.groupId, isWanted)))
    }
    this.#hasOffsets = true
    this.#check(
      await this.#call(() =>
        this.#requests.commitOffsets(identity, positions, group, this.#isSecondProtocol, isWanted),
      ),
    )
  }

  /** @returns whether the next transaction has a new epoch already */
  async #end(committed: boolean): Promise<boolean> {
    if (this.#added.size === 0 && !this.#hasOffsets) return this.#ended()
    const identity = this.#identity as ProducerState
    const response = await this.#call(() => this.#requests.end(identity, committed, this.#isSecondProtocol))
    const { errorCode, producerId, producerEpoch } = response
    // The coordinator has aborted it already, or knows no such producer.
    const isGone = !committed && goneCodes.has(errorCode)
    if (!isGone) this.#check(errorCode)
    const isNewEpoch = this.#isSecondProtocol && !isGone && isIdentity(response)
    if (isNewEpoch) this.#identity = { producerId, producerEpoch }
    this.#ended()
    if (errorCode !== ErrorCode.INVALID_PRODUCER_ID_MAPPING) return isNewEpoch
    this.#identity = undefined
    await this.#acquireIdentity()
    return true
  }

  /** @returns false: nothing was asked, so there is no new epoch */
  #ended(): false {
    this.#added.clear()
    this.#hasOffsets = false
    this.#lacksOffsets = false
    this.#error = undefined
    this.#state = 'Ready'
    return false
  }

  /** What cannot be tried again ends the transaction or the producer. */
  async #call<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof KafkaException)) throw error
      // Given up, and no failure of the transaction.
      if (error.error.code() === KafkaError._TIMED_OUT) {
        this.#lacksOffsets = true
        throw error
      }
      throw new KafkaException(this.#failed(error.error), { cause: error })
    }
  }

  #check(code: number): void {
    if (code !== ErrorCode.NONE) throw new KafkaException(this.#failed(new KafkaError(code)))
  }

  /** Notes the failure. @returns the error as the application shall see it */
  #failed(error: KafkaError): KafkaError {
    const code = error.code()
    if (fencedCodes.has(code)) {
      return this.#fatal(
        new KafkaError(KafkaError._FENCED, `Fenced by a newer producer: ${error.str()}`, { fatal: true }),
      )
    }
    if (fatalCodes.has(code)) return this.#fatal(new KafkaError(code, error.str(), { fatal: true }))
    if (this.#state !== 'InTransaction' && this.#state !== 'Abortable') return error
    this.#state = 'Abortable'
    // A commit that waits for messages waits in vain.
    this.#core.events.notify()
    this.#error ??= new KafkaError(code, error.str(), { txnRequiresAbort: true })
    return this.#error
  }

  #fatal(error: KafkaError): KafkaError {
    this.#state = 'Fatal'
    this.#error = error
    this.#hooks.onFatal(error)
    return error
  }

  #wrongState(method: string): KafkaException {
    if (this.#error !== undefined) return new KafkaException(this.#error)
    return kafkaException(KafkaError._STATE, `${method} is not allowed in state ${this.#state}`)
  }

  #conflict(method: string, earlier: OperationName): KafkaException {
    const text = `${method} has to wait for ${earlier}: call that again first`
    return kafkaException(KafkaError._CONFLICT, text, { retriable: true })
  }
}
