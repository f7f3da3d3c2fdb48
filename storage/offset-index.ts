/**
 * The offset index of a segment (`.index`): a sparse map from offset to position in the log file, owned by its segment.
 *
 *     relative offset u32 │ position u32            8 bytes an entry, both ascending
 *
 * An entry holds the last offset of the batch that begins at the position. Offsets are made relative to the segment's
 * base offset at this border and nowhere else. `lookup` may answer too low a position, never too high a one.
 */
import type { FileSystem } from '../common/runtime/files.ts'
import { IndexFile } from './index-file.ts'

const ENTRY_BYTES = 8

export interface OffsetPosition {
  readonly offset: number
  readonly position: number
}

export class OffsetIndex {
  readonly file: IndexFile
  readonly baseOffset: number

  constructor(files: FileSystem, path: string, baseOffset: number, exists: boolean) {
    this.file = new IndexFile(files, path, ENTRY_BYTES, exists)
    this.baseOffset = baseOffset
  }

  /** The greatest entry at or below `offset`, or the beginning of the segment. */
  lookup(offset: number): OffsetPosition {
    const relative = offset - this.baseOffset
    const { file } = this
    const buffer = file.buffer
    const slot = file.search((candidate) => buffer.readUInt32BE(candidate * ENTRY_BYTES) <= relative)
    return slot < 0 ? { offset: this.baseOffset, position: 0 } : this.entry(slot)
  }

  entry(slot: number): OffsetPosition {
    const { buffer } = this.file
    return {
      offset: this.baseOffset + buffer.readUInt32BE(slot * ENTRY_BYTES),
      position: buffer.readUInt32BE(slot * ENTRY_BYTES + 4),
    }
  }

  get lastOffset(): number {
    const { count } = this.file
    return count === 0 ? this.baseOffset : this.entry(count - 1).offset
  }

  /** Adds an entry; one that is not behind the last is left out. */
  append(offset: number, position: number): void {
    if (this.file.count > 0 && offset <= this.lastOffset) return
    const at = this.file.extend()
    this.file.buffer.writeUInt32BE(offset - this.baseOffset, at)
    this.file.buffer.writeUInt32BE(position, at + 4)
  }

  /** Drops the entries at or above `offset`. */
  truncateTo(offset: number): void {
    const relative = offset - this.baseOffset
    const { buffer } = this.file
    this.file.truncateToCount(
      this.file.search((slot) => buffer.readUInt32BE(slot * ENTRY_BYTES) < relative) + 1,
    )
  }

  /** Whether the content can be an index of a log file of this size. */
  isSane(logSizeBytes: number): boolean {
    const { file } = this
    if (!file.hasWholeEntries) return false
    const { buffer, count } = file
    let previousOffset = -1
    let previousPosition = -1
    for (let slot = 0; slot < count; slot++) {
      const relative = buffer.readUInt32BE(slot * ENTRY_BYTES)
      const position = buffer.readUInt32BE(slot * ENTRY_BYTES + 4)
      if (relative <= previousOffset || position <= previousPosition || position >= logSizeBytes) return false
      previousOffset = relative
      previousPosition = position
    }
    return true
  }
}
