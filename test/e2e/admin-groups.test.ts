/** Groups and their offsets through the admin client, against any cluster. */
import { describe, expect, it } from 'vitest'
import {
  type ClientConfig,
  type Consumer,
  ConsumerGroupState,
  ConsumerGroupTopicPartitions,
  ConsumerGroupType,
  KafkaError,
  OFFSET_INVALID,
  TopicPartition,
  ValueError,
} from '../../client/index.ts'
import { AdminWorld, errorName } from './admin-support.ts'
import { knows, needs } from './broker-needs.ts'
import { uniqueName } from './support.ts'

const world = AdminWorld.use({
  config: {
    'group.consumer.min.heartbeat.interval.ms': 100,
    'group.consumer.heartbeat.interval.ms': 200,
  },
})

/** A member that has its partitions. */
async function member(groupId: string, topic: string, conf: ClientConfig = {}): Promise<Consumer> {
  const consumer = world.consumer({ 'group.id': groupId, ...conf })
  consumer.subscribe([topic])
  while (consumer.assignment().length === 0) await consumer.poll(0.05)
  return consumer
}

/** Until the group has no members; brokers of KIP-848 need a moment. */
async function left(groupId: string): Promise<void> {
  while (
    (await world.admin.describeConsumerGroups([groupId]).get(groupId))?.state !== ConsumerGroupState.EMPTY
  );
}

/** The name of the error that describing it gives. Brokers before Kafka 4.0 describe what does not exist, as a dead group. */
async function errorOfDescribing(groupId: string): Promise<string> {
  const described = world.admin.describeConsumerGroups([groupId]).get(groupId)
  if (knows('DescribeGroups', 6)) return errorName(described)
  return (await described)?.state === ConsumerGroupState.DEAD ? 'GROUP_ID_NOT_FOUND' : 'none'
}

describe('a classic group', () => {
  it(
    'is listed and described while it has members, and after they left',
    needs('ListGroups', 5),
    async () => {
      const topic = await world.topic(2)
      const groupId = uniqueName('classic')
      const consumer = await member(groupId, topic, { 'group.instance.id': 'static', 'client.id': 'reader' })
      const { valid, errors } = await world.admin.listConsumerGroups()
      expect(errors).toEqual([])
      expect(valid.find((listing) => listing.groupId === groupId)).toEqual({
        groupId,
        isSimpleConsumerGroup: false,
        state: ConsumerGroupState.STABLE,
        type: ConsumerGroupType.CLASSIC,
      })
      const description = await world.admin.describeConsumerGroups([groupId]).get(groupId)
      expect(description).toMatchObject({
        groupId,
        isSimpleConsumerGroup: false,
        partitionAssignor: 'range',
        state: ConsumerGroupState.STABLE,
        type: ConsumerGroupType.CLASSIC,
        authorizedOperations: null,
      })
      expect(description?.coordinator.port).toBeGreaterThan(0)
      expect(description?.members).toMatchObject([
        {
          memberId: consumer.memberId(),
          clientId: 'reader',
          groupInstanceId: 'static',
          targetAssignment: null,
        },
      ])
      expect(description?.members[0]?.assignment.topicPartitions).toEqual([
        new TopicPartition(topic, 0),
        new TopicPartition(topic, 1),
      ])
      const removed = await world.admin.removeMembersFromConsumerGroup(groupId, null, { reason: 'test' })
      expect(removed.map(({ groupInstanceId, error }) => [groupInstanceId, error])).toEqual([
        ['static', null],
      ])
      const after = await world.admin.describeConsumerGroups([groupId]).get(groupId)
      expect(after?.state).toBe(ConsumerGroupState.EMPTY)
    },
  )

  it('tells what the caller may do with it when asked', needs('DescribeGroups', 3), async () => {
    const topic = await world.topic()
    const groupId = uniqueName('classic')
    await member(groupId, topic)
    const described = world.admin.describeConsumerGroups([groupId], { includeAuthorizedOperations: true })
    // READ, DELETE, DESCRIBE and those of configurations.
    expect((await described.get(groupId))?.authorizedOperations).toEqual(expect.arrayContaining([3, 6, 8]))
  })

  it('is refused when it is named twice, and not found when it is not there', async () => {
    const groupId = uniqueName('missing')
    expect(await errorName(world.admin.describeConsumerGroups([groupId, groupId]).get(groupId))).toBe(
      '_INVALID_ARG',
    )
    expect(await errorOfDescribing(groupId)).toBe('GROUP_ID_NOT_FOUND')
    expect(() => world.admin.describeConsumerGroups([])).toThrow(ValueError)
    expect(() => world.admin.describeConsumerGroups('g' as unknown as string[])).toThrow(TypeError)
  })

  it('is found by the old call, bytes and all', async () => {
    const topic = await world.topic()
    const groupId = uniqueName('classic')
    const consumer = await member(groupId, topic)
    const [group, ...others] = await world.admin.listGroups(groupId, 20)
    expect(others).toEqual([])
    expect(group).toMatchObject({
      id: groupId,
      error: null,
      state: 'Stable',
      protocolType: 'consumer',
      protocol: 'range',
    })
    expect(group?.members.map(({ id }) => id)).toEqual([consumer.memberId()])
    expect(group?.members[0]?.assignment.length).toBeGreaterThan(0)
    expect(await world.admin.listGroups(uniqueName('missing'), 20)).toEqual([])
  })
})

describe('a group of KIP-848', needs('ConsumerGroupHeartbeat', 1), () => {
  it('is described with current and target assignments', async () => {
    const topic = await world.topic(2)
    const groupId = uniqueName('consumer')
    const consumer = await member(groupId, topic, { 'group.protocol': 'consumer' })
    // The broker calls it stable when the member has confirmed its partitions.
    let described = await world.admin.describeConsumerGroups([groupId]).get(groupId)
    while (described?.state !== ConsumerGroupState.STABLE) {
      await consumer.poll(0.05)
      described = await world.admin.describeConsumerGroups([groupId]).get(groupId)
    }
    expect(described).toMatchObject({ type: ConsumerGroupType.CONSUMER, partitionAssignor: 'uniform' })
    const partitions = [new TopicPartition(topic, 0), new TopicPartition(topic, 1)]
    expect(described.members).toMatchObject([
      {
        memberId: consumer.memberId(),
        groupInstanceId: null,
        assignment: { topicPartitions: partitions },
        targetAssignment: { topicPartitions: partitions },
      },
    ])
  })

  it('is told apart by types and states', async () => {
    const topic = await world.topic()
    const [consumerId, classicId] = [uniqueName('consumer'), uniqueName('classic')]
    const consumer = await member(consumerId, topic, { 'group.protocol': 'consumer' })
    await member(classicId, topic)
    await consumer.close()
    await left(consumerId)
    const listed = async (options: Parameters<typeof world.admin.listConsumerGroups>[0]) => {
      const { valid } = await world.admin.listConsumerGroups(options)
      const own = [consumerId, classicId]
      return valid.map(({ groupId }) => groupId).filter((groupId) => own.includes(groupId))
    }
    expect(await listed({ types: new Set([ConsumerGroupType.CONSUMER]) })).toEqual([consumerId])
    expect(await listed({ types: [ConsumerGroupType.CLASSIC] })).toEqual([classicId])
    expect(await listed({ states: new Set([ConsumerGroupState.EMPTY]) })).toEqual([consumerId])
    expect(await listed({ states: [ConsumerGroupState.STABLE] })).toEqual([classicId])
  })

  it('cannot be listed by what is no state or type', async () => {
    const { admin } = world
    expect(await errorName(admin.listConsumerGroups({ types: new Set([ConsumerGroupType.UNKNOWN]) }))).toBe(
      '_INVALID_ARG',
    )
    expect(await errorName(admin.listConsumerGroups({ states: [5, 5] }))).toBe('_INVALID_ARG')
    expect(await errorName(admin.listConsumerGroups({ states: 5 as unknown as [] }))).toBe('TypeError')
    expect(await errorName(admin.listConsumerGroups({ states: [99 as 5] }))).toBe('TypeError')
  })
})

describe('deleting groups', () => {
  it('needs groups that exist and are empty', async () => {
    const topic = await world.topic()
    const [active, empty, missing] = [uniqueName('active'), uniqueName('empty'), uniqueName('missing')]
    await member(active, topic)
    await (await member(empty, topic)).close()
    await left(empty)
    const results = world.admin.deleteConsumerGroups([active, empty, missing])
    expect(await errorName(results.get(active))).toBe('NON_EMPTY_GROUP')
    expect(await errorName(results.get(empty))).toBe('none')
    expect(await errorName(results.get(missing))).toBe('GROUP_ID_NOT_FOUND')
    expect(await errorOfDescribing(empty)).toBe('GROUP_ID_NOT_FOUND')
    expect(await errorName(world.admin.deleteConsumerGroups([missing, missing]).get(missing))).toBe(
      '_INVALID_ARG',
    )
  })
})

describe('offsets of a group', () => {
  it('are written, read, and deleted', async () => {
    const topic = await world.topic(3)
    const groupId = uniqueName('simple')
    const one = new TopicPartition(topic, 0, 5, { metadata: 'note', leaderEpoch: 0 })
    const two = new TopicPartition(topic, 2, 7)
    const request = [new ConsumerGroupTopicPartitions(groupId, [one, two])]
    const altered = await world.admin.alterConsumerGroupOffsets(request).get(groupId)
    expect(altered?.topicPartitions?.map(({ offset, error }) => [offset, error])).toEqual([
      [5, null],
      [7, null],
    ])
    const all = await world.admin
      .listConsumerGroupOffsets([new ConsumerGroupTopicPartitions(groupId)])
      .get(groupId)
    const sorted = [...(all?.topicPartitions ?? [])].sort(TopicPartition.compare)
    expect(sorted.map(({ partition, offset, metadata }) => [partition, offset, metadata])).toEqual([
      [0, 5, 'note'],
      [2, 7, null],
    ])
    const asked = [
      new ConsumerGroupTopicPartitions(groupId, [new TopicPartition(topic, 1), new TopicPartition(topic, 0)]),
    ]
    const some = await world.admin
      .listConsumerGroupOffsets(asked, { requireStable: knows('OffsetFetch', 7) })
      .get(groupId)
    expect(some?.topicPartitions?.map(({ partition, offset }) => [partition, offset])).toEqual([
      [1, OFFSET_INVALID],
      [0, 5],
    ])
    const { valid } = await world.admin.listConsumerGroups()
    expect(valid.find((listing) => listing.groupId === groupId)?.isSimpleConsumerGroup).toBe(true)
    const described = await world.admin.describeConsumerGroups([groupId]).get(groupId)
    expect(described).toMatchObject({
      isSimpleConsumerGroup: true,
      members: [],
      state: ConsumerGroupState.EMPTY,
    })
    if (!knows('OffsetDelete')) return
    const gone = [new ConsumerGroupTopicPartitions(groupId, [new TopicPartition(topic, 0)])]
    const deleted = await world.admin.deleteConsumerGroupOffsets(gone).get(groupId)
    expect(deleted?.topicPartitions?.map(({ error }) => error)).toEqual([null])
    const rest = await world.admin.listConsumerGroupOffsets(gone).get(groupId)
    expect(rest?.topicPartitions?.[0]?.offset).toBe(OFFSET_INVALID)
  })

  it('of members, and of what does not exist, are refused by partition', needs('OffsetDelete'), async () => {
    const topic = await world.topic()
    const groupId = uniqueName('active')
    await member(groupId, topic)
    const request = [new ConsumerGroupTopicPartitions(groupId, [new TopicPartition(topic, 0, 1)])]
    const active = await world.admin.alterConsumerGroupOffsets(request).get(groupId)
    expect(active?.topicPartitions?.[0]?.error?.code()).toBe(KafkaError.UNKNOWN_MEMBER_ID)
    const subscribed = await world.admin
      .deleteConsumerGroupOffsets([new ConsumerGroupTopicPartitions(groupId, [new TopicPartition(topic, 0)])])
      .get(groupId)
    expect(subscribed?.topicPartitions?.[0]?.error?.name()).toBe('GROUP_SUBSCRIBED_TO_TOPIC')
    const missing = uniqueName('missing')
    const unknown = [
      new ConsumerGroupTopicPartitions(uniqueName('simple'), [new TopicPartition(missing, 0, 1)]),
    ]
    const [[, answer]] = [...(await world.admin.alterConsumerGroupOffsets(unknown).all())] as [
      [string, typeof active],
    ]
    expect(answer?.topicPartitions?.[0]?.error?.code()).toBe(KafkaError.UNKNOWN_TOPIC_OR_PART)
    expect(
      await errorName(
        world.admin
          .deleteConsumerGroupOffsets([
            new ConsumerGroupTopicPartitions(missing, [new TopicPartition(topic, 0)]),
          ])
          .get(missing),
      ),
    ).toBe('GROUP_ID_NOT_FOUND')
  })

  it('of a group that does not exist are none', async () => {
    const groupId = uniqueName('missing')
    const all = await world.admin
      .listConsumerGroupOffsets([new ConsumerGroupTopicPartitions(groupId)])
      .get(groupId)
    expect(all?.topicPartitions).toEqual([])
  })

  it('are set to the end or the beginning of a topic', async () => {
    const topic = await world.topic(2)
    const producer = world.producer()
    for (const value of ['a', 'b', 'c']) producer.produce(topic, { value, partition: 1 })
    await producer.flush(20)
    const groupId = uniqueName('reset')
    const offsets = async (earliest: boolean) => {
      const reset = await world.admin.resetOffsets({ groupId, topic, earliest })
      expect(reset.every(({ error }) => error === null)).toBe(true)
      return reset.map(({ offset }) => offset)
    }
    expect(await offsets(false)).toEqual([0, 3])
    expect(await offsets(true)).toEqual([0, 0])
  })
})
