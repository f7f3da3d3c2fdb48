/**
 * @platformatic/kafka: arrays, or a Writable that batches; consumption is a Readable. From the folder that PLATFORMATIC_CLIENT names:
 * it is no dependency of this project.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import {
  type BenchClient,
  type BenchProducer,
  type ConsumeStyle,
  type Destination,
  FETCH_PARTITION_BYTES,
  FETCH_WAIT_MS,
} from './client-under-test.ts'

// It asks for Node 22; this is all it lacks in Node 20.
const promises = Promise as unknown as { withResolvers?: () => object }
promises.withResolvers ??= () => {
  const parts: { promise?: Promise<unknown>; resolve?: unknown; reject?: unknown } = {}
  parts.promise = new Promise((resolve, reject) => {
    parts.resolve = resolve
    parts.reject = reject
  })
  return parts
}

interface PlatformaticMessage {
  readonly topic: string
  readonly value: Buffer
}

interface PlatformaticProducer {
  send(options: { acks: number; messages: PlatformaticMessage[] }): Promise<unknown>
  asStream(options: object): Writable & { close(): Promise<void> }
  close(force: boolean): Promise<unknown>
}

interface PlatformaticConsumer {
  consume(options: object): Promise<Readable & AsyncIterable<{ value?: Buffer | null }>>
  close(force: boolean): Promise<unknown>
}

interface Library {
  readonly Producer: new (options: object) => PlatformaticProducer
  readonly Consumer: new (options: object) => PlatformaticConsumer
  readonly MessagesStreamModes: { readonly EARLIEST: unknown }
}

// It exports nothing for `require`, so its entry is found by its package file.
const directory = join(process.env.PLATFORMATIC_CLIENT ?? '', 'node_modules/@platformatic/kafka')
const { exports } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { exports: string }
const { Producer, Consumer, MessagesStreamModes } = (await import(
  pathToFileURL(join(directory, exports)).href
)) as Library

/** Messages that its stream gathers before it sends. */
const BATCH_MESSAGES = 1000

async function producer({ bootstrap, topic }: Destination, lingerMs: number): Promise<BenchProducer> {
  const producer = new Producer({ clientId: 'bench', bootstrapBrokers: [bootstrap], timeout: 60_000 })
  const send = (values: readonly Buffer[]): Promise<unknown> =>
    producer.send({ acks: -1, messages: values.map((value) => ({ topic, value })) })
  return {
    sendOne: (value) => send([value]),
    sendMany: send,
    stream: async (count, valueAt) => {
      const stream = producer.asStream({
        acks: -1,
        batchSize: BATCH_MESSAGES,
        batchTime: lingerMs,
        highWaterMark: 2 * BATCH_MESSAGES,
      })
      const failed = new Promise<never>((_, reject) => stream.once('error', reject))
      for (let index = 0; index < count; index++) {
        if (!stream.write({ topic, value: valueAt(index) })) {
          await Promise.race([new Promise((resolve) => stream.once('drain', resolve)), failed])
        }
      }
      await Promise.race([stream.close(), failed])
    },
    close: () => producer.close(true),
  }
}

async function consume(
  { bootstrap, topic }: Destination,
  style: ConsumeStyle,
  take: (value: Buffer | null) => boolean,
): Promise<void> {
  const consumer = new Consumer({
    clientId: 'bench',
    bootstrapBrokers: [bootstrap],
    groupId: `bench-${process.pid}`,
    timeout: 60_000,
    maxWaitTime: FETCH_WAIT_MS,
    maxBytesPerPartition: FETCH_PARTITION_BYTES,
    isolationLevel: 0,
  })
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.EARLIEST,
    autocommit: 5000,
  })
  if (style === 'each') {
    for await (const { value } of stream) if (!take(value ?? null)) break
  } else {
    await new Promise<void>((resolve, reject) => {
      let isOver = false
      stream.on('error', reject)
      stream.on('data', ({ value }: { value?: Buffer | null }) => {
        if (isOver) return
        isOver = !take(value ?? null)
        if (isOver) resolve()
      })
    })
  }
  await consumer.close(true)
}

export const client: BenchClient = { producer, consume }
