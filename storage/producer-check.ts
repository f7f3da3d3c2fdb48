/**
 * An append seen from the producers' side: whether each batch may be appended, whether it is there already, and what the log
 * will know of its producers afterwards.
 */
import { ErrorCode } from '../common/protocol/errors.ts'
import { BatchCursor, type BatchView } from '../common/record/batch.ts'
import type { AppendAsLeaderOptions, AppendSuccess } from './log-types.ts'
import type {
  CompletedTransaction,
  ProducerAppend,
  ProducerRefusal,
  VerificationGuard,
} from './producer-append.ts'
import type { ProducerBatch } from './producer-entry.ts'
import { type ProducerState, producerEpochRefusal } from './producer-state.ts'
import type { TransactionIndex } from './transaction-index.ts'
import { readEndTransactionMarker } from './transaction-marker.ts'

/** What `applyUpdate` does once the batches are in the log. */
export interface ProducerUpdate {
  readonly appends: readonly ProducerAppend[]
  readonly completed: readonly CompletedTransaction[]
  /** Producers of transactional batches, whose verification has served its purpose. */
  readonly transactional: readonly number[]
}

export interface ProducerCheck {
  readonly producers: ProducerState
  /** `transaction.partition.verification.enable` */
  readonly isVerificationEnabled: boolean
}

/** A transactional batch that is about to be appended. */
export interface VerificationRequest {
  readonly producerId: number
  readonly sequence: number
  readonly producerEpoch: number
  readonly supportsEpochBump: boolean
}

/** Without a guard nothing needs to be verified: the transaction is open here already. */
export type VerificationStart =
  | { readonly error: 0; readonly guard: VerificationGuard | undefined }
  | { readonly error: Exclude<ErrorCode, 0> }

/** Whether a transactional batch must be verified with its coordinator before it is appended (KIP-890). */
export function startVerification(
  { producers, isVerificationEnabled }: ProducerCheck,
  request: VerificationRequest,
  nowMs: number,
): VerificationStart {
  const { producerId, producerEpoch } = request
  if (producerEpochRefusal(producers.entry(producerId), producerEpoch) !== undefined) {
    return { error: ErrorCode.INVALID_PRODUCER_EPOCH }
  }
  // A partition that is added by being produced to must be told to the coordinator even if nothing is verified.
  const isNeeded = isVerificationEnabled || request.supportsEpochBump
  if (!isNeeded || producers.hasOngoingTransaction(producerId, producerEpoch)) {
    return { error: ErrorCode.NONE, guard: undefined }
  }
  return { error: ErrorCode.NONE, guard: producers.startVerification({ ...request, nowMs }) }
}

/** Checks batches that have been stamped; changes nothing. */
export function checkProducers(
  check: ProducerCheck,
  records: Buffer,
  options: AppendAsLeaderOptions,
): ProducerUpdate | ProducerRefusal | { readonly duplicate: ProducerBatch } {
  const { producers } = check
  const { origin } = options
  const appends = new Map<number, ProducerAppend>()
  const completed: CompletedTransaction[] = []
  const transactional: number[] = []
  const cursor = new BatchCursor(records)
  while (cursor.next()) {
    const { batch } = cursor
    if (!batch.hasProducerId) continue
    const { producerId } = batch
    const duplicate = origin === 'client' ? producers.findDuplicate(batch) : undefined
    if (duplicate !== undefined) return { duplicate }
    if (batch.isTransactional) {
      const refusal = checkVerification(check, batch, options)
      if (refusal !== undefined) return refusal
      transactional.push(producerId)
    }
    let append = appends.get(producerId)
    if (append === undefined) {
      append = producers.prepare(producerId, origin)
      appends.set(producerId, append)
    }
    if (!batch.isControl) {
      const refusal = append.appendData(batch)
      if (refusal !== undefined) return refusal
      continue
    }
    const marker = readEndTransactionMarker(batch)
    if (marker === undefined) continue
    const outcome = append.appendMarker(batch, marker, options.transactionVersion ?? 0)
    if (outcome.refusal !== undefined) return outcome.refusal
    if (outcome.completed !== undefined) completed.push(outcome.completed)
  }
  return { appends: [...appends.values()], completed, transactional }
}

function checkVerification(
  { producers, isVerificationEnabled }: ProducerCheck,
  batch: BatchView,
  { origin, verificationGuard }: AppendAsLeaderOptions,
): ProducerRefusal | undefined {
  if (batch.isControl || (origin !== 'client' && origin !== 'coordinator')) return undefined
  const { producerId, producerEpoch } = batch
  if (producers.hasOngoingTransaction(producerId, producerEpoch)) return undefined
  // A zombie must hear that it is fenced, not that its transaction is not verified.
  const fenced = producerEpochRefusal(producers.entry(producerId), producerEpoch)
  if (fenced !== undefined) return fenced
  const known = producers.verificationGuard(producerId)
  if (!isVerificationEnabled || (known !== undefined && known === verificationGuard)) return undefined
  return {
    error: ErrorCode.INVALID_TXN_STATE,
    message: `Producer ${producerId} has no verified transaction in this partition`,
  }
}

/** Makes what was checked the state. `transactionIndex` is that of the segment the batches went to. */
export function applyUpdate(
  producers: ProducerState,
  update: ProducerUpdate,
  target: { transactionIndex: TransactionIndex; nextOffset: number },
): void {
  for (const append of update.appends) producers.apply(append)
  for (const producerId of update.transactional) producers.clearVerification(producerId)
  for (const completed of update.completed) {
    if (completed.isAborted) {
      const lastStableOffset = producers.lastStableOffsetAfter(completed)
      target.transactionIndex.append({ ...completed, lastStableOffset })
    }
    producers.completeTransaction(completed)
  }
  producers.updateMapEndOffset(target.nextOffset)
}

/** The answer to a batch that is there already: the offsets it got the first time. */
export function duplicateSuccess(batch: ProducerBatch, logStartOffset: number): AppendSuccess {
  return {
    error: ErrorCode.NONE,
    firstOffset: batch.lastOffset - batch.offsetDelta,
    lastOffset: batch.lastOffset,
    maxTimestamp: batch.timestamp,
    logAppendTimeMs: batch.timestamp,
    logStartOffset,
    isDuplicate: true,
  }
}
