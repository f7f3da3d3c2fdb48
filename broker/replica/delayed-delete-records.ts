/**
 * A DeleteRecords that waits until every live replica's log start offset has reached the request: then the records are gone
 * everywhere and the low watermark can be told.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { DelayedOperation } from './delayed-operation.ts'
import type { Partition } from './partition.ts'

export interface PendingDeleteRecords {
  readonly partition: Partition
  readonly requestedOffset: number
  /** undefined while open. */
  error: ErrorCode | undefined
  lowWatermark: number
}

export class DelayedDeleteRecords extends DelayedOperation {
  readonly #items: readonly PendingDeleteRecords[]
  readonly #onDone: () => void

  constructor(items: readonly PendingDeleteRecords[], onDone: () => void) {
    super()
    this.#items = items
    this.#onDone = onDone
  }

  protected override canComplete(): boolean {
    for (const item of this.#items) {
      if (item.error !== undefined) continue
      const error = item.partition.checkLeaderEpoch(-1, true)
      const { lowWatermark } = item.partition
      if (error !== ErrorCode.NONE) item.error = error
      else if (lowWatermark >= item.requestedOffset) {
        item.error = ErrorCode.NONE
        item.lowWatermark = lowWatermark
      }
    }
    return this.#items.every(({ error }) => error !== undefined)
  }

  protected override onComplete(): void {
    this.#onDone()
  }

  protected override onExpired(): void {
    for (const item of this.#items) item.error ??= ErrorCode.REQUEST_TIMED_OUT
    this.#onDone()
  }
}
