import { describe, expect, it } from 'vitest'
import { describeTopicPartitions } from '../../../../broker/api/75-describe-topic-partitions.ts'
import { brokerHarness } from './broker-harness.ts'

describe('DescribeTopicPartitions', () => {
  it('describes a partition without a reachable leader without an error', () => {
    const harness = brokerHarness()
    harness.createTopic('orders', [[7, 1]])
    const { topics } = harness.call(describeTopicPartitions, 0, { topics: [{ name: 'orders' }] })
    expect(topics[0]?.partitions).toMatchObject([
      { errorCode: 0, leaderId: -1, replicaNodes: [7, 1], offlineReplicas: [7, 1] },
    ])
  })
})
