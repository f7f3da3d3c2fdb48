import { describe, expect, it } from 'vitest'
import { offsetCommit } from '../../../../../broker/api/08-offset-commit.ts'
import { offsetFetch } from '../../../../../broker/api/09-offset-fetch.ts'
import { ErrorCode } from '../../../../../common/protocol/errors.ts'
import { GroupHarness } from './harness.ts'

const DAY_MS = 86_400_000

describe('committed offsets', () => {
  it('anybody may commit to a group without members, which makes it a simple group', () => {
    const harness = new GroupHarness()
    expect(harness.commit('g', { offset: 42, metadata: 'm', leaderEpoch: 3 })).toEqual([0])
    expect(harness.fetch('g')).toMatchObject({ committedOffset: 42, metadata: 'm', committedLeaderEpoch: 3 })
    expect(harness.list()).toMatchObject([
      { groupId: 'g', protocolType: '', groupState: 'Empty', groupType: 'classic' },
    ])
  })

  it('are written in version 4 with the topic id, in version 1 when they have an expiry of their own', () => {
    const harness = new GroupHarness()
    harness.commit('g', { offset: 5, leaderEpoch: 2 })
    harness.commit('g', { offset: 6, metadata: 'x', retentionMs: 1000 }, 4)
    const nowMs = harness.sim.clock.wallMs()
    expect(harness.records()).toEqual([
      {
        name: 'OffsetCommitValue',
        key: { group: 'g', topic: 'orders', partition: 0 },
        version: 4,
        value: {
          offset: 5,
          leaderEpoch: 2,
          metadata: '',
          commitTimestamp: nowMs,
          expireTimestamp: -1,
          topicId: harness.topicId('orders'),
        },
      },
      {
        name: 'OffsetCommitValue',
        key: { group: 'g', topic: 'orders', partition: 0 },
        version: 1,
        value: expect.objectContaining({
          offset: 6,
          metadata: 'x',
          commitTimestamp: nowMs,
          expireTimestamp: nowMs + 1000,
        }),
      },
    ])
  })

  it('no offset is -1 and no error, in unknown groups too', () => {
    const harness = new GroupHarness()
    const nothing = { committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: 0 }
    expect(harness.fetch('nowhere')).toMatchObject(nothing)
    harness.commit('g')
    expect(harness.fetch('g', { partition: 3 })).toMatchObject(nothing)
    expect(harness.fetch('g', { topic: 'unknown' })).toMatchObject(nothing)
  })

  it('of members need the current generation; strangers are refused while there are members', () => {
    const harness = new GroupHarness()
    const memberId = harness.stableGroup('g')
    expect(harness.commit('g', { generation: 1, memberId })).toEqual([ErrorCode.NONE])
    expect(harness.commit('g', { generation: 0, memberId })).toEqual([ErrorCode.ILLEGAL_GENERATION])
    expect(harness.commit('g', { generation: 1, memberId: 'x' })).toEqual([ErrorCode.UNKNOWN_MEMBER_ID])
    expect(harness.commit('g')).toEqual([ErrorCode.UNKNOWN_MEMBER_ID])
    expect(harness.commit('nowhere', { generation: 1, memberId: 'x' })).toEqual([
      ErrorCode.GROUP_ID_NOT_FOUND,
    ])
    expect(harness.commit('nowhere', { generation: 1, memberId: 'x' }, 8)).toEqual([
      ErrorCode.ILLEGAL_GENERATION,
    ])
  })

  it('may be committed while members rejoin, not while the assignment is awaited', () => {
    const harness = new GroupHarness()
    const memberId = harness.stableGroup('g')
    harness.joinFully('g')
    expect(harness.commit('g', { generation: 1, memberId })).toEqual([ErrorCode.NONE])
    harness.join('g', { memberId })
    harness.sim.runUntilIdle()
    expect(harness.commit('g', { generation: 2, memberId })).toEqual([ErrorCode.REBALANCE_IN_PROGRESS])
  })

  it('a commit renews the session of its member', () => {
    const harness = new GroupHarness()
    const memberId = harness.stableGroup('g')
    harness.advance(40_000)
    harness.commit('g', { generation: 1, memberId })
    harness.advance(40_000)
    expect(harness.describe('g').groupState).toBe('Stable')
  })

  it('with too much metadata are refused one by one', () => {
    const harness = new GroupHarness({ config: { 'offset.metadata.max.bytes': 4 } })
    expect(harness.commit('g', { metadata: '12345' })).toEqual([ErrorCode.OFFSET_METADATA_TOO_LARGE])
    expect(harness.commit('g', { metadata: '1234' })).toEqual([ErrorCode.NONE])
  })

  it('of partitions that do not exist are UNKNOWN_TOPIC_OR_PARTITION and come first in the answer', () => {
    const harness = new GroupHarness()
    expect(harness.commit('g', { topic: 'unknown' })).toEqual([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
    expect(harness.commit('g', { partitions: [0, 99, 1] })).toEqual([
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      0,
      0,
    ])
    expect(harness.list()).toHaveLength(1)
  })

  it('go by topic id from version 10 on', () => {
    const harness = new GroupHarness()
    const topicId = harness.topicId('orders')
    const other = 'kfNTp4i1Qj6GpJ0c9vWxBA'
    const partitions = [{ partitionIndex: 0, committedOffset: 9, committedMetadata: null }]
    const committed = harness.call(offsetCommit, {
      groupId: 'g',
      memberId: '',
      topics: [
        { topicId, partitions },
        { topicId: other, partitions },
      ],
    })
    const errors = Object.fromEntries(
      committed.topics.map((topic) => [topic.topicId, topic.partitions[0]?.errorCode]),
    )
    expect(errors).toEqual({ [topicId]: 0, [other]: ErrorCode.UNKNOWN_TOPIC_ID })
    const fetched = harness.call(offsetFetch, {
      groups: [
        { groupId: 'g', topics: null },
        { groupId: 'g', topics: [{ topicId: other, partitionIndexes: [0] }] },
      ],
    })
    expect(fetched.groups).toMatchObject([
      { groupId: 'g', topics: [{ topicId, partitions: [{ committedOffset: 9 }] }] },
      { groupId: 'g', topics: [{ topicId: other, partitions: [{ committedOffset: -1, errorCode: 100 }] }] },
    ])
  })

  it('are forgotten for a topic that was made anew', () => {
    const harness = new GroupHarness()
    harness.commit('g', { offset: 7 })
    harness.image.deleteTopic('orders')
    harness.image.setTopic('orders', 1, 'kfNTp4i1Qj6GpJ0c9vWxBA')
    const fetched = harness.call(offsetFetch, {
      groups: [{ groupId: 'g', topics: [{ topicId: 'kfNTp4i1Qj6GpJ0c9vWxBA', partitionIndexes: [0] }] }],
    })
    expect(fetched.groups[0]?.topics[0]?.partitions[0]).toMatchObject({ committedOffset: -1, errorCode: 0 })
  })

  it('go with their topic when it is deleted', () => {
    const harness = new GroupHarness()
    harness.commit('g', { partitions: [0, 1] })
    const topic = harness.image.deleteTopic('orders')
    harness.coordinator.onMetadata(
      harness.image as never,
      { deletedTopics: new Map([[topic.id, topic]]) } as never,
    )
    expect(harness.fetchAll('g')).toEqual({})
    expect(harness.records().filter(({ value }) => value === null)).toHaveLength(2)
  })

  it('in one group before version 8, with the error at the group or at every partition', () => {
    const harness = new GroupHarness()
    harness.commit('g', { offset: 3 })
    const request = { groupId: 'g', topics: [{ name: 'orders', partitionIndexes: [0] }] }
    expect(harness.call(offsetFetch, request, 7).topics).toMatchObject([
      { name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: 3 }] },
    ])
    harness.coordinator.service.close()
    expect(harness.call(offsetFetch, request, 7)).toMatchObject({
      errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE,
      topics: [],
    })
    expect(harness.call(offsetFetch, request, 1).topics[0]?.partitions[0]?.errorCode).toBe(
      ErrorCode.COORDINATOR_NOT_AVAILABLE,
    )
  })
})

describe('OffsetDelete', () => {
  it('forgets offsets of topics that nobody reads', () => {
    const harness = new GroupHarness()
    harness.commit('g', { partitions: [0, 1] })
    const answer = harness.deleteOffsets('g', 'orders', [0, 99])
    expect(answer).toMatchObject({
      errorCode: 0,
      topics: [
        {
          name: 'orders',
          partitions: [
            { partitionIndex: 99, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
            { partitionIndex: 0, errorCode: 0 },
          ],
        },
      ],
    })
    expect(harness.fetchAll('g')).toEqual({ 'orders-1': 5 })
  })

  it('is GROUP_SUBSCRIBED_TO_TOPIC while a member reads the topic', () => {
    const harness = new GroupHarness()
    harness.image.setTopic('other', 1)
    const memberId = harness.stableGroup('g')
    harness.commit('g', { generation: 1, memberId })
    harness.commit('g', { generation: 1, memberId, topic: 'other' })
    expect(harness.deleteOffsets('g', 'orders', [0]).topics[0]?.partitions[0]?.errorCode).toBe(86)
    expect(harness.deleteOffsets('g', 'other', [0]).topics[0]?.partitions[0]?.errorCode).toBe(0)
  })

  it('is refused for unknown groups and for groups that are not consumers', () => {
    const harness = new GroupHarness()
    expect(harness.deleteOffsets('nowhere', 'orders', [0]).errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
    harness.stableGroup('workers', { protocolType: 'connect' })
    expect(harness.deleteOffsets('workers', 'orders', [0]).errorCode).toBe(ErrorCode.NON_EMPTY_GROUP)
  })
})

describe('offsets in transactions', () => {
  const producer = { producerId: 7, producerEpoch: 0 }

  function commitInTransaction(harness: GroupHarness, offset: number, partitionIndex = 0): void {
    harness.coordinator.commitOffsets(
      {
        groupId: 'g',
        memberId: '',
        groupInstanceId: null,
        generationIdOrMemberEpoch: -1,
        retentionTimeMs: -1,
        topics: [
          {
            name: 'orders',
            topicId: harness.topicId('orders'),
            partitions: [
              { partitionIndex, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: null },
            ],
          },
        ],
        apiVersion: 5,
        isTransactional: true,
      },
      producer,
    )
  }

  it('are pending until the commit marker and unstable for who wants stable ones', () => {
    const harness = new GroupHarness()
    harness.commit('g', { offset: 1 })
    commitInTransaction(harness, 9)
    expect(harness.fetch('g').committedOffset).toBe(1)
    expect(harness.fetch('g', { requireStable: true })).toMatchObject({
      committedOffset: -1,
      errorCode: ErrorCode.UNSTABLE_OFFSET_COMMIT,
    })
    harness.endTransaction(7, true)
    expect(harness.fetch('g', { requireStable: true })).toMatchObject({ committedOffset: 9, errorCode: 0 })
  })

  it('are gone after an abort marker', () => {
    const harness = new GroupHarness()
    harness.commit('g', { offset: 1 })
    commitInTransaction(harness, 9)
    harness.endTransaction(7, false)
    expect(harness.fetch('g', { requireStable: true })).toMatchObject({ committedOffset: 1, errorCode: 0 })
  })

  it('do not replace a commit that came later than they did', () => {
    const harness = new GroupHarness()
    commitInTransaction(harness, 9)
    harness.commit('g', { offset: 10 })
    harness.endTransaction(7, true)
    expect(harness.fetch('g').committedOffset).toBe(10)
  })

  it('survive a restart in whatever state they are', () => {
    const harness = new GroupHarness()
    commitInTransaction(harness, 9)
    const second = harness.restart()
    expect(second.fetch('g', { requireStable: true }).errorCode).toBe(ErrorCode.UNSTABLE_OFFSET_COMMIT)
    second.endTransaction(7, true)
    expect(second.restart().fetch('g', { requireStable: true }).committedOffset).toBe(9)
  })
})

describe('expiry', () => {
  it('offsets go seven days after their group became empty, and the group with the last one', () => {
    const harness = new GroupHarness()
    const memberId = harness.stableGroup('g')
    harness.commit('g', { generation: 1, memberId })
    harness.leave('g', [{ memberId }])
    harness.advance(7 * DAY_MS - 700_000)
    expect(harness.fetch('g').committedOffset).toBe(5)
    harness.advance(1_400_000)
    expect(harness.fetch('g').committedOffset).toBe(-1)
    expect(harness.list()).toEqual([])
    expect(harness.records().slice(-2)).toMatchObject([
      { name: 'OffsetCommitValue', value: null },
      { name: 'GroupMetadataValue', value: null },
    ])
  })

  it('offsets of topics that members read stay, others go by their commit time', () => {
    const harness = new GroupHarness({
      config: { 'offsets.retention.minutes': 1, 'offsets.retention.check.interval.ms': 1000 },
    })
    harness.image.setTopic('other', 1)
    const memberId = harness.stableGroup('g')
    harness.commit('g', { generation: 1, memberId })
    harness.commit('g', { generation: 1, memberId, topic: 'other' })
    for (let minute = 0; minute < 4; minute += 1) {
      harness.advance(30_000)
      harness.heartbeat('g', 1, memberId)
    }
    expect(harness.fetchAll('g')).toEqual({ 'orders-0': 5 })
  })

  it('an expiry of its own counts before that of the broker', () => {
    const harness = new GroupHarness()
    harness.commit('g', { retentionMs: 1000 }, 4)
    harness.advance(600_000)
    expect(harness.fetchAll('g')).toEqual({})
  })

  it('offsets that an open transaction writes are not touched', () => {
    const harness = new GroupHarness({
      config: { 'offsets.retention.minutes': 1, 'offsets.retention.check.interval.ms': 1000 },
    })
    harness.commit('g', { offset: 1 })
    harness.coordinator.commitOffsets(
      {
        groupId: 'g',
        memberId: '',
        groupInstanceId: null,
        generationIdOrMemberEpoch: -1,
        retentionTimeMs: -1,
        topics: [
          {
            name: 'orders',
            topicId: harness.topicId('orders'),
            partitions: [
              { partitionIndex: 0, committedOffset: 2, committedLeaderEpoch: -1, committedMetadata: null },
            ],
          },
        ],
        apiVersion: 5,
        isTransactional: true,
      },
      { producerId: 7, producerEpoch: 0 },
    )
    harness.advance(120_000)
    expect(harness.fetch('g').committedOffset).toBe(1)
    expect(harness.list()).toHaveLength(1)
  })
})

describe('DeleteGroups', () => {
  it('takes empty groups with their offsets', () => {
    const harness = new GroupHarness()
    const memberId = harness.stableGroup('g')
    harness.commit('g', { generation: 1, memberId })
    expect(harness.delete('g')).toBe(ErrorCode.NON_EMPTY_GROUP)
    harness.leave('g', [{ memberId }])
    expect(harness.delete('g')).toBe(ErrorCode.NONE)
    expect(harness.delete('g')).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
    expect(harness.fetchAll('g')).toEqual({})
    expect(harness.describe('g')).toMatchObject({
      errorCode: 69,
      groupState: 'Dead',
      errorMessage: 'Group g not found.',
    })
    expect(harness.describe('g', 5)).toMatchObject({ errorCode: 0, groupState: 'Dead' })
  })
})

describe('ListGroups', () => {
  it('filters by state and type without regard to case', () => {
    const harness = new GroupHarness()
    harness.stableGroup('a')
    harness.commit('b')
    harness.consumer('c', 'm1', 0)
    const names = (states: string[], types: string[]) =>
      harness.list(states, types).map(({ groupId }) => groupId)
    expect(names([], [])).toEqual(['a', 'b', 'c'])
    expect(names(['STABLE'], [])).toEqual(['a', 'c'])
    expect(names(['stable'], ['CLASSIC'])).toEqual(['a'])
    expect(names([], ['consumer'])).toEqual(['c'])
    expect(names(['nonsense'], [])).toEqual([])
  })
})
