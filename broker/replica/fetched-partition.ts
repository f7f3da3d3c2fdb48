/**
 * One partition that this broker follows: what it asks the leader for next, and what it does with the answer.
 *
 *     records           append as they are, follow the leader's watermark and log start
 *     diverging epoch   cut the own log back to where the histories part (KIP-595), ask again
 *     out of range      the leader's log ends before ours (cut) or begins after it (begin anew at its start)
 */

import type { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ResponseOf } from '../../common/protocol/schema.ts'
import { BatchCursor } from '../../common/record/batch.ts'
import type { EpochEndOffset, Log } from '../../storage/log.ts'
import type { ChangeObserver, Partition } from './partition.ts'

export type FetchAnswer = ResponseOf<typeof Fetch>['responses'][number]['partitions'][number]

/** What the fetcher must do with the partition now. */
export type FetchVerdict =
  | 'continue'
  /** Wait a moment: leader or metadata are not where they should be yet. */
  | 'back-off'
  /** Ask the leader for the ends of its log. */
  | 'out-of-range'

export class FetchedPartition implements ChangeObserver {
  readonly partition: Partition
  /** The epoch in which this broker began to follow; another one means that it starts anew. */
  readonly leaderEpoch: number
  /** Not asked for before this monotonic time. */
  delayedUntilMs = 0
  /** Answers in a row that brought nothing but an error. */
  failures = 0
  /** Records below the leader's watermark that the last answer left to copy. */
  lag: number | undefined

  readonly #onChanged: (fetched: FetchedPartition) => void

  /** @param onChanged told once when what it asks for may be different from what it was when it was watched */
  constructor(partition: Partition, onChanged: (fetched: FetchedPartition) => void) {
    this.partition = partition
    this.leaderEpoch = partition.leaderEpoch
    this.#onChanged = onChanged
  }

  watch(): void {
    this.partition.observe(this)
  }

  unwatch(): void {
    this.partition.stopObserving(this)
  }

  onPartitionChanged(): void {
    this.#onChanged(this)
  }

  /** Still what the partition is to do. */
  get isCurrent(): boolean {
    return this.partition.role === 'follower' && this.partition.leaderEpoch === this.leaderEpoch
  }

  /** What to ask for; undefined when there is no usable log. */
  request(maxBytes: number) {
    const log = this.partition.log
    if (log === undefined || log.isFailed) return undefined
    return {
      partition: this.partition.index,
      currentLeaderEpoch: this.leaderEpoch,
      fetchOffset: log.logEndOffset,
      lastFetchedEpoch: this.partition.cutsToOwnWatermark ? -1 : (log.latestEpoch ?? -1),
      logStartOffset: log.logStartOffset,
      partitionMaxBytes: maxBytes,
    }
  }

  onAnswer(answer: FetchAnswer, askedOffset: number): FetchVerdict {
    const log = this.partition.log
    if (!this.isCurrent || log === undefined || log.isFailed) return 'back-off'
    switch (answer.errorCode) {
      case ErrorCode.NONE:
        return this.#onRecords(answer, log, askedOffset)
      case ErrorCode.OFFSET_OUT_OF_RANGE:
        return 'out-of-range'
      default:
        return 'back-off'
    }
  }

  #onRecords(answer: FetchAnswer, log: Log, askedOffset: number): FetchVerdict {
    if (answer.divergingEpoch.endOffset >= 0) {
      this.#truncate(answer.divergingEpoch, log)
      return 'continue'
    }
    // Something else (a truncation) has moved the log since the request: ask again.
    if (log.logEndOffset !== askedOffset) return 'continue'
    const records = answer.records
    if (records !== null && records.length > 0) {
      maybeGoBackTo(records, log)
      if (this.partition.appendAsFollower(records).error !== ErrorCode.NONE) return 'back-off'
    }
    this.partition.followHighWatermark(answer.highWatermark)
    this.lag = Math.max(0, answer.highWatermark - log.logEndOffset)
    if (answer.logStartOffset > log.logStartOffset) log.maybeIncrementLogStartOffset(answer.logStartOffset)
    return 'continue'
  }

  /**
   * Cuts to the largest offset at which both logs can still agree: where the leader's epoch ends, or where ours does. If ours has no
   * such epoch it may take another round.
   */
  #truncate(diverging: EpochEndOffset, log: Log): void {
    const own = log.endOffsetForEpoch(diverging.epoch)
    const agreed = own.endOffset < 0 ? log.highWatermark : Math.min(own.endOffset, diverging.endOffset)
    log.truncateTo(Math.min(agreed, log.logEndOffset))
    this.partition.touch()
  }

  /** The leader has told where its log begins and ends. */
  onLeaderRange(leader: { readonly startOffset: number; readonly endOffset: number }): void {
    const log = this.partition.log
    if (!this.isCurrent || log === undefined) return
    if (leader.endOffset < log.logEndOffset) log.truncateTo(leader.endOffset)
    else if (leader.startOffset > log.logEndOffset) log.truncateFullyAndStartAt(leader.startOffset)
    this.partition.touch()
  }
}

/**
 * DeleteRecords may end within a batch, and leaders send whole batches: a replica that was put to the leader's start, and is empty yet,
 * goes back to where that batch begins. Its readers still begin at its start.
 */
function maybeGoBackTo(records: Buffer, log: Log): void {
  const { logStartOffset, logEndOffset } = log
  if (logStartOffset !== logEndOffset) return
  const cursor = new BatchCursor(records)
  if (!cursor.next()) return
  const { baseOffset, nextOffset } = cursor.batch
  if (baseOffset < logEndOffset && logEndOffset < nextOffset)
    log.truncateFullyAndStartAt(baseOffset, logStartOffset)
}
