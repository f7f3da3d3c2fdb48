/**
 * Error codes that a healthy cluster gives to members and producers which deserve them: BOOTSTRAP=host:port, or a kafkito of its own.
 * What the coordinators of groups, transactions and share groups answer, to the client where it can be made to ask for it, else to frames.
 */
import { describe, expect, it } from 'vitest'
import { type ClientConfig, type KafkaException, Producer, TopicPartition } from '../../client/index.ts'
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { OffsetCommit } from '../../common/protocol/apis/08-offset-commit.ts'
import { OffsetFetch } from '../../common/protocol/apis/09-offset-fetch.ts'
import { JoinGroup } from '../../common/protocol/apis/11-join-group.ts'
import { Heartbeat } from '../../common/protocol/apis/12-heartbeat.ts'
import { SyncGroup } from '../../common/protocol/apis/14-sync-group.ts'
import { InitProducerId } from '../../common/protocol/apis/22-init-producer-id.ts'
import { AddPartitionsToTxn } from '../../common/protocol/apis/24-add-partitions-to-txn.ts'
import { EndTxn } from '../../common/protocol/apis/26-end-txn.ts'
import { ConsumerGroupHeartbeat } from '../../common/protocol/apis/68-consumer-group-heartbeat.ts'
import { ShareAcknowledge } from '../../common/protocol/apis/79-share-acknowledge.ts'
import type { RequestInputOf } from '../../common/protocol/schema.ts'
import { batch, produceRequest } from '../differential/support.ts'
import type { NegotiatedClient } from '../support/raw-client.ts'
import { ConsumerWorld, nameOfError } from './consumer-support.ts'
import { named, toBroker } from './raw-errors.ts'
import { RawCluster, uniqueName } from './support.ts'

const world = ConsumerWorld.use()

async function toCoordinator<T>(
  key: string,
  call: (client: NegotiatedClient) => Promise<T>,
  kind: 'group' | 'transaction' = 'group',
): Promise<T> {
  return toBroker(await new RawCluster(world.bootstrap).coordinatorOf(key, kind), call)
}

/** Once the coordinator has loaded. */
async function settled(call: () => Promise<number | undefined>): Promise<string> {
  for (;;) {
    const name = named(await call())
    if (!/^(COORDINATOR_LOAD_IN_PROGRESS|COORDINATOR_NOT_AVAILABLE|NOT_COORDINATOR)$/.test(name)) return name
  }
}

/** The first error event of a member that polls. */
async function joiningFails(topic: string, conf: ClientConfig): Promise<string> {
  const consumer = world.consumer(conf)
  consumer.subscribe([topic])
  for (;;) {
    const error = (await consumer.poll(1))?.error()
    if (error !== null && error !== undefined) return error.name()
  }
}

const offsets = (topic: string, partitions: object[] = [{}]) => [
  {
    name: topic,
    partitions: partitions.map((more) => ({
      partitionIndex: 0,
      committedOffset: 1,
      committedMetadata: null,
      ...more,
    })),
  },
]

describe('the coordinator of a group answers', () => {
  it('what a member tells of joining and committing', async () => {
    const topic = await world.topic()
    const groupId = uniqueName('strict')
    expect(
      await joiningFails(topic, { 'session.timeout.ms': 3_600_000, 'max.poll.interval.ms': 3_600_000 }),
    ).toBe('INVALID_SESSION_TIMEOUT')
    const member = world.consumer({ 'group.id': groupId, 'partition.assignment.strategy': 'range' })
    member.subscribe([topic])
    while (member.assignment().length === 0) await member.poll(0.1)
    const other = { 'group.id': groupId, 'partition.assignment.strategy': 'roundrobin' }
    expect(await joiningFails(topic, other)).toBe('INCONSISTENT_GROUP_PROTOCOL')
    const noted = new TopicPartition(topic, 0, 1, { metadata: 'x'.repeat(5000) })
    expect(await nameOfError(() => member.commit({ offsets: [noted], asynchronous: false }))).toBe(
      'OFFSET_METADATA_TOO_LARGE',
    )
    const modern = { 'group.protocol': 'consumer' }
    const consumer = world.consumer(modern)
    // RE2 looks nowhere but at what it reads.
    consumer.subscribe([`^(?=a)${topic}`])
    let told: string | undefined
    while (told === undefined) {
      told = await consumer.poll(1).then(
        (message) => message?.error()?.name(),
        (error: KafkaException) => error.error.name(),
      )
    }
    expect(told).toBe('INVALID_REGULAR_EXPRESSION')
  })

  it('to members of the classic protocol', async () => {
    const topic = await world.topic()
    const groupId = uniqueName('classic')
    const joining = (memberId: string, name = 'range', more: object = {}) => ({
      ...{
        groupId,
        memberId,
        sessionTimeoutMs: 30_000,
        rebalanceTimeoutMs: 10_000,
        protocolType: 'consumer',
      },
      protocols: [{ name, metadata: Buffer.alloc(0) }],
      ...more,
    })
    await toCoordinator(groupId, async (client) => {
      const join = async (...args: Parameters<typeof joining>): Promise<number> =>
        (await client.call(JoinGroup, joining(...args), 5)).errorCode
      expect(await settled(() => join('', 'range', { groupId: '' }))).toBe('INVALID_GROUP_ID')
      expect(await settled(() => join('', 'range', { sessionTimeoutMs: 10 }))).toBe('INVALID_SESSION_TIMEOUT')
      const asked = await client.call(JoinGroup, joining(''), 5)
      expect(named(asked.errorCode)).toBe('MEMBER_ID_REQUIRED')
      const { memberId } = asked
      const { generationId, errorCode } = await client.call(JoinGroup, joining(memberId), 5)
      expect(named(errorCode)).toBe('NO_ERROR')
      const beat = async (generation: number): Promise<string> =>
        named((await client.call(Heartbeat, { groupId, memberId, generationId: generation }, 4)).errorCode)
      expect(await beat(generationId + 1)).toBe('ILLEGAL_GENERATION')
      const assignments = [{ memberId, assignment: Buffer.from('all') }]
      await client.call(SyncGroup, { groupId, memberId, generationId, assignments }, 4)
      expect(await beat(generationId)).toBe('NO_ERROR')
      expect(named(await join('', 'sticky', { memberId: '' }))).toBe('INCONSISTENT_GROUP_PROTOCOL')
      const commit = async (topics: ReturnType<typeof offsets>): Promise<string> => {
        const member = { groupId, memberId, generationIdOrMemberEpoch: generationId }
        const answer = await client.call(OffsetCommit, { ...member, topics }, 8)
        return named(answer.topics[0]?.partitions[0]?.errorCode)
      }
      const long = { committedMetadata: 'x'.repeat(4097) }
      expect(await commit(offsets(topic, [long]))).toBe('OFFSET_METADATA_TOO_LARGE')
      expect(await commit(offsets(topic))).toBe('NO_ERROR')
      // A second member makes the first one join again.
      const second = toCoordinator(groupId, async (other) => {
        const known = await other.call(JoinGroup, joining(''), 5)
        return other.call(JoinGroup, joining(known.memberId), 5)
      })
      let told = 'NO_ERROR'
      while (told === 'NO_ERROR') told = await beat(generationId)
      expect(told).toBe('REBALANCE_IN_PROGRESS')
      await client.call(JoinGroup, joining(memberId), 5)
      expect(named((await second).errorCode)).toBe('NO_ERROR')
    })
  })

  it('to members of KIP-848', async () => {
    const topic = await world.topic()
    const groupId = uniqueName('modern')
    const memberId = uniqueName('m')
    type Beat = RequestInputOf<typeof ConsumerGroupHeartbeat>
    await toCoordinator(groupId, async (client) => {
      const beat = async (memberEpoch: number, more: Partial<Beat> = {}) =>
        client.call(ConsumerGroupHeartbeat, { groupId, memberId, memberEpoch, ...more })
      const start = { rebalanceTimeoutMs: 5000, subscribedTopicNames: [topic], topicPartitions: [] }
      const code = async (...args: Parameters<typeof beat>): Promise<number> =>
        (await beat(...args)).errorCode
      const strange = { ...start, serverAssignor: 'best' }
      expect(await settled(() => code(0, strange))).toBe('UNSUPPORTED_ASSIGNOR')
      const pattern = { ...start, subscribedTopicNames: null, subscribedTopicRegex: '[' }
      expect(await settled(() => code(0, pattern))).toBe('INVALID_REGULAR_EXPRESSION')
      expect(await settled(() => code(0, start))).toBe('NO_ERROR')
      expect(await settled(() => code(50))).toBe('FENCED_MEMBER_EPOCH')
      const commit = { groupId, memberId, generationIdOrMemberEpoch: 99, topics: offsets(topic) }
      const answer = await client.call(OffsetCommit, commit, 9)
      expect(named(answer.topics[0]?.partitions[0]?.errorCode)).toBe('STALE_MEMBER_EPOCH')
    })
  })

  it('to members of a share group without a session', async () => {
    const topic = await world.topic()
    const groupId = uniqueName('shared')
    const memberId = 'AAAAAAAAAAAAAAAAAAAAEQ'
    await toBroker(await new RawCluster(world.bootstrap).leaderOf(topic, 0), async (client) => {
      const acknowledge = async (shareSessionEpoch: number): Promise<string> =>
        named(
          (await client.call(ShareAcknowledge, { groupId, memberId, shareSessionEpoch, topics: [] }, 1))
            .errorCode,
        )
      expect(await acknowledge(1)).toBe('SHARE_SESSION_NOT_FOUND')
      expect(await acknowledge(0)).toBe('INVALID_SHARE_SESSION_EPOCH')
    })
  })
})

describe('the coordinator of a transaction answers', () => {
  it('what a producer tells of a transaction that may last too long', async () => {
    const conf = { 'transactional.id': uniqueName('long'), 'transaction.timeout.ms': 2_000_000_000 }
    await using producer = new Producer({ 'bootstrap.servers': world.bootstrap, log_level: 0 }, conf)
    expect(await nameOfError(() => producer.initTransactions(20))).toBe('INVALID_TRANSACTION_TIMEOUT')
    // It is fatal: the next serving call fails with it too.
    expect(await nameOfError(() => producer.poll(0))).toBe('INVALID_TRANSACTION_TIMEOUT')
  })

  it('to producers that are late, strangers, or not in a transaction', async () => {
    const topic = await world.topic()
    const transactionalId = uniqueName('t')
    await toCoordinator(
      transactionalId,
      async (client) => {
        const start = { transactionalId, transactionTimeoutMs: 60_000 }
        const init = (more: object = {}) => client.call(InitProducerId, { ...start, ...more }, 4)
        const timeout = { transactionTimeoutMs: 2_000_000_000 }
        expect(await settled(async () => (await init(timeout)).errorCode)).toBe('INVALID_TRANSACTION_TIMEOUT')
        let made = await init()
        while (named(made.errorCode) !== 'NO_ERROR') made = await init()
        const { producerId, producerEpoch } = made
        const end = async (id: string, epoch: number): Promise<string> => {
          const body = { transactionalId: id, producerId, producerEpoch: epoch, committed: true }
          return named((await client.call(EndTxn, body, 3)).errorCode)
        }
        expect(await end(transactionalId, producerEpoch)).toBe('INVALID_TXN_STATE')
        expect(await end(uniqueName('unheard'), producerEpoch)).toMatch(
          /^(INVALID_PRODUCER_ID_MAPPING|NOT_COORDINATOR)$/,
        )
        expect(await end(transactionalId, producerEpoch - 1)).toMatch(/^(PRODUCER_FENCED|INVALID_TXN_STATE)$/)
        const add = async (topics: string[]): Promise<string[]> => {
          const answer = await client.call(
            AddPartitionsToTxn,
            {
              v3AndBelowTransactionalId: transactionalId,
              v3AndBelowProducerId: producerId,
              v3AndBelowProducerEpoch: producerEpoch,
              v3AndBelowTopics: topics.map((name) => ({ name, partitions: [0] })),
            },
            3,
          )
          return answer.resultsByTopicV3AndBelow
            .flatMap(({ resultsByPartition }) => resultsByPartition)
            .map(({ partitionErrorCode }) => named(partitionErrorCode))
            .sort()
        }
        expect(await add([topic, uniqueName('none')])).toEqual([
          'OPERATION_NOT_ATTEMPTED',
          'UNKNOWN_TOPIC_OR_PART',
        ])
        const written = batch({ producerId, producerEpoch, baseSequence: 0, isTransactional: true })
        const produce = async (version: number, id: string | null = transactionalId): Promise<string> => {
          const request = produceRequest(topic, written, { transactionalId: id })
          const leader = await new RawCluster(world.bootstrap).leaderOf(topic, 0)
          const answer = await toBroker(leader, (broker) => broker.call(Produce, request, version))
          return named(answer.responses[0]?.partitionResponses[0]?.errorCode)
        }
        expect(await produce(11)).toBe('TRANSACTION_ABORTABLE')
        expect(await produce(10)).toBe('INVALID_TXN_STATE')
        expect(await produce(11, null)).toBe('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
        expect(await add([topic])).toEqual(['NO_ERROR'])
        expect(await produce(11)).toBe('NO_ERROR')
        // The open transaction is aborted first.
        expect(named((await init()).errorCode)).toBe('CONCURRENT_TRANSACTIONS')
        let next = await init()
        while (named(next.errorCode) === 'CONCURRENT_TRANSACTIONS') next = await init()
        expect(next.producerEpoch).toBeGreaterThan(producerEpoch)
        expect(named((await init({ producerId, producerEpoch })).errorCode)).toBe('PRODUCER_FENCED')
        expect(await end(transactionalId, producerEpoch)).toBe('PRODUCER_FENCED')
        const stranger = await init({ producerId: 999_999, producerEpoch: 0 })
        expect(named(stranger.errorCode)).toMatch(/^(INVALID_PRODUCER_EPOCH|PRODUCER_FENCED)$/)
      },
      'transaction',
    )
  })

  it('to those who ask for offsets before the transaction has ended, and to members that are none', async () => {
    const topic = await world.topic()
    const groupId = uniqueName('pending')
    const conf = { 'transactional.id': uniqueName('t'), log_level: 0 }
    await using producer = new Producer({ 'bootstrap.servers': world.bootstrap }, conf)
    await producer.initTransactions(20)
    producer.beginTransaction()
    const consumer = world.consumer({ 'group.id': groupId })
    const position = new TopicPartition(topic, 0, 7)
    await producer.sendOffsetsToTransaction([position], consumer.consumerGroupMetadata(), 20)
    const ask = async (): Promise<number | undefined> => {
      const topics = [{ name: topic, partitionIndexes: [0] }]
      const answer = await toCoordinator(groupId, (client) =>
        client.call(OffsetFetch, { groupId, topics, requireStable: true }, 7),
      )
      return answer.topics[0]?.partitions[0]?.errorCode
    }
    expect(await settled(ask)).toBe('UNSTABLE_OFFSET_COMMIT')
    await producer.commitTransaction(20)
    const former = world.consumer({ 'group.id': groupId })
    former.subscribe([topic])
    while (former.assignment().length === 0) await former.poll(0.1)
    const metadata = former.consumerGroupMetadata()
    await former.close()
    producer.beginTransaction()
    const late = producer.sendOffsetsToTransaction([position], metadata, 20)
    const error = await late.then(
      () => undefined,
      (thrown: KafkaException) => thrown.error,
    )
    expect([error?.name(), error?.txnRequiresAbort()]).toEqual(['UNKNOWN_MEMBER_ID', true])
    await producer.abortTransaction(20)
  })
})
