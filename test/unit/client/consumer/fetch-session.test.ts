import { describe, expect, it } from 'vitest'
import { FetchSession, type SessionPartition } from '../../../../client/consumer/fetch-session.ts'
import { ZERO_UUID } from '../../../../common/protocol/schema.ts'

function entry(partition: number, fetchOffset: number, topicId = ZERO_UUID): [string, SessionPartition] {
  const maxBytes = 1000
  return [`t-${partition}`, { topic: 't', topicId, partition, fetchOffset, currentLeaderEpoch: 0, maxBytes }]
}

const asked = (request: ReturnType<FetchSession['request']>): [number, number][] =>
  request.topics.flatMap(({ partitions }) =>
    partitions.map(({ partition, fetchOffset }) => [partition, fetchOffset] as [number, number]),
  )

describe('a fetch session', () => {
  it('begins with a full request and then sends what changed', () => {
    const session = new FetchSession()
    const first = session.request(new Map([entry(0, 0), entry(1, 0)]))
    expect([first.sessionId, first.sessionEpoch, asked(first)]).toEqual([
      0,
      0,
      [
        [0, 0],
        [1, 0],
      ],
    ])
    session.answered(77)
    const second = session.request(new Map([entry(0, 5), entry(1, 0)]))
    expect([second.sessionId, second.sessionEpoch, asked(second)]).toEqual([77, 1, [[0, 5]]])
    expect(second.forgottenTopicsData).toEqual([])
  })

  it('forgets what is no longer wanted', () => {
    const session = new FetchSession()
    session.request(new Map([entry(0, 0), entry(1, 0)]))
    session.answered(77)
    const request = session.request(new Map([entry(1, 0)]))
    expect(asked(request)).toEqual([])
    expect(request.forgottenTopicsData).toMatchObject([{ topic: 't', partitions: [0] }])
  })

  it('a topic that was made anew replaces the old one', () => {
    const session = new FetchSession()
    session.request(new Map([entry(0, 0, 'AAAAAAAAAAAAAAAAAAAAAQ')]))
    session.answered(77)
    const request = session.request(new Map([entry(0, 0, 'AAAAAAAAAAAAAAAAAAAAAg')]))
    expect(request.topics[0]?.topicId).toBe('AAAAAAAAAAAAAAAAAAAAAg')
    expect(request.forgottenTopicsData[0]?.topicId).toBe('AAAAAAAAAAAAAAAAAAAAAQ')
  })

  it('starts anew after a failure, and when the broker keeps no session', () => {
    const session = new FetchSession()
    session.request(new Map([entry(0, 0)]))
    session.answered(0)
    expect(session.request(new Map([entry(0, 0)]))).toMatchObject({ sessionId: 0, sessionEpoch: 0 })
    session.answered(5)
    session.reset()
    expect(session.request(new Map([entry(0, 3)]))).toMatchObject({ sessionId: 0, sessionEpoch: 0 })
  })

  it('a restart names the session that it replaces', () => {
    const session = new FetchSession()
    session.request(new Map([entry(0, 0)]))
    session.answered(5)
    session.restart()
    const request = session.request(new Map([entry(0, 0)]))
    expect([request.sessionId, request.sessionEpoch, asked(request)]).toEqual([5, 0, [[0, 0]]])
  })
})
