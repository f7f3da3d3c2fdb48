import { expect, it } from 'vitest'
import { startCluster } from '../../broker/cluster.ts'
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { createNodeRuntime } from '../../common/runtime/node/runtime.ts'
import { rawClient } from '../support/raw-client.ts'
import { batchOf } from '../support/records.ts'
import { Ledger } from './ledger.ts'

const MIB = 1024 * 1024

it('a cluster in memory takes half of the machine, and refuses more as Kafka does when its disk is full', async () => {
  const runtime = createNodeRuntime({ forgetsStalls: true })
  const cluster = await startCluster({ runtime: { ...runtime, memoryBytes: 16 * MIB } as typeof runtime })
  const client = rawClient(cluster.bootstrapServers)
  try {
    const ledger = new Ledger()
    await ledger.createTopic(client, 'stream')
    const topicId = ledger.topicIds.get('stream') as string
    const records = batchOf(['x'.repeat(MIB / 2)])
    const topicData = [{ topicId, partitionData: [{ index: 0, records }] }]
    let acceptedBytes = 0
    let errorCode: number = ErrorCode.NONE
    while (errorCode === ErrorCode.NONE && acceptedBytes < 16 * MIB) {
      const answer = await client.call(Produce, { acks: 1, timeoutMs: 5_000, topicData })
      errorCode = answer.responses[0]?.partitionResponses[0]?.errorCode as number
      if (errorCode === ErrorCode.NONE) acceptedBytes += records.length
    }
    expect(errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(acceptedBytes).toBeGreaterThan(6 * MIB)
    expect(acceptedBytes).toBeLessThan(8 * MIB)
  } finally {
    client.close()
    // A shutdown in order would wait for a controller that can write no more.
    cluster.node(1).kill()
    await cluster.stop()
    runtime.close()
  }
})
