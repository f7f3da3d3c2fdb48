/**
 * Between which offsets a log is read: where it starts, and how far consumers (high watermark) and careful consumers
 * (last stable offset) may go. Owned by its log.
 *
 * Invariant: logStartOffset <= lastStableOffset <= highWatermark <= logEndOffset. Where an offset lies in the files is
 * looked up once, and again when positions have changed.
 */
import { guarded } from './guard.ts'
import type { LocalLog, LogOffsetMetadata } from './local-log.ts'
import type { ReadUpperBound } from './log-types.ts'
import type { ProducerState } from './producer-state.ts'
import type { LogDirectoryState } from './storage-context.ts'

interface WatermarkLayers {
  readonly directory: LogDirectoryState
  readonly local: LocalLog
  readonly producers: ProducerState
}

export class LogWatermarks {
  readonly #layers: WatermarkLayers
  #logStartOffset: number
  #highWatermark: number
  #highWatermarkMetadata: LogOffsetMetadata | undefined
  #lastStableMetadata: LogOffsetMetadata | undefined

  constructor(layers: WatermarkLayers, at: { logStartOffset: number; highWatermark: number }) {
    this.#layers = layers
    this.#logStartOffset = at.logStartOffset
    this.#highWatermark = clamp(at.highWatermark, at.logStartOffset, layers.local.logEndOffset)
    layers.producers.onHighWatermarkUpdated(this.#highWatermark)
  }

  get logStartOffset(): number {
    return this.#logStartOffset
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
    const offset = this.#layers.producers.firstUnstableOffset
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
    const { directory, local } = this.#layers
    const end = local.endOffsetMetadata
    if (offset >= end.offset) return end
    return guarded(directory, end, () => local.offsetMetadata(offset))
  }

  /** The offset that a read ends below. */
  upperBound(upTo: ReadUpperBound): number {
    if (upTo === 'logEnd') return this.#layers.local.logEndOffset
    return upTo === 'highWatermark' ? this.#highWatermark : this.lastStableOffset
  }

  upperBoundMetadata(upTo: ReadUpperBound): LogOffsetMetadata {
    if (upTo === 'logEnd') return this.#layers.local.endOffsetMetadata
    return upTo === 'highWatermark' ? this.highWatermarkMetadata : this.lastStableOffsetMetadata
  }

  /** Moves the high watermark, up or down, within the log. @returns the new value */
  updateHighWatermark(offset: number | LogOffsetMetadata): number {
    const { local, producers } = this.#layers
    const wanted = typeof offset === 'number' ? offset : offset.offset
    const next = clamp(wanted, this.#logStartOffset, local.logEndOffset)
    if (next === this.#highWatermark) return next
    this.#highWatermark = next
    this.#highWatermarkMetadata = typeof offset === 'number' || next !== wanted ? undefined : offset
    producers.onHighWatermarkUpdated(next)
    return next
  }

  /** Moves the log start offset up; the caller has checked that it stays at or below the high watermark. */
  raiseStart(offset: number): void {
    this.#logStartOffset = offset
  }

  /** The log ends earlier than before. */
  onTruncated(): void {
    const { logEndOffset } = this.#layers.local
    this.#logStartOffset = Math.min(this.#logStartOffset, logEndOffset)
    this.#highWatermark = Math.min(this.#highWatermark, logEndOffset)
    this.forgetPositions()
  }

  /** The log is empty, and goes on at its end offset. */
  onTruncatedFully(logStartOffset: number): void {
    const { logEndOffset } = this.#layers.local
    this.#logStartOffset = logStartOffset
    this.#highWatermark = Math.min(clamp(this.#highWatermark, logStartOffset, logEndOffset), logEndOffset)
    this.forgetPositions()
  }

  /** Positions in files have changed. */
  forgetPositions(): void {
    this.#highWatermarkMetadata = undefined
    this.#lastStableMetadata = undefined
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(value, high))
}
