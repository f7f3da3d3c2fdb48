/**
 * What a clean knows of transactions as it reads a log from its beginning: records of aborted ones may go, and a marker may
 * go once no record of its transaction is left before it.
 */
import type { BatchView } from '../common/record/batch.ts'
import type { AbortedTransaction, TransactionIndex } from './transaction-index.ts'
import { readEndTransactionMarker } from './transaction-marker.ts'

interface OngoingAborted {
  readonly transaction: AbortedTransaction
  hasBatches: boolean
}

export class CleanTransactions {
  readonly #upcoming: AbortedTransaction[]
  readonly #aborted = new Map<number, OngoingAborted>()
  readonly #committed = new Set<number>()
  /** Of the segment that is being written: aborted transactions that still have records are noted there. */
  cleanedIndex: TransactionIndex | undefined

  /** `aborted`: all whose marker lies in what will be read, or later. */
  constructor(aborted: readonly AbortedTransaction[]) {
    this.#upcoming = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /** @returns whether the batch's records belong to an aborted transaction */
  onDataBatch(batch: BatchView): boolean {
    this.#beginUpTo(batch.lastOffset)
    if (!batch.isTransactional) return false
    const aborted = this.#aborted.get(batch.producerId)
    if (aborted === undefined) {
      this.#committed.add(batch.producerId)
      return false
    }
    aborted.hasBatches = true
    return true
  }

  /** @returns whether no record of the marker's transaction is left */
  onControlBatch(batch: BatchView): boolean {
    this.#beginUpTo(batch.lastOffset)
    if (batch.recordCount === 0) return true
    const marker = readEndTransactionMarker(batch)
    if (marker === undefined) return false
    const { producerId } = batch
    if (marker.type === 'commit') return !this.#committed.delete(producerId)
    const aborted = this.#aborted.get(producerId)
    this.#aborted.delete(producerId)
    if (aborted === undefined || !aborted.hasBatches) return true
    this.cleanedIndex?.append(aborted.transaction)
    return false
  }

  #beginUpTo(offset: number): void {
    for (
      let next = this.#upcoming[0];
      next !== undefined && next.firstOffset <= offset;
      next = this.#upcoming[0]
    ) {
      this.#upcoming.shift()
      if (!this.#aborted.has(next.producerId)) {
        this.#aborted.set(next.producerId, { transaction: next, hasBatches: false })
      }
    }
  }
}
