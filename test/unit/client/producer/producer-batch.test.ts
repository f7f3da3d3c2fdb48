import { expect, it } from 'vitest'
import { ProducerBatch } from '../../../../client/producer/producer-batch.ts'
import type { BatchMemory } from '../../../../common/record/batch-builder.ts'
import { CompressionType } from '../../../../common/record/codecs.ts'
import { RecycledBytes } from '../../../../common/runtime/recycled-bytes.ts'

const payload = Buffer.alloc(20_000, 'x')

function batchIn(
  memory: BatchMemory,
  compressionType: CompressionType = CompressionType.none,
): ProducerBatch {
  const batch = new ProducerBatch(
    { compressionType, compressionLevel: undefined, isTransactional: false, memory },
    { order: 0, createdMs: 0, dueMs: 0, initialBytes: 512 },
  )
  batch.append(1, null, payload, [])
  return batch
}

it('the memory of an acknowledged batch serves the next one when no link reads it any more', () => {
  const memory = new RecycledBytes()
  const first = batchIn(memory)
  const bytes = first.encode()
  const released = first.beginSend()
  first.over()
  expect(batchIn(memory).encode().buffer).not.toBe(bytes.buffer)
  released()
  expect(batchIn(memory).encode().buffer).toBe(bytes.buffer)
})

it('a batch that is sent again keeps its memory when only one of its links is done with it', () => {
  const memory = new RecycledBytes()
  const batch = batchIn(memory)
  const { buffer } = batch.encode()
  batch.beginSend()
  const released = batch.beginSend()
  released()
  batch.over()
  expect(batchIn(memory).encode().buffer).not.toBe(buffer)
})

it.each([
  ['as it is', CompressionType.none],
  ['compressed', CompressionType.gzip],
])('a batch that is sent %s keeps nothing of the memory that it outgrew', (_, compressionType) => {
  const held = new Set<unknown>()
  const memory: BatchMemory = {
    take: (sizeBytes) => {
      const buffer = Buffer.alloc(sizeBytes)
      held.add(buffer.buffer)
      return buffer
    },
    give: ({ buffer }) => void held.delete(buffer),
  }
  const batch = batchIn(memory, compressionType)
  for (let count = 1; count < 10; count++) batch.append(1, null, payload, [])
  batch.encode()
  expect(held.size).toBe(1)
})

it('the halves of a batch that was too large know that the broker may have stored it, and how often it was tried', () => {
  const batch = batchIn(new RecycledBytes())
  batch.append(1, null, payload, [])
  batch.isPossiblyPersisted = true
  batch.attempts = 2
  for (const half of batch.split()) expect(half).toMatchObject({ isPossiblyPersisted: true, attempts: 2 })
})
