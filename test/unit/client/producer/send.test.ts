import { afterEach, describe, expect, it } from 'vitest'
import {
  type ClientConfig,
  ClosedError,
  DeliveryError,
  KafkaException,
  Producer,
  type ProducerExtra,
} from '../../../../client/index.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { ScriptedCluster } from '../support/scripted-broker.ts'

let open: { cluster: ScriptedCluster; producer: Producer }[] = []

afterEach(async () => {
  for (const { cluster, producer } of open) await cluster.settle(producer.close({ timeoutMs: 0 }))
  open = []
})

async function world(conf: ProducerExtra = {}) {
  const cluster = new ScriptedCluster(11)
  await cluster.start(1)
  const base: ClientConfig = { 'bootstrap.servers': cluster.bootstrap, log_level: 0 }
  const producer = new Producer(base, conf, { runtime: cluster.sim.machine('client') })
  open.push({ cluster, producer })
  return { cluster, producer }
}

function values(log: { records: readonly { value: Buffer | null }[] } | undefined): string[] {
  return (log?.records ?? []).map(({ value }) => `${value}`)
}

describe('send', () => {
  it('resolves with the delivered message, and nobody needs to poll', async () => {
    const { cluster, producer } = await world()
    cluster.topic('t', [1])
    const report = await cluster.settle(producer.send('t', { value: 'v', key: 'k', opaque: 7 }))
    expect([report.topic(), report.partition(), report.offset(), report.opaque()]).toEqual(['t', 0, 0, 7])
    expect(report.persistence()).toBe(2)
    expect(producer.length).toBe(0)
  })

  it('through a stream needs a topic that is one', async () => {
    const { producer } = await world()
    expect(() => producer.writable({ topic: 5 as never })).toThrow(TypeError)
  })

  it('is refused after close, with nothing to send too', async () => {
    const { cluster, producer } = await world()
    await cluster.settle(producer.close())
    await expect(producer.send('t', { value: 'v' })).rejects.toThrow(ClosedError)
    await expect(producer.send({ topic: 't', messages: [] })).rejects.toThrow(ClosedError)
    await expect(producer.sendBatch({ topicMessages: [] })).rejects.toThrow(ClosedError)
    expect(() => producer.unref()).toThrow(ClosedError)
  })

  it('rejects with the report of a message that a broker refuses', async () => {
    const { cluster, producer } = await world()
    cluster.topic('t', [1])
    cluster.onRequest = ({ api, body }) => {
      if (api !== 'Produce') return undefined
      const { topicData } = body as { topicData: { name: string; topicId: string }[] }
      const partition = {
        index: 0,
        errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
        baseOffset: -1,
        logAppendTimeMs: -1,
        logStartOffset: -1,
        recordErrors: [],
        errorMessage: null,
      }
      const responses = topicData.map(({ name, topicId }) => ({
        name,
        topicId,
        partitionResponses: [partition],
      }))
      return { answer: { responses } }
    }
    const error = await cluster.settle(producer.send('t', { value: 'v' }).catch((thrown: unknown) => thrown))
    expect(error).toBeInstanceOf(DeliveryError)
    expect((error as DeliveryError).error.name()).toBe('TOPIC_AUTHORIZATION_FAILED')
    expect((error as DeliveryError).report.persistence()).toBe(0)
  })

  it('waits for room in the queue, in order, where produce would throw', async () => {
    const { cluster, producer } = await world({ 'queue.buffering.max.messages': 2, 'linger.ms': 0 })
    const [log] = cluster.topic('t', [1])
    const events: string[] = []
    producer.on('queue-full', () => events.push('full'))
    producer.on('queue-drain', () => events.push('drain'))
    const sends = Array.from({ length: 7 }, (_, index) => producer.send('t', { value: `${index}` }))
    expect(producer.length).toBe(7)
    await cluster.settle(Promise.all(sends))
    expect(values(log)).toEqual(['0', '1', '2', '3', '4', '5', '6'])
    expect([events[0], events.at(-1)]).toEqual(['full', 'drain'])
  })

  it('several messages resolve to one entry a partition, as kafkajs tells it', async () => {
    const { cluster, producer } = await world()
    cluster.topic('t', [1, 1])
    const request = { topic: 't', messages: [0, 1, 1].map((partition) => ({ value: 'v', partition })) }
    const entries = await cluster.settle(producer.send(request))
    expect(
      entries.map(({ topicName, partition, baseOffset, errorCode }) => [
        topicName,
        partition,
        baseOffset,
        errorCode,
      ]),
    ).toEqual([
      ['t', 0, '0', 0],
      ['t', 1, '0', 0],
    ])
    const again = await cluster.settle(producer.sendBatch({ topicMessages: [request] }))
    expect(again.map(({ baseOffset }) => baseOffset)).toEqual(['1', '2'])
  })

  it('a large array leaves with its call, and small ones of a turn leave together', async () => {
    const { cluster, producer } = await world({ 'linger.ms': 0 })
    const [log] = cluster.topic('t', [1])
    await cluster.settle(producer.send('t', { value: 'first' }))
    const arrayOf = (count: number) => ({
      topic: 't',
      messages: Array.from({ length: count }, () => ({ value: Buffer.alloc(1024) })),
    })
    const large = [producer.send(arrayOf(600)), producer.send(arrayOf(600))]
    const places = await cluster.settle(Promise.all(large))
    expect(places.map(([place]) => place?.baseOffset)).toEqual(['1', '601'])
    await cluster.settle(Promise.all([producer.send(arrayOf(20)), producer.send(arrayOf(20))]))
    expect(log?.batches.map(({ count }) => count)).toEqual([1, 600, 600, 40])
  })

  it('acks that are not those of the producer are refused', async () => {
    const { producer } = await world()
    await expect(producer.send({ topic: 't', messages: [], acks: 1 })).rejects.toThrow('acks is -1')
  })

  it('a fatal close rejects what still waits for room', async () => {
    const { cluster, producer } = await world({ 'queue.buffering.max.messages': 1 })
    const sends = Promise.allSettled([producer.send('t', { value: '0' }), producer.send('t', { value: '1' })])
    await cluster.settle(producer.close({ force: true }))
    const names = (await sends).map((one) =>
      one.status === 'rejected' && one.reason instanceof KafkaException
        ? one.reason.error.name()
        : one.status,
    )
    expect(names).toEqual(['_PURGE_QUEUE', '_PURGE_QUEUE'])
  })
})

describe('aborting a send', () => {
  it.each([
    ['waits for metadata', [] as number[]],
    ['waits in a batch', [1]],
  ])('takes back a message that %s and leaves the others', async (_case, leaders) => {
    const { cluster, producer } = await world({ 'linger.ms': 50 })
    let log = leaders.length === 0 ? undefined : cluster.topic('t', leaders)[0]
    if (log !== undefined) await cluster.settle(producer.send('t', { value: 'first' }))
    const controller = new AbortController()
    const sends = ['a', 'b', 'c'].map((value, index) =>
      producer.send('t', { value }, index === 1 ? { signal: controller.signal } : {}),
    )
    const outcomes = Promise.allSettled(sends)
    controller.abort(new Error('enough'))
    log ??= cluster.topic('t', [1])[0]
    const settled = await cluster.settle(outcomes)
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect((settled[1] as PromiseRejectedResult).reason).toEqual(new Error('enough'))
    expect(values(log).filter((value) => value !== 'first')).toEqual(['a', 'c'])
    expect(producer.length).toBe(0)
    const offsets = settled.map((one) => (one.status === 'fulfilled' ? one.value.offset() : null))
    expect(offsets).toEqual(leaders.length === 0 ? [0, null, 1] : [1, null, 2])
  })

  it('takes back one that waits for room', async () => {
    const { cluster, producer } = await world({ 'queue.buffering.max.messages': 1 })
    const [log] = cluster.topic('t', [1])
    const controller = new AbortController()
    const first = producer.send('t', { value: 'a' })
    const second = producer.send('t', { value: 'b' }, { signal: controller.signal })
    const third = producer.send('t', { value: 'c' })
    controller.abort()
    await expect(second).rejects.toThrow('aborted')
    await cluster.settle(Promise.all([first, third]))
    expect(values(log)).toEqual(['a', 'c'])
  })

  it('a signal that has aborted already produces nothing', async () => {
    const { cluster, producer } = await world()
    const [log] = cluster.topic('t', [1])
    await expect(producer.send('t', { value: 'a' }, { signal: AbortSignal.abort() })).rejects.toThrow(
      'aborted',
    )
    await cluster.settle(producer.flush())
    expect(values(log)).toEqual([])
  })
})

describe('autoPoll', () => {
  it('calls delivery callbacks without poll, and what they throw becomes an error event', async () => {
    const { cluster, producer } = await world({ autoPoll: true })
    cluster.topic('t', [1])
    const errors: string[] = []
    producer.on('error', (error) => errors.push(error.message))
    let served = 0
    for (let index = 0; index < 2; index++) {
      producer.produce('t', {
        value: 'v',
        onDelivery: () => {
          served++
          throw new Error(`callback ${index}`)
        },
      })
    }
    await cluster.advance(1000)
    expect([served, producer.length]).toEqual([2, 0])
    expect(errors).toEqual(['callback 0', 'callback 1'])
  })

  it('is off unless it is asked for', async () => {
    const { cluster, producer } = await world()
    cluster.topic('t', [1])
    let served = 0
    producer.produce('t', { value: 'v', onDelivery: () => served++ })
    await cluster.settle(producer.send('t', { value: 'w' }))
    expect([served, producer.length]).toEqual([0, 1])
    await cluster.settle(producer.poll(0))
    expect(served).toBe(1)
  })
})

describe('events of a producer', () => {
  it('delivery reports are told also of messages without a callback', async () => {
    const { cluster, producer } = await world()
    cluster.topic('t', [1])
    const told: (string | undefined)[] = []
    producer.on('delivery-report', (_error, message) => told.push(`${message.value()}`))
    producer.produce('t', { value: 'a' })
    producer.produce('t', { value: 'b', onDelivery: () => {} })
    await cluster.settle(producer.flush())
    expect(told.sort()).toEqual(['a', 'b'])
  })

  it('connections and requests are told, and a listener that throws harms nobody', async () => {
    const { cluster, producer } = await world()
    cluster.topic('t', [1])
    const seen: string[] = []
    producer.on('error', (error) => seen.push(error.message))
    producer.on('connect', ({ host }) => seen.push(host))
    producer.on('request', ({ apiName, error }) => {
      if (apiName === 'Produce') seen.push(`${apiName} ${error}`)
      if (apiName === 'Metadata') throw new Error('listener')
    })
    await cluster.settle(producer.send('t', { value: 'a' }))
    await cluster.settle(producer.flush())
    expect(new Set(seen)).toEqual(new Set(['broker-1', 'listener', 'Produce null']))
  })
})
