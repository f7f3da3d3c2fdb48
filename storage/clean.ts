/**
 * One clean of one compacted log: keeps of every key the latest record, drops tombstones and markers whose time has come,
 * and puts the segments that remain in the place of the old ones. The log cleaner drives it in slices.
 *
 * First the dirty part is read for the latest offset of every key; then all segments below its end are copied, in groups
 * that make one segment each. Offsets never change; a batch keeps its offset range even when records in it go.
 *
 *     write .cleaned → sync → rename to .swap → old ones to .deleted → drop .swap
 *
 * A crash before the first rename leaves the old segments, a crash after it the new ones (`log-loader.ts`).
 */
import { type BatchView, CURRENT_MAGIC } from '../common/record/batch.ts'
import { BatchBuilder, emptyBatchLike } from '../common/record/batch-builder.ts'
import type { CompressionType } from '../common/record/codecs.ts'
import { RecordReader } from '../common/record/record-reader.ts'
import { CleanTransactions } from './clean-transactions.ts'
import { CLEANED_SUFFIX, SEGMENT_SUFFIXES, SWAP_SUFFIX } from './file-names.ts'
import type { Log } from './log.ts'
import { Segment } from './segment.ts'
import { SegmentScan } from './segment-scan.ts'
import type { StorageContext } from './storage-context.ts'
import type { AbortedTransaction } from './transaction-index.ts'

const SCAN_BYTES = 1024 * 1024
/** Cleaned bytes kept in memory before they are written. */
const WRITE_BYTES = 1024 * 1024
const MAX_RELATIVE_OFFSET = 0x7fffffff

export interface CleanRange {
  readonly firstDirtyOffset: number
  /** Nothing at or after it may be touched: the active segment, open transactions, too young segments. */
  readonly firstUncleanableOffset: number
}

export interface CleanLimits {
  /** Keys in the offset map. */
  readonly maxKeys: number
  /** Bytes of keys in the offset map. */
  readonly maxKeyBytes: number
}

class OffsetMap {
  readonly offsets = new Map<string, number>()
  latestOffset = -1
  #keyBytes = 0
  readonly #limits: CleanLimits

  constructor(limits: CleanLimits) {
    this.#limits = limits
  }

  get isFull(): boolean {
    return this.offsets.size >= this.#limits.maxKeys || this.#keyBytes >= this.#limits.maxKeyBytes
  }

  put(key: Buffer, offset: number): void {
    const name = key.toString('latin1')
    if (!this.offsets.has(name)) this.#keyBytes += name.length
    this.offsets.set(name, offset)
  }

  latestOf(key: Buffer): number {
    return this.offsets.get(key.toString('latin1')) ?? -1
  }
}

/**
 * Yields often; whoever drives it stops when `log.cleaning.aborted`.
 * @returns the offset below which the log is clean now
 */
export function* cleanLog(
  context: StorageContext,
  log: Log,
  range: CleanRange,
  limits: CleanLimits,
): Generator<void, number> {
  const map = new OffsetMap(limits)
  yield* buildOffsetMap(log, range, map)
  const endOffset = Math.min(map.latestOffset + 1, range.firstUncleanableOffset)
  if (endOffset <= range.firstDirtyOffset) return range.firstDirtyOffset
  const transactions = new CleanTransactions(abortedTransactions(log.segments))
  for (const group of groupSegments(log, endOffset)) {
    yield* cleanGroup({ context, log, map, transactions, endOffset }, group)
  }
  return endOffset
}

function abortedTransactions(segments: readonly Segment[]): AbortedTransaction[] {
  return segments.flatMap((segment) => segment.transactionIndex.entries())
}

function* buildOffsetMap(log: Log, range: CleanRange, map: OffsetMap): Generator<void> {
  const { firstDirtyOffset, firstUncleanableOffset } = range
  const dirty = log.local.segments.range(firstDirtyOffset, firstUncleanableOffset)
  const transactions = new CleanTransactions(abortedTransactions(log.local.segments.range(firstDirtyOffset)))
  for (const segment of dirty) {
    const start =
      firstDirtyOffset > segment.baseOffset ? segment.findBatch(firstDirtyOffset)?.batchPosition : 0
    if (start === undefined) continue
    const scan = new SegmentScan(segment, start, segment.sizeBytes, SCAN_BYTES)
    while (scan.next() && scan.batch.baseOffset < firstUncleanableOffset) {
      const batch = scan.whole()
      if (batch.isControl) transactions.onControlBatch(batch)
      else if (!transactions.onDataBatch(batch)) {
        const reader = new RecordReader(batch)
        while (reader.next()) {
          const { key } = reader
          if (key === null || reader.offset < firstDirtyOffset) continue
          if (map.isFull) return
          map.put(key, reader.offset)
          map.latestOffset = reader.offset
        }
      }
      map.latestOffset = Math.max(map.latestOffset, batch.lastOffset)
      yield
    }
    yield
  }
}

/** Neighbours that fit into one segment together. */
function groupSegments(log: Log, endOffset: number): Segment[][] {
  const { segmentBytes, segmentIndexBytes } = log.config
  const groups: Segment[][] = []
  let group: Segment[] = []
  let sizeBytes = 0
  let offsetIndexBytes = 0
  let timeIndexBytes = 0
  for (const segment of log.local.segments.range(0, endOffset)) {
    const first = group[0]
    const nextBase = log.local.segments.after(segment)?.baseOffset ?? endOffset
    const fits =
      first !== undefined &&
      sizeBytes + segment.sizeBytes <= segmentBytes &&
      offsetIndexBytes + segment.offsetIndex.file.sizeBytes <= segmentIndexBytes &&
      timeIndexBytes + segment.timeIndex.file.sizeBytes <= segmentIndexBytes &&
      nextBase - 1 - first.baseOffset <= MAX_RELATIVE_OFFSET
    if (!fits) {
      group = []
      groups.push(group)
      sizeBytes = 0
      offsetIndexBytes = 0
      timeIndexBytes = 0
    }
    group.push(segment)
    sizeBytes += segment.sizeBytes
    offsetIndexBytes += segment.offsetIndex.file.sizeBytes
    timeIndexBytes += segment.timeIndex.file.sizeBytes
  }
  return groups
}

interface Cleaning {
  readonly context: StorageContext
  readonly log: Log
  readonly map: OffsetMap
  readonly transactions: CleanTransactions
  readonly endOffset: number
}

function* cleanGroup(cleaning: Cleaning, group: readonly Segment[]): Generator<void> {
  const { context, log, transactions } = cleaning
  const baseOffset = (group[0] as Segment).baseOffset
  const cleaned = newCleanedSegment(context, log, baseOffset)
  transactions.cleanedIndex = cleaned.transactionIndex
  let isComplete = false
  try {
    for (const segment of group) {
      const scan = new SegmentScan(segment, 0, segment.sizeBytes, SCAN_BYTES)
      while (scan.next()) {
        const kept = filterBatch(cleaning, scan.whole())
        if (kept !== undefined) cleaned.append(kept, log.config.indexIntervalBytes)
        if (cleaned.sizeBytes - cleaned.writtenBytes >= WRITE_BYTES) cleaned.writePending()
        yield
      }
    }
    cleaned.onBecomeInactive()
    cleaned.sync({ isActive: false })
    isComplete = true
  } finally {
    if (!isComplete) {
      cleaned.abandon()
      if (!log.isFailed) cleaned.remove()
    }
  }
  replaceSegments(log, cleaned, group)
  yield
}

function newCleanedSegment(context: StorageContext, log: Log, baseOffset: number): Segment {
  const options = { directory: log.path, baseOffset, fileSuffix: CLEANED_SUFFIX, rollJitterMs: 0 }
  // What an aborted clean left would otherwise be part of this one.
  const leftover = new Segment(context, options)
  for (const suffix of SEGMENT_SUFFIXES) context.files.remove(leftover.pathOf(suffix))
  leftover.abandon()
  return new Segment(context, options)
}

function replaceSegments(log: Log, cleaned: Segment, old: readonly Segment[]): void {
  cleaned.changeSuffix(SWAP_SUFFIX)
  const { baseOffset } = cleaned
  log.removeSegments(old.filter((segment) => segment.baseOffset !== baseOffset))
  log.removeSegments(
    old.filter((segment) => segment.baseOffset === baseOffset),
    { keepSnapshots: true },
  )
  cleaned.changeSuffix('')
  log.local.segments.add(cleaned)
  log.local.tail.clear()
  log.forgetPositions()
}

/** What is left of a batch; undefined for nothing. */
function filterBatch(cleaning: Cleaning, batch: BatchView): Buffer | undefined {
  const { log, map, transactions, endOffset, context } = cleaning
  const nowMs = context.clock.wallMs()
  if (batch.magic !== CURRENT_MAGIC) return batch.slice()
  const isUnneeded = batch.isControl ? transactions.onControlBatch(batch) : transactions.onDataBatch(batch)
  const horizonMs = batch.hasDeleteHorizon ? batch.deleteHorizonMs : undefined
  const isExpired = horizonMs !== undefined && horizonMs <= nowMs
  const dropsAll = isUnneeded && (!batch.isControl || isExpired)
  // Producer state must survive, and so must the log's end.
  const mustKeepHeader = isLastOfProducer(log, batch) || batch.nextOffset === endOffset
  if (dropsAll) return mustKeepHeader ? emptyBatchLike(batch) : undefined

  const reader = new RecordReader(batch)
  const kept: { offset: number; timestamp: number; body: Buffer }[] = []
  let hasTombstone = false
  while (reader.next()) {
    if (!batch.isControl && !isRetained(reader, map, isExpired)) continue
    hasTombstone ||= !reader.hasValue
    kept.push({ offset: reader.offset, timestamp: reader.timestamp, body: reader.body })
  }
  // A batch that cannot be read is not ours to judge.
  if (reader.error !== 0) return batch.slice()
  if (kept.length === 0) return mustKeepHeader ? emptyBatchLike(batch) : undefined
  const needsHorizon = horizonMs === undefined && (batch.isControl ? isUnneeded : hasTombstone)
  if (kept.length === batch.recordCount && !needsHorizon) return batch.slice()
  return rebuild(log, batch, kept, needsHorizon ? nowMs + log.config.deleteRetentionMs : horizonMs)
}

function isRetained(reader: RecordReader, map: OffsetMap, isExpired: boolean): boolean {
  if (reader.offset > map.latestOffset) return true
  const { key } = reader
  if (key === null || reader.offset < map.latestOf(key)) return false
  return reader.hasValue || !isExpired
}

function isLastOfProducer(log: Log, batch: BatchView): boolean {
  if (!batch.hasProducerId) return false
  const entry = log.producerEntry(batch.producerId)
  if (entry === undefined) return false
  const last = entry.batches.at(-1)
  if (last !== undefined) return batch.lastOffset === last.lastOffset
  return batch.isControl && batch.producerEpoch === entry.producerEpoch
}

function rebuild(
  log: Log,
  batch: BatchView,
  kept: readonly { offset: number; timestamp: number; body: Buffer }[],
  deleteHorizonMs: number | undefined,
): Buffer {
  const builder = new BatchBuilder({
    compressionType: batch.compressionType as CompressionType,
    baseOffset: batch.baseOffset,
    timestampType: batch.timestampType,
    logAppendTimeMs: batch.maxTimestamp,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    ...(deleteHorizonMs === undefined ? {} : { deleteHorizonMs }),
    initialBytes: batch.sizeBytes,
  })
  for (const { offset, timestamp, body } of kept) builder.appendEncoded(offset, timestamp, body)
  const rebuilt = builder.build(batch.lastOffset)
  // Taking records away must not make a batch that readers refuse; compression can do that in rare cases.
  return rebuilt.length > Math.max(log.config.maxMessageBytes, batch.sizeBytes) ? batch.slice() : rebuilt
}
