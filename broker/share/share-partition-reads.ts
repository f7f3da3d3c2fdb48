/** What a share group reads of a partition that this broker leads: where it begins, and the records that a member acquires. */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { BatchCursor } from '../../common/record/batch.ts'
import type { AbortedTransaction, ReadUpperBound } from '../../storage/log.ts'
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP } from '../../storage/time-lookup.ts'
import type { ShareOffsetReset } from '../coordinator/share/share-config.ts'
import type { Partition } from '../replica/partition.ts'
import { offsetForTimestamp } from '../replica/partition-reads.ts'
import type { AcquiredRecords, BatchBounds } from './record-acquirer.ts'
import type { SharePartition } from './share-partition.ts'

export interface AcquireOptions {
  readonly memberId: string
  readonly maxBytes: number
  readonly maxRecords: number
  readonly isExact: boolean
  readonly batchSize: number
}

export const NO_RECORDS = Buffer.alloc(0)

/**
 * Where a group begins that has never read the partition.
 * @param reset `share.auto.offset.reset`
 */
export function resetOffset(
  partition: Partition,
  reset: ShareOffsetReset,
  nowMs: number,
): number | undefined {
  const lookUp = (timestamp: number) =>
    offsetForTimestamp(partition, {
      timestamp,
      currentLeaderEpoch: partition.leaderEpoch,
      mustLead: true,
      upTo: 'highWatermark',
    })
  const latest = () => {
    const found = lookUp(LATEST_TIMESTAMP)
    return found.error === ErrorCode.NONE ? found.offset : undefined
  }
  switch (reset.kind) {
    case 'latest':
      return latest()
    case 'earliest': {
      const found = lookUp(EARLIEST_TIMESTAMP)
      return found.error === ErrorCode.NONE ? found.offset : undefined
    }
    case 'by_duration': {
      const found = lookUp(Math.max(0, nowMs - reset.durationMs))
      if (found.error !== ErrorCode.NONE) return undefined
      return found.offset >= 0 ? found.offset : latest()
    }
  }
}

/** Reads on where the group is, and has the member acquire of it what it may. */
export function acquireFrom(
  sharePartition: SharePartition,
  options: AcquireOptions,
  upTo: ReadUpperBound,
): { readonly error: ErrorCode; readonly records: Buffer; readonly acquired: readonly AcquiredRecords[] } {
  const nothing = { error: ErrorCode.NONE, records: NO_RECORDS, acquired: [] }
  const { log } = sharePartition.partition
  if (log === undefined) return { ...nothing, error: ErrorCode.NOT_LEADER_OR_FOLLOWER }
  sharePartition.followLogStart(log.logStartOffset)
  if (!sharePartition.canAcquire) return nothing
  const fetchOffset = sharePartition.nextFetchOffset
  const read = log.read({ offset: fetchOffset, maxBytes: options.maxBytes, upTo, atLeastOneBatch: true })
  if (read.error !== ErrorCode.NONE) return { ...nothing, error: read.error }
  const batches = batchesIn(read.records)
  const acquired = sharePartition.acquire({
    memberId: options.memberId,
    fetchOffset,
    batches,
    aborted: upTo === 'lastStable' ? abortedIn(batches, read.abortedTransactions ?? []) : [],
    maxRecords: options.maxRecords,
    isExact: options.isExact,
    batchSize: options.batchSize,
  })
  return { error: ErrorCode.NONE, records: sliceOf(read.records, batches, acquired), acquired }
}

interface ReadBatch extends BatchBounds {
  readonly producerId: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly position: number
  readonly end: number
}

function batchesIn(records: Buffer): ReadBatch[] {
  const batches: ReadBatch[] = []
  const cursor = new BatchCursor(records)
  while (cursor.next()) {
    const { baseOffset, lastOffset, producerId, isTransactional, isControl, position, end } = cursor.batch
    batches.push({ baseOffset, lastOffset, producerId, isTransactional, isControl, position, end })
  }
  return batches
}

/** Batches of transactions that were aborted, as a `read_committed` consumer finds them. */
function abortedIn(
  batches: readonly ReadBatch[],
  transactions: readonly Pick<AbortedTransaction, 'producerId' | 'firstOffset'>[],
): BatchBounds[] {
  const waiting = [...transactions].sort((left, right) => left.firstOffset - right.firstOffset)
  const aborting = new Set<number>()
  const result: BatchBounds[] = []
  for (const batch of batches) {
    while (waiting[0] !== undefined && waiting[0].firstOffset <= batch.lastOffset) {
      aborting.add(waiting[0].producerId)
      waiting.shift()
    }
    // The marker ends it; a commit of the same producer cannot come before the abort's.
    if (batch.isControl) aborting.delete(batch.producerId)
    else if (batch.isTransactional && aborting.has(batch.producerId)) result.push(batch)
  }
  return result
}

/** Whole batches from the first acquired record to the last. */
function sliceOf(
  records: Buffer,
  batches: readonly ReadBatch[],
  acquired: readonly AcquiredRecords[],
): Buffer {
  if (acquired.length === 0) return NO_RECORDS
  const firstOffset = Math.min(...acquired.map((range) => range.firstOffset))
  const lastOffset = Math.max(...acquired.map((range) => range.lastOffset))
  const inside = batches.filter((batch) => batch.lastOffset >= firstOffset && batch.baseOffset <= lastOffset)
  return records.subarray(inside[0]?.position ?? 0, inside.at(-1)?.end ?? 0)
}
