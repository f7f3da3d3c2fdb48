/**
 * The transactional ids of one partition of `__transaction_state`: the replay of its records.
 *
 * Owner: the coordinator service of the broker that leads the partition. Invariant: only `replay` changes it. What an operation
 * knows beyond the record (the epoch that a retry may show) travels beside the record, since Kafka's record has no place for it.
 */

import type {
  TransactionLogKey,
  TransactionLogValue,
} from '../../../common/protocol/records/transaction-log.ts'
import type { RecordOf } from '../../../common/protocol/schema.ts'
import type { StateMachine } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import { transactionOfRecord, transactionRecord } from './transaction-log-record.ts'
import type { TransactionMetadata } from './transaction-metadata.ts'

export interface TransactionShardOptions {
  readonly partitionIndex: number
  /** Leader epoch of the partition: markers carry it. */
  readonly coordinatorEpoch: number
  readonly wallMs: () => number
  /** The finalized level of the feature `transaction.version`. */
  readonly transactionVersion: () => number
  readonly onLoaded: (shard: TransactionShard) => void
  readonly onUnloaded: (shard: TransactionShard) => void
}

export class TransactionShard implements StateMachine<CoordinatorRecord> {
  readonly partitionIndex: number
  readonly coordinatorEpoch: number
  readonly #options: TransactionShardOptions
  readonly #transactions = new Map<string, TransactionMetadata>()
  readonly #lastProducerEpochs = new WeakMap<CoordinatorRecord, number>()

  constructor(options: TransactionShardOptions) {
    this.partitionIndex = options.partitionIndex
    this.coordinatorEpoch = options.coordinatorEpoch
    this.#options = options
  }

  get(transactionalId: string): TransactionMetadata | undefined {
    return this.#transactions.get(transactionalId)
  }

  get transactions(): IterableIterator<TransactionMetadata> {
    return this.#transactions.values()
  }

  get nowMs(): number {
    return this.#options.wallMs()
  }

  get transactionVersion(): number {
    return this.#options.transactionVersion()
  }

  /** The record that makes `metadata` the state of its transactional id. */
  record(metadata: TransactionMetadata): CoordinatorRecord {
    const record = transactionRecord(metadata, this.transactionVersion >= 1 ? 1 : 0)
    this.#lastProducerEpochs.set(record, metadata.lastProducerEpoch)
    return record
  }

  replay(record: CoordinatorRecord): void {
    const { transactionalId } = record.key as RecordOf<typeof TransactionLogKey>
    if (record.value === null) {
      this.#transactions.delete(transactionalId)
      return
    }
    const value = record.value as RecordOf<typeof TransactionLogValue>
    const metadata = transactionOfRecord(transactionalId, value)
    if (metadata === undefined) return
    const lastProducerEpoch = this.#lastProducerEpochs.get(record) ?? metadata.lastProducerEpoch
    this.#transactions.set(transactionalId, { ...metadata, lastProducerEpoch })
  }

  onLoaded(): void {
    this.#options.onLoaded(this)
  }

  onUnloaded(): void {
    this.#options.onUnloaded(this)
  }
}
