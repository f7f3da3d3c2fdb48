import { describe, expect, it } from 'vitest'
import { TopicPartition } from '../../../../client/index.ts'
import type { FetchRequest } from '../../../../common/protocol/apis/01-fetch.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { fetchAnswer, ReadableWorld } from './support.ts'

describe('a leader that changes', () => {
  it('is followed, and the position is checked against its log first', async () => {
    const world = await ReadableWorld.make({}, [1, 2])
    world.values = ['a', 'b']
    world.assign(0)
    expect(await world.pollValues(2)).toEqual(['a', 'b'])
    world.log.leaderId = 2
    world.log.leaderEpoch = 1
    world.epochEnd = { leaderEpoch: 0, endOffset: 2 }
    world.values.push('c')
    expect(await world.pollValues(1)).toEqual(['c'])
    const checks = world.cluster.seen('OffsetForLeaderEpoch')
    expect(checks.map(({ nodeId }) => nodeId)).toEqual([2])
    expect(checks[0]?.body).toMatchObject({
      topics: [{ topic: 't', partitions: [{ partition: 0, currentLeaderEpoch: 1, leaderEpoch: 0 }] }],
    })
  })

  it('and that lacks records which were read is told as _LOG_TRUNCATION, and reading goes on where the logs part', async () => {
    const world = await ReadableWorld.make({}, [1, 2])
    world.values = ['a', 'b', 'c']
    world.assign(0)
    expect(await world.pollValues(3)).toEqual(['a', 'b', 'c'])
    world.log.leaderId = 2
    world.log.leaderEpoch = 1
    world.epochEnd = { leaderEpoch: 0, endOffset: 1 }
    world.values = ['a', 'x', 'y', 'z']
    expect(await world.pollValues(4)).toEqual(['_LOG_TRUNCATION', 'x', 'y', 'z'])
  })

  it('with auto.offset.reset=error the application has to say where to go on', async () => {
    const world = await ReadableWorld.make({ 'auto.offset.reset': 'error' }, [1, 2])
    world.values = ['a', 'b']
    world.assign(0)
    await world.pollValues(2)
    world.log.leaderId = 2
    world.log.leaderEpoch = 1
    world.epochEnd = { leaderEpoch: 0, endOffset: 1 }
    expect(await world.pollValues(1)).toEqual(['_AUTO_OFFSET_RESET'])
  })

  it('is found without metadata when the refusal names it', async () => {
    const world = await ReadableWorld.make({}, [1, 2])
    world.values = ['a']
    world.assign(0)
    await world.pollValues(1)
    world.override = ({ api, nodeId, body }) => {
      if (api === 'Metadata') return 'silence'
      if (api !== 'Fetch' || nodeId !== 1) return undefined
      const errorCode = ErrorCode.NOT_LEADER_OR_FOLLOWER
      const currentLeader = { leaderId: 2, leaderEpoch: 1 }
      return { answer: fetchAnswer(body as FetchRequest, { errorCode, currentLeader }) }
    }
    world.log.leaderId = 2
    world.log.leaderEpoch = 1
    world.values.push('b')
    expect(await world.pollValues(1)).toEqual(['b'])
  })

  it('a committed or given position with an epoch is checked before the first fetch', async () => {
    const world = await ReadableWorld.make()
    world.values = ['a', 'b']
    world.epochEnd = { leaderEpoch: 0, endOffset: 2 }
    world.assign(1, 0)
    expect(await world.pollValues(1)).toEqual(['b'])
    const apis = world.cluster.requests.map(({ api }) => api)
    expect(apis.indexOf('OffsetForLeaderEpoch')).toBeLessThan(apis.indexOf('Fetch'))
    expect(apis).toContain('OffsetForLeaderEpoch')
  })
})

describe('the preferred read replica', () => {
  it('is read from when the leader names it, and left when it refuses', async () => {
    const world = await ReadableWorld.make({ 'client.rack': 'here' }, [1, 2])
    world.values = ['a', 'b']
    let followerAnswers = true
    world.override = ({ api, nodeId, body }) => {
      if (api !== 'Fetch') return undefined
      const request = body as FetchRequest
      const offset = request.topics[0]?.partitions[0]?.fetchOffset ?? 0
      if (nodeId === 1)
        return followerAnswers ? { answer: fetchAnswer(request, { preferredReadReplica: 2 }) } : undefined
      if (!followerAnswers)
        return { answer: fetchAnswer(request, { errorCode: ErrorCode.OFFSET_OUT_OF_RANGE }) }
      const records = world.records(offset)
      return {
        answer: fetchAnswer(request, { records, highWatermark: 2 }),
        delayMs: records.length > 0 ? 0 : 10,
      }
    }
    world.assign(0)
    expect(await world.pollValues(2)).toEqual(['a', 'b'])
    expect(world.cluster.seen('Fetch')[0]?.body).toMatchObject({ rackId: 'here' })
    followerAnswers = false
    world.values.push('c')
    expect(await world.pollValues(1)).toEqual(['c'])
    expect(world.cluster.seen('ListOffsets')).toEqual([])
  })
})

describe('what a broker may answer', () => {
  it('a lost fetch session is made anew, and nothing is lost', async () => {
    const world = await ReadableWorld.make()
    world.values = ['a']
    let refusals = 2
    world.override = ({ api }) =>
      api === 'Fetch' && refusals-- > 0
        ? { answer: { errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND, responses: [] } }
        : undefined
    world.assign(0)
    expect(await world.pollValues(1)).toEqual(['a'])
  })

  it('a connection that breaks under a fetch is made anew', async () => {
    const world = await ReadableWorld.make()
    world.values = ['a']
    let breaks = 2
    world.override = ({ api }) => (api === 'Fetch' && breaks-- > 0 ? 'disconnect' : undefined)
    world.assign(0)
    expect(await world.pollValues(1)).toEqual(['a'])
  })

  it('a forbidden topic is told once, and read when it is allowed', async () => {
    const world = await ReadableWorld.make()
    world.values = ['a']
    let isForbidden = true
    world.override = ({ api, body }) =>
      api === 'Fetch' && isForbidden
        ? { answer: fetchAnswer(body as FetchRequest, { errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED }) }
        : undefined
    world.assign(0)
    expect((await world.poll())?.error()?.name()).toBe('TOPIC_AUTHORIZATION_FAILED')
    expect(await world.poll()).toBeNull()
    isForbidden = false
    expect(await world.pollValues(1)).toEqual(['a'])
  })

  it('records that were deleted meanwhile lead to the policy, once', async () => {
    const world = await ReadableWorld.make()
    world.values = ['a', 'b', 'c', 'd']
    world.startOffset = 2
    world.assign(0)
    expect(await world.pollValues(2)).toEqual(['c', 'd'])
    expect(world.cluster.seen('ListOffsets')).toHaveLength(1)
  })

  it('a batch that does not fit is asked for with twice the room', async () => {
    const world = await ReadableWorld.make({ 'fetch.message.max.bytes': 10 })
    world.values = ['x'.repeat(30)]
    world.override = ({ api, body }) => {
      const request = body as FetchRequest
      if (api !== 'Fetch') return undefined
      const { partitionMaxBytes = 0, fetchOffset = 0 } = request.topics[0]?.partitions[0] ?? {}
      const records = world.records(fetchOffset).subarray(0, partitionMaxBytes)
      return { answer: fetchAnswer(request, { records, highWatermark: 1 }), delayMs: fetchOffset }
    }
    world.assign(0)
    expect(await world.pollValues(1)).toEqual(world.values)
  })

  it('an answer to a question from before a seek is not delivered', async () => {
    const world = await ReadableWorld.make()
    world.values = ['a', 'b', 'c']
    world.assign(0)
    await world.pollValues(3)
    await world.cluster.settle(world.consumer.seek(new TopicPartition('t', 0, 1)))
    expect(await world.pollValues(2)).toEqual(['b', 'c'])
  })

  it('what an aborted consume had taken comes with the next call', async () => {
    const world = await ReadableWorld.make()
    world.values = ['a', 'b', 'c']
    world.assign(0)
    const controller = new AbortController()
    const consumed = world.consumer.consume({ numMessages: 100, signal: controller.signal })
    consumed.catch(() => {})
    await world.cluster.advance(150)
    controller.abort(new Error('enough'))
    await expect(world.cluster.settle(consumed)).rejects.toThrow('enough')
    expect(await world.pollValues(3)).toEqual(['a', 'b', 'c'])
    expect(world.consumer.position(world.consumer.assignment())[0]?.offset).toBe(3)
  })
})
