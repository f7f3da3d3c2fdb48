import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster, type TestCluster } from '../../broker/index.ts'
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { joinFrame } from '../../common/protocol/frame.ts'
import { encodeRequestFrame } from '../../common/protocol/header.ts'
import { RawConnection } from '../differential/raw-client.ts'
import { type RawClient, rawClient } from '../support/raw-client.ts'
import { batchOf } from '../support/records.ts'
import { until } from '../support/until.ts'

const TOPIC = 'orders'

let cluster: TestCluster
let client: RawClient

function leader() {
  return cluster.node(1).broker?.services.replicas.partition(TOPIC, 0)
}

function produceRequest(value: string) {
  return {
    acks: -1,
    timeoutMs: 20_000,
    topicData: [{ name: TOPIC, partitionData: [{ index: 0, records: batchOf([value]) }] }],
  }
}

async function produce(value: string) {
  const answer = await client.call(Produce, produceRequest(value), 9)
  const { errorCode, baseOffset } = answer.responses[0]?.partitionResponses[0] ?? {}
  return { errorCode, baseOffset }
}

async function whileFollowersCopyNothing(body: () => Promise<void>): Promise<void> {
  for (const nodeId of [2, 3]) cluster.broker(nodeId).pauseFetch()
  try {
    await body()
  } finally {
    for (const nodeId of [2, 3]) cluster.broker(nodeId).resumeFetch()
  }
}

beforeAll(async () => {
  // A journal stands between requests and handlers; what is tested here is how they run without one.
  cluster = await startCluster({ brokers: 3, journal: false, config: { 'replica.lag.time.max.ms': 30_000 } })
  await cluster.topic(TOPIC).create({ assignments: [[1, 2, 3]] })
  client = rawClient(cluster.broker(1).address)
})

afterAll(async () => {
  client.close()
  await cluster.stop()
})

describe('Produces that one connection has under way', () => {
  it('are all appended while the first still waits for replicas, and answered in order', async () => {
    const order: number[] = []
    let answers: ReturnType<typeof produce>[] = []
    await whileFollowersCopyNothing(async () => {
      answers = ['a', 'b', 'c'].map((value, index) => produce(value).finally(() => order.push(index)))
      await until(() => leader()?.log?.logEndOffset === 3, 'three records on the leader')
      expect(leader()?.log?.highWatermark).toBe(0)
      expect(order).toEqual([])
    })
    expect(await Promise.all(answers)).toEqual(
      [0, 1, 2].map((baseOffset) => ({ errorCode: ErrorCode.NONE, baseOffset })),
    )
    expect(order).toEqual([0, 1, 2])
  })

  it('hold up another request behind them until they are answered', async () => {
    const before = leader()?.log?.logEndOffset ?? -1
    let produced: ReturnType<typeof produce> | undefined
    let fetched: Promise<number | undefined> | undefined
    await whileFollowersCopyNothing(async () => {
      produced = produce('d')
      const request = {
        maxWaitMs: 0,
        minBytes: 0,
        topics: [
          { topic: TOPIC, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] },
        ],
      }
      fetched = client
        .call(Fetch, request, 11)
        .then(({ responses }) => responses[0]?.partitions[0]?.highWatermark)
      await until(() => leader()?.log?.logEndOffset === before + 1, 'the record on the leader')
    })
    await produced
    // Had it been carried out before the answer, it would not have seen the record.
    expect(await fetched).toBe(before + 1)
  })

  it('are answered before the connection ends for a frame that is no request', async () => {
    const [host = '', port = ''] = cluster.broker(1).address.split(':')
    const connection = await RawConnection.open(host, Number(port))
    const before = leader()?.log?.logEndOffset ?? -1
    await whileFollowersCopyNothing(async () => {
      const header = { version: 9, correlationId: 7, clientId: 'raw' }
      connection.send(joinFrame(encodeRequestFrame(Produce, header, produceRequest('e'))))
      await until(() => leader()?.log?.logEndOffset === before + 1, 'the record on the leader')
      // The key and version of a Produce, and nothing that could be one behind them.
      connection.send(Buffer.from([0, 0, 0, 9, 0, 0, 0, 8, 0, 3]))
    })
    const answer = await connection.next()
    expect(typeof answer === 'string' ? answer : answer.readInt32BE(0)).toBe(7)
    expect(await connection.next()).toBe('closed')
    connection.close()
  })
})
