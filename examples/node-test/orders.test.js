import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { startCluster } from 'kafkito'
import { placeOrder, startInvoicing } from './orders.js'

let cluster
let seeded

before(async () => {
  cluster = await startCluster({ topics: ['orders', 'invoices'] })
  await cluster.topic('orders').produce({ key: 'o-0', value: { id: 'o-0', amount: 5 } })
  seeded = cluster.snapshot()
})

beforeEach(() => cluster.restore(seeded))

after(() => cluster.stop())

test('an order that was there before becomes an invoice', async () => {
  const config = cluster.clientConfig('kafkajs')
  const stop = await startInvoicing(config, { groupId: 'invoicing', orders: 'orders', invoices: 'invoices' })
  const [invoice] = await cluster.waitFor.records('invoices', 1)
  assert.deepEqual(JSON.parse(invoice.value), { id: 'o-0', total: 6 })
  await stop()
})

test('every test starts from the same records', async () => {
  await placeOrder(cluster.clientConfig('kafkajs'), 'orders', { id: 'o-1', amount: 1 })
  assert.deepEqual(
    (await cluster.topic('orders').records()).map(({ key }) => key),
    ['o-0', 'o-1'],
  )
  assert.deepEqual(await cluster.topic('invoices').records(), [])
})

test('a week passes in a moment', async () => {
  const quick = await startCluster({ clock: 'virtual' })
  try {
    const topic = await quick.topic('orders').create({ configs: { 'segment.ms': 1000 } })
    await topic.produce('old')
    await quick.clock.advance('1h')
    await topic.produce('newer')
    await quick.clock.advance('8d')
    assert.deepEqual(await topic.records(), [])
  } finally {
    await quick.stop()
  }
})
