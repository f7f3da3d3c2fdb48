import { describe, expect, it } from 'vitest'
import type { FetchSessionRequest } from '../../../../broker/replica/fetch-request.ts'
import { FetchSessionCache } from '../../../../broker/replica/fetch-session-cache.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'

const EVICTION_MS = 120_000

function opening(partitionCount: number, isFollower = false): FetchSessionRequest {
  return {
    sessionId: 0,
    sessionEpoch: 0,
    usesTopicIds: false,
    isFollower,
    partitions: Array.from({ length: partitionCount }, (_, partition) => ({
      topic: 'orders',
      topicId: '',
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: 0,
      lastFetchedEpoch: -1,
      logStartOffset: -1,
      partitionMaxBytes: 1000,
      knownHighWatermark: Number.MAX_SAFE_INTEGER,
    })),
    forgotten: [],
  }
}

function cacheOf(maxSessions: number) {
  const clock = { nowMs: 1000 }
  let id = 0
  const cache = new FetchSessionCache({
    clock: { monotonicMs: () => clock.nowMs, wallMs: () => clock.nowMs },
    random: { int: () => id++ } as unknown as ConstructorParameters<typeof FetchSessionCache>[0]['random'],
    maxSessions,
    evictionMs: EVICTION_MS,
  })
  const open = (partitionCount: number, isFollower = false) =>
    cache.create(opening(partitionCount, isFollower), [])
  const next = (sessionId: number, sessionEpoch: number) =>
    cache.resolve({ ...opening(0), sessionId, sessionEpoch })
  return { cache, clock, open, next }
}

describe('a full cache of fetch sessions', () => {
  it('has no room for another one, who goes on without a session', () => {
    const { cache, open } = cacheOf(2)
    expect([open(1), open(1), open(9)].map((id) => id > 0)).toEqual([true, true, false])
    expect([cache.size, cache.evictions]).toEqual([2, 0])
  })

  it('gives the place of the one that was idle for too long, which must begin anew', () => {
    const { clock, open, next } = cacheOf(2)
    const [idle, busy] = [open(5), open(5)]
    clock.nowMs += EVICTION_MS
    expect(next(busy, 1).kind).toBe('incremental')
    clock.nowMs += 1
    expect(open(1)).toBeGreaterThan(0)
    expect(next(idle, 1)).toEqual({ kind: 'error', error: ErrorCode.FETCH_SESSION_ID_NOT_FOUND })
    expect(next(busy, 2).kind).toBe('incremental')
  })

  it('gives the place of a smaller one to a larger one, and that of a consumer to a follower, when they are old', () => {
    const { clock, open, next } = cacheOf(2)
    const [small, large] = [open(2), open(8)]
    clock.nowMs += EVICTION_MS
    for (const id of [small, large]) expect(next(id, 1).kind).toBe('incremental')
    clock.nowMs += 1
    expect(open(2)).toBe(0)
    expect(open(3)).toBeGreaterThan(0)
    expect(next(small, 2).kind).toBe('error')
    expect(open(1, true)).toBeGreaterThan(0)
    expect(next(large, 2).kind).toBe('error')
  })
})
