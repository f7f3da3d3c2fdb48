/** The broker that coordinates everything is killed; the next one has read what there was from the log. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster, type TestCluster } from '../../broker/index.ts'
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { OffsetCommit } from '../../common/protocol/apis/08-offset-commit.ts'
import { OffsetFetch } from '../../common/protocol/apis/09-offset-fetch.ts'
import { FindCoordinator } from '../../common/protocol/apis/10-find-coordinator.ts'
import { JoinGroup } from '../../common/protocol/apis/11-join-group.ts'
import { Heartbeat } from '../../common/protocol/apis/12-heartbeat.ts'
import { SyncGroup } from '../../common/protocol/apis/14-sync-group.ts'
import { InitProducerId } from '../../common/protocol/apis/22-init-producer-id.ts'
import { EndTxn } from '../../common/protocol/apis/26-end-txn.ts'
import { ConsumerGroupHeartbeat } from '../../common/protocol/apis/68-consumer-group-heartbeat.ts'
import { ShareGroupHeartbeat } from '../../common/protocol/apis/76-share-group-heartbeat.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../common/protocol/schema.ts'
import { batchOf, recordsIn } from '../support/records.ts'
import { ask, PATIENT } from './support.ts'

const KILLED = 2
const READ_COMMITTED = 1

let cluster: TestCluster
let topicId: string
let classic: { readonly memberId: string; readonly generationId: number }
let consumer: { readonly memberId: string; readonly memberEpoch: number }
let share: { readonly memberId: string; readonly memberEpoch: number }
let producer: { readonly producerId: number; readonly producerEpoch: number }

const IN_BETWEEN: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.CONCURRENT_TRANSACTIONS,
])

/** Asks whoever coordinates, again while that changes hands. */
async function askCoordinator<A extends ApiSchema>(
  kind: 'group' | 'transaction',
  key: string,
  api: A,
  request: RequestInputOf<A>,
  errorOf: (answer: ResponseOf<A>) => number,
  version = api.versions.highest,
): Promise<ResponseOf<A>> {
  let answer: ResponseOf<A> | undefined
  await cluster.waitFor.condition(
    `an answer to ${api.name}`,
    async () => {
      const nodeId = await cluster.coordinatorOf(kind, key)
      if (nodeId < 0 || cluster.broker(nodeId).state !== 'running') return false
      answer = await ask(cluster, api, request, nodeId, version)
      return !IN_BETWEEN.has(errorOf(answer))
    },
    PATIENT,
  )
  return answer as ResponseOf<A>
}

const join = (memberId: string) =>
  askCoordinator(
    'group',
    'classic',
    JoinGroup,
    {
      groupId: 'classic',
      memberId,
      sessionTimeoutMs: 60_000,
      rebalanceTimeoutMs: 60_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
    },
    ({ errorCode }) => errorCode,
  )

async function joinClassic(): Promise<void> {
  const { memberId } = await join('')
  const { generationId } = await join(memberId)
  classic = { memberId, generationId }
  const assignments = [{ memberId, assignment: Buffer.from('mine') }]
  const protocol = { protocolType: 'consumer', protocolName: 'range' }
  const sync = { groupId: 'classic', ...classic, ...protocol, assignments }
  const synced = await ask(cluster, SyncGroup, sync, KILLED)
  expect(synced.errorCode).toBe(ErrorCode.NONE)
  const partitions = [{ partitionIndex: 0, committedOffset: 42, committedMetadata: 'so far' }]
  const committed = await ask(
    cluster,
    OffsetCommit,
    {
      groupId: 'classic',
      memberId,
      generationIdOrMemberEpoch: generationId,
      topics: [{ topicId, partitions }],
    },
    KILLED,
  )
  expect(committed.topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.NONE)
}

const beatConsumer = (memberEpoch: number) =>
  askCoordinator(
    'group',
    'consumer',
    ConsumerGroupHeartbeat,
    {
      groupId: 'consumer',
      memberId: 'consumer-1',
      memberEpoch,
      ...(memberEpoch === 0
        ? { rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['orders'], topicPartitions: [] }
        : {}),
    },
    ({ errorCode }) => errorCode,
  )

const beatShare = (memberEpoch: number) =>
  askCoordinator(
    'group',
    'share',
    ShareGroupHeartbeat,
    {
      groupId: 'share',
      memberId: 'share-1',
      memberEpoch,
      ...(memberEpoch === 0 ? { subscribedTopicNames: ['orders'] } : {}),
    },
    ({ errorCode }) => errorCode,
  )

async function beginTransaction(): Promise<void> {
  const request = { transactionalId: 'payments', transactionTimeoutMs: 60_000 }
  const errorOf = ({ errorCode }: ResponseOf<typeof InitProducerId>) => errorCode
  producer = await askCoordinator('transaction', 'payments', InitProducerId, request, errorOf, 5)
  const records = batchOf(['paid'], { ...producer, baseSequence: 0, isTransactional: true })
  const topicData = [{ topicId, partitionData: [{ index: 0, records }] }]
  // From version 12 on the leader itself adds the partition to the transaction (KIP-890).
  await cluster.waitFor.condition(
    'a record within the transaction',
    async () => {
      const produce = { acks: -1, timeoutMs: 10_000, transactionalId: 'payments', topicData }
      const { responses } = await ask(cluster, Produce, produce, 1)
      return responses[0]?.partitionResponses[0]?.errorCode === ErrorCode.NONE
    },
    PATIENT,
  )
}

async function committedValues(): Promise<(string | null)[]> {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }]
  const request = {
    maxWaitMs: 0,
    minBytes: 0,
    isolationLevel: READ_COMMITTED,
    topics: [{ topicId, partitions }],
  }
  const { responses } = await ask(cluster, Fetch, request, 1)
  return recordsIn(responses[0]?.partitions[0]?.records ?? null).map(({ value }) => value)
}

beforeAll(async () => {
  cluster = await startCluster({
    brokers: 3,
    // With the profile for tests a member goes when its connection does.
    profile: 'kafka',
    // The broker that is killed has no vote: who leads is decided at once.
    controllers: 1,
    topics: { orders: { assignments: [[1, 3]] } },
    config: {
      'offsets.topic.num.partitions': 1,
      'offsets.topic.replication.factor': 3,
      'transaction.state.log.num.partitions': 1,
      'transaction.state.log.replication.factor': 3,
      'share.coordinator.state.topic.num.partitions': 1,
      'group.initial.rebalance.delay.ms': 0,
      'group.share.session.timeout.ms': 60_000,
      'group.consumer.session.timeout.ms': 60_000,
      'broker.session.timeout.ms': 1000,
      'broker.heartbeat.interval.ms': 200,
    },
  })
  topicId = cluster.engine.brokers[0]?.services.metadata.topicsByName.get('orders')?.id ?? ''
  for (const [keyType, kind, key] of [
    [0, 'group', 'classic'],
    [1, 'transaction', 'payments'],
  ] as const) {
    await cluster.waitFor.condition(
      `a coordinator of ${key}`,
      async () => {
        const { coordinators } = await ask(cluster, FindCoordinator, { keyType, coordinatorKeys: [key] })
        return coordinators[0]?.errorCode === ErrorCode.NONE
      },
      PATIENT,
    )
    await cluster.moveCoordinator(kind, key, KILLED)
  }
  await joinClassic()
  const joined = await beatConsumer(0)
  consumer = { memberId: 'consumer-1', memberEpoch: joined.memberEpoch }
  const shared = await beatShare(0)
  share = { memberId: 'share-1', memberEpoch: shared.memberEpoch }
  await beginTransaction()
}, 60_000)

afterAll(() => cluster.stop())

describe('the coordinator of everything', () => {
  it('is one broker, and the others say NOT_COORDINATOR', async () => {
    const request = { groupId: 'classic', ...classic }
    expect((await ask(cluster, Heartbeat, request, 1)).errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    expect((await ask(cluster, Heartbeat, request, KILLED)).errorCode).toBe(ErrorCode.NONE)
    expect(await committedValues()).toEqual([])
  })
})

describe('after it was killed, the next coordinator', () => {
  beforeAll(() => cluster.broker(KILLED).kill())

  it('knows the members of classic groups and their generation', async () => {
    const request = { groupId: 'classic', ...classic }
    const answer = await askCoordinator('group', 'classic', Heartbeat, request, (one) => one.errorCode)
    expect(answer.errorCode).toBe(ErrorCode.NONE)
  })

  it('knows what was committed', async () => {
    const request = { groups: [{ groupId: 'classic', topics: [{ topicId, partitionIndexes: [0] }] }] }
    const errorOf = ({ groups }: ResponseOf<typeof OffsetFetch>) => groups[0]?.errorCode ?? 0
    const { groups } = await askCoordinator('group', 'classic', OffsetFetch, request, errorOf)
    expect(groups[0]?.topics[0]?.partitions).toMatchObject([{ committedOffset: 42, metadata: 'so far' }])
  })

  it('takes members of consumer groups in the epoch in which they are', async () => {
    expect(await beatConsumer(consumer.memberEpoch)).toMatchObject({ errorCode: ErrorCode.NONE, ...consumer })
  })

  it('takes members of share groups, who need not join again', async () => {
    const answer = await beatShare(share.memberEpoch)
    expect(answer).toMatchObject({ errorCode: ErrorCode.NONE, memberId: share.memberId })
    // The partitions that were being prepared may be ready now.
    expect(answer.memberEpoch).toBeGreaterThanOrEqual(share.memberEpoch)
  })

  it('commits the transaction that was open, once', async () => {
    const request = { transactionalId: 'payments', ...producer, committed: true }
    const ended = await askCoordinator('transaction', 'payments', EndTxn, request, (one) => one.errorCode)
    expect(ended.errorCode).toBe(ErrorCode.NONE)
    await cluster.waitFor.condition(
      'the record of the transaction',
      async () => (await committedValues()).length > 0,
      PATIENT,
    )
    expect(await committedValues()).toEqual(['paid'])
  })
})
