/** What handles tell of themselves, and the options of what the client adds, against kafkito, or any cluster with BOOTSTRAP=host:port. */
import { describe, expect, it } from 'vitest'
import {
  AdminClient,
  Message,
  Messages,
  Producer,
  type ProducerExtra,
  ShareConsumer,
  type TraceContext,
  tracingChannels,
} from '../../client/index.ts'
import { ConsumerWorld, take, values } from './consumer-support.ts'
import { RawCluster, uniqueName } from './support.ts'

const world = ConsumerWorld.use()

function newProducer(conf: ProducerExtra = {}): Producer {
  return new Producer({ 'bootstrap.servers': world.bootstrap, log_level: 0 }, conf)
}

/** Polls until the condition holds, or the test's time is over. */
async function pollUntilTrue(poll: () => Promise<unknown>, condition: () => boolean): Promise<void> {
  while (!condition()) await poll()
}

describe('a member of a group', () => {
  it('tells of joining, heartbeats, fetches, statistics, log lines and leaving', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 1)
    const consumer = world.consumer({
      'heartbeat.interval.ms': 100,
      'statistics.interval.ms': 100,
      log_level: 7,
      debug: 'cgrp,broker',
      'partition.assignment.strategy': 'range',
    })
    const told = new Set<string>()
    consumer.on('group-join', ({ groupId, protocolName }) =>
      told.add(groupId === '' ? '' : `join ${protocolName}`),
    )
    consumer.on('heartbeat', ({ generationId }) => told.add(`heartbeat ${generationId > 0}`))
    consumer.on('fetch', ({ partitionCount }) => told.add(`fetch ${partitionCount > 0}`))
    consumer.on('stats', (json) => told.add(`stats ${(JSON.parse(json) as { type: string }).type}`))
    consumer.on('log', ({ level }) => told.add(`log ${level <= 7}`))
    consumer.on('group-leave', ({ memberId }) => told.add(`leave ${memberId !== ''}`))
    consumer.subscribe([topic])
    expect(values(await take(consumer, 1))).toEqual(['0'])
    const wanted = ['join range', 'heartbeat true', 'fetch true', 'stats consumer', 'log true']
    await pollUntilTrue(
      () => consumer.poll(0.1),
      () => wanted.every((text) => told.has(text)),
    )
    const metrics = consumer.metrics()
    expect(metrics.length).toBeGreaterThan(5)
    await consumer.close()
    // Events come in a task of their own.
    await pollUntilTrue(
      () => new Promise((resolve) => setImmediate(resolve)),
      () => told.has('leave true'),
    )
  })

  it('is traced: fetches, group requests, commits, and what the application does', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 2)
    const seen = new Set<string>()
    const names = [
      ...(['produce', 'fetch', 'group', 'commit', 'process', 'admin', 'connection', 'request'] as const),
    ]
    const subscriptions = names.map((name) => {
      const handlers = {
        asyncEnd: (context: object) => void seen.add(`${name} ${(context as TraceContext).operation}`),
      }
      tracingChannels[name].subscribe(handlers as never)
      return () => tracingChannels[name].unsubscribe(handlers as never)
    })
    try {
      await world.produce(topic, 2, 3)
      const consumer = world.consumer()
      consumer.subscribe([topic])
      for await (const message of consumer) if (`${message.value()}` === '1') break
      await consumer.commit({ asynchronous: false })
      await consumer.close()
      await using admin = new AdminClient({ 'bootstrap.servers': world.bootstrap })
      await admin.describeCluster()
    } finally {
      for (const unsubscribe of subscriptions) unsubscribe()
    }
    for (const name of names)
      expect([name, [...seen].some((text) => text.startsWith(`${name} `))]).toEqual([name, true])
  })
})

describe('what a producer adds', () => {
  it('an aborted transaction leaves nothing, and entries of sent messages have every field', async () => {
    const topic = await world.topic(1, { 'message.timestamp.type': 'LogAppendTime' })
    await using producer = newProducer({ 'transactional.id': uniqueName('id') })
    const aborted = await producer.transaction(30)
    await aborted.send(topic, { value: 'aborted', partition: 0 })
    await aborted.abort()
    expect(aborted.isActive()).toBe(false)
    const kept = await producer.transaction()
    const [entry] = await kept.sendBatch({
      topicMessages: [{ topic, messages: [{ value: 'kept', partition: 0 }] }],
    })
    await kept.commit()
    const { topicName, partition, errorCode, baseOffset, logAppendTime, logStartOffset } = entry ?? {}
    expect([topicName, partition, errorCode, baseOffset, logStartOffset]).toEqual([topic, 0, 0, '2', '0'])
    expect(Number(logAppendTime)).toBeGreaterThan(1_700_000_000_000)
    expect(await new RawCluster(world.bootstrap).readCommitted(topic, 0)).toEqual(['kept'])
  })

  it('a writable sends what it has when batchTimeMs is over, and batches() waits for maxWaitMs', async () => {
    const topic = await world.topic()
    await using producer = newProducer()
    const writable = producer.writable({ topic, batchSize: 1000, batchTimeMs: 20, report: 'batch' })
    const delivered = new Promise<Message[]>((resolve) => writable.once('delivery-report', resolve))
    writable.write({ value: 'a' })
    writable.write({ value: 'b' })
    expect(values(await delivered)).toEqual(['a', 'b'])
    writable.end()
    const consumer = world.consumer()
    consumer.subscribe([topic])
    for await (const batch of consumer.batches({ maxMessages: 2, maxWaitMs: 10_000 })) {
      expect(values(batch)).toEqual(['a', 'b'])
      break
    }
  })
})

describe('every handle', () => {
  it('takes credentials for later, and is disposed of', async () => {
    await using producer = newProducer()
    await using consumer = world.consumer()
    await using shareConsumer = new ShareConsumer({
      'bootstrap.servers': world.bootstrap,
      'group.id': uniqueName('share'),
    })
    await using admin = new AdminClient({ 'bootstrap.servers': world.bootstrap })
    for (const handle of [producer, consumer, shareConsumer, admin]) {
      expect(() => handle.setSaslCredentials(null as never, 'password')).toThrow(TypeError)
      handle.setSaslCredentials('user', 'password')
    }
    producer.setSaslCredentials('user', 'other')
    consumer.setSaslCredentials('user', 'other')
    admin.setSaslCredentials('user', 'other')
    const topic = await world.topic()
    expect((await producer.listTopics(topic, 20)).topics.has(topic)).toBe(true)
    shareConsumer.subscribe([topic])
    shareConsumer.unsubscribe()
    expect(shareConsumer.subscription()).toEqual([])
    expect(
      [...new Messages(new Message({ topic }), new Message())].map((message) => message.topic()),
    ).toEqual([topic, null])
  })
})
