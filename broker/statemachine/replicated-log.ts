/**
 * What a state machine needs of its log: a partition that this broker leads (coordinators) or the metadata log (controller).
 */
import type { ErrorCode } from '../../common/protocol/errors.ts'
import type { VerificationGuard } from '../../storage/log.ts'

export interface ReplicatedLog {
  /** Epoch in which this node leads the log. */
  readonly leaderEpoch: number
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** Exclusive: records below it are committed. */
  readonly highWatermark: number
  /**
   * Appends one batch; offsets and epoch are stamped by the log, the buffer is moved into it.
   * @param verificationGuard of a transactional batch whose transaction was verified (KIP-890)
   * @returns the offset of its last record, or why it was refused (nothing is appended then)
   */
  appendStateBatch(
    batch: Buffer,
    verificationGuard?: VerificationGuard,
  ): { readonly error: ErrorCode; readonly lastOffset: number }
  /**
   * Whole batches from `offset` on, about `maxBytes` (at least one batch).
   * @returns undefined when the offset is not in the log or the log has failed
   */
  readStateBatches(offset: number, maxBytes: number): Buffer | undefined
}
