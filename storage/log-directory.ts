/**
 * One directory of `log.dirs`: its identity, its lock and its four checkpoint files. Owned by the log manager. Goes offline
 * at the first failed operation and stays so while the process lives, as in Kafka.
 */
import { FileError } from '../common/runtime/files.ts'
import {
  CLEANER_OFFSET_CHECKPOINT,
  HIGH_WATERMARK_CHECKPOINT,
  LOG_START_OFFSET_CHECKPOINT,
  type OffsetEntry,
  RECOVERY_POINT_CHECKPOINT,
  readOffsetCheckpoint,
  writeOffsetCheckpoint,
} from './checkpoints.ts'
import { topicPartitionName } from './file-names.ts'
import {
  META_PROPERTIES_FILE,
  META_PROPERTIES_VERSION,
  readCleanShutdown,
  readMetaProperties,
  removeCleanShutdown,
  writeMetaProperties,
} from './meta-properties.ts'
import type { LogDirectoryState, StorageContext } from './storage-context.ts'

const LOCK_FILE = '.lock'

export interface DirectoryIdentity {
  readonly clusterId: string
  readonly nodeId: number
}

export interface LogDirectoryEvents {
  readonly onFailure: (directory: LogDirectory, error: FileError) => void
  readonly writeRecoveryPoints: () => void
}

/** A directory that must not be used as it is: somebody has to change the start, or the directory. */
export class DirectoryRefusal extends Error {
  override readonly name = 'DirectoryRefusal'
  readonly reason: 'in-use' | 'foreign' | 'newer'

  constructor(reason: DirectoryRefusal['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}

export class LogDirectory implements LogDirectoryState {
  readonly path: string
  /** `directory.id` of KIP-858; made up when the directory is formatted. */
  directoryId = ''
  /** The broker epoch of the last clean shutdown; undefined after an unclean one. */
  cleanShutdownBrokerEpoch: number | undefined
  failure: FileError | undefined
  readonly recoveryPoints: Map<string, number> = new Map()
  readonly highWatermarks: Map<string, number> = new Map()
  readonly logStartOffsets: Map<string, number> = new Map()
  readonly cleanerOffsets: Map<string, number> = new Map()
  readonly #context: StorageContext
  readonly #events: LogDirectoryEvents
  #isRecoveryPointLowered = false
  #unlock: (() => void) | undefined
  /** What the checkpoint files of the last life say, by log name, until they are written. */
  readonly #found = new Map<string, ReadonlyMap<string, number>>()
  readonly #lastWritten = new Map<string, readonly OffsetEntry[]>()

  constructor(context: StorageContext, path: string, events: LogDirectoryEvents) {
    this.#context = context
    this.path = path
    this.#events = events
  }

  get isOnline(): boolean {
    return this.failure === undefined
  }

  get wasCleanShutdown(): boolean {
    return this.cleanShutdownBrokerEpoch !== undefined
  }

  noteLoweredRecoveryPoint(): void {
    this.#isRecoveryPointLowered = true
  }

  saveLoweredRecoveryPoints(): void {
    if (!this.#isRecoveryPointLowered) return
    this.#isRecoveryPointLowered = false
    this.#events.writeRecoveryPoints()
  }

  fail(error: FileError): void {
    if (this.failure !== undefined) return
    this.failure = error
    this.#context.trace.emit({
      level: 'error',
      kind: 'log-directory.failed',
      message: `Log directory ${this.path} is offline: ${error.message}`,
      error,
    })
    this.#events.onFailure(this, error)
  }

  /** Runs an operation; a failure takes the directory offline. */
  guard<T>(failed: T, operation: () => T): T {
    if (!this.isOnline) return failed
    try {
      return operation()
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      this.fail(error)
      return failed
    }
  }

  /**
   * Locks the directory, formats it when it is new, and reads what it says of its logs.
   * @throws DirectoryRefusal when it belongs to another cluster or node, is of a newer version, or another process has it: a configuration mistake
   */
  open(identity: DirectoryIdentity): void {
    const { files, random } = this.#context
    files.makeDirectory(this.path)
    this.#unlock = files.lock(`${this.path}/${LOCK_FILE}`)
    if (this.#unlock === undefined) {
      throw new DirectoryRefusal('in-use', `Log directory ${this.path} is used by another process.`)
    }
    const known = readMetaProperties(files, this.path)
    if (known !== undefined && known.version > META_PROPERTIES_VERSION) {
      this.unlock()
      throw new DirectoryRefusal(
        'newer',
        `Log directory ${this.path} was written by a newer version: its ${META_PROPERTIES_FILE} has version ${known.version}, known is ${META_PROPERTIES_VERSION}.`,
      )
    }
    const stranger =
      known?.clusterId !== undefined && known.clusterId !== identity.clusterId
        ? `cluster ${known.clusterId}, not ${identity.clusterId}`
        : known?.nodeId !== undefined && known.nodeId !== identity.nodeId
          ? `node ${known.nodeId}, not ${identity.nodeId}`
          : undefined
    if (stranger !== undefined) {
      this.unlock()
      throw new DirectoryRefusal('foreign', `Log directory ${this.path} belongs to ${stranger}.`)
    }
    this.directoryId = known?.directoryId ?? random.uuid()
    if (known?.directoryId === undefined) {
      writeMetaProperties(files, this.path, { ...identity, directoryId: this.directoryId })
    }
    this.cleanShutdownBrokerEpoch = readCleanShutdown(files, this.path)
    this.#read(RECOVERY_POINT_CHECKPOINT, this.recoveryPoints)
    this.#read(HIGH_WATERMARK_CHECKPOINT, this.highWatermarks)
    this.#read(LOG_START_OFFSET_CHECKPOINT, this.logStartOffsets)
    this.#read(CLEANER_OFFSET_CHECKPOINT, this.cleanerOffsets)
  }

  /** From now on the directory is in use: an end without `close` is an unclean one. */
  markInUse(): void {
    if (!this.wasCleanShutdown) return
    removeCleanShutdown(this.#context.files, this.path)
    // Were the file back after a power cut, nothing would be recovered.
    this.#context.files.syncDirectory(this.path)
  }

  writeRecoveryPoints(entries: readonly OffsetEntry[]): void {
    this.#write(RECOVERY_POINT_CHECKPOINT, entries)
  }

  writeHighWatermarks(entries: readonly OffsetEntry[]): void {
    this.#write(HIGH_WATERMARK_CHECKPOINT, entries)
  }

  writeLogStartOffsets(entries: readonly OffsetEntry[]): void {
    this.#write(LOG_START_OFFSET_CHECKPOINT, entries)
  }

  writeCleanerOffsets(entries: readonly OffsetEntry[]): void {
    this.#write(CLEANER_OFFSET_CHECKPOINT, entries)
  }

  unlock(): void {
    const unlock = this.#unlock
    this.#unlock = undefined
    try {
      unlock?.()
    } catch (error) {
      // The lock file stays behind; it holds nobody back once this process is gone.
      if (!(error instanceof FileError)) throw error
    }
  }

  #read(name: string, into: Map<string, number>): void {
    const offsets = readOffsetCheckpoint(this.#context.files, `${this.path}/${name}`)
    for (const [key, offset] of offsets ?? []) into.set(key, offset)
    if (offsets !== undefined) this.#found.set(name, offsets)
  }

  /** Idle logs change nothing, and then nothing is written. */
  #write(name: string, entries: readonly OffsetEntry[]): void {
    if (areSame(entries, this.#lastWritten.get(name)) || sayTheSame(entries, this.#found.get(name))) return
    this.guard(undefined, () => {
      this.#found.delete(name)
      writeOffsetCheckpoint(this.#context.files, `${this.path}/${name}`, entries)
      this.#lastWritten.set(name, entries)
    })
  }
}

/** Logs are asked in the same order each time, so ten thousand idle ones cost ten thousand comparisons. */
function areSame(entries: readonly OffsetEntry[], last: readonly OffsetEntry[] | undefined): boolean {
  if (entries.length !== last?.length) return false
  return entries.every(
    ({ topicPartition, offset }, slot) =>
      offset === last[slot]?.offset && topicPartition === last[slot]?.topicPartition,
  )
}

/** The same offsets in whatever order a file had them. */
function sayTheSame(
  entries: readonly OffsetEntry[],
  found: ReadonlyMap<string, number> | undefined,
): boolean {
  if (entries.length !== found?.size) return false
  return entries.every(
    ({ topicPartition, offset }) => found.get(topicPartitionName(topicPartition)) === offset,
  )
}
