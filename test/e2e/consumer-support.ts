/**
 * What the consumer's end-to-end tests share: the cluster of BOOTSTRAP, or a kafkito of their own; topics filled by the
 * producer; consumers that are closed after each test.
 */
import { afterAll, afterEach, beforeAll } from 'vitest'
import { type Cluster, startCluster } from '../../broker/index.ts'
import {
  type ClientConfig,
  Consumer,
  KafkaException,
  type Message,
  Producer,
  type RebalanceCallbacks,
} from '../../client/index.ts'
import { DeleteRecords } from '../../common/protocol/apis/21-delete-records.ts'
import { CreatePartitions } from '../../common/protocol/apis/37-create-partitions.ts'
import { negotiatedClient } from '../support/raw-client.ts'
import { RawCluster, uniqueName } from './support.ts'

/** Rebalances of KIP-848 follow heartbeats, whose interval the broker sets. */
const quickGroups = {
  'group.consumer.min.heartbeat.interval.ms': 100,
  'group.consumer.heartbeat.interval.ms': 200,
}

export class ConsumerWorld {
  bootstrap = process.env.BOOTSTRAP ?? ''
  #own: Cluster | undefined
  #open: Consumer[] = []

  /** Registers the hooks of the file that calls it. */
  static use(config: Readonly<Record<string, string | number>> = {}): ConsumerWorld {
    const world = new ConsumerWorld()
    beforeAll(async () => {
      if (world.bootstrap !== '') return
      world.#own = await startCluster({ config: { ...quickGroups, ...config } })
      world.bootstrap = world.#own.bootstrapServers
    })
    afterEach(async () => {
      await Promise.all(world.#open.splice(0).map((consumer) => consumer.close({ timeoutMs: 5000 })))
    })
    afterAll(async () => {
      await world.#own?.stop()
    })
    return world
  }

  /** Reads from the beginning in a group of its own, unless told otherwise. */
  consumer(conf: ClientConfig = {}): Consumer {
    const base = {
      'bootstrap.servers': this.bootstrap,
      'group.id': uniqueName('group'),
      'auto.offset.reset': 'earliest',
      log_level: 0,
    }
    const consumer = new Consumer(base, conf)
    this.#open.push(consumer)
    return consumer
  }

  async topic(
    partitionCount = 1,
    configs: Readonly<Record<string, string>> = {},
    name = uniqueName('consumer'),
  ): Promise<string> {
    await new RawCluster(this.bootstrap).createTopic(name, partitionCount, configs)
    return name
  }

  /** Values `from` … `to - 1`, one batch a call, in one partition. */
  async produce(
    topic: string,
    from: number,
    to: number,
    conf: ClientConfig = {},
    partition = 0,
  ): Promise<void> {
    await using producer = new Producer({ 'bootstrap.servers': this.bootstrap, log_level: 0 }, conf)
    for (let index = from; index < to; index++) {
      producer.produce(topic, { value: `${index}`, timestamp: 1_700_000_000_000 + index * 10, partition })
    }
    await producer.flush(20)
  }

  async deleteRecordsBefore(topic: string, offset: number): Promise<void> {
    const client = await negotiatedClient(await new RawCluster(this.bootstrap).leaderOf(topic, 0))
    try {
      const partitions = [{ partitionIndex: 0, offset }]
      await client.call(DeleteRecords, { topics: [{ name: topic, partitions }], timeoutMs: 10_000 })
    } finally {
      client.close()
    }
  }

  async growTo(topic: string, count: number): Promise<void> {
    const client = await negotiatedClient(this.bootstrap)
    try {
      const topics = [{ name: topic, count, assignments: null }]
      await client.call(CreatePartitions, { topics, timeoutMs: 10_000, validateOnly: false })
    } finally {
      client.close()
    }
  }
}

/** Polls until it has so many messages without error, or nothing came for 30 s. */
export async function take(consumer: Consumer, count: number, events: Message[] = []): Promise<Message[]> {
  const messages: Message[] = []
  while (messages.length < count) {
    const message = await consumer.poll(30)
    if (message === null) break
    if (message.error() === null) messages.push(message)
    else events.push(message)
  }
  return messages
}

/** Polls them all in turn until the condition holds; false after so many rounds of 50 ms. */
export async function pollUntil(
  consumers: readonly Consumer[],
  condition: () => boolean,
  seen: (message: Message) => void = () => {},
  rounds = 300,
): Promise<boolean> {
  for (let round = 0; round < rounds; round++) {
    if (condition()) return true
    const polled = await Promise.all(consumers.map((consumer) => consumer.poll(0.05)))
    for (const message of polled) if (message !== null) seen(message)
  }
  return condition()
}

export function values(messages: readonly Message[]): string[] {
  return messages.map((message) => `${message.value()}`)
}

export function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `${from + index}`)
}

/** The name of the error's code, or of the exception's class. */
export async function nameOfError(call: () => unknown): Promise<string> {
  try {
    await call()
  } catch (error) {
    return error instanceof KafkaException ? error.error.name() : (error as Error).name
  }
  return 'none'
}

/** Callbacks that write down what they are told, by partition number. */
export function recorder(name: string, log: string[]): RebalanceCallbacks<Consumer> {
  const note =
    (what: string) =>
    (_consumer: Consumer, partitions: readonly { partition: number }[]): void => {
      log.push(`${name} ${what} ${partitions.map(({ partition }) => partition).join()}`.trim())
    }
  return { onAssign: note('assign'), onRevoke: note('revoke'), onLost: note('lost') }
}
