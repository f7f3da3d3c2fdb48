/**
 * Memory for the bodies of large frames, used again and again: allocating and collecting it anew for every frame costs more than
 * everything else that is done with such a frame.
 *
 * Owners: a transport, for the requests of the links that it accepts; a broker, for what fetches read from files; a producer, for its
 * batches. Invariants: bytes come back only when their frame was given back by the one who took it over and nobody reads them any more; bytes that never come back are the garbage
 * collector's, as any other. Whoever keeps a part of a frame beyond its request asks `isRecycled` and copies. Limit: `recycledBytesLimit` in
 * waiting: beyond it, sizes that are not asked for any more go first.
 */
import type { Frame } from '../protocol/frame.ts'
import { recycledBodyMinBytes, recycledBytesLimit } from './limits.ts'

/** Tells memory that is used again from all other, wherever a view of it turns up. */
class RecycledArrayBuffer extends ArrayBuffer {
  readonly owner: RecycledBytes

  constructor(sizeBytes: number, owner: RecycledBytes) {
    super(sizeBytes)
    this.owner = owner
  }
}

/** Whether the bytes of this buffer may be overwritten once the request that brought them is answered. */
export function isRecycled(buffer: Uint8Array): boolean {
  return buffer.buffer instanceof RecycledArrayBuffer
}

/** The same bytes for as long as one likes: a copy when they are recycled ones. */
export function lasting(buffer: Buffer): Buffer {
  return isRecycled(buffer) ? Buffer.from(buffer) : buffer
}

export class RecycledBytes {
  /** By size; sizes that nobody asked for longest come first. */
  readonly #waiting = new Map<number, RecycledArrayBuffer[]>()
  #waitingBytes = 0

  /** Room for a body; undefined for one so small that it is not worth it. */
  take(sizeBytes: number): Buffer | undefined {
    if (sizeBytes < recycledBodyMinBytes || sizeBytes > recycledBytesLimit) return undefined
    const roomBytes = roomFor(sizeBytes)
    const waiting = this.#waitingOf(roomBytes).pop()
    if (waiting !== undefined) this.#waitingBytes -= roomBytes
    return Buffer.from(waiting ?? new RecycledArrayBuffer(roomBytes, this), 0, sizeBytes)
  }

  /** Takes back what `take` gave, or a part of it; other bytes are left alone. The caller never touches it again. */
  give(body: Buffer): void {
    const memory = body.buffer
    if (!(memory instanceof RecycledArrayBuffer) || memory.owner !== this) return
    const roomBytes = memory.byteLength
    this.#waitingOf(roomBytes).push(memory)
    this.#waitingBytes += roomBytes
    for (const [unusedBytes, unused] of this.#waiting) {
      while (this.#waitingBytes > recycledBytesLimit && unused.pop() !== undefined)
        this.#waitingBytes -= unusedBytes
      if (this.#waitingBytes <= recycledBytesLimit) return
      this.#waiting.delete(unusedBytes)
    }
  }

  /** Rooms of this size, which are the latest used from now. */
  #waitingOf(roomBytes: number): RecycledArrayBuffer[] {
    const waiting = this.#waiting.get(roomBytes) ?? []
    this.#waiting.delete(roomBytes)
    this.#waiting.set(roomBytes, waiting)
    return waiting
  }

  /** The frame that gives its memory back; undefined when `take` did not give it. */
  frameOf(body: Buffer): Frame | undefined {
    if (!isRecycled(body)) return undefined
    return { fragments: [body], sizeBytes: body.length, recycle: () => this.give(body) }
  }
}

/** Rooms come in steps of an eighth to a quarter of their size, so that frames of about the same size share them. */
function roomFor(sizeBytes: number): number {
  const step = 2 ** (Math.floor(Math.log2(sizeBytes)) - 2)
  return Math.ceil(sizeBytes / step) * step
}
