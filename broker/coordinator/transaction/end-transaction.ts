/**
 * EndTxn: decides that a transaction commits or aborts. Since KIP-890 (client transaction version 2) every end raises the
 * epoch, and a retry is known by the epoch before it.
 */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { Outcome } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import { NEEDS_PRODUCER_ID } from './init-producer-id.ts'
import type { TransactionShard } from './shard.ts'
import {
  completed,
  EPOCH_BUMP_VERSION,
  isEpochExhausted,
  isPrepared,
  MAX_PRODUCER_EPOCH,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  prepared,
  type TransactionMetadata,
  TransactionState,
} from './transaction-metadata.ts'

export interface EndTransactionOperation {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly isCommit: boolean
  /** Of the request: 2 from EndTxn v5 on, else 0. */
  readonly clientTransactionVersion: number
}

export interface EndedTransaction {
  readonly error: ErrorCode
  /** What the producer goes on with. */
  readonly producerId: number
  readonly producerEpoch: number
}

export function endRefusal(error: Exclude<ErrorCode, 0>): EndedTransaction {
  return { error, producerId: NO_PRODUCER_ID, producerEpoch: NO_PRODUCER_EPOCH }
}

/** What a request means in the state it meets. */
type Verdict =
  | { readonly end: true; readonly hasNoPartitions: boolean }
  | { readonly end: false; readonly error: ErrorCode }

const END: Verdict = { end: true, hasNoPartitions: false }
const ABORT_NOTHING: Verdict = { end: true, hasNoPartitions: true }
const REPEATED: Verdict = answer(ErrorCode.NONE)
const INVALID: Verdict = answer(ErrorCode.INVALID_TXN_STATE)

function answer(error: ErrorCode): Verdict {
  return { end: false, error }
}

export function endTransaction(
  shard: TransactionShard,
  operation: EndTransactionOperation,
  spareProducerId: number | undefined,
): Outcome<EndedTransaction | typeof NEEDS_PRODUCER_ID, CoordinatorRecord> {
  const known = shard.get(operation.transactionalId)
  if (known === undefined) return refuse(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  const raisesEpoch = operation.clientTransactionVersion >= EPOCH_BUMP_VERSION
  const verdict = raisesEpoch ? judge(known, operation) : judgeOlderClient(known, operation)
  if (!verdict.end) {
    if (verdict.error !== ErrorCode.NONE) return refuse(verdict.error)
    const { producerId, producerEpoch } = known
    return { records: [], response: { error: ErrorCode.NONE, producerId, producerEpoch } }
  }
  const needsNext = raisesEpoch && isEpochExhausted(known.producerEpoch)
  if (needsNext && spareProducerId === undefined) return { records: [], response: NEEDS_PRODUCER_ID }
  const { nowMs } = shard
  const next = prepared(known, {
    isCommit: operation.isCommit,
    clientTransactionVersion: raisesEpoch ? operation.clientTransactionVersion : 0,
    nextProducerId: needsNext ? (spareProducerId ?? NO_PRODUCER_ID) : NO_PRODUCER_ID,
    hasNoPartitions: verdict.hasNoPartitions,
    nowMs,
  })
  const { producerId, producerEpoch } = completed(next, nowMs)
  return { records: [shard.record(next)], response: { error: ErrorCode.NONE, producerId, producerEpoch } }
}

function refuse(error: Exclude<ErrorCode, 0>): Outcome<EndedTransaction, CoordinatorRecord> {
  return { records: [], response: endRefusal(error) }
}

function judge(known: TransactionMetadata, operation: EndTransactionOperation): Verdict {
  const { producerId, producerEpoch, isCommit } = operation
  const { state } = known
  // Before all else: the epoch that the answer to the first end named is in use before the markers are written.
  if (isPrepared(known)) return answer(ErrorCode.CONCURRENT_TRANSACTIONS)
  const isRetryAfterRotation =
    known.previousProducerId === producerId &&
    producerEpoch === MAX_PRODUCER_EPOCH - 1 &&
    known.producerEpoch === 0
  const isRetryAfterBump = known.producerEpoch === producerEpoch + 1
  if (known.producerId !== producerId && !isRetryAfterRotation)
    return answer(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  const isCurrent = producerEpoch === known.producerEpoch
  const isRetry = isRetryAfterBump || isRetryAfterRotation
  switch (state) {
    case TransactionState.ONGOING:
      return isCurrent ? END : answer(ErrorCode.PRODUCER_FENCED)
    case TransactionState.EMPTY:
      if (!isCurrent) return answer(ErrorCode.PRODUCER_FENCED)
      return isCommit ? INVALID : ABORT_NOTHING
    case TransactionState.COMPLETE_COMMIT:
    case TransactionState.COMPLETE_ABORT:
      if (isRetry) return isSameEnd(known, isCommit) ? REPEATED : INVALID
      if (!isCurrent) return answer(ErrorCode.PRODUCER_FENCED)
      return isCommit ? INVALID : ABORT_NOTHING
    default:
      throw new Error(`transactional id ${known.transactionalId} is in state ${state}`)
  }
}

/** Clients before KIP-890: the epoch stays, so the same request again is taken as a retry. */
function judgeOlderClient(known: TransactionMetadata, operation: EndTransactionOperation): Verdict {
  const { producerId, producerEpoch, isCommit } = operation
  if (known.producerId !== producerId) return answer(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  if (producerEpoch !== known.producerEpoch) return answer(ErrorCode.PRODUCER_FENCED)
  if (known.state === TransactionState.ONGOING) return END
  if (isPrepared(known)) return answer(ErrorCode.CONCURRENT_TRANSACTIONS)
  return known.state !== TransactionState.EMPTY && isSameEnd(known, isCommit) ? REPEATED : INVALID
}

function isSameEnd({ state }: TransactionMetadata, isCommit: boolean): boolean {
  return (state === TransactionState.COMPLETE_COMMIT) === isCommit
}
