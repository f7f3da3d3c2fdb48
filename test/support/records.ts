/**
 * Batches for tests, and what is in them.
 */
import { BatchCursor } from '../../common/record/batch.ts'
import { BatchBuilder, type BatchBuilderOptions } from '../../common/record/batch-builder.ts'
import { RecordReader } from '../../common/record/record-reader.ts'

export function batchOf(values: readonly (string | null)[], options: BatchBuilderOptions = {}): Buffer {
  const builder = new BatchBuilder(options)
  for (const value of values)
    builder.append(Date.UTC(2026, 0, 1), null, value === null ? null : Buffer.from(value))
  return builder.build()
}

export interface ReadRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
}

/** The data records of all batches, control batches left out. */
export function recordsIn(buffer: Buffer | null): ReadRecord[] {
  const found: ReadRecord[] = []
  const cursor = new BatchCursor(buffer ?? Buffer.alloc(0))
  while (cursor.next()) {
    if (cursor.batch.isControl) continue
    const reader = new RecordReader(cursor.batch)
    while (reader.next()) {
      found.push({
        offset: reader.offset,
        key: reader.key?.toString() ?? null,
        value: reader.value?.toString() ?? null,
      })
    }
  }
  return found
}
