/** kafkajs: batches are the arrays that it is given. */
import { Kafka, logLevel, Partitioners } from 'kafkajs'
import {
  type BenchClient,
  type BenchProducer,
  type ConsumeStyle,
  type Destination,
  FETCH_PARTITION_BYTES,
  FETCH_WAIT_MS,
} from './client-under-test.ts'

const kafka = (bootstrap: string): Kafka => new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING })

async function producer({ bootstrap, topic }: Destination): Promise<BenchProducer> {
  const producer = kafka(bootstrap).producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  const send = (values: readonly Buffer[]): Promise<unknown> =>
    producer.send({ topic, acks: -1, messages: values.map((value) => ({ value })) })
  return {
    sendOne: (value) => send([value]),
    sendMany: send,
    close: () => producer.disconnect(),
  }
}

async function consume(
  { bootstrap, topic }: Destination,
  style: ConsumeStyle,
  take: (value: Buffer | null) => boolean,
): Promise<void> {
  const consumer = kafka(bootstrap).consumer({
    groupId: `bench-${process.pid}`,
    maxBytesPerPartition: FETCH_PARTITION_BYTES,
    maxWaitTimeInMs: FETCH_WAIT_MS,
  })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  let isOver = false
  await new Promise<void>((resolve, reject) => {
    const take1 = (value: Buffer | null): boolean => {
      if (isOver) return false
      isOver = !take(value)
      if (isOver) resolve()
      return !isOver
    }
    const handlers =
      style === 'each'
        ? {
            eachMessage: async ({ message }: { message: { value: Buffer | null } }) =>
              void take1(message.value),
          }
        : {
            eachBatch: async ({ batch }: { batch: { messages: readonly { value: Buffer | null }[] } }) => {
              for (const { value } of batch.messages) if (!take1(value)) return
            },
          }
    consumer.run(handlers).catch(reject)
  })
  await consumer.disconnect()
}

export const client: BenchClient = { producer, consume }
