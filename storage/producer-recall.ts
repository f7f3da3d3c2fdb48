/**
 * Recalls the batches of a producer that a snapshot left out. Kafka's snapshots hold the last batch of each, and producers have up to five
 * in flight: one that sends them again to a broker that was stopped in order and leads anew would be out of order, take a new epoch and
 * write them twice. The log still holds them, so they are looked for when that happens, once a producer.
 */
import { BatchCursor } from '../common/record/batch.ts'
import { type ProducerBatch, type ProducerStateEntry, REMEMBERED_BATCHES } from './producer-entry.ts'
import type { ProducerState } from './producer-state.ts'
import type { Segments } from './segments.ts'

/** How far back to look: further with each try, and no further once so much was read. */
const DISTANCES_OFFSETS = [100, 1000, 10_000, 100_000]
const ENOUGH_BYTES = 16 * 1024 * 1024

/** Looks for what is not remembered of the producers of these batches. @returns whether anything was found */
export function recallBatches(producers: ProducerState, segments: Segments, records: Buffer): boolean {
  let isAnyFound = false
  const cursor = new BatchCursor(records)
  while (cursor.next()) {
    const { batch } = cursor
    const entry = batch.hasProducerId ? producers.entry(batch.producerId) : undefined
    if (entry === undefined || !entry.isAbridged) continue
    entry.isAbridged = false
    const earlier = earlierBatches(entry, segments)
    entry.batches.unshift(...earlier)
    isAnyFound ||= earlier.length > 0
  }
  return isAnyFound
}

function earlierBatches(entry: ProducerStateEntry, segments: Segments): ProducerBatch[] {
  const oldest = entry.batches[0]
  const missing = REMEMBERED_BATCHES - entry.batches.length
  if (oldest === undefined || missing <= 0) return []
  const endOffset = oldest.lastOffset - oldest.offsetDelta
  let found: ProducerBatch[] = []
  for (const distance of DISTANCES_OFFSETS) {
    const from = Math.max(endOffset - distance, segments.first.baseOffset)
    const scanned = scanBatches(entry, segments, { from, endOffset })
    found = scanned.batches.slice(-missing)
    const isEverythingRead = from === segments.first.baseOffset || scanned.readBytes > ENOUGH_BYTES
    if (found.length === missing || isEverythingRead) break
  }
  return found
}

function scanBatches(
  { producerId, producerEpoch }: ProducerStateEntry,
  segments: Segments,
  { from, endOffset }: { from: number; endOffset: number },
): { batches: ProducerBatch[]; readBytes: number } {
  const batches: ProducerBatch[] = []
  let readBytes = 0
  for (const segment of segments.range(from, endOffset)) {
    const scan = segment.findBatch(Math.max(from, segment.baseOffset))
    if (scan === undefined) continue
    const start = scan.batchPosition
    do {
      const { batch } = scan
      if (batch.baseOffset >= endOffset) break
      if (batch.producerId !== producerId || batch.producerEpoch !== producerEpoch || batch.isControl)
        continue
      const { lastSequence, lastOffset, maxTimestamp } = batch
      batches.push({
        lastSequence,
        lastOffset,
        offsetDelta: lastOffset - batch.baseOffset,
        timestamp: maxTimestamp,
      })
    } while (scan.next())
    readBytes += scan.position - start
  }
  return { batches, readBytes }
}
