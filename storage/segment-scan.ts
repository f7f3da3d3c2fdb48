/**
 * Walks the batches of a segment's bytes without holding more than a window of them.
 */
import { BATCH_HEADER_BYTES, BatchView, batchSizeAt, MAGIC_END_POSITION } from '../common/record/batch.ts'

/** Where the bytes come from: a segment, with what it has not written yet. */
export interface ByteSource {
  readonly sizeBytes: number
  /** The bytes of `[position, position + length)`, fewer at the end. The result may be shared: do not change it. */
  bytes(position: number, length: number): Buffer
}

export const DEFAULT_WINDOW_BYTES = 64 * 1024
const NO_BYTES = Buffer.alloc(0)

export class SegmentScan {
  readonly batch = new BatchView(NO_BYTES)
  /** Position in the source of the batch that `next` went to. */
  batchPosition: number
  /** Position after it. */
  position: number
  readonly end: number
  /** Why `next` answered false. */
  stop: 'end' | 'truncated' | 'corrupt' = 'end'
  readonly #source: ByteSource
  readonly #windowBytes: number
  #window: Buffer = NO_BYTES
  #windowStart = 0

  constructor(source: ByteSource, position = 0, end = source.sizeBytes, windowBytes = DEFAULT_WINDOW_BYTES) {
    this.#source = source
    this.batchPosition = position
    this.position = position
    this.end = end
    this.#windowBytes = windowBytes
  }

  /** Goes to the next batch. Only its header is sure to be in `batch.buffer`; see `whole`. */
  next(): boolean {
    const { position, end } = this
    if (position >= end) {
      this.stop = 'end'
      return false
    }
    if (end - position < MAGIC_END_POSITION) {
      this.stop = 'truncated'
      return false
    }
    this.#need(position, Math.min(BATCH_HEADER_BYTES, end - position))
    const sizeBytes = batchSizeAt(this.#window, position - this.#windowStart, Number.MAX_SAFE_INTEGER)
    if (sizeBytes < 0 || sizeBytes > end - position) {
      this.stop = sizeBytes < 0 ? 'corrupt' : 'truncated'
      return false
    }
    this.batch.at(this.#window, position - this.#windowStart)
    this.batchPosition = position
    this.position = position + sizeBytes
    return true
  }

  /** Makes sure that all of the current batch is in `batch.buffer`. */
  whole(): BatchView {
    this.#need(this.batchPosition, this.position - this.batchPosition)
    return this.batch.at(this.#window, this.batchPosition - this.#windowStart)
  }

  #need(position: number, length: number): void {
    const start = position - this.#windowStart
    if (start >= 0 && start + length <= this.#window.length) return
    this.#window = this.#source.bytes(
      position,
      Math.min(Math.max(length, this.#windowBytes), this.end - position),
    )
    this.#windowStart = position
  }
}
