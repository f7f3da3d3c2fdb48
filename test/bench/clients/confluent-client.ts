/** @confluentinc/kafka-javascript over librdkafka, from the folder that CONFLUENT_CLIENT names: it is no dependency of this project. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import {
  type BenchClient,
  type BenchProducer,
  type ConsumeStyle,
  type Destination,
  FETCH_PARTITION_BYTES,
  FETCH_WAIT_MS,
  MESSAGES_PER_TURN,
  QUEUE_KIB,
} from './client-under-test.ts'

type Done = (error: Error | null) => void

interface NativeHandle {
  connect(options: object, done: Done): void
  disconnect(done: Done): void
  on(event: string, listener: (...args: never[]) => void): this
}

interface NativeProducer extends NativeHandle {
  setPollInterval(ms: number): void
  poll(): void
  produce(
    topic: string,
    partition: number | null,
    value: Buffer,
    key: null,
    time: null,
    opaque: unknown,
  ): void
  flush(timeoutMs: number, done: Done): void
}

interface NativeConsumer extends NativeHandle {
  subscribe(topics: readonly string[]): void
  setDefaultConsumeTimeout(ms: number): void
  consume(
    count: number,
    done: (error: Error | null, messages: readonly { value: Buffer | null }[]) => void,
  ): void
}

interface Library {
  readonly Producer: new (config: object) => NativeProducer
  readonly KafkaConsumer: new (config: object, topicConfig: object) => NativeConsumer
}

const QUEUE_FULL = -184
const BATCH_MESSAGES = 1000

const library = (): Library =>
  createRequire(join(process.env.CONFLUENT_CLIENT ?? '', 'package.json'))(
    '@confluentinc/kafka-javascript',
  ) as Library

const settled = (start: (done: Done) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    start((error) => (error === null || error === undefined ? resolve() : reject(error)))
  })

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function producer({ bootstrap, topic }: Destination, lingerMs: number): Promise<BenchProducer> {
  const { Producer } = library()
  const producer = new Producer({
    'bootstrap.servers': bootstrap,
    acks: 'all',
    'linger.ms': lingerMs,
    'queue.buffering.max.kbytes': QUEUE_KIB,
    dr_cb: true,
  })
  await settled((done) => producer.connect({}, done))
  producer.setPollInterval(1)
  producer.on('delivery-report', (error: Error | null, report: { opaque: Done }) => report.opaque(error))
  const produce = async (value: Buffer, done: Done): Promise<void> => {
    for (;;) {
      try {
        producer.produce(topic, null, value, null, null, done)
        return
      } catch (error) {
        if ((error as { code?: number }).code !== QUEUE_FULL) throw error
        producer.poll()
        await turn()
      }
    }
  }
  return {
    sendOne: (value) => settled((done) => producer.produce(topic, null, value, null, null, done)),
    sendMany: (values) => Promise.all(values.map((value) => settled((done) => void produce(value, done)))),
    stream: async (count, valueAt) => {
      let delivered = 0
      let failure: Error | undefined
      const done: Done = (error) => {
        if (error !== null && error !== undefined) failure = error
        delivered++
      }
      for (let index = 0; index < count; index++) {
        try {
          producer.produce(topic, null, valueAt(index), null, null, done)
        } catch (error) {
          if ((error as { code?: number }).code !== QUEUE_FULL) throw error
          index--
          producer.poll()
          await turn()
        }
        if (index % MESSAGES_PER_TURN === 0) {
          producer.poll()
          await turn()
        }
      }
      while (delivered < count) {
        producer.poll()
        await turn()
      }
      if (failure !== undefined) throw failure
    },
    close: () => settled((done) => producer.disconnect(done)),
  }
}

async function consume(
  { bootstrap, topic }: Destination,
  style: ConsumeStyle,
  take: (value: Buffer | null) => boolean,
): Promise<void> {
  const { KafkaConsumer } = library()
  const consumer = new KafkaConsumer(
    {
      'bootstrap.servers': bootstrap,
      'group.id': `bench-${process.pid}`,
      'fetch.message.max.bytes': FETCH_PARTITION_BYTES,
      'fetch.wait.max.ms': FETCH_WAIT_MS,
    },
    { 'auto.offset.reset': 'earliest' },
  )
  await settled((done) => consumer.connect({}, done))
  consumer.subscribe([topic])
  consumer.setDefaultConsumeTimeout(style === 'each' ? 100 : 20)
  await new Promise<void>((resolve, reject) => {
    const next = (): void =>
      consumer.consume(style === 'each' ? 1 : BATCH_MESSAGES, (error, messages) => {
        if (error !== null && error !== undefined) return reject(error)
        for (const { value } of messages) if (!take(value)) return resolve()
        next()
      })
    next()
  })
  await settled((done) => consumer.disconnect(done))
}

export const client: BenchClient = { producer, consume }
