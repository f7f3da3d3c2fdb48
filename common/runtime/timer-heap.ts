/**
 * A binary heap of timers, earliest first, in which every entry knows its index: insert and remove cost O(log n).
 */
export interface HeapEntry {
  readonly dueMs: number
  /** Breaks ties of `dueMs`: seeded in simulations, 0 otherwise. */
  readonly tieBreak: number
  /** Breaks the remaining ties: order of creation. */
  readonly sequence: number
  /** Where the heap keeps it; -1 when it is not in a heap. Written by the heap only. */
  heapIndex: number
}

export function isEarlier(a: HeapEntry, b: HeapEntry): boolean {
  if (a.dueMs !== b.dueMs) return a.dueMs < b.dueMs
  if (a.tieBreak !== b.tieBreak) return a.tieBreak < b.tieBreak
  return a.sequence < b.sequence
}

export class TimerHeap<Entry extends HeapEntry> {
  #entries: Entry[] = []

  get size(): number {
    return this.#entries.length
  }

  peek(): Entry | undefined {
    return this.#entries[0]
  }

  /** In no particular order. */
  values(): readonly Entry[] {
    return this.#entries
  }

  push(entry: Entry): void {
    this.#entries.push(entry)
    this.#rise(entry, this.#entries.length - 1)
  }

  pop(): Entry | undefined {
    const first = this.#entries[0]
    if (first !== undefined) this.remove(first)
    return first
  }

  remove(entry: Entry): void {
    const index = entry.heapIndex
    if (this.#entries[index] !== entry) return
    entry.heapIndex = -1
    const last = this.#entries.pop() as Entry
    if (last === entry) return
    this.#rise(last, index)
    this.#sink(last, last.heapIndex)
  }

  /** Removes all that match in O(n). @returns what was removed */
  removeWhere(matches: (entry: Entry) => boolean): Entry[] {
    const removed: Entry[] = []
    const kept: Entry[] = []
    for (const entry of this.#entries) (matches(entry) ? removed : kept).push(entry)
    for (const entry of removed) entry.heapIndex = -1
    this.#entries = kept
    kept.forEach((entry, index) => {
      entry.heapIndex = index
    })
    for (let index = (kept.length >> 1) - 1; index >= 0; index--) this.#sink(kept[index] as Entry, index)
    return removed
  }

  #rise(entry: Entry, from: number): void {
    const entries = this.#entries
    let index = from
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = entries[parentIndex] as Entry
      if (!isEarlier(entry, parent)) break
      entries[index] = parent
      parent.heapIndex = index
      index = parentIndex
    }
    entries[index] = entry
    entry.heapIndex = index
  }

  #sink(entry: Entry, from: number): void {
    const entries = this.#entries
    let index = from
    for (;;) {
      let childIndex = index * 2 + 1
      if (childIndex >= entries.length) break
      let child = entries[childIndex] as Entry
      const right = entries[childIndex + 1]
      if (right !== undefined && isEarlier(right, child)) {
        child = right
        childIndex++
      }
      if (!isEarlier(child, entry)) break
      entries[index] = child
      child.heapIndex = index
      index = childIndex
    }
    entries[index] = entry
    entry.heapIndex = index
  }
}
