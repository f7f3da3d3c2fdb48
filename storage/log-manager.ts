/**
 * All logs of one broker: opens its log directories, makes and deletes logs, and runs what happens to logs by the clock:
 * checkpoints, syncs, retention, compaction, expiry of producers.
 *
 * Owner: the broker. A directory that fails goes offline with its logs; the others and the process go on
 * (`onDirectoryFailure`). Logs are found by `topic-partition`; a log lies wholly in one directory.
 */
import { ErrorCode } from '../common/protocol/errors.ts'
import type { FileError, FileSystem } from '../common/runtime/files.ts'
import type { SchedulerScope } from '../common/runtime/scheduler.ts'
import type { OffsetEntry } from './checkpoints.ts'
import {
  CLUSTER_METADATA_TOPIC,
  isMarkedForDeletion,
  markedDirectoryName,
  parseLogDirectoryName,
  type TopicPartition,
  topicPartitionName,
} from './file-names.ts'
import { Log } from './log.ts'
import { LogCleaner, type LogCleanerOptions } from './log-cleaner.ts'
import type { LogConfig } from './log-config.ts'
import { LogDirectory } from './log-directory.ts'
import { writeCleanShutdown } from './meta-properties.ts'
import {
  PARTITION_METADATA_FILE,
  readPartitionMetadata,
  writePartitionMetadata,
} from './partition-metadata.ts'
import type { StorageContext } from './storage-context.ts'

export interface LogManagerOptions {
  /** `scheduler` may be the broker's scope: its timers go with it. */
  readonly context: StorageContext
  readonly clusterId: string
  readonly nodeId: number
  /** `log.dirs`, at least one. */
  readonly logDirectories: readonly string[]
  /** Settings for a log that is found on disk, until `updateConfig` says better. */
  readonly configOf: (topicPartition: TopicPartition) => LogConfig
  readonly onDirectoryFailure?: (directory: LogDirectory, error: FileError) => void
  readonly settings?: Partial<LogManagerSettings>
  readonly cleaner?: Omit<LogCleanerOptions, 'logs' | 'checkpoints' | 'onCleaned'>
}

export interface LogManagerSettings {
  /** `log.flush.offset.checkpoint.interval.ms` */
  readonly recoveryPointCheckpointMs: number
  /** `log.flush.start.offset.checkpoint.interval.ms` */
  readonly logStartOffsetCheckpointMs: number
  /** `replica.high.watermark.checkpoint.interval.ms` */
  readonly highWatermarkCheckpointMs: number
  /** `log.flush.scheduler.interval.ms`; undefined for never, which is Kafka's default. */
  readonly flushCheckMs: number | undefined
  /** `log.retention.check.interval.ms` */
  readonly retentionCheckMs: number
  /** `producer.id.expiration.ms` */
  readonly producerIdExpirationMs: number
  /** `producer.id.expiration.check.interval.ms` */
  readonly producerIdExpirationCheckMs: number
  /** `transaction.partition.verification.enable` */
  readonly isVerificationEnabled: boolean
}

export const DEFAULT_LOG_MANAGER_SETTINGS: LogManagerSettings = {
  recoveryPointCheckpointMs: 60_000,
  logStartOffsetCheckpointMs: 60_000,
  highWatermarkCheckpointMs: 5_000,
  flushCheckMs: undefined,
  retentionCheckMs: 300_000,
  producerIdExpirationMs: 86_400_000,
  producerIdExpirationCheckMs: 600_000,
  isVerificationEnabled: true,
}

/** Kafka waits this long before the first retention check. */
const INITIAL_TASK_DELAY_MS = 30_000

export interface LogDirectoryDescription {
  readonly path: string
  readonly directoryId: string
  readonly isOnline: boolean
  readonly logs: readonly Log[]
  readonly totalBytes: number
  readonly usableBytes: number
}

export class LogManager {
  readonly cleaner: LogCleaner
  readonly #options: LogManagerOptions
  readonly #settings: LogManagerSettings
  readonly #context: StorageContext
  readonly #timers: SchedulerScope
  readonly #directories: LogDirectory[]
  readonly #logs = new Map<string, Log>()
  #isOpen = false

  constructor(options: LogManagerOptions) {
    this.#options = options
    this.#settings = { ...DEFAULT_LOG_MANAGER_SETTINGS, ...options.settings }
    this.#timers = options.context.scheduler.scope(`logs of node ${options.nodeId}`)
    this.#context = { ...options.context, scheduler: this.#timers }
    this.#directories = options.logDirectories.map(
      (path) =>
        new LogDirectory(this.#context, path, {
          onFailure: (directory, error) => this.#onFailure(directory, error),
          writeRecoveryPoints: () => this.checkpointRecoveryPoints(),
        }),
    )
    this.cleaner = new LogCleaner(this.#context, {
      logs: () => this.#logs.values(),
      checkpoints: (log) => (log.directory as LogDirectory).cleanerOffsets,
      onCleaned: (log) => this.#writeCleanerOffsets(log.directory as LogDirectory),
      ...options.cleaner,
    })
  }

  /**
   * Opens every directory and loads all logs in it.
   * @throws DirectoryRefusal when a directory belongs to somebody else, is of a newer version or locked; a failing disk only takes its directory offline
   */
  open(): void {
    this.openDirectories()
    this.loadLogs()
  }

  /**
   * The first half of `open`: identity and locks, and the log of the cluster metadata where there is one.
   * @throws DirectoryRefusal and then holds none of them
   */
  openDirectories(): void {
    const { clusterId, nodeId } = this.#options
    this.#isOpen = true
    try {
      for (const directory of this.#directories) {
        directory.guard(undefined, () => {
          directory.open({ clusterId, nodeId })
          this.#loadLogs(directory, ({ topic }) => topic === CLUSTER_METADATA_TOPIC)
        })
      }
    } catch (error) {
      // One that is refused must not keep the locks of those before it.
      this.kill()
      throw error
    }
  }

  /**
   * The second half: loads everything else. By then `configOf` should know what the metadata says of the topics, since recovery
   * takes a gap in the log of a topic that is not compacted for a loss.
   */
  loadLogs(): void {
    for (const directory of this.#directories) {
      directory.guard(undefined, () => {
        this.#loadLogs(directory, ({ topic }) => topic !== CLUSTER_METADATA_TOPIC)
        directory.markInUse()
      })
    }
    this.#scheduleTasks()
  }

  get directories(): readonly LogDirectory[] {
    return this.#directories
  }

  /** Directories that have not failed. */
  get liveDirectories(): readonly LogDirectory[] {
    return this.#directories.filter((directory) => directory.isOnline)
  }

  logs(): IterableIterator<Log> {
    return this.#logs.values()
  }

  get(topicPartition: TopicPartition): Log | undefined {
    return this.#logs.get(topicPartitionName(topicPartition))
  }

  /**
   * The partition's log, made when there is none. A log of another topic id is a leftover of a deleted topic and is put
   * aside first.
   * @returns undefined when no directory is online, or the one the log lies in is not
   */
  getOrCreate(
    topicPartition: TopicPartition,
    options: { topicId: string; config?: LogConfig; directoryId?: string },
  ): Log | undefined {
    const existing = this.get(topicPartition)
    if (existing !== undefined) {
      if (existing.isFailed) return undefined
      if (existing.topicId === undefined || existing.topicId === options.topicId) {
        if (existing.assignTopicId(options.topicId) !== ErrorCode.NONE) return undefined
        if (options.config !== undefined) existing.updateConfig(options.config)
        return existing
      }
      this.#putAside(existing, 'stray')
    }
    const directory = this.#directoryForNewLog(options.directoryId)
    return directory?.guard<Log | undefined>(undefined, () =>
      this.#create(directory, topicPartition, options),
    )
  }

  #create(
    directory: LogDirectory,
    topicPartition: TopicPartition,
    options: { topicId: string; config?: LogConfig },
  ): Log {
    const name = topicPartitionName(topicPartition)
    const path = `${directory.path}/${name}`
    this.#context.files.makeDirectory(path)
    writePartitionMetadata(this.#context.files, path, options.topicId)
    const log = new Log({
      context: this.#context,
      directory,
      path,
      topicPartition,
      topicId: options.topicId,
      config: options.config ?? this.#options.configOf(topicPartition),
      producerIdExpirationMs: this.#settings.producerIdExpirationMs,
      isVerificationEnabled: this.#settings.isVerificationEnabled,
      wasCleanShutdown: true,
      recoveryPoint: 0,
      logStartOffset: 0,
      highWatermark: 0,
      wasCompacted: false,
      fileNames: [],
    })
    this.#logs.set(name, log)
    return log
  }

  /** The one asked for, or the one with the fewest logs, as in Kafka. */
  #directoryForNewLog(directoryId: string | undefined): LogDirectory | undefined {
    const live = this.liveDirectories
    const wanted = live.find((directory) => directory.directoryId === directoryId)
    if (wanted !== undefined || live.length <= 1) return wanted ?? live[0]
    const counts = new Map<unknown, number>()
    for (const { directory } of this.#logs.values()) counts.set(directory, (counts.get(directory) ?? 0) + 1)
    return live.reduce((best, candidate) =>
      (counts.get(candidate) ?? 0) < (counts.get(best) ?? 0) ? candidate : best,
    )
  }

  /** Deletes a log: it is gone at once, its files after `file.delete.delay.ms`. */
  delete(topicPartition: TopicPartition): ErrorCode {
    const log = this.get(topicPartition)
    if (log === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    const { fileDeleteDelayMs } = log.config
    const path = this.#putAside(log, 'delete')
    if (path === undefined) return ErrorCode.KAFKA_STORAGE_ERROR
    this.#removeDirectoryLater(log.directory as LogDirectory, path, fileDeleteDelayMs)
    return ErrorCode.NONE
  }

  /** Renames the logs that this broker has and the metadata does not give it (they are kept for a person to look at). */
  putAsideStrays(isStray: (log: Log) => boolean): Log[] {
    const strays = [...this.#logs.values()].filter(isStray)
    for (const log of strays) this.#putAside(log, 'stray')
    return strays
  }

  #putAside(log: Log, mark: 'delete' | 'stray'): string | undefined {
    const { topicPartition } = log
    const directory = log.directory as LogDirectory
    const name = topicPartitionName(topicPartition)
    const unique = Buffer.from(this.#context.random.bytes(16)).toString('hex')
    const path = `${directory.path}/${markedDirectoryName(topicPartition, unique, mark)}`
    this.#logs.delete(name)
    for (const map of [
      directory.recoveryPoints,
      directory.highWatermarks,
      directory.logStartOffsets,
      directory.cleanerOffsets,
    ]) {
      map.delete(name)
    }
    const error = log.renameForDelete(path)
    return error === ErrorCode.NONE ? path : undefined
  }

  #removeDirectoryLater(directory: LogDirectory, path: string, delayMs: number): void {
    this.#timers.schedule(`remove ${path}`, delayMs, () => {
      directory.guard(undefined, () => this.#context.files.removeDirectory(path))
    })
  }

  /** DescribeLogDirs. */
  describe(): LogDirectoryDescription[] {
    return this.#directories.map((directory) => {
      const logs = [...this.#logs.values()].filter((log) => log.directory === directory)
      const unknown = { totalBytes: -1, usableBytes: -1 }
      const volume = directory.guard(unknown, () => this.#context.files.volume(directory.path))
      const { path, directoryId, isOnline } = directory
      return { path, directoryId, isOnline, logs, ...volume }
    })
  }

  // --- end ---

  /** Closes everything and marks the directories as cleanly shut down. */
  close(options: { brokerEpoch: number } = { brokerEpoch: -1 }): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.cleaner.stop()
    for (const log of this.#logs.values()) log.close()
    this.checkpointAll()
    for (const directory of this.#directories) {
      directory.guard(undefined, () => {
        writeCleanShutdown(this.#context.files, directory.path, options.brokerEpoch)
      })
      directory.unlock()
    }
    this.#end()
  }

  /** Makes a copy of the disk, taken between two turns, one that `close` has left. */
  saveTo(copy: FileSystem, options: { brokerEpoch: number }): void {
    for (const log of this.#logs.values()) log.saveTo(copy)
    for (const { path } of this.#directories) writeCleanShutdown(copy, path, options.brokerEpoch)
  }

  /** Ends as a killed process does: nothing more is written. */
  kill(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.cleaner.stop()
    for (const log of this.#logs.values()) log.abandon()
    for (const directory of this.#directories) directory.unlock()
    this.#end()
  }

  #end(): void {
    this.#logs.clear()
    this.#timers.close()
  }

  // --- by the clock ---

  #scheduleTasks(): void {
    const settings = this.#settings
    const { nodeId } = this.#options
    this.#every('log recovery point checkpoint', settings.recoveryPointCheckpointMs, () =>
      this.checkpointRecoveryPoints(),
    )
    this.#every('log start offset checkpoint', settings.logStartOffsetCheckpointMs, () =>
      this.checkpointLogStartOffsets(),
    )
    this.#every('high watermark checkpoint', settings.highWatermarkCheckpointMs, () =>
      this.checkpointHighWatermarks(),
    )
    this.#every(
      'log retention check',
      settings.retentionCheckMs,
      () => this.deleteOldSegments(),
      INITIAL_TASK_DELAY_MS,
    )
    this.#every('producer id expiry', settings.producerIdExpirationCheckMs, () => {
      for (const log of this.#logs.values()) log.removeExpiredProducers()
    })
    if (settings.flushCheckMs !== undefined)
      this.#every('log flush check', settings.flushCheckMs, () => this.syncDue())
    this.cleaner.start(`log cleaner of node ${nodeId}`)
  }

  #every(label: string, intervalMs: number, task: () => void, firstDelayMs = intervalMs): void {
    this.#timers.schedule(label, Math.min(firstDelayMs, intervalMs), () => {
      task()
      this.#every(label, intervalMs, task)
    })
  }

  /** `flush.ms`: syncs the logs that have waited long enough. */
  syncDue(): void {
    for (const log of this.#logs.values()) {
      if (log.unsyncedMs >= log.config.flushMs) log.syncInBackground()
    }
  }

  /** @returns the number of segments removed. The cleaner takes care of compacted topics, also of those with `delete`. */
  deleteOldSegments(): number {
    let removed = 0
    for (const log of this.#logs.values()) removed += log.deleteOldSegments()
    return removed
  }

  checkpointAll(): void {
    this.checkpointRecoveryPoints()
    this.checkpointHighWatermarks()
    this.checkpointLogStartOffsets()
  }

  checkpointRecoveryPoints(): void {
    this.#checkpoint(
      (log) => log.recoveryPoint,
      (directory, entries) => directory.writeRecoveryPoints(entries),
    )
  }

  checkpointHighWatermarks(): void {
    this.#checkpoint(
      (log) => log.highWatermark,
      (directory, entries) => directory.writeHighWatermarks(entries),
    )
  }

  /** Only those that lie beyond the first segment: the others follow from the files. */
  checkpointLogStartOffsets(): void {
    this.#checkpoint(
      (log) => {
        const first = log.segments[0]
        return first !== undefined && log.logStartOffset > first.baseOffset ? log.logStartOffset : undefined
      },
      (directory, entries) => directory.writeLogStartOffsets(entries),
    )
  }

  #checkpoint(
    offsetOf: (log: Log) => number | undefined,
    write: (directory: LogDirectory, entries: OffsetEntry[]) => void,
  ): void {
    const entries = new Map<LogDirectory, OffsetEntry[]>()
    for (const directory of this.liveDirectories) entries.set(directory, [])
    for (const log of this.#logs.values()) {
      // As in Kafka, the metadata log is not in these files: raft knows its own offsets, and checks all of it at a start.
      if (log.topicPartition.topic === CLUSTER_METADATA_TOPIC) continue
      const offset = offsetOf(log)
      if (offset === undefined) continue
      entries.get(log.directory as LogDirectory)?.push({ topicPartition: log.topicPartition, offset })
    }
    for (const [directory, offsets] of entries) write(directory, offsets)
  }

  #writeCleanerOffsets(directory: LogDirectory): void {
    const entries: OffsetEntry[] = []
    for (const [name, offset] of directory.cleanerOffsets) {
      const topicPartition = parseLogDirectoryName(name)
      if (topicPartition !== undefined) entries.push({ topicPartition, offset })
    }
    directory.writeCleanerOffsets(entries)
  }

  // --- loading ---

  #loadLogs(directory: LogDirectory, isWanted: (topicPartition: TopicPartition) => boolean): void {
    const { files } = this.#context
    for (const name of files.list(directory.path)) {
      const path = `${directory.path}/${name}`
      if (isMarkedForDeletion(name)) {
        if (this.#isOpen) this.#removeDirectoryLater(directory, path, 0)
        continue
      }
      const topicPartition = parseLogDirectoryName(name)
      if (topicPartition === undefined || !isWanted(topicPartition)) continue
      if (files.stat(path)?.isDirectory !== true) continue
      this.#load(directory, path, topicPartition)
    }
  }

  #load(directory: LogDirectory, path: string, topicPartition: TopicPartition): void {
    const { files } = this.#context
    const name = topicPartitionName(topicPartition)
    if (this.#logs.has(name)) {
      this.#context.trace.emit({
        level: 'error',
        kind: 'log.duplicate',
        message: `${name} lies in two log directories; the one in ${directory.path} is left alone.`,
      })
      return
    }
    const fileNames = files.list(path)
    const hasMetadata = fileNames.includes(PARTITION_METADATA_FILE)
    const log = new Log({
      context: this.#context,
      directory,
      path,
      topicPartition,
      topicId: hasMetadata ? readPartitionMetadata(files, path) : undefined,
      config: this.#options.configOf(topicPartition),
      producerIdExpirationMs: this.#settings.producerIdExpirationMs,
      isVerificationEnabled: this.#settings.isVerificationEnabled,
      wasCleanShutdown: directory.wasCleanShutdown,
      recoveryPoint: directory.recoveryPoints.get(name) ?? 0,
      logStartOffset: directory.logStartOffsets.get(name) ?? 0,
      highWatermark: directory.highWatermarks.get(name) ?? 0,
      wasCompacted: directory.cleanerOffsets.has(name),
      fileNames,
    })
    this.#logs.set(name, log)
  }

  #onFailure(directory: LogDirectory, error: FileError): void {
    // What waits for these logs hears of the failure when they are flushed, still in this turn.
    for (const log of this.#logs.values()) {
      if (log.directory === directory) this.#context.reactor.flushLater(log)
    }
    this.#options.onDirectoryFailure?.(directory, error)
  }
}
