/**
 * The log of one partition replica: Kafka's unified log. Adds to the bytes of `LocalLog` what makes them a replicated,
 * transactional log; each of its concepts has a file: `LogWatermarks` (from where to where it is read), `LogAppender`,
 * `LogReader`, `LogCuts` (truncation and retention), `LogWriter` (how far it is durable), producer state, leader epochs.
 *
 * Owner: the log manager. Everything runs to completion; nothing here waits. Appended bytes reach the operating system in
 * `flush`, once a turn (`Reactor.flushLater`), before responses are sent; `whenWritten` tells of it. After a failure of
 * the directory every operation answers KAFKA_STORAGE_ERROR.
 *
 * Invariants: logStartOffset <= lastStableOffset <= highWatermark <= logEndOffset; recoveryPoint <= logEndOffset;
 * producer state reflects exactly the records below logEndOffset.
 */
import { ErrorCode } from '../common/protocol/errors.ts'
import type { FileSystem } from '../common/runtime/files.ts'
import type { Flushable } from '../common/runtime/reactor.ts'
import { LEADER_EPOCH_CHECKPOINT } from './checkpoints.ts'
import type { TopicPartition } from './file-names.ts'
import { guarded } from './guard.ts'
import { LeaderEpochCache } from './leader-epoch-cache.ts'
import { LocalLog, type LogOffsetMetadata } from './local-log.ts'
import { LogAppender, storageError } from './log-appender.ts'
import type { LogConfig } from './log-config.ts'
import { LogCuts } from './log-cuts.ts'
import type { LogLayers } from './log-layers.ts'
import { loadLog } from './log-loader.ts'
import { LogReader, type LogReadRequest, refusedRead } from './log-reader.ts'
import type {
  AppendAsFollowerResult,
  AppendAsLeaderOptions,
  AppendAsLeaderResult,
  EpochEndOffset,
  FoundOffset,
  LogOptions,
  LogRead,
  ReadUpperBound,
} from './log-types.ts'
import { LogWatermarks } from './log-watermarks.ts'
import { LogWriter } from './log-writer.ts'
import { writePartitionMetadata } from './partition-metadata.ts'
import {
  type ProducerCheck,
  startVerification,
  type VerificationRequest,
  type VerificationStart,
} from './producer-check.ts'
import { type ActiveProducer, describeProducer, type ProducerStateEntry } from './producer-entry.ts'
import { ProducerState } from './producer-state.ts'
import type { Segment } from './segment.ts'
import type { LogDirectoryState, StorageContext } from './storage-context.ts'

export type { RecordError } from './append-check.ts'
export type { LogOffsetMetadata } from './local-log.ts'
export type * from './log-types.ts'
export type { AppendOrigin, VerificationGuard } from './producer-append.ts'
export type { ActiveProducer } from './producer-entry.ts'
export type { TimestampAndOffset } from './time-lookup.ts'
export type { AbortedTransaction } from './transaction-index.ts'

export class Log implements Flushable {
  readonly topicPartition: TopicPartition
  readonly directory: LogDirectoryState
  /** Bytes that recovery cut when the log was opened. */
  readonly truncatedBytes: number
  /** The layer below, for the cleaner. */
  readonly local: LocalLog
  readonly #context: StorageContext
  readonly #epochs: LeaderEpochCache
  readonly #producers: ProducerState
  readonly #producerCheck: ProducerCheck
  readonly #watermarks: LogWatermarks
  readonly #writer: LogWriter
  readonly #appender: LogAppender
  readonly #reader: LogReader
  readonly #cuts: LogCuts
  #topicId: string | undefined
  #isClosed = false
  /** Told after the log start offset has moved up. */
  onStartOffsetMoved: (() => void) | undefined
  /** Set by the cleaner while it rewrites segments; truncation and closing abort it. */
  cleaning: { aborted: boolean } | undefined

  constructor(options: LogOptions) {
    const { context, directory, topicPartition, path, config, fileNames } = options
    this.#context = context
    this.topicPartition = topicPartition
    this.directory = directory
    this.#topicId = options.topicId
    const local = new LocalLog(context, path, config)
    const { producerIdExpirationMs, isVerificationEnabled } = options
    const producers = new ProducerState(context.files, path, { producerIdExpirationMs })
    const epochPath = `${path}/${LEADER_EPOCH_CHECKPOINT}`
    const epochs = new LeaderEpochCache(context.files, epochPath, fileNames.includes(LEADER_EPOCH_CHECKPOINT))
    const { wasCleanShutdown, recoveryPoint, logStartOffset, highWatermark } = options
    const mayHaveGaps = options.wasCompacted || config.cleanupPolicy.has('compact')
    const loadOptions = { wasCleanShutdown, recoveryPoint, logStartOffset, mayHaveGaps }
    const loaded = loadLog({ context, local, producers, epochs, options: loadOptions }, fileNames)
    this.truncatedBytes = loaded.truncatedBytes
    const writer = new LogWriter({ context, directory, local, epochs }, loaded.recoveryPoint)
    const watermarks = new LogWatermarks(
      { directory, local, producers },
      { logStartOffset: loaded.logStartOffset, highWatermark },
    )
    this.local = local
    this.#producers = producers
    this.#producerCheck = { producers, isVerificationEnabled }
    this.#epochs = epochs
    this.#writer = writer
    this.#watermarks = watermarks
    const layers: LogLayers = {
      context,
      directory,
      topicPartition,
      local,
      epochs,
      producers,
      watermarks,
      writer,
    }
    this.#appender = new LogAppender(layers, this.#producerCheck, {
      onAppended: () => context.reactor.flushLater(this),
      onRolled: () => this.#syncRolledSegments(),
    })
    this.#reader = new LogReader(layers)
    this.#cuts = new LogCuts(layers, {
      roll: () => this.#appender.roll(this.logEndOffset),
      onStartOffsetMoved: () => this.onStartOffsetMoved?.(),
    })
  }

  // --- what it is ---

  get topicId(): string | undefined {
    return this.#topicId
  }

  /** Writes `partition.metadata`, when the log did not know its topic id. */
  assignTopicId(topicId: string): ErrorCode {
    if (this.#topicId !== undefined) {
      return this.#topicId === topicId ? ErrorCode.NONE : ErrorCode.INCONSISTENT_TOPIC_ID
    }
    return guarded<ErrorCode>(this.directory, ErrorCode.KAFKA_STORAGE_ERROR, () => {
      writePartitionMetadata(this.#context.files, this.path, topicId)
      this.#topicId = topicId
      return ErrorCode.NONE
    })
  }

  get path(): string {
    return this.local.directory
  }

  get config(): LogConfig {
    return this.local.config
  }

  updateConfig(config: LogConfig): void {
    this.local.config = config
  }

  get isFailed(): boolean {
    return !this.directory.isOnline || this.#isClosed
  }

  get segments(): readonly Segment[] {
    return this.local.segments.all
  }

  get sizeBytes(): number {
    return this.local.segments.sizeBytes
  }

  // --- offsets ---

  get logStartOffset(): number {
    return this.#watermarks.logStartOffset
  }

  get logEndOffset(): number {
    return this.local.logEndOffset
  }

  get logEndOffsetMetadata(): LogOffsetMetadata {
    return this.local.endOffsetMetadata
  }

  /** Everything below is durable. */
  get recoveryPoint(): number {
    return this.#writer.recoveryPoint
  }

  /** Everything below has been handed to the operating system. */
  get writtenEndOffset(): number {
    return this.#writer.writtenEndOffset
  }

  get highWatermark(): number {
    return this.#watermarks.highWatermark
  }

  get highWatermarkMetadata(): LogOffsetMetadata {
    return this.#watermarks.highWatermarkMetadata
  }

  /** First offset of the oldest open, or not yet replicated, transaction. */
  get firstUnstableOffset(): number | undefined {
    return this.#watermarks.firstUnstableOffset
  }

  get lastStableOffset(): number {
    return this.#watermarks.lastStableOffset
  }

  get lastStableOffsetMetadata(): LogOffsetMetadata {
    return this.#watermarks.lastStableOffsetMetadata
  }

  /** Where the batch that holds `offset` begins. May read a few KiB. */
  offsetMetadata(offset: number): LogOffsetMetadata {
    return this.#watermarks.offsetMetadata(offset)
  }

  bytesBetween(from: LogOffsetMetadata, to: LogOffsetMetadata): number {
    return this.local.bytesBetween(from, to)
  }

  /** Moves the high watermark, up or down, within the log. @returns the new value */
  updateHighWatermark(offset: number | LogOffsetMetadata): number {
    return this.#watermarks.updateHighWatermark(offset)
  }

  // --- leader epochs ---

  get latestEpoch(): number | undefined {
    return this.#epochs.latestEpoch
  }

  get epochEntries(): readonly { readonly epoch: number; readonly startOffset: number }[] {
    return this.#epochs.entries
  }

  epochForOffset(offset: number): number | undefined {
    return this.#epochs.epochForOffset(offset)
  }

  /** A leader notes its epoch before its first append. */
  assignLeaderEpoch(leaderEpoch: number, startOffset: number): void {
    if (!this.isFailed) this.#epochs.announce(leaderEpoch, startOffset)
  }

  /** The end offset of the largest epoch at or below the requested one (KIP-101, KIP-279). */
  endOffsetForEpoch(leaderEpoch: number): EpochEndOffset {
    return this.#epochs.endOffsetFor(leaderEpoch, this.logEndOffset)
  }

  // --- appends ---

  /**
   * Checks, stamps and appends what a producer or coordinator of this broker sends. The buffer is moved: its batches are
   * stamped in place and it stays in the log.
   */
  appendAsLeader(records: Buffer, options: AppendAsLeaderOptions): AppendAsLeaderResult {
    return this.isFailed ? this.#appender.offline() : this.#appender.appendAsLeader(records, options)
  }

  /**
   * Appends what a follower fetched; offsets and epochs are the leader's. The buffer is moved or shared: nobody may
   * change it any more. `checkCrc`: the bytes came from another process.
   */
  appendAsFollower(
    records: Buffer,
    leaderEpoch: number,
    { checkCrc = true }: { checkCrc?: boolean } = {},
  ): AppendAsFollowerResult {
    return this.isFailed ? storageError() : this.#appender.appendAsFollower(records, leaderEpoch, checkCrc)
  }

  /** Begins a new segment at the log's end. */
  roll(): void {
    if (!this.isFailed) guarded(this.directory, undefined, () => this.#appender.roll(this.logEndOffset))
  }

  #syncRolledSegments(): void {
    const { topic, partition } = this.topicPartition
    this.#context.scheduler.schedule(`sync rolled segments of ${topic}-${partition}`, 0, () =>
      this.syncInBackground(),
    )
  }

  // --- reads ---

  /**
   * Whole batches from the one that holds `offset`, at most `maxBytes` (and at most MAX_READ_BYTES) unless
   * `atLeastOneBatch` and the first is larger.
   */
  read(request: LogReadRequest): LogRead {
    if (this.isFailed) return refusedRead(ErrorCode.KAFKA_STORAGE_ERROR, request.offset)
    return this.#reader.read(request)
  }

  /** Whether a read from `offset` would give records, were it not for limits. */
  isReadable(offset: number, upTo: ReadUpperBound): boolean {
    return offset < this.#watermarks.upperBound(upTo)
  }

  /** Bytes that a read from `offset` could have. @returns undefined when the offset is out of range */
  readableBytes(offset: number, upTo: ReadUpperBound): number | undefined {
    return this.#reader.readableBytes(offset, upTo)
  }

  /** ListOffsets. `upTo` bounds what the caller may see; nothing is found when no record is at or after the timestamp. */
  fetchOffsetByTimestamp(timestamp: number, upTo: ReadUpperBound): FoundOffset {
    if (this.isFailed) return { error: ErrorCode.KAFKA_STORAGE_ERROR, found: undefined }
    return this.#reader.fetchOffsetByTimestamp(timestamp, upTo)
  }

  // --- producers ---

  activeProducers(): ActiveProducer[] {
    return [...this.#producers.producers.values()].map(describeProducer)
  }

  producerEntry(producerId: number): Readonly<ProducerStateEntry> | undefined {
    return this.#producers.entry(producerId)
  }

  get openTransactions(): readonly { readonly producerId: number; readonly firstOffset: number }[] {
    return this.#producers.openTransactions
  }

  hasOngoingTransaction(producerId: number, producerEpoch: number): boolean {
    return this.#producers.hasOngoingTransaction(producerId, producerEpoch)
  }

  /** The first step of a transactional append (KIP-890). @returns the guard to show with it, when it must be verified first */
  startVerification(request: VerificationRequest): VerificationStart {
    return startVerification(this.#producerCheck, request, this.#context.clock.wallMs())
  }

  removeExpiredProducers(): void {
    this.#producers.removeExpired(this.#context.clock.wallMs())
  }

  updateProducerIdExpiration(producerIdExpirationMs: number): void {
    this.#producers.updateOptions({ producerIdExpirationMs })
  }

  // --- cuts ---

  /**
   * Removes everything at or after `offset`, and the batch that it lies in (a follower that diverged).
   * @returns whether anything was removed
   */
  truncateTo(offset: number): boolean {
    if (this.isFailed) return false
    if (offset < this.logEndOffset) this.#abortCleaning()
    return this.#cuts.truncateTo(offset)
  }

  /** Removes everything; the log goes on at `offset` (a follower whose offset is out of the leader's range). */
  truncateFullyAndStartAt(offset: number, logStartOffset = offset): void {
    if (this.isFailed) return
    this.#abortCleaning()
    this.#cuts.truncateFullyAndStartAt(offset, logStartOffset)
  }

  /**
   * Moves the log start offset up (DeleteRecords, or a follower after its leader). The bytes go with the next retention
   * check. @returns OFFSET_OUT_OF_RANGE above the high watermark
   */
  maybeIncrementLogStartOffset(offset: number): ErrorCode {
    return this.isFailed ? ErrorCode.KAFKA_STORAGE_ERROR : this.#cuts.maybeIncrementLogStartOffset(offset)
  }

  /** Retention by time, size and log start offset. @returns the number of segments removed */
  deleteOldSegments(): number {
    // The cleaner works on the same segments; what it leaves is looked at next time.
    return this.isFailed || this.cleaning !== undefined ? 0 : this.#cuts.deleteOldSegments()
  }

  /** Takes segments, and the snapshots at their bases, out of the log. @throws FileError */
  removeSegments(segments: readonly Segment[], options: { keepSnapshots?: boolean } = {}): void {
    this.#cuts.removeSegments(segments, options)
  }

  /** Positions in files have changed. */
  forgetPositions(): void {
    this.#watermarks.forgetPositions()
  }

  #abortCleaning(): void {
    if (this.cleaning !== undefined) this.cleaning.aborted = true
  }

  // --- disk ---

  /** Reactor's flush phase: hands pending bytes to the operating system and tells those who wait. Never throws. */
  flush(): void {
    this.#writer.flush(this.isFailed)
  }

  /**
   * Tells, in the flush phase of this turn, whether what has been appended so far is with the operating system. Called at
   * once when it is already.
   */
  whenWritten(callback: (error: ErrorCode) => void): void {
    if (this.isFailed) callback(ErrorCode.KAFKA_STORAGE_ERROR)
    else this.#writer.whenWritten(callback)
  }

  /** Makes everything below `offset` durable before it returns. */
  syncTo(offset = this.logEndOffset): ErrorCode {
    if (this.isFailed) return ErrorCode.KAFKA_STORAGE_ERROR
    return guarded<ErrorCode>(this.directory, ErrorCode.KAFKA_STORAGE_ERROR, () => {
      this.#writer.syncTo(offset)
      return ErrorCode.NONE
    })
  }

  /** Starts making everything written so far durable; the recovery point follows when it is done. */
  syncInBackground(): void {
    if (!this.isFailed) guarded(this.directory, undefined, () => this.#writer.syncInBackground())
  }

  get unsyncedMs(): number {
    return this.#writer.unsyncedMs
  }

  /** Writes and syncs everything and leaves the files as Kafka leaves them. The log is not to be used any more. */
  close(): void {
    if (this.#isClosed) return
    this.#abortCleaning()
    if (!this.isFailed) {
      guarded(this.directory, undefined, () => {
        this.#writer.write()
        this.#producers.takeSnapshot()
        for (const segment of this.local.segments.all) segment.close()
        // Epochs without batches can be lost; ten thousand idle partitions should not each wait for the disk.
        if (this.logEndOffset > 0) this.#epochs.save({ durable: true })
        this.#writer.markSynced(this.logEndOffset)
      })
    }
    this.#end()
  }

  /**
   * Writes to a copy of the disk what `close` would write to the disk, so that a broker that starts there need not read the batches again.
   * Nothing may be pending.
   */
  saveTo(copy: FileSystem): void {
    if (this.isFailed || this.#isClosed) return
    for (const segment of this.local.segments.all) segment.saveIndexesTo(copy)
    this.#producers.saveSnapshotTo(copy, this.#context.clock.wallMs())
  }

  /** Lets go of files without writing anything: the directory failed, or a killed broker is simulated. */
  abandon(): void {
    if (!this.#isClosed) this.#end()
  }

  #end(): void {
    for (const segment of this.local.segments.all) segment.abandon()
    this.#isClosed = true
    this.local.tail.clear()
    this.flush()
  }

  /** Moves the log to another name in its directory and ends it; the manager removes the directory later. */
  renameForDelete(path: string): ErrorCode {
    this.#abortCleaning()
    const error = this.isFailed
      ? ErrorCode.KAFKA_STORAGE_ERROR
      : guarded<ErrorCode>(this.directory, ErrorCode.KAFKA_STORAGE_ERROR, () => {
          for (const segment of this.local.segments.all) segment.abandon()
          this.#context.files.rename(this.path, path)
          return ErrorCode.NONE
        })
    this.#end()
    return error
  }
}
