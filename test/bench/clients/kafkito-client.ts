/** kafkito's own client. */
import { BufferError, Consumer, Producer } from '../../../client/index.ts'
import {
  type BenchClient,
  type BenchProducer,
  CONSUMER_QUEUE_KIB,
  type ConsumeStyle,
  type Destination,
  FETCH_PARTITION_BYTES,
  FETCH_WAIT_MS,
  MESSAGES_PER_TURN,
  QUEUE_KIB,
  SLOW_QUEUE_KIB,
} from './client-under-test.ts'

async function producer({ bootstrap, topic }: Destination, lingerMs: number): Promise<BenchProducer> {
  const producer = new Producer({
    'bootstrap.servers': bootstrap,
    acks: 'all',
    'linger.ms': lingerMs,
    'queue.buffering.max.kbytes': QUEUE_KIB,
  })
  return {
    sendOne: (value) => producer.send(topic, { value }),
    sendMany: (values) => producer.send({ topic, messages: values.map((value) => ({ value })) }),
    stream: async (count, valueAt) => {
      let delivered = 0
      const onDelivery = (error: unknown): void => {
        if (error !== null) throw error
        delivered++
      }
      for (let index = 0; index < count; ) {
        try {
          producer.produce(topic, { value: valueAt(index), onDelivery })
          index++
          if (index % MESSAGES_PER_TURN === 0) await producer.poll(0)
        } catch (error) {
          if (!(error instanceof BufferError)) throw error
          await producer.poll(1000)
        }
      }
      await producer.flush()
      if (delivered !== count) throw new Error(`${delivered} of ${count} delivered`)
    },
    close: () => producer.close(),
  }
}

async function consume(
  { bootstrap, topic }: Destination,
  style: ConsumeStyle,
  take: (value: Buffer | null) => boolean,
): Promise<void> {
  const consumer = new Consumer({
    'bootstrap.servers': bootstrap,
    'group.id': `bench-${process.pid}`,
    'auto.offset.reset': 'earliest',
    'queued.max.messages.kbytes': CONSUMER_QUEUE_KIB,
    'fetch.message.max.bytes': FETCH_PARTITION_BYTES,
    'fetch.wait.max.ms': FETCH_WAIT_MS,
  })
  consumer.subscribe([topic])
  if (style === 'each') {
    for await (const message of consumer) if (!take(message.value())) break
  } else {
    reading: for await (const batch of consumer.batches({ maxMessages: 1000 })) {
      for (const message of batch) if (!take(message.value())) break reading
    }
  }
  await consumer.close()
}

async function consumeSlowly(
  { bootstrap, topic }: Destination,
  pauseMs: number,
  isOver: () => boolean,
): Promise<number> {
  const consumer = new Consumer({
    'bootstrap.servers': bootstrap,
    'group.id': `bench-slow-${process.pid}`,
    'auto.offset.reset': 'earliest',
    'queued.max.messages.kbytes': SLOW_QUEUE_KIB,
    'fetch.message.max.bytes': FETCH_PARTITION_BYTES,
  })
  consumer.subscribe([topic])
  let handled = 0
  for await (const _ of consumer) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    handled++
    if (isOver()) break
  }
  await consumer.close()
  return handled
}

export const client: BenchClient = { producer, consume, consumeSlowly }
