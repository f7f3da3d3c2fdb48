/** Followers that would wait a minute if they waited at all: nothing here may need their back-off or the end of a long poll. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster, type TestCluster } from '../../broker/index.ts'

let cluster: TestCluster

beforeAll(async () => {
  cluster = await startCluster({
    brokers: 3,
    config: {
      'replica.fetch.backoff.ms': 60_000,
      'replica.fetch.wait.max.ms': 25_000,
      'replica.lag.time.max.ms': 120_000,
    },
  })
})

afterAll(async () => {
  await cluster.stop()
})

describe('the first write to a new topic', () => {
  it('with acks=all does not wait for the back-off of a follower that heard of the topic before its leader', async () => {
    await cluster.topic('new').create({ partitions: 3, replicas: 3 })
    for (const partition of [0, 1, 2]) await cluster.topic('new').produce({ partition, value: 'first' })
    expect(await cluster.topic('new').end()).toEqual([1, 1, 1])
  })

  it('with acks=all does not wait for the long poll of a follower that fetches other topics already', async () => {
    for (const name of ['next', 'and-next', 'last']) {
      await cluster.topic(name).create({ partitions: 3, replicas: 3 })
      for (const partition of [0, 1, 2]) await cluster.topic(name).produce({ partition, value: 'first' })
      expect(await cluster.topic(name).end()).toEqual([1, 1, 1])
    }
  })
})
