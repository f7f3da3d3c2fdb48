/**
 * The segments of a log as one sequence of bytes: appending, rolling, reading, cutting. Knows offsets and files, but
 * nothing of producers, epochs or watermarks; those are the `Log`'s, which owns it.
 *
 * Invariants: `logEndOffset` is the offset after the last batch, pending ones included; only the active segment has
 * pending bytes; the tail holds the last appended bytes without a gap.
 */
import { BatchCursor } from '../common/record/batch.ts'
import type { RecycledBytes } from '../common/runtime/recycled-bytes.ts'
import { DELETED_SUFFIX, SEGMENT_SUFFIXES } from './file-names.ts'
import type { LogConfig } from './log-config.ts'
import { Segment } from './segment.ts'
import { Segments } from './segments.ts'
import type { StorageContext } from './storage-context.ts'
import { LogTail, type TailEntry } from './tail-cache.ts'

/** An offset with the place of its batch, so that the bytes between two of them are a subtraction. */
export interface LogOffsetMetadata {
  readonly offset: number
  readonly segmentBaseOffset: number
  readonly positionBytes: number
}

/** Bytes of one read at most, unless a single batch is larger: a turn must not be held up by one reader. */
export const MAX_READ_BYTES = 1024 * 1024

const EMPTY = Buffer.alloc(0)

export interface LocalRead {
  readonly records: Buffer
  /** Of the first batch; the requested offset when there is none. */
  readonly firstOffset: number
  /** After the last batch; the requested offset when there is none. */
  readonly nextOffset: number
}

export class LocalLog {
  readonly segments = new Segments()
  config: LogConfig
  readonly tail: LogTail
  readonly #context: StorageContext
  #directory: string
  #endOffset = 0

  constructor(context: StorageContext, directory: string, config: LogConfig) {
    this.#context = context
    this.#directory = directory
    this.config = config
    this.tail = new LogTail(context.tailCache)
  }

  get directory(): string {
    return this.#directory
  }

  get logEndOffset(): number {
    return this.#endOffset
  }

  /** For the loader, once all segments are there. */
  setEndOffset(offset: number): void {
    this.#endOffset = offset
  }

  get endOffsetMetadata(): LogOffsetMetadata {
    const { active } = this.segments
    return { offset: this.#endOffset, segmentBaseOffset: active.baseOffset, positionBytes: active.sizeBytes }
  }

  // --- appends ---

  append(records: Buffer, offsets: { firstOffset: number; nextOffset: number }): void {
    const { active } = this.segments
    this.tail.add({
      segmentBaseOffset: active.baseOffset,
      position: active.sizeBytes,
      baseOffset: offsets.firstOffset,
      nextOffset: offsets.nextOffset,
      buffer: records,
    })
    active.append(records, this.config.indexIntervalBytes)
    this.#endOffset = offsets.nextOffset
  }

  /** Begins a new segment at `baseOffset`, which is at or after the log's end. */
  roll(baseOffset: number): Segment {
    const { active } = this.segments
    if (active.baseOffset === baseOffset) {
      // Full by its index or its age, yet empty: the same name once more.
      active.remove()
      this.segments.remove(active)
    } else {
      active.onBecomeInactive()
      // Most readers are at the end: whoever is not loads them again.
      active.unloadIndexes()
    }
    const segment = this.createSegment(baseOffset)
    this.segments.add(segment)
    this.#endOffset = baseOffset
    return segment
  }

  createSegment(baseOffset: number): Segment {
    const { segmentJitterMs, segmentMs } = this.config
    const jitterMs = Math.min(segmentJitterMs, segmentMs, 0xffff_ffff)
    const rollJitterMs = jitterMs === 0 ? 0 : this.#context.random.int(jitterMs)
    return new Segment(this.#context, { directory: this.#directory, baseOffset, rollJitterMs })
  }

  writePending(): void {
    this.segments.active.writePending()
  }

  // --- reads ---

  /**
   * Whole batches from the one that holds `offset`, from one segment, ending below `upToOffset`. The caller has checked
   * that `offset` lies in the log.
   */
  read(request: {
    offset: number
    maxBytes: number
    upToOffset: number
    atLeastOneBatch: boolean
    memory?: RecycledBytes | undefined
  }): LocalRead {
    const { offset, upToOffset, atLeastOneBatch, memory } = request
    const nothing: LocalRead = { records: EMPTY, firstOffset: offset, nextOffset: offset }
    if (offset >= upToOffset) return nothing
    const maxBytes = Math.min(request.maxBytes, MAX_READ_BYTES)
    const cut = { offset, maxBytes, upToOffset, atLeastOneBatch }
    const cached = this.tail.gather(offset, maxBytes)
    if (cached !== undefined) return cutTail(cached, cut) ?? nothing
    let segment = this.segments.floor(offset)
    while (segment !== undefined) {
      const read = readSegment(segment, cut, memory)
      if (read !== undefined) return read
      // Compaction may have left nothing of the rest of this segment.
      segment = this.segments.after(segment)
    }
    return nothing
  }

  /** Where the batch that holds `offset` begins; the log's end for offsets at or after it. */
  offsetMetadata(offset: number): LogOffsetMetadata {
    if (offset >= this.#endOffset) return this.endOffsetMetadata
    const cached = this.tail.find(offset)
    if (cached !== undefined) {
      const cursor = new BatchCursor(cached.buffer)
      while (cursor.next()) {
        if (cursor.batch.lastOffset < offset) continue
        const { segmentBaseOffset, position } = cached
        return { offset, segmentBaseOffset, positionBytes: position + cursor.batch.position }
      }
    }
    for (
      let segment = this.segments.floor(offset);
      segment !== undefined;
      segment = this.segments.after(segment)
    ) {
      const found = segment.findBatch(offset)
      if (found !== undefined) {
        return { offset, segmentBaseOffset: segment.baseOffset, positionBytes: found.batchPosition }
      }
    }
    return this.endOffsetMetadata
  }

  /** Bytes of the batches between two places, whatever the number of segments. */
  bytesBetween(from: LogOffsetMetadata, to: LogOffsetMetadata): number {
    if (from.segmentBaseOffset === to.segmentBaseOffset)
      return Math.max(0, to.positionBytes - from.positionBytes)
    let sizeBytes = -from.positionBytes
    for (const segment of this.segments.range(from.segmentBaseOffset, to.segmentBaseOffset)) {
      sizeBytes += segment.sizeBytes
    }
    return Math.max(0, sizeBytes + to.positionBytes)
  }

  // --- cuts ---

  /** Removes everything at or after `offset`. The first segment must begin at or before it. */
  truncateTo(offset: number): void {
    this.tail.clear()
    const removed = this.segments.all.filter((segment) => segment.baseOffset > offset)
    for (const segment of removed.reverse()) {
      this.segments.remove(segment)
      segment.remove()
    }
    // Were a later segment to come back after a power cut, the cut in an earlier one would be a hole.
    if (removed.length > 0) this.#context.files.syncDirectory(this.#directory)
    if (this.segments.count === 0) this.segments.add(this.createSegment(offset))
    this.#endOffset = this.segments.active.truncateTo(offset)
    // Nor may what was cut come back under what is appended in its place.
    this.segments.active.sync({ isActive: true })
  }

  /** Removes everything and begins anew at `offset`. */
  truncateFullyAndStartAt(offset: number): void {
    this.tail.clear()
    // The new segment is there before the last old one goes: at no point does the directory say nothing.
    const old = [...this.segments.all]
    const kept = old.find((segment) => segment.baseOffset === offset)
    if (kept === undefined) this.segments.add(this.createSegment(offset))
    for (const segment of old) {
      this.segments.remove(segment)
      segment.remove()
    }
    if (kept !== undefined) this.segments.add(this.createSegment(offset))
    this.#endOffset = offset
  }

  /** Takes segments out of the log and removes their files when `file.delete.delay.ms` have passed. */
  deleteSegments(segments: readonly Segment[], extraPaths: readonly string[] = []): void {
    const paths = [...extraPaths]
    for (const segment of segments) {
      this.segments.remove(segment)
      segment.changeSuffix(DELETED_SUFFIX)
      for (const suffix of SEGMENT_SUFFIXES) paths.push(segment.pathOf(suffix))
    }
    removeLater(this.#context, paths, this.config.fileDeleteDelayMs)
  }

  movedTo(directory: string): void {
    this.#directory = directory
    for (const segment of this.segments.all) segment.movedTo(directory)
  }
}

/** Removes files after a delay. A failure does no harm: the loader removes what is left over. */
export function removeLater(context: StorageContext, paths: readonly string[], delayMs: number): void {
  if (paths.length === 0) return
  context.scheduler.schedule(`remove ${paths[0]}`, delayMs, () => {
    for (const path of paths) {
      try {
        context.files.remove(path)
      } catch (error) {
        context.trace.emit({
          level: 'warn',
          kind: 'log.remove-failed',
          message: `Could not remove ${path}.`,
          error,
        })
      }
    }
  })
}

interface Cut {
  readonly offset: number
  readonly maxBytes: number
  readonly upToOffset: number
  readonly atLeastOneBatch: boolean
}

/**
 * The whole batches of `buffer` from `start` on that a reader may have.
 * @returns undefined when the first does not fit
 */
function cutBatches(buffer: Buffer, start: number, cut: Cut): LocalRead | undefined {
  const cursor = new BatchCursor(buffer, start)
  const { batch } = cursor
  let end = start
  let firstOffset = -1
  let nextOffset = cut.offset
  while (cursor.next()) {
    if (batch.nextOffset > cut.upToOffset) break
    const isFirst = end === start
    if (cursor.position - start > cut.maxBytes && !(isFirst && cut.atLeastOneBatch)) break
    if (isFirst) firstOffset = batch.baseOffset
    end = cursor.position
    nextOffset = batch.nextOffset
  }
  if (end === start) return undefined
  const records = start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end)
  return { records, firstOffset, nextOffset }
}

function cutTail(entry: TailEntry, cut: Cut): LocalRead | undefined {
  const { buffer } = entry
  // The common case: a reader at the very end takes all that was appended.
  const isWhole =
    cut.offset === entry.baseOffset && entry.nextOffset <= cut.upToOffset && buffer.length <= cut.maxBytes
  if (isWhole) return { records: buffer, firstOffset: entry.baseOffset, nextOffset: entry.nextOffset }
  const cursor = new BatchCursor(buffer)
  while (cursor.next()) {
    if (cursor.batch.lastOffset >= cut.offset) return cutBatches(buffer, cursor.batch.position, cut)
  }
  return undefined
}

/** @returns undefined when the segment has nothing at or after the offset */
function readSegment(segment: Segment, cut: Cut, memory: RecycledBytes | undefined): LocalRead | undefined {
  const { offset, maxBytes, atLeastOneBatch } = cut
  const from = segment.lookup(offset)
  // One read that most often has it all: the way from the index entry to the batch, and then the batches.
  let bytes = segment.bytes(from, Math.min(maxBytes + SLACK_BYTES, segment.sizeBytes - from), memory)
  const cursor = new BatchCursor(bytes)
  let start = -1
  while (cursor.next()) {
    if (cursor.batch.lastOffset >= offset) {
      start = cursor.batch.position
      break
    }
  }
  if (start < 0) {
    const found = segment.findBatch(offset)
    if (found === undefined) return undefined
    const firstBytes = found.position - found.batchPosition
    if (firstBytes > maxBytes && !atLeastOneBatch)
      return { records: EMPTY, firstOffset: offset, nextOffset: offset }
    bytes = segment.bytes(found.batchPosition, Math.max(firstBytes, maxBytes), memory)
    start = 0
  }
  return cutBatches(bytes, start, cut) ?? { records: EMPTY, firstOffset: offset, nextOffset: offset }
}

/** The distance between two index entries, and some. */
const SLACK_BYTES = 8192
