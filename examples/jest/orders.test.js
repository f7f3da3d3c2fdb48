import { useKafka } from 'kafkito/jest'
import { placeOrder, startInvoicing } from './orders.js'

const kafka = useKafka()

test('an order becomes an invoice', async () => {
  const { cluster, scope } = kafka
  const config = cluster.clientConfig('kafkajs')
  const orders = await scope.topic('orders').create()
  const invoices = await scope.topic('invoices').create()
  const groupId = scope.group('invoicing')
  const stop = await startInvoicing(config, { groupId, orders: orders.name, invoices: invoices.name })
  await placeOrder(config, orders.name, { id: 'o-1', amount: 10 })
  const [invoice] = await scope.waitFor.records('invoices', 1)
  expect(JSON.parse(invoice.value)).toEqual({ id: 'o-1', total: 12 })
  await stop()
})

test('an order that the broker loses once is sent again', async () => {
  const { cluster, scope } = kafka
  const orders = await scope.topic('orders').create()
  scope.faults.on('Produce', { topic: orders.name }).once().disconnect()
  await placeOrder(cluster.clientConfig('kafkajs'), orders.name, { id: 'o-2', amount: 1 })
  expect(await orders.records()).toHaveLength(1)
})
