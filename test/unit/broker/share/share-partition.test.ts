import { describe, expect, it } from 'vitest'
import { metadataRecord } from '../../../../broker/metadata/metadata-record.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { acquiredIn, GROUP, ShareBroker } from './share-broker.ts'

const ACCEPT = [1]
const RELEASE = [2]
const REJECT = [3]

/** Offsets 0-4, 5-7 and 8-9 in a batch each. */
function filled(properties?: Record<string, string>): ShareBroker {
  const broker = new ShareBroker(properties)
  broker.join()
  broker.produce('a', 'b', 'c', 'd', 'e')
  broker.produce('f', 'g', 'h')
  broker.produce('i', 'j')
  return broker
}

describe('handing out records', () => {
  it('gives each record to one member at a time', () => {
    const broker = filled()
    const [first, second] = [broker.member('a'), broker.member('b')]
    expect(first.fetch({ maxRecords: 5 })).toEqual(['0-4 x1'])
    expect(second.fetch()).toEqual(['5-9 x1'])
    expect(first.fetch()).toEqual([])
  })

  it('ends with whole batches above the wished number, unless the member wants it exact (KIP-1206)', () => {
    const broker = filled()
    const member = broker.member('a')
    expect(member.fetch({ maxRecords: 6 })).toEqual(['0-7 x1'])
    expect(member.fetch({ maxRecords: 1, shareAcquireMode: 1 })).toEqual(['8-8 x1'])
    expect(member.fetch()).toEqual(['9-9 x1'])
  })

  it('cuts what it hands out at batches of the log into pieces of the wished size', () => {
    expect(filled().member('a').fetch({ batchSize: 4 })).toEqual(['0-4 x1', '5-9 x1'])
  })

  it('sends only the batches that hold acquired records', () => {
    const broker = filled()
    const member = broker.member('a')
    member.fetch({ maxRecords: 5 })
    const [partition] = member.response({ maxRecords: 1 }).responses[0]?.partitions ?? []
    expect(partition?.acquiredRecords).toMatchObject([{ firstOffset: 5, lastOffset: 7 }])
    expect(partition?.records?.readBigInt64BE(0)).toBe(5n)
    expect(partition?.records?.length).toBe(12 + (partition?.records?.readInt32BE(8) ?? 0))
  })

  it('stops at the limit of records in flight', () => {
    const broker = new ShareBroker()
    broker.configure({ 'share.partition.max.record.locks': '100' })
    broker.join()
    const values = Array.from({ length: 60 }, (_, index) => String(index))
    broker.produce(...values)
    broker.produce(...values)
    broker.produce(...values)
    const member = broker.member('a')
    expect(member.fetch({ maxRecords: 500 })).toEqual(['0-119 x1'])
    expect(member.fetch({ maxRecords: 500 })).toEqual([])
    member.acknowledge([0, 59, ACCEPT])
    expect(member.fetch({ maxRecords: 500 })).toEqual(['120-179 x1'])
  })

  it('waits for records, and answers as soon as one is there', () => {
    const broker = new ShareBroker()
    broker.join()
    const answer = broker.member('a').begin({ maxWaitMs: 5000 })
    broker.harness.advance(1000)
    expect(answer.isDone).toBe(false)
    broker.produce('a')
    broker.harness.advance(0)
    expect(answer.value && acquiredIn(answer.value)).toEqual(['0-0 x1'])
  })

  it('wakes who waits when another member gives a record back', () => {
    const broker = filled()
    const [first, second] = [broker.member('a'), broker.member('b')]
    first.fetch()
    const answer = second.begin({ maxWaitMs: 5000 })
    broker.harness.advance(10)
    expect(answer.isDone).toBe(false)
    first.acknowledge([5, 5, RELEASE])
    broker.harness.advance(0)
    expect(answer.value && acquiredIn(answer.value)).toEqual(['5-5 x2'])
  })

  it('answers after its time with what is there, which is nothing', () => {
    const broker = new ShareBroker()
    broker.join()
    const answer = broker.member('a').begin({ maxWaitMs: 500 })
    broker.harness.advance(500)
    expect(answer.value?.responses[0]?.partitions[0]).toMatchObject({ errorCode: 0, acquiredRecords: [] })
  })

  it('does not wait for ever for a share coordinator that is silent, and goes on once it answers', () => {
    const broker = filled()
    const member = broker.member('a')
    broker.isCut = true
    const answer = member.begin({ maxWaitMs: 600 })
    broker.harness.advance(600)
    expect(answer.value).toMatchObject({ errorCode: ErrorCode.NONE, responses: [] })
    broker.isCut = false
    broker.harness.advance(2000)
    expect(member.fetch()).toEqual(['0-9 x1'])
  })

  it('begins at the end of the log unless the group says otherwise', () => {
    const broker = filled()
    broker.configure({ 'share.auto.offset.reset': 'latest' })
    const member = broker.member('a')
    expect(member.fetch()).toEqual([])
    broker.produce('new')
    expect(member.fetch()).toEqual(['10-10 x1'])
  })

  it('begins at the first record that is younger than the duration of the group', () => {
    const broker = filled()
    broker.harness.advance(60_000)
    broker.produce('young')
    broker.harness.advance(10_000)
    broker.configure({ 'share.auto.offset.reset': 'by_duration:PT30S' })
    expect(broker.member('a').fetch()).toEqual(['10-10 x1'])
  })

  it('does not hand out what was deleted from the log', () => {
    const broker = filled()
    const member = broker.member('a')
    member.fetch({ maxRecords: 5 })
    broker.broker.replicas.partition('orders', 0)?.deleteRecordsBefore(8)
    expect(member.fetch()).toEqual(['8-9 x1'])
    expect(member.acknowledge([0, 4, ACCEPT]).errorCode).toBe(ErrorCode.NONE)
  })
})

describe('acknowledging records', () => {
  it('hands released records out again, and never accepted or rejected ones', () => {
    const member = filled().member('a')
    member.fetch()
    expect(member.acknowledge([0, 3, [1, 2, 3, 0]], [4, 9, ACCEPT]).errorCode).toBe(ErrorCode.NONE)
    expect(member.fetch()).toEqual(['1-1 x2'])
  })

  it('takes acknowledgements with a fetch and tells of their errors beside its own', () => {
    const broker = filled()
    const member = broker.member('a')
    member.fetch({ maxRecords: 5 })
    const { responses } = member.response({ acknowledgements: [[0, 40, ACCEPT]] })
    expect(responses[0]?.partitions[0]).toMatchObject({
      errorCode: ErrorCode.NONE,
      acknowledgeErrorCode: ErrorCode.INVALID_REQUEST,
      acquiredRecords: [{ firstOffset: 5, lastOffset: 9, deliveryCount: 1 }],
    })
  })

  it('takes all batches of a request or none', () => {
    const member = filled().member('a')
    member.fetch()
    expect(member.acknowledge([0, 2, ACCEPT], [2, 3, ACCEPT])).toMatchObject({
      errorCode: ErrorCode.INVALID_RECORD_STATE,
      errorMessage: 'The offset cannot be acknowledged. The offset is not acquired.',
    })
    expect(member.acknowledge([0, 9, ACCEPT]).errorCode).toBe(ErrorCode.NONE)
  })

  it('refuses what belongs to another member', () => {
    const broker = filled()
    const [first, second] = [broker.member('a'), broker.member('b')]
    first.fetch({ maxRecords: 5 })
    second.fetch()
    expect(second.acknowledge([0, 4, ACCEPT])).toMatchObject({
      errorCode: ErrorCode.INVALID_RECORD_STATE,
      errorMessage: 'Member is not the owner of batch record',
    })
  })

  it.each([
    ['more types than offsets', [0, 4, [1, 1]]],
    ['an unknown type', [0, 4, [7]]],
    ['a range that ends before it begins', [4, 0, [1]]],
    ['no type', [0, 4, []]],
    ['a renewal that is not announced', [0, 4, [4]]],
    ['offsets that were not handed out', [20, 22, [1]]],
  ] as const)('refuses %s', (_, acknowledgement) => {
    const member = filled().member('a')
    member.fetch()
    expect(member.acknowledge(acknowledgement).errorCode).toBe(ErrorCode.INVALID_REQUEST)
  })

  it('writes down what it is told before it answers, and where delivery goes on afterwards', () => {
    const broker = filled()
    const member = broker.member('a')
    member.fetch()
    member.acknowledge([0, 4, [1, 1, 2, 3, 1]])
    member.acknowledge([5, 7, [0]])
    const updates = broker.records('__share_group_state').filter(({ name }) => name === 'ShareUpdateValue')
    expect(updates.map(({ value }) => value)).toEqual([
      {
        snapshotEpoch: 0,
        leaderEpoch: 0,
        startOffset: 0,
        deliveryCompleteCount: 4,
        stateBatches: [
          { firstOffset: 0, lastOffset: 1, deliveryState: 2, deliveryCount: 1 },
          { firstOffset: 2, lastOffset: 2, deliveryState: 0, deliveryCount: 1 },
          { firstOffset: 3, lastOffset: 3, deliveryState: 4, deliveryCount: 1 },
          { firstOffset: 4, lastOffset: 4, deliveryState: 2, deliveryCount: 1 },
        ],
      },
      {
        snapshotEpoch: 0,
        leaderEpoch: 0,
        startOffset: 2,
        deliveryCompleteCount: 5,
        stateBatches: [{ firstOffset: 5, lastOffset: 7, deliveryState: 4, deliveryCount: 1 }],
      },
    ])
  })

  it('takes an acknowledgement back when it cannot be written down', () => {
    const broker = filled()
    const member = broker.member('a')
    member.fetch()
    broker.isCut = true
    const answer = member.begin({ acknowledgements: [[0, 9, ACCEPT]] })
    broker.harness.advance(15_000)
    expect(answer.value?.responses[0]?.partitions[0]?.acknowledgeErrorCode).toBe(
      ErrorCode.COORDINATOR_NOT_AVAILABLE,
    )
    broker.isCut = false
    expect(member.acknowledge([0, 9, ACCEPT]).errorCode).toBe(ErrorCode.NONE)
  })
})

describe('acquisition locks', () => {
  it('frees records whose time is up', () => {
    const broker = filled()
    broker.configure({ 'share.record.lock.duration.ms': '2000' })
    const member = broker.member('a')
    member.fetch()
    broker.harness.advance(1999)
    expect(member.fetch()).toEqual([])
    broker.harness.advance(1)
    expect(member.acknowledge([0, 9, ACCEPT]).errorCode).toBe(ErrorCode.INVALID_RECORD_STATE)
    expect(broker.member('b').fetch()).toEqual(['0-9 x2'])
  })

  it('are prolonged by a renewal (KIP-1222)', () => {
    const broker = filled()
    broker.configure({ 'share.record.lock.duration.ms': '2000' })
    const member = broker.member('a')
    member.fetch()
    broker.harness.advance(1500)
    expect(member.renew(0, 9).errorCode).toBe(ErrorCode.NONE)
    broker.harness.advance(1500)
    expect(member.acknowledge([0, 9, ACCEPT]).errorCode).toBe(ErrorCode.NONE)
  })

  it('are not prolonged in a group that does not want it', () => {
    const broker = filled()
    broker.configure({ 'share.renew.acknowledge.enable': 'false' })
    const member = broker.member('a')
    member.fetch()
    expect(member.renew(0, 9)).toEqual({
      errorCode: ErrorCode.INVALID_RECORD_STATE,
      errorMessage: 'Renewing acquisition locks is not enabled for the group.',
    })
  })

  it('end with the session and with the connection', () => {
    const broker = filled()
    const [first, second] = [broker.member('a'), broker.member('b')]
    first.fetch()
    first.response({ shareSessionEpoch: -1, topics: [] })
    expect(second.fetch()).toEqual(['0-9 x2'])
    broker.disconnect()
    expect(second.response().errorCode).toBe(ErrorCode.SHARE_SESSION_NOT_FOUND)
    expect(broker.member('c').fetch()).toEqual(['0-9 x3'])
  })
})

describe('records that come back again and again', () => {
  it('are handed out in parts, at last one by one, and archived after the last attempt', () => {
    const broker = new ShareBroker()
    broker.join()
    broker.produce('a', 'b', 'c', 'd')
    const member = broker.member('a')
    for (const count of [1, 2, 3]) {
      expect(member.fetch()).toEqual([`0-3 x${count}`])
      member.acknowledge([0, 3, RELEASE])
    }
    expect(member.fetch()).toEqual(['0-1 x4'])
    expect(member.fetch()).toEqual(['2-3 x4'])
    member.acknowledge([0, 3, RELEASE])
    for (const offset of [0, 1, 2, 3]) {
      expect(member.fetch()).toEqual([`${offset}-${offset} x5`])
      member.acknowledge([offset, offset, RELEASE])
    }
    expect(member.fetch()).toEqual([])
    broker.produce('next')
    expect(member.fetch()).toEqual(['4-4 x1'])
  })

  it('obey the limit of their group', () => {
    const broker = filled()
    broker.configure({ 'share.delivery.count.limit': '2' })
    const member = broker.member('a')
    member.fetch({ maxRecords: 1, shareAcquireMode: 1 })
    member.acknowledge([0, 0, RELEASE])
    expect(member.fetch({ maxRecords: 1, shareAcquireMode: 1 })).toEqual(['0-0 x2'])
    member.acknowledge([0, 0, RELEASE])
    expect(member.fetch()[0]).toBe('1-9 x1')
  })
})

describe('a change of leader', () => {
  it('gives unacknowledged records out again, knows the rest and fences the time before', () => {
    const broker = filled()
    const member = broker.member('a')
    member.fetch()
    member.acknowledge([0, 1, ACCEPT], [2, 2, REJECT], [3, 3, RELEASE])
    broker.changeLeader()
    expect(member.acknowledge([4, 9, ACCEPT]).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(broker.member('b').fetch()).toEqual(['3-3 x2', '4-9 x1'])
    const last = broker.records('__share_group_state').at(-1)
    expect(last?.value).toMatchObject({ leaderEpoch: 1, stateBatches: [] })
  })

  it('of the state topic loses nothing', () => {
    const broker = filled()
    const member = broker.member('a')
    member.fetch()
    member.acknowledge([0, 4, ACCEPT])
    const stateTopicId = broker.broker.metadata.topicsByName.get('__share_group_state')?.id ?? ''
    broker.changeLeader(stateTopicId)
    broker.changeLeader()
    expect(broker.member('b').fetch()).toEqual(['5-9 x1'])
  })

  it('ends a wait with an error', () => {
    const broker = new ShareBroker()
    broker.join()
    const answer = broker.member('a').begin({ maxWaitMs: 5000 })
    broker.changeLeader()
    expect(answer.value?.responses[0]?.partitions[0]?.errorCode).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  })
})

describe('a deleted topic', () => {
  it('is unknown to sessions that had it, and its state is forgotten', () => {
    const broker = filled()
    const member = broker.member('a')
    member.fetch()
    broker.harness.publish(metadataRecord('RemoveTopicRecord', 0, { topicId: broker.topicId }))
    broker.harness.advance(0)
    expect(member.response().responses[0]?.partitions[0]?.errorCode).toBe(
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    )
    expect(member.acknowledge([0, 9, ACCEPT]).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID)
    expect(
      broker.broker.sharePartitions.sharePartition(GROUP, { topicId: broker.topicId, partition: 0 }),
    ).toBe(undefined)
  })
})

describe('a transactional reader', () => {
  it('gets nothing of aborted and open transactions', () => {
    const broker = new ShareBroker()
    broker.configure({ 'share.isolation.level': 'read_committed' })
    broker.join()
    broker.produceInTransaction(7, 'a', 'b')
    const member = broker.member('a')
    expect(member.fetch()).toEqual([])
    broker.endTransaction(7, false)
    broker.produceInTransaction(8, 'c')
    broker.endTransaction(8, true)
    // Markers are skipped by the reader, as gaps.
    expect(member.fetch()).toEqual(['2-4 x1'])
    expect(member.acknowledge([2, 4, [0, 1, 0]]).errorCode).toBe(ErrorCode.NONE)
  })
})

describe('share sessions', () => {
  it('are checked by epoch and member', () => {
    const broker = filled()
    const member = broker.member('a')
    expect(member.response({ shareSessionEpoch: 3 }).errorCode).toBe(ErrorCode.SHARE_SESSION_NOT_FOUND)
    const other = broker.member('b')
    other.fetch()
    expect(other.response({ shareSessionEpoch: 7 }).errorCode).toBe(ErrorCode.INVALID_SHARE_SESSION_EPOCH)
    expect(broker.member('c').acknowledge([0, 0, ACCEPT]).errorCode).toBe(
      ErrorCode.INVALID_SHARE_SESSION_EPOCH,
    )
  })

  it('begin without acknowledgements', () => {
    const { errorCode } = filled()
      .member('a')
      .response({ acknowledgements: [[0, 0, ACCEPT]] })
    expect(errorCode).toBe(ErrorCode.INVALID_REQUEST)
  })

  it('are as many as the broker allows', () => {
    const broker = filled({ 'group.share.max.share.sessions': '1' })
    broker.member('a').fetch()
    expect(broker.member('b').response().errorCode).toBe(ErrorCode.SHARE_SESSION_LIMIT_REACHED)
  })

  it('name only partitions with news once they are open', () => {
    const broker = new ShareBroker()
    broker.join()
    const member = broker.member('a')
    expect(member.response().responses).toHaveLength(1)
    expect(member.response().responses).toEqual([])
  })
})
