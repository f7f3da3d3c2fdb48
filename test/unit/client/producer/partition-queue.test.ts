import { expect, it } from 'vitest'
import { PartitionQueue } from '../../../../client/producer/partition-queue.ts'

it('a batch has expired at the moment for which its timer is set, however fractions of milliseconds are rounded', () => {
  const createdMs = 3209.060244672734
  const timeoutMs = 1258
  const dueMs = createdMs + timeoutMs
  expect(dueMs - createdMs).toBeLessThan(timeoutMs)
  const queue = new PartitionQueue('orders', 0, false)
  const limits = { maxRecords: 10, maxBytes: 1000, lingerMs: 0, maxAgeMs: 1000 }
  const format = { compressionType: 0, compressionLevel: undefined, isTransactional: false } as const
  const batch = queue.batchFor(10, createdMs, createdMs, limits, format)
  queue.append(batch, 0, null, Buffer.from('value'), [], 10, undefined)
  expect(queue.takeExpired(dueMs, timeoutMs)).toEqual([batch])
})
