/**
 * Cuts a stream of bytes into frames. One per link, owned by it. A frame's bytes are copied at most once, into a buffer of
 * the announced size; a frame that makes up most of a received chunk is a view of it.
 *
 *     int32 length | body ...   repeated; chunks may end anywhere, inside the length as well
 *
 * Limits: a length above `maxFrameBytes` or below zero ends the stream for good. What a peer announces costs nothing
 * until it has sent a share of it (`frameEagerBytes`, `frameAllocateShare`).
 */
import type { Frame } from '../protocol/frame.ts'
import {
  frameAllocateShare,
  frameEagerBytes,
  frameInPlaceBytes,
  frameLengthBytes,
  frameViewMinShare,
} from './limits.ts'
import type { RecycledBytes } from './recycled-bytes.ts'

export type FrameRefusal = 'frame-too-large' | 'frame-malformed'

export class FrameAssembler {
  readonly #maxFrameBytes: number
  readonly #recycled: RecycledBytes | undefined
  #refusal: FrameRefusal | undefined
  /** Bytes of the length that have arrived, 0 to 4; at 4 a body is awaited. */
  #lengthBytes = 0
  #length = 0
  /** Body bytes that have arrived: in `#body` when it is allocated, else in `#chunks`. */
  #arrived = 0
  #body: Buffer | undefined
  #chunks: Buffer[] = []
  #isBorrowed = false

  /** @param recycled where large bodies get their memory; absent: they are the receiver's for ever */
  constructor(maxFrameBytes: number, recycled?: RecycledBytes) {
    this.#maxFrameBytes = maxFrameBytes
    this.#recycled = recycled
  }

  /** Bytes of memory held for the frame that is arriving. */
  get heldBytes(): number {
    return this.#body?.length ?? this.#chunks.reduce((sum, chunk) => sum + chunk.buffer.byteLength, 0)
  }

  /**
   * Where the next bytes are to be put, so that a large body is read into its own buffer and never copied; undefined when
   * any place will do. To be told of with `filled`.
   */
  get target(): Buffer | undefined {
    const body = this.#body
    if (this.#refusal !== undefined || body === undefined) return undefined
    return body.length - this.#arrived >= frameInPlaceBytes ? body.subarray(this.#arrived) : undefined
  }

  /** The first `count` bytes of `target` have arrived. */
  filled(count: number, onFrame: (frame: Frame) => void): void {
    this.#arrived += count
    if (this.#arrived === this.#length) onFrame(this.#takeFrame())
  }

  /** As `push`, but the chunk stays the caller's: what is kept of it is copied. */
  pushBorrowed(chunk: Buffer, onFrame: (frame: Frame) => void): FrameRefusal | undefined {
    this.#isBorrowed = true
    try {
      return this.push(chunk, onFrame)
    } finally {
      this.#isBorrowed = false
    }
  }

  /**
   * Takes a chunk over (the caller never touches it again) and hands out every frame that it completes.
   * @returns why no further byte of this stream can be read; undefined while all is well
   */
  push(chunk: Buffer, onFrame: (frame: Frame) => void): FrameRefusal | undefined {
    let position = 0
    while (this.#refusal === undefined && position < chunk.length) {
      if (this.#lengthBytes < frameLengthBytes) {
        position = this.#takeLength(chunk, position)
        // A frame without a body is complete with its length.
        if (this.#lengthBytes < frameLengthBytes || this.#length > 0 || this.#refusal !== undefined) continue
      }
      const end = Math.min(chunk.length, position + this.#length - this.#arrived)
      this.#takeBody(chunk, position, end)
      position = end
      if (this.#arrived === this.#length) onFrame(this.#takeFrame())
    }
    return this.#refusal
  }

  #takeLength(chunk: Buffer, start: number): number {
    let position = start
    if (this.#lengthBytes === 0 && chunk.length - position >= frameLengthBytes) {
      this.#length = chunk.readInt32BE(position)
      this.#lengthBytes = frameLengthBytes
      position += frameLengthBytes
    } else {
      while (this.#lengthBytes < frameLengthBytes && position < chunk.length) {
        this.#length = (this.#length << 8) | (chunk[position++] ?? 0)
        this.#lengthBytes++
      }
      if (this.#lengthBytes < frameLengthBytes) return position
    }
    if (this.#length < 0) this.#refusal = 'frame-malformed'
    else if (this.#length > this.#maxFrameBytes) this.#refusal = 'frame-too-large'
    return position
  }

  #takeBody(chunk: Buffer, start: number, end: number): void {
    const count = end - start
    if (count === 0) return
    const isWhole = this.#arrived === 0 && count === this.#length
    if (isWhole && !this.#isBorrowed && count >= chunk.buffer.byteLength * frameViewMinShare) {
      this.#body = chunk.subarray(start, end)
      this.#arrived = count
      return
    }
    if (this.#body === undefined) this.#maybeAllocate(count)
    if (this.#body === undefined) {
      const part = chunk.subarray(start, end)
      this.#chunks.push(this.#isBorrowed ? Buffer.from(part) : part)
    } else chunk.copy(this.#body, this.#arrived, start, end)
    this.#arrived += count
  }

  #maybeAllocate(nextCount: number): void {
    const isWorthIt =
      this.#length <= frameEagerBytes || this.#arrived + nextCount >= this.#length * frameAllocateShare
    if (!isWorthIt) return
    this.#body = this.#recycled?.take(this.#length) ?? Buffer.allocUnsafe(this.#length)
    let position = 0
    for (const chunk of this.#chunks) position += chunk.copy(this.#body, position)
    this.#chunks = []
  }

  #takeFrame(): Frame {
    const body = this.#body ?? Buffer.alloc(0)
    this.#body = undefined
    this.#lengthBytes = 0
    this.#length = 0
    this.#arrived = 0
    return this.#recycled?.frameOf(body) ?? { fragments: [body], sizeBytes: body.length }
  }
}
