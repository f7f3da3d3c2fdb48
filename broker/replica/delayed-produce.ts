/**
 * A Produce with acks=all that waits until every partition's records are committed.
 *
 * Completes when for each partition: the append failed · the high watermark has passed its last offset (then
 * NOT_ENOUGH_REPLICAS_AFTER_APPEND if the ISR is too small by now) · leadership was lost or moved to another epoch. When the time is
 * up, partitions that are still open answer REQUEST_TIMED_OUT; their records stay in the log.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { DelayedOperation } from './delayed-operation.ts'
import type { Partition } from './partition.ts'

export interface PendingAppend {
  readonly partition: Partition
  readonly leaderEpoch: number
  /** Exclusive: committed when the high watermark reaches it. */
  readonly requiredOffset: number
  /** undefined while open. */
  commitError: ErrorCode | undefined
}

export class DelayedProduce extends DelayedOperation {
  readonly #appends: readonly PendingAppend[]
  readonly #onDone: () => void

  constructor(appends: readonly PendingAppend[], onDone: () => void) {
    super()
    this.#appends = appends
    this.#onDone = onDone
  }

  protected override canComplete(): boolean {
    let isDone = true
    for (const append of this.#appends) {
      append.commitError ??= append.partition.commitErrorOf(append.requiredOffset, append.leaderEpoch)
      if (append.commitError === undefined) isDone = false
    }
    return isDone
  }

  protected override onComplete(): void {
    this.#onDone()
  }

  protected override onExpired(): void {
    this.canComplete()
    for (const append of this.#appends) append.commitError ??= ErrorCode.REQUEST_TIMED_OUT
    this.#onDone()
  }
}
