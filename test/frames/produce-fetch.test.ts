import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/index.ts'
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { ListOffsets } from '../../common/protocol/apis/02-list-offsets.ts'
import { Metadata } from '../../common/protocol/apis/03-metadata.ts'
import { ApiVersions } from '../../common/protocol/apis/18-api-versions.ts'
import { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { type RawClient, rawClient } from '../support/raw-client.ts'
import { batchOf, recordsIn } from '../support/records.ts'

let cluster: Cluster
let client: RawClient
let topicId: string

beforeAll(async () => {
  cluster = await startCluster()
  client = rawClient(cluster.bootstrapServers)
  const created = await client.call(CreateTopics, {
    topics: [{ name: 'orders', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 5_000,
  })
  topicId = created.topics[0]?.topicId as string
})

afterAll(async () => {
  client.close()
  await cluster.stop()
})

function produce(records: Buffer, acks = -1) {
  return client.call(Produce, {
    acks,
    timeoutMs: 5_000,
    topicData: [{ topicId, partitionData: [{ index: 0, records }] }],
  })
}

function fetch(fetchOffset: number) {
  return client.call(Fetch, {
    maxWaitMs: 500,
    minBytes: 1,
    topics: [{ topicId, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }] }],
  })
}

describe('one broker over TCP', () => {
  it('tells the versions of its APIs', async () => {
    const answer = await client.call(
      ApiVersions,
      { clientSoftwareName: 'test', clientSoftwareVersion: '1' },
      3,
    )
    expect(answer.errorCode).toBe(ErrorCode.NONE)
    expect(answer.apiKeys).toContainEqual({ apiKey: 0, minVersion: 0, maxVersion: 13 })
  })

  it('lists itself and its topics in Metadata', async () => {
    const answer = await client.call(Metadata, { topics: null, allowAutoTopicCreation: false })
    expect(answer.brokers).toHaveLength(1)
    expect(answer.topics.map(({ name }) => name)).toContain('orders')
  })

  it('gives back the records that were produced, from the offset asked', async () => {
    const produced = await produce(batchOf(['a', 'b', 'c']))
    const [partition] = produced.responses[0]?.partitionResponses ?? []
    expect(partition).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: 0 })
    const fetched = await fetch(1)
    const read = fetched.responses[0]?.partitions[0]
    expect(read).toMatchObject({ errorCode: ErrorCode.NONE, highWatermark: 3 })
    expect(recordsIn(read?.records ?? null).map(({ value }) => value)).toEqual(['a', 'b', 'c'])
  })

  it('answers a fetch in the order of its partitions, and names last what is not there', async () => {
    const created = await client.call(CreateTopics, {
      topics: ['left', 'right'].map((name) => ({
        name,
        numPartitions: 2,
        replicationFactor: 1,
        assignments: [],
        configs: [],
      })),
      timeoutMs: 5_000,
    })
    const [left, right] = created.topics.map((topic) => topic.topicId as string)
    const asked = [
      [left, 1],
      [left, 7],
      [right, 0],
      [left, 0],
    ] as const
    const answer = await client.call(Fetch, {
      maxWaitMs: 0,
      minBytes: 0,
      sessionEpoch: -1,
      topics: asked.map(([topicId = '', partition]) => ({
        topicId,
        partitions: [{ partition, fetchOffset: 0, partitionMaxBytes: 1 << 20 }],
      })),
    })
    expect(
      answer.responses.map(({ topicId, partitions }) => [topicId, partitions[0]?.partitionIndex]),
    ).toEqual([
      [left, 1],
      [right, 0],
      [left, 0],
    ])
    const last = answer.responses.at(-1)?.partitions
    expect(last?.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode])).toEqual([
      [0, ErrorCode.NONE],
      [7, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ])
  })

  it('lets a fetch wait until records arrive', async () => {
    const end = await client.call(ListOffsets, {
      replicaId: -1,
      topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
    })
    const offset = end.topics[0]?.partitions[0]?.offset as number
    const reader = rawClient(cluster.bootstrapServers)
    const waiting = reader.call(Fetch, {
      maxWaitMs: 10_000,
      minBytes: 1,
      topics: [{ topicId, partitions: [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 1 << 20 }] }],
    })
    await produce(batchOf(['late']))
    const answer = await waiting
    reader.close()
    expect(recordsIn(answer.responses[0]?.partitions[0]?.records ?? null)).toEqual([
      { offset, key: null, value: 'late' },
    ])
  })
})
