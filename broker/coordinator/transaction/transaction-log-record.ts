/**
 * Transactions as records of `__transaction_state`.
 */
import { TransactionLogKey, TransactionLogValue } from '../../../common/protocol/records/transaction-log.ts'
import type { RecordOf } from '../../../common/protocol/schema.ts'
import { type CoordinatorRecord, recordType, tombstone, valueRecord } from '../coordinator-record.ts'
import {
  isTransactionState,
  NO_PARTITIONS,
  NO_PRODUCER_EPOCH,
  type TransactionMetadata,
  type TransactionPartitions,
  TransactionState,
} from './transaction-metadata.ts'

export const TRANSACTION_LOG = recordType(TransactionLogKey, TransactionLogValue)

/** Every type of the topic that this build understands. */
export const TRANSACTION_RECORD_TYPES = [TRANSACTION_LOG] as const

/** @param version 1 from `transaction.version` 1 on, 0 before */
export function transactionRecord(metadata: TransactionMetadata, version: 0 | 1): CoordinatorRecord {
  const isEmpty = metadata.state === TransactionState.EMPTY
  return valueRecord(
    TRANSACTION_LOG,
    version,
    { transactionalId: metadata.transactionalId },
    {
      producerId: metadata.producerId,
      producerEpoch: metadata.producerEpoch,
      transactionTimeoutMs: metadata.timeoutMs,
      transactionStatus: metadata.state,
      transactionPartitions: isEmpty
        ? null
        : [...metadata.partitions].map(([topic, partitionIds]) => ({
            topic,
            partitionIds: [...partitionIds],
          })),
      transactionLastUpdateTimestampMs: metadata.lastUpdateMs,
      transactionStartTimestampMs: metadata.startMs,
      ...(version === 0
        ? {}
        : {
            previousProducerId: metadata.previousProducerId,
            nextProducerId: metadata.nextProducerId,
            clientTransactionVersion: metadata.clientTransactionVersion,
          }),
    },
  )
}

export function transactionTombstone(transactionalId: string): CoordinatorRecord {
  return tombstone(TRANSACTION_LOG, { transactionalId })
}

/** @returns undefined for a status that no state of this build has */
export function transactionOfRecord(
  transactionalId: string,
  value: RecordOf<typeof TransactionLogValue>,
): TransactionMetadata | undefined {
  const { transactionStatus } = value
  if (!isTransactionState(transactionStatus)) return undefined
  return {
    transactionalId,
    producerId: value.producerId,
    previousProducerId: value.previousProducerId,
    nextProducerId: value.nextProducerId,
    producerEpoch: value.producerEpoch,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs: value.transactionTimeoutMs,
    state: transactionStatus,
    partitions: partitionsOf(value.transactionPartitions),
    startMs: value.transactionStartTimestampMs,
    lastUpdateMs: value.transactionLastUpdateTimestampMs,
    clientTransactionVersion: value.clientTransactionVersion,
  }
}

function partitionsOf(
  topics: readonly { readonly topic: string; readonly partitionIds: readonly number[] }[] | null,
): TransactionPartitions {
  if (topics === null || topics.length === 0) return NO_PARTITIONS
  return new Map(topics.map(({ topic, partitionIds }) => [topic, new Set(partitionIds)]))
}
