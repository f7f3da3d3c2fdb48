/**
 * One segment: a `.log` file with its offset, time and transaction index. Owned by the `Segments` of a log.
 *
 * Appended bytes wait in `pending` until `writePending` hands them to the operating system, once a turn; reads see them
 * before that. Positions are bytes within the log file. Indexes live in memory while they are used and are saved when
 * the segment is closed, rolled away or synced.
 *
 * Invariants: `writtenBytes <= sizeBytes`; pending buffers are exactly the difference; only the last segment has any.
 */
import { BatchCursor, type BatchView, NO_TIMESTAMP } from '../common/record/batch.ts'
import type { FileError, FileSystem } from '../common/runtime/files.ts'
import { lasting, type RecycledBytes } from '../common/runtime/recycled-bytes.ts'
import {
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetFileName,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
} from './file-names.ts'
import { PooledFile } from './file-pool.ts'
import { OffsetIndex } from './offset-index.ts'
import { SegmentScan } from './segment-scan.ts'
import type { StorageContext } from './storage-context.ts'
import { TimeIndex, type TimestampOffset } from './time-index.ts'
import { TransactionIndex } from './transaction-index.ts'

/** Relative offsets in the indexes are 32 bits wide, and Kafka allows itself the positive half. */
export const MAX_RELATIVE_OFFSET = 0x7fffffff

export interface SegmentOptions {
  readonly directory: string
  readonly baseOffset: number
  /** `.cleaned` or `.swap` while the cleaner works on it. */
  readonly fileSuffix?: string
  /** Names of the files that the directory has; undefined for a new segment. */
  readonly existing?: ReadonlySet<string>
  /** This segment's share of `segment.jitter.ms`. */
  readonly rollJitterMs: number
}

export class Segment {
  readonly baseOffset: number
  readonly rollJitterMs: number
  readonly logFile: PooledFile
  readonly offsetIndex: OffsetIndex
  readonly timeIndex: TimeIndex
  readonly transactionIndex: TransactionIndex
  /** With what is pending. */
  sizeBytes: number
  writtenBytes: number
  /** Whether something was written since the last sync. */
  isUnsynced = false
  createdMs: number
  readonly #context: StorageContext
  #directory: string
  #fileSuffix: string
  #pending: Buffer[] = []
  #bytesSinceLastIndexEntry = 0
  #greatest: TimestampOffset | undefined
  #firstTimestamp: number | undefined
  #areIndexesTrusted: boolean
  #isNameDurable: boolean
  #syncsInFlight = 0

  constructor(context: StorageContext, options: SegmentOptions) {
    const { directory, baseOffset, fileSuffix = '', existing } = options
    this.#context = context
    this.#directory = directory
    this.#fileSuffix = fileSuffix
    this.baseOffset = baseOffset
    this.rollJitterMs = options.rollJitterMs
    const { files } = context
    const has = (suffix: string) => existing?.has(offsetFileName(baseOffset, suffix) + fileSuffix) ?? false
    this.logFile = new PooledFile(context.filePool, this.#path(LOG_SUFFIX))
    this.offsetIndex = new OffsetIndex(
      files,
      this.#path(OFFSET_INDEX_SUFFIX),
      baseOffset,
      has(OFFSET_INDEX_SUFFIX),
    )
    this.timeIndex = new TimeIndex(files, this.#path(TIME_INDEX_SUFFIX), baseOffset, has(TIME_INDEX_SUFFIX))
    this.transactionIndex = new TransactionIndex(
      files,
      this.#path(TRANSACTION_INDEX_SUFFIX),
      has(TRANSACTION_INDEX_SUFFIX),
    )
    this.sizeBytes = existing === undefined ? 0 : (files.stat(this.logFile.path)?.sizeBytes ?? 0)
    this.writtenBytes = this.sizeBytes
    this.createdMs = context.clock.wallMs()
    this.#areIndexesTrusted = this.sizeBytes === 0
    this.#isNameDurable = existing !== undefined
    if (existing === undefined) this.#createLogFile()
    // What was never written, or was lost, is rebuilt at once: an index that misses its beginning looks like a good one.
    else if (this.sizeBytes > 0 && !(has(OFFSET_INDEX_SUFFIX) && has(TIME_INDEX_SUFFIX)))
      this.rebuildIndexes()
  }

  get hasPending(): boolean {
    return this.#pending.length > 0
  }

  get directory(): string {
    return this.#directory
  }

  /** Greatest batch timestamp and the last offset of that batch. */
  get greatestTimestamp(): TimestampOffset {
    if (this.#greatest === undefined) {
      this.#checkIndexes()
      this.#greatest = this.timeIndex.lastEntry
      if (!this.#isTrueTimeEntry(this.#greatest)) this.rebuildIndexes()
    }
    return this.#greatest
  }

  // --- appends ---

  /** Takes over the buffer, which holds whole batches with their final offsets. */
  append(records: Buffer, indexIntervalBytes: number): void {
    this.#checkIndexes()
    let position = this.sizeBytes
    const cursor = new BatchCursor(records)
    while (cursor.next()) {
      const { batch } = cursor
      this.#indexBatch(batch, position, indexIntervalBytes)
      position += batch.sizeBytes
    }
    this.#pending.push(records)
    this.sizeBytes += records.length
  }

  #indexBatch(batch: BatchView, position: number, indexIntervalBytes: number): void {
    const { maxTimestamp } = batch
    const greatest = this.greatestTimestamp
    if (maxTimestamp > greatest.timestamp) {
      this.#greatest = { timestamp: maxTimestamp, offset: batch.lastOffset }
    }
    if (this.#bytesSinceLastIndexEntry > indexIntervalBytes) {
      this.offsetIndex.append(batch.lastOffset, position)
      this.#indexGreatestTimestamp()
      this.#bytesSinceLastIndexEntry = 0
    }
    this.#bytesSinceLastIndexEntry += batch.sizeBytes
    this.#firstTimestamp ??= position === 0 ? maxTimestamp : undefined
  }

  #indexGreatestTimestamp(): void {
    const { timestamp, offset } = this.greatestTimestamp
    if (timestamp > NO_TIMESTAMP) this.timeIndex.maybeAppend(timestamp, offset)
  }

  /** Hands what is pending to the operating system: one `writev`. */
  writePending(): void {
    if (this.#pending.length === 0) return
    this.logFile.handle.write(this.#pending, this.writtenBytes)
    this.#pending = []
    this.writtenBytes = this.sizeBytes
    this.isUnsynced = true
  }

  /** Why this segment cannot take the next batches, or undefined when it can. */
  mustRoll(next: {
    sizeBytes: number
    maxTimestamp: number
    lastOffset: number
    nowMs: number
    segmentBytes: number
    segmentMs: number
    segmentIndexBytes: number
  }): boolean {
    if (this.sizeBytes > next.segmentBytes - next.sizeBytes) return true
    if (next.lastOffset - this.baseOffset > MAX_RELATIVE_OFFSET) return true
    if (this.sizeBytes === 0) return false
    if (this.waitedForRollMs(next.nowMs, next.maxTimestamp) > next.segmentMs - this.rollJitterMs) return true
    const maxOffsetEntries = Math.floor(next.segmentIndexBytes / 8)
    const maxTimeEntries = Math.floor(next.segmentIndexBytes / 12)
    // The time index keeps one place free for the entry that closes the segment.
    return (
      this.offsetIndex.file.count >= maxOffsetEntries ||
      this.timeIndex.file.count >= Math.max(1, maxTimeEntries - 1)
    )
  }

  /** Age by record time when the first batch has a timestamp, by the clock otherwise. */
  waitedForRollMs(nowMs: number, messageTimestamp: number): number {
    if (this.#firstTimestamp === undefined && this.sizeBytes > 0) {
      const scan = new SegmentScan(this, 0, this.sizeBytes, 64)
      this.#firstTimestamp = scan.next() ? scan.batch.maxTimestamp : NO_TIMESTAMP
    }
    const first = this.#firstTimestamp
    return first !== undefined && first >= 0 ? messageTimestamp - first : nowMs - this.createdMs
  }

  // --- reads ---

  /** @param memory where bytes of the file may be put; the caller gives them back, or leaves them to the garbage collector */
  bytes(position: number, length: number, memory?: RecycledBytes): Buffer {
    const end = Math.min(position + length, this.sizeBytes)
    if (end <= position) return Buffer.alloc(0)
    if (position >= this.writtenBytes) {
      const direct = this.#pendingSlice(position, end)
      if (direct !== undefined) return direct
    }
    const target = memory?.take(end - position) ?? Buffer.allocUnsafeSlow(end - position)
    const fromFile = Math.max(0, Math.min(end, this.writtenBytes) - position)
    if (fromFile > 0) {
      const read = this.logFile.handle.read(target, 0, fromFile, position)
      // Shorter than it was: somebody else cut the file. What is missing reads as zeros, which no batch is.
      if (read < fromFile) target.fill(0, read, fromFile)
    }
    let at = this.writtenBytes
    for (const buffer of this.#pending) {
      const from = Math.max(position, at)
      const to = Math.min(end, at + buffer.length)
      if (from < to) buffer.copy(target, from - position, from - at, to - at)
      at += buffer.length
    }
    return target
  }

  #pendingSlice(position: number, end: number): Buffer | undefined {
    let at = this.writtenBytes
    for (const buffer of this.#pending) {
      if (position >= at && end <= at + buffer.length)
        return lasting(buffer.subarray(position - at, end - at))
      at += buffer.length
    }
    return undefined
  }

  /** A position at or before the first batch that ends at or after `offset`: where to begin to look. */
  lookup(offset: number): number {
    this.#checkIndexes()
    const { position, offset: indexed } = this.offsetIndex.lookup(offset)
    if (position === 0) return 0
    const scan = new SegmentScan(this, position, this.sizeBytes, 64)
    if (scan.next() && scan.batch.baseOffset <= indexed && scan.batch.baseOffset >= this.baseOffset)
      return position
    this.rebuildIndexes()
    return this.offsetIndex.lookup(offset).position
  }

  /** The entry to begin a search by time from: no record at or below its offset is later than `timestamp`. */
  lookupTime(timestamp: number): TimestampOffset {
    this.#checkIndexes()
    const entry = this.timeIndex.lookup(timestamp)
    if (this.#isTrueTimeEntry(entry)) return entry
    this.rebuildIndexes()
    return this.timeIndex.lookup(timestamp)
  }

  /** Whether the batch that a time entry speaks of has that timestamp. */
  #isTrueTimeEntry({ timestamp, offset }: TimestampOffset): boolean {
    return timestamp === NO_TIMESTAMP || this.findBatch(offset)?.batch.maxTimestamp === timestamp
  }

  /** A scan that stands on the first batch whose last offset is at or after `offset`; undefined when there is none. */
  findBatch(offset: number): SegmentScan | undefined {
    const scan = new SegmentScan(this, this.lookup(offset), this.sizeBytes, 8192)
    while (scan.next()) {
      if (scan.batch.lastOffset >= offset) return scan
    }
    return undefined
  }

  /** The offset after the last batch: what the next segment, or the log, begins with. */
  readNextOffset(): number {
    const scan = new SegmentScan(this, this.lookup(Number.MAX_SAFE_INTEGER))
    let nextOffset = this.baseOffset
    while (scan.next()) nextOffset = scan.batch.nextOffset
    return nextOffset
  }

  // --- indexes ---

  /** Looks once at what was loaded, and rebuilds what cannot be right. */
  #checkIndexes(): void {
    if (this.#areIndexesTrusted) return
    this.#areIndexesTrusted = true
    if (!this.offsetIndex.isSane(this.sizeBytes) || !this.timeIndex.isSane() || !this.#coversItsTime()) {
      this.rebuildIndexes()
    }
  }

  /** A segment that was closed has at least one time entry, unless its batches carry no timestamps. */
  #coversItsTime(): boolean {
    if (this.timeIndex.file.count > 0) return true
    const scan = new SegmentScan(this, 0, this.sizeBytes, 64)
    return !scan.next() || scan.batch.maxTimestamp <= NO_TIMESTAMP
  }

  /** Rebuilds offset and time index from the log file. Stops at the first batch that is none. */
  rebuildIndexes(indexIntervalBytes = 4096): void {
    this.#areIndexesTrusted = true
    this.offsetIndex.file.reset()
    this.timeIndex.file.reset()
    this.resetIndexing()
    const scan = new SegmentScan(this, 0)
    while (scan.next()) this.#indexBatch(scan.batch, scan.batchPosition, indexIntervalBytes)
    this.#indexGreatestTimestamp()
  }

  /** Begins indexing anew, for a recovery that goes through every batch with `indexRecovered`. */
  resetIndexing(): void {
    this.#areIndexesTrusted = true
    this.#greatest = { timestamp: NO_TIMESTAMP, offset: this.baseOffset }
    this.#bytesSinceLastIndexEntry = 0
    this.#firstTimestamp = undefined
  }

  indexRecovered(batch: BatchView, position: number, indexIntervalBytes: number): void {
    this.#indexBatch(batch, position, indexIntervalBytes)
  }

  /** The last entry of the time index becomes the greatest timestamp, as in every segment that is not written any more. */
  onBecomeInactive(): void {
    this.writePending()
    if (this.sizeBytes > 0) this.#indexGreatestTimestamp()
    this.saveIndexes({ durable: false })
  }

  saveIndexes(options: { durable: boolean }): void {
    this.offsetIndex.file.save({ createEmpty: true, durable: options.durable })
    this.timeIndex.file.save({ createEmpty: true, durable: options.durable })
    this.transactionIndex.file.save({ createEmpty: false, durable: options.durable })
  }

  /** Writes to a copy of the disk what closing the segment would write; an empty one needs no indexes there. */
  saveIndexesTo(copy: FileSystem): void {
    if (this.sizeBytes === 0) return
    this.offsetIndex.file.saveTo(copy)
    // Entries that nobody has looked at are in their file as they were closed.
    if (this.#areIndexesTrusted) this.timeIndex.saveTo(copy, this.greatestTimestamp)
    if (this.transactionIndex.file.mayExist || this.transactionIndex.file.count > 0)
      this.transactionIndex.file.saveTo(copy)
  }

  // --- changes of files ---

  /** Whether something may not be on disk, background syncs that have not ended included. */
  get needsSync(): boolean {
    return this.isUnsynced || this.#syncsInFlight > 0
  }

  /** Neither content nor name of the file can be relied on: the last process did not say that it synced them. */
  markUnsynced(): void {
    this.isUnsynced = true
    this.#isNameDurable = false
  }

  /**
   * Makes the log file durable, and the indexes too when the segment is not written any more: those of the segment that
   * the recovery point lies in are rebuilt in any case.
   */
  sync(options: { isActive: boolean }): void {
    this.writePending()
    if (!this.needsSync) return
    if (!options.isActive) this.saveIndexes({ durable: true })
    this.logFile.handle.sync()
    this.#syncName()
    this.isUnsynced = false
  }

  /** The same without waiting; `done` is called once. Bytes appended meanwhile are not meant. */
  syncInBackground(options: { isActive: boolean }, done: (error: FileError | undefined) => void): void {
    this.writePending()
    if (!this.isUnsynced) {
      done(undefined)
      return
    }
    this.isUnsynced = false
    this.#syncsInFlight++
    const steps: ((next: (error: FileError | undefined) => void) => void)[] = []
    if (!options.isActive) {
      for (const { file } of [this.offsetIndex, this.timeIndex])
        steps.push((next) => file.saveInBackground(next))
      if (this.transactionIndex.file.mayExist) {
        steps.push((next) => this.transactionIndex.file.saveInBackground(next))
      }
    }
    steps.push((next) => this.logFile.handle.syncInBackground(next))
    let left = steps.length
    let failure: FileError | undefined
    for (const step of steps) {
      step((error) => {
        failure ??= error
        if (--left > 0) return
        this.#syncsInFlight--
        if (failure !== undefined) this.isUnsynced = true
        done(failure)
      })
    }
    this.#syncName()
  }

  /** The directory has to know the file before its content counts as safe. */
  #syncName(): void {
    if (this.#isNameDurable) return
    this.#context.files.syncDirectory(this.#directory)
    this.#isNameDurable = true
  }

  /** Cuts the log file and the index entries behind it. `position` must be the end of a batch. */
  truncateToPosition(position: number): void {
    this.writePending()
    if (position < this.writtenBytes) this.logFile.handle.truncate(position)
    this.sizeBytes = position
    this.writtenBytes = position
    this.isUnsynced = true
  }

  /** Removes every batch that ends at or after `offset`. @returns where the segment ends now: before a batch, not in it */
  truncateTo(offset: number): number {
    this.#checkIndexes()
    const found = this.findBatch(offset)
    if (found === undefined) return offset
    const endOffset = Math.min(offset, found.batch.baseOffset)
    this.offsetIndex.truncateTo(offset)
    this.timeIndex.truncateTo(offset)
    this.transactionIndex.truncateTo(offset)
    this.truncateToPosition(found.batchPosition)
    if (this.sizeBytes === 0) {
      this.createdMs = this.#context.clock.wallMs()
      this.resetIndexing()
    } else {
      this.#bytesSinceLastIndexEntry = 0
      this.#findGreatestTimestamp()
    }
    return endOffset
  }

  #findGreatestTimestamp(): void {
    let greatest = this.timeIndex.lastEntry
    const scan = new SegmentScan(this, this.offsetIndex.lookup(greatest.offset).position)
    while (scan.next()) {
      const { maxTimestamp } = scan.batch
      if (maxTimestamp > greatest.timestamp)
        greatest = { timestamp: maxTimestamp, offset: scan.batch.lastOffset }
    }
    this.#greatest = greatest
  }

  /** Writes everything, leaves the files as Kafka leaves them, and gives the descriptor back. */
  close(): void {
    this.onBecomeInactive()
    this.sync({ isActive: false })
    this.logFile.release()
  }

  /** Gives the descriptor back without writing anything: the directory has failed, or the process is being killed. */
  abandon(): void {
    this.#pending = []
    this.logFile.release()
  }

  /** Forgets the indexes that the files have too. */
  unloadIndexes(): void {
    this.offsetIndex.file.unload()
    this.timeIndex.file.unload()
    this.transactionIndex.file.unload()
  }

  changeSuffix(suffix: string): void {
    const { files } = this.#context
    const from = this.#fileSuffix
    for (const [extension, move] of this.#movers()) {
      const before = this.#path(extension)
      if (extension !== LOG_SUFFIX && files.stat(before) === undefined) continue
      this.logFile.release()
      files.rename(before, before.slice(0, before.length - from.length) + suffix)
      move(before.slice(0, before.length - from.length) + suffix)
    }
    this.#fileSuffix = suffix
  }

  /** The directory has been renamed. */
  movedTo(directory: string): void {
    this.#directory = directory
    for (const [extension, move] of this.#movers()) move(this.#path(extension))
  }

  /** Removes all files. */
  remove(): void {
    this.#pending = []
    this.logFile.remove()
    this.offsetIndex.file.remove()
    this.timeIndex.file.remove()
    this.transactionIndex.file.remove()
  }

  #movers(): [string, (path: string) => void][] {
    return [
      [LOG_SUFFIX, (path) => this.logFile.movedTo(path)],
      [OFFSET_INDEX_SUFFIX, (path) => this.offsetIndex.file.movedTo(path)],
      [TIME_INDEX_SUFFIX, (path) => this.timeIndex.file.movedTo(path)],
      [TRANSACTION_INDEX_SUFFIX, (path) => this.transactionIndex.file.movedTo(path)],
    ]
  }

  /** Path of one of the files as it is called now. */
  pathOf(extension: string): string {
    return this.#path(extension)
  }

  #createLogFile(): void {
    // An empty log file says where the log goes on, so it must be there even before the first batch.
    void this.logFile.handle
  }

  #path(extension: string): string {
    return `${this.#directory}/${offsetFileName(this.baseOffset, extension)}${this.#fileSuffix}`
  }
}
