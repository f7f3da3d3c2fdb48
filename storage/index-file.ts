/**
 * What the three index files have in common: entries of one size, appended in order, searched by halving, cut at the end.
 *
 * The entries live in memory once they are needed and are written back by `save` (at a roll, before the recovery point
 * moves, and at close). Losing them is harmless: whatever lies behind the recovery point is rebuilt from the log after
 * an unclean end, and an index that is missing or does not make sense is rebuilt when it is found.
 */
import type { FileError, FileHandle, FileSystem } from '../common/runtime/files.ts'

const EMPTY = Buffer.alloc(0)
const UNKNOWN_SIZE = -1

export class IndexFile {
  readonly entryBytes: number
  readonly #files: FileSystem
  #path: string
  #entries: Buffer = EMPTY
  #count = 0
  #state: 'unloaded' | 'clean' | 'dirty'
  /** Bytes known to be in the file, or undefined when the file may not exist. */
  #savedBytes: number | undefined
  /** Whether the file as saved has been synced. What was there before this process is taken for synced. */
  #isDurable = true

  /** `exists`: read the file when entries are first wanted; otherwise begin empty. */
  constructor(files: FileSystem, path: string, entryBytes: number, exists: boolean) {
    this.#files = files
    this.#path = path
    this.entryBytes = entryBytes
    this.#state = exists ? 'unloaded' : 'clean'
    this.#savedBytes = exists ? UNKNOWN_SIZE : undefined
  }

  get path(): string {
    return this.#path
  }

  movedTo(path: string): void {
    this.#path = path
  }

  get count(): number {
    this.#load()
    return this.#count
  }

  get sizeBytes(): number {
    return this.count * this.entryBytes
  }

  /** false when the file has no whole number of entries; a caller then rebuilds it. */
  get hasWholeEntries(): boolean {
    this.#load()
    return this.#state === 'dirty' || (this.#savedBytes ?? 0) % this.entryBytes === 0
  }

  /** Position of entry `slot` within `buffer`. */
  positionOf(slot: number): number {
    return slot * this.entryBytes
  }

  /** The loaded bytes; valid until the next append. */
  get buffer(): Buffer {
    this.#load()
    return this.#entries
  }

  /** Makes room for one more entry and returns its position within `buffer`, where the caller writes it. */
  extend(): number {
    this.#load()
    const position = this.#count * this.entryBytes
    if (position + this.entryBytes > this.#entries.length) {
      const grown = Buffer.alloc(Math.max(8 * this.entryBytes, this.#entries.length * 2))
      this.#entries.copy(grown, 0, 0, position)
      this.#entries = grown
    }
    this.#count++
    this.#state = 'dirty'
    return position
  }

  truncateToCount(count: number): void {
    if (count >= this.count) return
    this.#count = count
    this.#state = 'dirty'
  }

  /** Forgets every entry without looking at the file. */
  reset(): void {
    this.#entries = EMPTY
    this.#count = 0
    this.#state = 'dirty'
  }

  /** Greatest slot for which `isAtMost(slot)` holds, given that it holds for a prefix; -1 when it holds for none. */
  search(isAtMost: (slot: number) => boolean): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isAtMost(middle)) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** Brings the file up to date. `createEmpty`: also when there is nothing to write and no file yet. */
  save(options: { createEmpty: boolean; durable: boolean }): void {
    const mustWrite = this.#mustWrite(options.createEmpty)
    if (!mustWrite && (this.#isDurable || !options.durable)) return
    const handle = this.#files.open(this.#path, 'create')
    try {
      if (mustWrite) this.#write(handle)
      if (options.durable) handle.sync()
    } finally {
      handle.close()
    }
    this.#isDurable = options.durable
  }

  /** Saves and then syncs without waiting. `done` is called in a later turn, or at once when there is nothing to do. */
  saveInBackground(done: (error: FileError | undefined) => void): void {
    this.save({ createEmpty: true, durable: false })
    if (this.#isDurable || this.#savedBytes === undefined) {
      done(undefined)
      return
    }
    const handle = this.#files.open(this.#path, 'create')
    this.#isDurable = true
    handle.syncInBackground((error) => {
      if (error !== undefined) this.#isDurable = false
      handle.close()
      done(error)
    })
  }

  #mustWrite(createEmpty: boolean): boolean {
    if (this.#state === 'unloaded') return false
    if (this.#savedBytes === undefined) return createEmpty || this.#count > 0
    return this.#state === 'dirty'
  }

  #write(handle: FileHandle): void {
    const sizeBytes = this.#count * this.entryBytes
    if (sizeBytes > 0) handle.write([this.#entries.subarray(0, sizeBytes)], 0)
    // A file that was there unread may be of any size: preallocated, or with entries that a recovery dropped.
    if (this.#savedBytes !== sizeBytes) handle.truncate(sizeBytes)
    this.#savedBytes = sizeBytes
    this.#state = 'clean'
    this.#isDurable = false
  }

  /** Writes the entries, and `more` behind them, to a copy of the disk, which has already what was not loaded. */
  saveTo(copy: FileSystem, more: Buffer = EMPTY): void {
    if (this.#state === 'unloaded') return
    const entries = this.#entries.subarray(0, this.#count * this.entryBytes)
    copy.replaceFile(this.#path, more.length === 0 ? entries : Buffer.concat([entries, more]), {
      durable: false,
    })
  }

  /** Drops the entries from memory when the file has them too. */
  unload(): void {
    if (this.#state !== 'clean' || this.#savedBytes === undefined) return
    this.#entries = EMPTY
    this.#count = 0
    this.#state = 'unloaded'
  }

  /** Removes the file, when there may be one. */
  remove(): void {
    if (this.#savedBytes !== undefined) this.#files.remove(this.#path)
    this.#savedBytes = undefined
    this.#entries = EMPTY
    this.#count = 0
    this.#state = 'clean'
  }

  get mayExist(): boolean {
    return this.#savedBytes !== undefined
  }

  #load(): void {
    if (this.#state !== 'unloaded') return
    this.#entries = this.#files.stat(this.#path) === undefined ? EMPTY : this.#files.readFile(this.#path)
    this.#savedBytes = this.#entries.length
    this.#count = Math.floor(this.#entries.length / this.entryBytes)
    this.#state = 'clean'
  }
}
