/** What a client does in its life, done once in every version of each API that takes part. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/index.ts'
import { servedHandlers } from '../../broker/served-apis.ts'
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { OffsetCommit } from '../../common/protocol/apis/08-offset-commit.ts'
import { OffsetFetch } from '../../common/protocol/apis/09-offset-fetch.ts'
import { FindCoordinator } from '../../common/protocol/apis/10-find-coordinator.ts'
import { JoinGroup } from '../../common/protocol/apis/11-join-group.ts'
import { Heartbeat } from '../../common/protocol/apis/12-heartbeat.ts'
import { LeaveGroup } from '../../common/protocol/apis/13-leave-group.ts'
import { SyncGroup } from '../../common/protocol/apis/14-sync-group.ts'
import { DescribeGroups } from '../../common/protocol/apis/15-describe-groups.ts'
import { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import { DeleteTopics } from '../../common/protocol/apis/20-delete-topics.ts'
import { InitProducerId } from '../../common/protocol/apis/22-init-producer-id.ts'
import { AddPartitionsToTxn } from '../../common/protocol/apis/24-add-partitions-to-txn.ts'
import { AddOffsetsToTxn } from '../../common/protocol/apis/25-add-offsets-to-txn.ts'
import { EndTxn } from '../../common/protocol/apis/26-end-txn.ts'
import { TxnOffsetCommit } from '../../common/protocol/apis/28-txn-offset-commit.ts'
import { CreatePartitions } from '../../common/protocol/apis/37-create-partitions.ts'
import { ElectLeaders } from '../../common/protocol/apis/43-elect-leaders.ts'
import { OffsetDelete } from '../../common/protocol/apis/47-offset-delete.ts'
import { ConsumerGroupHeartbeat } from '../../common/protocol/apis/68-consumer-group-heartbeat.ts'
import { ConsumerGroupDescribe } from '../../common/protocol/apis/69-consumer-group-describe.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ApiSchema } from '../../common/protocol/schema.ts'
import { versionRange } from '../../common/protocol/versions.ts'
import type { TraceEvent } from '../../common/runtime/trace.ts'
import { type RawClient, rawClient } from '../support/raw-client.ts'
import { batchOf, recordsIn } from '../support/records.ts'

const TOPIC = 'orders'
const { NONE } = ErrorCode
const metadata = Buffer.from('subscription')

let cluster: Cluster
let client: RawClient
let topicId: string
const failures: TraceEvent[] = []

beforeAll(async () => {
  cluster = await startCluster()
  cluster.runtime.trace.listen((event) => failures.push(event), 'error')
  client = rawClient(cluster.bootstrapServers)
  topicId = await createTopic(TOPIC)
  for (const keyType of [0, 1]) await untilCoordinated(keyType)
})

afterAll(async () => {
  client.close()
  await cluster.stop()
  expect(failures).toEqual([])
})

async function createTopic(name: string): Promise<string> {
  const created = await client.call(CreateTopics, {
    topics: [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 5_000,
  })
  expect(created.topics[0]?.errorCode).toBe(NONE)
  return created.topics[0]?.topicId as string
}

async function untilCoordinated(keyType: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const { coordinators } = await client.call(FindCoordinator, { keyType, coordinatorKeys: ['any'] })
    if (coordinators[0]?.errorCode === NONE) return
  }
  throw new Error('no coordinator')
}

function versionsOf(api: ApiSchema): number[] {
  const handler = servedHandlers.find((served) => served.api.key === api.key)
  const { lowest, highest } = versionRange(handler?.versions ?? '0')
  return Array.from({ length: highest - lowest + 1 }, (_, index) => lowest + index)
}

/** A member that has joined as that version does. */
async function join(groupId: string, version: number) {
  const ask = (memberId: string) =>
    client.call(
      JoinGroup,
      {
        groupId,
        memberId,
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 10_000,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata }],
      },
      version,
    )
  const first = await ask('')
  const joined = first.errorCode === ErrorCode.MEMBER_ID_REQUIRED ? await ask(first.memberId) : first
  expect(joined).toMatchObject({ errorCode: NONE, generationId: 1, protocolName: 'range' })
  return { groupId, memberId: joined.memberId, generationId: joined.generationId }
}

async function initProducer(transactionalId: string | null, version = 4) {
  for (let tries = 0; tries < 200; tries++) {
    const request = { transactionalId, transactionTimeoutMs: 10_000 }
    const answer = await client.call(InitProducerId, request, version)
    if (
      answer.errorCode !== ErrorCode.NOT_COORDINATOR &&
      answer.errorCode !== ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    ) {
      return answer
    }
  }
  throw new Error('no producer id')
}

describe('every version', () => {
  it('of Produce writes what every version of Fetch reads', async () => {
    for (const version of versionsOf(Produce)) {
      const request = {
        acks: -1,
        timeoutMs: 5_000,
        topicData: [
          { name: TOPIC, topicId, partitionData: [{ index: 0, records: batchOf([`v${version}`]) }] },
        ],
      }
      const { responses } = await client.call(Produce, request, version)
      expect(responses[0]?.partitionResponses[0], `v${version}`).toMatchObject({ errorCode: NONE })
    }
    const written = versionsOf(Produce).map((version) => `v${version}`)
    for (const version of versionsOf(Fetch)) {
      const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }]
      const request = { maxWaitMs: 1_000, minBytes: 1, topics: [{ topic: TOPIC, topicId, partitions }] }
      const { responses } = await client.call(Fetch, request, version)
      const records = recordsIn(responses[0]?.partitions[0]?.records ?? null)
      expect(
        records.slice(0, written.length).map(({ value }) => value),
        `v${version}`,
      ).toEqual(written)
    }
  })

  it('of the classic membership joins, is assigned, is described and leaves', async () => {
    for (const version of versionsOf(JoinGroup)) {
      const groupId = `classic-${version}`
      const member = await join(groupId, version)
      const at = (api: ApiSchema) => Math.min(version, versionsOf(api).at(-1) as number)
      const assigned = await client.call(
        SyncGroup,
        {
          ...member,
          protocolType: 'consumer',
          protocolName: 'range',
          assignments: [{ memberId: member.memberId, assignment: metadata }],
        },
        at(SyncGroup),
      )
      expect(assigned.errorCode, `v${version}`).toBe(NONE)
      expect(assigned.assignment).toEqual(metadata)
      const beat = await client.call(Heartbeat, member, at(Heartbeat))
      expect(beat.errorCode).toBe(NONE)
      for (const described of versionsOf(DescribeGroups)) {
        const { groups } = await client.call(DescribeGroups, { groups: [groupId] }, described)
        expect(groups[0], `v${described}`).toMatchObject({ errorCode: NONE, groupState: 'Stable' })
      }
      const { memberId } = member
      const leaving = at(LeaveGroup) < 3 ? { groupId, memberId } : { groupId, members: [{ memberId }] }
      const left = await client.call(LeaveGroup, leaving, at(LeaveGroup))
      expect(left.errorCode).toBe(NONE)
    }
  })

  it('of OffsetCommit keeps what every version of OffsetFetch tells', async () => {
    const groupId = 'standalone'
    for (const version of versionsOf(OffsetCommit)) {
      const partitions = [{ partitionIndex: 0, committedOffset: 40 + version, committedMetadata: 'm' }]
      const request = { groupId, memberId: '', topics: [{ name: TOPIC, topicId, partitions }] }
      const { topics } = await client.call(OffsetCommit, request, version)
      expect(topics[0]?.partitions[0]?.errorCode, `v${version}`).toBe(NONE)
    }
    const committedOffset = 40 + (versionsOf(OffsetCommit).at(-1) as number)
    for (const version of versionsOf(OffsetFetch)) {
      const topic = { name: TOPIC, topicId, partitionIndexes: [0] }
      const asked =
        version < 8
          ? { groupId, topics: [{ name: TOPIC, partitionIndexes: [0] }] }
          : { groups: [{ groupId, topics: [topic] }] }
      const answer = await client.call(OffsetFetch, asked, version)
      const topics = version < 8 ? answer.topics : answer.groups[0]?.topics
      expect(topics?.[0]?.partitions[0], `v${version}`).toMatchObject({ errorCode: NONE, committedOffset })
    }
    const deletion = { groupId, topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0 }] }] }
    for (const version of versionsOf(OffsetDelete)) {
      const answer = await client.call(OffsetDelete, deletion, version)
      expect(answer).toMatchObject({ errorCode: NONE, topics: [{ partitions: [{ errorCode: NONE }] }] })
    }
  })

  it('of the consumer membership is assigned its topic, is described and leaves', async () => {
    for (const version of versionsOf(ConsumerGroupHeartbeat)) {
      const groupId = `consumers-${version}`
      const joining = { groupId, memberId: 'm'.repeat(22), rebalanceTimeoutMs: 10_000, topicPartitions: [] }
      const beat = await client.call(
        ConsumerGroupHeartbeat,
        { ...joining, memberEpoch: 0, subscribedTopicNames: [TOPIC] },
        version,
      )
      expect(beat, `v${version}`).toMatchObject({
        errorCode: NONE,
        assignment: { topicPartitions: [{ topicId, partitions: [0] }] },
      })
      for (const described of versionsOf(ConsumerGroupDescribe)) {
        const { groups } = await client.call(
          ConsumerGroupDescribe,
          { groupIds: [groupId], includeAuthorizedOperations: true },
          described,
        )
        expect(groups[0], `v${described}`).toMatchObject({ errorCode: NONE, members: [{}] })
      }
      const leaving = { groupId, memberId: 'm'.repeat(22), memberEpoch: -1 }
      const left = await client.call(ConsumerGroupHeartbeat, leaving, version)
      expect(left.errorCode).toBe(NONE)
    }
  })

  it('of the transaction APIs commits a transaction with offsets', async () => {
    for (const version of versionsOf(InitProducerId)) {
      const answer = await initProducer(version % 2 === 0 ? null : `init-${version}`, version)
      expect(answer.errorCode, `v${version}`).toBe(NONE)
    }
    const groupId = 'transactional'
    const topics = [{ name: TOPIC, partitions: [0] }]
    for (const version of versionsOf(EndTxn)) {
      const transactionalId = `transaction-${version}`
      const { producerId, producerEpoch } = await initProducer(transactionalId)
      const producer = { transactionalId, producerId, producerEpoch }
      // From v4 on brokers ask for several transactions in one request.
      const added = await client.call(
        AddPartitionsToTxn,
        {
          v3AndBelowTransactionalId: transactionalId,
          v3AndBelowProducerId: producerId,
          v3AndBelowProducerEpoch: producerEpoch,
          v3AndBelowTopics: topics,
        },
        Math.min(version, 3),
      )
      expect(added.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode).toBe(NONE)
      const at = (api: ApiSchema) => Math.min(version, versionsOf(api).at(-1) as number)
      const group = await client.call(AddOffsetsToTxn, { ...producer, groupId }, at(AddOffsetsToTxn))
      expect(group.errorCode, `v${version}`).toBe(NONE)
      const partitions = [{ partitionIndex: 0, committedOffset: version, committedMetadata: null }]
      const offsets = await client.call(
        TxnOffsetCommit,
        { ...producer, groupId, topics: [{ name: TOPIC, topicId, partitions }] },
        at(TxnOffsetCommit),
      )
      expect(offsets.topics[0]?.partitions[0]?.errorCode, `v${version}`).toBe(NONE)
      const ended = await client.call(EndTxn, { ...producer, committed: version % 2 === 0 }, version)
      expect(ended.errorCode, `v${version}`).toBe(NONE)
    }
  })

  it('of TxnOffsetCommit before 6 calls an epoch that the member is not in an illegal generation', async () => {
    const groupId = 'consumers-in-transactions'
    const memberId = 'm'.repeat(22)
    const beat = await client.call(ConsumerGroupHeartbeat, {
      groupId,
      memberId,
      memberEpoch: 0,
      rebalanceTimeoutMs: 10_000,
      topicPartitions: [],
      subscribedTopicNames: [TOPIC],
    })
    expect(beat.errorCode).toBe(NONE)
    const { producerId, producerEpoch } = await initProducer(groupId)
    const producer = { transactionalId: groupId, producerId, producerEpoch }
    const added = await client.call(AddOffsetsToTxn, { ...producer, groupId })
    expect(added.errorCode).toBe(NONE)
    const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }]
    const member = { groupId, memberId, generationIdOrMemberEpoch: beat.memberEpoch + 1 }
    for (const version of versionsOf(TxnOffsetCommit).filter((known) => known >= 3)) {
      const committed = await client.call(
        TxnOffsetCommit,
        { ...producer, ...member, topics: [{ name: TOPIC, topicId, partitions }] },
        version,
      )
      const { STALE_MEMBER_EPOCH, ILLEGAL_GENERATION } = ErrorCode
      expect(committed.topics[0]?.partitions[0]?.errorCode, `v${version}`).toBe(
        version < 6 ? ILLEGAL_GENERATION : STALE_MEMBER_EPOCH,
      )
    }
    await client.call(EndTxn, { ...producer, committed: false })
  })

  it('of CreateTopics, CreatePartitions, ElectLeaders and DeleteTopics does its work', async () => {
    const topic = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
    for (const version of versionsOf(CreateTopics)) {
      const name = `created-${version}`
      const answer = await client.call(
        CreateTopics,
        { topics: [{ ...topic, name }], timeoutMs: 5_000 },
        version,
      )
      expect(answer.topics[0], `v${version}`).toMatchObject({ name, errorCode: NONE })
    }
    const [name] = versionsOf(CreateTopics).map((version) => `created-${version}`) as [string]
    for (const version of versionsOf(CreatePartitions)) {
      const topics = [{ name, count: 2 + version, assignments: null }]
      const request = { topics, timeoutMs: 5_000, validateOnly: false }
      const { results } = await client.call(CreatePartitions, request, version)
      expect(results[0], `v${version}`).toMatchObject({ name, errorCode: NONE })
    }
    for (const version of versionsOf(ElectLeaders)) {
      const topicPartitions = [{ topic: name, partitions: [0] }]
      const answer = await client.call(ElectLeaders, { topicPartitions }, version)
      const results = [{ topic: name, partitionResult: [{ errorCode: ErrorCode.ELECTION_NOT_NEEDED }] }]
      expect(answer, `v${version}`).toMatchObject({ errorCode: NONE, replicaElectionResults: results })
    }
    for (const version of versionsOf(DeleteTopics)) {
      const gone = `gone-${version}`
      const id = await createTopic(gone)
      const request =
        version < 6
          ? { topicNames: [gone], timeoutMs: 5_000 }
          : { topics: [{ name: null, topicId: id }], timeoutMs: 5_000 }
      const { responses } = await client.call(DeleteTopics, request, version)
      expect(responses[0], `v${version}`).toMatchObject({ name: gone, errorCode: NONE })
    }
  })
})
