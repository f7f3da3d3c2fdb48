import { describe, expect, it } from 'vitest'
import { LeaderState } from '../../../../broker/raft/leader-state.ts'
import { majorityOf, VoteTally } from '../../../../broker/raft/vote-tally.ts'

const FETCH = { leaderEndOffset: 20, nowMs: 100, wallMs: 1100 }

function leader(voters: readonly number[] = [1, 2, 3]): LeaderState {
  return new LeaderState({ nodeId: 1, epoch: 4, epochStartOffset: 10, voters, nowMs: 0 })
}

describe('what a leader commits', () => {
  it('is what a majority of the voters has on disk', () => {
    const state = leader()
    expect(state.committedOffset(20)).toBeUndefined()
    state.recordFetch({ ...FETCH, replicaId: 2, fetchOffset: 15 })
    expect(state.committedOffset(20)).toBe(15)
    expect(state.committedOffset(12)).toBe(12)
    state.recordFetch({ ...FETCH, replicaId: 3, fetchOffset: 18 })
    expect(state.committedOffset(12)).toBe(15)
  })

  it('is nothing until a record of its own epoch is', () => {
    const state = leader()
    state.recordFetch({ ...FETCH, replicaId: 2, fetchOffset: 10 })
    expect(state.committedOffset(20)).toBeUndefined()
    state.recordFetch({ ...FETCH, replicaId: 2, fetchOffset: 11 })
    expect(state.committedOffset(20)).toBe(11)
  })

  it('does not count observers', () => {
    const state = leader()
    for (const replicaId of [4, 5, 6]) state.recordFetch({ ...FETCH, replicaId, fetchOffset: 20 })
    expect(state.committedOffset(20)).toBeUndefined()
  })

  it('is its own durable end when it is the only voter', () => {
    expect(leader([1]).committedOffset(11)).toBe(11)
  })
})

describe('what a leader knows of the others', () => {
  it('counts the time since the fetch that made a majority', () => {
    const state = leader([1, 2, 3, 4, 5])
    state.recordFetch({ ...FETCH, replicaId: 2, fetchOffset: 5, nowMs: 500 })
    expect(state.majorityHeardMs(1000)).toBe(0)
    state.recordContact(3, 400)
    expect(state.majorityHeardMs(1000)).toBe(400)
  })

  it('prefers as successors those who have most', () => {
    const state = leader()
    state.recordFetch({ ...FETCH, replicaId: 3, fetchOffset: 20 })
    state.recordFetch({ ...FETCH, replicaId: 2, fetchOffset: 12 })
    expect(state.successors()).toEqual([3, 2])
  })

  it('calls a replica caught up as of the fetch at which the leader had what it has now', () => {
    const state = leader()
    state.recordFetch({ ...FETCH, replicaId: 2, fetchOffset: 15, wallMs: 1000 })
    const lastCaughtUp = () =>
      state.describe({ logEndOffset: 20, nowMs: 0, wallMs: 0 }).voters[1]?.lastCaughtUpTimestamp
    expect(lastCaughtUp()).toBe(-1)
    state.recordFetch({ ...FETCH, replicaId: 2, fetchOffset: 20, leaderEndOffset: 30, wallMs: 2000 })
    expect(lastCaughtUp()).toBe(1000)
    state.recordFetch({ ...FETCH, replicaId: 2, fetchOffset: 30, leaderEndOffset: 30, wallMs: 3000 })
    expect(lastCaughtUp()).toBe(3000)
  })

  it('forgets an observer that has not fetched for five minutes', () => {
    const state = leader()
    state.recordFetch({ ...FETCH, replicaId: 7, fetchOffset: 1, nowMs: 0 })
    const observers = (nowMs: number) => state.describe({ logEndOffset: 1, nowMs, wallMs: 0 }).observers
    expect(observers(300_000)).toHaveLength(1)
    expect(observers(300_001)).toHaveLength(0)
  })
})

describe('a tally', () => {
  it('is won by a majority and lost when none is left', () => {
    const tally = new VoteTally([1, 2, 3, 4, 5])
    tally.record(1, true)
    tally.record(2, false)
    tally.record(3, false)
    expect([tally.isWon, tally.isLost]).toEqual([false, false])
    tally.record(4, true)
    tally.record(5, true)
    expect([tally.isWon, tally.grantingVoters]).toEqual([true, [1, 4, 5]])
  })

  it('counts the first answer of a voter only, and no strangers', () => {
    const tally = new VoteTally([1, 2, 3])
    tally.record(1, true)
    tally.record(9, true)
    tally.record(2, false)
    tally.record(2, true)
    expect(tally.isWon).toBe(false)
    tally.record(3, false)
    expect(tally.isLost).toBe(true)
  })

  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ])('of %i voters needs %i', (count, needed) => {
    expect(majorityOf(count)).toBe(needed)
  })
})
