/**
 * The transaction coordinator of one broker: finds the shard of a transactional id, asks it, has the markers of prepared
 * transactions written, ends those that run out of time, and forgets transactional ids that nobody uses.
 *
 * Owner: the broker, which tells `service` of leadership and watermarks. Invariant: markers are sent only for a decision that is
 * committed, and a committed decision is always carried out: by this broker or by the next one that loads the partition.
 */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { Deferred } from '../../../common/runtime/deferred.ts'
import type { Runtime } from '../../../common/runtime/runtime.ts'
import type { Scheduler, Timer } from '../../../common/runtime/scheduler.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import type { Outcome, Result } from '../../statemachine/state-machine.ts'
import { TRANSACTION_TOPIC } from '../../topic-names.ts'
import { type CoordinatorRecord, coordinatorRecordFormat } from '../coordinator-record.ts'
import { CoordinatorService } from '../coordinator-service.ts'
import { addPartitions, type PartitionsOperation, verifyPartitions } from './add-partitions.ts'
import {
  type DescribedTransaction,
  describeRefusal,
  describeTransaction,
  type ListedTransaction,
  listTransactions,
  type TransactionFilter,
} from './describe.ts'
import {
  type EndedTransaction,
  type EndTransactionOperation,
  endRefusal,
  endTransaction,
} from './end-transaction.ts'
import {
  abortOngoing,
  type InitializedProducer,
  type InitProducerIdOperation,
  initProducerId,
  initRefusal,
  NEEDS_PRODUCER_ID,
} from './init-producer-id.ts'
import { MarkerSender, type PreparedTransaction, type SendMarkers } from './marker-sender.ts'
import { type AllocateProducerIds, ProducerIds } from './producer-ids.ts'
import { TransactionShard } from './shard.ts'
import type { TransactionConfig } from './transaction-config.ts'
import { TRANSACTION_RECORD_TYPES, transactionTombstone } from './transaction-log-record.ts'
import { completed, isPrepared, type TransactionMetadata, TransactionState } from './transaction-metadata.ts'

export interface TransactionCoordinatorOptions {
  readonly runtime: Runtime
  /** Timers of the broker. */
  readonly scheduler: Scheduler
  readonly config: TransactionConfig
  /** `request.timeout.ms`: how long an answer waits for its records to be committed. */
  readonly requestTimeoutMs: () => number
  readonly metadata: () => MetadataImage
  readonly allocateProducerIds: AllocateProducerIds
  readonly sendMarkers: SendMarkers
}

export interface InitProducerIdRequest {
  /** null: only a producer id is wanted. */
  readonly transactionalId: string | null
  readonly timeoutMs: number
  readonly enable2Pc: boolean
  readonly keepPreparedTxn: boolean
  readonly expected: InitProducerIdOperation['expected']
}

const MAX_TIMEOUT_MS = 0x7fffffff
/** Pause before the coordinator asks its own log again. */
const LOG_RETRY_MS = 100
/** Tombstones in one batch. */
const EXPIRED_PER_BATCH = 1_000

export class TransactionCoordinator {
  /** Takes leadership and watermarks of `__transaction_state`. */
  readonly service: CoordinatorService<TransactionShard>
  readonly markers: MarkerSender
  readonly producerIds: ProducerIds
  readonly #options: TransactionCoordinatorOptions
  readonly #timers = new Map<string, Timer>()
  #isClosed = false

  constructor(options: TransactionCoordinatorOptions) {
    this.#options = options
    const { runtime, metadata, config, requestTimeoutMs } = options
    this.producerIds = new ProducerIds(options.allocateProducerIds)
    this.service = new CoordinatorService({
      name: 'transaction coordinator',
      topic: TRANSACTION_TOPIC,
      runtime,
      format: coordinatorRecordFormat({ types: TRANSACTION_RECORD_TYPES }),
      partitionCount: () => metadata().topicsByName.get(TRANSACTION_TOPIC)?.partitions.length ?? 0,
      createShard: ({ partitionIndex, leaderEpoch }) =>
        new TransactionShard({
          partitionIndex,
          coordinatorEpoch: leaderEpoch,
          wallMs: () => runtime.clock.wallMs(),
          transactionVersion: () => metadata().features.get('transaction.version') ?? 0,
          onLoaded: (shard) => this.#resume(shard),
          onUnloaded: (shard) => this.markers.removePartition(shard.partitionIndex),
        }),
      writeTimeoutMs: requestTimeoutMs,
      loadBytesPerSlice: () => config.get('transaction.state.log.load.buffer.size'),
    })
    this.markers = new MarkerSender({
      reactor: runtime.reactor,
      scheduler: options.scheduler,
      trace: runtime.trace,
      leaderOf: (topic, partition) => metadata().topicsByName.get(topic)?.partitions[partition]?.leaderId,
      send: options.sendMarkers,
      onWritten: (transaction) => this.#complete(transaction),
    })
    this.#every('transaction.abort.timed.out.transaction.cleanup.interval.ms', () => this.#abortTimedOut())
    this.#every('transaction.remove.expired.transaction.cleanup.interval.ms', () => this.#removeExpired())
  }

  close(): void {
    this.#isClosed = true
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
    this.service.close()
  }

  // --- what clients ask --------------------------------------------------------------------------------------------

  /**
   * Errors: INVALID_REQUEST, TRANSACTIONAL_ID_AUTHORIZATION_FAILED (2PC is off), UNSUPPORTED_VERSION (keepPreparedTxn),
   * INVALID_TRANSACTION_TIMEOUT, PRODUCER_FENCED, CONCURRENT_TRANSACTIONS, and those of the coordinator.
   */
  initProducerId(request: InitProducerIdRequest): Deferred<InitializedProducer> {
    const { transactionalId, enable2Pc, expected } = request
    if (transactionalId === null) return this.#initWithoutTransactions()
    const refusal = this.#checkInit(request)
    if (refusal !== ErrorCode.NONE) return Deferred.of(initRefusal(refusal))
    const timeoutMs = enable2Pc ? MAX_TIMEOUT_MS : request.timeoutMs
    const operation: InitProducerIdOperation = { transactionalId, timeoutMs, expected }
    return this.#writeWithProducerId(transactionalId, 'init producer id', (shard, spare) =>
      initProducerId(shard, operation, spare),
    ).map((result) => {
      if (result.error !== ErrorCode.NONE) {
        // An abort that was appended and not committed in time may yet be.
        if (result.error === ErrorCode.COORDINATOR_NOT_AVAILABLE) this.#sendMarkers(transactionalId)
        return initRefusal(result.error)
      }
      if (result.value.isAborting) this.#sendMarkers(transactionalId)
      return result.value
    })
  }

  /** Errors: INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, CONCURRENT_TRANSACTIONS, and those of the coordinator. */
  addPartitions(operation: PartitionsOperation, clientTransactionVersion: number): Deferred<ErrorCode> {
    if (operation.transactionalId === '') return Deferred.of<ErrorCode>(ErrorCode.INVALID_REQUEST)
    return this.service
      .write(operation.transactionalId, 'add partitions', (shard) =>
        addPartitions(shard, operation, clientTransactionVersion),
      )
      .map((result) => (result.error === ErrorCode.NONE ? result.value : result.error))
  }

  /** As `addPartitions`, but only looks: TRANSACTION_ABORTABLE for partitions that are not in the transaction. */
  verifyPartitions(
    operation: PartitionsOperation,
  ): Deferred<(topic: string, partition: number) => ErrorCode> {
    type Verdict = (topic: string, partition: number) => ErrorCode
    if (operation.transactionalId === '') return Deferred.of<Verdict>(() => ErrorCode.INVALID_REQUEST)
    return this.service
      .read(operation.transactionalId, 'verify partitions', (shard) => verifyPartitions(shard, operation))
      .map((result): Verdict => {
        if (result.error !== ErrorCode.NONE) return () => result.error
        const { error, isAdded } = result.value
        if (error !== ErrorCode.NONE) return () => error
        return (topic, partition) =>
          isAdded(topic, partition) ? ErrorCode.NONE : ErrorCode.TRANSACTION_ABORTABLE
      })
  }

  /**
   * Answers when the decision is committed; the markers follow.
   * Errors: INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, CONCURRENT_TRANSACTIONS, INVALID_TXN_STATE, and those of the coordinator.
   */
  endTransaction(operation: EndTransactionOperation): Deferred<EndedTransaction> {
    const { transactionalId } = operation
    if (transactionalId === '') return Deferred.of(endRefusal(ErrorCode.INVALID_REQUEST))
    return this.#writeWithProducerId(transactionalId, 'end transaction', (shard, spare) =>
      endTransaction(shard, operation, spare),
    ).map((result) => {
      if (result.error === ErrorCode.NONE || result.error === ErrorCode.COORDINATOR_NOT_AVAILABLE) {
        this.#sendMarkers(transactionalId)
      }
      return result.error === ErrorCode.NONE ? result.value : endRefusal(result.error)
    })
  }

  describe(transactionalId: string): Deferred<DescribedTransaction> {
    if (transactionalId === '') {
      return Deferred.of(describeRefusal(transactionalId, ErrorCode.INVALID_REQUEST))
    }
    return this.service
      .read(transactionalId, 'describe', (shard) => describeTransaction(shard, transactionalId))
      .map((result) =>
        result.error === ErrorCode.NONE ? result.value : describeRefusal(transactionalId, result.error),
      )
  }

  /** Of every partition that this broker leads; COORDINATOR_LOAD_IN_PROGRESS while one of them is loading. */
  list(filter: TransactionFilter): Deferred<{ error: ErrorCode; transactions: ListedTransaction[] }> {
    return this.service
      .readAll('list', (shard) => listTransactions(shard, filter))
      .map((results) => {
        const transactions: ListedTransaction[] = []
        for (const result of results) {
          if (result.error === ErrorCode.NONE) transactions.push(...result.value)
          // A partition that has just moved is listed by its new leader.
          else if (result.error !== ErrorCode.NOT_COORDINATOR)
            return { error: result.error, transactions: [] }
        }
        return { error: ErrorCode.NONE, transactions }
      })
  }

  #initWithoutTransactions(): Deferred<InitializedProducer> {
    return this.producerIds
      .next()
      .map((id) =>
        id.error === ErrorCode.NONE
          ? { error: ErrorCode.NONE, producerId: id.value, producerEpoch: 0, isAborting: false }
          : initRefusal(id.error),
      )
  }

  #checkInit({ transactionalId, timeoutMs, enable2Pc, keepPreparedTxn }: InitProducerIdRequest): ErrorCode {
    const { config } = this.#options
    if (transactionalId === '') return ErrorCode.INVALID_REQUEST
    if (enable2Pc && !config.get('transaction.two.phase.commit.enable')) {
      return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    }
    if (keepPreparedTxn) return ErrorCode.UNSUPPORTED_VERSION
    if (enable2Pc) return ErrorCode.NONE
    const isAllowed = timeoutMs > 0 && timeoutMs <= config.get('transaction.max.timeout.ms')
    return isAllowed ? ErrorCode.NONE : ErrorCode.INVALID_TRANSACTION_TIMEOUT
  }

  /** Runs an operation, and once more with a producer id when it turns out to need one. */
  #writeWithProducerId<Response>(
    transactionalId: string,
    label: string,
    operation: (
      shard: TransactionShard,
      spareProducerId: number | undefined,
    ) => Outcome<Response | typeof NEEDS_PRODUCER_ID, CoordinatorRecord>,
  ): Deferred<Result<Response>> {
    const first = this.service.write(transactionalId, label, (shard) => operation(shard, undefined))
    return first.flatMap((result) => {
      if (result.error !== ErrorCode.NONE || result.value !== NEEDS_PRODUCER_ID) {
        return Deferred.of(result as Result<Response>)
      }
      return this.producerIds.next().flatMap((id) => {
        if (id.error !== ErrorCode.NONE) return Deferred.of<Result<Response>>(id)
        return this.service.write(transactionalId, label, (shard) => operation(shard, id.value)) as Deferred<
          Result<Response>
        >
      })
    })
  }

  // --- carrying out ------------------------------------------------------------------------------------------------

  /** Goes on with what the broker that led this partition before had decided. */
  #resume(shard: TransactionShard): void {
    for (const metadata of shard.transactions) {
      if (isPrepared(metadata)) this.#sendMarkers(metadata.transactionalId)
    }
  }

  /** Has the markers of a prepared transaction written as soon as the decision is committed. */
  #sendMarkers(transactionalId: string): void {
    if (this.#isClosed) return
    this.service
      .read(transactionalId, 'wait for the decision', (shard) => preparedTransaction(shard, transactionalId))
      .whenDone((result) => {
        if (result.error === ErrorCode.NONE) {
          if (result.value !== undefined) this.markers.add(result.value)
        } else if (result.error === ErrorCode.COORDINATOR_NOT_AVAILABLE) {
          this.#later(`markers of ${transactionalId}`, () => this.#sendMarkers(transactionalId))
        }
      })
  }

  #complete(transaction: PreparedTransaction): void {
    const { transactionalId, producerId, producerEpoch } = transaction
    this.service
      .write(transactionalId, 'complete transaction', (shard) => {
        const known = shard.get(transactionalId)
        const isOpen =
          known !== undefined &&
          isPrepared(known) &&
          known.producerId === producerId &&
          known.producerEpoch === producerEpoch
        return {
          records: isOpen ? [shard.record(completed(known, shard.nowMs))] : [],
          response: undefined,
        }
      })
      .whenDone(({ error }) => {
        // Whoever loads the partition next begins with the markers again.
        if (error === ErrorCode.NOT_COORDINATOR || error === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) return
        if (error !== ErrorCode.NONE) {
          this.#later(`completion of ${transactionalId}`, () => this.#complete(transaction))
        }
      })
  }

  #later(label: string, task: () => void): void {
    if (this.#isClosed) return
    this.#options.scheduler.schedule(label, LOG_RETRY_MS, () => {
      if (!this.#isClosed) task()
    })
  }

  // --- time --------------------------------------------------------------------------------------------------------

  #every(
    key:
      | 'transaction.abort.timed.out.transaction.cleanup.interval.ms'
      | 'transaction.remove.expired.transaction.cleanup.interval.ms',
    task: () => void,
  ): void {
    const { scheduler, config } = this.#options
    const timer = scheduler.schedule(key, config.get(key), () => {
      if (this.#isClosed) return
      task()
      this.#every(key, task)
    })
    this.#timers.set(key, timer)
  }

  #abortTimedOut(): void {
    for (const { state, machine } of this.service.ledPartitions().values()) {
      if (state !== 'active') continue
      for (const metadata of machine.transactions) {
        if (isTimedOut(metadata, machine.nowMs)) this.#abort(metadata)
      }
    }
  }

  #abort({ transactionalId, producerId }: TransactionMetadata): void {
    this.#writeWithProducerId<boolean>(transactionalId, 'abort timed-out transaction', (shard, spare) => {
      const known = shard.get(transactionalId)
      if (known === undefined || known.producerId !== producerId || !isTimedOut(known, shard.nowMs)) {
        return { records: [], response: false }
      }
      const aborted = abortOngoing(shard, known, spare)
      return aborted === NEEDS_PRODUCER_ID
        ? { records: [], response: NEEDS_PRODUCER_ID }
        : { records: [shard.record(aborted)], response: true }
    }).whenDone(() => this.#sendMarkers(transactionalId))
  }

  #removeExpired(): void {
    const expirationMs = this.#options.config.get('transactional.id.expiration.ms')
    for (const shard of this.service.ledPartitions().values()) {
      if (shard.state !== 'active') continue
      const { machine } = shard
      const expired = [...machine.transactions]
        .filter((metadata) => isExpired(metadata, machine.nowMs, expirationMs))
        .map(({ transactionalId }) => transactionTombstone(transactionalId))
      for (let start = 0; start < expired.length; start += EXPIRED_PER_BATCH) {
        const records = expired.slice(start, start + EXPIRED_PER_BATCH)
        shard.write('expire transactional ids', () => ({ records, response: undefined }))
      }
    }
  }
}

function preparedTransaction(
  shard: TransactionShard,
  transactionalId: string,
): PreparedTransaction | undefined {
  const known = shard.get(transactionalId)
  if (known === undefined || !isPrepared(known)) return undefined
  return {
    transactionalId,
    coordinatorPartition: shard.partitionIndex,
    coordinatorEpoch: shard.coordinatorEpoch,
    producerId: known.producerId,
    producerEpoch: known.producerEpoch,
    isCommit: known.state === TransactionState.PREPARE_COMMIT,
    transactionVersion: known.clientTransactionVersion,
    partitions: known.partitions,
  }
}

function isTimedOut({ state, startMs, timeoutMs }: TransactionMetadata, nowMs: number): boolean {
  return state === TransactionState.ONGOING && startMs + timeoutMs < nowMs
}

function isExpired(
  { state, lastUpdateMs }: TransactionMetadata,
  nowMs: number,
  expirationMs: number,
): boolean {
  const isIdle =
    state === TransactionState.EMPTY ||
    state === TransactionState.COMPLETE_COMMIT ||
    state === TransactionState.COMPLETE_ABORT
  return isIdle && lastUpdateMs <= nowMs - expirationMs
}
