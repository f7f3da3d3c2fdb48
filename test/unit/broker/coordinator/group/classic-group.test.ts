import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../../common/protocol/errors.ts'
import { GroupHarness, subscription } from './harness.ts'

describe('the classic group protocol', () => {
  it('a stranger is told its member id and is alone in generation 1 after joining with it', () => {
    const harness = new GroupHarness()
    const { memberId, answer } = harness.joinFully('g')
    expect(memberId).toMatch(/^client-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(answer.value).toMatchObject({
      errorCode: ErrorCode.NONE,
      generationId: 1,
      protocolType: 'consumer',
      protocolName: 'range',
      leader: memberId,
      skipAssignment: false,
      members: [{ memberId, groupInstanceId: null, metadata: subscription(['orders']) }],
    })
  })

  it('before version 4 a stranger joins at once', () => {
    const harness = new GroupHarness()
    const answer = harness.join('g', {}, 3)
    harness.sim.runUntilIdle()
    expect(answer.value).toMatchObject({ errorCode: ErrorCode.NONE, generationId: 1 })
  })

  it('the first rebalance of an empty group waits for the initial delay, longer when somebody comes', () => {
    const harness = new GroupHarness({ config: { 'group.initial.rebalance.delay.ms': 3000 } })
    const first = harness.joinFully('g')
    harness.advance(2000)
    const second = harness.joinFully('g')
    harness.advance(1000)
    expect(first.answer.value).toBeUndefined()
    harness.advance(3000)
    expect(first.answer.value?.generationId).toBe(1)
    expect(first.answer.value?.members).toHaveLength(2)
    expect(second.answer.value?.members).toHaveLength(0)
    expect(second.answer.value?.leader).toBe(first.memberId)
  })

  it('the assignment of the leader reaches everybody, and syncing again gives the same', () => {
    const harness = new GroupHarness({ config: { 'group.initial.rebalance.delay.ms': 100 } })
    const a = harness.joinFully('g')
    const b = harness.joinFully('g')
    harness.advance(1000)
    const follower = harness.sync('g', 1, b.memberId)
    harness.sim.runUntilIdle()
    expect(follower.value).toBeUndefined()
    const leader = harness.sync('g', 1, a.memberId, { assignments: { [a.memberId]: 'a', [b.memberId]: 'b' } })
    harness.sim.runUntilIdle()
    expect(leader.value).toMatchObject({ errorCode: 0, protocolType: 'consumer', protocolName: 'range' })
    expect(leader.value?.assignment.toString()).toBe('a')
    expect(follower.value?.assignment.toString()).toBe('b')
    const again = harness.sync('g', 1, b.memberId)
    expect(again.value?.assignment.toString()).toBe('b')
    expect(harness.describe('g')).toMatchObject({ groupState: 'Stable', protocolData: 'range' })
  })

  it('a member without partitions gets empty bytes', () => {
    const harness = new GroupHarness()
    const { memberId } = harness.joinFully('g')
    const answer = harness.sync('g', 1, memberId)
    expect(answer.value?.assignment).toHaveLength(0)
  })

  it('writes the group empty when it begins and whole when the assignment is known, as Kafka 4.4 does', () => {
    const harness = new GroupHarness()
    const memberId = harness.stableGroup('g')
    expect(harness.records()).toEqual([
      {
        name: 'GroupMetadataValue',
        key: { group: 'g' },
        version: 3,
        value: {
          protocolType: '',
          generation: 0,
          protocol: null,
          leader: null,
          currentStateTimestamp: expect.any(Number),
          members: [],
        },
      },
      {
        name: 'GroupMetadataValue',
        key: { group: 'g' },
        version: 3,
        value: {
          protocolType: 'consumer',
          generation: 1,
          protocol: 'range',
          leader: memberId,
          currentStateTimestamp: expect.any(Number),
          members: [
            {
              memberId,
              groupInstanceId: null,
              clientId: 'client',
              clientHost: '/127.0.0.1',
              rebalanceTimeout: 60_000,
              sessionTimeout: 45_000,
              subscription: subscription(['orders']),
              assignment: Buffer.from('all'),
            },
          ],
        },
      },
    ])
  })

  it('a rebalance lets members come for the rebalance timeout and goes on without who did not', () => {
    const harness = new GroupHarness()
    const a = harness.stableGroup('g', { rebalanceTimeoutMs: 5000 })
    const b = harness.joinFully('g', { rebalanceTimeoutMs: 5000 })
    expect(harness.heartbeat('g', 1, a)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    expect(b.answer.value).toBeUndefined()
    harness.advance(5000)
    expect(b.answer.value).toMatchObject({ generationId: 2, leader: b.memberId })
    expect(harness.heartbeat('g', 1, a)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('a rebalance ends as soon as everybody has joined', () => {
    const harness = new GroupHarness()
    const a = harness.stableGroup('g')
    const b = harness.joinFully('g')
    const again = harness.join('g', { memberId: a })
    harness.sim.runUntilIdle()
    expect(again.value).toMatchObject({ generationId: 2, leader: a })
    expect(again.value?.members).toHaveLength(2)
    expect(b.answer.value).toMatchObject({ generationId: 2, leader: a, members: [] })
  })

  it('a member that is silent for its session is out, and told so when it comes back', () => {
    const harness = new GroupHarness()
    const a = harness.stableGroup('g')
    harness.advance(44_999)
    expect(harness.describe('g').members).toHaveLength(1)
    harness.advance(1)
    expect(harness.describe('g')).toMatchObject({
      groupState: 'Empty',
      members: [],
      protocolType: 'consumer',
    })
    expect(harness.heartbeat('g', 1, a)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    const last = harness.records().at(-1)
    expect(last).toMatchObject({ value: { generation: 2, protocol: null, leader: null, members: [] } })
  })

  it('a heartbeat renews the session', () => {
    const harness = new GroupHarness()
    const a = harness.stableGroup('g')
    harness.advance(40_000)
    expect(harness.heartbeat('g', 1, a)).toBe(ErrorCode.NONE)
    harness.advance(40_000)
    expect(harness.describe('g').members).toHaveLength(1)
  })

  it('members that do not sync in time are out and the others rebalance', () => {
    const harness = new GroupHarness({ config: { 'group.initial.rebalance.delay.ms': 10 } })
    const a = harness.joinFully('g', { rebalanceTimeoutMs: 10_000 })
    const b = harness.joinFully('g', { rebalanceTimeoutMs: 10_000 })
    harness.advance(100)
    const waiting = harness.sync('g', 1, b.memberId)
    harness.advance(10_000)
    expect(waiting.value?.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    expect(harness.heartbeat('g', 1, a.memberId)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('a pending member that never joins is forgotten and does not hold up the rebalance', () => {
    const harness = new GroupHarness()
    const a = harness.stableGroup('g', { sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 300_000 })
    harness.join('g', { sessionTimeoutMs: 10_000 })
    const again = harness.join('g', { memberId: a, sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 300_000 })
    harness.sim.runUntilIdle()
    expect(again.value).toBeUndefined()
    harness.advance(10_000)
    expect(again.value?.generationId).toBe(2)
  })

  it('a follower that rejoins unchanged in a stable group gets the current generation', () => {
    const harness = new GroupHarness({ config: { 'group.initial.rebalance.delay.ms': 10 } })
    const a = harness.joinFully('g')
    const b = harness.joinFully('g')
    harness.advance(100)
    harness.sync('g', 1, a.memberId, { assignments: { [a.memberId]: 'a' } })
    harness.sync('g', 1, b.memberId)
    const same = harness.join('g', { memberId: b.memberId })
    harness.sim.runUntilIdle()
    expect(same.value).toMatchObject({ errorCode: 0, generationId: 1 })
    const changed = harness.join('g', { memberId: b.memberId, topics: ['other'] })
    harness.sim.runUntilIdle()
    expect(changed.value).toBeUndefined()
    expect(harness.describe('g').groupState).toBe('PreparingRebalance')
  })

  it('members vote for the protocol that all of them know', () => {
    const harness = new GroupHarness({ config: { 'group.initial.rebalance.delay.ms': 10 } })
    const protocols = (names: string[]) => names.map((name) => ({ name, metadata: Buffer.from(name) }))
    harness.joinFully('g', { protocols: protocols(['x', 'sticky', 'range']) })
    const b = harness.joinFully('g', { protocols: protocols(['sticky', 'range']) })
    harness.joinFully('g', { protocols: protocols(['range', 'sticky', 'y']) })
    harness.advance(1000)
    expect(b.answer.value?.protocolName).toBe('sticky')
  })

  it('leaving lets the others rebalance and answers for each member', () => {
    const harness = new GroupHarness({ config: { 'group.initial.rebalance.delay.ms': 10 } })
    const a = harness.joinFully('g')
    const b = harness.joinFully('g')
    harness.advance(100)
    harness.sync('g', 1, a.memberId)
    const left = harness.leave('g', [
      { memberId: b.memberId },
      { memberId: 'nobody' },
      { memberId: '', groupInstanceId: 'nobody' },
    ])
    expect(left.errorCode).toBe(ErrorCode.NONE)
    expect(left.members.map(({ errorCode }) => errorCode)).toEqual([0, 25, 25])
    expect(harness.describe('g').groupState).toBe('PreparingRebalance')
  })
})

describe('static members', () => {
  const instanceId = 'i-1'

  function staticGroup(harness: GroupHarness): string {
    const joined = harness.join('g', { instanceId })
    harness.sim.runUntilIdle()
    const memberId = joined.value?.memberId ?? ''
    harness.sync('g', 1, memberId, { instanceId, assignments: { [memberId]: 'mine' } })
    harness.sim.runUntilIdle()
    return memberId
  }

  it('coming back under a new id within the session changes nothing, and the old id is fenced', () => {
    const harness = new GroupHarness()
    const old = staticGroup(harness)
    expect(old).toMatch(/^i-1-/)
    const back = harness.join('g', { instanceId })
    harness.sim.runUntilIdle()
    const memberId = back.value?.memberId ?? ''
    expect(back.value).toMatchObject({
      errorCode: 0,
      generationId: 1,
      leader: memberId,
      skipAssignment: true,
    })
    expect(memberId).not.toBe(old)
    const synced = harness.sync('g', 1, memberId, { instanceId })
    expect(synced.value?.assignment.toString()).toBe('mine')
    expect(harness.heartbeat('g', 1, old, instanceId)).toBe(ErrorCode.FENCED_INSTANCE_ID)
    expect(harness.commit('g', { generation: 1, memberId: old, instanceId })).toEqual([
      ErrorCode.FENCED_INSTANCE_ID,
    ])
    const fenced = harness.join('g', { instanceId, memberId: old })
    expect(fenced.value).toMatchObject({ errorCode: ErrorCode.FENCED_INSTANCE_ID, memberId: old })
  })

  it('before version 9 a leader that came back is told that somebody else leads', () => {
    const harness = new GroupHarness()
    const old = staticGroup(harness)
    const back = harness.join('g', { instanceId }, 8)
    harness.sim.runUntilIdle()
    expect(back.value).toMatchObject({ errorCode: 0, leader: old, members: [], skipAssignment: false })
  })

  it('who waits under the old id is told that it is fenced', () => {
    const harness = new GroupHarness({ config: { 'group.initial.rebalance.delay.ms': 1000 } })
    const first = harness.join('g', { instanceId })
    const second = harness.join('g', { instanceId })
    harness.advance(5000)
    expect(first.value?.errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID)
    expect(second.value).toMatchObject({ errorCode: 0, generationId: 1 })
  })

  it('an administrator removes one by its instance id alone', () => {
    const harness = new GroupHarness()
    staticGroup(harness)
    const left = harness.leave('g', [{ memberId: '', groupInstanceId: instanceId }])
    expect(left.members).toMatchObject([{ memberId: '', groupInstanceId: instanceId, errorCode: 0 }])
    expect(harness.describe('g').groupState).toBe('Empty')
  })

  it('an append that fails takes the new id back', () => {
    const harness = new GroupHarness()
    const old = staticGroup(harness)
    harness.log.refusal = ErrorCode.NOT_ENOUGH_REPLICAS
    const back = harness.join('g', { instanceId })
    harness.sim.runUntilIdle()
    expect(back.value?.errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    harness.log.refusal = ErrorCode.NONE
    expect(harness.heartbeat('g', 1, old, instanceId)).toBe(ErrorCode.NONE)
  })
})

describe('refusals of the classic protocol', () => {
  it.each([
    ['an empty group id', '', {}, ErrorCode.INVALID_GROUP_ID],
    ['a session below the limit', 'g', { sessionTimeoutMs: 5999 }, ErrorCode.INVALID_SESSION_TIMEOUT],
    ['a session above the limit', 'g', { sessionTimeoutMs: 1_800_001 }, ErrorCode.INVALID_SESSION_TIMEOUT],
    ['a member id nobody has given', 'g', { memberId: 'nobody' }, ErrorCode.UNKNOWN_MEMBER_ID],
    ['no protocols', 'g', { protocols: [] }, ErrorCode.INCONSISTENT_GROUP_PROTOCOL],
    ['no protocol type', 'g', { protocolType: '' }, ErrorCode.INCONSISTENT_GROUP_PROTOCOL],
  ] as const)('joining with %s is refused', (_what, groupId, options, error) => {
    const harness = new GroupHarness()
    expect(harness.join(groupId, options).value).toMatchObject({
      errorCode: error,
      generationId: -1,
      protocolName: null,
      leader: '',
      members: [],
    })
    expect(harness.list()).toEqual([])
  })

  it('another protocol type or no common protocol is INCONSISTENT_GROUP_PROTOCOL', () => {
    const harness = new GroupHarness()
    harness.stableGroup('g')
    expect(harness.join('g', { protocolType: 'connect' }).value?.errorCode).toBe(23)
    expect(
      harness.join('g', { protocols: [{ name: 'x', metadata: Buffer.alloc(0) }] }).value?.errorCode,
    ).toBe(23)
  })

  it('a full group takes nobody else', () => {
    const harness = new GroupHarness({ config: { 'group.max.size': 1 } })
    harness.stableGroup('g')
    expect(harness.join('g').value).toMatchObject({
      errorCode: ErrorCode.GROUP_MAX_SIZE_REACHED,
      memberId: '',
    })
  })

  it('syncing with the wrong generation, member, protocol or time is refused', () => {
    const harness = new GroupHarness()
    const a = harness.stableGroup('g')
    expect(harness.sync('g', 9, a).value?.errorCode).toBe(ErrorCode.ILLEGAL_GENERATION)
    expect(harness.sync('g', 1, 'nobody').value?.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect(harness.sync('nowhere', 1, a).value?.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    harness.joinFully('g')
    expect(harness.sync('g', 1, a).value?.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
  })

  it('heartbeats of strangers and old generations are refused', () => {
    const harness = new GroupHarness()
    const a = harness.stableGroup('g')
    expect(harness.heartbeat('', 1, a)).toBe(ErrorCode.INVALID_GROUP_ID)
    expect(harness.heartbeat('nowhere', 1, a)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect(harness.heartbeat('g', 0, a)).toBe(ErrorCode.ILLEGAL_GENERATION)
    expect(harness.heartbeat('g', 1, a, 'instance')).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('without the internal topic, before loading and after losing the partition the coordinator says so', () => {
    const harness = new GroupHarness()
    const a = harness.joinFully('g', { rebalanceTimeoutMs: 300_000 })
    const again = harness.joinFully('g')
    harness.coordinator.service.onLeadershipLost(0, 1)
    expect(a.answer.value?.errorCode).toBe(ErrorCode.NONE)
    expect(again.answer.value?.errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    expect(harness.heartbeat('g', 1, a.memberId)).toBe(ErrorCode.NOT_COORDINATOR)
    harness.image.deleteTopic('__consumer_offsets')
    expect(harness.heartbeat('g', 1, a.memberId)).toBe(ErrorCode.NOT_COORDINATOR)
  })

  it('an assignment that cannot be written makes the group rebalance again', () => {
    const harness = new GroupHarness()
    const { memberId } = harness.joinFully('g')
    harness.log.refusal = ErrorCode.NOT_ENOUGH_REPLICAS
    expect(harness.sync('g', 1, memberId).value?.errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    harness.log.refusal = ErrorCode.NONE
    expect(harness.heartbeat('g', 1, memberId)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
  })

  it('nobody gets an assignment before it is committed', () => {
    const harness = new GroupHarness()
    const { memberId } = harness.joinFully('g')
    harness.log.commitsAtOnce = false
    const synced = harness.sync('g', 1, memberId, { assignments: { [memberId]: 'x' } })
    harness.sim.runUntilIdle()
    expect(synced.value).toBeUndefined()
    harness.commitAll()
    expect(synced.value?.assignment.toString()).toBe('x')
  })
})

describe('lesson 11', () => {
  it('generations, stale commits and the killed member', () => {
    const harness = new GroupHarness()
    const first = harness.join('g')
    expect(first.value?.errorCode).toBe(79)
    const a = harness.stableGroup('g')
    const b = harness.joinFully('g')
    const again = harness.join('g', { memberId: a })
    harness.sim.runUntilIdle()
    // The stranger that never came back holds the rebalance up until its session or the rebalance ends.
    harness.advance(45_000)
    expect(again.value?.generationId).toBe(2)
    expect(b.answer.value?.generationId).toBe(2)
    expect(harness.commit('g', { generation: 1, memberId: a })).toEqual([22])
    expect(harness.commit('g', { generation: 2, memberId: a })).toEqual([27])
    harness.sync('g', 2, a, { assignments: { [a]: 'a', [b.memberId]: 'b' } })
    harness.sync('g', 2, b.memberId)
    harness.sim.runUntilIdle()
    harness.advance(30_000)
    expect(harness.heartbeat('g', 2, a)).toBe(0)
    harness.advance(15_000)
    expect(harness.heartbeat('g', 2, a)).toBe(27)
    expect(harness.heartbeat('g', 2, b.memberId)).toBe(25)
  })
})
