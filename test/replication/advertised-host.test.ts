import { expect, it } from 'vitest'
import { startCluster } from '../../broker/index.ts'

it('replicas copy from a leader whose advertised name only clients can resolve', async () => {
  await using cluster = await startCluster({ brokers: 3, advertisedHost: 'kafka.invalid' })
  await cluster.topic('orders').create({ partitions: 3, replicas: 3 })
  for (const partition of [0, 1, 2]) await cluster.topic('orders').produce({ partition, value: 'first' })
  expect(await cluster.topic('orders').end()).toEqual([1, 1, 1])
})
