import { describe, expect, it } from 'vitest'
import { findCoordinator } from '../../../../../broker/api/10-find-coordinator.ts'
import { joinGroup } from '../../../../../broker/api/11-join-group.ts'
import { describeGroups } from '../../../../../broker/api/15-describe-groups.ts'
import { listGroups } from '../../../../../broker/api/16-list-groups.ts'
import { deleteGroups } from '../../../../../broker/api/42-delete-groups.ts'
import { consumerGroupHeartbeat } from '../../../../../broker/api/68-consumer-group-heartbeat.ts'
import { shareGroupDescribe } from '../../../../../broker/api/77-share-group-describe.ts'
import { describeShareGroupOffsets } from '../../../../../broker/api/90-describe-share-group-offsets.ts'
import { alterShareGroupOffsets } from '../../../../../broker/api/91-alter-share-group-offsets.ts'
import { deleteShareGroupOffsets } from '../../../../../broker/api/92-delete-share-group-offsets.ts'
import { metadataRecord } from '../../../../../broker/metadata/metadata-record.ts'
import { ErrorCode } from '../../../../../common/protocol/errors.ts'
import { GROUP, ShareBroker, TOPIC } from '../../share/share-broker.ts'

const names = (broker: ShareBroker, from = 0) =>
  broker
    .records('__consumer_offsets')
    .slice(from)
    .map(({ name, value }) =>
      (value === null ? `-${name}` : name).replace('ShareGroup', '').replace('Value', ''),
    )

const assigned = (answer: ReturnType<ShareBroker['heartbeat']>) =>
  answer.assignment?.topicPartitions.flatMap(({ partitions }) => partitions)

/** A group with one member that has its partition. */
function stable(): ShareBroker {
  const broker = new ShareBroker()
  broker.join('a')
  broker.harness.advance(1000)
  broker.heartbeat('a', 2)
  return broker
}

describe('membership of a share group', () => {
  it('writes what Kafka writes, in its order, and assigns a partition once it has state', () => {
    const broker = new ShareBroker()
    expect(broker.heartbeat('a', 0, [TOPIC])).toMatchObject({
      memberEpoch: 2,
      assignment: { topicPartitions: [] },
    })
    expect(names(broker)).toEqual([
      'MemberMetadata',
      'Metadata',
      'TargetAssignmentMember',
      'TargetAssignmentMetadata',
      'CurrentMemberAssignment',
      'StatePartitionMetadata',
      'StatePartitionMetadata',
    ])
    broker.harness.advance(1000)
    const answer = broker.heartbeat('a', 2)
    expect([answer.memberEpoch, assigned(answer)]).toEqual([3, [0]])
    expect(names(broker, 7)).toEqual([
      'Metadata',
      'TargetAssignmentMember',
      'TargetAssignmentMetadata',
      'CurrentMemberAssignment',
    ])
    expect(broker.heartbeat('a', 3).assignment).toBe(null)
    expect(names(broker, 11)).toEqual([])
  })

  it('shares one partition among all members', () => {
    const broker = stable()
    broker.heartbeat('b', 0, [TOPIC])
    broker.harness.advance(1000)
    expect(assigned(broker.heartbeat('b', 3))).toEqual([0])
    expect(assigned(broker.heartbeat('a', 3, [TOPIC]))).toEqual([0])
  })

  it('ends by leaving, and the group is empty at its newest epoch', () => {
    const broker = stable()
    const before = names(broker).length
    expect(broker.heartbeat('a', -1)).toMatchObject({ memberEpoch: -1, errorCode: ErrorCode.NONE })
    expect(names(broker, before)).toEqual([
      '-CurrentMemberAssignment',
      '-TargetAssignmentMember',
      '-MemberMetadata',
      'Metadata',
      'TargetAssignmentMetadata',
    ])
  })

  it('ends with the session', () => {
    const broker = stable()
    broker.harness.advance(45_000)
    expect(broker.heartbeat('a', 3).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it.each([
    ['a nameless member', { memberId: '', memberEpoch: 0 }, ErrorCode.INVALID_REQUEST],
    ['no subscription at first', { memberId: 'b', memberEpoch: 0 }, ErrorCode.INVALID_REQUEST],
    ['an epoch below -1', { memberId: 'b', memberEpoch: -2 }, ErrorCode.INVALID_REQUEST],
    ['a member that did not join', { memberId: 'b', memberEpoch: 3 }, ErrorCode.UNKNOWN_MEMBER_ID],
    ['an epoch from the future', { memberId: 'a', memberEpoch: 9 }, ErrorCode.FENCED_MEMBER_EPOCH],
    ['an epoch long past', { memberId: 'a', memberEpoch: 1 }, ErrorCode.FENCED_MEMBER_EPOCH],
  ])('refuses %s', (_, { memberId, memberEpoch }, error) => {
    expect(stable().heartbeat(memberId, memberEpoch).errorCode).toBe(error)
  })

  it('accepts the epoch before: the answer with the new one may have got lost', () => {
    expect(stable().heartbeat('a', 2)).toMatchObject({ errorCode: ErrorCode.NONE, memberEpoch: 3 })
  })

  it('has room for as many members as the broker allows', () => {
    const broker = new ShareBroker({ 'group.share.max.size': '1' })
    broker.join('a')
    expect(broker.heartbeat('b', 0, [TOPIC]).errorCode).toBe(ErrorCode.GROUP_MAX_SIZE_REACHED)
  })

  it('is known to the next coordinator', () => {
    const broker = stable()
    broker.changeLeader(broker.broker.metadata.topicsByName.get('__consumer_offsets')?.id)
    const [group] = broker.call(shareGroupDescribe, {
      groupIds: [GROUP],
      includeAuthorizedOperations: false,
    }).groups
    expect(group).toMatchObject({
      groupState: 'Stable',
      groupEpoch: 3,
      assignmentEpoch: 3,
      assignorName: 'simple',
      members: [
        {
          memberId: 'a',
          memberEpoch: 3,
          assignment: { topicPartitions: [{ topicId: broker.topicId, topicName: TOPIC, partitions: [0] }] },
        },
      ],
    })
    broker.harness.advance(45_000)
    expect(broker.heartbeat('a', 3).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('asks for state again when the share coordinator did not answer', () => {
    const broker = new ShareBroker()
    broker.isCut = true
    broker.join('a')
    broker.harness.advance(20_000)
    broker.isCut = false
    broker.heartbeat('a', 2)
    broker.harness.advance(1000)
    expect(assigned(broker.heartbeat('a', 2))).toEqual([0])
  })
})

describe('a share group among other groups', () => {
  it('is listed as what it is', () => {
    const { groups } = stable().call(listGroups, { statesFilter: [], typesFilter: ['share'] })
    expect(groups).toEqual([
      { groupId: GROUP, protocolType: 'share', groupState: 'Stable', groupType: 'share' },
    ])
  })

  it('takes no members of other protocols', () => {
    const broker = stable()
    const classic = broker.call(joinGroup, {
      groupId: GROUP,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 1000,
      memberId: '',
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
    })
    expect(classic.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    const consumer = broker.call(consumerGroupHeartbeat, {
      groupId: GROUP,
      memberId: 'x',
      memberEpoch: 0,
      rebalanceTimeoutMs: 100,
      subscribedTopicNames: [TOPIC],
      topicPartitions: [],
    })
    expect(consumer).toMatchObject({
      errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
      errorMessage: 'Group g is not a consumer group.',
    })
    const described = broker.call(describeGroups, { groups: [GROUP], includeAuthorizedOperations: false })
    expect(described.groups[0]).toMatchObject({
      errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
      errorMessage: 'Group g is not a classic group.',
    })
  })

  it('stays until it is deleted, which needs it to be empty', () => {
    const broker = stable()
    const remove = () => broker.call(deleteGroups, { groupsNames: [GROUP] }).results[0]?.errorCode
    expect(remove()).toBe(ErrorCode.NON_EMPTY_GROUP)
    broker.heartbeat('a', -1)
    broker.harness.advance(8 * 24 * 3_600_000)
    const before = names(broker).length
    expect(remove()).toBe(ErrorCode.NONE)
    expect(names(broker, before)).toEqual([
      'StatePartitionMetadata',
      '-TargetAssignmentMetadata',
      '-StatePartitionMetadata',
      '-Metadata',
    ])
    expect(broker.records('__share_group_state').at(-1)).toEqual({ name: 'ShareSnapshotValue', value: null })
    expect(remove()).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
  })
})

describe('offsets of a share group', () => {
  const describeOffsets = (
    broker: ShareBroker,
    topics: null | { topicName: string; partitions: number[] }[] = null,
  ) => broker.call(describeShareGroupOffsets, { groups: [{ groupId: GROUP, topics }] }).groups[0]
  const alter = (broker: ShareBroker, startOffset: number, partitionIndex = 0) =>
    broker.call(alterShareGroupOffsets, {
      groupId: GROUP,
      topics: [{ topicName: TOPIC, partitions: [{ partitionIndex, startOffset }] }],
    })

  it('tell where it begins and what lies before it (KIP-1226)', () => {
    const broker = stable()
    const partition = { partitionIndex: 0, leaderEpoch: 0, errorCode: 0, errorMessage: null }
    expect(describeOffsets(broker)?.topics).toEqual([
      { topicName: TOPIC, topicId: broker.topicId, partitions: [{ ...partition, startOffset: -1, lag: -1 }] },
    ])
    broker.produce('a', 'b', 'c', 'd')
    const member = broker.member('a')
    member.fetch()
    member.acknowledge([1, 2, [1]], [3, 3, [2]])
    expect(describeOffsets(broker)?.topics[0]?.partitions).toEqual([{ ...partition, startOffset: 0, lag: 2 }])
    expect(describeOffsets(broker, [{ topicName: 'no', partitions: [0] }])?.topics[0]?.partitions).toEqual([
      { ...partition, startOffset: -1, lag: -1 },
    ])
  })

  it('are altered while nobody is in the group, with an epoch that fences the leader before', () => {
    const broker = stable()
    broker.produce('a', 'b', 'c', 'd')
    expect(alter(broker, 2).errorCode).toBe(ErrorCode.NON_EMPTY_GROUP)
    const before = broker.member('a')
    before.fetch()
    before.response({ shareSessionEpoch: -1, topics: [] })
    broker.heartbeat('a', -1)
    expect(alter(broker, 2).responses[0]?.partitions[0]?.errorCode).toBe(ErrorCode.NONE)
    expect(broker.member('a').fetch()).toEqual(['2-3 x1'])
    expect(alter(broker, 0, 7).responses[0]?.partitions[0]?.errorCode).toBe(
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    )
    expect(broker.records('__share_group_state').at(-1)?.value).toMatchObject({
      snapshotEpoch: 1,
      stateEpoch: 4,
      startOffset: 2,
      deliveryCompleteCount: 0,
    })
  })

  it('make a group that was not there', () => {
    const broker = new ShareBroker()
    expect(alter(broker, 0).errorCode).toBe(ErrorCode.NONE)
    expect(broker.call(listGroups, { statesFilter: ['Empty'], typesFilter: [] }).groups).toHaveLength(1)
  })

  it('are deleted by topic', () => {
    const broker = stable()
    const remove = () =>
      broker.call(deleteShareGroupOffsets, {
        groupId: GROUP,
        topics: [{ topicName: TOPIC }, { topicName: 'no' }],
      })
    expect(remove().errorCode).toBe(ErrorCode.NON_EMPTY_GROUP)
    broker.heartbeat('a', -1)
    expect(remove().responses.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.NONE,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ])
    expect(remove().responses[0]?.errorMessage).toBe('There is no offset information to delete.')
    expect(describeOffsets(broker)?.topics).toEqual([])
  })

  it('go with their topic', () => {
    const broker = stable()
    const image = broker.broker.metadata
    broker.harness.publish(metadataRecord('RemoveTopicRecord', 0, { topicId: broker.topicId }))
    broker.broker.groups.onMetadata(image, {
      deletedTopics: new Map([[broker.topicId, { name: TOPIC }]]),
    } as never)
    broker.harness.advance(0)
    expect(describeOffsets(broker)?.topics).toEqual([])
  })
})

describe('the coordinator of a share partition', () => {
  const find = (broker: ShareBroker, key: string, version = 6) =>
    broker.call(findCoordinator, { keyType: 2, coordinatorKeys: [key] }, version).coordinators[0]

  it('leads the partition of the state topic that group, topic and partition belong to', () => {
    const broker = new ShareBroker()
    expect(find(broker, `${GROUP}:${broker.topicId}:0`)).toMatchObject({ errorCode: 0, nodeId: 1 })
  })

  it.each(['g', 'g:x:0', ':AAAAAAAAAAAAAAAAAAAAAg:0', 'g:AAAAAAAAAAAAAAAAAAAAAg:x'])(
    'is not found by %s',
    (key) => {
      expect(find(new ShareBroker(), key)?.errorCode).toBe(ErrorCode.INVALID_REQUEST)
    },
  )

  it('is not known to requests before version 6', () => {
    const broker = new ShareBroker()
    expect(find(broker, `${GROUP}:${broker.topicId}:0`, 5)?.errorCode).toBe(ErrorCode.INVALID_REQUEST)
  })
})
