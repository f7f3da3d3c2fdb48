import { describe, expect, it } from 'vitest'
import { describeLogDirs } from '../../../../broker/api/35-describe-log-dirs.ts'
import { batchOf } from '../../../storage/world.ts'
import { brokerHarness, DATA_DIRECTORY } from './broker-harness.ts'

function twoTopics() {
  const harness = brokerHarness()
  harness.createTopic('orders', [[1], [2], [2, 1]])
  harness.createTopic('carts', [[1]])
  return harness
}

describe('DescribeLogDirs', () => {
  it('lists every replica of this broker for null, and not the metadata log', () => {
    const { results } = twoTopics().call(describeLogDirs, 4, { topics: null })
    expect(results).toHaveLength(1)
    expect(results[0]).toMatchObject({ errorCode: 0, logDir: DATA_DIRECTORY, isCordoned: false })
    expect(results[0]?.totalBytes).toBeGreaterThan(0)
    expect(results[0]?.usableBytes).toBeGreaterThan(0)
    const listed = results[0]?.topics.map(({ name, partitions }) => [
      name,
      partitions.map(({ partitionIndex }) => partitionIndex),
    ])
    expect(listed).toEqual([
      ['orders', [0, 2]],
      ['carts', [0]],
    ])
  })

  it('lists only what was asked for and is here', () => {
    const harness = twoTopics()
    const topics = (asked: { topic: string; partitions: number[] }[]) =>
      harness.call(describeLogDirs, 5, { topics: asked }).results[0]?.topics
    expect(
      topics([
        { topic: 'orders', partitions: [1, 2, 7] },
        { topic: 'absent', partitions: [0] },
      ]),
    ).toMatchObject([{ name: 'orders', partitions: [{ partitionIndex: 2 }] }])
    expect(topics([{ topic: 'orders', partitions: [] }])).toEqual([])
    expect(topics([])).toEqual([])
  })

  it('counts the bytes of a replica', () => {
    const harness = twoTopics()
    const batch = batchOf(['tea'])
    harness.broker.replicas
      .partition('carts', 0)
      ?.log?.appendAsLeader(batch, { leaderEpoch: 0, origin: 'client' })
    const request = { topics: [{ topic: 'carts', partitions: [0] }] }
    expect(harness.call(describeLogDirs, 5, request).results[0]?.topics[0]?.partitions).toMatchObject([
      { partitionIndex: 0, partitionSize: batch.length, offsetLag: 0, isFutureKey: false },
    ])
  })

  it('leaves out before version 4 how much space there is', () => {
    expect(twoTopics().call(describeLogDirs, 1, { topics: null }).results[0]).toMatchObject({
      totalBytes: -1,
      usableBytes: -1,
    })
  })

  it.each([DATA_DIRECTORY, '*'])('says that a directory is cordoned (%s)', (cordoned) => {
    const harness = brokerHarness({ 'cordoned.log.dirs': cordoned })
    expect(harness.call(describeLogDirs, 5, { topics: null }).results[0]?.isCordoned).toBe(true)
    expect(harness.call(describeLogDirs, 4, { topics: null }).results[0]?.isCordoned).toBe(false)
  })

  it('answers a storage error and no topics for a directory that has failed', () => {
    const harness = twoTopics()
    harness.breakDisk()
    expect(harness.call(describeLogDirs, 5, { topics: null }).results).toMatchObject([
      { errorCode: 56, logDir: DATA_DIRECTORY, topics: [], totalBytes: -1, usableBytes: -1 },
    ])
  })
})
