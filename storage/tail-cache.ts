/**
 * The records appended last, kept in memory so that followers and consumers at the end of a log cost no system call.
 *
 * One byte budget for all logs of a process, spent first in, first out: reads near the end have no use for recency, and
 * the entries of a log then always are one contiguous run up to its end. Nothing is kept for a log whose end nobody reads.
 * Buffers are the ones that were appended, shared and never changed; of recycled memory they are copies. (A small batch of a
 * large frame keeps the whole frame alive; the budget counts the batch.)
 */
import { lasting } from '../common/runtime/recycled-bytes.ts'

export const DEFAULT_TAIL_CACHE_BYTES = 8 * 1024 * 1024

/** A log whose last so many appends were read by nobody keeps none, until somebody reads again. */
const UNREAD_LIMIT = 256

/** Runs of entries up to this size are joined once and then shared by all readers. */
const JOIN_LIMIT_BYTES = 1024 * 1024

export interface TailEntry {
  readonly segmentBaseOffset: number
  /** Of the buffer's first byte in the segment's file. */
  readonly position: number
  readonly baseOffset: number
  readonly nextOffset: number
  /** Empty once the entry is gone: who still holds the entry must not hold its bytes. */
  buffer: Buffer
  isLive: boolean
}

const NO_BYTES = Buffer.alloc(0)

export class TailCache {
  readonly #budgetBytes: number
  #usedBytes = 0
  /** In order of append over all logs; the head is the oldest. Entries that are gone already are skipped. */
  #queue: { readonly tail: LogTail; readonly entry: TailEntry }[] = []
  #head = 0

  constructor(budgetBytes: number = DEFAULT_TAIL_CACHE_BYTES) {
    this.#budgetBytes = budgetBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  added(tail: LogTail, entry: TailEntry): void {
    this.#queue.push({ tail, entry })
    this.#usedBytes += entry.buffer.length
    while (this.#usedBytes > this.#budgetBytes && this.#head < this.#queue.length) {
      const oldest = this.#queue[this.#head++] as { tail: LogTail; entry: TailEntry }
      if (oldest.entry.isLive) oldest.tail.removeThrough(oldest.entry)
    }
    if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
  }

  removed(entry: TailEntry): void {
    entry.isLive = false
    this.#usedBytes -= entry.buffer.length
    entry.buffer = NO_BYTES
  }
}

/** The part of the cache that belongs to one log. */
export class LogTail {
  readonly #cache: TailCache
  #entries: TailEntry[] = []
  /** Slot of the oldest entry: what lies before it is gone, and is cut off now and then. */
  #head = 0
  /** Appends since the last read. */
  #unread = 0

  constructor(cache: TailCache) {
    this.#cache = cache
  }

  /** Keeps the bytes of an append, if there are readers. It must follow the previous one without a gap in offsets known to the log. */
  add(entry: Omit<TailEntry, 'isLive'>): void {
    if (++this.#unread > UNREAD_LIMIT) {
      this.clear()
      return
    }
    const live: TailEntry = { ...entry, buffer: lasting(entry.buffer), isLive: true }
    this.#entries.push(live)
    this.#cache.added(this, live)
  }

  /** The first entry that holds something at or after `offset`; undefined when older ones are gone that might. */
  find(offset: number): TailEntry | undefined {
    const slot = this.#slotFor(offset)
    return slot < 0 ? undefined : this.#entries[slot]
  }

  /**
   * The entries from the one that `find` gives for `offset`, in one segment, as one buffer of at least `wantedBytes`
   * when there are so many. Joins them when they are several, and keeps the joined buffer in their place.
   */
  gather(offset: number, wantedBytes: number): TailEntry | undefined {
    this.#unread = 0
    const from = this.#slotFor(offset)
    if (from < 0) return undefined
    const first = this.#entries[from] as TailEntry
    let sizeBytes = first.buffer.length
    let to = from + 1
    for (; to < this.#entries.length && sizeBytes < wantedBytes; to++) {
      const next = this.#entries[to] as TailEntry
      if (next.segmentBaseOffset !== first.segmentBaseOffset) break
      sizeBytes += next.buffer.length
    }
    if (to === from + 1) return first
    const run = this.#entries.slice(from, to)
    const joined: TailEntry = {
      ...first,
      nextOffset: (run.at(-1) as TailEntry).nextOffset,
      buffer: Buffer.concat(
        run.map((entry) => entry.buffer),
        sizeBytes,
      ),
      isLive: true,
    }
    // Joining what has been joined again and again, with every append, would copy without end.
    const isGrowingRun = first.buffer.length * 2 > sizeBytes
    if (sizeBytes <= JOIN_LIMIT_BYTES && !isGrowingRun) {
      for (const entry of run) this.#cache.removed(entry)
      this.#entries.splice(from, run.length, joined)
      this.#cache.added(this, joined)
    }
    return joined
  }

  /** Drops the entry and all older ones. */
  removeThrough(entry: TailEntry): void {
    const end = this.#entries.indexOf(entry, this.#head) + 1
    while (this.#head < end) this.#cache.removed(this.#entries[this.#head++] as TailEntry)
    if (this.#head > 64 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
  }

  clear(): void {
    if (this.#entries.length === 0) return
    for (const entry of this.#entries.slice(this.#head)) this.#cache.removed(entry)
    this.#entries = []
    this.#head = 0
  }

  #slotFor(offset: number): number {
    const entries = this.#entries
    const first = entries[this.#head]
    if (first === undefined || offset < first.baseOffset) return -1
    let low = this.#head
    let high = entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((entries[middle] as TailEntry).nextOffset > offset) high = middle
      else low = middle + 1
    }
    return low < entries.length ? low : -1
  }
}
