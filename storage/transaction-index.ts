/**
 * The transaction index of a segment (`.txnindex`): the aborted transactions whose marker lies in the segment, owned by
 * it. The file exists only when there is one.
 *
 *     version i16 │ producerId i64 │ firstOffset i64 │ lastOffset i64 │ lastStableOffset i64       34 bytes an entry
 *
 * `lastOffset` is that of the marker; `lastStableOffset` is what it was once the transaction had ended, which tells a
 * search when it has seen enough.
 */
import { readInt64, writeInt64 } from '../common/record/batch.ts'
import type { FileSystem } from '../common/runtime/files.ts'
import { IndexFile } from './index-file.ts'

const ENTRY_BYTES = 34

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly lastStableOffset: number
}

export class TransactionIndex {
  readonly file: IndexFile

  constructor(files: FileSystem, path: string, exists: boolean) {
    this.file = new IndexFile(files, path, ENTRY_BYTES, exists)
  }

  append(transaction: AbortedTransaction): void {
    const at = this.file.extend()
    const { buffer } = this.file
    buffer.writeInt16BE(0, at)
    writeInt64(buffer, at + 2, transaction.producerId)
    writeInt64(buffer, at + 10, transaction.firstOffset)
    writeInt64(buffer, at + 18, transaction.lastOffset)
    writeInt64(buffer, at + 26, transaction.lastStableOffset)
  }

  entry(slot: number): AbortedTransaction {
    const { buffer } = this.file
    const at = slot * ENTRY_BYTES
    return {
      producerId: readInt64(buffer, at + 2),
      firstOffset: readInt64(buffer, at + 10),
      lastOffset: readInt64(buffer, at + 18),
      lastStableOffset: readInt64(buffer, at + 26),
    }
  }

  entries(): AbortedTransaction[] {
    return Array.from({ length: this.file.count }, (_, slot) => this.entry(slot))
  }

  /**
   * Adds to `found` the aborted transactions that have records in [fetchOffset, upperBoundOffset).
   * @returns true when no later segment can hold another one
   */
  collect(fetchOffset: number, upperBoundOffset: number, found: AbortedTransaction[]): boolean {
    const { count } = this.file
    for (let slot = 0; slot < count; slot++) {
      const transaction = this.entry(slot)
      if (transaction.lastOffset >= fetchOffset && transaction.firstOffset < upperBoundOffset) {
        found.push(transaction)
      }
      if (transaction.lastStableOffset >= upperBoundOffset) return true
    }
    return false
  }

  /** Drops the transactions whose marker lies at or above `offset`. */
  truncateTo(offset: number): void {
    let keep = 0
    while (keep < this.file.count && this.entry(keep).lastOffset < offset) keep++
    this.file.truncateToCount(keep)
  }

  /** Whether every entry has a known version, and offsets that lie in the segment. */
  isSane(baseOffset: number): boolean {
    if (!this.file.hasWholeEntries) return false
    const { buffer } = this.file
    for (let slot = 0; slot < this.file.count; slot++) {
      const { firstOffset, lastOffset } = this.entry(slot)
      const version = buffer.readInt16BE(slot * ENTRY_BYTES)
      if (version < 0 || lastOffset < baseOffset || firstOffset > lastOffset) return false
    }
    return true
  }
}
