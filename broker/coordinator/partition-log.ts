/**
 * A partition that this broker leads, as the log of a state machine, in one leader epoch: a coordinator of an earlier epoch must not
 * append to a later one.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { VerificationGuard } from '../../storage/log.ts'
import type { Partition } from '../replica/partition.ts'
import type { ReplicatedLog } from '../statemachine/replicated-log.ts'

export class PartitionLog implements ReplicatedLog {
  readonly leaderEpoch: number
  readonly #partition: Partition

  constructor(partition: Partition) {
    this.#partition = partition
    this.leaderEpoch = partition.leaderEpoch
  }

  get logStartOffset(): number {
    return this.#partition.log?.logStartOffset ?? 0
  }
  get logEndOffset(): number {
    return this.#partition.log?.logEndOffset ?? 0
  }
  get highWatermark(): number {
    return this.#partition.log?.highWatermark ?? 0
  }

  appendStateBatch(
    batch: Buffer,
    verificationGuard?: VerificationGuard,
  ): { readonly error: ErrorCode; readonly lastOffset: number } {
    if (this.#partition.leaderEpoch !== this.leaderEpoch) {
      return { error: ErrorCode.NOT_LEADER_OR_FOLLOWER, lastOffset: -1 }
    }
    const appended = this.#partition.appendAsLeader(batch, {
      origin: 'coordinator',
      requiredAcks: -1,
      ...(verificationGuard === undefined ? {} : { verificationGuard }),
    })
    if (appended.error !== ErrorCode.NONE) return { error: appended.error, lastOffset: -1 }
    return { error: ErrorCode.NONE, lastOffset: appended.lastOffset }
  }

  readStateBatches(offset: number, maxBytes: number): Buffer | undefined {
    const read = this.#partition.log?.read({ offset, maxBytes, upTo: 'logEnd', atLeastOneBatch: true })
    return read?.error === ErrorCode.NONE ? read.records : undefined
  }
}
