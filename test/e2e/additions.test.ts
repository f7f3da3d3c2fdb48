/** What the client adds for JavaScript users, against kafkito, or any cluster with BOOTSTRAP=host:port. */
import { spawn } from 'node:child_process'
import { tracingChannel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import {
  KafkaError,
  type Message,
  Producer,
  type ProducerExtra,
  type StreamMessage,
  TopicPartition,
  type TraceContext,
} from '../../client/index.ts'
import { until } from '../support/until.ts'
import { ConsumerWorld, numbers, take, values } from './consumer-support.ts'
import { RawCluster, uniqueName } from './support.ts'

const world = ConsumerWorld.use()

function newProducer(conf: ProducerExtra = {}): Producer {
  return new Producer({ 'bootstrap.servers': world.bootstrap, log_level: 0 }, conf)
}

/** Its end takes the time of leaving the group. */
async function closed(stream: Readable): Promise<void> {
  if (!stream.closed) await once(stream, 'close')
}

/** The next `count` of an iteration; leaves it open. */
async function next<T>(iterator: AsyncIterator<T>, count: number): Promise<T[]> {
  const found: T[] = []
  while (found.length < count) {
    const { value, done } = await iterator.next()
    if (done === true) break
    found.push(value)
  }
  return found
}

describe('a promise per message', () => {
  it('every report has the offset of its message', async () => {
    const topic = await world.topic()
    await using producer = newProducer()
    const reports = await Promise.all(numbers(0, 50).map((value) => producer.send(topic, { value })))
    expect(
      reports.map((report) => report.offset()).sort((one, other) => Number(one) - Number(other)),
    ).toEqual(numbers(0, 50).map(Number))
  })

  it('a queue of ten carries a thousand messages in order', async () => {
    const topic = await world.topic()
    await using producer = newProducer({ 'queue.buffering.max.messages': 10, 'linger.ms': 0 })
    await Promise.all(numbers(0, 1000).map((value) => producer.send(topic, { value })))
    const { records } = await new RawCluster(world.bootstrap).read(topic, 0)
    expect(records.map(({ value }) => `${value}`)).toEqual(numbers(0, 1000))
  })
})

describe('a transaction as an object', () => {
  it('is aborted when it is left without a commit, and committed otherwise', async () => {
    const topic = await world.topic()
    await using producer = newProducer({ 'transactional.id': uniqueName('txn') })
    {
      await using transaction = await producer.transaction()
      await transaction.send(topic, { value: 'aborted' })
      expect(transaction.isActive()).toBe(true)
    }
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value: 'one' }, { value: 'two' }] })
    await transaction.commit()
    expect(transaction.isActive()).toBe(false)
    expect(await new RawCluster(world.bootstrap).readCommitted(topic, 0)).toEqual(['one', 'two'])
  })
})

describe('iteration', () => {
  it('break leaves the consumer open, and the next loop goes on where it stopped', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 20)
    const consumer = world.consumer()
    consumer.subscribe([topic])
    const seen: string[] = []
    for await (const message of consumer) {
      seen.push(`${message.value()}`)
      if (seen.length === 7) break
    }
    for await (const message of consumer) {
      seen.push(`${message.value()}`)
      if (seen.length === 20) break
    }
    expect(seen).toEqual(numbers(0, 20))
    expect(consumer.position([new TopicPartition(topic, 0)])[0]?.offset).toBe(20)
  })

  it('the signal ends it with its reason, and closeOnEnd closes', async () => {
    const topic = await world.topic()
    const consumer = world.consumer()
    consumer.subscribe([topic])
    const controller = new AbortController()
    consumer.on('rebalance', () => controller.abort(new Error('enough')))
    const loop = async (): Promise<void> => {
      for await (const _message of consumer.messages({ signal: controller.signal, closeOnEnd: true })) void 0
    }
    await expect(loop()).rejects.toThrow('enough')
    expect(() => consumer.assignment()).toThrow('Consumer closed')
  })

  it('batches are of one partition each, and lose nothing', async () => {
    const topic = await world.topic(3)
    for (const partition of [0, 1, 2]) await world.produce(topic, 0, 100, {}, partition)
    const consumer = world.consumer()
    consumer.subscribe([topic])
    const byPartition = new Map<number, string[]>()
    let count = 0
    for await (const batch of consumer.batches({ maxMessages: 30 })) {
      expect(batch.length).toBeLessThanOrEqual(30)
      const partitions = new Set(batch.map((message) => message.partition()))
      expect(partitions.size).toBe(1)
      const [partition] = [...partitions] as [number]
      byPartition.set(partition, [...(byPartition.get(partition) ?? []), ...values(batch)])
      count += batch.length
      if (count === 300) break
    }
    for (const partition of [0, 1, 2]) expect(byPartition.get(partition)).toEqual(numbers(0, 100))
  })

  it('a message reaches the call that waits for it before more is asked for', async () => {
    const topic = await world.topic()
    const clientId = uniqueName('waiting')
    const consumer = world.consumer({ 'client.id': clientId })
    consumer.subscribe([topic])
    await world.produce(topic, 0, 1)
    await take(consumer, 1)
    const seen: string[] = []
    const note =
      (what: string) =>
      (context: unknown): void => {
        if ((context as TraceContext).clientId === clientId) seen.push(what)
      }
    const [start, asyncEnd] = [note('Fetch'), note('answer')]
    const channel = tracingChannel('kafka:fetch')
    const handlers = { start, end() {}, asyncStart() {}, asyncEnd, error() {} }
    channel.subscribe(handlers)
    const waiting = consumer.poll().then(() => seen.push('message'))
    await until(() => seen.length > 1, 'an answer without a message and the next request')
    await world.produce(topic, 1, 2)
    await waiting
    channel.unsubscribe(handlers)
    expect(seen[seen.indexOf('message') - 1]).toBe('answer')
  })

  it('events tell rebalances, ends of partitions and commits in order', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 3)
    const consumer = world.consumer({ 'enable.partition.eof': true, 'enable.auto.commit': false })
    const events = consumer.events()
    const first = events.next()
    consumer.subscribe([topic])
    for await (const message of consumer.messages({ partitionEof: true })) {
      if (message.error()?.code() === KafkaError._PARTITION_EOF) break
    }
    await consumer.commit({ asynchronous: false })
    const found = [(await first).value, ...(await next(events, 2))]
    const names = found.map((entry) => (entry as { name: string }).name).filter((name) => name !== 'lag')
    expect(names.slice(0, 2)).toEqual(['rebalance', 'partition-eof'])
    const closed = consumer.close()
    for await (const event of events) if (event.name === 'offset-commit') expect(event.event.error).toBeNull()
    await closed
  })
})

describe('streams', () => {
  it('a stream that nobody reads holds no more than its high-water mark', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 500)
    const consumer = world.consumer()
    const stream = consumer.stream({ topics: [topic], highWaterMark: 5 })
    await once(stream, 'readable')
    await new Promise<void>((resolve) => setImmediate(resolve))
    expect(stream.readableLength).toBeLessThanOrEqual(5)
    const seen: string[] = []
    for await (const message of stream) {
      seen.push(`${message.value()}`)
      if (seen.length === 500) break
    }
    expect(seen).toEqual(numbers(0, 500))
    await closed(stream)
    expect(consumer.assignment()).toEqual([])
  })

  it('latest starts at the end, and a later stream of the group goes on at what was committed', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 10)
    const consumer = world.consumer({ 'enable.auto.commit': false })
    const stream = consumer.stream({ topics: [topic], mode: 'latest' })
    const arrived = once(stream, 'data') as Promise<[StreamMessage]>
    await once(consumer, 'rebalance')
    while (consumer.position([new TopicPartition(topic, 0)])[0]?.error !== null) await consumer.poll(0.01)
    const producing = (async () => {
      for (let value = 10; ; value++) {
        await world.produce(topic, value, value + 1)
        if ((await Promise.race([arrived, Promise.resolve(null)])) !== null) return
      }
    })()
    const [message] = await arrived
    await producing
    expect(Number(`${message.value()}`)).toBeGreaterThanOrEqual(10)
    await message.commit()
    stream.destroy()
    await closed(stream)
    const again = consumer.stream({ topics: [topic], mode: 'committed', fallbackMode: 'fail' })
    const late = world.produce(topic, 1000, 1001)
    const [following] = (await once(again, 'data')) as [StreamMessage]
    await late
    expect(following.offset()).toBe((message.offset() ?? 0) + 1)
    again.destroy()
    await closed(again)
  })

  it('autocommit leaves out the message that is in work', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 10)
    const consumer = world.consumer()
    const stream = consumer.stream({ topics: [topic], autocommit: 60_000 })
    for await (const message of stream) if (`${message.value()}` === '6') break
    await closed(stream)
    const committed = await consumer.committed([new TopicPartition(topic, 0)], 10)
    expect(committed[0]?.offset).toBe(6)
  })

  it('a pipeline commits what was delivered', async () => {
    const [from, to] = [await world.topic(), await world.topic()]
    await world.produce(from, 0, 200)
    const consumer = world.consumer({ 'enable.auto.commit': false })
    await using producer = newProducer()
    const stream = consumer.stream({ topics: [from], autocommit: false })
    const bracket = new Transform({
      objectMode: true,
      transform: (message: StreamMessage, _encoding, done) =>
        done(null, { value: `<${message.value()}>`, source: message }),
    })
    const writable = producer.writable({ topic: to, report: 'batch', batchSize: 50 })
    const sizes: number[] = []
    writable.on('delivery-report', (reports: Message[]) => sizes.push(reports.length))
    const controller = new AbortController()
    consumer.on('offset-commit', ({ partitions }) => {
      if (partitions[0]?.offset === 200) controller.abort(new Error('all are committed'))
    })
    await expect(pipeline(stream, bracket, writable, { signal: controller.signal })).rejects.toThrow()
    const { records } = await new RawCluster(world.bootstrap).read(to, 0)
    expect(records.map(({ value }) => `${value}`)).toEqual(numbers(0, 200).map((value) => `<${value}>`))
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(200)
    expect((await consumer.committed([new TopicPartition(from, 0)], 10))[0]?.offset).toBe(200)
  })

  it('works as a web stream', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 3)
    const stream = world.consumer().stream({ topics: [topic] })
    const reader = (Readable.toWeb(stream) as ReadableStream<StreamMessage>).getReader()
    const seen: string[] = []
    while (seen.length < 3) seen.push(`${(await reader.read()).value?.value()}`)
    expect(seen).toEqual(numbers(0, 3))
    // Node destroys the stream with an error of its own.
    await reader.cancel().catch(() => {})
    await closed(stream)
  })
})

describe('aborting', () => {
  /** Rejects with the reason, before anything else would have ended the wait. */
  async function aborted(call: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const controller = new AbortController()
    const outcome = call(controller.signal)
    // After everything that needs no answer, and before one can have come.
    process.nextTick(() => controller.abort(new Error('the reason')))
    await expect(outcome).rejects.toThrow('the reason')
    await expect(call(controller.signal)).rejects.toThrow('the reason')
  }

  it('a waiting call of the consumer ends, and no message is lost', async () => {
    const topic = await world.topic()
    const consumer = world.consumer({ 'enable.auto.commit': false })
    consumer.subscribe([topic])
    const place = new TopicPartition(topic, 0)
    const missing = new TopicPartition(uniqueName('missing'), 0, 0)
    const calls: ((signal: AbortSignal) => Promise<unknown>)[] = [
      (signal) => consumer.poll({ signal }),
      (signal) => consumer.consume({ numMessages: 5, signal }),
      (signal) => consumer.batches({ signal }).next(),
      (signal) => consumer.messages({ signal }).next(),
      (signal) => consumer.events({ signal }).next(),
      (signal) => consumer.committed([place], { signal }),
      (signal) => consumer.offsetsForTimes([missing], { signal }),
      (signal) => consumer.getWatermarkOffsets(missing, { signal }),
      (signal) => consumer.listTopics(null, { signal }),
    ]
    for (const call of calls) await aborted(call)
    await world.produce(topic, 0, 100)
    const seen: string[] = []
    while (seen.length < 100) {
      const controller = new AbortController()
      const polled = consumer.consume({ numMessages: 7, signal: controller.signal })
      if (seen.length % 2 === 0) setImmediate(() => controller.abort())
      seen.push(...values(await polled.catch(() => [])))
      const message = await consumer.poll(1)
      if (message !== null) seen.push(`${message.value()}`)
    }
    expect(seen).toEqual(numbers(0, 100))
    const at = consumer.position([place])
    await aborted(
      (signal) => consumer.commit({ offsets: at, asynchronous: false, signal }) as Promise<unknown>,
    )
    expect((await consumer.commit({ offsets: at, asynchronous: false }))[0]?.error).toBeNull()
  })

  it('a waiting call of the producer ends, and the producer goes on', async () => {
    const topic = await world.topic()
    await using producer = newProducer({ 'transactional.id': uniqueName('txn'), 'linger.ms': 10_000 })
    await aborted((signal) => producer.poll({ signal }))
    await aborted((signal) => producer.initTransactions({ signal }))
    await producer.initTransactions(30)
    producer.beginTransaction()
    await aborted((signal) => producer.send(topic, { value: 'withdrawn' }, { signal }))
    await aborted((signal) => producer.listTopics(null, { signal }))
    const kept = producer.send(topic, { value: 'kept' })
    const controller = new AbortController()
    const flushed = producer.flush({ signal: controller.signal })
    controller.abort(new Error('the reason'))
    await expect(flushed).rejects.toThrow('the reason')
    await producer.commitTransaction(30)
    await kept
    expect(await new RawCluster(world.bootstrap).readCommitted(topic, 0)).toEqual(['kept'])
  })
})

/** What a process of its own prints, and its exit code. */
async function outcomeOf(program: string): Promise<[string, number | null]> {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  const [code] = await once(child, 'exit')
  return [output, code]
}

describe('the process', () => {
  it('ends by itself after the last close', async () => {
    const topic = await world.topic()
    const program = `
      import { Consumer, Producer } from './client/index.ts'
      const base = { 'bootstrap.servers': ${JSON.stringify(world.bootstrap)}, log_level: 0 }
      const producer = new Producer(base, { autoPoll: true })
      await producer.send(${JSON.stringify(topic)}, { value: 'v' })
      const consumer = new Consumer({ ...base, 'group.id': ${JSON.stringify(uniqueName('g'))}, 'auto.offset.reset': 'earliest' })
      consumer.subscribe([${JSON.stringify(topic)}])
      for await (const message of consumer) { console.log(String(message.value())); break }
      await consumer.close()
      await producer.close()
      console.log('closed')
    `
    expect(await outcomeOf(program)).toEqual(['v\nclosed\n', 0])
  })

  it('ends by itself after a program of kafkajs has found no broker', async () => {
    const program = `
      import { createServer } from 'node:net'
      import { Kafka, logLevel } from './client/kafkajs/index.ts'
      const server = createServer()
      const port = await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))
      await new Promise((resolve) => server.close(resolve))
      const kafka = new Kafka({ brokers: ['127.0.0.1:' + port], logLevel: logLevel.NOTHING, retry: { retries: 0 } })
      const handles = [kafka.producer(), kafka.consumer({ groupId: 'g' }), kafka.admin()]
      const ends = await Promise.allSettled(handles.map((handle) => handle.connect()))
      for (const { reason } of ends) console.log(reason.name, reason.message.includes('ECONNREFUSED'))
      await handles[0].disconnect()
    `
    const told = 'KafkaJSNumberOfRetriesExceeded true\n'
    expect(await outcomeOf(program)).toEqual([told.repeat(3), 0])
  })

  it('is not kept alive by clients that nobody uses', async () => {
    const program = `
      import { AdminClient, Consumer, Producer, ShareConsumer } from './client/index.ts'
      const base = { 'bootstrap.servers': ${JSON.stringify(world.bootstrap)}, log_level: 0 }
      const group = { ...base, 'group.id': 'unused' }
      globalThis.kept = [new Producer(base), new Consumer(group), new ShareConsumer(group), new AdminClient(base)]
      console.log(kept.length)
    `
    expect(await outcomeOf(program)).toEqual(['4\n', 0])
  })

  it('is not kept alive by a producer that it let go of, until it takes it back', async () => {
    const topic = await world.topic()
    const program = (calls: string): string => `
      import { Producer } from './client/index.ts'
      const producer = new Producer({ 'bootstrap.servers': ${JSON.stringify(world.bootstrap)}, log_level: 0 })
      const busy = setInterval(() => {}, 1000)
      ${calls}
      clearInterval(busy)
      console.log('idle')
      setTimeout(() => { console.log('kept'); process.exit() }, 500).unref()
    `
    const send = `await producer.send(${JSON.stringify(topic)}, { value: 'v' })`
    expect(await outcomeOf(program(`${send}; producer.unref()`))).toEqual(['idle\n', 0])
    expect(await outcomeOf(program(`producer.unref(); ${send}; producer.ref()`))).toEqual(['idle\nkept\n', 0])
  })

  it('keeps nothing of a thousand producers that were created and closed', async () => {
    const topic = await world.topic()
    const handles = (): number =>
      process.getActiveResourcesInfo().filter((name) => name !== 'Immediate').length
    const listeners = (): number =>
      process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0)
    await newProducer().close()
    const before = [handles(), listeners()]
    for (let round = 0; round < 50; round++) {
      const producers = Array.from({ length: 20 }, () => newProducer({ 'statistics.interval.ms': 1000 }))
      await producers[0]?.send(topic, { value: 'v' })
      await Promise.all(producers.map((producer) => producer.close()))
    }
    // Sockets end on both sides of the connection, each in its own time.
    await until(() => handles() <= (before[0] ?? 0), 'the handles to go')
    expect(listeners()).toBe(before[1])
  })
})
