/**
 * The log of one partition replica: Kafka's unified log. Adds to the bytes of `LocalLog` what makes them a replicated,
 * transactional log: validation and stamping, producer state, leader epochs, high watermark and last stable offset.
 *
 * Owner: the log manager. Everything runs to completion; nothing here waits. Appended bytes reach the operating system in
 * `flush`, once a turn (`Reactor.flushLater`), before responses are sent; `whenWritten` tells of it. After a failure of
 * the directory every operation answers KAFKA_STORAGE_ERROR.
 *
 * Invariants: logStartOffset <= lastStableOffset <= highWatermark <= logEndOffset; recoveryPoint <= logEndOffset;
 * producer state reflects exactly the records below logEndOffset.
 */
import { ErrorCode } from '../common/protocol/errors.ts'
import { BatchCursor } from '../common/record/batch.ts'
import { FileError, type FileSystem } from '../common/runtime/files.ts'
import type { Flushable } from '../common/runtime/reactor.ts'
import {
  type AppendRefusal,
  type CheckedBatches,
  checkForFollower,
  checkForLeader,
  refuse,
  stampBatches,
} from './append-check.ts'
import { LEADER_EPOCH_CHECKPOINT } from './checkpoints.ts'
import type { TopicPartition } from './file-names.ts'
import { LeaderEpochCache } from './leader-epoch-cache.ts'
import { LocalLog, type LogOffsetMetadata } from './local-log.ts'
import type { LogConfig } from './log-config.ts'
import { loadLog, rebuildProducers } from './log-loader.ts'
import type {
  ActiveProducer,
  AppendAsFollowerResult,
  AppendAsLeaderOptions,
  AppendAsLeaderResult,
  AppendFailure,
  EpochEndOffset,
  FoundOffset,
  LogOptions,
  LogRead,
  ReadUpperBound,
} from './log-types.ts'
import { LogWriter } from './log-writer.ts'
import { writePartitionMetadata } from './partition-metadata.ts'
import type { VerificationGuard } from './producer-append.ts'
import {
  applyUpdate,
  checkProducers,
  duplicateSuccess,
  type ProducerCheck,
  type ProducerUpdate,
} from './producer-check.ts'
import { lastSequenceOf, type ProducerStateEntry } from './producer-entry.ts'
import { recallBatches } from './producer-recall.ts'
import { ProducerState, producerEpochRefusal } from './producer-state.ts'
import { deletableSegments } from './retention.ts'
import type { Segment } from './segment.ts'
import type { LogDirectoryState, StorageContext } from './storage-context.ts'
import { lookUpOffset } from './time-lookup.ts'
import type { AbortedTransaction } from './transaction-index.ts'

export type { RecordError } from './append-check.ts'
export type { LogOffsetMetadata } from './local-log.ts'
export type * from './log-types.ts'
export type { AppendOrigin, VerificationGuard } from './producer-append.ts'
export type { TimestampAndOffset } from './time-lookup.ts'
export type { AbortedTransaction } from './transaction-index.ts'

const EMPTY = Buffer.alloc(0)

export class Log implements Flushable {
  readonly topicPartition: TopicPartition
  readonly directory: LogDirectoryState
  /** Bytes that recovery cut when the log was opened. */
  readonly truncatedBytes: number
  readonly #context: StorageContext
  readonly #local: LocalLog
  readonly #epochs: LeaderEpochCache
  readonly #producers: ProducerState
  readonly #producerCheck: ProducerCheck
  readonly #writer: LogWriter
  #topicId: string | undefined
  #logStartOffset: number
  #highWatermark: number
  #highWatermarkMetadata: LogOffsetMetadata | undefined
  #lastStableMetadata: LogOffsetMetadata | undefined
  #isClosed = false
  /** Told after the log start offset has moved up. */
  onStartOffsetMoved: (() => void) | undefined
  /** Set by the cleaner while it rewrites segments; truncation and closing abort it. */
  cleaning: { aborted: boolean } | undefined

  constructor(options: LogOptions) {
    const { context, directory, path, config, fileNames } = options
    this.#context = context
    this.topicPartition = options.topicPartition
    this.directory = directory
    this.#topicId = options.topicId
    this.#local = new LocalLog(context, path, config)
    const { producerIdExpirationMs } = options
    this.#producers = new ProducerState(context.files, path, { producerIdExpirationMs })
    const { isVerificationEnabled } = options
    this.#producerCheck = { producers: this.#producers, isVerificationEnabled }
    const epochPath = `${path}/${LEADER_EPOCH_CHECKPOINT}`
    this.#epochs = new LeaderEpochCache(context.files, epochPath, fileNames.includes(LEADER_EPOCH_CHECKPOINT))
    const { wasCleanShutdown, recoveryPoint, logStartOffset } = options
    const mayHaveGaps = options.wasCompacted || config.cleanupPolicy.has('compact')
    const loaded = loadLog(
      {
        context,
        local: this.#local,
        producers: this.#producers,
        epochs: this.#epochs,
        options: { wasCleanShutdown, recoveryPoint, logStartOffset, mayHaveGaps },
      },
      fileNames,
    )
    this.truncatedBytes = loaded.truncatedBytes
    this.#logStartOffset = loaded.logStartOffset
    this.#writer = new LogWriter(
      { context, directory, local: this.#local, epochs: this.#epochs },
      loaded.recoveryPoint,
    )
    this.#highWatermark = clamp(options.highWatermark, loaded.logStartOffset, this.#local.logEndOffset)
    this.#producers.onHighWatermarkUpdated(this.#highWatermark)
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
    return this.#guard<ErrorCode>(ErrorCode.KAFKA_STORAGE_ERROR, () => {
      writePartitionMetadata(this.#context.files, this.path, topicId)
      this.#topicId = topicId
      return ErrorCode.NONE
    })
  }

  get path(): string {
    return this.#local.directory
  }

  get config(): LogConfig {
    return this.#local.config
  }

  updateConfig(config: LogConfig): void {
    this.#local.config = config
  }

  get isFailed(): boolean {
    return !this.directory.isOnline || this.#isClosed
  }

  get segments(): readonly Segment[] {
    return this.#local.segments.all
  }

  /** The layer below, for the cleaner. */
  get local(): LocalLog {
    return this.#local
  }

  get sizeBytes(): number {
    return this.#local.segments.sizeBytes
  }

  // --- offsets ---

  get logStartOffset(): number {
    return this.#logStartOffset
  }

  get logEndOffset(): number {
    return this.#local.logEndOffset
  }

  get logEndOffsetMetadata(): LogOffsetMetadata {
    return this.#local.endOffsetMetadata
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
    return this.#highWatermark
  }

  get highWatermarkMetadata(): LogOffsetMetadata {
    this.#highWatermarkMetadata ??= this.offsetMetadata(this.#highWatermark)
    return this.#highWatermarkMetadata
  }

  /** First offset of the oldest open, or not yet replicated, transaction. */
  get firstUnstableOffset(): number | undefined {
    const offset = this.#producers.firstUnstableOffset
    return offset === undefined ? undefined : Math.max(offset, this.#logStartOffset)
  }

  get lastStableOffset(): number {
    return Math.min(this.firstUnstableOffset ?? this.#highWatermark, this.#highWatermark)
  }

  get lastStableOffsetMetadata(): LogOffsetMetadata {
    const { lastStableOffset } = this
    if (lastStableOffset === this.#highWatermark) return this.highWatermarkMetadata
    if (this.#lastStableMetadata?.offset !== lastStableOffset) {
      this.#lastStableMetadata = this.offsetMetadata(lastStableOffset)
    }
    return this.#lastStableMetadata
  }

  /** Where the batch that holds `offset` begins. May read a few KiB. */
  offsetMetadata(offset: number): LogOffsetMetadata {
    const end = this.#local.endOffsetMetadata
    if (offset >= end.offset) return end
    return this.#guard(end, () => this.#local.offsetMetadata(offset))
  }

  bytesBetween(from: LogOffsetMetadata, to: LogOffsetMetadata): number {
    return this.#local.bytesBetween(from, to)
  }

  /** Bytes that a read from `offset` could have. @returns undefined when the offset is out of range */
  readableBytes(offset: number, upTo: ReadUpperBound): number | undefined {
    if (offset < this.#logStartOffset || offset > this.logEndOffset) return undefined
    if (offset >= this.#upperBound(upTo)) return 0
    return this.bytesBetween(this.offsetMetadata(offset), this.#upperBoundMetadata(upTo))
  }

  /** Moves the high watermark, up or down, within the log. @returns the new value */
  updateHighWatermark(offset: number | LogOffsetMetadata): number {
    const wanted = typeof offset === 'number' ? offset : offset.offset
    const next = clamp(wanted, this.#logStartOffset, this.logEndOffset)
    if (next === this.#highWatermark) return next
    this.#highWatermark = next
    this.#highWatermarkMetadata = typeof offset === 'number' || next !== wanted ? undefined : offset
    this.#producers.onHighWatermarkUpdated(next)
    return next
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
    if (this.isFailed) return this.#failure(storageError())
    const nowMs = this.#context.clock.wallMs()
    const { config, topicPartition } = this
    const { origin, leaderEpoch } = options
    const checked = checkForLeader(records, { topicPartition, origin, config, leaderEpoch, nowMs })
    if (checked.error !== ErrorCode.NONE) return this.#failure(checked)
    if (checked.records.length > config.segmentBytes) {
      return this.#failure(
        refuse(
          ErrorCode.RECORD_LIST_TOO_LARGE,
          `${checked.records.length} bytes are more than segment.bytes (${config.segmentBytes})`,
        ),
      )
    }
    return this.#guard<AppendAsLeaderResult>(this.#failure(storageError()), () =>
      this.#appendChecked(checked, options, nowMs),
    )
  }

  #appendChecked(
    checked: CheckedBatches,
    options: AppendAsLeaderOptions,
    nowMs: number,
  ): AppendAsLeaderResult {
    const { records } = checked
    const isLogAppendTime = this.config.messageTimestampType === 'LogAppendTime'
    const firstOffset = this.logEndOffset
    const nextOffset = stampBatches(records, {
      baseOffset: firstOffset,
      leaderEpoch: options.leaderEpoch,
      logAppendTimeMs: isLogAppendTime ? nowMs : undefined,
    })
    const maxTimestamp = isLogAppendTime ? nowMs : checked.maxTimestamp
    let update = checkProducers(this.#producerCheck, records, options)
    const isOutOfOrder = 'error' in update && update.error === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    if (isOutOfOrder && recallBatches(this.#producers, this.#local.segments, records))
      update = checkProducers(this.#producerCheck, records, options)
    if ('error' in update) return this.#failure(refuse(update.error, update.message))
    if ('duplicate' in update) return duplicateSuccess(update.duplicate, this.#logStartOffset)
    this.#epochs.assign(options.leaderEpoch, firstOffset)
    this.#append(records, { firstOffset, nextOffset, maxTimestamp, nowMs }, update)
    return {
      error: ErrorCode.NONE,
      firstOffset,
      lastOffset: nextOffset - 1,
      maxTimestamp,
      logAppendTimeMs: isLogAppendTime ? nowMs : -1,
      logStartOffset: this.#logStartOffset,
      isDuplicate: false,
    }
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
    if (this.isFailed) return storageError()
    const checked = checkForFollower(records, { leaderEpoch, checkCrc })
    if (checked === undefined) {
      return { error: ErrorCode.NONE, nextOffset: this.logEndOffset, logStartOffset: this.#logStartOffset }
    }
    if (checked.error !== ErrorCode.NONE) return checked
    const { firstOffset, nextOffset } = checked
    if (firstOffset < this.logEndOffset) {
      return refuse(
        ErrorCode.UNKNOWN_SERVER_ERROR,
        `Offset ${firstOffset} cannot be appended to a log that ends at ${this.logEndOffset}`,
      )
    }
    const nowMs = this.#context.clock.wallMs()
    return this.#guard<AppendAsFollowerResult>(storageError(), () => {
      const update = checkProducers(this.#producerCheck, checked.records, {
        leaderEpoch,
        origin: 'replication',
      })
      if ('error' in update) return { error: update.error, errorMessage: update.message }
      if ('duplicate' in update) return storageError()
      this.#assignEpochs(checked.records)
      this.#append(checked.records, { ...checked, nowMs }, update)
      return { error: ErrorCode.NONE, nextOffset, logStartOffset: this.#logStartOffset }
    })
  }

  #assignEpochs(records: Buffer): void {
    const cursor = new BatchCursor(records)
    while (cursor.next()) {
      const { batch } = cursor
      if (!batch.isLegacy) this.#epochs.assign(batch.partitionLeaderEpoch, batch.baseOffset)
    }
  }

  #append(
    records: Buffer,
    batch: { firstOffset: number; nextOffset: number; maxTimestamp: number; nowMs: number },
    update: ProducerUpdate,
  ): void {
    const { firstOffset, nextOffset } = batch
    this.directory.saveLoweredRecoveryPoints()
    this.#maybeRoll(records.length, batch)
    this.#local.append(records, { firstOffset, nextOffset })
    const { transactionIndex } = this.#local.segments.active
    applyUpdate(this.#producers, update, { transactionIndex, nextOffset })
    this.#context.reactor.flushLater(this)
  }

  #failure(refusal: AppendRefusal): AppendFailure {
    return { ...refusal, logStartOffset: this.#logStartOffset }
  }

  #maybeRoll(
    sizeBytes: number,
    batch: { firstOffset: number; nextOffset: number; maxTimestamp: number; nowMs: number },
  ): void {
    const { segmentBytes, segmentIndexBytes, cleanupPolicy, maxCompactionLagMs } = this.config
    // What is never rolled is never compacted.
    const segmentMs = cleanupPolicy.has('compact')
      ? Math.min(this.config.segmentMs, maxCompactionLagMs)
      : this.config.segmentMs
    const mustRoll = this.#local.segments.active.mustRoll({
      sizeBytes,
      maxTimestamp: batch.maxTimestamp,
      lastOffset: batch.nextOffset - 1,
      nowMs: batch.nowMs,
      segmentBytes,
      segmentMs,
      segmentIndexBytes,
    })
    if (mustRoll) this.#roll(batch.firstOffset)
  }

  /** Begins a new segment at the log's end. */
  roll(): void {
    if (!this.isFailed) this.#guard(undefined, () => this.#roll(this.logEndOffset))
  }

  #roll(baseOffset: number): void {
    this.#local.roll(Math.max(baseOffset, this.logEndOffset))
    this.#writer.write()
    this.#producers.updateMapEndOffset(this.logEndOffset)
    this.#producers.takeSnapshot()
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
  read(request: {
    offset: number
    maxBytes: number
    upTo: ReadUpperBound
    atLeastOneBatch: boolean
  }): LogRead {
    if (this.isFailed) return refusedRead(ErrorCode.KAFKA_STORAGE_ERROR, request.offset)
    const { offset, maxBytes, upTo, atLeastOneBatch } = request
    if (offset < this.#logStartOffset || offset > this.logEndOffset) {
      return refusedRead(ErrorCode.OFFSET_OUT_OF_RANGE, offset)
    }
    const upToOffset = this.#upperBound(upTo)
    return this.#guard<LogRead>(refusedRead(ErrorCode.KAFKA_STORAGE_ERROR, offset), () => {
      const read = this.#local.read({ offset, maxBytes, upToOffset, atLeastOneBatch })
      const abortedTransactions =
        upTo === 'lastStable' ? this.#abortedTransactions(offset, read.nextOffset) : undefined
      return {
        error: ErrorCode.NONE,
        records: read.records,
        nextOffset: read.nextOffset,
        abortedTransactions,
      }
    })
  }

  /** Whether a read from `offset` would give records, were it not for limits. */
  isReadable(offset: number, upTo: ReadUpperBound): boolean {
    return offset < this.#upperBound(upTo)
  }

  #upperBound(upTo: ReadUpperBound): number {
    if (upTo === 'logEnd') return this.logEndOffset
    return upTo === 'highWatermark' ? this.#highWatermark : this.lastStableOffset
  }

  #upperBoundMetadata(upTo: ReadUpperBound): LogOffsetMetadata {
    if (upTo === 'logEnd') return this.logEndOffsetMetadata
    return upTo === 'highWatermark' ? this.highWatermarkMetadata : this.lastStableOffsetMetadata
  }

  #abortedTransactions(offset: number, upToOffset: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = []
    if (upToOffset <= offset) return found
    for (const segment of this.#local.segments.range(offset)) {
      if (segment.transactionIndex.collect(offset, upToOffset, found)) break
    }
    return found
  }

  /**
   * ListOffsets. `upTo` bounds what the caller may see.
   * @returns undefined when no record is at or after the timestamp
   */
  fetchOffsetByTimestamp(timestamp: number, upTo: ReadUpperBound): FoundOffset {
    if (this.isFailed) return { error: ErrorCode.KAFKA_STORAGE_ERROR, found: undefined }
    const failed: FoundOffset = { error: ErrorCode.KAFKA_STORAGE_ERROR, found: undefined }
    return this.#guard(failed, () => ({
      error: ErrorCode.NONE,
      found: lookUpOffset(this.#local, timestamp, {
        logStartOffset: this.#logStartOffset,
        upperBound: this.#upperBound(upTo),
        epochs: this.#epochs,
      }),
    }))
  }

  // --- producers ---

  activeProducers(): ActiveProducer[] {
    return [...this.#producers.producers.values()].map((entry) => ({
      producerId: entry.producerId,
      producerEpoch: entry.producerEpoch,
      lastSequence: lastSequenceOf(entry),
      lastTimestamp: entry.lastTimestamp,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTransactionStartOffset: entry.currentTransactionFirstOffset,
    }))
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

  /**
   * Whether a transactional batch must be verified with its coordinator first (KIP-890).
   * @returns `needed: false` when the transaction is open here already; the guard to show with the append otherwise
   */
  startVerification(request: {
    producerId: number
    sequence: number
    producerEpoch: number
    supportsEpochBump: boolean
  }):
    | { readonly error: 0; readonly guard: VerificationGuard | undefined }
    | { readonly error: Exclude<ErrorCode, 0> } {
    const { producerId, producerEpoch } = request
    if (producerEpochRefusal(this.#producers.entry(producerId), producerEpoch) !== undefined) {
      return { error: ErrorCode.INVALID_PRODUCER_EPOCH }
    }
    // A partition that is added by being produced to must be told to the coordinator even if nothing is verified.
    const isNeeded = this.#producerCheck.isVerificationEnabled || request.supportsEpochBump
    if (!isNeeded || this.hasOngoingTransaction(producerId, producerEpoch)) {
      return { error: ErrorCode.NONE, guard: undefined }
    }
    const nowMs = this.#context.clock.wallMs()
    return { error: ErrorCode.NONE, guard: this.#producers.startVerification({ ...request, nowMs }) }
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
    if (offset >= this.logEndOffset) {
      // A leader that appended nothing leaves its epoch at the end; its successor knows nothing of it and would send us here for ever.
      return this.#guard(false, () => {
        this.#epochs.truncateFromEnd(this.logEndOffset)
        return false
      })
    }
    return this.#guard(false, () => {
      this.#abortCleaning()
      this.#local.writePending()
      if (offset < this.#local.segments.first.baseOffset) {
        this.#truncateFully(offset, offset)
        return true
      }
      const from = this.logEndOffset
      this.#local.truncateTo(offset)
      this.#traceCut(from)
      this.#epochs.truncateFromEnd(this.logEndOffset)
      this.#logStartOffset = Math.min(this.#logStartOffset, this.logEndOffset)
      this.#afterCut()
      this.#rebuildProducers()
      return true
    })
  }

  #traceCut(from: number): void {
    const { trace } = this.#context
    if (!trace.enabled) return
    const { topic, partition } = this.topicPartition
    trace.emit({
      level: 'debug',
      kind: 'log.truncated',
      message: `${this.path} was cut from ${from} to ${this.logEndOffset}.`,
      data: { path: this.path, topic, partition, from, to: this.logEndOffset },
    })
  }

  /** Removes everything; the log goes on at `offset` (a follower whose offset is out of the leader's range). */
  truncateFullyAndStartAt(offset: number, logStartOffset = offset): void {
    if (this.isFailed) return
    this.#guard(undefined, () => {
      this.#abortCleaning()
      this.#truncateFully(offset, logStartOffset)
    })
  }

  #truncateFully(offset: number, logStartOffset: number): void {
    this.#local.truncateFullyAndStartAt(offset)
    this.#epochs.clear()
    this.#logStartOffset = logStartOffset
    this.#producers.truncateFullyAndStartAt(offset)
    this.#highWatermark = clamp(this.#highWatermark, logStartOffset, offset)
    this.#afterCut()
  }

  #afterCut(): void {
    const { logEndOffset } = this
    if (this.#writer.truncatedTo(logEndOffset)) this.directory.noteLoweredRecoveryPoint()
    this.#highWatermark = Math.min(this.#highWatermark, logEndOffset)
    this.forgetPositions()
  }

  /** Positions in files have changed. */
  forgetPositions(): void {
    this.#highWatermarkMetadata = undefined
    this.#lastStableMetadata = undefined
  }

  #rebuildProducers(): void {
    const { logStartOffset, recoveryPoint } = this
    rebuildProducers(
      {
        context: this.#context,
        local: this.#local,
        producers: this.#producers,
        epochs: this.#epochs,
        options: { wasCleanShutdown: true, recoveryPoint, logStartOffset, mayHaveGaps: true },
      },
      { logStartOffset, endOffset: this.logEndOffset },
    )
    this.#producers.onHighWatermarkUpdated(this.#highWatermark)
  }

  #abortCleaning(): void {
    if (this.cleaning !== undefined) this.cleaning.aborted = true
  }

  /**
   * Moves the log start offset up (DeleteRecords, or a follower after its leader). The bytes go with the next retention
   * check. @returns OFFSET_OUT_OF_RANGE above the high watermark
   */
  maybeIncrementLogStartOffset(offset: number, _reason?: string): ErrorCode {
    if (this.isFailed) return ErrorCode.KAFKA_STORAGE_ERROR
    if (offset > this.#highWatermark) return ErrorCode.OFFSET_OUT_OF_RANGE
    if (offset <= this.#logStartOffset) return ErrorCode.NONE
    return this.#guard<ErrorCode>(ErrorCode.KAFKA_STORAGE_ERROR, () => {
      this.#logStartOffset = offset
      this.#epochs.truncateFromStart(offset)
      this.#producers.onLogStartOffsetIncremented(offset)
      this.onStartOffsetMoved?.()
      return ErrorCode.NONE
    })
  }

  /** Retention by time, size and log start offset. @returns the number of segments removed */
  deleteOldSegments(): number {
    // The cleaner works on the same segments; what it leaves is looked at next time.
    if (this.isFailed || this.cleaning !== undefined) return 0
    return this.#guard<number>(0, () => {
      const deletable = deletableSegments(this.#local, {
        highWatermark: this.#highWatermark,
        logStartOffset: this.#logStartOffset,
        nowMs: this.#context.clock.wallMs(),
        modifiedMs: (segment) =>
          this.#context.files.stat(segment.logFile.path)?.modifiedMs ?? segment.createdMs,
      })
      if (deletable.length === 0) return 0
      if (deletable.length === this.#local.segments.count) this.#roll(this.logEndOffset)
      const endOffset = (deletable.at(-1) as Segment).baseOffset
      const first = this.#local.segments.all.find((segment) => segment.baseOffset > endOffset) as Segment
      this.maybeIncrementLogStartOffset(first.baseOffset)
      this.removeSegments(deletable)
      return deletable.length
    })
  }

  /** Takes segments, and the snapshots at their bases, out of the log. */
  removeSegments(segments: readonly Segment[], options: { keepSnapshots?: boolean } = {}): void {
    const snapshots: string[] = []
    if (options.keepSnapshots !== true) {
      for (const { baseOffset } of segments) {
        const path = this.#producers.markSnapshotForDeletion(baseOffset)
        if (path !== undefined) snapshots.push(path)
      }
    }
    this.#local.deleteSegments(segments, snapshots)
    this.forgetPositions()
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
    return this.#guard<ErrorCode>(ErrorCode.KAFKA_STORAGE_ERROR, () => {
      this.#writer.syncTo(offset)
      return ErrorCode.NONE
    })
  }

  /** Starts making everything written so far durable; the recovery point follows when it is done. */
  syncInBackground(): void {
    if (!this.isFailed) this.#guard(undefined, () => this.#writer.syncInBackground())
  }

  get unsyncedMs(): number {
    return this.#writer.unsyncedMs
  }

  /** Writes and syncs everything and leaves the files as Kafka leaves them. The log is not to be used any more. */
  close(): void {
    if (this.#isClosed) return
    this.#abortCleaning()
    if (!this.isFailed) {
      this.#guard(undefined, () => {
        this.#writer.write()
        this.#producers.takeSnapshot()
        for (const segment of this.#local.segments.all) segment.close()
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
    for (const segment of this.#local.segments.all) segment.saveIndexesTo(copy)
    this.#producers.saveSnapshotTo(copy, this.#context.clock.wallMs())
  }

  /** Lets go of files without writing anything: the directory failed, or a killed broker is simulated. */
  abandon(): void {
    if (!this.#isClosed) this.#end()
  }

  #end(): void {
    for (const segment of this.#local.segments.all) segment.abandon()
    this.#isClosed = true
    this.#local.tail.clear()
    this.flush()
  }

  /** Moves the log to another name in its directory and ends it; the manager removes the directory later. */
  renameForDelete(path: string): ErrorCode {
    this.#abortCleaning()
    const error = this.isFailed
      ? ErrorCode.KAFKA_STORAGE_ERROR
      : this.#guard<ErrorCode>(ErrorCode.KAFKA_STORAGE_ERROR, () => {
          for (const segment of this.#local.segments.all) segment.abandon()
          this.#context.files.rename(this.path, path)
          return ErrorCode.NONE
        })
    this.#end()
    return error
  }

  #guard<T>(failed: T, operation: () => T): T {
    try {
      return operation()
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      this.directory.fail(error)
      return failed
    }
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(value, high))
}

function storageError(): AppendRefusal {
  return refuse(ErrorCode.KAFKA_STORAGE_ERROR, 'The log directory is offline')
}

function refusedRead(error: ErrorCode, offset: number): LogRead {
  return { error, records: EMPTY, nextOffset: offset, abortedTransactions: undefined }
}
