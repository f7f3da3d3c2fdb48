/** What tests put in the place of the client's own, while it talks to a running cluster: BOOTSTRAP=host:port, or a kafkito of its own. */
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { type ClientHooks, Producer, type RequestEvent, type RequestStart } from '../../client/index.ts'
import { createNodeRuntime } from '../../common/runtime/node/runtime.ts'
import { ConsumerWorld, nameOfError } from './consumer-support.ts'
import { RawCluster } from './support.ts'
import { Tunnel } from './tunnel.ts'

const world = ConsumerWorld.use()

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

function newProducer(hooks: ClientHooks, conf: Readonly<Record<string, string | number>> = {}): Producer {
  const base = { 'bootstrap.servers': world.bootstrap, log_level: 0, 'client.id': 'hooked' }
  const producer = new Producer(base, conf, hooks)
  open.push(producer)
  return producer
}

describe('a hook', () => {
  it('connect opens the stream of every connection, and closing the client destroys them', async () => {
    const topic = await world.topic()
    const streams: Duplex[] = []
    const connect: ClientHooks['connect'] = (address) => {
      const stream = new Tunnel(address)
      streams.push(stream)
      return stream
    }
    const producer = newProducer({ connect })
    const sent = await producer.send(topic, { value: Buffer.alloc(300_000, 'x'), partition: 0 })
    expect(sent.offset()).toBe(0)
    await producer.close()
    expect(streams.length).toBeGreaterThan(0)
    while (streams.some((stream) => !stream.destroyed)) await new Promise(setImmediate)
    const { records } = await new RawCluster(world.bootstrap).read(topic, 0)
    expect(records.map(({ value }) => value?.length)).toEqual([300_000])
  })

  it('connect that has no stream is a broker that cannot be reached', async () => {
    let attempts = 0
    const connect = (): never => {
      attempts++
      throw new Error('the cable is cut')
    }
    const errors: string[] = []
    const producer = newProducer({ connect })
    producer.on('error', (error) => errors.push(error.message))
    expect(await nameOfError(() => producer.listTopics(undefined, { timeoutMs: 300 }))).toMatch(
      /^_(TRANSPORT|TIMED_OUT)$/,
    )
    expect(attempts).toBeGreaterThan(0)
    expect(errors.join()).toContain('the cable is cut')
  })

  it('beforeRequest and afterRequest hear of every request, and what they throw is only told', async () => {
    const topic = await world.topic()
    const before: RequestStart[] = []
    const after: RequestEvent[] = []
    const errors: string[] = []
    const producer = newProducer({
      beforeRequest: (request) => {
        before.push(request)
        throw new Error(`before ${request.apiName}`)
      },
      afterRequest: (request) => void after.push(request),
    })
    producer.on('error', (error) => errors.push(error.message))
    await producer.send(topic, { value: 'x', partition: 0 })
    await producer.close()
    const names = before.map(({ apiName }) => apiName)
    expect(names).toEqual(expect.arrayContaining(['Metadata', 'Produce']))
    expect(after.map(({ apiName }) => apiName).sort()).toEqual([...names].sort())
    const produced = after.find(({ apiName }) => apiName === 'Produce')
    expect(produced).toMatchObject({ apiKey: 0, clientId: 'hooked', error: null })
    expect(`${produced?.host}:${produced?.port}`).toBe(
      await new RawCluster(world.bootstrap).leaderOf(topic, 0),
    )
    expect(errors).toContain('before Produce')
  })

  it('runtime brings its own resolver, and outlives the client', async () => {
    const [, host = '', port = ''] = /^([^,]+):(\d+)/.exec(world.bootstrap) ?? []
    const asked: string[] = []
    const runtime = createNodeRuntime({
      lookup: (name, done) => {
        asked.push(name)
        done(undefined, [name === 'cluster.invalid' || name === 'localhost' ? '127.0.0.1' : name])
      },
    })
    open.push(runtime)
    const producer = newProducer({ runtime }, { 'bootstrap.servers': `cluster.invalid:${port}` })
    const { brokers } = await producer.listTopics(undefined, 20)
    expect(brokers.size).toBeGreaterThan(0)
    expect([asked[0], host]).toEqual(['cluster.invalid', expect.any(String)])
    await producer.close()
    await new Promise<void>((fired) => void runtime.scheduler.schedule('still there', 1, fired))
  })
})
