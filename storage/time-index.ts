/**
 * The time index of a segment (`.timeindex`), owned by its segment: from timestamp to an offset at or after which later
 * records lie.
 *
 *     timestamp i64 │ relative offset u32            12 bytes an entry, timestamps ascending
 *
 * An entry says: no record at or below the offset has a greater timestamp than this one. The last entry of a closed
 * segment holds its greatest timestamp.
 */
import { NO_TIMESTAMP, readInt64, writeInt64 } from '../common/record/batch.ts'
import type { FileSystem } from '../common/runtime/files.ts'
import { IndexFile } from './index-file.ts'

const ENTRY_BYTES = 12

export interface TimestampOffset {
  readonly timestamp: number
  readonly offset: number
}

export class TimeIndex {
  readonly file: IndexFile
  readonly baseOffset: number

  constructor(files: FileSystem, path: string, baseOffset: number, exists: boolean) {
    this.file = new IndexFile(files, path, ENTRY_BYTES, exists)
    this.baseOffset = baseOffset
  }

  /** The greatest entry at or below `timestamp`, or the beginning of the segment. */
  lookup(timestamp: number): TimestampOffset {
    const { file } = this
    const { buffer } = file
    const slot = file.search((candidate) => readInt64(buffer, candidate * ENTRY_BYTES) <= timestamp)
    return slot < 0 ? this.#none : this.entry(slot)
  }

  entry(slot: number): TimestampOffset {
    const { buffer } = this.file
    return {
      timestamp: readInt64(buffer, slot * ENTRY_BYTES),
      offset: this.baseOffset + buffer.readUInt32BE(slot * ENTRY_BYTES + 8),
    }
  }

  get lastEntry(): TimestampOffset {
    const { count } = this.file
    return count === 0 ? this.#none : this.entry(count - 1)
  }

  /** Adds an entry unless its timestamp is not greater than the last. */
  maybeAppend(timestamp: number, offset: number): void {
    if (!this.#isNext(timestamp, offset)) return
    const at = this.file.extend()
    this.#write(this.file.buffer, at, { timestamp, offset })
  }

  /** Writes the index to a copy of the disk as it would be after `maybeAppend`. */
  saveTo(copy: FileSystem, { timestamp, offset }: TimestampOffset): void {
    if (timestamp <= NO_TIMESTAMP || !this.#isNext(timestamp, offset)) {
      this.file.saveTo(copy)
      return
    }
    const entry = Buffer.alloc(ENTRY_BYTES)
    this.#write(entry, 0, { timestamp, offset })
    this.file.saveTo(copy, entry)
  }

  #isNext(timestamp: number, offset: number): boolean {
    const last = this.lastEntry
    return timestamp > last.timestamp && (this.file.count === 0 || offset >= last.offset)
  }

  #write(buffer: Buffer, at: number, { timestamp, offset }: TimestampOffset): void {
    writeInt64(buffer, at, timestamp)
    buffer.writeUInt32BE(offset - this.baseOffset, at + 8)
  }

  /** Drops the entries at or above `offset`. */
  truncateTo(offset: number): void {
    const relative = offset - this.baseOffset
    const { buffer } = this.file
    this.file.truncateToCount(
      this.file.search((slot) => buffer.readUInt32BE(slot * ENTRY_BYTES + 8) < relative) + 1,
    )
  }

  isSane(): boolean {
    const { file } = this
    if (!file.hasWholeEntries) return false
    const { buffer, count } = file
    let previousTimestamp = NO_TIMESTAMP
    let previousOffset = -1
    for (let slot = 0; slot < count; slot++) {
      const timestamp = readInt64(buffer, slot * ENTRY_BYTES)
      const relative = buffer.readUInt32BE(slot * ENTRY_BYTES + 8)
      if (timestamp <= previousTimestamp || relative < previousOffset) return false
      previousTimestamp = timestamp
      previousOffset = relative
    }
    return true
  }

  get #none(): TimestampOffset {
    return { timestamp: NO_TIMESTAMP, offset: this.baseOffset }
  }
}
