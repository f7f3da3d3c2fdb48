/**
 * The bytes of one file in memory: extents sorted by position; what lies between them is zero (a hole). Owned by one
 * file; `share` gives a second owner the same bytes at no cost, and whoever writes first copies the list of extents.
 *
 *     extents   [ page, grows ]      [ referenced batch ][ page    ]
 *     positions 0            300     4096                          9000 ... sizeBytes
 *                               hole                                   hole
 *
 * Invariants: extents never overlap and never pass `sizeBytes`; bytes of an extent that is not `isOwned` never change.
 */
import {
  memoryFirstPageBytes,
  memoryPageBytes,
  memoryReferenceBytes,
  memoryReferenceMinShare,
} from '../limits.ts'

interface Extent {
  position: number
  length: number
  /** May be longer than `length`: room to grow. */
  buffer: Buffer
  /** false when others read the same memory: then it may neither be changed nor grown in place. */
  isOwned: boolean
}

export class FileContent {
  #extents: Extent[] = []
  #isShared = false
  #sizeBytes = 0
  #allocatedBytes = 0

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Bytes that are not holes. */
  get allocatedBytes(): number {
    return this.#allocatedBytes
  }

  share(): FileContent {
    const copy = new FileContent()
    copy.#extents = this.#extents
    copy.#sizeBytes = this.#sizeBytes
    copy.#allocatedBytes = this.#allocatedBytes
    copy.#isShared = true
    this.#isShared = true
    return copy
  }

  read(target: Buffer, targetOffset: number, length: number, position: number): number {
    const count = Math.max(0, Math.min(length, this.#sizeBytes - position))
    const end = position + count
    let at = position
    for (let index = this.#firstEndingAfter(position); at < end; index++) {
      const extent = this.#extents[index]
      const start = Math.min(end, extent?.position ?? end)
      if (at < start) {
        target.fill(0, targetOffset + at - position, targetOffset + start - position)
        at = start
      }
      if (extent === undefined || at >= end) break
      const from = at - extent.position
      const part = Math.min(end - at, extent.length - from)
      extent.buffer.copy(target, targetOffset + at - position, from, from + part)
      at += part
    }
    return count
  }

  /** @param isImmutable the buffer may be kept by reference, when that does not waste memory */
  write(buffer: Buffer, position: number, isImmutable: boolean): void {
    if (buffer.length === 0) return
    this.#takeOwnership()
    const end = position + buffer.length
    const index = this.#firstEndingAfter(position)
    const extent = this.#extents[index]
    if (extent?.isOwned === true && extent.position <= position && end <= extent.position + extent.length) {
      buffer.copy(extent.buffer, position - extent.position)
      return
    }
    if (extent !== undefined) this.#carve(position, end)
    const isReferenced =
      isImmutable &&
      buffer.length >= memoryReferenceBytes &&
      buffer.length >= buffer.buffer.byteLength * memoryReferenceMinShare
    if (isReferenced) this.#insert({ position, length: buffer.length, buffer, isOwned: false })
    else this.#copyIn(buffer, position)
    this.#allocatedBytes += buffer.length
    this.#sizeBytes = Math.max(this.#sizeBytes, end)
  }

  truncate(sizeBytes: number): void {
    this.#takeOwnership()
    if (sizeBytes < this.#sizeBytes) this.#carve(sizeBytes, this.#sizeBytes)
    this.#sizeBytes = sizeBytes
  }

  /** Bytes that a write would add to `allocatedBytes`. */
  newBytes(position: number, length: number): number {
    const end = position + length
    let missing = length
    for (let index = this.#firstEndingAfter(position); index < this.#extents.length; index++) {
      const extent = this.#extents[index] as Extent
      if (extent.position >= end) break
      missing -= Math.min(end, extent.position + extent.length) - Math.max(position, extent.position)
    }
    return missing
  }

  /** Index of the first extent that ends after the position. */
  #firstEndingAfter(position: number): number {
    const extents = this.#extents
    const last = extents.at(-1)
    if (last === undefined || last.position + last.length <= position) return extents.length
    let low = 0
    let high = extents.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      const extent = extents[middle] as Extent
      if (extent.position + extent.length > position) high = middle
      else low = middle + 1
    }
    return low
  }

  #takeOwnership(): void {
    if (!this.#isShared) return
    this.#isShared = false
    this.#extents = this.#extents.map((extent) => ({ ...extent, isOwned: false }))
  }

  #copyIn(buffer: Buffer, position: number): void {
    const index = this.#firstEndingAfter(position)
    const before = this.#extents[index - 1]
    const isAdjacent = before?.isOwned === true && before.position + before.length === position
    let taken = 0
    if (isAdjacent) {
      const wanted = before.length + buffer.length
      if (wanted > before.buffer.length && before.buffer.length < memoryPageBytes) {
        const grown = Buffer.allocUnsafeSlow(
          Math.min(memoryPageBytes, Math.max(wanted, before.buffer.length * 2)),
        )
        before.buffer.copy(grown, 0, 0, before.length)
        before.buffer = grown
      }
      taken = buffer.copy(before.buffer, before.length)
      before.length += taken
    }
    const rest = buffer.length - taken
    if (rest === 0) return
    const firstBytes = isAdjacent ? memoryPageBytes : memoryFirstPageBytes
    const page = Buffer.allocUnsafeSlow(Math.max(rest, firstBytes))
    buffer.copy(page, 0, taken)
    this.#insert({ position: position + taken, length: rest, buffer: page, isOwned: true })
  }

  #insert(extent: Extent): void {
    const index = this.#firstEndingAfter(extent.position)
    if (index === this.#extents.length) this.#extents.push(extent)
    else this.#extents.splice(index, 0, extent)
  }

  /** Makes a hole. */
  #carve(from: number, to: number): void {
    const first = this.#firstEndingAfter(from)
    const kept: Extent[] = []
    let index = first
    for (; index < this.#extents.length; index++) {
      const { position, length, buffer, isOwned } = this.#extents[index] as Extent
      if (position >= to) break
      const end = position + length
      if (position < from) {
        const rest = from - position
        kept.push({ position, length: rest, buffer: buffer.subarray(0, rest), isOwned })
      }
      if (end > to) {
        kept.push({ position: to, length: end - to, buffer: buffer.subarray(to - position, length), isOwned })
      }
      this.#allocatedBytes -= Math.min(end, to) - Math.max(position, from)
    }
    this.#extents.splice(first, index - first, ...kept)
  }
}
