// Knows nothing of where its cluster runs: startCluster attaches when KAFKITO_BOOTSTRAP is set.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startCluster } from 'kafkito'
import { placeOrder, startInvoicing } from './orders.js'

let cluster

before(async () => {
  cluster = await startCluster()
})

after(() => cluster.stop())

test('an order becomes an invoice', async () => {
  const kafka = cluster.scope('orders')
  const config = cluster.clientConfig('kafkajs')
  const orders = await kafka.topic('orders').create({ partitions: 1, replicas: 1 })
  const invoices = await kafka.topic('invoices').create({ partitions: 1, replicas: 1 })
  const groupId = kafka.group('invoicing')
  const stop = await startInvoicing(config, { groupId, orders: orders.name, invoices: invoices.name })
  await placeOrder(config, orders.name, { id: 'o-1', amount: 10 })
  const [invoice] = await kafka.waitFor.records('invoices', 1, { timeoutMs: 20_000 })
  assert.deepEqual(JSON.parse(invoice.value), { id: 'o-1', total: 12 })
  await stop()
  await kafka.end()
})

test('what needs a cluster in this process says so', () => {
  if (cluster.isLocal) return
  assert.throws(() => cluster.faults, /Fault injection needs a kafkito cluster in this process/)
})
