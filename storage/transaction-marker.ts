/**
 * Reads the one record of a control batch that ends a transaction.
 */
import { BATCH_HEADER_BYTES, type BatchView } from '../common/record/batch.ts'
import { VarintCursor } from '../common/record/varint.ts'

export interface EndTransactionMarker {
  readonly type: 'commit' | 'abort'
  readonly coordinatorEpoch: number
  readonly timestamp: number
}

const ABORT = 0
const COMMIT = 1

/**
 * The marker that a control batch holds, or undefined when its record is of another kind (leader change, snapshot header
 * and the like) or cannot be read. Control batches are never compressed.
 */
export function readEndTransactionMarker(batch: BatchView): EndTransactionMarker | undefined {
  const { buffer } = batch
  const cursor = new VarintCursor(buffer, batch.position + BATCH_HEADER_BYTES, batch.end)
  cursor.readVarint() // length
  cursor.readInt8() // attributes
  cursor.readVarlong() // timestamp delta
  cursor.readVarint() // offset delta
  const keyLength = cursor.readVarint()
  const keyStart = cursor.position
  if (cursor.malformed || keyLength < 4 || keyStart + keyLength > batch.end) return undefined
  const type = buffer.readInt16BE(keyStart + 2)
  if (type !== ABORT && type !== COMMIT) return undefined
  cursor.position = keyStart + keyLength
  const valueLength = cursor.readVarint()
  const valueStart = cursor.position
  if (cursor.malformed || valueLength < 6 || valueStart + valueLength > batch.end) return undefined
  return {
    type: type === COMMIT ? 'commit' : 'abort',
    coordinatorEpoch: buffer.readInt32BE(valueStart + 2),
    timestamp: batch.maxTimestamp,
  }
}
