/**
 * A ShareFetch that waits for records. It completes when
 *   A  a partition is not led here any more, or its share partition is fenced
 *   B  the bytes that could be handed out over all partitions reach `minBytes`
 *   C  its time is up
 * Records come into question when they are appended and when others give them back, so it watches both sides.
 */
import type { ReadUpperBound } from '../../storage/log.ts'
import { DelayedOperation } from '../replica/delayed-operation.ts'
import type { SharePartition } from './share-partition.ts'

export class DelayedShareFetch extends DelayedOperation {
  readonly #partitions: readonly SharePartition[]
  readonly #upTo: ReadUpperBound
  readonly #minBytes: number
  readonly #onDone: () => void

  constructor(options: {
    partitions: readonly SharePartition[]
    upTo: ReadUpperBound
    minBytes: number
    onDone: () => void
  }) {
    super()
    this.#partitions = options.partitions
    this.#upTo = options.upTo
    this.#minBytes = options.minBytes
    this.#onDone = options.onDone
  }

  protected override canComplete(): boolean {
    let readableBytes = 0
    for (const sharePartition of this.#partitions) {
      const { partition } = sharePartition
      const { log } = partition
      if (sharePartition.isFenced || !partition.isLeader || log === undefined || log.isFailed) return true // A
      sharePartition.followLogStart(log.logStartOffset)
      if (!sharePartition.canAcquire) continue
      readableBytes += log.readableBytes(sharePartition.nextFetchOffset, this.#upTo) ?? 0
    }
    return readableBytes > 0 && readableBytes >= this.#minBytes // B
  }

  protected override onComplete(): void {
    this.#onDone()
  }

  protected override onExpired(): void {
    this.#onDone()
  }
}
