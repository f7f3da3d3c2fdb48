/**
 * InitProducerId of a transactional id: gives it an epoch that fences whoever used it before.
 */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { Outcome } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import type { TransactionShard } from './shard.ts'
import {
  EPOCH_BUMP_VERSION,
  fenced,
  isEpochExhausted,
  isPrepared,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  newTransaction,
  type TransactionMetadata,
  TransactionState,
  withEpoch,
  withNewProducerId,
} from './transaction-metadata.ts'

export interface InitProducerIdOperation {
  readonly transactionalId: string
  readonly timeoutMs: number
  /** What a client that recovers has been using (KIP-360); undefined for one that begins. */
  readonly expected: { readonly producerId: number; readonly producerEpoch: number } | undefined
}

/** NEEDS_PRODUCER_ID: to be asked again with a producer id at hand. */
export const NEEDS_PRODUCER_ID = Symbol('needs a producer id')

export interface InitializedProducer {
  readonly error: ErrorCode
  readonly producerId: number
  readonly producerEpoch: number
  /** An ongoing transaction is being aborted: its markers must be sent. */
  readonly isAborting: boolean
}

export function initRefusal(error: Exclude<ErrorCode, 0>, isAborting = false): InitializedProducer {
  return { error, producerId: NO_PRODUCER_ID, producerEpoch: NO_PRODUCER_EPOCH, isAborting }
}

type InitOutcome = Outcome<InitializedProducer | typeof NEEDS_PRODUCER_ID, CoordinatorRecord>

export function initProducerId(
  shard: TransactionShard,
  operation: InitProducerIdOperation,
  spareProducerId: number | undefined,
): InitOutcome {
  const { transactionalId, timeoutMs, expected } = operation
  const { nowMs } = shard
  const known = shard.get(transactionalId)
  if (known === undefined) {
    if (spareProducerId === undefined) return needsProducerId()
    const created = newTransaction({ transactionalId, producerId: spareProducerId, timeoutMs, nowMs })
    return accept(
      shard,
      withEpoch(created, { producerEpoch: 0, lastProducerEpoch: -1 }, { timeoutMs, nowMs }),
    )
  }
  if (expected !== undefined && !mayRecover(known, expected)) return refuse(ErrorCode.PRODUCER_FENCED)
  if (isPrepared(known)) return refuse(ErrorCode.CONCURRENT_TRANSACTIONS)
  if (known.state === TransactionState.ONGOING) return fenceOngoing(shard, known, spareProducerId)
  if (
    isEpochExhausted(known.producerEpoch) &&
    (expected === undefined || expected.producerEpoch === known.producerEpoch)
  ) {
    if (spareProducerId === undefined) return needsProducerId()
    const lastProducerEpoch = expected === undefined ? NO_PRODUCER_EPOCH : known.producerEpoch
    return accept(shard, withNewProducerId(known, spareProducerId, { timeoutMs, nowMs, lastProducerEpoch }))
  }
  const epochs = nextEpochs(known, expected?.producerEpoch)
  if (epochs === undefined) return refuse(ErrorCode.PRODUCER_FENCED)
  return accept(shard, withEpoch(known, epochs, { timeoutMs, nowMs }))
}

/** The id must be the current one, or the one before it when its last epoch was used up (a retry across the change). */
function mayRecover(
  known: TransactionMetadata,
  expected: { readonly producerId: number; readonly producerEpoch: number },
): boolean {
  return (
    known.producerEpoch === NO_PRODUCER_EPOCH ||
    expected.producerId === known.producerId ||
    (expected.producerId === known.previousProducerId && isEpochExhausted(expected.producerEpoch))
  )
}

/** @returns undefined when the client has been fenced */
function nextEpochs(
  { producerEpoch, lastProducerEpoch }: TransactionMetadata,
  expectedEpoch: number | undefined,
): { producerEpoch: number; lastProducerEpoch: number } | undefined {
  if (expectedEpoch === undefined) {
    return { producerEpoch: producerEpoch + 1, lastProducerEpoch: NO_PRODUCER_EPOCH }
  }
  if (producerEpoch === NO_PRODUCER_EPOCH || expectedEpoch === producerEpoch) {
    return { producerEpoch: producerEpoch + 1, lastProducerEpoch: producerEpoch }
  }
  // The answer to the same request was lost: a new producer in between would have cleared the last epoch.
  return expectedEpoch === lastProducerEpoch ? { producerEpoch, lastProducerEpoch } : undefined
}

/** The client waits and asks again; by then the transaction is aborted and the epoch rises once more. */
function fenceOngoing(
  shard: TransactionShard,
  known: TransactionMetadata,
  spareProducerId: number | undefined,
): InitOutcome {
  const abort = abortOngoing(shard, known, spareProducerId)
  if (abort === NEEDS_PRODUCER_ID) return needsProducerId()
  return {
    records: [shard.record(abort)],
    response: initRefusal(ErrorCode.CONCURRENT_TRANSACTIONS, true),
  }
}

/** Fences the producer of an ongoing transaction and aborts it. */
export function abortOngoing(
  shard: TransactionShard,
  known: TransactionMetadata,
  spareProducerId: number | undefined,
): TransactionMetadata | typeof NEEDS_PRODUCER_ID {
  const needsNext = shard.transactionVersion >= EPOCH_BUMP_VERSION && isEpochExhausted(known.producerEpoch)
  if (needsNext && spareProducerId === undefined) return NEEDS_PRODUCER_ID
  const nextProducerId = needsNext ? (spareProducerId ?? NO_PRODUCER_ID) : NO_PRODUCER_ID
  const { transactionVersion, nowMs } = shard
  return fenced(known, { transactionVersion, nextProducerId, nowMs })
}

function accept(shard: TransactionShard, next: TransactionMetadata): InitOutcome {
  const { producerId, producerEpoch } = next
  return {
    records: [shard.record(next)],
    response: { error: ErrorCode.NONE, producerId, producerEpoch, isAborting: false },
  }
}

function refuse(error: Exclude<ErrorCode, 0>): InitOutcome {
  return { records: [], response: initRefusal(error) }
}

function needsProducerId(): InitOutcome {
  return { records: [], response: NEEDS_PRODUCER_ID }
}
