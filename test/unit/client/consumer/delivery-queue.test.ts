import { expect, test } from 'vitest'
import { AssignedPartition } from '../../../../client/consumer/assigned-partition.ts'
import { DeliveryQueue, type Taken } from '../../../../client/consumer/delivery-queue.ts'
import { FetchChunk } from '../../../../client/consumer/fetch-chunk.ts'
import { BatchBuilder } from '../../../../common/record/batch-builder.ts'

function chunkOf(partition: number, fetchOffset: number, count: number): FetchChunk {
  const builder = new BatchBuilder({ baseOffset: fetchOffset })
  for (let index = 0; index < count; index++) builder.append(0, null, Buffer.from(`${index}`))
  return new FetchChunk({
    ...{ topic: 't', partition, records: builder.build(), fetchOffset },
    ...{ abortedTransactions: undefined, checksCrcs: false },
  })
}

function place({ message }: Taken): string {
  return `${message.partition()}@${message.offset()}`
}

/** As a batch is filled: to the limit, or until another partition comes, whose message goes back. */
function nextBatch(queue: DeliveryQueue, count: number): string[] {
  const taken: Taken[] = []
  while (taken.length < count) {
    const message = queue.next()
    if (message === undefined) break
    const one = { message, source: queue.source }
    if (taken[0] !== undefined && one.source !== taken[0].source) {
      queue.unread([one])
      break
    }
    taken.push(one)
  }
  return taken.map(place)
}

test('a message that was taken back goes on with its partition, so that batches stay as long as what was fetched', () => {
  const queue = new DeliveryQueue(() => {})
  const partitions = [0, 1].map((id) => new AssignedPartition('t', id, 1024))
  for (const offset of [0, 3]) {
    for (const partition of partitions) queue.push(partition, chunkOf(partition.id, offset, 3))
  }
  const batches = [1, 2, 3, 4, 5].map(() => nextBatch(queue, 10))
  expect(batches).toEqual([
    ['0@0', '0@1', '0@2'],
    ['1@0', '1@1', '1@2'],
    ['0@3', '0@4', '0@5'],
    ['1@3', '1@4', '1@5'],
    [],
  ])
})
