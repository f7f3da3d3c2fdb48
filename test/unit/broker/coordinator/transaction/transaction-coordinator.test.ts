import { describe, expect, it } from 'vitest'
import { initProducerId } from '../../../../../broker/api/22-init-producer-id.ts'
import { endTxn } from '../../../../../broker/api/26-end-txn.ts'
import { ErrorCode } from '../../../../../common/protocol/errors.ts'
import { TRANSACTIONAL_ID, TransactionHarness } from './transaction-harness.ts'

const EXHAUSTED_EPOCH = 32_766

/** A coordinator whose transactional id stands at this epoch, in state Empty. */
function harnessAtEpoch(producerEpoch: number): TransactionHarness {
  const harness = new TransactionHarness()
  const { producerId } = harness.init()
  const record = harness.log.batches[0]
  if (record === undefined) throw new Error('nothing written')
  const machine = harness.coordinator.service.ledPartitions().get(0)
  const known = machine?.machine.get(TRANSACTIONAL_ID)
  if (machine === undefined || known === undefined) throw new Error('no transaction')
  machine.write('test', (shard) => ({
    records: [shard.record({ ...known, producerId, producerEpoch })],
    response: undefined,
  }))
  return harness
}

describe('InitProducerId', () => {
  it('gives a producer without transactional id consecutive ids in epoch 0', () => {
    const harness = new TransactionHarness()
    const first = harness.init(4, { transactionalId: null })
    expect(first).toEqual({ errorCode: ErrorCode.NONE, producerId: 1_000, producerEpoch: 0 })
    expect(harness.init(0, { transactionalId: null }).producerId).toBe(1_001)
    expect(harness.log.batches).toHaveLength(0)
  })

  it('answers COORDINATOR_LOAD_IN_PROGRESS while the controller hands out no ids', () => {
    const harness = new TransactionHarness()
    harness.blockError = ErrorCode.STALE_BROKER_EPOCH
    expect(harness.init().errorCode).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    harness.blockError = undefined
    expect(harness.init().errorCode).toBe(ErrorCode.NONE)
  })

  it('asks for the next block before one is used up and skips no id', () => {
    const harness = new TransactionHarness()
    const ids = Array.from({ length: 1_001 }, () => harness.init(4, { transactionalId: null }).producerId)
    expect(ids).toEqual(Array.from({ length: 1_001 }, (_, index) => 1_000 + index))
    expect(harness.nextBlock).toBe(3_000)
  })

  it('refuses what no transactional id may ask for', () => {
    const harness = new TransactionHarness()
    expect(harness.init(5, { transactionalId: '' }).errorCode).toBe(ErrorCode.INVALID_REQUEST)
    expect(harness.init(5, { producerId: 3 }).errorCode).toBe(ErrorCode.INVALID_REQUEST)
    expect(harness.init(5, { producerEpoch: 3 }).errorCode).toBe(ErrorCode.INVALID_REQUEST)
    expect(harness.init(5, { transactionTimeoutMs: 0 }).errorCode).toBe(ErrorCode.INVALID_TRANSACTION_TIMEOUT)
    expect(harness.init(5, { transactionTimeoutMs: 900_001 }).errorCode).toBe(
      ErrorCode.INVALID_TRANSACTION_TIMEOUT,
    )
    expect(harness.init(5, { transactionTimeoutMs: 900_000 }).errorCode).toBe(ErrorCode.NONE)
  })

  it('has no two-phase commits unless they are enabled, and no prepared transactions to keep', () => {
    const off = new TransactionHarness()
    expect(off.init(6, { enable2Pc: true }).errorCode).toBe(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    expect(off.init(6, { keepPreparedTxn: true }).errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION)
    const on = new TransactionHarness({ config: { 'transaction.two.phase.commit.enable': true } })
    expect(on.init(6, { enable2Pc: true, transactionTimeoutMs: 0 }).errorCode).toBe(ErrorCode.NONE)
    expect(on.describe().transactionTimeoutMs).toBe(2_147_483_647)
  })

  it('writes the record that Kafka writes for a new transactional id', () => {
    const harness = new TransactionHarness()
    expect(harness.init()).toEqual({ errorCode: ErrorCode.NONE, producerId: 1_000, producerEpoch: 0 })
    expect(harness.records()).toEqual([
      {
        version: 1,
        value: {
          producerId: 1_000,
          previousProducerId: 1_000,
          nextProducerId: -1,
          producerEpoch: 0,
          nextProducerEpoch: -1,
          transactionTimeoutMs: 60_000,
          transactionStatus: 0,
          transactionPartitions: null,
          transactionLastUpdateTimestampMs: 1_000_000,
          transactionStartTimestampMs: -1,
          clientTransactionVersion: 0,
        },
      },
    ])
  })

  it('writes records of version 0 while transaction.version is 0', () => {
    const harness = new TransactionHarness({ transactionVersion: 0 })
    harness.init()
    expect(harness.records().map(({ version }) => version)).toEqual([0])
  })

  it('raises the epoch for every producer that begins with the transactional id', () => {
    const harness = new TransactionHarness()
    expect(
      [harness.init(), harness.init(), harness.init()].map(({ producerEpoch }) => producerEpoch),
    ).toEqual([0, 1, 2])
  })

  it('lets a producer recover from its epoch and gives a retry the same answer', () => {
    const harness = new TransactionHarness()
    const { errorCode: _, ...producer } = harness.init()
    const recovered = harness.init(5, producer)
    expect(recovered).toMatchObject({ errorCode: ErrorCode.NONE, producerEpoch: 1 })
    expect(harness.init(5, producer)).toEqual(recovered)
    expect(harness.init(5, { producerId: producer.producerId, producerEpoch: 7 }).errorCode).toBe(
      ErrorCode.PRODUCER_FENCED,
    )
    expect(harness.init(5, { producerId: 77, producerEpoch: 1 }).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
  })

  it('fences a producer that recovers after another one has begun, by the error of its version', () => {
    const harness = new TransactionHarness()
    const { errorCode: _, ...zombie } = harness.init()
    harness.init()
    expect(harness.init(5, zombie).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
    expect(harness.init(4, zombie).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
    expect(harness.init(3, zombie).errorCode).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
  })

  it('takes another producer id when the epochs are used up, and knows a retry across the change', () => {
    const harness = harnessAtEpoch(EXHAUSTED_EPOCH)
    const expected = { producerId: 1_000, producerEpoch: EXHAUSTED_EPOCH }
    const rotated = harness.init(5, expected)
    expect(rotated).toEqual({ errorCode: ErrorCode.NONE, producerId: 1_001, producerEpoch: 0 })
    expect(harness.init(5, expected)).toEqual(rotated)
    expect(harness.records(2)[0]?.value).toMatchObject({ producerId: 1_001, previousProducerId: 1_000 })
  })

  it('aborts what the producer before left open, and lets the client come again', () => {
    const harness = new TransactionHarness()
    const zombie = harness.init()
    harness.add(zombie, [0])
    harness.writesMarkers = false
    expect(harness.init().errorCode).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
    expect(harness.state).toBe('PrepareAbort')
    expect(harness.init().errorCode).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
    const [sent] = harness.sent
    if (sent === undefined) throw new Error('no markers')
    expect(sent.request.markers).toMatchObject([
      { producerId: 1_000, producerEpoch: 1, transactionResult: false },
    ])
    harness.answer(sent)
    harness.settle()
    expect(harness.state).toBe('CompleteAbort')
    expect(harness.init()).toMatchObject({ errorCode: ErrorCode.NONE, producerEpoch: 2 })
    expect(harness.add(zombie, [0])).toEqual([ErrorCode.PRODUCER_FENCED])
    expect(harness.end(zombie, true).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
  })

  it('raises the epoch once to fence under every transaction.version', () => {
    for (const transactionVersion of [0, 1, 2]) {
      const harness = new TransactionHarness({ transactionVersion })
      harness.add(harness.init(), [0], 3)
      harness.init()
      expect(harness.describe()).toMatchObject({ transactionState: 'CompleteAbort', producerEpoch: 1 })
    }
  })
})

describe('AddPartitionsToTxn and AddOffsetsToTxn', () => {
  it('begin the transaction and note its partitions', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    expect(harness.add(producer, [0, 1], 3)).toEqual([ErrorCode.NONE, ErrorCode.NONE])
    expect(harness.addOffsets(producer)).toBe(ErrorCode.NONE)
    expect(harness.describe()).toMatchObject({
      transactionState: 'Ongoing',
      transactionStartTimeMs: 1_000_000,
      topics: [
        { topic: 'orders', partitions: [0, 1] },
        { topic: '__consumer_offsets', partitions: [0] },
      ],
    })
  })

  it('write nothing for partitions that are in the transaction already', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    harness.add(producer, [0])
    const end = harness.log.logEndOffset
    expect(harness.add(producer, [0])).toEqual([ErrorCode.NONE])
    expect(harness.log.logEndOffset).toBe(end)
  })

  it('refuse strangers and zombies', () => {
    const harness = new TransactionHarness()
    expect(harness.add({ producerId: 1, producerEpoch: 0 }, [0])).toEqual([
      ErrorCode.INVALID_PRODUCER_ID_MAPPING,
    ])
    const producer = harness.init()
    expect(harness.add({ ...producer, producerId: 1 }, [0])).toEqual([ErrorCode.INVALID_PRODUCER_ID_MAPPING])
    const zombie = { ...producer, producerEpoch: 5 }
    expect(harness.add(zombie, [0], 2)).toEqual([ErrorCode.PRODUCER_FENCED])
    expect(harness.add(zombie, [0], 1)).toEqual([ErrorCode.INVALID_PRODUCER_EPOCH])
    expect(harness.addOffsets(zombie, 2)).toBe(ErrorCode.PRODUCER_FENCED)
    expect(harness.addOffsets(zombie, 1)).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
  })

  it('attempt nothing when one of the partitions does not exist', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    for (const version of [3, 5]) {
      expect(harness.add(producer, [0, 9], version)).toEqual([
        ErrorCode.OPERATION_NOT_ATTEMPTED,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ])
    }
    expect(harness.state).toBe('Empty')
  })

  it('wait for a transaction that is ending', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    harness.add(producer, [0], 3)
    harness.writesMarkers = false
    harness.end(producer, true, 3)
    expect(harness.add(producer, [0], 3)).toEqual([ErrorCode.CONCURRENT_TRANSACTIONS])
    expect(harness.add(producer, [0], 5, 'orders', true)).toEqual([ErrorCode.CONCURRENT_TRANSACTIONS])
  })

  it('tell a broker which partitions are not in the transaction (KIP-890)', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    harness.add(producer, [0], 3)
    expect(harness.add(producer, [0, 1], 5, 'orders', true)).toEqual([
      ErrorCode.NONE,
      ErrorCode.TRANSACTION_ABORTABLE,
    ])
    const zombie = { ...producer, producerEpoch: 9 }
    expect(harness.add(zombie, [0], 5, 'orders', true)).toEqual([ErrorCode.PRODUCER_FENCED])
  })
})

describe('EndTxn before KIP-890', () => {
  it('commits, answers a retry and refuses the opposite', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    harness.add(producer, [0], 3)
    expect(harness.end(producer, true, 3).errorCode).toBe(ErrorCode.NONE)
    expect(harness.describe()).toMatchObject({
      transactionState: 'CompleteCommit',
      producerEpoch: 0,
      topics: [],
    })
    expect(harness.end(producer, true, 3).errorCode).toBe(ErrorCode.NONE)
    expect(harness.end(producer, false, 3).errorCode).toBe(ErrorCode.INVALID_TXN_STATE)
    expect(harness.records().map(({ value }) => value?.transactionStatus)).toEqual([0, 1, 2, 4])
  })

  it('refuses to end what was not begun, and zombies by the error of their version', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    expect(harness.end(producer, true, 3).errorCode).toBe(ErrorCode.INVALID_TXN_STATE)
    expect(harness.end(producer, false, 3).errorCode).toBe(ErrorCode.INVALID_TXN_STATE)
    const zombie = { ...producer, producerEpoch: 4 }
    expect(harness.end(zombie, true, 2).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
    expect(harness.end(zombie, true, 1).errorCode).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    expect(harness.end({ ...producer, producerId: 8 }, true, 3).errorCode).toBe(
      ErrorCode.INVALID_PRODUCER_ID_MAPPING,
    )
  })

  it('answers CONCURRENT_TRANSACTIONS while the markers are on their way', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    harness.add(producer, [0], 3)
    harness.writesMarkers = false
    expect(harness.end(producer, false, 3).errorCode).toBe(ErrorCode.NONE)
    expect(harness.end(producer, false, 3).errorCode).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
    expect(harness.end(producer, true, 3).errorCode).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
  })
})

describe('EndTxn since KIP-890', () => {
  it('raises the epoch with every end and knows a retry by the epoch before', () => {
    const harness = new TransactionHarness()
    const first = harness.init()
    harness.add(first, [0])
    harness.writesMarkers = false
    const second = harness.end(first, true)
    expect(second).toEqual({ errorCode: ErrorCode.NONE, producerId: 1_000, producerEpoch: 1 })
    expect(harness.end(first, true).errorCode).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
    for (const sent of harness.sent) harness.answer(sent)
    harness.settle()
    expect(harness.end(first, true)).toEqual(second)
    expect(harness.end(first, false).errorCode).toBe(ErrorCode.INVALID_TXN_STATE)
    expect(harness.end(second, true).errorCode).toBe(ErrorCode.INVALID_TXN_STATE)
  })

  it('lets whoever ends or adds wait while the markers are on their way, whatever its epoch', () => {
    const harness = new TransactionHarness()
    const first = harness.init()
    harness.add(first, [0])
    harness.writesMarkers = false
    const second = harness.end(first, true)
    for (const producer of [first, second, { ...first, producerEpoch: 7 }]) {
      expect(harness.end(producer, true).errorCode).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
      expect(harness.end(producer, false).errorCode).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
      expect(harness.add(producer, [0], 3)).toEqual([ErrorCode.CONCURRENT_TRANSACTIONS])
    }
    for (const sent of harness.sent) harness.answer(sent)
    harness.settle()
    expect(harness.end(second, false)).toMatchObject({ errorCode: ErrorCode.NONE, producerEpoch: 2 })
  })

  it('aborts a transaction that has no partitions', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    expect(harness.end(producer, true).errorCode).toBe(ErrorCode.INVALID_TXN_STATE)
    expect(harness.end(producer, false)).toMatchObject({ errorCode: ErrorCode.NONE, producerEpoch: 1 })
    expect(harness.state).toBe('CompleteAbort')
    expect(harness.sent).toHaveLength(0)
    expect(harness.records().map(({ value }) => value?.transactionStatus)).toEqual([0, 3, 5])
  })

  it('goes on with another producer id when the epochs are used up', () => {
    const harness = harnessAtEpoch(EXHAUSTED_EPOCH)
    const producer = { producerId: 1_000, producerEpoch: EXHAUSTED_EPOCH }
    harness.add(producer, [0])
    const next = harness.end(producer, true)
    expect(next).toEqual({ errorCode: ErrorCode.NONE, producerId: 1_001, producerEpoch: 0 })
    expect(harness.sent[0]?.request.markers).toMatchObject([{ producerId: 1_000, producerEpoch: 32_767 }])
    const [prepared, complete] = harness.records().slice(-2)
    expect(prepared?.value).toMatchObject({ producerId: 1_000, producerEpoch: 32_767, nextProducerId: 1_001 })
    expect(complete?.value).toMatchObject({
      producerId: 1_001,
      previousProducerId: 1_000,
      nextProducerId: -1,
    })
    expect(harness.end(producer, true)).toEqual(next)
    expect(harness.add(next, [0])).toEqual([ErrorCode.NONE])
  })
})

describe('the decision and its markers', () => {
  it('an answer waits until the decision is committed, and so do the markers', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    harness.add(producer, [0])
    harness.log.commitsAtOnce = false
    const answer = harness.begin(endTxn, 5, {
      transactionalId: TRANSACTIONAL_ID,
      ...idOf(producer),
      committed: true,
    })
    harness.settle()
    expect([answer.isDone, harness.sent.length]).toEqual([false, 0])
    harness.commit()
    expect(answer.value).toMatchObject({ errorCode: ErrorCode.NONE, producerEpoch: 1 })
    expect(harness.sent).toHaveLength(1)
  })

  it('a decision that is committed too late for its answer is carried out all the same', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    harness.add(producer, [0])
    harness.log.commitsAtOnce = false
    const answer = harness.begin(endTxn, 5, {
      transactionalId: TRANSACTIONAL_ID,
      ...idOf(producer),
      committed: true,
    })
    harness.sim.advance(31_000)
    expect(answer.value?.errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    harness.log.commitsAtOnce = true
    harness.commit()
    harness.sim.advance(200)
    expect(harness.state).toBe('CompleteCommit')
  })

  it('nothing changes when the log refuses the decision', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    harness.add(producer, [0])
    harness.log.refusal = ErrorCode.NOT_ENOUGH_REPLICAS
    expect(harness.end(producer, true).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    harness.log.refusal = ErrorCode.NONE
    expect(harness.state).toBe('Ongoing')
    expect(harness.end(producer, true)).toMatchObject({ errorCode: ErrorCode.NONE, producerEpoch: 1 })
  })

  it('markers go in one request to each leader, with the epoch of the coordinator and the version of the client', () => {
    const harness = new TransactionHarness()
    harness.setTopic('orders', [1, 2, 1])
    const producer = harness.init()
    harness.add(producer, [0, 1, 2])
    harness.end(producer, true)
    expect(
      harness.sent.map(({ brokerId, request }) => ({ brokerId, topics: request.markers[0]?.topics })),
    ).toEqual([
      { brokerId: 1, topics: [{ name: 'orders', partitionIndexes: [0, 2] }] },
      { brokerId: 2, topics: [{ name: 'orders', partitionIndexes: [1] }] },
    ])
    expect(harness.sent[0]?.request.markers).toMatchObject([
      {
        producerId: 1_000,
        producerEpoch: 1,
        transactionResult: true,
        coordinatorEpoch: 7,
        transactionVersion: 2,
      },
    ])
  })

  it('only the partitions that failed for a while are tried again, where their leader is then', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    harness.add(producer, [0, 1])
    harness.writesMarkers = false
    harness.end(producer, true)
    const [sent] = harness.sent
    if (sent === undefined) throw new Error('no markers')
    harness.answer(sent, (_, partition) =>
      partition === 0 ? ErrorCode.NONE : ErrorCode.NOT_LEADER_OR_FOLLOWER,
    )
    harness.setTopic('orders', [1, 3])
    harness.writesMarkers = true
    harness.settle()
    expect(harness.state).toBe('PrepareCommit')
    harness.sim.advance(20)
    expect(harness.sent[1]).toMatchObject({
      brokerId: 3,
      request: { markers: [{ topics: [{ name: 'orders', partitionIndexes: [1] }] }] },
    })
    expect(harness.state).toBe('CompleteCommit')
  })

  it('a broker that does not answer is asked again', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    harness.add(producer, [0])
    harness.writesMarkers = false
    harness.end(producer, false)
    harness.sent[0]?.answer.complete({ ok: false, failure: 'disconnected' })
    harness.writesMarkers = true
    harness.sim.advance(20)
    expect([harness.sent.length, harness.state]).toEqual([2, 'CompleteAbort'])
  })

  it('a partition without leader is waited for, one that was deleted is not', () => {
    const harness = new TransactionHarness()
    harness.setTopic('gone', [1])
    const producer = harness.init()
    harness.add(producer, [0])
    harness.add(producer, [0], 5, 'gone')
    harness.topics.delete('gone')
    harness.setTopic('orders', [-1, 1])
    harness.end(producer, true)
    expect([harness.sent.length, harness.state]).toEqual([0, 'PrepareCommit'])
    harness.setTopic('orders', [1, 1])
    harness.sim.advance(100)
    expect(harness.state).toBe('CompleteCommit')
    expect(harness.sent).toHaveLength(1)
  })

  it('a partition that knows a newer producer or coordinator ends the sending', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    harness.add(producer, [0])
    harness.writesMarkers = false
    harness.end(producer, true)
    const [sent] = harness.sent
    if (sent === undefined) throw new Error('no markers')
    harness.answer(sent, () => ErrorCode.TRANSACTION_COORDINATOR_FENCED)
    harness.sim.advance(5_000)
    expect([harness.sent.length, harness.coordinator.markers.pendingCount]).toEqual([1, 0])
  })

  it('the completion is tried again when the log refuses it for a while', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    harness.add(producer, [0])
    harness.writesMarkers = false
    harness.end(producer, true)
    harness.log.refusal = ErrorCode.NOT_ENOUGH_REPLICAS
    for (const sent of harness.sent) harness.answer(sent)
    harness.settle()
    expect(harness.state).toBe('PrepareCommit')
    harness.log.refusal = ErrorCode.NONE
    harness.sim.advance(100)
    expect(harness.state).toBe('CompleteCommit')
  })

  it('the next coordinator goes on with the markers of the one before, in its own epoch', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    harness.add(producer, [0])
    harness.writesMarkers = false
    harness.end(producer, true)
    expect(harness.sent).toHaveLength(1)
    const next = harness.failOver()
    next.settle()
    expect(next.sent[0]?.request.markers).toMatchObject([
      { producerEpoch: 1, transactionResult: true, coordinatorEpoch: 8 },
    ])
    expect(next.state).toBe('CompleteCommit')
    expect(next.describe()).toMatchObject({ producerId: 1_000, producerEpoch: 1 })
  })

  it('who waits is told NOT_COORDINATOR when the partition is lost, and later everybody', () => {
    const harness = new TransactionHarness()
    harness.log.commitsAtOnce = false
    const answer = harness.begin(initProducerId, 5, {
      transactionalId: TRANSACTIONAL_ID,
      transactionTimeoutMs: 1_000,
    })
    harness.settle()
    harness.coordinator.service.onLeadershipLost(0, 8)
    expect(answer.value?.errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    expect(harness.init().errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    harness.topics.delete('__transaction_state')
    expect(harness.init().errorCode).toBe(ErrorCode.NOT_COORDINATOR)
  })

  it('an ongoing transaction is taken over with its partitions', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    harness.add(producer, [1])
    const next = harness.failOver()
    expect(next.describe()).toMatchObject({
      transactionState: 'Ongoing',
      topics: [{ topic: 'orders', partitions: [1] }],
    })
    expect(next.end(producer, true)).toMatchObject({ errorCode: ErrorCode.NONE, producerEpoch: 1 })
  })
})

describe('time', () => {
  it('a transaction that runs longer than its timeout is aborted and its producer fenced', () => {
    const harness = new TransactionHarness()
    const producer = harness.init(5, { transactionTimeoutMs: 15_000 })
    harness.add(producer, [0])
    harness.sim.advance(15_000)
    expect(harness.state).toBe('Ongoing')
    harness.sim.advance(5_000)
    expect(harness.describe()).toMatchObject({ transactionState: 'CompleteAbort', producerEpoch: 1 })
    expect(harness.sent[0]?.request.markers[0]?.transactionResult).toBe(false)
    expect(harness.add(producer, [0])).toEqual([ErrorCode.PRODUCER_FENCED])
    // It did not ask for the abort, but its retry of an end would look like this one.
    expect(harness.end(producer, true).errorCode).toBe(ErrorCode.INVALID_TXN_STATE)
  })

  it('a transactional id that nobody uses is forgotten, not one with an open transaction', () => {
    const config = { 'transactional.id.expiration.ms': 7_200_000 }
    const idle = new TransactionHarness({ config })
    idle.init()
    idle.sim.advance(3 * 3_600_000)
    expect(idle.describe().errorCode).toBe(ErrorCode.TRANSACTIONAL_ID_NOT_FOUND)
    expect(idle.records().at(-1)?.value).toBeNull()
    const busy = new TransactionHarness({
      config: { ...config, 'transaction.max.timeout.ms': 2_000_000_000 },
    })
    busy.add(busy.init(5, { transactionTimeoutMs: 2_000_000_000 }), [0])
    busy.sim.advance(3 * 3_600_000)
    expect(busy.state).toBe('Ongoing')
  })

  it('no timer is left when the coordinator is closed', () => {
    const harness = new TransactionHarness()
    harness.init()
    harness.coordinator.close()
    expect(harness.sim.scheduler.pending()).toEqual([])
  })
})

describe('DescribeTransactions and ListTransactions', () => {
  it('describe refuses unknown and empty ids beside the id', () => {
    const harness = new TransactionHarness()
    expect(harness.describe('nobody')).toMatchObject({
      errorCode: ErrorCode.TRANSACTIONAL_ID_NOT_FOUND,
      transactionalId: 'nobody',
      transactionState: '',
    })
    expect(harness.describe('').errorCode).toBe(ErrorCode.INVALID_REQUEST)
  })

  it('list filters by state, producer, duration and pattern', () => {
    const harness = new TransactionHarness()
    const producer = harness.init()
    harness.init(5, { transactionalId: 'other' })
    harness.add(producer, [0])
    harness.sim.advance(1_000)
    const ids = (version: number, filters = {}) =>
      harness.list(version, filters).transactionStates.map(({ transactionalId }) => transactionalId)
    expect(ids(0)).toEqual([TRANSACTIONAL_ID, 'other'])
    expect(ids(0, { stateFilters: ['Ongoing'] })).toEqual([TRANSACTIONAL_ID])
    expect(ids(0, { stateFilters: ['ongoing'] })).toEqual([])
    expect(harness.list(0, { stateFilters: ['ongoing'] }).unknownStateFilters).toEqual(['ongoing'])
    expect(ids(0, { producerIdFilters: [producer.producerId] })).toEqual([TRANSACTIONAL_ID])
    expect(ids(1, { stateFilters: ['Ongoing'], durationFilter: 999 })).toEqual([TRANSACTIONAL_ID])
    expect(ids(1, { stateFilters: ['Ongoing'], durationFilter: 1_000 })).toEqual([])
    expect(ids(2, { transactionalIdPattern: 'oth.*' })).toEqual(['other'])
    expect(ids(2, { transactionalIdPattern: 'oth' })).toEqual([])
    expect(harness.list(2, { transactionalIdPattern: '[' }).errorCode).toBe(
      ErrorCode.INVALID_REGULAR_EXPRESSION,
    )
  })
})

function idOf({ producerId, producerEpoch }: { producerId: number; producerEpoch: number }): {
  producerId: number
  producerEpoch: number
} {
  return { producerId, producerEpoch }
}
