/** What DeleteRecords of a leader means for replicas that were away. */
import { expect, it } from 'vitest'
import { startCluster } from '../../broker/index.ts'
import { DeleteRecords } from '../../common/protocol/apis/21-delete-records.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { ask, PATIENT, replicaOn } from './support.ts'

it('a replica whose log ends before the leader begins joins the ISR again, also where the leader begins within a batch', async () => {
  await using cluster = await startCluster({ brokers: 3, topics: { orders: { assignments: [[1, 2, 3]] } } })
  await cluster.topic('orders').produce(['0', '1'])
  await cluster.broker(3).stop()
  await cluster.topic('orders').produce(['2', '3', '4', '5', '6', '7'])
  const { topics } = await ask(cluster, DeleteRecords, {
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, offset: 5 }] }],
    timeoutMs: 20_000,
  })
  expect(topics[0]?.partitions[0]).toMatchObject({ errorCode: ErrorCode.NONE, lowWatermark: 5 })
  await cluster.broker(3).start()
  await cluster.waitFor.isr('orders-0', [1, 2, 3], PATIENT)
  const { logStartOffset, logEndOffset } = replicaOn(cluster, 3, 'orders')?.log ?? {}
  expect({ logStartOffset, logEndOffset }).toEqual({ logStartOffset: 5, logEndOffset: 8 })
})
