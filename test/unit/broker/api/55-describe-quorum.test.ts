import { describe, expect, it } from 'vitest'
import { describeQuorum } from '../../../../broker/api/55-describe-quorum.ts'
import { ZERO_UUID } from '../../../../common/protocol/schema.ts'
import { brokerHarness } from './broker-harness.ts'

function asking(topicName: string, ...indexes: number[]) {
  return { topicName, partitions: indexes.map((partitionIndex) => ({ partitionIndex })) }
}

const METADATA = asking('__cluster_metadata', 0)
const UNKNOWN = {
  errorCode: 3,
  errorMessage: 'This server does not host this topic-partition.',
  currentVoters: [],
}

describe('DescribeQuorum', () => {
  it('tells the leader, its epoch and how far the voters have come', () => {
    const harness = brokerHarness()
    const response = harness.call(describeQuorum, 2, { topics: [METADATA] })
    const nowMs = harness.broker.runtime.clock.wallMs()
    expect(response).toMatchObject({
      errorCode: 0,
      topics: [
        {
          topicName: '__cluster_metadata',
          partitions: [
            {
              partitionIndex: 0,
              errorCode: 0,
              leaderId: 1,
              leaderEpoch: 1,
              // The record of the leader change.
              highWatermark: 1,
              currentVoters: [
                {
                  replicaId: 1,
                  replicaDirectoryId: ZERO_UUID,
                  logEndOffset: 1,
                  lastFetchTimestamp: nowMs,
                  lastCaughtUpTimestamp: nowMs,
                },
              ],
              observers: [],
            },
          ],
        },
      ],
    })
  })

  it('leaves out in version 0 when the voters fetched', () => {
    const { topics } = brokerHarness().call(describeQuorum, 0, { topics: [METADATA] })
    expect(topics[0]?.partitions[0]?.currentVoters).toMatchObject([
      { replicaId: 1, lastFetchTimestamp: -1, lastCaughtUpTimestamp: -1 },
    ])
  })

  it.each([
    ['another topic', [asking('orders', 0)]],
    ['another partition', [asking('__cluster_metadata', 0, 3)]],
    ['another topic beside it', [METADATA, asking('orders', 0)]],
    ['it twice', [METADATA, METADATA]],
  ])('knows no partition of a request that asks for %s', (_what, topics) => {
    const response = brokerHarness().call(describeQuorum, 2, { topics })
    expect(response).toMatchObject({ errorCode: 0, nodes: [] })
    const partitions = response.topics.flatMap((topic) => topic.partitions)
    expect(partitions).toHaveLength(topics.flatMap((topic) => topic.partitions).length)
    for (const partition of partitions) expect(partition).toMatchObject(UNKNOWN)
  })

  it('answers nothing to a request for nothing', () => {
    const harness = brokerHarness()
    expect(harness.call(describeQuorum, 2, { topics: [] })).toMatchObject({
      errorCode: 0,
      topics: [],
      nodes: [],
    })
    expect(harness.call(describeQuorum, 2, { topics: [asking('__cluster_metadata')] })).toMatchObject({
      topics: [{ partitions: [] }],
      nodes: [],
    })
  })
})
