import { expect, it } from 'vitest'
import { startCluster } from '../../broker/index.ts'
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { Metadata } from '../../common/protocol/apis/03-metadata.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { BatchBuilder } from '../../common/record/batch-builder.ts'
import { rawClient } from '../support/raw-client.ts'

it('a topic is not made where the broker forbids it, whatever the client permits', async () => {
  const cluster = await startCluster({ config: { 'auto.create.topics.enable': 'false' } })
  const client = rawClient(cluster.bootstrapServers)
  try {
    const ask = () =>
      client.call(Metadata, { topics: [{ name: 'orders' }], allowAutoTopicCreation: true }, 12)
    for (let time = 0; time < 2; time++)
      expect((await ask()).topics[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const builder = new BatchBuilder()
    builder.append(0, null, Buffer.from('v'))
    const topicData = [{ name: 'orders', partitionData: [{ index: 0, records: builder.build() }] }]
    const { responses } = await client.call(Produce, { acks: -1, timeoutMs: 1000, topicData }, 12)
    expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect((await client.call(Metadata, { topics: null, allowAutoTopicCreation: true })).topics).toEqual([])
  } finally {
    client.close()
    await cluster.stop()
  }
})
