import { describe, expect, it } from 'vitest'
import { Quorum, type QuorumHost } from '../../../../broker/raft/quorum.ts'
import type { RaftSender } from '../../../../broker/raft/quorum-calls.ts'
import type { QuorumState } from '../../../../broker/raft/quorum-state.ts'
import { DEFAULT_QUORUM_TIMEOUTS } from '../../../../broker/raft/quorum-timeouts.ts'
import {
  beginRequest,
  endRequest,
  epochAnswer,
  voteAnswer,
  voteRequest,
} from '../../../../broker/raft/raft-messages.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { Deferred } from '../../../../common/runtime/deferred.ts'
import { createSimRuntime, type SimRuntime } from '../../../../common/runtime/sim/runtime.ts'

const CLUSTER = 'cluster'

interface Sent {
  readonly to: number
  readonly api: string
  readonly request: never
  answer(response: unknown): void
  fail(): void
}

interface Bench {
  readonly world: SimRuntime
  readonly quorum: Quorum
  readonly sent: Sent[]
  readonly states: QuorumState[]
  readonly log: { endOffset: number; lastEpoch: number }
  /** The latest request of an API to a node. */
  latest(api: string, to: number): Sent
  grant(from: number, isGranted?: boolean): void
}

/** Node 1 of three voters, alone with its quorum; what it sends is kept for the test to answer. */
function bench(
  options: {
    state?: QuorumState
    endOffset?: number
    lastEpoch?: number
    nodeId?: number
    canWrite?: () => boolean
  } = {},
): Bench {
  const world = createSimRuntime({ seed: 1 })
  const sent: Sent[] = []
  const states: QuorumState[] = []
  const log = { endOffset: options.endOffset ?? 0, lastEpoch: options.lastEpoch ?? 0 }
  const send: RaftSender = (to, api, request) => {
    const result = new Deferred<never>()
    sent.push({
      to,
      api: api.name,
      request: request as never,
      answer: (response) => result.complete({ ok: true, response } as never),
      fail: () => result.complete({ ok: false, failure: 'timed-out' } as never),
    })
    return result
  }
  const host: QuorumHost = {
    get logEndOffset() {
      return log.endOffset
    },
    get lastLogEpoch() {
      return log.lastEpoch
    },
    readState: () => options.state,
    writeState: (state) => {
      if (options.canWrite?.() === false) return false
      states.push(state)
      return true
    },
    beginEpoch: (epoch) => {
      log.lastEpoch = epoch
      log.endOffset += 1
      return log.endOffset - 1
    },
    onChanged: () => undefined,
  }
  const { clock, scheduler, random, trace } = world
  const quorum = new Quorum({
    nodeId: options.nodeId ?? 1,
    clusterId: CLUSTER,
    voters: [1, 2, 3],
    timeouts: DEFAULT_QUORUM_TIMEOUTS,
    clock,
    scheduler: scheduler.scope('test'),
    random,
    trace,
    send,
    addressOf: (nodeId) => ({ host: `node-${nodeId}`, port: 9093 }),
    host,
  })
  quorum.start()
  const latest = (api: string, to: number): Sent => {
    const found = sent.findLast((one) => one.api === api && one.to === to)
    if (found === undefined) throw new Error(`no ${api} was sent to ${to}`)
    return found
  }
  const grant = (from: number, isGranted = true): void =>
    latest('Vote', from).answer(
      voteAnswer(ErrorCode.NONE, { leaderId: -1, leaderEpoch: quorum.epoch }, isGranted),
    )
  return { world, quorum, sent, states, log, latest, grant }
}

/** A node that waits, without having voted or heard of anybody, in epoch 5. */
function waiting(options: { endOffset?: number; lastEpoch?: number } = {}): Bench {
  return bench({
    endOffset: 10,
    lastEpoch: 4,
    ...options,
    state: { leaderEpoch: 5, leaderId: -1, votedId: -1, voterIds: [1, 2, 3] },
  })
}

function leading(): Bench {
  const one = bench()
  one.grant(2)
  one.grant(2)
  return one
}

function asking(candidateId: number, epoch: number, more: Partial<Parameters<typeof voteRequest>[0]> = {}) {
  return voteRequest({
    clusterId: CLUSTER,
    voterId: 1,
    epoch,
    candidateId,
    lastEpoch: 4,
    endOffset: 10,
    isPreVote: false,
    ...more,
  })
}

function votedFor({ quorum }: Bench, request: ReturnType<typeof asking>) {
  const response = quorum.requests.vote(request)
  const [partition] = response.topics[0]?.partitions ?? []
  return { error: response.errorCode || partition?.errorCode, granted: partition?.voteGranted }
}

describe('an election', () => {
  it('asks first whether it would be won, in the epoch that is', () => {
    const one = bench()
    expect(one.quorum.role).toBe('prospective')
    expect(one.latest('Vote', 2).request).toMatchObject({
      topics: [{ partitions: [{ preVote: true, replicaEpoch: 0, replicaId: 1 }] }],
    })
    expect(one.states).toEqual([])
  })

  it('begins an epoch with its own vote on disk, and leads with a majority', () => {
    const one = bench()
    one.grant(2)
    expect(one.quorum.role).toBe('candidate')
    expect(one.states.at(-1)).toMatchObject({ leaderEpoch: 1, votedId: 1, leaderId: -1 })
    expect(one.latest('Vote', 3).request).toMatchObject({
      topics: [{ partitions: [{ preVote: false, replicaEpoch: 1 }] }],
    })
    one.grant(3)
    expect(one.quorum.role).toBe('leader')
    expect(one.states.at(-1)).toMatchObject({ leaderEpoch: 1, leaderId: 1 })
    expect(one.latest('BeginQuorumEpoch', 2).request).toMatchObject({
      topics: [{ partitions: [{ leaderId: 1, leaderEpoch: 1 }] }],
    })
  })

  it('is given up when a majority refuses the pre-vote', () => {
    const one = bench()
    one.grant(2, false)
    expect(one.quorum.role).toBe('prospective')
    one.grant(3, false)
    expect([one.quorum.role, one.quorum.epoch]).toEqual(['unattached', 0])
  })

  it('is tried again after a pause when the votes went elsewhere', () => {
    const one = bench()
    one.grant(2)
    one.grant(2, false)
    one.grant(3, false)
    expect(one.quorum.role).toBe('candidate')
    one.world.advance(200)
    expect([one.quorum.role, one.quorum.epoch]).toEqual(['prospective', 1])
  })

  it('asks again whoever did not answer', () => {
    const one = bench()
    const before = one.sent.length
    one.latest('Vote', 2).fail()
    one.world.advance(25)
    expect(one.sent.slice(before).map(({ api, to }) => [api, to])).toEqual([['Vote', 2]])
  })

  it('is not won by an answer to an earlier one', () => {
    const one = bench()
    const old = one.latest('Vote', 3)
    one.grant(2)
    old.answer(voteAnswer(ErrorCode.NONE, { leaderId: -1, leaderEpoch: 1 }, true))
    expect(one.quorum.role).toBe('candidate')
  })

  it('ends when an answer tells of a leader', () => {
    const one = bench()
    one.latest('Vote', 3).answer(voteAnswer(ErrorCode.NONE, { leaderId: 2, leaderEpoch: 7 }, false))
    expect([one.quorum.role, one.quorum.epoch, one.quorum.leaderId]).toEqual(['follower', 7, 2])
    expect(one.states.at(-1)).toMatchObject({ leaderEpoch: 7, leaderId: 2, votedId: -1 })
  })

  it('is begun at once by the node that led before a restart, not by one that followed', () => {
    const state = { leaderEpoch: 5, votedId: -1, voterIds: [1, 2, 3] }
    expect(bench({ state: { ...state, leaderId: 1 } }).quorum.role).toBe('prospective')
    const follower = bench({ state: { ...state, leaderId: 2 } }).quorum
    expect([follower.role, follower.epoch]).toEqual(['follower', 5])
    expect(bench({ nodeId: 2 }).quorum.role).toBe('unattached')
  })

  it('begins when nobody was heard of for the election time-out', () => {
    const one = waiting()
    expect(one.quorum.role).toBe('unattached')
    one.world.advance(2000)
    expect([one.quorum.role, one.quorum.epoch]).toEqual(['prospective', 5])
  })

  it('does not happen when the own vote cannot be written', () => {
    let canWrite = true
    const one = bench({ canWrite: () => canWrite })
    canWrite = false
    one.grant(2)
    expect([one.quorum.isEnded, one.quorum.leader]).toEqual([true, undefined])
    expect(one.sent.filter(({ request }) => JSON.stringify(request).includes('"preVote":false'))).toEqual([])
  })
})

describe('a vote', () => {
  it('is given to one candidate an epoch, and on disk before it is told', () => {
    const one = waiting()
    expect(votedFor(one, asking(2, 5))).toEqual({ error: 0, granted: true })
    expect(one.states).toEqual([{ leaderEpoch: 5, leaderId: -1, votedId: 2, voterIds: [1, 2, 3] }])
    expect(votedFor(one, asking(3, 5)).granted).toBe(false)
    expect(votedFor(one, asking(2, 5)).granted).toBe(true)
    expect(votedFor(one, asking(3, 6)).granted).toBe(true)
  })

  it('is remembered over a restart', () => {
    const state = { leaderEpoch: 5, leaderId: -1, votedId: 2, voterIds: [1, 2, 3] }
    const one = bench({ state, endOffset: 10, lastEpoch: 4 })
    expect(votedFor(one, asking(3, 5)).granted).toBe(false)
    expect(votedFor(one, asking(2, 5)).granted).toBe(true)
  })

  it('of a node that led belongs to itself, even where the file does not say so', () => {
    const state = { leaderEpoch: 5, leaderId: 1, votedId: -1, voterIds: [1, 2, 3] }
    expect(votedFor(bench({ state, endOffset: 10, lastEpoch: 4 }), asking(2, 5)).granted).toBe(false)
  })

  it.each([
    ['a log that ends earlier', { endOffset: 9 }, false],
    ['a log that ends in an older epoch', { lastEpoch: 3, endOffset: 50 }, false],
    ['the same log', {}, true],
    ['a shorter log of a newer epoch', { lastEpoch: 5, endOffset: 3 }, true],
  ])('for %s', (_what, log, granted) => {
    expect(votedFor(waiting(), asking(2, 6, log)).granted).toBe(granted)
    expect(votedFor(waiting(), asking(2, 6, { ...log, isPreVote: true })).granted).toBe(granted)
  })

  it('that is refused moves on to the epoch all the same', () => {
    const one = waiting()
    expect(votedFor(one, asking(2, 9, { endOffset: 1 })).granted).toBe(false)
    expect([one.quorum.epoch, one.quorum.role]).toEqual([9, 'unattached'])
    expect(one.states.at(-1)).toMatchObject({ leaderEpoch: 9, votedId: -1 })
  })

  it.each([
    ['of an old epoch', asking(2, 4, { lastEpoch: 3 }), ErrorCode.FENCED_LEADER_EPOCH],
    ['of another cluster', asking(2, 6, { clusterId: 'other' }), ErrorCode.INCONSISTENT_CLUSTER_ID],
    ['meant for another node', asking(2, 6, { voterId: 2 }), ErrorCode.INVALID_VOTER_KEY],
    ['of a node that is no voter', asking(8, 6), ErrorCode.INCONSISTENT_VOTER_SET],
    ['of a log from the future', asking(2, 6, { lastEpoch: 6 }), ErrorCode.INVALID_REQUEST],
    ['of an impossible offset', asking(2, 6, { endOffset: -1 }), ErrorCode.INVALID_REQUEST],
    [
      'for another topic',
      { ...asking(2, 6), topics: [{ topicName: 'orders', partitions: [] }] },
      ErrorCode.INVALID_REQUEST,
    ],
  ])('request %s is refused', (_what, request, error) => {
    const one = waiting()
    expect(votedFor(one, request).error).toBe(error)
    expect(one.quorum.epoch).toBe(5)
  })
})

describe('a pre-vote', () => {
  const preVote = (candidateId: number, epoch = 5) => asking(candidateId, epoch, { isPreVote: true })

  it('binds nobody', () => {
    const one = waiting()
    expect(votedFor(one, preVote(2)).granted).toBe(true)
    expect(votedFor(one, preVote(3)).granted).toBe(true)
    expect(one.states).toEqual([])
  })

  it('is refused by who hears of a leader, unless it is the leader that asks', () => {
    const one = waiting()
    one.quorum.learn({ leaderId: 2, leaderEpoch: 5 })
    expect(votedFor(one, preVote(3)).granted).toBe(true)
    one.quorum.noteFetched()
    expect(votedFor(one, preVote(3)).granted).toBe(false)
    expect(votedFor(one, preVote(2)).granted).toBe(true)
    expect(one.quorum.role).toBe('follower')
  })

  it('is refused by a leader', () => {
    const one = leading()
    expect(one.quorum.role).toBe('leader')
    expect(votedFor(one, asking(3, 1, { isPreVote: true, lastEpoch: 1 })).granted).toBe(false)
  })
})

describe('a leader', () => {
  it('follows when an epoch above its own is begun', () => {
    const one = leading()
    const leader = { leaderId: 3, leaderEpoch: 2 }
    const request = beginRequest({ clusterId: CLUSTER, voterId: 1, leader, endpoint: undefined })
    expect(one.quorum.requests.begin(request).topics[0]?.partitions[0]).toMatchObject({
      errorCode: 0,
      ...leader,
    })
    expect([one.quorum.role, one.quorum.leaderId]).toEqual(['follower', 3])
  })

  it('resigns when no majority fetched from it for one and a half fetch time-outs', () => {
    const one = leading()
    one.world.advance(1500)
    one.quorum.leader?.recordContact(2, one.world.clock.monotonicMs())
    one.world.advance(2999)
    expect(one.quorum.role).toBe('leader')
    one.world.advance(2)
    expect(one.quorum.role).toBe('resigned')
    expect(one.latest('EndQuorumEpoch', 3).request).toMatchObject({
      topics: [{ partitions: [{ leaderId: 1, leaderEpoch: 1 }] }],
    })
  })

  it('that resigns says so, and does not campaign again', () => {
    const one = leading()
    const told = one.quorum.resign()
    expect(told.isDone).toBe(false)
    one.latest('EndQuorumEpoch', 2).answer(epochAnswer(ErrorCode.NONE, { leaderId: -1, leaderEpoch: 1 }))
    one.latest('EndQuorumEpoch', 3).fail()
    expect(told.isDone).toBe(true)
    one.world.advance(20_000)
    expect([one.quorum.role, one.quorum.epoch]).toEqual(['resigned', 1])
  })

  it('reminds voters that do not fetch', () => {
    const one = leading()
    one.latest('BeginQuorumEpoch', 3).answer(epochAnswer(ErrorCode.NONE, { leaderId: 1, leaderEpoch: 1 }))
    const before = one.sent.length
    one.world.advance(1001)
    expect(one.sent.slice(before).map(({ api, to }) => [api, to])).toContainEqual(['BeginQuorumEpoch', 3])
  })
})

describe('BeginQuorumEpoch', () => {
  const begin = (leaderId: number, leaderEpoch: number, clusterId = CLUSTER) =>
    beginRequest({ clusterId, voterId: 1, leader: { leaderId, leaderEpoch }, endpoint: undefined })

  it.each([
    ['an old epoch', begin(2, 4), ErrorCode.FENCED_LEADER_EPOCH],
    ['a node that is no voter', begin(9, 6), ErrorCode.INCONSISTENT_VOTER_SET],
    ['a second leader of the epoch', begin(3, 5), ErrorCode.INVALID_REQUEST],
  ])('of %s is refused', (_what, request, error) => {
    const one = waiting()
    one.quorum.learn({ leaderId: 2, leaderEpoch: 5 })
    expect(one.quorum.requests.begin(request).topics[0]?.partitions[0]).toMatchObject({
      errorCode: error,
      leaderId: 2,
      leaderEpoch: 5,
    })
  })

  it('of another cluster is refused', () => {
    const { errorCode } = waiting().quorum.requests.begin(begin(2, 6, 'other'))
    expect(errorCode).toBe(ErrorCode.INCONSISTENT_CLUSTER_ID)
  })

  it('brings back a follower that had given its leader up', () => {
    const one = waiting()
    one.quorum.learn({ leaderId: 2, leaderEpoch: 5 })
    one.world.advance(2001)
    expect([one.quorum.role, one.quorum.leaderId]).toEqual(['prospective', 2])
    one.quorum.requests.begin(begin(2, 5))
    expect(one.quorum.role).toBe('follower')
  })
})

describe('EndQuorumEpoch', () => {
  const end = (successors: readonly number[], leaderEpoch = 5) =>
    endRequest({ clusterId: CLUSTER, leader: { leaderId: 2, leaderEpoch }, successors, endpoint: undefined })

  it('makes the first successor campaign at once, the next a little later', () => {
    const first = waiting()
    first.quorum.learn({ leaderId: 2, leaderEpoch: 5 })
    first.quorum.requests.end(end([1, 3]))
    first.world.runUntilIdle()
    expect(first.quorum.role).toBe('prospective')
    const second = waiting()
    second.quorum.learn({ leaderId: 2, leaderEpoch: 5 })
    second.quorum.requests.end(end([3, 1]))
    second.world.advance(90)
    expect(second.quorum.role).toBe('unattached')
    second.world.advance(100)
    expect(second.quorum.role).toBe('prospective')
  })

  it('of an old epoch is refused', () => {
    const one = waiting()
    const response = one.quorum.requests.end(end([1], 4))
    expect(response.topics[0]?.partitions[0]).toMatchObject({ errorCode: ErrorCode.FENCED_LEADER_EPOCH })
  })
})

describe('an observer', () => {
  it('neither votes nor campaigns, and looks for a leader when it lost one', () => {
    const one = bench({ nodeId: 7, endOffset: 10, lastEpoch: 4 })
    expect(votedFor(one, asking(2, 6, { voterId: 7 })).error).toBe(ErrorCode.INCONSISTENT_VOTER_SET)
    one.quorum.learn({ leaderId: 2, leaderEpoch: 6 })
    expect(one.quorum.role).toBe('follower')
    one.world.advance(2001)
    expect(one.quorum.role).toBe('unattached')
    one.world.advance(60_000)
    expect(one.sent).toEqual([])
  })
})
