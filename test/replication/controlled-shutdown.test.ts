import { expect, it } from 'vitest'
import { startCluster } from '../../broker/index.ts'

it.each([
  [true, 2],
  [false, 1],
])('controlled.shutdown.enable=%s: when a leader has stopped, broker %i leads', async (enabled, leaderId) => {
  await using cluster = await startCluster({
    brokers: 3,
    controllers: 1,
    clock: 'virtual',
    config: { 'controlled.shutdown.enable': enabled },
    topics: { orders: { assignments: [[1, 2, 3]] } },
  })
  await cluster.broker(1).stop()
  const image = cluster.engine.nodes.find(({ broker }) => broker?.controller !== undefined)?.broker
    ?.controller?.image
  expect(image?.topicsByName.get('orders')?.partitions[0]?.leaderId).toBe(leaderId)
})
