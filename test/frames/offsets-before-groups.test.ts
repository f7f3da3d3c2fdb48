import { describe, expect, it, vi } from 'vitest'
import { startCluster } from '../../broker/cluster.ts'
import { FindCoordinator } from '../../common/protocol/apis/10-find-coordinator.ts'
import { InitProducerId } from '../../common/protocol/apis/22-init-producer-id.ts'
import { AddOffsetsToTxn } from '../../common/protocol/apis/25-add-offsets-to-txn.ts'
import { EndTxn } from '../../common/protocol/apis/26-end-txn.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { rawClient } from '../support/raw-client.ts'

const TRANSACTION_KEY_TYPE = 1
const STABLE_VERSION = 5
const VERSION_WITH_ADD_OFFSETS = 4

function eventually<Value>(attempt: () => Promise<Value>): Promise<Value> {
  return vi.waitFor(attempt, { timeout: 20_000, interval: 20 })
}

describe('a transaction in a cluster without groups', () => {
  it('takes the offsets of a group in before __consumer_offsets exists, and ends', async () => {
    const cluster = await startCluster({ brokers: 1 })
    const client = rawClient(cluster.bootstrapServers)
    const id = { transactionalId: 'tx' }
    await eventually(async () => {
      const found = await client.call(FindCoordinator, {
        keyType: TRANSACTION_KEY_TYPE,
        coordinatorKeys: [id.transactionalId],
      })
      expect(found.coordinators[0]?.errorCode).toBe(ErrorCode.NONE)
    })
    const request = { ...id, transactionTimeoutMs: 60_000, producerId: -1, producerEpoch: -1 }
    const producer = await eventually(async () => {
      const { errorCode, producerId, producerEpoch } = await client.call(
        InitProducerId,
        request,
        STABLE_VERSION,
      )
      expect(errorCode).toBe(ErrorCode.NONE)
      return { ...id, producerId, producerEpoch }
    })
    expect(await client.call(AddOffsetsToTxn, { ...producer, groupId: 'g' })).toMatchObject({
      errorCode: ErrorCode.NONE,
    })
    expect(
      await client.call(EndTxn, { ...producer, committed: true }, VERSION_WITH_ADD_OFFSETS),
    ).toMatchObject({ errorCode: ErrorCode.NONE })
    // It has ended when the next one may begin.
    await eventually(async () => {
      const added = await client.call(AddOffsetsToTxn, { ...producer, groupId: 'g' })
      expect(added.errorCode).toBe(ErrorCode.NONE)
    })
    expect(cluster.brokers[0]?.services.metadata.topicsByName.has('__consumer_offsets')).toBe(false)
    client.close()
    await cluster.stop()
  })
})
