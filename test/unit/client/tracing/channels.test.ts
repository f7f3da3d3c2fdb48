import { afterEach, describe, expect, it } from 'vitest'
import {
  BufferError,
  type ClientConfig,
  type ProduceContext,
  Producer,
  type TraceContext,
  tracingChannels,
} from '../../../../client/index.ts'
import { Trace } from '../../../../client/tracing/channels.ts'
import { ScriptedCluster } from '../support/scripted-broker.ts'

let open: { cluster: ScriptedCluster; producer: Producer }[] = []

afterEach(async () => {
  for (const { cluster, producer } of open) await cluster.settle(producer.close({ timeoutMs: 0 }))
  open = []
})

async function world(conf: ClientConfig = {}) {
  const cluster = new ScriptedCluster(3)
  await cluster.start(1)
  const base = { 'bootstrap.servers': cluster.bootstrap, log_level: 0, 'client.id': 'traced' }
  const producer = new Producer({ ...base, ...conf }, undefined, { runtime: cluster.sim.machine('client') })
  open.push({ cluster, producer })
  return { cluster, producer }
}

type ChannelName = keyof typeof tracingChannels

/** Everything that is published while `call` runs, as `channel phase operation`. */
async function published(
  names: readonly ChannelName[],
  call: () => Promise<unknown>,
): Promise<{ log: string[]; contexts: TraceContext[] }> {
  const log: string[] = []
  const contexts: TraceContext[] = []
  const subscriptions = names.map((name) => {
    const note = (phase: string) => (context: object) => {
      log.push(`${name} ${phase} ${(context as TraceContext).operation}`)
      if (phase === 'asyncEnd') contexts.push(context as TraceContext)
    }
    const handlers = {
      start: note('start'),
      end: note('end'),
      asyncStart: note('asyncStart'),
      asyncEnd: note('asyncEnd'),
      error: note('error'),
    }
    tracingChannels[name].subscribe(handlers)
    return () => tracingChannels[name].unsubscribe(handlers)
  })
  try {
    await call()
  } finally {
    for (const unsubscribe of subscriptions) unsubscribe()
  }
  return { log, contexts }
}

describe('tracing channels', () => {
  it('nothing is made while nobody subscribes', () => {
    const context = (): never => {
      throw new Error('a context was made')
    }
    for (const channel of Object.values(tracingChannels))
      expect(Trace.begin(channel as never, context)).toBeUndefined()
  })

  it('a produced message is traced from produce to its fate, with the attributes of OpenTelemetry', async () => {
    const { cluster, producer } = await world()
    cluster.topic('t', [1])
    const { log, contexts } = await published(['produce'], async () => {
      producer.produce('t', { key: 'k', value: 'value' })
      await cluster.settle(producer.flush())
    })
    expect(log).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'].map((phase) => `produce ${phase} produce`))
    expect(contexts[0]).toMatchObject({
      clientId: 'traced',
      topic: 't',
      result: { topic: 't', partition: 0, baseOffset: 0 },
      attributes: {
        'messaging.system': 'kafka',
        'messaging.operation.type': 'send',
        'messaging.destination.name': 't',
        'messaging.kafka.message.key': 'k',
        'messaging.message.body.size': 5,
      },
    })
  })

  it('a failed message publishes the error before the end', async () => {
    const { cluster, producer } = await world()
    const { log, contexts } = await published(['produce'], async () => {
      producer.produce('t', { value: 'v' })
      await cluster.idle()
      await producer.purge()
      await cluster.settle(producer.flush())
    })
    expect(log.slice(2)).toEqual(
      ['error', 'asyncStart', 'asyncEnd'].map((phase) => `produce ${phase} produce`),
    )
    expect(String(contexts[0]?.error)).toContain('Purged from the queue')
  })

  it('a message is traced once, however often it finds no room, and not at all where it is refused', async () => {
    const { cluster, producer } = await world({ 'queue.buffering.max.messages': 1 })
    cluster.topic('t', [1])
    const { log } = await published(['produce'], async () => {
      const sends = ['first', 'second', 'third'].map((value) => producer.send('t', { value }))
      expect(() => producer.produce('t', { value: 'refused' })).toThrow(BufferError)
      await cluster.settle(Promise.all(sends))
    })
    for (const phase of ['start', 'end', 'asyncStart', 'asyncEnd'])
      expect(log.filter((entry) => entry === `produce ${phase} produce`)).toHaveLength(3)
  })

  it('who listens to one moment of an operation is told of that moment alone', async () => {
    const { cluster, producer } = await world()
    cluster.topic('t', [1])
    const topics: string[] = []
    const listeners = { asyncEnd: ({ topic }: ProduceContext) => void topics.push(topic) }
    tracingChannels.produce.subscribe(listeners)
    await cluster.settle(producer.send('t', { value: 'v' }))
    tracingChannels.produce.unsubscribe(listeners)
    expect(topics).toEqual(['t'])
  })

  it('connections and requests are traced', async () => {
    const { cluster, producer } = await world()
    cluster.topic('t', [1])
    const { log } = await published(['connection', 'request'], () =>
      cluster.settle(producer.send('t', { value: 'v' })),
    )
    expect(log).toContain('connection asyncEnd connect')
    expect(log).toContain('request start Produce')
    expect(log).toContain('request asyncEnd Produce')
  })
})
