/**
 * Chooses which compacted log to clean next and cleans it in slices, one log at a time, so that a turn is never held up.
 *
 * Owner: the log manager. The dirtiest log above `min.cleanable.dirty.ratio` comes first, or one whose oldest dirty record
 * has reached `max.compaction.lag.ms`. Where each log is clean up to is kept in `cleaner-offset-checkpoint`.
 */
import { FileError } from '../common/runtime/files.ts'
import type { Timer } from '../common/runtime/scheduler.ts'
import { type CleanRange, cleanLog } from './clean.ts'
import { topicPartitionName } from './file-names.ts'
import type { Log } from './log.ts'
import { UNLIMITED } from './log-config.ts'
import { SegmentScan } from './segment-scan.ts'
import type { StorageContext } from './storage-context.ts'

export interface LogCleanerOptions {
  readonly logs: () => Iterable<Log>
  /** The offsets of the log's directory, by `topic-partition`. */
  readonly checkpoints: (log: Log) => Map<string, number>
  readonly onCleaned: (log: Log) => void
  /** `log.cleaner.enable` */
  readonly isEnabled?: boolean
  /** `log.cleaner.backoff.ms` */
  readonly backoffMs?: number
  /** `log.cleaner.dedupe.buffer.size` */
  readonly dedupeBufferBytes?: number
  /** `log.cleaner.io.buffer.load.factor` */
  readonly loadFactor?: number
  /** Time of one slice; what is left goes on in another turn. */
  readonly sliceMs?: number
}

/** Kafka's map spends 24 bytes a key. */
const BYTES_PER_KEY = 24
const DEFAULT_BACKOFF_MS = 15_000
const DEFAULT_DEDUPE_BUFFER_BYTES = 134_217_728
const DEFAULT_LOAD_FACTOR = 0.9
const DEFAULT_SLICE_MS = 10
/** The clock is looked at after so many steps. */
const STEPS_PER_LOOK = 16

interface Candidate extends CleanRange {
  readonly log: Log
  readonly dirtyRatio: number
}

interface Work {
  readonly log: Log
  readonly steps: Generator<void, number>
  readonly cleaning: { aborted: boolean }
}

export class LogCleaner {
  readonly #context: StorageContext
  readonly #options: LogCleanerOptions
  #timer: Timer | undefined
  #work: Work | undefined
  #label = 'log cleaner'
  /** Logs that could not be cleaned; not tried again while the process lives, as in Kafka. */
  readonly #uncleanable = new WeakSet<Log>()

  constructor(context: StorageContext, options: LogCleanerOptions) {
    this.#context = context
    this.#options = options
  }

  start(label: string): void {
    this.#label = label
    if (this.#options.isEnabled ?? true) this.#next(this.#options.backoffMs ?? DEFAULT_BACKOFF_MS)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#drop()
  }

  #next(delayMs: number): void {
    this.#timer = this.#context.scheduler.schedule(this.#label, delayMs, () => {
      const isBusy = this.runSlice()
      this.#next(isBusy ? 0 : (this.#options.backoffMs ?? DEFAULT_BACKOFF_MS))
    })
  }

  /** Works for one slice. @returns whether there is more to do at once */
  runSlice(): boolean {
    this.#work ??= this.#begin()
    const work = this.#work
    if (work === undefined) return false
    const deadlineMs = this.#context.clock.monotonicMs() + (this.#options.sliceMs ?? DEFAULT_SLICE_MS)
    try {
      for (let count = 1; !work.cleaning.aborted && !work.log.isFailed; count++) {
        const step = work.steps.next()
        if (step.done) {
          this.#finish(work, step.value)
          return true
        }
        if (count % STEPS_PER_LOOK === 0 && this.#context.clock.monotonicMs() >= deadlineMs) return true
      }
    } catch (error) {
      this.#failed(work.log, error)
    }
    this.#drop()
    return true
  }

  /** Cleans until nothing is dirty enough. For tests and tools. @returns the number of cleans */
  runUntilClean(): number {
    let cleans = 0
    while (this.runSlice()) if (this.#work === undefined) cleans++
    return cleans
  }

  #begin(): Work | undefined {
    let best: Candidate | undefined
    for (const log of this.#options.logs()) {
      const candidate = this.#candidate(log)
      if (candidate !== undefined && (best === undefined || candidate.dirtyRatio > best.dirtyRatio))
        best = candidate
    }
    if (best === undefined) return undefined
    const { log } = best
    const bufferBytes = this.#options.dedupeBufferBytes ?? DEFAULT_DEDUPE_BUFFER_BYTES
    const loadFactor = this.#options.loadFactor ?? DEFAULT_LOAD_FACTOR
    const maxKeys = Math.max(1, Math.floor((bufferBytes / BYTES_PER_KEY) * loadFactor))
    const cleaning = { aborted: false }
    log.cleaning = cleaning
    return { log, cleaning, steps: cleanLog(this.#context, log, best, { maxKeys, maxKeyBytes: bufferBytes }) }
  }

  #finish({ log }: Work, cleanOffset: number): void {
    this.#work = undefined
    log.cleaning = undefined
    this.#options.checkpoints(log).set(topicPartitionName(log.topicPartition), cleanOffset)
    this.#options.onCleaned(log)
  }

  #drop(): void {
    const work = this.#work
    if (work === undefined) return
    this.#work = undefined
    work.log.cleaning = undefined
    // Lets the clean close what it has open.
    try {
      work.steps.return(0)
    } catch (error) {
      this.#failed(work.log, error)
    }
  }

  #failed(log: Log, error: unknown): void {
    if (error instanceof FileError) {
      log.directory.fail(error)
      return
    }
    this.#uncleanable.add(log)
    this.#context.trace.emit({
      level: 'error',
      kind: 'log-cleaner.failed',
      message: `Cleaning ${topicPartitionName(log.topicPartition)} failed; it is left as it is.`,
      error,
    })
  }

  /** What of a log could be cleaned now, when it is worth it. */
  #candidate(log: Log): Candidate | undefined {
    if (log.isFailed || !log.config.cleanupPolicy.has('compact') || this.#uncleanable.has(log))
      return undefined
    const range = this.#cleanable(log)
    const { firstDirtyOffset, firstUncleanableOffset } = range
    if (firstUncleanableOffset <= firstDirtyOffset) return undefined
    let cleanBytes = 0
    let dirtyBytes = 0
    for (const segment of log.segments) {
      if (segment.baseOffset >= firstUncleanableOffset) break
      if (segment.baseOffset < firstDirtyOffset) cleanBytes += segment.sizeBytes
      else dirtyBytes += segment.sizeBytes
    }
    if (dirtyBytes === 0) return undefined
    const dirtyRatio = dirtyBytes / (cleanBytes + dirtyBytes)
    const isWorthIt = dirtyRatio > log.config.minCleanableDirtyRatio || this.#isOverdue(log, range)
    return isWorthIt ? { log, dirtyRatio, ...range } : undefined
  }

  #cleanable(log: Log): CleanRange {
    const checkpoint = this.#options.checkpoints(log).get(topicPartitionName(log.topicPartition))
    const isUsable = checkpoint !== undefined && checkpoint <= log.logEndOffset
    const firstDirtyOffset = Math.max(isUsable ? checkpoint : 0, log.logStartOffset)
    const active = log.local.segments.active
    let firstUncleanableOffset = Math.min(log.lastStableOffset, active.baseOffset)
    const { minCompactionLagMs } = log.config
    if (minCompactionLagMs > 0) {
      const youngestMs = this.#context.clock.wallMs() - minCompactionLagMs
      const tooYoung = log.local.segments
        .range(firstDirtyOffset)
        .find((segment) => segment.greatestTimestamp.timestamp > youngestMs)
      if (tooYoung !== undefined)
        firstUncleanableOffset = Math.min(firstUncleanableOffset, tooYoung.baseOffset)
    }
    return { firstDirtyOffset, firstUncleanableOffset }
  }

  #isOverdue(log: Log, range: CleanRange): boolean {
    const { maxCompactionLagMs } = log.config
    if (maxCompactionLagMs >= UNLIMITED) return false
    const oldestMs = this.#context.clock.wallMs() - maxCompactionLagMs
    return log.local.segments.range(range.firstDirtyOffset, range.firstUncleanableOffset).some((segment) => {
      const scan = new SegmentScan(segment, 0, segment.sizeBytes, 64)
      return scan.next() && scan.batch.maxTimestamp > 0 && scan.batch.maxTimestamp < oldestMs
    })
  }
}
