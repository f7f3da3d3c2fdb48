/**
 * Adding partitions to a transaction, and asking whether they are in it (KIP-890).
 */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { Outcome } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import type { TransactionShard } from './shard.ts'
import {
  hasPartition,
  isPrepared,
  type TransactionMetadata,
  type TransactionPartitions,
  TransactionState,
  unionOfPartitions,
  withPartitions,
} from './transaction-metadata.ts'

export interface PartitionsOperation {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly partitions: TransactionPartitions
}

/** @param clientTransactionVersion 2 when the client counts on a raised epoch at the end, else 0 */
export function addPartitions(
  shard: TransactionShard,
  operation: PartitionsOperation,
  clientTransactionVersion: number,
): Outcome<ErrorCode, CoordinatorRecord> {
  const known = shard.get(operation.transactionalId)
  // Whoever it is may come again: only after the markers is it settled who is fenced.
  if (known !== undefined && isPrepared(known)) {
    return { records: [], response: ErrorCode.CONCURRENT_TRANSACTIONS }
  }
  const error = checkProducer(known, operation)
  if (known === undefined || error !== ErrorCode.NONE) return { records: [], response: error }
  const partitions = unionOfPartitions(known.partitions, operation.partitions)
  if (known.state === TransactionState.ONGOING && partitions === known.partitions) {
    return { records: [], response: ErrorCode.NONE }
  }
  const next = withPartitions(known, partitions, { clientTransactionVersion, nowMs: shard.nowMs })
  return { records: [shard.record(next)], response: ErrorCode.NONE }
}

/** @returns one error for all of the partitions, or which of them the transaction lacks */
export function verifyPartitions(
  shard: TransactionShard,
  operation: PartitionsOperation,
): { readonly error: ErrorCode; readonly isAdded: (topic: string, partition: number) => boolean } {
  const known = shard.get(operation.transactionalId)
  const error = checkProducer(known, operation)
  const partitions = known?.partitions ?? new Map()
  return { error, isAdded: (topic, partition) => hasPartition(partitions, topic, partition) }
}

function checkProducer(
  known: TransactionMetadata | undefined,
  { producerId, producerEpoch }: PartitionsOperation,
): ErrorCode {
  if (known === undefined || known.producerId !== producerId) return ErrorCode.INVALID_PRODUCER_ID_MAPPING
  if (known.producerEpoch !== producerEpoch) return ErrorCode.PRODUCER_FENCED
  return isPrepared(known) ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.NONE
}
