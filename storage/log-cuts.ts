/**
 * How records leave a log: at its end, when a follower diverged from its leader (truncation), or at its start, by retention
 * and DeleteRecords. Owned by its log.
 */
import { ErrorCode } from '../common/protocol/errors.ts'
import { guarded } from './guard.ts'
import type { LogLayers } from './log-layers.ts'
import { rebuildProducers } from './log-loader.ts'
import { deletableSegments } from './retention.ts'
import type { Segment } from './segment.ts'

export interface CutsHost {
  /** Begins a new segment at the log's end. @throws FileError */
  roll(): void
  onStartOffsetMoved(): void
}

export class LogCuts {
  readonly #layers: LogLayers
  readonly #host: CutsHost

  constructor(layers: LogLayers, host: CutsHost) {
    this.#layers = layers
    this.#host = host
  }

  // --- at the end ---

  /** @returns whether anything was removed */
  truncateTo(offset: number): boolean {
    const { directory, epochs, local } = this.#layers
    return guarded(directory, false, () => {
      const from = local.logEndOffset
      if (offset >= from) {
        // A leader that appended nothing leaves its epoch at the end; its successor knows nothing of it and would send us here for ever.
        epochs.truncateFromEnd(from)
        return false
      }
      local.writePending()
      if (offset < local.segments.first.baseOffset) {
        this.#truncateFully(offset, offset)
        return true
      }
      local.truncateTo(offset)
      this.#traceTruncation(from)
      epochs.truncateFromEnd(local.logEndOffset)
      this.#layers.watermarks.onTruncated()
      this.#lowerRecoveryPoint()
      this.#rebuildProducers()
      return true
    })
  }

  /** Removes everything; the log goes on at `offset`. */
  truncateFullyAndStartAt(offset: number, logStartOffset: number): void {
    guarded(this.#layers.directory, undefined, () => this.#truncateFully(offset, logStartOffset))
  }

  #truncateFully(offset: number, logStartOffset: number): void {
    const { epochs, local, producers, watermarks } = this.#layers
    local.truncateFullyAndStartAt(offset)
    epochs.clear()
    producers.truncateFullyAndStartAt(offset)
    watermarks.onTruncatedFully(logStartOffset)
    this.#lowerRecoveryPoint()
  }

  #lowerRecoveryPoint(): void {
    const { directory, local, writer } = this.#layers
    if (writer.truncatedTo(local.logEndOffset)) directory.noteLoweredRecoveryPoint()
  }

  #rebuildProducers(): void {
    const { local, producers, watermarks } = this.#layers
    const { highWatermark, logStartOffset } = watermarks
    rebuildProducers(this.#layers, { logStartOffset, endOffset: local.logEndOffset })
    producers.onHighWatermarkUpdated(highWatermark)
  }

  #traceTruncation(from: number): void {
    const { context, local, topicPartition } = this.#layers
    const { trace } = context
    if (!trace.enabled) return
    const { topic, partition } = topicPartition
    const { directory: path, logEndOffset: to } = local
    trace.emit({
      level: 'debug',
      kind: 'log.truncated',
      message: `${path} was cut from ${from} to ${to}.`,
      data: { path, topic, partition, from, to },
    })
  }

  // --- at the start ---

  /** @returns OFFSET_OUT_OF_RANGE above the high watermark */
  maybeIncrementLogStartOffset(offset: number): ErrorCode {
    const { directory, epochs, producers, watermarks } = this.#layers
    if (offset > watermarks.highWatermark) return ErrorCode.OFFSET_OUT_OF_RANGE
    if (offset <= watermarks.logStartOffset) return ErrorCode.NONE
    return guarded<ErrorCode>(directory, ErrorCode.KAFKA_STORAGE_ERROR, () => {
      watermarks.raiseStart(offset)
      epochs.truncateFromStart(offset)
      producers.onLogStartOffsetIncremented(offset)
      this.#host.onStartOffsetMoved()
      return ErrorCode.NONE
    })
  }

  /** @returns the number of segments removed */
  deleteOldSegments(): number {
    const { context, directory, local, watermarks } = this.#layers
    return guarded(directory, 0, () => {
      const deletable = deletableSegments(local, {
        highWatermark: watermarks.highWatermark,
        logStartOffset: watermarks.logStartOffset,
        nowMs: context.clock.wallMs(),
        modifiedMs: (segment) => context.files.stat(segment.logFile.path)?.modifiedMs ?? segment.createdMs,
      })
      if (deletable.length === 0) return 0
      if (deletable.length === local.segments.count) this.#host.roll()
      const endOffset = (deletable.at(-1) as Segment).baseOffset
      const first = local.segments.all.find((segment) => segment.baseOffset > endOffset) as Segment
      this.maybeIncrementLogStartOffset(first.baseOffset)
      this.removeSegments(deletable)
      return deletable.length
    })
  }

  /** Takes segments, and the snapshots at their bases, out of the log. @throws FileError */
  removeSegments(segments: readonly Segment[], { keepSnapshots = false } = {}): void {
    const { local, producers, watermarks } = this.#layers
    const snapshots: string[] = []
    if (!keepSnapshots) {
      for (const { baseOffset } of segments) {
        const path = producers.markSnapshotForDeletion(baseOffset)
        if (path !== undefined) snapshots.push(path)
      }
    }
    local.deleteSegments(segments, snapshots)
    watermarks.forgetPositions()
  }
}
