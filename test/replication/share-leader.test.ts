import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/cluster.ts'
import { ShareFetch } from '../../common/protocol/apis/78-share-fetch.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { createAssigned } from '../support/assigned-topic.ts'
import { type RawClient, rawClient } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

const TOPIC = 'orders'
const LEADER = 1
const WITHOUT_REPLICA = 2

let cluster: Cluster
let topicId: string
let members = 0

function clientOf(nodeId: number): RawClient {
  const address = cluster.node(nodeId).advertisedAddresses.get('PLAINTEXT')
  return rawClient(`${address?.host}:${address?.port}`)
}

function partitionSeenBy(nodeId: number) {
  return cluster.node(nodeId).broker?.services.metadata.topicsByName.get(TOPIC)?.partitions[0]
}

async function shareFetch(nodeId: number) {
  const client = clientOf(nodeId)
  members++
  try {
    return await client.call(ShareFetch, {
      groupId: 'g',
      memberId: `member-${members}`,
      shareSessionEpoch: 0,
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1 << 20,
      maxRecords: 1,
      batchSize: 1,
      topics: [{ topicId, partitions: [{ partitionIndex: 0, acknowledgementBatches: [] }] }],
      forgottenTopicsData: [],
    })
  } finally {
    client.close()
  }
}

beforeAll(async () => {
  cluster = await startCluster({ brokers: 3, config: { 'broker.session.timeout.ms': 1000 } })
  topicId = await createAssigned(cluster.bootstrapServers, TOPIC, [LEADER])
  await until(() => partitionSeenBy(WITHOUT_REPLICA) !== undefined, 'the topic on the other broker')
})

afterAll(async () => {
  await cluster.stop()
})

describe('a share fetch at a broker without a replica', () => {
  it('names the leader and its address', async () => {
    const answer = await shareFetch(WITHOUT_REPLICA)
    expect(answer.responses[0]?.partitions[0]).toMatchObject({
      errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: LEADER, leaderEpoch: 0 },
    })
    expect(answer.nodeEndpoints).toMatchObject([{ nodeId: LEADER }])
  })

  it('names no broker, and not broker 0, when the partition has no leader', async () => {
    cluster.node(LEADER).kill()
    await until(() => partitionSeenBy(WITHOUT_REPLICA)?.leaderId === -1, 'a partition without a leader')
    const answer = await shareFetch(WITHOUT_REPLICA)
    expect(answer.responses[0]?.partitions[0]).toMatchObject({
      errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: -1, leaderEpoch: 1 },
    })
    expect(answer.nodeEndpoints).toEqual([])
  })
})
