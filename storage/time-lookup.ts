/**
 * ListOffsets by time: which record is the first at or after a timestamp, and which has the greatest.
 */
import { ErrorCode } from '../common/protocol/errors.ts'
import type { BatchView } from '../common/record/batch.ts'
import { RecordReader } from '../common/record/record-reader.ts'
import type { LeaderEpochCache } from './leader-epoch-cache.ts'
import type { LocalLog } from './local-log.ts'
import type { Segment } from './segment.ts'
import { SegmentScan } from './segment-scan.ts'

/** The special timestamps of ListOffsets. */
export const LATEST_TIMESTAMP = -1
export const EARLIEST_TIMESTAMP = -2
export const MAX_TIMESTAMP = -3
export const EARLIEST_LOCAL_TIMESTAMP = -4
export const LATEST_TIERED_TIMESTAMP = -5
export const EARLIEST_PENDING_UPLOAD_TIMESTAMP = -6

export interface TimestampAndOffset {
  readonly timestamp: number
  readonly offset: number
  /** Of the batch; -1 when unknown. */
  readonly leaderEpoch: number
}

const NOT_TIERED: TimestampAndOffset = { timestamp: -1, offset: -1, leaderEpoch: -1 }

/** What ListOffsets asks for, special timestamps included. Records at or above `upperBound` are not seen. */
export function lookUpOffset(
  local: LocalLog,
  timestamp: number,
  log: {
    readonly logStartOffset: number
    readonly upperBound: number
    readonly epochs: LeaderEpochCache
  },
): TimestampAndOffset | undefined {
  const { logStartOffset, upperBound, epochs } = log
  switch (timestamp) {
    case EARLIEST_TIMESTAMP:
    case EARLIEST_LOCAL_TIMESTAMP: {
      const leaderEpoch = epochs.epochForOffset(logStartOffset) ?? -1
      return { timestamp: -1, offset: logStartOffset, leaderEpoch }
    }
    case LATEST_TIMESTAMP:
      return { timestamp: -1, offset: upperBound, leaderEpoch: epochs.latestEpoch ?? -1 }
    case LATEST_TIERED_TIMESTAMP:
    case EARLIEST_PENDING_UPLOAD_TIMESTAMP:
      return NOT_TIERED
    default: {
      const found =
        timestamp === MAX_TIMESTAMP
          ? findMaxTimestamp(local)
          : findByTimestamp(local, timestamp, logStartOffset)
      return found !== undefined && found.offset < upperBound ? found : undefined
    }
  }
}

/**
 * The first record at or after `timestamp` whose offset is at or after `startOffset`. As in Kafka only one segment is asked, the first that
 * has a timestamp as great, even when DeleteRecords has taken all of it: until retention removes that segment, nothing is found.
 */
function findByTimestamp(
  local: LocalLog,
  timestamp: number,
  startOffset: number,
): TimestampAndOffset | undefined {
  for (const segment of local.segments.all) {
    if (segment.greatestTimestamp.timestamp >= timestamp)
      return findInSegment(segment, timestamp, startOffset)
  }
  return undefined
}

function findInSegment(
  segment: Segment,
  timestamp: number,
  startOffset: number,
): TimestampAndOffset | undefined {
  // No record at or below the entry's offset is later than the entry's timestamp, which is at or before the wanted one.
  const from = Math.max(segment.lookupTime(timestamp - 1).offset, startOffset, segment.baseOffset)
  const scan = new SegmentScan(segment, segment.lookup(from))
  while (scan.next()) {
    const { batch } = scan
    if (batch.maxTimestamp < timestamp || batch.lastOffset < startOffset) continue
    const found = firstRecord(
      scan.whole(),
      (reader) => reader.timestamp >= timestamp && reader.offset >= startOffset,
    )
    if (found !== undefined) return found
  }
  return undefined
}

/** The first record that has the greatest timestamp of the log; undefined for an empty log. */
function findMaxTimestamp(local: LocalLog): TimestampAndOffset | undefined {
  let latest: Segment | undefined
  for (const segment of local.segments.all) {
    if (segment.sizeBytes === 0) continue
    if (latest === undefined || segment.greatestTimestamp.timestamp > latest.greatestTimestamp.timestamp) {
      latest = segment
    }
  }
  if (latest === undefined) return undefined
  const { timestamp } = latest.greatestTimestamp
  return timestamp < 0 ? undefined : findInSegment(latest, timestamp, latest.baseOffset)
}

function firstRecord(
  batch: BatchView,
  isWanted: (reader: RecordReader) => boolean,
): TimestampAndOffset | undefined {
  const reader = new RecordReader(batch)
  while (reader.next()) {
    if (isWanted(reader)) {
      return { timestamp: reader.timestamp, offset: reader.offset, leaderEpoch: batch.partitionLeaderEpoch }
    }
  }
  if (reader.error === ErrorCode.NONE) return undefined
  // A batch that was taken on trust of its header turns out to be unreadable: the batch as a whole is the answer.
  return { timestamp: batch.maxTimestamp, offset: batch.baseOffset, leaderEpoch: batch.partitionLeaderEpoch }
}
