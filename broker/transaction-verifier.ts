/**
 * Before a transactional batch is appended, its partition must be part of the producer's open transaction (KIP-890): the
 * coordinator is asked once per transaction and partition, or told to add it (newer clients).
 */
import type { ErrorCode } from '../common/protocol/errors.ts'
import type { Deferred } from '../common/runtime/deferred.ts'
import type { VerificationGuard } from '../storage/log.ts'
import type { Partition } from './replica/partition.ts'

export interface VerifiableAppend {
  readonly partition: Partition
  readonly records: Buffer
}

export interface VerifiedAppend {
  readonly error: ErrorCode
  /** To be shown to the producer. */
  readonly errorMessage?: string
  /** To be shown with the append. */
  readonly guard: VerificationGuard | undefined
}

/** A batch that a coordinator is going to append for a client (TxnOffsetCommit). */
export interface VerifiableWrite {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly partition: Partition
}

export interface TransactionVerifier {
  /**
   * @param transactionVersion 2 adds the partitions to the transaction (Produce v12+); 1 only verifies (v11); 0 too, for clients that do
   *   not know TRANSACTION_ABORTABLE
   * @returns undefined when nothing in `appends` needs to be verified; otherwise one result per append, in order
   */
  verify(
    transactionalId: string | null,
    appends: readonly VerifiableAppend[],
    transactionVersion: number,
  ): Deferred<readonly VerifiedAppend[]> | undefined
  /** The errors are the coordinator's (NETWORK_EXCEPTION when it does not answer); `transactionVersion` as in `verify`. */
  verifyPartition(write: VerifiableWrite, transactionVersion: number): Deferred<VerifiedAppend>
}
