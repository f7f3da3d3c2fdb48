/**
 * A Fetch that waits for enough bytes. It completes when
 *   A  this broker no longer has or leads a partition (or its log failed)
 *   B  the leader epoch the fetcher gave is out of date
 *   C  the end of a partition's readable range is in a later segment than the fetch offset, or before it (truncated)
 *   D  the readable bytes over all partitions that the fetcher may read reach `minBytes`
 *   E  a partition diverges from what the fetcher has
 *   F  the fetcher's high watermark is behind (KIP-1166; fetchers that say what they know)
 *   G  its time is up
 * which it asks only of the partitions that something has happened to since they were read, and then reads anew, so that its answer carries the watermarks of that moment.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { DelayedOperation } from './delayed-operation.ts'
import type { WaitingPartition } from './fetch-source.ts'
import type { Partition } from './partition.ts'
import { divergenceOf, type ReadRange } from './partition-reads.ts'

export class DelayedFetch extends DelayedOperation {
  readonly #news: () => Iterable<WaitingPartition>
  readonly #range: ReadRange
  readonly #minBytes: number
  readonly #mayRead: (partition: Partition) => boolean
  readonly #onDone: () => void

  constructor(options: {
    /** The partitions that may give something; nothing is to be had of the others. */
    news: () => Iterable<WaitingPartition>
    range: ReadRange
    minBytes: number
    /** false: its records are held back from the fetcher for now. */
    mayRead: (partition: Partition) => boolean
    onDone: () => void
  }) {
    super()
    this.#news = options.news
    this.#range = options.range
    this.#minBytes = options.minBytes
    this.#mayRead = options.mayRead
    this.#onDone = options.onDone
  }

  protected override canComplete(): boolean {
    let readableBytes = 0
    for (const { partition, request } of this.#news()) {
      const log = partition.log
      if (
        log === undefined ||
        partition.checkLeaderEpoch(request.currentLeaderEpoch, this.#range.mustLead) !== ErrorCode.NONE
      ) {
        return true // A, B
      }
      if (request.fetchOffset > log.logEndOffset || request.fetchOffset < log.logStartOffset) return true // C
      if (divergenceOf(partition, request) !== undefined) return true // E
      if (request.knownHighWatermark < log.highWatermark) return true // F
      const available = log.readableBytes(request.fetchOffset, this.#range.upTo)
      if (available === undefined) return true // C
      if (available > 0 && !this.#mayRead(partition)) continue
      readableBytes += Math.min(available, request.partitionMaxBytes)
      if (readableBytes >= this.#minBytes) return true // D
    }
    return false
  }

  protected override onComplete(): void {
    this.#onDone()
  }

  protected override onExpired(): void {
    this.#onDone()
  }
}
