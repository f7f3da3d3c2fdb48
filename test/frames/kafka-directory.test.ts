import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/index.ts'
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { Metadata } from '../../common/protocol/apis/03-metadata.ts'
import { OffsetFetch } from '../../common/protocol/apis/09-offset-fetch.ts'
import { DescribeTransactions } from '../../common/protocol/apis/65-describe-transactions.ts'
import { ListTransactions } from '../../common/protocol/apis/66-list-transactions.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { BatchCursor } from '../../common/record/batch.ts'
import { decodeRecords } from '../../common/record/record-reader.ts'
import { type RawClient, rawClient } from '../support/raw-client.ts'

interface ExpectedRecord {
  isolation: 'read_committed' | 'read_uncommitted'
  topic: string
  partition: number
  offset: number
  timestamp: number
  key: string | null
  value: string | null
}

const storage = fileURLToPath(new URL('../storage', import.meta.url))
const expected = readFileSync(join(storage, 'kafka-4.3.1-records.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as ExpectedRecord)

let directory: string
let cluster: Cluster
let client: RawClient
let topicIds: Map<string, string>

async function open(): Promise<void> {
  cluster = await startCluster({ dataDir: directory, profile: 'kafka' })
  client = rawClient(cluster.bootstrapServers)
  const { topics } = await client.call(Metadata, { topics: null })
  topicIds = new Map(topics.map(({ name, topicId }) => [name as string, topicId]))
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kafkito-'))
  cpSync(join(storage, 'kafka-4.3.1'), directory, { recursive: true })
  await open()
})

afterAll(async () => {
  client.close()
  await cluster.stop()
  rmSync(directory, { recursive: true })
})

/** Reads a partition to its end as a consumer of this isolation does. */
async function consume(topic: string, partition: number, isolation: ExpectedRecord['isolation']) {
  const found: Omit<ExpectedRecord, 'isolation' | 'topic' | 'partition'>[] = []
  for (let offset = 0; ; ) {
    const answer = await client.call(Fetch, {
      maxWaitMs: 0,
      minBytes: 0,
      isolationLevel: isolation === 'read_committed' ? 1 : 0,
      topics: [
        {
          topicId: topicIds.get(topic) as string,
          partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: 8192 }],
        },
      ],
    })
    const read = answer.responses[0]?.partitions[0]
    expect(read?.errorCode).toBe(ErrorCode.NONE)
    const aborted = new Map(
      read?.abortedTransactions?.map(({ producerId, firstOffset }) => [producerId, firstOffset]),
    )
    const cursor = new BatchCursor(read?.records ?? Buffer.alloc(0))
    let next = offset
    while (cursor.next()) {
      const { batch } = cursor
      next = batch.nextOffset
      const isInAborted = batch.baseOffset >= (aborted.get(batch.producerId) ?? Number.POSITIVE_INFINITY)
      if (batch.isControl) {
        if (isInAborted) aborted.delete(batch.producerId)
        continue
      }
      if (batch.isTransactional && isInAborted) continue
      for (const record of decodeRecords(batch).records) {
        found.push({
          offset: record.offset,
          timestamp: record.timestamp,
          key: record.key?.toString() ?? null,
          value: record.value?.toString() ?? null,
        })
      }
    }
    if (next === offset) return found
    offset = next
  }
}

async function expectEverything(): Promise<void> {
  const partitions = new Set(
    expected.map(({ topic, partition, isolation }) => `${topic} ${partition} ${isolation}`),
  )
  for (const name of partitions) {
    const [topic, partition, isolation] = name.split(' ') as [string, string, ExpectedRecord['isolation']]
    const wanted = expected
      .filter((r) => r.topic === topic && r.partition === Number(partition) && r.isolation === isolation)
      .map(({ offset, timestamp, key, value }) => ({ offset, timestamp, key, value }))
    expect(await consume(topic, Number(partition), isolation), name).toEqual(wanted)
  }
}

async function committed(groupId: string) {
  const answer = await client.call(OffsetFetch, { groups: [{ groupId, topics: null }] }, 8)
  const [group] = answer.groups
  return Object.fromEntries(
    (group?.topics ?? []).flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, committedOffset }) => [`${name}-${partitionIndex}`, committedOffset]),
    ),
  )
}

describe('a data directory that Kafka wrote', () => {
  it('is served over TCP, record by record, for both isolation levels', expectEverything)

  it('keeps the committed offsets of classic and consumer groups', async () => {
    expect(await committed('group-classic')).toEqual({ 'codecs-2': 50, 'plain-0': 7 })
    expect(await committed('group-consumer')).toEqual({ 'codecs-2': 50, 'plain-0': 7 })
  })

  it('keeps its transactions', async () => {
    const { transactionStates } = await client.call(ListTransactions, {
      stateFilters: [],
      producerIdFilters: [],
    })
    expect(transactionStates.length).toBeGreaterThan(0)
    const described = await client.call(DescribeTransactions, {
      transactionalIds: transactionStates.map(({ transactionalId }) => transactionalId),
    })
    for (const state of described.transactionStates) {
      expect(state.transactionState).toMatch(/^Complete(Commit|Abort)$/)
    }
  })

  it('is the same after a clean restart and after a killed process', async () => {
    client.close()
    await cluster.stop()
    await open()
    await expectEverything()
    client.close()
    cluster.kill()
    await open()
    await expectEverything()
    expect(await committed('group-classic')).toEqual({ 'codecs-2': 50, 'plain-0': 7 })
  })
})
