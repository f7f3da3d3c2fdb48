/** Large requests are read into memory that the next ones overwrite: nothing that a log keeps may lie there. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/cluster.ts'
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import { BatchCursor } from '../../common/record/batch.ts'
import { type RawClient, rawClient } from '../support/raw-client.ts'
import { batchOf, recordsIn } from '../support/records.ts'

const BATCHES = 240
const TOPIC = 'large'
const timeoutMs = 20_000

const undo: (() => unknown)[] = []

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

async function clusterOn(place: 'files' | 'memory'): Promise<Cluster> {
  if (place === 'memory') return startCluster()
  const dataDir = await mkdtemp(join(tmpdir(), 'kafkito-requests-'))
  undo.push(() => rm(dataDir, { recursive: true }))
  return startCluster({ dataDir })
}

function clientOf(cluster: Cluster): RawClient {
  const client = rawClient(cluster.bootstrapServers)
  undo.push(() => client.close())
  return client
}

/** Between 10 and 70 KiB, each with bytes of its own. */
function textOf(writer: number, number: number): string {
  return `${writer}:${number}:`.repeat(1500 + ((number * 397) % 8000))
}

async function write(client: RawClient, topicId: string, writer: number): Promise<void> {
  const answers = Array.from({ length: BATCHES }, (_, number) =>
    client.call(Produce, {
      acks: number % 2 === 0 ? 1 : -1,
      timeoutMs,
      topicData: [
        { topicId, partitionData: [{ index: writer, records: batchOf([textOf(writer, number)]) }] },
      ],
    }),
  )
  const errors = (await Promise.all(answers)).map(
    ({ responses }) => responses[0]?.partitionResponses[0]?.errorCode,
  )
  expect(new Set(errors)).toEqual(new Set([0]))
}

async function read(client: RawClient, topicId: string, partition: number): Promise<(string | null)[]> {
  const values: (string | null)[] = []
  while (values.length < BATCHES) {
    const topics = [
      { topicId, partitions: [{ partition, fetchOffset: values.length, partitionMaxBytes: 200_000 }] },
    ]
    const answer = await client.call(Fetch, { maxWaitMs: 500, minBytes: 1, topics })
    const records = answer.responses[0]?.partitions[0]?.records ?? Buffer.alloc(0)
    const cursor = new BatchCursor(records)
    while (cursor.next()) expect(cursor.batch.isValid).toBe(true)
    values.push(...recordsIn(records).map(({ value }) => value))
  }
  return values
}

describe.each(['files', 'memory'] as const)('records in large requests, kept in %s', (place) => {
  it('read the same at the end of the log and from its beginning, however many requests follow', async () => {
    const cluster = await clusterOn(place)
    undo.push(() => cluster.stop())
    const admin = clientOf(cluster)
    const topic = { name: TOPIC, numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }
    const created = await admin.call(CreateTopics, { topics: [topic], timeoutMs })
    const topicId = created.topics[0]?.topicId as string
    const [zero, one] = await Promise.all([
      read(clientOf(cluster), topicId, 0),
      read(clientOf(cluster), topicId, 1),
      write(clientOf(cluster), topicId, 0),
      write(clientOf(cluster), topicId, 1),
    ])
    const expected = [0, 1].map((writer) =>
      Array.from({ length: BATCHES }, (_, number) => textOf(writer, number)),
    )
    expect([zero, one]).toEqual(expected)
    expect(await read(admin, topicId, 0)).toEqual(expected[0])
    expect(await read(admin, topicId, 1)).toEqual(expected[1])
  })
})
