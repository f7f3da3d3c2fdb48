/**
 * Brings a log directory into memory: tidies up what an interrupted clean or deletion left, checks and repairs what lies
 * behind the recovery point after an unclean end, and rebuilds producer state.
 *
 * After `loadSegments` every batch at or behind the recovery point has passed its crc, no segment holds anything but
 * whole batches, and offsets ascend over the whole log.
 */
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  LOG_SUFFIX,
  offsetFileName,
  offsetOfFileName,
  PRODUCER_SNAPSHOT_SUFFIX,
  SEGMENT_SUFFIXES,
  SWAP_SUFFIX,
} from './file-names.ts'
import type { LeaderEpochCache } from './leader-epoch-cache.ts'
import type { LocalLog } from './local-log.ts'
import type { ProducerState } from './producer-state.ts'
import { MAX_RELATIVE_OFFSET, Segment } from './segment.ts'
import { SegmentScan } from './segment-scan.ts'
import type { StorageContext } from './storage-context.ts'

const DEFAULT_SCAN_BYTES = 1024 * 1024

export interface LoadOptions {
  readonly wasCleanShutdown: boolean
  /** Everything below is known to be on disk. */
  readonly recoveryPoint: number
  /** From the checkpoint; the log may not begin before it. */
  readonly logStartOffset: number
  /** Compaction leaves gaps between batches; anywhere else a gap between segments is a loss. */
  readonly mayHaveGaps: boolean
}

export interface LoadedOffsets {
  readonly logStartOffset: number
  readonly recoveryPoint: number
  /** Bytes that were cut because they were no valid batches. */
  readonly truncatedBytes: number
}

interface Loading {
  readonly context: StorageContext
  readonly local: LocalLog
  readonly producers: ProducerState
  readonly epochs: LeaderEpochCache
  readonly options: LoadOptions
}

export function loadLog(loading: Loading, fileNames: readonly string[]): LoadedOffsets {
  const { context, local, producers, epochs, options } = loading
  const names = new Set(finishInterruptedSwaps(context, local.directory, fileNames))
  openSegments(loading, names)
  producers.setSnapshots(snapshotOffsets(names))
  let truncatedBytes = 0
  const { segments } = local
  if (!options.wasCleanShutdown) {
    truncatedBytes = recover(loading)
  }
  if (segments.count === 0) segments.add(local.createSegment(options.logStartOffset))
  let nextOffset = segments.active.readNextOffset()
  if (nextOffset < options.logStartOffset) {
    // Everything was lost although a start offset was promised to readers: begin there, as Kafka does.
    local.truncateFullyAndStartAt(options.logStartOffset)
    nextOffset = options.logStartOffset
  }
  local.setEndOffset(nextOffset)
  const logStartOffset = Math.max(options.logStartOffset, segments.first.baseOffset)
  if (epochs.wasUnreadable) rebuildEpochs(loading)
  // After an unclean end an epoch without a batch may be one whose batches were lost.
  epochs.truncateFromEnd(options.wasCleanShutdown ? nextOffset + 1 : nextOffset)
  epochs.truncateFromStart(logStartOffset)
  producers.removeStraySnapshots(segments.all.map((segment) => segment.baseOffset))
  rebuildProducers(loading, { logStartOffset, endOffset: nextOffset })
  // What was recovered has been read, but it may not be on disk: only a sync moves the recovery point.
  const recoveryPoint = options.wasCleanShutdown ? nextOffset : Math.min(options.recoveryPoint, nextOffset)
  return { logStartOffset, recoveryPoint, truncatedBytes }
}

function snapshotOffsets(names: ReadonlySet<string>): number[] {
  const offsets: number[] = []
  for (const name of names) {
    const offset = name.endsWith(PRODUCER_SNAPSHOT_SUFFIX) ? offsetOfFileName(name) : undefined
    if (offset !== undefined) offsets.push(offset)
  }
  return offsets
}

/**
 * The cleaner first writes `.cleaned` files, then renames them to `.swap`, then marks the originals `.deleted` and drops
 * the suffix. What is still `.cleaned` is incomplete and goes, with every `.swap` of the same clean; what is only `.swap`
 * is complete and takes the place of the originals it covers.
 */
function finishInterruptedSwaps(
  { files, filePool, ...rest }: StorageContext,
  directory: string,
  fileNames: readonly string[],
): string[] {
  const remove = (name: string) => files.remove(`${directory}/${name}`)
  const isLeftover = (name: string) =>
    name.endsWith(DELETED_SUFFIX) || name.endsWith(CLEANED_SUFFIX) || name.endsWith('.tmp')
  if (!fileNames.some((name) => isLeftover(name) || name.endsWith(SWAP_SUFFIX))) return [...fileNames]
  let firstCleaned = Number.POSITIVE_INFINITY
  for (const name of fileNames) {
    if (name.endsWith(CLEANED_SUFFIX))
      firstCleaned = Math.min(firstCleaned, offsetOfFileName(name) ?? Infinity)
  }
  let names = fileNames.filter((name) => {
    const isIncomplete = name.endsWith(SWAP_SUFFIX) && (offsetOfFileName(name) ?? -1) >= firstCleaned
    if (!isLeftover(name) && !isIncomplete) return true
    remove(name)
    return false
  })
  const swaps = names.filter((name) => name.endsWith(SWAP_SUFFIX))
  if (swaps.length === 0) return names
  const covered = coveredRange({ files, filePool, ...rest }, directory, swaps)
  const swapSet = new Set(swaps)
  names = names.filter((name) => {
    const offset = offsetOfFileName(name)
    const isSegmentFile = SEGMENT_SUFFIXES.some((suffix) => name.endsWith(suffix))
    if (swapSet.has(name) || !isSegmentFile || offset === undefined) return true
    if (offset < covered.from || offset >= covered.to) return true
    remove(name)
    return false
  })
  return names.map((name) => {
    if (!swapSet.has(name)) return name
    const finalName = name.slice(0, -SWAP_SUFFIX.length)
    files.rename(`${directory}/${name}`, `${directory}/${finalName}`)
    return finalName
  })
}

function coveredRange(
  context: StorageContext,
  directory: string,
  swaps: readonly string[],
): { from: number; to: number } {
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  for (const name of swaps) {
    const baseOffset = offsetOfFileName(name)
    if (baseOffset === undefined || !name.endsWith(LOG_SUFFIX + SWAP_SUFFIX)) continue
    const segment = new Segment(context, {
      directory,
      baseOffset,
      fileSuffix: SWAP_SUFFIX,
      existing: new Set(swaps),
      rollJitterMs: 0,
    })
    from = Math.min(from, baseOffset)
    to = Math.max(to, segment.readNextOffset())
    segment.abandon()
  }
  return { from, to }
}

function openSegments({ context, local }: Loading, names: ReadonlySet<string>): void {
  for (const name of names) {
    const baseOffset = offsetOfFileName(name)
    if (baseOffset === undefined) continue
    if (name.endsWith(LOG_SUFFIX)) {
      const { directory } = local
      local.segments.add(new Segment(context, { directory, baseOffset, existing: names, rollJitterMs: 0 }))
      continue
    }
    const isIndex = SEGMENT_SUFFIXES.some((suffix) => name.endsWith(suffix))
    if (isIndex && !names.has(offsetFileName(baseOffset, LOG_SUFFIX))) {
      context.files.remove(`${local.directory}/${name}`)
    }
  }
}

/** Goes through every segment from the recovery point on; after the first damage, everything is cut. */
function recover(loading: Loading): number {
  const { context, local, options } = loading
  let truncatedBytes = 0
  let isDamaged = false
  for (const segment of local.segments.range(options.recoveryPoint)) {
    if (isDamaged) {
      truncatedBytes += segment.sizeBytes
      local.segments.remove(segment)
      segment.remove()
      continue
    }
    const { cutBytes, isIncomplete } = recoverSegment(loading, segment)
    if (cutBytes === 0 && !isIncomplete) continue
    isDamaged = true
    truncatedBytes += cutBytes
    context.trace.emit({
      level: 'warn',
      kind: 'log.truncated',
      message: `Cut ${cutBytes} bytes that are no valid batches from ${segment.logFile.path}, and what followed it.`,
    })
  }
  return truncatedBytes
}

/**
 * Rebuilds the indexes of a segment and cuts it at its first invalid batch. `isIncomplete`: it ends before the next one
 * begins although nothing ever was removed from it, so its last batches did not reach the disk and the next segment
 * would hide the hole.
 */
function recoverSegment(
  { local, producers, epochs, options, context }: Loading,
  segment: Segment,
): { cutBytes: number; isIncomplete: boolean } {
  const { indexIntervalBytes } = local.config
  // Producer state up to the segment tells which transactions its markers abort.
  rebuildProducers(
    { local, producers, context },
    { logStartOffset: options.logStartOffset, endOffset: segment.baseOffset },
  )
  segment.offsetIndex.file.reset()
  segment.timeIndex.file.reset()
  segment.transactionIndex.file.reset()
  segment.resetIndexing()
  const scan = new SegmentScan(segment, 0, segment.sizeBytes, DEFAULT_SCAN_BYTES)
  // The base offset lies outside the checksum: at least it must be possible.
  const endOffset = local.segments.after(segment)?.baseOffset ?? segment.baseOffset + MAX_RELATIVE_OFFSET + 1
  let expectedOffset = segment.baseOffset
  let validEnd = 0
  let hasGaps = false
  while (scan.next()) {
    const batch = scan.whole()
    if (batch.baseOffset < expectedOffset && !batch.isLegacy) break
    if (batch.lastOffset < expectedOffset || batch.lastOffset >= endOffset || !batch.isValid) break
    segment.indexRecovered(batch, scan.batchPosition, indexIntervalBytes)
    if (!batch.isLegacy) epochs.assign(batch.partitionLeaderEpoch, batch.baseOffset)
    if (batch.hasProducerId) replayBatch(producers, segment, scan, { updateIndex: true })
    hasGaps ||= batch.baseOffset > expectedOffset || batch.recordCount !== batch.lastOffsetDelta + 1
    expectedOffset = batch.nextOffset
    validEnd = scan.position
  }
  producers.updateMapEndOffset(expectedOffset)
  const cutBytes = segment.sizeBytes - validEnd
  if (cutBytes > 0) segment.truncateToPosition(validEnd)
  segment.onBecomeInactive()
  segment.markUnsynced()
  const next = local.segments.after(segment)
  const isIncomplete =
    next !== undefined && expectedOffset < next.baseOffset && !hasGaps && !options.mayHaveGaps
  return { cutBytes, isIncomplete }
}

function replayBatch(
  producers: ProducerState,
  segment: Segment,
  scan: SegmentScan,
  options: { updateIndex: boolean },
): void {
  const batch = scan.whole()
  const append = producers.prepare(batch.producerId, 'replication')
  const { completed } = producers.replay(batch, append)
  producers.apply(append)
  if (completed === undefined) return
  if (options.updateIndex && completed.isAborted) {
    segment.transactionIndex.append({
      ...completed,
      lastStableOffset: producers.lastStableOffsetAfter(completed),
    })
  }
  producers.completeTransaction(completed)
}

/** Loads the newest snapshot at or below `endOffset` and replays the batches between. */
export function rebuildProducers(
  { local, producers, context }: Pick<Loading, 'local' | 'producers' | 'context'>,
  offsets: { logStartOffset: number; endOffset: number },
): void {
  const { endOffset, logStartOffset } = offsets
  producers.truncateAndReload(logStartOffset, endOffset, context.clock.wallMs())
  const from = producers.mapEndOffset
  if (endOffset <= from) {
    producers.updateMapEndOffset(endOffset)
    return
  }
  for (const segment of local.segments.range(from, endOffset)) {
    const start = from > segment.baseOffset ? segment.findBatch(from)?.batchPosition : 0
    if (start === undefined) continue
    const scan = new SegmentScan(segment, start, segment.sizeBytes)
    while (scan.next() && scan.batch.baseOffset < endOffset) {
      if (scan.batch.hasProducerId && scan.batch.lastOffset >= from) {
        replayBatch(producers, segment, scan, { updateIndex: false })
      }
    }
  }
  producers.updateMapEndOffset(endOffset)
}

/** A lost epoch file comes back from the batches, which carry their epochs. */
function rebuildEpochs({ local, epochs }: Loading): void {
  for (const segment of local.segments.all) {
    const scan = new SegmentScan(segment)
    while (scan.next()) {
      const { batch } = scan
      if (!batch.isLegacy) epochs.assign(batch.partitionLeaderEpoch, batch.baseOffset)
    }
  }
}
