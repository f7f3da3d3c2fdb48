import { test } from 'kafkito/vitest'
import { expect } from 'vitest'
import { placeOrder, startInvoicing } from './orders.js'

test('an order becomes an invoice', async ({ cluster, kafka }) => {
  const config = cluster.clientConfig('kafkajs')
  const orders = await kafka.topic('orders').create()
  const invoices = await kafka.topic('invoices').create()
  const groupId = kafka.group('invoicing')
  const stop = await startInvoicing(config, { groupId, orders: orders.name, invoices: invoices.name })
  await placeOrder(config, orders.name, { id: 'o-1', amount: 10 })
  const [invoice] = await kafka.waitFor.records('invoices', 1)
  expect(JSON.parse(invoice.value)).toEqual({ id: 'o-1', total: 12 })
  await kafka.waitFor.lag('invoicing', 0, { topic: 'orders' })
  await stop()
})

test('an order survives a leader that moves', async ({ cluster, kafka }) => {
  const orders = await kafka.topic('orders').create()
  const fault = kafka.faults.on('Produce', { topic: orders.name }).times(2).error('NOT_LEADER_OR_FOLLOWER')
  await placeOrder(cluster.clientConfig('kafkajs'), orders.name, { id: 'o-2', amount: 1 })
  expect(fault.hits).toBe(2)
  expect(await orders.records()).toHaveLength(1)
})
