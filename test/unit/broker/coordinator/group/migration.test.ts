import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../../common/protocol/errors.ts'
import { GroupHarness } from './harness.ts'

const NO_DELAY = { 'group.consumer.assignment.interval.ms': 0 }

/** ConsumerProtocolSubscription version 2 with owned partitions of `orders`. */
function ownedSubscription(owned: readonly number[], generationId: number): Buffer {
  const int16 = (value: number) => [value >> 8, value & 0xff]
  const int32 = (value: number) => [...int16((value >> 16) & 0xffff), ...int16(value & 0xffff)]
  const name = [...int16(6), ...Buffer.from('orders')]
  const topics = [...int32(1), ...name]
  const partitions =
    owned.length === 0 ? int32(0) : [...int32(1), ...name, ...int32(owned.length), ...owned.flatMap(int32)]
  return Buffer.from([...int16(2), ...topics, ...int32(-1), ...partitions, ...int32(generationId)])
}

/** ConsumerProtocolAssignment version 1. */
function assignmentBytes(partitions: readonly number[], userData = ''): Buffer {
  const buffer = Buffer.alloc(2 + 4 + 2 + 6 + 4 + 4 * partitions.length + 4)
  buffer.writeInt16BE(1, 0)
  buffer.writeInt32BE(1, 2)
  buffer.writeInt16BE(6, 6)
  buffer.write('orders', 8)
  buffer.writeInt32BE(partitions.length, 14)
  partitions.forEach((partition, index) => {
    buffer.writeInt32BE(partition, 18 + 4 * index)
  })
  buffer.writeInt32BE(userData === '' ? -1 : userData.length, 18 + 4 * partitions.length)
  return Buffer.concat([buffer, Buffer.from(userData)])
}

/** Partitions in an assignment of version 2 as the coordinator writes it. */
function partitionsIn(assignment: Buffer): number[] {
  if (assignment.readInt32BE(2) === 0) return []
  const count = assignment.readInt32BE(14)
  return Array.from({ length: count }, (_, index) => assignment.readInt32BE(18 + 4 * index))
}

function protocols(owned: readonly number[] = [], generationId = -1) {
  return [{ name: 'range', metadata: ownedSubscription(owned, generationId) }]
}

/** A classic group of one member that holds all six partitions, in generation 1. */
function classicMember(harness: GroupHarness): string {
  const { memberId } = harness.joinFully('g', { protocols: protocols() })
  harness.sync('g', 1, memberId, {
    assignments: { [memberId]: assignmentBytes([0, 1, 2, 3, 4, 5]).toString('latin1') },
  })
  harness.sim.runUntilIdle()
  return memberId
}

describe('online migration', () => {
  it('the first consumer member turns a classic group over, and the classic member follows step by step', () => {
    const harness = new GroupHarness({ config: NO_DELAY })
    const classic = classicMember(harness)
    const joined = harness.consumer('g', 'm1', 0)
    expect(joined).toMatchObject({ errorCode: 0, memberEpoch: 2, assignment: { topicPartitions: [] } })
    expect(harness.heartbeat('g', 1, classic)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    expect(harness.commit('g', { generation: 1, memberId: classic })).toEqual([0])
    const described = harness.describeConsumer('g')
    expect(described).toMatchObject({ groupState: 'Reconciling', groupEpoch: 2, assignmentEpoch: 2 })
    expect(described.members.map(({ memberType }) => memberType)).toEqual([0, 1])

    const rejoined = harness.join('g', { memberId: classic, protocols: protocols([0, 1, 2, 3, 4, 5], 1) })
    harness.sim.runUntilIdle()
    expect(rejoined.value).toMatchObject({
      errorCode: 0,
      generationId: 1,
      protocolName: 'range',
      leader: '',
      members: [],
    })
    const synced = harness.sync('g', 1, classic)
    expect(partitionsIn(synced.value?.assignment ?? Buffer.alloc(0))).toEqual([0, 1, 2])
    expect(harness.heartbeat('g', 1, classic)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)

    const again = harness.join('g', { memberId: classic, protocols: protocols([0, 1, 2], 1) })
    harness.sim.runUntilIdle()
    expect(again.value?.generationId).toBe(2)
    expect(partitionsIn(harness.sync('g', 2, classic).value?.assignment ?? Buffer.alloc(0))).toEqual([
      0, 1, 2,
    ])
    expect(harness.heartbeat('g', 2, classic)).toBe(ErrorCode.NONE)
    expect(harness.consumer('g', 'm1', 2).assignment?.topicPartitions[0]?.partitions).toEqual([3, 4, 5])
    expect(harness.sync('g', 99, classic).value?.errorCode).toBe(ErrorCode.ILLEGAL_GENERATION)
    expect(harness.heartbeat('g', 99, classic)).toBe(ErrorCode.ILLEGAL_GENERATION)
  })

  it('writes the upgraded group as Kafka 4.4 does', () => {
    const harness = new GroupHarness()
    const memberId = classicMember(harness)
    const before = harness.log.logEndOffset
    harness.consumer('g', 'm1', 0)
    const partitions = [0, 1, 2, 3, 4, 5]
    expect(harness.records(before).slice(0, 6)).toMatchObject([
      { name: 'GroupMetadataValue', value: null },
      {
        name: 'ConsumerGroupMemberMetadataValue',
        key: { memberId },
        value: {
          subscribedTopicNames: ['orders'],
          rebalanceTimeoutMs: 60_000,
          classicMemberMetadata: { sessionTimeoutMs: 45_000, supportedProtocols: [{ name: 'range' }] },
        },
      },
      { name: 'ConsumerGroupMetadataValue', value: { epoch: 1 } },
      { name: 'ConsumerGroupTargetAssignmentMemberValue', value: { topicPartitions: [{ partitions }] } },
      {
        name: 'ConsumerGroupTargetAssignmentMetadataValue',
        value: { assignmentEpoch: 1, assignmentTimestamp: 0 },
      },
      {
        name: 'ConsumerGroupCurrentMemberAssignmentValue',
        value: {
          memberEpoch: 1,
          previousMemberEpoch: 1,
          state: 0,
          assignedPartitions: [{ partitions, assignmentEpochs: [1, 1, 1, 1, 1, 1] }],
        },
      },
    ])
  })

  it('a classic member joins a consumer group with an id that the coordinator gives it', () => {
    const harness = new GroupHarness({ config: NO_DELAY })
    harness.consumer('g', 'm1', 0)
    const asked = harness.join('g', { protocols: protocols() })
    expect(asked.value).toMatchObject({ errorCode: ErrorCode.MEMBER_ID_REQUIRED, generationId: -1 })
    const memberId = asked.value?.memberId ?? ''
    const joined = harness.join('g', { memberId, protocols: protocols() })
    expect(joined.value).toMatchObject({ errorCode: 0, generationId: 3, protocolName: 'range', leader: '' })
    expect(partitionsIn(harness.sync('g', 3, memberId).value?.assignment ?? Buffer.alloc(0))).toEqual([])
  })

  it('when the last consumer member goes the classic ones rebalance among themselves', () => {
    const harness = new GroupHarness({ config: NO_DELAY })
    const classic = classicMember(harness)
    harness.consumer('g', 'm1', 0)
    harness.join('g', { memberId: classic, protocols: protocols([0, 1, 2], 1) })
    harness.sim.runUntilIdle()
    expect(harness.consumer('g', 'm1', -1)).toMatchObject({ errorCode: 0, memberEpoch: -1 })
    expect(harness.describe('g')).toMatchObject({ errorCode: 0, groupState: 'PreparingRebalance' })
    const rejoined = harness.join('g', { memberId: classic, protocols: protocols([0, 1, 2], 2) })
    harness.sim.runUntilIdle()
    expect(rejoined.value).toMatchObject({ errorCode: 0, generationId: 3, leader: classic })
    expect(harness.restart().describe('g').groupState).toBe('Stable')
  })

  it('a classic member that was told to rejoin and does not is out after its rebalance timeout', () => {
    const harness = new GroupHarness({ config: NO_DELAY })
    const { memberId } = harness.joinFully('g', { protocols: protocols(), rebalanceTimeoutMs: 5000 })
    harness.sync('g', 1, memberId)
    harness.sim.runUntilIdle()
    harness.consumer('g', 'm1', 0)
    expect(harness.heartbeat('g', 1, memberId)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    harness.advance(5000)
    expect(harness.heartbeat('g', 1, memberId)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('LeaveGroup takes members of both protocols out', () => {
    const harness = new GroupHarness({ config: NO_DELAY })
    const classic = classicMember(harness)
    harness.consumer('g', 'm1', 0)
    harness.consumer('g', 'm2', 0)
    const left = harness.leave('g', [{ memberId: classic }, { memberId: 'x' }, { memberId: 'm1' }])
    expect(left.members.map(({ errorCode }) => errorCode)).toEqual([0, 25, 0])
    expect(harness.describeConsumer('g').members.map(({ memberId }) => memberId)).toEqual(['m2'])
  })

  it('a group that is not to be migrated stays what it is', () => {
    const harness = new GroupHarness({ config: { 'group.consumer.migration.policy': 'DISABLED' } })
    const classic = classicMember(harness)
    expect(harness.consumer('g', 'm1', 0).errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
    expect(harness.heartbeat('g', 1, classic)).toBe(ErrorCode.NONE)
  })

  it('a classic group whose assignor passes data of its own is not turned over', () => {
    const harness = new GroupHarness({ config: NO_DELAY })
    const { memberId } = harness.joinFully('g', { protocols: protocols() })
    harness.sync('g', 1, memberId, {
      assignments: { [memberId]: assignmentBytes([0, 1, 2], 'own').toString('latin1') },
    })
    harness.sim.runUntilIdle()
    expect(harness.consumer('g', 'm1', 0).errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
    expect(harness.heartbeat('g', 1, memberId)).toBe(ErrorCode.NONE)
  })

  it('no classic member joins a consumer group that is not to be migrated', () => {
    const harness = new GroupHarness({ config: { 'group.consumer.migration.policy': 'disabled' } })
    harness.consumer('g', 'm1', 0)
    const refused = { errorCode: ErrorCode.INCONSISTENT_GROUP_PROTOCOL, memberId: '' }
    expect(harness.join('g', { protocols: protocols() }).value).toMatchObject(refused)
    expect(harness.join('g', { protocols: protocols(), memberId: 'c1' }).value).toMatchObject(refused)
  })

  it('a classic member that a consumer group refuses is not called by its id', () => {
    const harness = new GroupHarness({ config: NO_DELAY })
    harness.consumer('g', 'm1', 0)
    const { value } = harness.join('g', { memberId: 'c1', protocolType: 'connect', protocols: protocols() })
    expect(value).toMatchObject({ errorCode: ErrorCode.INCONSISTENT_GROUP_PROTOCOL, memberId: '' })
  })

  it('a static member that comes back with the classic protocol turns the group back when it was the last of the new one', () => {
    const harness = new GroupHarness({ config: NO_DELAY })
    const stays = classicMember(harness)
    harness.consumer('g', 'm1', 0, { instanceId: 'i1' })
    harness.join('g', { memberId: stays, protocols: protocols([0, 1, 2], 1) })
    harness.sim.runUntilIdle()
    const back = harness.join('g', { instanceId: 'i1', protocols: protocols() })
    expect(back.value).toMatchObject({ errorCode: 0, generationId: 2, protocolName: 'range', leader: '' })
    harness.sim.runUntilIdle()
    expect(harness.describe('g')).toMatchObject({ errorCode: 0, groupState: 'Stable' })
    const memberId = back.value?.memberId ?? ''
    const synced = harness.sync('g', 2, memberId, { instanceId: 'i1' })
    expect(partitionsIn(synced.value?.assignment ?? Buffer.alloc(0))).toEqual([3, 4, 5])
    expect(harness.heartbeat('g', 2, stays)).toBe(ErrorCode.NONE)
    expect(harness.restart().describe('g').members).toHaveLength(2)
  })
})
