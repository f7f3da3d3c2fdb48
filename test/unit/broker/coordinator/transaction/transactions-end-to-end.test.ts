import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../../common/protocol/errors.ts'
import { BatchCursor } from '../../../../../common/record/batch.ts'
import { TransactionalBroker } from './transactional-broker.ts'

/** Records that a reader gets: no markers and, for the careful one, no aborted records. */
function countOf(broker: TransactionalBroker, isCareful: boolean): number {
  const { log } = broker.partition
  if (log === undefined) throw new Error('no log')
  const upTo = isCareful ? 'lastStable' : 'highWatermark'
  const end = isCareful ? log.lastStableOffset : log.highWatermark
  let count = 0
  for (let offset = log.logStartOffset; offset < end; ) {
    const { records, nextOffset, abortedTransactions } = log.read({
      offset,
      maxBytes: 1 << 20,
      upTo,
      atLeastOneBatch: true,
    })
    const cursor = new BatchCursor(records)
    while (cursor.next()) {
      const { batch } = cursor
      const isAborted = (abortedTransactions ?? []).some(
        ({ producerId, firstOffset, lastOffset }) =>
          producerId === batch.producerId &&
          batch.baseOffset >= firstOffset &&
          batch.baseOffset <= lastOffset,
      )
      if (!batch.isControl && !isAborted) count += batch.recordCount
    }
    offset = nextOffset
  }
  return count
}

describe('a transaction seen by readers of both isolations', () => {
  it('holds back the careful reader while it is open, takes offsets for its markers and fences zombies', () => {
    const broker = new TransactionalBroker()
    const first = broker.init()
    expect(broker.produce(first, 0)).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: 0 })
    expect(broker.offsets()).toEqual({ highWatermark: 2, lastStableOffset: 0 })
    expect([countOf(broker, true), countOf(broker, false)]).toEqual([0, 2])

    const second = broker.end(first, true)
    expect(second).toMatchObject({ errorCode: ErrorCode.NONE, producerEpoch: 1 })
    expect(broker.partition.log?.logEndOffset).toBe(3)
    expect(broker.offsets()).toEqual({ highWatermark: 3, lastStableOffset: 3 })
    expect(countOf(broker, true)).toBe(2)

    expect(broker.produce(second, 0)).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: 3 })
    const third = broker.end(second, false)
    expect(broker.partition.log?.logEndOffset).toBe(6)
    expect([countOf(broker, true), countOf(broker, false)]).toEqual([2, 4])

    broker.init()
    expect(broker.produce(third, 0).errorCode).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    expect(broker.end(third, true).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
  })

  it('keeps the epoch for clients before KIP-890, who add their partitions themselves', () => {
    const broker = new TransactionalBroker()
    const producer = broker.init()
    expect(broker.addPartition(producer)).toBe(ErrorCode.NONE)
    expect(broker.produce(producer, 0, { version: 11 }).errorCode).toBe(ErrorCode.NONE)
    broker.end(producer, true, 4)
    expect(broker.offsets()).toEqual({ highWatermark: 3, lastStableOffset: 3 })
    broker.addPartition(producer)
    expect(broker.produce(producer, 2, { version: 11 })).toMatchObject({
      errorCode: ErrorCode.NONE,
      baseOffset: 3,
    })
    broker.end(producer, false, 4)
    expect(broker.offsets()).toEqual({ highWatermark: 6, lastStableOffset: 6 })
  })
})

describe('verification of produced batches (KIP-890)', () => {
  it('refuses a partition that is not in the transaction, by the error of the version', () => {
    const broker = new TransactionalBroker()
    const producer = broker.init()
    expect(broker.produce(producer, 0, { version: 10 })).toEqual({
      errorCode: ErrorCode.INVALID_TXN_STATE,
      baseOffset: -1,
      errorMessage: 'Partition was not added to the transaction',
    })
    expect(broker.produce(producer, 0, { version: 11 })).toEqual({
      errorCode: ErrorCode.TRANSACTION_ABORTABLE,
      baseOffset: -1,
      errorMessage: null,
    })
    expect(broker.partition.log?.logEndOffset).toBe(0)
  })

  it('asks once for a partition whose transaction is open afterwards', () => {
    const broker = new TransactionalBroker()
    const producer = broker.init()
    broker.produce(producer, 0)
    broker.produce(producer, 2)
    expect(broker.asked).toHaveLength(1)
    expect(broker.asked[0]).toMatchObject([
      { verifyOnly: false, topics: [{ name: 'orders', partitions: [0] }] },
    ])
  })

  it('puts the questions of one turn into one request', () => {
    const broker = new TransactionalBroker()
    const producer = broker.init()
    const answers = [0, 1].map((partition) => broker.produceLater(producer, 0, { partition }))
    broker.harness.advance(0)
    expect(answers.map(({ value }) => value?.errorCode)).toEqual([ErrorCode.NONE, ErrorCode.NONE])
    expect(broker.asked).toMatchObject([[{ topics: [{ name: 'orders', partitions: [0, 1] }] }]])
  })

  it('makes producers try again when the coordinator does not answer', () => {
    const broker = new TransactionalBroker()
    const producer = broker.init()
    broker.dropsQuestions = true
    expect(broker.produce(producer, 0)).toMatchObject({
      errorCode: ErrorCode.NOT_ENOUGH_REPLICAS,
      errorMessage: expect.stringContaining('NETWORK_EXCEPTION'),
    })
    broker.dropsQuestions = false
    expect(broker.produce(producer, 0).errorCode).toBe(ErrorCode.NONE)
  })

  it('does not verify when it is switched off, but still adds partitions for clients that count on it', () => {
    const broker = new TransactionalBroker({ 'transaction.partition.verification.enable': 'false' })
    const producer = broker.init()
    broker.produce(producer, 0, { version: 11, partition: 1 })
    expect(broker.asked).toHaveLength(0)
    expect(broker.produce(producer, 0).errorCode).toBe(ErrorCode.NONE)
    expect(broker.asked).toHaveLength(1)
  })

  it('waits a little for the transaction before, and then leaves it to the client', () => {
    const broker = new TransactionalBroker()
    const first = broker.init()
    broker.produce(first, 0)
    // The marker has no leader to go to, so the transaction stays prepared.
    const leader = broker.broker.metadata.topicsByName.get('orders')?.partitions[0]
    if (leader === undefined) throw new Error('no partition')
    Object.assign(leader, { leaderId: -1 })
    const second = broker.end(first, true)
    const late = broker.produceLater(second, 0)
    broker.harness.advance(10)
    expect(late.isDone).toBe(false)
    Object.assign(leader, { leaderId: 1 })
    broker.harness.advance(200)
    expect(late.value?.errorCode).toBe(ErrorCode.NONE)

    Object.assign(leader, { leaderId: -1 })
    const third = broker.end(second, true)
    expect(broker.produce(third, 0).errorCode).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
  })

  it('asks again when the marker of the transaction before comes between question and answer', () => {
    const broker = new TransactionalBroker()
    const producer = broker.init()
    broker.beforeAnswer = () => broker.mark(producer)
    expect(broker.produce(producer, 0)).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: 1 })
    expect(broker.asked).toHaveLength(2)
  })

  it('refuses transactional batches without transactional id or of two producers', () => {
    const broker = new TransactionalBroker()
    const producer = broker.init()
    expect(broker.produce(producer, 0, { transactionalId: null }).errorCode).toBe(
      ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    )
    expect(broker.produce(producer, 0, { transactionalId: null, isTransactional: false }).errorCode).toBe(
      ErrorCode.NONE,
    )
  })
})

describe('offsets in a transaction', () => {
  it('count when the transaction commits and vanish when it aborts', () => {
    const broker = new TransactionalBroker()
    const first = broker.init()
    expect(broker.commitOffset(first, 7)).toBe(ErrorCode.NONE)
    expect(broker.groupOffset()).toBe(-1)
    expect(broker.groupOffset(true)).toBe(ErrorCode.UNSTABLE_OFFSET_COMMIT)
    const second = broker.end(first, true)
    expect(broker.groupOffset(true)).toBe(7)
    expect(broker.commitOffset(second, 9)).toBe(ErrorCode.NONE)
    broker.end(second, false)
    expect(broker.groupOffset(true)).toBe(7)
  })

  it('need AddOffsetsToTxn before version 5', () => {
    const broker = new TransactionalBroker()
    const producer = broker.init()
    expect(broker.commitOffset(producer, 7, 3)).toBe(ErrorCode.INVALID_TXN_STATE)
    expect(broker.commitOffset(producer, 7, 4)).toBe(ErrorCode.TRANSACTION_ABORTABLE)
    expect(broker.addOffsets(producer)).toBe(ErrorCode.NONE)
    expect(broker.commitOffset(producer, 7, 4)).toBe(ErrorCode.NONE)
    broker.end(producer, true, 4)
    expect(broker.groupOffset(true)).toBe(7)
  })

  it('are refused to zombies and to nameless groups', () => {
    const broker = new TransactionalBroker()
    const zombie = broker.init()
    broker.init()
    expect(broker.commitOffset(zombie, 7)).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    expect(broker.commitOffset(zombie, 7, 5, '')).toBe(ErrorCode.INVALID_GROUP_ID)
  })

  it('make clients try again when the transaction coordinator does not answer', () => {
    const broker = new TransactionalBroker()
    const producer = broker.init()
    broker.dropsQuestions = true
    expect(broker.commitOffset(producer, 7, 5)).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    expect(broker.commitOffset(producer, 7, 1)).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  })
})

describe('WriteTxnMarkers', () => {
  it('refuses partitions it does not have and markers of fenced producers and coordinators', () => {
    const broker = new TransactionalBroker()
    const producer = { producerId: 5_000, producerEpoch: 3 }
    const errorOf = (epoch: number, options = {}) => {
      const answer = broker.mark({ ...producer, producerEpoch: epoch }, options)
      broker.harness.advance(0)
      return answer.value
    }
    expect(errorOf(3)).toBe(ErrorCode.NONE)
    expect(errorOf(3, { partition: 7 })).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(errorOf(3, { topic: 'nope' })).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(errorOf(2)).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    expect(errorOf(3, { coordinatorEpoch: 0 })).toBe(ErrorCode.TRANSACTION_COORDINATOR_FENCED)
  })

  it('refuses a late marker of a producer whose epoch must have been raised (KIP-1228), but not a repeated one', () => {
    const broker = new TransactionalBroker()
    const first = broker.init()
    broker.produce(first, 0)
    const errorOf = (epoch: number) => {
      const answer = broker.mark({ ...first, producerEpoch: epoch }, { transactionVersion: 2 })
      broker.harness.advance(0)
      return answer.value
    }
    expect(errorOf(0)).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    expect(errorOf(1)).toBe(ErrorCode.NONE)
    expect(errorOf(1)).toBe(ErrorCode.NONE)
  })
})
