import { expect, it } from 'vitest'
import { PartitionQueue } from '../../../../client/producer/partition-queue.ts'
import type { ProducerBatch } from '../../../../client/producer/producer-batch.ts'

it('sequence numbers go on with 0 after 2^31 - 1', () => {
  const partition = new PartitionQueue('t', 0, false)
  const identity = { producerId: 7, producerEpoch: 0 }
  const given: number[] = []
  const batch = (recordCount: number): ProducerBatch =>
    ({
      recordCount,
      baseSequence: -1,
      assignSequence: (_identity: unknown, baseSequence: number) => void given.push(baseSequence),
    }) as unknown as ProducerBatch
  partition.assignSequence(batch(1), identity)
  partition.nextSequence = 2 ** 31 - 3
  for (const count of [2, 1, 1]) partition.assignSequence(batch(count), identity)
  partition.nextSequence = 2 ** 31 - 3
  for (const count of [5, 1]) partition.assignSequence(batch(count), identity)
  expect(given).toEqual([0, 2 ** 31 - 3, 2 ** 31 - 1, 0, 2 ** 31 - 3, 2])
})
