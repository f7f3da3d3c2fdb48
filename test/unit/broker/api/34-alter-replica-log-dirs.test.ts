import { describe, expect, it } from 'vitest'
import { alterReplicaLogDirs } from '../../../../broker/api/34-alter-replica-log-dirs.ts'
import { brokerHarness, DATA_DIRECTORY } from './broker-harness.ts'

function errorsOf(
  harness: ReturnType<typeof brokerHarness>,
  path: string,
  partitions: number[],
  version = 2,
) {
  const request = { dirs: [{ path, topics: [{ name: 'orders', partitions }] }] }
  const [topic] = harness.call(alterReplicaLogDirs, version, request).results
  return topic?.partitions.map(({ errorCode }) => errorCode)
}

describe('AlterReplicaLogDirs', () => {
  it.each([1, 2])('accepts the directory a replica lies in already (version %i)', (version) => {
    const harness = brokerHarness()
    harness.createTopic('orders', [[1], [1]])
    expect(errorsOf(harness, DATA_DIRECTORY, [0, 1], version)).toEqual([0, 0])
  })

  it('knows a directory only by the very name it has in log.dirs', () => {
    const harness = brokerHarness()
    harness.createTopic('orders', [[1]])
    for (const path of ['/elsewhere', 'relative', `${DATA_DIRECTORY}/`]) {
      expect(errorsOf(harness, path, [0, 9])).toEqual([57, 57])
    }
  })

  it('tells replicas of other brokers from partitions that do not exist', () => {
    const harness = brokerHarness()
    harness.createTopic('orders', [[1], [2]])
    expect(errorsOf(harness, DATA_DIRECTORY, [0, 1, 2])).toEqual([0, 9, 3])
  })

  it('assigns nothing to a cordoned directory, not even what is unknown', () => {
    const harness = brokerHarness({ 'cordoned.log.dirs': DATA_DIRECTORY })
    harness.createTopic('orders', [[1]])
    expect(errorsOf(harness, DATA_DIRECTORY, [0, 9])).toEqual([39, 39])
  })

  it('answers a storage error for a directory that has failed', () => {
    const harness = brokerHarness()
    harness.createTopic('orders', [[1]])
    harness.breakDisk()
    expect(errorsOf(harness, DATA_DIRECTORY, [0])).toEqual([56])
  })

  it('takes the last directory of a partition that is named twice', () => {
    const harness = brokerHarness()
    harness.createTopic('orders', [[1]])
    const topics = [{ name: 'orders', partitions: [0] }]
    const dirs = [DATA_DIRECTORY, '/elsewhere'].map((path) => ({ path, topics }))
    expect(harness.call(alterReplicaLogDirs, 2, { dirs }).results).toMatchObject([
      { topicName: 'orders', partitions: [{ partitionIndex: 0, errorCode: 57 }] },
    ])
  })

  it('does not pretend to move a replica to another directory', () => {
    const harness = brokerHarness({ 'log.dirs': '/data,/more' })
    harness.createTopic('orders', [[1]])
    const at = harness.broker.replicas.partition('orders', 0)?.log?.path
    const other = at === '/data/orders-0' ? '/more' : '/data'
    expect(errorsOf(harness, other, [0])).toEqual([35])
  })
})
