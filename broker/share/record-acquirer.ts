/**
 * Hands records of a share partition out to members: those that came back before new ones, in batches of a good size, and with caution
 * what has come back often (KIP-932, KIP-1206).
 *
 * Owner: the share partition. Invariant: a record has at most one owner at a time. Limits: `share.partition.max.record.locks` records
 * between the start and the last one handed out.
 */
import { deliveryCountLimit, maxRecordLocks, type ShareConfig } from '../coordinator/share/share-config.ts'
import type { AcquisitionLocks } from './acquisition-locks.ts'
import type { InFlightRecords } from './in-flight-records.ts'
import { DeliveryState, NEW_RUN, type RecordRun, SETTLED } from './record-run.ts'

export interface AcquiredRecords {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly deliveryCount: number
}

/** Bounds of a record batch in the log. */
export interface BatchBounds {
  readonly baseOffset: number
  readonly lastOffset: number
}

export interface AcquireRequest {
  readonly memberId: string
  readonly fetchOffset: number
  /** Of the records read at the fetch offset. */
  readonly batches: readonly BatchBounds[]
  /** Of aborted transactions: nobody gets them. */
  readonly aborted: readonly BatchBounds[]
  /** A bound that whole batches may exceed, unless `isExact`. */
  readonly maxRecords: number
  readonly isExact: boolean
  /** How many records make a good batch of acquired ones. */
  readonly batchSize: number
}

export interface RecordAcquirerOptions {
  readonly groupId: string
  readonly config: ShareConfig
  readonly records: InFlightRecords
  readonly locks: AcquisitionLocks
}

export class RecordAcquirer {
  readonly #groupId: string
  readonly #config: ShareConfig
  readonly #records: InFlightRecords
  readonly #locks: AcquisitionLocks

  constructor({ groupId, config, records, locks }: RecordAcquirerOptions) {
    this.#groupId = groupId
    this.#config = config
    this.#records = records
    this.#locks = locks
  }

  /** Whether there is anything to give, should the log have records. */
  get canAcquire(): boolean {
    return this.#records.nextFetchOffset < this.#records.nextOffset || this.#freeLocks > 0
  }

  get #freeLocks(): number {
    const { startOffset, nextOffset } = this.#records
    return maxRecordLocks(this.#config, this.#groupId) - (nextOffset - startOffset)
  }

  /** Gives the member what may be given of the batches. @returns ranges in order of offsets, whose locks run from now on */
  acquire(request: AcquireRequest): AcquiredRecords[] {
    const firstBatch = request.batches[0]
    const lastBatch = request.batches.at(-1)
    if (firstBatch === undefined || lastBatch === undefined) return []
    this.#records.fillGaps(request.fetchOffset, firstBatch.baseOffset - 1)
    const acquired: AcquiredRecords[] = []
    let remaining = request.maxRecords
    let offset = Math.max(firstBatch.baseOffset, this.#records.startOffset)
    while (offset <= lastBatch.lastOffset && remaining > 0) {
      const gap = this.#records.runs.gapAt(offset)
      if (gap.isGap) {
        const taken = this.#acquireNew(
          request,
          offset,
          Math.min(gap.until - 1, lastBatch.lastOffset),
          remaining,
        )
        if (taken.length === 0) break
        acquired.push(...taken)
        remaining -= countOf(taken)
        offset = (taken.at(-1)?.lastOffset ?? offset) + 1
        continue
      }
      const run = this.#records.runs.overlapping(offset, offset)[0]
      if (run === undefined) break
      const until = Math.min(run.lastOffset, lastBatch.lastOffset)
      if (run.state === DeliveryState.AVAILABLE && run.before === undefined) {
        const share = this.#cautiousCount(run)
        // What is on its last attempt comes alone: if it kills its reader, nothing else is lost with it.
        if (share === 1 && acquired.length > 0) break
        const limit = Math.min(
          share ?? Number.POSITIVE_INFINITY,
          request.isExact ? remaining : Number.POSITIVE_INFINITY,
        )
        const again = this.#acquireAgain(request.memberId, offset, Math.min(until, offset + limit - 1))
        acquired.push(again)
        remaining -= countOf([again])
        if (share !== undefined) break
      }
      offset = until + 1
    }
    this.#archiveAborted(request.aborted, acquired)
    return mergeNeighbours(this.#stillAcquired(acquired, request.memberId))
  }

  /**
   * Records that came back often may be poison: they are handed out in ever smaller parts, at last one by one.
   * @returns undefined while there is no suspicion
   */
  #cautiousCount({ deliveryCount, batchCount }: RecordRun): number | undefined {
    const limit = deliveryCountLimit(this.#config, this.#groupId)
    const suspect = Math.max(2, Math.ceil(limit / 2))
    if (deliveryCount < suspect) return undefined
    return deliveryCount >= limit - 1 ? 1 : Math.max(1, batchCount >> (deliveryCount - suspect + 1))
  }

  /** Records that nobody had yet, up to a batch's end (or exactly as many as asked for), cut into batches of a good size. */
  #acquireNew(
    { memberId, batches, batchSize, isExact }: AcquireRequest,
    firstOffset: number,
    lastOffset: number,
    maxRecords: number,
  ): AcquiredRecords[] {
    const isBeyond = firstOffset >= this.#records.nextOffset
    const limit = isBeyond ? Math.min(maxRecords, this.#freeLocks) : maxRecords
    if (limit <= 0) return []
    const wanted = firstOffset + limit - 1
    const boundary = batches.find((batch) => batch.lastOffset >= wanted)?.lastOffset ?? lastOffset
    const last = Math.min(lastOffset, isExact ? wanted : boundary)
    const starts = [firstOffset]
    if (last - firstOffset + 1 > batchSize) {
      for (const { baseOffset } of batches) {
        if (baseOffset <= firstOffset) continue
        if (baseOffset > last) break
        if (baseOffset - (starts.at(-1) as number) >= batchSize) starts.push(baseOffset)
      }
    }
    const acquired = starts.map((start, index) => ({
      firstOffset: start,
      lastOffset: (starts[index + 1] ?? last + 1) - 1,
      deliveryCount: 1,
    }))
    for (const range of acquired) {
      const lock = this.#locks.take()
      const batchCount = countOf([range])
      this.#records.add({ ...NEW_RUN, ...range, state: DeliveryState.ACQUIRED, memberId, lock, batchCount })
    }
    return acquired
  }

  #acquireAgain(memberId: string, firstOffset: number, lastOffset: number): AcquiredRecords {
    const lock = this.#locks.take()
    let deliveryCount = 0
    this.#records.runs.update(firstOffset, lastOffset, (run) => {
      deliveryCount = run.deliveryCount + 1
      return { state: DeliveryState.ACQUIRED, deliveryCount, memberId, lock }
    })
    return { firstOffset, lastOffset, deliveryCount }
  }

  #archiveAborted(aborted: readonly BatchBounds[], acquired: readonly AcquiredRecords[]): void {
    if (aborted.length === 0 || acquired.length === 0) return
    for (const { baseOffset, lastOffset } of aborted) {
      for (const range of acquired) {
        const first = Math.max(baseOffset, range.firstOffset)
        const last = Math.min(lastOffset, range.lastOffset)
        if (first > last) continue
        this.#records.runs.update(first, last, () => ({ ...SETTLED, state: DeliveryState.ARCHIVED }))
      }
    }
  }

  #stillAcquired(acquired: readonly AcquiredRecords[], memberId: string): AcquiredRecords[] {
    const result = acquired.flatMap(({ firstOffset, lastOffset }) =>
      this.#records.runs
        .overlapping(firstOffset, lastOffset)
        .filter((run) => run.state === DeliveryState.ACQUIRED && run.memberId === memberId)
        .map((run) => ({
          firstOffset: Math.max(run.firstOffset, firstOffset),
          lastOffset: Math.min(run.lastOffset, lastOffset),
          deliveryCount: run.deliveryCount,
        })),
    )
    this.#records.moveStart()
    this.#locks.cancelUnused(this.#records.runs)
    return result
  }
}

function countOf(ranges: readonly AcquiredRecords[]): number {
  return ranges.reduce((sum, { firstOffset, lastOffset }) => sum + lastOffset - firstOffset + 1, 0)
}

/** Ranges of records handed out again are told as one where they touch; new ones keep the size that was asked for. */
function mergeNeighbours(ranges: readonly AcquiredRecords[]): AcquiredRecords[] {
  const result: AcquiredRecords[] = []
  for (const range of ranges) {
    const last = result.at(-1)
    const isSame =
      last !== undefined &&
      range.deliveryCount > 1 &&
      last.deliveryCount === range.deliveryCount &&
      last.lastOffset + 1 === range.firstOffset
    if (isSame) result[result.length - 1] = { ...last, lastOffset: range.lastOffset }
    else result.push(range)
  }
  return result
}
