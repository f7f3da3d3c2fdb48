/**
 * Metadata transactions (KIP-868): records between begin and end take effect together at the end, or never when aborted.
 */
import type { MetadataRecord } from './metadata-record.ts'

export class TransactionFilter<Context> {
  #held: { readonly record: MetadataRecord; readonly context: Context }[] | undefined

  /** Between a begin record and its end: what is replayed now is held back. */
  get isOpen(): boolean {
    return this.#held !== undefined
  }

  replay(
    record: MetadataRecord,
    context: Context,
    apply: (record: MetadataRecord, context: Context) => void,
  ): void {
    switch (record.type) {
      case 'BeginTransactionRecord':
        if (this.#held !== undefined)
          throw new Error('the metadata log is broken: a transaction begins in another')
        this.#held = []
        return
      case 'EndTransactionRecord': {
        const held = this.#held
        if (held === undefined) throw new Error('the metadata log is broken: no transaction to end')
        this.#held = undefined
        for (const entry of held) apply(entry.record, entry.context)
        return
      }
      case 'AbortTransactionRecord':
        if (this.#held === undefined) throw new Error('the metadata log is broken: no transaction to abort')
        this.#held = undefined
        return
      default:
        if (this.#held === undefined) apply(record, context)
        else this.#held.push({ record, context })
    }
  }
}
