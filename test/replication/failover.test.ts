import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/cluster.ts'
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { createAssigned } from '../support/assigned-topic.ts'
import { type RawClient, rawClient } from '../support/raw-client.ts'
import { batchOf, recordsIn } from '../support/records.ts'
import { until } from '../support/until.ts'

const TOPIC = 'orders'

let cluster: Cluster
let topicId: string

/** The partition as the image of some broker that runs has it. */
function partition() {
  return cluster.brokers[0]?.services.metadata.topicsByName.get(TOPIC)?.partitions[0]
}

function clientOf(nodeId: number): RawClient {
  const address = cluster.node(nodeId).advertisedAddresses.get('PLAINTEXT')
  return rawClient(`${address?.host}:${address?.port}`)
}

async function produce(values: readonly string[], options: { acks?: number; to?: number } = {}) {
  const client = clientOf(options.to ?? partition()?.leaderId ?? -1)
  try {
    const answer = await client.call(Produce, {
      acks: options.acks ?? -1,
      timeoutMs: 10_000,
      topicData: [{ topicId, partitionData: [{ index: 0, records: batchOf(values) }] }],
    })
    return answer.responses[0]?.partitionResponses[0]
  } finally {
    client.close()
  }
}

async function consumeAll(): Promise<(string | null)[]> {
  const client = clientOf(partition()?.leaderId ?? -1)
  try {
    const answer = await client.call(Fetch, {
      maxWaitMs: 0,
      minBytes: 0,
      topics: [{ topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }],
    })
    return recordsIn(answer.responses[0]?.partitions[0]?.records ?? null).map(({ value }) => value)
  } finally {
    client.close()
  }
}

function replica(nodeId: number) {
  return cluster.node(nodeId).broker?.services.replicas.partition(TOPIC, 0)
}

beforeAll(async () => {
  cluster = await startCluster({ brokers: 3, config: { 'broker.session.timeout.ms': 1000 } })
  topicId = await createAssigned(
    cluster.bootstrapServers,
    TOPIC,
    [1, 2, 3],
    [{ name: 'min.insync.replicas', value: '2' }],
  )
  await until(
    () => cluster.brokers.every(({ nodeId }) => replica(nodeId) !== undefined),
    'a replica on every broker',
  )
})

afterAll(async () => {
  await cluster.stop()
})

describe('a partition with three replicas', () => {
  it('answers acks=all when all in-sync replicas have the records', async () => {
    expect(await produce(['a', 'b'])).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: 0 })
    for (const nodeId of [1, 2, 3]) expect(replica(nodeId)?.log?.logEndOffset).toBe(2)
  })

  it('is not written to through a follower, which names the leader', async () => {
    expect(await produce(['x'], { to: 2 })).toMatchObject({
      errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: 1, leaderEpoch: 0 },
    })
  })

  it('is led by another in-sync replica after its leader was killed, and keeps what was acknowledged', async () => {
    cluster.node(1).kill()
    await until(() => partition()?.leaderId === 2, 'leader 2')
    expect(partition()).toMatchObject({ leaderEpoch: 1, isr: [2, 3] })
    expect(await produce(['c'])).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: 2 })
    expect(await consumeAll()).toEqual(['a', 'b', 'c'])
  })

  it('takes a replica back into the ISR when it has caught up', async () => {
    await cluster.node(1).start()
    await until(() => partition()?.isr.length === 3, 'three in-sync replicas')
    expect(replica(1)?.log?.logEndOffset).toBe(3)
    expect(partition()).toMatchObject({ leaderId: 2, leaderEpoch: 1 })
  })

  it('loses its leader without a gap when that one is stopped', async () => {
    await cluster.node(2).stop()
    expect(partition()?.leaderId).not.toBe(2)
    expect(await produce(['d'])).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: 3 })
    await cluster.node(2).start()
    await until(() => partition()?.isr.length === 3, 'three in-sync replicas')
  })

  it('refuses acks=all below min.insync.replicas, and shows what acks=1 wrote only when enough have it', async () => {
    const leaderId = partition()?.leaderId as number
    const others = [1, 2, 3].filter((nodeId) => nodeId !== leaderId)
    // The quorum needs two of its voters: only one broker goes, the fetching of the other is held back.
    const [held, killed] = others as [number, number]
    cluster.node(held).broker?.fetchers.pause()
    cluster.node(killed).kill()
    await until(() => (replica(leaderId)?.isr.length ?? 3) < 3, 'a smaller ISR')
    expect(await produce(['e'], { acks: 1 })).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: 4 })
    expect(await consumeAll()).toEqual(['a', 'b', 'c', 'd'])
    cluster.node(held).broker?.fetchers.resume()
    await until(() => replica(leaderId)?.log?.highWatermark === 5, 'the watermark to pass the record')
    expect(await consumeAll()).toEqual(['a', 'b', 'c', 'd', 'e'])
    await cluster.node(killed).start()
    await until(() => partition()?.isr.length === 3, 'three in-sync replicas')
  })

  it('has another controller when the node of the controller is killed, and goes on', async () => {
    const controllerId = cluster.brokers.find(({ controller }) => controller !== undefined)?.nodeId as number
    cluster.node(controllerId).kill()
    await until(
      () => cluster.brokers.some(({ controller }) => controller !== undefined),
      'another controller',
    )
    await until(() => partition()?.isr.includes(controllerId) === false, 'the killed broker to leave the ISR')
    expect(await produce(['f'])).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: 5 })
    await cluster.node(controllerId).start()
    await until(() => partition()?.isr.length === 3, 'three in-sync replicas')
    expect(await consumeAll()).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })
})
