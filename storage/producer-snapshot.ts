/**
 * Producer snapshot files (`<offset>.snapshot`): what the log knows of its producers just before an offset, so that
 * opening it need not read the whole log.
 *
 *     version i16 = 1 │ crc u32 (CRC-32C of what follows) │ count i32 │ count ×
 *       producerId i64 │ producerEpoch i16 │ lastSequence i32 │ lastOffset i64 │ offsetDelta i32 │ timestamp i64 │
 *       coordinatorEpoch i32 │ currentTransactionFirstOffset i64
 */
import { readInt64, writeInt64 } from '../common/record/batch.ts'
import { crc32c } from '../common/record/crc32c.ts'
import { createProducerEntry, type ProducerStateEntry } from './producer-entry.ts'

const VERSION = 1
const HEADER_BYTES = 10
const ENTRY_BYTES = 46
const CRC_START = 6
const NONE = -1

export function encodeProducerSnapshot(entries: readonly ProducerStateEntry[]): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + entries.length * ENTRY_BYTES)
  buffer.writeInt16BE(VERSION, 0)
  buffer.writeInt32BE(entries.length, 6)
  let at = HEADER_BYTES
  for (const entry of entries) {
    const last = entry.batches.at(-1)
    writeInt64(buffer, at, entry.producerId)
    buffer.writeInt16BE(entry.producerEpoch, at + 8)
    buffer.writeInt32BE(last?.lastSequence ?? NONE, at + 10)
    writeInt64(buffer, at + 14, last?.lastOffset ?? NONE)
    buffer.writeInt32BE(last?.offsetDelta ?? 0, at + 22)
    writeInt64(buffer, at + 26, entry.lastTimestamp)
    buffer.writeInt32BE(entry.coordinatorEpoch, at + 34)
    writeInt64(buffer, at + 38, entry.currentTransactionFirstOffset)
    at += ENTRY_BYTES
  }
  buffer.writeUInt32BE(crc32c(buffer, CRC_START), 2)
  return buffer
}

/** @returns undefined when the content is torn, corrupt or of an unknown version */
export function decodeProducerSnapshot(buffer: Buffer): ProducerStateEntry[] | undefined {
  if (buffer.length < HEADER_BYTES || buffer.readInt16BE(0) !== VERSION) return undefined
  if (crc32c(buffer, CRC_START) !== buffer.readUInt32BE(2)) return undefined
  const count = buffer.readInt32BE(6)
  if (count < 0 || buffer.length !== HEADER_BYTES + count * ENTRY_BYTES) return undefined
  const entries: ProducerStateEntry[] = []
  for (let at = HEADER_BYTES; at < buffer.length; at += ENTRY_BYTES) {
    const entry = createProducerEntry(readInt64(buffer, at))
    entry.producerEpoch = buffer.readInt16BE(at + 8)
    entry.lastTimestamp = readInt64(buffer, at + 26)
    entry.coordinatorEpoch = buffer.readInt32BE(at + 34)
    entry.currentTransactionFirstOffset = readInt64(buffer, at + 38)
    const lastOffset = readInt64(buffer, at + 14)
    if (lastOffset >= 0) {
      entry.isAbridged = true
      entry.batches.push({
        lastSequence: buffer.readInt32BE(at + 10),
        lastOffset,
        offsetDelta: buffer.readInt32BE(at + 22),
        timestamp: entry.lastTimestamp,
      })
    }
    entries.push(entry)
  }
  return entries
}
