/**
 * Decides when the metadata is worth a snapshot, and makes it: after `metadata.log.max.record.bytes.between.snapshots` bytes of records,
 * or `metadata.log.max.snapshot.interval.ms` after the last one if there is anything new (KIP-630, KIP-876).
 *
 * Owner: a broker. Invariants: only what is committed and published gets into a snapshot, never half a metadata transaction. A snapshot
 * that cannot be written is no harm: the log still has everything, and the next commit tries again.
 */
import type { Clock } from '../../common/runtime/clock.ts'
import { FileError } from '../../common/runtime/files.ts'
import type { Trace } from '../../common/runtime/trace.ts'
import type { MetadataImage } from './image.ts'
import { encodeImageSnapshot, type SnapshotId } from './snapshot.ts'

export interface SnapshotterOptions {
  readonly nodeId: number
  readonly clock: Clock
  readonly trace: Trace
  readonly image: MetadataImage
  readonly hasOpenTransaction: () => boolean
  readonly maxBytes: () => number
  /** 0: no limit. */
  readonly maxIntervalMs: () => number
  /** Raises FileError. */
  readonly write: (id: SnapshotId, buffers: readonly Buffer[]) => void
}

export class MetadataSnapshotter {
  readonly #options: SnapshotterOptions
  #newBytes = 0
  #latestMs: number

  constructor(options: SnapshotterOptions) {
    this.#options = options
    this.#latestMs = options.clock.monotonicMs()
  }

  /** To be called after the image has taken over committed batches. */
  onCommit(sizeBytes: number): void {
    this.#newBytes += sizeBytes
    const { clock, hasOpenTransaction, maxBytes, maxIntervalMs } = this.#options
    const intervalMs = maxIntervalMs()
    const isDue =
      this.#newBytes >= maxBytes() || (intervalMs > 0 && clock.monotonicMs() - this.#latestMs >= intervalMs)
    if (isDue && !hasOpenTransaction()) this.#makeSnapshot()
  }

  /** The image was replaced by a snapshot. */
  onSnapshotLoaded(): void {
    this.#newBytes = 0
    this.#latestMs = this.#options.clock.monotonicMs()
  }

  #makeSnapshot(): void {
    const { image, clock, nodeId, trace, write } = this.#options
    const { id, buffers } = encodeImageSnapshot(image, { nowMs: clock.wallMs() })
    try {
      write(id, buffers)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      trace.emit({
        level: 'error',
        kind: 'metadata.snapshot-failed',
        nodeId,
        message: `could not write the metadata snapshot at offset ${id.endOffset}: ${error.message}`,
        error,
      })
      return
    }
    this.onSnapshotLoaded()
    if (trace.enabled) {
      trace.emit({
        level: 'debug',
        kind: 'metadata.snapshot-written',
        nodeId,
        message: `wrote a metadata snapshot of everything below offset ${id.endOffset}`,
      })
    }
  }
}
