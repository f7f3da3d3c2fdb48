/**
 * What is read of a partition: records for a Fetch, offsets for ListOffsets and OffsetForLeaderEpoch. Each begins with Kafka's epoch
 * check (KIP-320), and none changes anything.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RecycledBytes } from '../../common/runtime/recycled-bytes.ts'
import type { AbortedTransaction, EpochEndOffset, Log, ReadUpperBound } from '../../storage/log.ts'
import { LATEST_TIMESTAMP } from '../../storage/time-lookup.ts'
import type { FetchPartitionRequest } from './fetch-request.ts'
import type { Partition } from './partition.ts'

/** How far a fetch may read, and who may answer it. */
export interface ReadRange {
  /** A replica reads to the log's end, a consumer to the high watermark, a `read_committed` one to the last stable offset. */
  readonly upTo: ReadUpperBound
  readonly mustLead: boolean
}

export interface PartitionRead {
  readonly error: ErrorCode
  readonly records: Buffer
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /** null unless the fetch is `read_committed`. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null
  readonly divergingEpoch: EpochEndOffset | undefined
  /** The consumer should go there; -1: stay. */
  readonly preferredReadReplica?: number
}

export const EMPTY_RECORDS = Buffer.alloc(0)

/** A read that gave nothing but its error. */
export function refusedRead(error: ErrorCode): PartitionRead {
  return {
    error,
    records: EMPTY_RECORDS,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    abortedTransactions: null,
    divergingEpoch: undefined,
  }
}

/**
 * Where the fetcher's log and this one part (KIP-595): it must truncate before it goes on.
 * @returns undefined when they agree or the fetcher does not say what it has
 */
export function divergenceOf({ log }: Partition, request: FetchPartitionRequest): EpochEndOffset | undefined {
  const end = endOfLastFetchedEpoch(log, request)
  return end !== undefined && isBehind(end, request) ? end : undefined
}

/** Where the epoch ends here that the fetcher has last; its `endOffset` is -1 when it is not known here. */
function endOfLastFetchedEpoch(
  log: Log | undefined,
  { lastFetchedEpoch }: FetchPartitionRequest,
): EpochEndOffset | undefined {
  return lastFetchedEpoch < 0 ? undefined : log?.endOffsetForEpoch(lastFetchedEpoch)
}

function isBehind({ endOffset, epoch }: EpochEndOffset, request: FetchPartitionRequest): boolean {
  return endOffset >= 0 && (endOffset < request.fetchOffset || epoch < request.lastFetchedEpoch)
}

/** Reads for a fetch of any kind. `maxBytes` does not cut the first batch when `atLeastOneBatch`. */
export function readPartition(
  partition: Partition,
  request: FetchPartitionRequest,
  options: {
    range: ReadRange
    maxBytes: number
    atLeastOneBatch: boolean
    memory?: RecycledBytes | undefined
  },
): PartitionRead {
  const error = partition.checkLeaderEpoch(request.currentLeaderEpoch, options.range.mustLead)
  const { log } = partition
  if (error !== ErrorCode.NONE || log === undefined) return refusedRead(error)
  const epochEnd = endOfLastFetchedEpoch(log, request)
  if (epochEnd !== undefined && epochEnd.endOffset < 0) return refusedRead(ErrorCode.OFFSET_OUT_OF_RANGE)
  const watermarks = {
    highWatermark: log.highWatermark,
    lastStableOffset: log.lastStableOffset,
    logStartOffset: log.logStartOffset,
  }
  if (epochEnd !== undefined && isBehind(epochEnd, request)) {
    return {
      error: ErrorCode.NONE,
      records: EMPTY_RECORDS,
      ...watermarks,
      abortedTransactions: null,
      divergingEpoch: epochEnd,
    }
  }
  const read = log.read({
    offset: request.fetchOffset,
    maxBytes: options.maxBytes,
    upTo: options.range.upTo,
    atLeastOneBatch: options.atLeastOneBatch,
    memory: options.memory,
  })
  if (read.error !== ErrorCode.NONE) return refusedRead(read.error)
  return {
    error: ErrorCode.NONE,
    records: read.records,
    ...watermarks,
    abortedTransactions: options.range.upTo === 'lastStable' ? (read.abortedTransactions ?? []) : null,
    divergingEpoch: undefined,
  }
}

/**
 * The offset for a timestamp (ListOffsets). A new leader does not know the true end of the partition before its watermark has
 * reached the start of its epoch: OFFSET_NOT_AVAILABLE for consumers until then (KIP-207).
 */
export function offsetForTimestamp(
  partition: Partition,
  query: { timestamp: number; currentLeaderEpoch: number; mustLead: boolean; upTo: ReadUpperBound },
): { error: ErrorCode; timestamp: number; offset: number; leaderEpoch: number } {
  const nothing = { timestamp: -1, offset: -1, leaderEpoch: -1 }
  const error = partition.checkLeaderEpoch(query.currentLeaderEpoch, query.mustLead)
  const { log } = partition
  if (error !== ErrorCode.NONE || log === undefined) return { error, ...nothing }
  const isUnsettled = query.upTo !== 'logEnd' && !partition.isSettled
  if (isUnsettled && query.timestamp === LATEST_TIMESTAMP)
    return { error: ErrorCode.OFFSET_NOT_AVAILABLE, ...nothing }
  const found = log.fetchOffsetByTimestamp(query.timestamp, query.upTo)
  if (found.error !== ErrorCode.NONE) return { error: found.error, ...nothing }
  if (found.found === undefined) {
    return { error: isUnsettled ? ErrorCode.OFFSET_NOT_AVAILABLE : ErrorCode.NONE, ...nothing }
  }
  return { error: ErrorCode.NONE, ...found.found }
}

/** End offset of a leader epoch in this log (OffsetForLeaderEpoch, KIP-320). */
export function endOffsetForLeaderEpoch(
  partition: Partition,
  query: { leaderEpoch: number; currentLeaderEpoch: number; mustLead: boolean },
): { error: ErrorCode } & EpochEndOffset {
  const error = partition.checkLeaderEpoch(query.currentLeaderEpoch, query.mustLead)
  const { log } = partition
  if (error !== ErrorCode.NONE || log === undefined) return { error, epoch: -1, endOffset: -1 }
  return { error: ErrorCode.NONE, ...log.endOffsetForEpoch(query.leaderEpoch) }
}
