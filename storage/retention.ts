/**
 * Which of the oldest segments a log may drop: `retention.ms`, `retention.bytes`, and those wholly below the log start
 * offset. Compacted-only topics drop the last kind alone.
 */
import type { LocalLog } from './local-log.ts'
import type { Segment } from './segment.ts'

export interface RetentionInput {
  readonly highWatermark: number
  readonly logStartOffset: number
  readonly nowMs: number
  /** When the segment's file was changed last: its age when its batches have no timestamps. */
  readonly modifiedMs: (segment: Segment) => number
}

/** A prefix of the segments, in order. May be all of them: the caller then begins a new one first. */
export function deletableSegments(local: LocalLog, input: RetentionInput): Segment[] {
  const { retentionMs, retentionBytes, cleanupPolicy } = local.config
  const mayDelete = cleanupPolicy.has('delete')
  let excessBytes =
    mayDelete && retentionBytes >= 0 ? local.segments.sizeBytes - retentionBytes : Number.NEGATIVE_INFINITY
  const deletable: Segment[] = []
  const all = local.segments.all
  for (const [slot, segment] of all.entries()) {
    const next = all[slot + 1]
    const endOffset = next?.baseOffset ?? local.logEndOffset
    // Nothing that readers have not been able to see, and not the empty segment that the log goes on in.
    if (endOffset > input.highWatermark || (next === undefined && segment.sizeBytes === 0)) break
    const isBelowStart = next !== undefined && next.baseOffset <= input.logStartOffset
    const isTooOld = mayDelete && retentionMs >= 0 && input.nowMs - ageBase(segment, input) > retentionMs
    const isTooMuch = excessBytes - segment.sizeBytes >= 0
    if (!isBelowStart && !isTooOld && !isTooMuch) break
    excessBytes -= segment.sizeBytes
    deletable.push(segment)
  }
  return deletable
}

function ageBase(segment: Segment, input: RetentionInput): number {
  const { timestamp } = segment.greatestTimestamp
  return timestamp >= 0 ? timestamp : input.modifiedMs(segment)
}
