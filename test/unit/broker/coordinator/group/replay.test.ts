import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { offsetFetch } from '../../../../../broker/api/09-offset-fetch.ts'
import { heartbeat } from '../../../../../broker/api/12-heartbeat.ts'
import { ErrorCode } from '../../../../../common/protocol/errors.ts'
import { GroupHarness } from './harness.ts'

/** Everything a client can learn of the shard. */
function picture(harness: GroupHarness): unknown {
  const groups = harness.list().sort((left, right) => (left.groupId < right.groupId ? -1 : 1))
  return groups.map(({ groupId, groupType, protocolType }) => ({
    groupId,
    groupType,
    protocolType,
    offsets: harness.fetchAll(groupId),
    consumer: groupType === 'consumer' ? harness.describeConsumer(groupId) : undefined,
  }))
}

const groupId = fc.constantFrom('a', 'b')
const memberId = fc.constantFrom<string>('m1', 'm2', 'm3')
const step = fc.oneof(
  fc.record({ kind: fc.constant('join' as const), groupId, memberId, instance: fc.boolean() }),
  fc.record({ kind: fc.constant('heartbeat' as const), groupId, memberId, givesBack: fc.boolean() }),
  fc.record({ kind: fc.constant('leave' as const), groupId, memberId }),
  fc.record({ kind: fc.constant('commit' as const), groupId, partition: fc.nat(5), offset: fc.nat(100) }),
  fc.record({
    kind: fc.constant('transaction' as const),
    groupId,
    offset: fc.nat(100),
    isCommit: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('delete' as const), groupId }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(10, 1000, 46_000) }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

function run(harness: GroupHarness, action: Step): void {
  switch (action.kind) {
    case 'join':
      harness.consumer(
        action.groupId,
        action.memberId,
        0,
        action.instance ? { instanceId: `i-${action.memberId}` } : {},
      )
      return
    case 'heartbeat': {
      const member = harness
        .describeConsumer(action.groupId)
        .members.find((each) => each.memberId === action.memberId)
      if (member === undefined) return
      const target = member.targetAssignment.topicPartitions[0]?.partitions ?? []
      const options = action.givesBack ? { owned: target } : {}
      const instance = member.instanceId === null ? {} : { instanceId: member.instanceId }
      harness.consumer(action.groupId, action.memberId, member.memberEpoch, { ...options, ...instance })
      return
    }
    case 'leave':
      harness.consumer(action.groupId, action.memberId, -1)
      return
    case 'commit':
      harness.commit(action.groupId, { partitions: [action.partition], offset: action.offset })
      return
    case 'transaction':
      harness.coordinator.commitOffsets(
        {
          groupId: action.groupId,
          memberId: '',
          groupInstanceId: null,
          generationIdOrMemberEpoch: -1,
          retentionTimeMs: -1,
          topics: [
            {
              name: 'orders',
              topicId: harness.topicId('orders'),
              partitions: [
                {
                  partitionIndex: 0,
                  committedOffset: action.offset,
                  committedLeaderEpoch: -1,
                  committedMetadata: null,
                },
              ],
            },
          ],
          apiVersion: 5,
          isTransactional: true,
        },
        { producerId: 7, producerEpoch: 0 },
      )
      harness.endTransaction(7, action.isCommit)
      return
    case 'delete':
      harness.delete(action.groupId)
      return
    case 'wait':
      harness.advance(action.ms)
  }
}

/** A partition must not be held by two members. */
function expectSingleOwners(harness: GroupHarness): void {
  for (const { groupId, groupType } of harness.list()) {
    if (groupType !== 'consumer') continue
    const owners = new Map<number, string>()
    for (const member of harness.describeConsumer(groupId).members) {
      for (const partition of member.assignment.topicPartitions.flatMap(({ partitions }) => partitions)) {
        expect(owners.get(partition), `partition ${partition} of group ${groupId}`).toBeUndefined()
        owners.set(partition, member.memberId)
      }
    }
  }
}

describe('replaying the log', () => {
  it('gives the state that the coordinator had, and no partition ever has two owners', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const harness = new GroupHarness()
        for (const action of steps) {
          run(harness, action)
          expectSingleOwners(harness)
        }
        const before = picture(harness)
        expect(picture(harness.restart())).toEqual(before)
      }),
      { numRuns: 150 },
    )
  })

  it('members that join, reconcile and leave end in a stable group with all partitions', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const harness = new GroupHarness()
        harness.consumer('a', 'm1', 0)
        for (const action of steps.filter(({ kind }) => kind !== 'wait')) run(harness, action)
        harness.consumer('a', 'm1', 0)
        for (let round = 0; round < 12; round += 1) {
          harness.advance(1000)
          for (const { memberId, memberEpoch } of harness.describeConsumer('a').members) {
            if (memberEpoch < 0) continue
            run(harness, { kind: 'heartbeat', groupId: 'a', memberId, givesBack: true })
          }
        }
        const group = harness.describeConsumer('a')
        if (group.members.some(({ memberEpoch }) => memberEpoch < 0)) return
        const partitions = group.members.flatMap(({ assignment }) =>
          assignment.topicPartitions.flatMap((topic) => topic.partitions),
        )
        expect(group.groupState).toBe('Stable')
        expect(partitions.sort()).toEqual([0, 1, 2, 3, 4, 5])
      }),
      { numRuns: 100 },
    )
  })

  it('a classic group continues from its last generation', () => {
    const harness = new GroupHarness()
    const memberId = harness.stableGroup('g')
    harness.commit('g', { generation: 1, memberId, offset: 12 })
    const before = harness.describe('g')
    const second = harness.restart()
    expect(second.describe('g')).toEqual(before)
    expect(second.heartbeat('g', 1, memberId)).toBe(0)
    expect(second.fetch('g').committedOffset).toBe(12)
    second.advance(45_000)
    expect(second.describe('g').groupState).toBe('Empty')
  })

  it('while the log is being read the coordinator says so', () => {
    const harness = new GroupHarness({ config: { 'offsets.load.buffer.size': 1 } })
    harness.stableGroup('g')
    harness.commit('g', {
      generation: 1,
      memberId: harness.describe('g').members[0]?.memberId ?? '',
      offset: 12,
    })
    harness.coordinator.service.onLeadershipLost(0, 1)
    harness.log.bytesPerRead = 1
    harness.coordinator.service.onLeadershipGained(0, 2, harness.log)
    const early = harness.ask(heartbeat, { groupId: 'g', generationId: 1, memberId: 'x' })
    const fetch = { groups: [{ groupId: 'g', topics: null }] }
    expect(harness.ask(offsetFetch, fetch, 9).value?.groups[0]?.errorCode).toBe(
      ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
    )
    expect(early.value?.errorCode).toBe(ErrorCode.NONE)
    harness.sim.runUntilIdle()
    expect(harness.fetch('g').committedOffset).toBe(12)
  })
})
