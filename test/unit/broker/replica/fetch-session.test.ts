/**
 * A fetch of an incremental session looks only at the partitions that something has happened to (KIP-227), and nothing that a client or
 * the in-sync replicas depend on is lost by it.
 */
import { describe, expect, it } from 'vitest'
import type { FetchPartitionRequest } from '../../../../broker/replica/fetch-request.ts'
import { FetchSession, SessionFetch } from '../../../../broker/replica/fetch-session.ts'
import type { FetchEntryResult } from '../../../../broker/replica/fetch-source.ts'
import { FetchedPartition } from '../../../../broker/replica/fetched-partition.ts'
import { FollowerSession } from '../../../../broker/replica/follower-session.ts'
import type { Partition } from '../../../../broker/replica/partition.ts'
import { ReplicaProgress } from '../../../../broker/replica/replica-progress.ts'
import type { FetchOptions } from '../../../../broker/replica/replica-reader.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { BatchBuilder } from '../../../../common/record/batch-builder.ts'
import type { Deferred } from '../../../../common/runtime/deferred.ts'
import { brokerHarness } from '../api/broker-harness.ts'

const CONSUMER = -1
const FOLLOWER = 2

function batch(nowMs: number): Buffer {
  const builder = new BatchBuilder({})
  builder.append(nowMs, null, Buffer.from('x'))
  return builder.build()
}

/** A session of three partitions that broker 1 leads and broker 2 follows; a consumer reads to the log's end here, too. */
function sessionOf(replicaId: number) {
  const { broker, createTopic, advance } = brokerHarness()
  const topicId = createTopic('t', [
    [1, 2],
    [1, 2],
    [1, 2],
  ])
  const { clock } = broker.runtime
  const session = new FetchSession({
    id: 1,
    isPrivileged: replicaId >= 0,
    usesTopicIds: true,
    createdMs: clock.monotonicMs(),
    epoch: 1,
  })
  const partition = (index: number) => broker.replicas.partition('t', index) as Partition
  const request = (index: number, fetchOffset: number): FetchPartitionRequest => ({
    topic: 't',
    topicId,
    partition: index,
    currentLeaderEpoch: -1,
    fetchOffset,
    lastFetchedEpoch: -1,
    logStartOffset: 0,
    partitionMaxBytes: 1_000,
    knownHighWatermark: Number.MAX_SAFE_INTEGER,
  })
  const options: FetchOptions = {
    range: { upTo: 'logEnd', mustLead: true },
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1_000,
    atLeastOneBatch: true,
    replicaId,
    replicaEpoch: -1,
    rack: '',
    onClosed: () => () => undefined,
  }
  const fetch = (
    named: readonly FetchPartitionRequest[],
    wanted: Partial<FetchOptions> = {},
  ): Deferred<FetchEntryResult[]> => {
    session.update({
      sessionId: 1,
      sessionEpoch: 1,
      usesTopicIds: true,
      isFollower: replicaId >= 0,
      partitions: named,
      forgotten: [],
    })
    const source = new SessionFetch(session, (asked) => ({
      partition: partition(asked.partition),
      error: ErrorCode.NONE,
      request: asked,
    }))
    return broker.replicas.fetch(source, { ...options, ...wanted }).map((results) => {
      const answers = results.map(({ error, highWatermark, logStartOffset, records }) => ({
        errorCode: error,
        highWatermark,
        logStartOffset,
        preferredReadReplica: -1,
        recordsSizeBytes: records.length,
        hasDivergingEpoch: false,
      }))
      const named = session.changedAnswers(answers, true)
      return results.filter((_, index) => named[index] === true)
    })
  }
  const append = (index: number): void => {
    const appended = partition(index).appendAsLeader(batch(clock.wallMs()), {
      requiredAcks: 1,
      origin: 'client',
    })
    expect(appended.error).toBe(ErrorCode.NONE)
  }
  const open = (): void => {
    fetch([request(0, 0), request(1, 0), request(2, 0)])
    // Of a follower the first one told where its log begins, which is news.
    fetch([])
    expect(session.board.news.size).toBe(0)
  }
  return { session, clock, advance, partition, request, fetch, append, open }
}

function indexes(answer: Deferred<FetchEntryResult[]>): number[] | undefined {
  return answer.value?.map(({ request }) => request.partition)
}

describe('a fetch session', () => {
  it('looks only at partitions that something has happened to since it looked last', () => {
    const { session, fetch, append, open } = sessionOf(CONSUMER)
    open()
    expect(indexes(fetch([]))).toEqual([])
    append(1)
    expect([...session.board.news].map(({ request }) => request.partition)).toEqual([1])
    expect(indexes(fetch([]))).toEqual([1])
  })

  it('gives the records that did not fit into the last answer although nothing has happened since', () => {
    const { fetch, append, open, request } = sessionOf(CONSUMER)
    open()
    for (const index of [2, 0]) append(index)
    expect(indexes(fetch([], { maxBytes: 1 }))).toEqual([0])
    expect(indexes(fetch([request(0, 1)], { maxBytes: 1 }))).toEqual([2])
  })

  it('is answered while it waits by an append to a partition that its request does not name', () => {
    const { fetch, append, open, advance } = sessionOf(CONSUMER)
    open()
    const waiting = fetch([], { maxWaitMs: 500 })
    advance(100)
    expect(waiting.isDone).toBe(false)
    append(2)
    advance(0)
    expect(indexes(waiting)).toEqual([2])
  })

  it('waits on while what was appended is less than it wants, and counts the partitions together', () => {
    const { fetch, append, open, advance } = sessionOf(CONSUMER)
    open()
    const waiting = fetch([], { maxWaitMs: 500, minBytes: 2 * batch(0).length })
    append(0)
    advance(0)
    expect(waiting.isDone).toBe(false)
    append(1)
    advance(0)
    expect(indexes(waiting)).toEqual([0, 1])
  })

  it('tells of a log start that retention has moved', () => {
    const { fetch, append, open, partition, request } = sessionOf(FOLLOWER)
    open()
    append(0)
    fetch([])
    fetch([request(0, 1)])
    fetch([])
    expect(indexes(fetch([]))).toEqual([])
    partition(0).log?.maybeIncrementLogStartOffset(1)
    expect(indexes(fetch([]))).toEqual([0])
    expect(indexes(fetch([]))).toEqual([])
  })

  it('asks again for a partition whose leader has changed', () => {
    const { session, open, partition } = sessionOf(CONSUMER)
    open()
    partition(1).goOffline()
    expect([...session.board.news].map(({ request }) => request.partition)).toEqual([1])
  })
})

describe('a follower that a session stands for', () => {
  it('is caught up as of the latest fetch of its session, named or not', () => {
    const { fetch, open, partition, advance, clock } = sessionOf(FOLLOWER)
    open()
    advance(20_000)
    fetch([])
    const fetchedMs = clock.monotonicMs()
    advance(20_000)
    expect(partition(0).progressOf(FOLLOWER)?.lastCaughtUpMs).toBe(fetchedMs)
  })

  it('is not caught up any more by fetches that leave out what was appended before', () => {
    const { fetch, open, partition, append, advance, clock } = sessionOf(FOLLOWER)
    open()
    advance(1_000)
    fetch([])
    const fetchedMs = clock.monotonicMs()
    advance(1_000)
    append(0)
    fetch([])
    for (let round = 0; round < 3; round += 1) {
      advance(1_000)
      fetch([])
      expect(partition(0).progressOf(FOLLOWER)?.lastCaughtUpMs).toBe(fetchedMs)
      expect(partition(1).progressOf(FOLLOWER)?.lastCaughtUpMs).toBe(clock.monotonicMs())
    }
  })

  it('moves the high watermark with the request that names what it has copied', () => {
    const { fetch, open, partition, append, request } = sessionOf(FOLLOWER)
    open()
    append(1)
    fetch([])
    expect(partition(1).log?.highWatermark).toBe(0)
    fetch([request(1, 1)])
    expect(partition(1).log?.highWatermark).toBe(1)
    expect(indexes(fetch([]))).toEqual([1])
    expect(indexes(fetch([]))).toEqual([])
  })

  it('is known as well as if each of its fetches had been recorded', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      let state = seed
      const random = (limit: number): number => {
        state = (state * 48_271) % 2_147_483_647
        return state % limit
      }
      const session = { lastFetchMs: 0 }
      const [lazy, eager] = [new ReplicaProgress(2, 0), new ReplicaProgress(2, 0)]
      let [nowMs, leaderEndOffset, fetchOffset, hasNews] = [1, 0, 0, true]
      for (let step = 0; step < 60; step += 1) {
        nowMs += random(50)
        if (random(3) === 0) {
          leaderEndOffset += 1
          hasNews = true
        } else {
          const copied = Math.min(leaderEndOffset, fetchOffset + random(3))
          hasNews ||= copied !== fetchOffset
          fetchOffset = copied
          const fetch = { fetchOffset, logStartOffset: 0, leaderEndOffset, brokerEpoch: 1, nowMs }
          eager.onFetch(fetch)
          if (hasNews) lazy.onFetch({ ...fetch, session })
          session.lastFetchMs = nowMs
          hasNews = fetchOffset < leaderEndOffset
        }
        expect([lazy.lastCaughtUpMs, lazy.lastFetchMs]).toEqual([eager.lastCaughtUpMs, eager.lastFetchMs])
      }
    }
  })
})

describe('the session of a follower', () => {
  it('names in its requests only what has changed, and forgets what is not to be fetched', () => {
    const { broker, createTopic } = brokerHarness()
    const topicId = createTopic('t', [
      [2, 1],
      [2, 1],
    ])
    const fetched = [0, 1].map(
      (index) => new FetchedPartition(broker.replicas.partition('t', index) as Partition, () => undefined),
    )
    const [first, second] = fetched as [FetchedPartition, FetchedPartition]
    const session = new FollowerSession()
    const named = (changed: readonly FetchedPartition[], wanted = changed) => {
      const plan = session.plan(changed, (it) => wanted.includes(it), 1_000)
      session.onAnswered(7)
      return [
        plan.topics.flatMap(({ partitions }) => partitions.map(({ partition }) => partition)),
        plan.forgotten,
      ]
    }
    expect(session.isWhole).toBe(true)
    expect(named(fetched)).toEqual([[0, 1], []])
    expect(session.isWhole).toBe(false)
    expect(named([first])).toEqual([[], []])
    first.partition.appendAsFollower(batch(0))
    expect(named([first])).toEqual([[0], []])
    expect(named([second], [])).toEqual([[], [{ topicId, partitions: [1] }]])
    expect(named([second])).toEqual([[1], []])
    session.drop(first)
    expect(named([])).toEqual([[], [{ topicId, partitions: [0] }]])
  })
})
