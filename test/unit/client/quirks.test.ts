/** Where the documented client errs or hides something, and this one does not. */
import { afterEach, describe, expect, it } from 'vitest'
import { Consumer, NewTopic, Producer, TopicPartition } from '../../../client/index.ts'
import { Delivered } from './support/delivered.ts'
import { ScriptedCluster } from './support/scripted-broker.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

async function world() {
  const cluster = new ScriptedCluster(3)
  await cluster.start(1)
  const [log] = cluster.topic('t', [1])
  const conf = { 'bootstrap.servers': cluster.bootstrap, log_level: 0 }
  const producer = new Producer(conf, {}, { runtime: cluster.sim.machine('producer') })
  cleanups.push(() => cluster.settle(producer.close({ timeoutMs: 0 })))
  return { cluster, conf, log, producer, delivered: new Delivered() }
}

describe('beside the documented client', () => {
  it('produceBatch takes headers and timestamps, and reports keep them', async () => {
    const { cluster, producer, log, delivered } = await world()
    const messages = [
      { value: 'a', headers: { h: '1' }, timestamp: 1234 },
      { value: 'b', headers: [['h', null]] as [string, null][] },
    ]
    expect(producer.produceBatch('t', messages, { onDelivery: delivered.callback })).toBe(2)
    await cluster.settle(producer.flush())
    expect(log?.records).toMatchObject([
      { timestamp: 1234, headers: [{ key: 'h', value: Buffer.from('1') }] },
      { headers: [{ key: 'h', value: null }] },
    ])
    expect(delivered.reports.map(({ message }) => message.headers())).toEqual([
      [['h', Buffer.from('1')]],
      [['h', null]],
    ])
    expect(delivered.reports[0]?.message.timestamp()[1]).toBe(1234)
  })

  it('a purge that blocks has dropped everything when it resolves, one that does not gives nothing back', async () => {
    const { cluster, producer, delivered } = await world()
    producer.produce('t', { value: 'a', onDelivery: delivered.callback })
    await cluster.settle(producer.purge({ blocking: true }))
    producer.produce('t', { value: 'b', onDelivery: delivered.callback })
    expect(producer.purge({ blocking: false })).toBeUndefined()
    await cluster.settle(producer.poll(0))
    expect(delivered.errors).toEqual(['_PURGE_QUEUE', '_PURGE_QUEUE'])
    expect(producer.len()).toBe(0)
  })

  it('position takes the timeout that it once had, and ignores it', async () => {
    const { cluster, conf } = await world()
    const consumer = new Consumer(
      { ...conf, 'group.id': 'g' },
      {},
      { runtime: cluster.sim.machine('consumer') },
    )
    cleanups.push(() => cluster.settle(consumer.close({ timeoutMs: 0 })))
    expect(consumer.position([new TopicPartition('t', 0)], 10)[0]?.offset).toBe(-1001)
  })

  it('a setting of a new topic without value is left out', () => {
    const topic = new NewTopic('t', 1, 1, {
      config: { 'retention.ms': 1000, 'cleanup.policy': null, 'segment.ms': undefined },
    } as unknown as ConstructorParameters<typeof NewTopic>[3])
    expect(topic.config).toEqual({ 'retention.ms': '1000' })
  })
})
