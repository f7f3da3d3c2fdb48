import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../../common/protocol/errors.ts'
import { type ConsumerOptions, GroupHarness } from './harness.ts'

function partitionsOf(answer: {
  assignment: { topicPartitions: { partitions: number[] }[] } | null
}): number[] | null {
  return answer.assignment === null
    ? null
    : answer.assignment.topicPartitions.flatMap(({ partitions }) => partitions)
}

/** Two members with three partitions each, both in epoch 3. */
function twoMembers(harness: GroupHarness): void {
  harness.consumer('g', 'm1', 0)
  harness.advance(1000)
  harness.consumer('g', 'm2', 0)
  harness.consumer('g', 'm1', 2)
  harness.consumer('g', 'm1', 2, { owned: [0, 1, 2] })
  harness.consumer('g', 'm2', 3)
}

describe('the consumer group protocol', () => {
  it('the first member gets everything in epoch 2, in the records that Kafka 4.4 writes', () => {
    const harness = new GroupHarness()
    const answer = harness.consumer('g', 'm1', 0)
    const topicId = harness.topicId('orders')
    const partitions = [0, 1, 2, 3, 4, 5]
    expect(answer).toMatchObject({
      errorCode: 0,
      errorMessage: null,
      memberId: 'm1',
      memberEpoch: 2,
      heartbeatIntervalMs: 5000,
      assignment: { topicPartitions: [{ topicId, partitions }] },
    })
    expect(harness.records()).toMatchObject([
      {
        name: 'ConsumerGroupMemberMetadataValue',
        key: { groupId: 'g', memberId: 'm1' },
        value: {
          instanceId: null,
          rackId: null,
          clientId: 'client',
          clientHost: '/127.0.0.1',
          subscribedTopicNames: ['orders'],
          subscribedTopicRegex: '',
          rebalanceTimeoutMs: 60_000,
          serverAssignor: null,
          classicMemberMetadata: null,
        },
      },
      { name: 'ConsumerGroupMetadataValue', value: { epoch: 2 } },
      {
        name: 'ConsumerGroupTargetAssignmentMemberValue',
        value: { topicPartitions: [{ topicId, partitions }] },
      },
      { name: 'ConsumerGroupTargetAssignmentMetadataValue', value: { assignmentEpoch: 2 } },
      {
        name: 'ConsumerGroupCurrentMemberAssignmentValue',
        value: {
          memberEpoch: 2,
          previousMemberEpoch: 0,
          state: 0,
          assignedPartitions: [{ topicId, partitions, assignmentEpochs: [2, 2, 2, 2, 2, 2] }],
          partitionsPendingRevocation: [],
        },
      },
    ])
    expect(partitionsOf(harness.consumer('g', 'm1', 2))).toBeNull()
    expect(harness.records()).toHaveLength(5)
  })

  it('a second member waits until the first has given back what it must', () => {
    const harness = new GroupHarness()
    harness.consumer('g', 'm1', 0)
    harness.advance(1000)
    const joined = harness.consumer('g', 'm2', 0)
    expect(joined.memberEpoch).toBe(3)
    expect(partitionsOf(joined)).toEqual([])
    const told = harness.consumer('g', 'm1', 2)
    expect(told.memberEpoch).toBe(2)
    expect(partitionsOf(told)).toEqual([0, 1, 2])
    expect(partitionsOf(harness.consumer('g', 'm2', 3))).toBeNull()
    expect(partitionsOf(harness.consumer('g', 'm1', 2))).toBeNull()
    expect(harness.describeConsumer('g').groupState).toBe('Reconciling')
    const gaveBack = harness.consumer('g', 'm1', 2, { owned: [0, 1, 2] })
    expect(gaveBack.memberEpoch).toBe(3)
    expect(partitionsOf(gaveBack)).toBeNull()
    expect(partitionsOf(harness.consumer('g', 'm2', 3))).toEqual([3, 4, 5])
    expect(harness.describeConsumer('g')).toMatchObject({
      groupState: 'Stable',
      groupEpoch: 3,
      assignmentEpoch: 3,
    })
  })

  it('the next assignment waits for the assignment interval', () => {
    const harness = new GroupHarness()
    harness.consumer('g', 'm1', 0)
    harness.advance(10)
    expect(harness.consumer('g', 'm2', 0)).toMatchObject({ memberEpoch: 2 })
    expect(harness.describeConsumer('g')).toMatchObject({
      groupState: 'Assigning',
      groupEpoch: 3,
      assignmentEpoch: 2,
    })
    harness.advance(990)
    expect(harness.consumer('g', 'm2', 2)).toMatchObject({ memberEpoch: 3 })
  })

  it('a member that takes too long to give back is out', () => {
    const harness = new GroupHarness()
    harness.consumer('g', 'm1', 0, { rebalanceTimeoutMs: 5000 })
    harness.advance(1000)
    harness.consumer('g', 'm2', 0)
    harness.consumer('g', 'm1', 2)
    harness.advance(5000)
    expect(harness.consumer('g', 'm1', 2).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect(partitionsOf(harness.consumer('g', 'm2', 3))).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('a member whose session ends while its log takes no records is out as soon as it takes them', () => {
    const harness = new GroupHarness()
    harness.consumer('g', 'm1', 0)
    harness.log.refusal = ErrorCode.NOT_ENOUGH_REPLICAS
    harness.advance(60_000)
    expect(harness.describeConsumer('g').members).toHaveLength(1)
    harness.log.refusal = ErrorCode.NONE
    harness.advance(500)
    expect(harness.describeConsumer('g').members).toEqual([])
  })

  it('a member whose leaving could not be written is out after its session', () => {
    const harness = new GroupHarness()
    harness.consumer('g', 'm1', 0)
    harness.log.refusal = ErrorCode.NOT_ENOUGH_REPLICAS
    expect(harness.consumer('g', 'm1', -1).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    harness.log.refusal = ErrorCode.NONE
    harness.advance(45_000)
    expect(harness.describeConsumer('g').members).toEqual([])
  })

  it('a silent member is out after its session, longer when the group says so', () => {
    const harness = new GroupHarness()
    harness.consumer('g', 'm1', 0)
    harness.groupConfigs.set('long', new Map([['consumer.session.timeout.ms', '60000']]))
    harness.consumer('long', 'm1', 0)
    harness.advance(45_000)
    expect(harness.describeConsumer('g')).toMatchObject({
      groupState: 'Empty',
      groupEpoch: 3,
      assignmentEpoch: 3,
    })
    expect(harness.describeConsumer('long').groupState).toBe('Stable')
    expect(
      harness
        .records()
        .slice(-5)
        .map(({ name, value }) => [name, value]),
    ).toMatchObject([
      ['ConsumerGroupCurrentMemberAssignmentValue', null],
      ['ConsumerGroupTargetAssignmentMemberValue', null],
      ['ConsumerGroupMemberMetadataValue', null],
      ['ConsumerGroupMetadataValue', { epoch: 3, metadataHash: 0n }],
      ['ConsumerGroupTargetAssignmentMetadataValue', { assignmentEpoch: 3, assignmentTimestamp: 0 }],
    ])
  })

  it('leaving frees the partitions for the others', () => {
    const harness = new GroupHarness()
    twoMembers(harness)
    expect(harness.consumer('g', 'm1', -1)).toMatchObject({ errorCode: 0, memberId: 'm1', memberEpoch: -1 })
    harness.advance(1000)
    const answer = harness.consumer('g', 'm2', 3)
    expect(answer.memberEpoch).toBe(4)
    expect(partitionsOf(answer)).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('more partitions of a topic make another assignment', () => {
    const harness = new GroupHarness()
    harness.consumer('g', 'm1', 0)
    harness.advance(1000)
    harness.image.setTopic('orders', 8, harness.topicId('orders'))
    const answer = harness.consumer('g', 'm1', 2)
    expect(answer.memberEpoch).toBe(3)
    expect(partitionsOf(answer)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('the range assignor meets equal partition numbers of several topics at one member', () => {
    const harness = new GroupHarness()
    harness.image.setTopic('bills', 6)
    const options: ConsumerOptions = { topics: ['orders', 'bills'], assignor: 'range' }
    harness.consumer('g', 'm1', 0, options)
    harness.advance(1000)
    harness.consumer('g', 'm2', 0, options)
    const told = harness.consumer('g', 'm1', 2)
    expect(told.assignment?.topicPartitions.map(({ partitions }) => partitions)).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ])
    expect(harness.describeConsumer('g').assignorName).toBe('range')
  })

  it('a pattern is resolved by the coordinator and counts from a later heartbeat on', () => {
    const harness = new GroupHarness()
    harness.image.setTopic('order-log', 2)
    const joined = harness.consumer('g', 'm1', 0, { regex: 'ord.*s' })
    expect(partitionsOf(joined)).toEqual([])
    harness.advance(1000)
    const answer = harness.consumer('g', 'm1', joined.memberEpoch)
    expect(partitionsOf(answer)).toEqual([0, 1, 2, 3, 4, 5])
    expect(
      harness.records().find(({ name }) => name === 'ConsumerGroupRegularExpressionValue'),
    ).toMatchObject({
      key: { groupId: 'g', regularExpression: 'ord.*s' },
      value: { topics: ['orders'] },
    })
  })

  it('a pattern matches internal topics as well', () => {
    const harness = new GroupHarness()
    const joined = harness.consumer('g', 'm1', 0, { regex: '__consumer_.*' })
    harness.advance(1000)
    const answer = harness.consumer('g', 'm1', joined.memberEpoch)
    expect(partitionsOf(answer)).toEqual([0])
  })

  it('a pattern that matches no topic yet leaves the group in its epoch', () => {
    const harness = new GroupHarness()
    const joined = harness.consumer('g', 'm1', 0, { regex: 'later.*' })
    harness.advance(1000)
    expect(harness.consumer('g', 'm1', joined.memberEpoch).memberEpoch).toBe(joined.memberEpoch)
    harness.image.setTopic('later-on', 2)
    harness.advance(10_000)
    harness.consumer('g', 'm1', joined.memberEpoch)
    harness.advance(1000)
    const answer = harness.consumer('g', 'm1', joined.memberEpoch)
    expect(answer.memberEpoch).toBe(joined.memberEpoch + 1)
    expect(partitionsOf(answer)).toEqual([0, 1])
  })

  it('new topics that match a pattern are found', () => {
    const harness = new GroupHarness()
    harness.consumer('g', 'm1', 0, { regex: 'ord.*' })
    harness.advance(1000)
    harness.consumer('g', 'm1', 0, { regex: 'ord.*' })
    harness.image.setTopic('order-log', 2)
    harness.advance(10_000)
    harness.consumer('g', 'm1', 0, { regex: 'ord.*' })
    const answer = harness.consumer('g', 'm1', 0, { regex: 'ord.*' })
    expect(answer.assignment?.topicPartitions).toHaveLength(2)
  })
})

describe('epochs of consumer groups', () => {
  it('too great or too old epochs are fenced, the previous one is taken from who reads no more than it has', () => {
    const harness = new GroupHarness()
    twoMembers(harness)
    expect(harness.consumer('g', 'm1', 9).errorCode).toBe(ErrorCode.FENCED_MEMBER_EPOCH)
    expect(harness.consumer('g', 'm1', 1).errorCode).toBe(ErrorCode.FENCED_MEMBER_EPOCH)
    expect(harness.consumer('g', 'm1', 2).errorCode).toBe(ErrorCode.FENCED_MEMBER_EPOCH)
    expect(harness.consumer('g', 'm1', 2, { owned: [0, 5] }).errorCode).toBe(ErrorCode.FENCED_MEMBER_EPOCH)
    expect(harness.consumer('g', 'm1', 2, { owned: [0] })).toMatchObject({ errorCode: 0, memberEpoch: 3 })
  })

  it('joining again with epoch 0 is always allowed', () => {
    const harness = new GroupHarness()
    harness.consumer('g', 'm1', 0)
    expect(harness.consumer('g', 'm1', 0)).toMatchObject({ errorCode: 0, memberEpoch: 2 })
  })

  it('commits need an epoch since which the member has held the partition', () => {
    const harness = new GroupHarness()
    twoMembers(harness)
    const commit = (memberId: string, generation: number, partition: number) =>
      harness.commit('g', { memberId, generation, partitions: [partition] })[0]
    expect(commit('m1', 3, 0)).toBe(0)
    expect(commit('m1', 2, 0)).toBe(0)
    expect(commit('m1', 1, 0)).toBe(ErrorCode.STALE_MEMBER_EPOCH)
    expect(commit('m1', 2, 5)).toBe(ErrorCode.STALE_MEMBER_EPOCH)
    expect(commit('m2', 2, 5)).toBe(ErrorCode.STALE_MEMBER_EPOCH)
    expect(commit('m2', 4, 5)).toBe(ErrorCode.STALE_MEMBER_EPOCH)
    expect(commit('nobody', 3, 0)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect(harness.commit('g')).toEqual([ErrorCode.UNKNOWN_MEMBER_ID])
    expect(harness.commit('g', { memberId: 'm1', generation: 3 }, 8)).toEqual([ErrorCode.UNSUPPORTED_VERSION])
  })
})

describe('static members of consumer groups', () => {
  it('come back under a new id and take over what they had', () => {
    const harness = new GroupHarness()
    harness.consumer('g', 's1', 0, { instanceId: 'i' })
    expect(harness.consumer('g', 's2', 0, { instanceId: 'i' }).errorCode).toBe(
      ErrorCode.UNRELEASED_INSTANCE_ID,
    )
    expect(harness.consumer('g', 's1', -2, { instanceId: 'i' })).toMatchObject({
      errorCode: 0,
      memberEpoch: -2,
    })
    const back = harness.consumer('g', 's2', 0, { instanceId: 'i' })
    expect(back).toMatchObject({ errorCode: 0, memberEpoch: 2 })
    expect(partitionsOf(back)).toEqual([0, 1, 2, 3, 4, 5])
    expect(harness.consumer('g', 's1', 2, { instanceId: 'i' }).errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID)
    expect(harness.consumer('g', 's1', 2, { instanceId: 'x' }).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect(harness.describeConsumer('g')).toMatchObject({ groupEpoch: 2, members: [{ memberId: 's2' }] })
  })

  it('that leave for a while are written with epoch 0 for each of their partitions, and come back with it', () => {
    const harness = new GroupHarness()
    harness.consumer('g', 's1', 0, { instanceId: 'i' })
    harness.consumer('g', 's1', -2, { instanceId: 'i' })
    harness.consumer('g', 's2', 0, { instanceId: 'i' })
    const epochs = harness
      .records()
      .filter(({ name, value }) => name === 'ConsumerGroupCurrentMemberAssignmentValue' && value !== null)
      .map(({ value }) => value)
    const zeros = { assignedPartitions: [{ assignmentEpochs: [0, 0, 0, 0, 0, 0] }] }
    expect(epochs.slice(1)).toMatchObject([
      { memberEpoch: -2, ...zeros },
      { memberEpoch: 0, ...zeros },
      { memberEpoch: 2, ...zeros },
    ])
  })

  it('that stay away longer than their session are out', () => {
    const harness = new GroupHarness()
    harness.consumer('g', 's1', 0, { instanceId: 'i' })
    harness.consumer('g', 's1', -2, { instanceId: 'i' })
    harness.advance(45_000)
    expect(harness.describeConsumer('g').members).toEqual([])
  })
})

describe('refusals of the consumer protocol', () => {
  it.each([
    ['no member id', '', 0, {}, 42],
    ['an empty instance id', 'm', 0, { instanceId: '' }, 42],
    ['a wrong epoch', 'm', -3, {}, 42],
    ['a static leave without instance', 'm', -2, {}, 42],
    ['partitions in a join', 'm', 0, { owned: [1] }, 42],
    ['no rebalance timeout in a join', 'm', 0, { rebalanceTimeoutMs: -1 }, 42],
    ['no subscription in a join', 'm', 0, { topics: null }, 42],
    ['an unknown assignor', 'm', 0, { assignor: 'x' }, 112],
    ['a broken pattern', 'm', 0, { regex: '[' }, 128],
    ['a pattern with look-around', 'm', 0, { regex: '(?=a)b' }, 128],
    ['a pattern with nested repetitions', 'm', 0, { regex: '(a+)+' }, 128],
    ['an unknown group', 'm', 3, {}, 69],
    ['leaving an unknown group', 'm', -1, {}, 69],
  ] as const)('%s', (_what, memberId, epoch, options, error) => {
    const harness = new GroupHarness()
    const answer = harness.consumer('g', memberId, epoch, options)
    expect(answer).toMatchObject({ errorCode: error, memberId: null, memberEpoch: 0, heartbeatIntervalMs: 0 })
    expect(answer.errorMessage).not.toBeNull()
    expect(harness.records()).toEqual([])
  })

  it('in version 0 the coordinator makes the member id', () => {
    const harness = new GroupHarness()
    expect(harness.consumer('g', '', 0, { version: 0 }).memberId).toMatch(/^[\w-]{22}$/)
  })

  it('a full group takes nobody else', () => {
    const harness = new GroupHarness({ config: { 'group.consumer.max.size': 1 } })
    harness.consumer('g', 'm1', 0)
    expect(harness.consumer('g', 'm2', 0).errorCode).toBe(ErrorCode.GROUP_MAX_SIZE_REACHED)
    expect(harness.consumer('g', 'm1', 2).errorCode).toBe(0)
  })

  it('a group of the other kind is not found', () => {
    const harness = new GroupHarness()
    harness.stableGroup('classic', { protocolType: 'connect' })
    expect(harness.consumer('classic', 'm1', 0).errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
    expect(harness.describeConsumer('classic').errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
    harness.consumer('g', 'm1', 0)
    expect(harness.describe('g')).toMatchObject({
      errorCode: 69,
      errorMessage: 'Group g is not a classic group.',
    })
    expect(harness.describeConsumer('').errorCode).toBe(ErrorCode.INVALID_GROUP_ID)
  })

  it('an empty group of the other kind gives way, in both directions', () => {
    const harness = new GroupHarness()
    harness.commit('g', { offset: 8 })
    harness.consumer('g', 'm1', 0)
    expect(harness.fetch('g').committedOffset).toBe(8)
    expect(harness.restart().describeConsumer('g').members).toHaveLength(1)
    const other = new GroupHarness()
    other.consumer('g', 'm1', 0)
    other.consumer('g', 'm1', -1)
    other.stableGroup('g')
    expect(other.describe('g').groupState).toBe('Stable')
    expect(other.restart().describe('g').groupState).toBe('Stable')
  })
})
