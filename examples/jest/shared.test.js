import { startCluster } from 'kafkito'
import { placeOrder } from './orders.js'

test('an order goes to the cluster of the run', async () => {
  const cluster = await startCluster()
  expect(cluster.isLocal).toBe(false)
  const scope = cluster.scope()
  const orders = await scope.topic('orders').create()
  await placeOrder(cluster.clientConfig('kafkajs'), orders.name, { id: 'o-3', amount: 3 })
  const [order] = await scope.waitFor.records('orders', 1)
  expect(order.key).toBe('o-3')
  await scope.end()
  await cluster.stop()
})
