import { describe, expect, it } from 'vitest'
import { describeProducers } from '../../../../broker/api/61-describe-producers.ts'
import { batchOf } from '../../../storage/world.ts'
import { brokerHarness } from './broker-harness.ts'

function ask(harness: ReturnType<typeof brokerHarness>, name: string, ...partitionIndexes: number[]) {
  return harness.call(describeProducers, 0, { topics: [{ name, partitionIndexes }] }).topics[0]?.partitions
}

describe('DescribeProducers', () => {
  it('tells what the log remembers of a producer', () => {
    const harness = brokerHarness()
    harness.createTopic('orders', [[1]])
    const timestamp = harness.broker.runtime.clock.wallMs()
    const producer = { producerId: 42, producerEpoch: 3, baseSequence: 7 }
    const batch = batchOf(['tea', 'milk'], { ...producer, timestamp })
    harness.broker.replicas
      .partition('orders', 0)
      ?.log?.appendAsLeader(batch, { leaderEpoch: 0, origin: 'client' })
    expect(ask(harness, 'orders', 0)).toMatchObject([
      {
        partitionIndex: 0,
        errorCode: 0,
        errorMessage: null,
        activeProducers: [
          {
            producerId: 42,
            producerEpoch: 3,
            lastSequence: 8,
            lastTimestamp: timestamp + 1,
            coordinatorEpoch: -1,
            currentTxnStartOffset: -1,
          },
        ],
      },
    ])
  })

  it('answers for a replica that follows', () => {
    const harness = brokerHarness()
    harness.createTopic('orders', [[2, 1]])
    expect(ask(harness, 'orders', 0)).toMatchObject([{ errorCode: 0, activeProducers: [] }])
  })

  it('tells partitions of other brokers from those that do not exist', () => {
    const harness = brokerHarness()
    harness.createTopic('orders', [[1], [2]])
    expect(ask(harness, 'orders', 1, 9)).toMatchObject([
      { partitionIndex: 1, errorCode: 6, errorMessage: null },
      { partitionIndex: 9, errorCode: 3, errorMessage: null },
    ])
    expect(ask(harness, 'absent', 0)).toMatchObject([
      { errorCode: 3, errorMessage: 'This server does not host this topic-partition.' },
    ])
    expect(ask(harness, '', 0)).toMatchObject([
      { errorCode: 17, errorMessage: 'Topic name is invalid: the empty string is not allowed' },
    ])
  })
})
