/** The producer against a running cluster: BOOTSTRAP=host:port, or a kafkito of its own. */
import { describe, expect, it } from 'vitest'
import {
  type ClientConfig,
  type KafkaError,
  KafkaException,
  type Message,
  Producer,
} from '../../client/index.ts'
import { needs } from './broker-needs.ts'
import { ConsumerWorld } from './consumer-support.ts'
import { RawCluster, uniqueName } from './support.ts'

const world = ConsumerWorld.use()

async function withProducer(conf: ClientConfig, use: (producer: Producer) => Promise<void>): Promise<void> {
  await using producer = new Producer({ 'bootstrap.servers': world.bootstrap }, conf)
  await use(producer)
}

async function topic(partitionCount = 1, configs: Readonly<Record<string, string>> = {}): Promise<string> {
  const name = uniqueName('producer')
  await new RawCluster(world.bootstrap).createTopic(name, partitionCount, configs)
  return name
}

describe('a producer and a real cluster', () => {
  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'records compressed with %s arrive as they were sent',
    async (codec) => {
      const name = await topic()
      const reports: Message[] = []
      const count = 500
      await withProducer({ 'compression.type': codec }, async (producer) => {
        for (let index = 0; index < count; index++) {
          producer.produce(name, {
            key: `key ${index}`,
            value: `value ${index} ${'x'.repeat(100)}`,
            headers: [
              ['a', '1'],
              ['a', null],
            ],
            timestamp: 1_700_000_000_000 + index,
            onDelivery: (error, message) => {
              expect(error).toBeNull()
              reports.push(message)
            },
          })
        }
        expect(await producer.flush(20)).toBe(0)
      })
      expect(reports.map((message) => message.offset())).toEqual(
        Array.from({ length: count }, (_, index) => index),
      )
      const { records, batches } = await new RawCluster(world.bootstrap).read(name, 0)
      expect(batches[0]?.compressionType).toBe(['none', 'gzip', 'snappy', 'lz4', 'zstd'].indexOf(codec))
      expect(records).toHaveLength(count)
      expect(records[7]).toMatchObject({
        timestamp: 1_700_000_000_007,
        key: Buffer.from('key 7'),
        value: Buffer.from(`value 7 ${'x'.repeat(100)}`),
        headers: [
          { key: 'a', value: Buffer.from('1') },
          { key: 'a', value: null },
        ],
      })
    },
  )

  it('nulls and empty bytes stay apart', async () => {
    const name = await topic()
    await withProducer({}, async (producer) => {
      producer.produce(name)
      producer.produce(name, '', '')
      await producer.flush(20)
    })
    const { records } = await new RawCluster(world.bootstrap).read(name, 0)
    expect(records.map(({ key, value }) => [key?.length, value?.length])).toEqual([
      [undefined, undefined],
      [0, 0],
    ])
  })

  it.each([0, 1, -1])('acks=%i delivers', async (acks) => {
    const name = await topic()
    const offsets: (number | null)[] = []
    await withProducer({ acks }, async (producer) => {
      producer.produce(name, {
        value: 'x',
        onDelivery: (_error, message) => void offsets.push(message.offset()),
      })
      expect(await producer.flush(20)).toBe(0)
      // With acks=0 the bytes may still be on their way.
      await producer.listTopics(name)
    })
    expect(offsets).toEqual([acks === 0 ? null : 0])
    expect((await new RawCluster(world.bootstrap).read(name, 0)).records).toHaveLength(1)
  })

  it('an idempotent producer keeps order over many batches in flight', async () => {
    const name = await topic(3)
    const conf = { 'enable.idempotence': true, 'batch.num.messages': 20, 'linger.ms': 0 } as const
    await withProducer(conf, async (producer) => {
      for (let index = 0; index < 3000; index++)
        producer.produce(name, { value: `${index}`, partition: index % 3 })
      expect(await producer.flush(20)).toBe(0)
    })
    for (const partition of [0, 1, 2]) {
      const { records, batches } = await new RawCluster(world.bootstrap).read(name, partition)
      expect(records.map(({ value }) => Number(value))).toEqual(
        Array.from({ length: 1000 }, (_, index) => index * 3 + partition),
      )
      expect(batches.length).toBeGreaterThanOrEqual(50)
      expect(batches.every(({ producerId }) => producerId >= 0)).toBe(true)
    }
  })

  it('with log-append time the report shows the time of the broker', async () => {
    const name = await topic(1, { 'message.timestamp.type': 'LogAppendTime' })
    let timestamp: [number, number] | undefined
    await withProducer({}, async (producer) => {
      producer.produce(name, {
        timestamp: 1000,
        onDelivery: (_error, message) => {
          timestamp = message.timestamp()
        },
      })
      await producer.flush(20)
    })
    expect(timestamp?.[0]).toBe(2)
    expect(timestamp?.[1]).toBeGreaterThan(1_600_000_000_000)
  })

  it('a batch above the limit of the topic is split, a single record above it fails', async () => {
    const name = await topic(1, { 'max.message.bytes': '10000' })
    const errors: (string | null)[] = []
    const onDelivery = (error: KafkaError | null): void => void errors.push(error?.name() ?? null)
    await withProducer({ 'enable.idempotence': true }, async (producer) => {
      for (let index = 0; index < 20; index++)
        producer.produce(name, { value: Buffer.alloc(2000, index), onDelivery })
      producer.produce(name, { value: Buffer.alloc(20_000), onDelivery })
      expect(await producer.flush(20)).toBe(0)
    })
    expect(errors.filter((error) => error === null)).toHaveLength(20)
    expect(errors.filter((error) => error === 'MSG_SIZE_TOO_LARGE')).toHaveLength(1)
    const { records } = await new RawCluster(world.bootstrap).read(name, 0)
    expect(records.map(({ value }) => value?.[0])).toEqual(Array.from({ length: 20 }, (_, index) => index))
  })

  it(
    'a record without key in a compacted topic fails with INVALID_RECORD, its neighbours with _INVALID_DIFFERENT_RECORD',
    needs('Produce', 8),
    async () => {
      const name = await topic(1, { 'cleanup.policy': 'compact' })
      const errors: (string | null)[] = []
      const onDelivery = (error: KafkaError | null): void => void errors.push(error?.name() ?? null)
      await withProducer({}, async (producer) => {
        producer.produce(name, { key: 'k', value: 'x', partition: 0, onDelivery })
        producer.produce(name, { value: 'x', partition: 0, onDelivery })
        await producer.flush(20)
      })
      expect(errors).toEqual(['_INVALID_DIFFERENT_RECORD', 'INVALID_RECORD'])
    },
  )

  it('the partitions of murmur2_random are those of the Java client', async () => {
    const name = await topic(6)
    const places = new Map<string, number | null>()
    await withProducer({ partitioner: 'murmur2_random' }, async (producer) => {
      for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
        producer.produce(name, {
          key,
          onDelivery: (_error, message) => void places.set(key, message.partition()),
        })
      }
      await producer.flush(20)
    })
    expect(Object.fromEntries(places)).toEqual({ a: 4, b: 2, c: 4, d: 5, e: 2, f: 3 })
  })

  it('a topic name that is not allowed fails with TOPIC_EXCEPTION', async () => {
    const errors: (string | null)[] = []
    await withProducer({}, async (producer) => {
      producer.produce('not/allowed', { onDelivery: (error) => void errors.push(error?.name() ?? null) })
      await producer.flush(20)
    })
    expect(errors).toEqual(['TOPIC_EXCEPTION'])
  })

  it('acks=2 is refused by the broker', async () => {
    const name = await topic()
    const errors: (string | null)[] = []
    await withProducer({ acks: 2 }, async (producer) => {
      producer.produce(name, { onDelivery: (error) => void errors.push(error?.name() ?? null) })
      await producer.flush(20)
    })
    expect(errors).toEqual(['INVALID_REQUIRED_ACKS'])
  })

  it('listTopics shows brokers, partitions and topics that are missing', async () => {
    const name = await topic(2)
    await withProducer({ 'allow.auto.create.topics': false }, async (producer) => {
      const metadata = await producer.listTopics(name, 10)
      expect(metadata.topics.get(name)?.partitions.size).toBe(2)
      expect(metadata.brokers.size).toBeGreaterThan(0)
      const missing = await producer.listTopics(uniqueName('missing'), { timeoutMs: 10_000 })
      expect([...missing.topics.values()][0]?.error?.name()).toBe('UNKNOWN_TOPIC_OR_PART')
    })
  })

  it('an aborted poll rejects with the reason and leaves the producer usable', async () => {
    const name = await topic()
    await withProducer({}, async (producer) => {
      const controller = new AbortController()
      const poll = producer.poll({ timeoutMs: 10_000, signal: controller.signal })
      controller.abort(new Error('enough'))
      await expect(poll).rejects.toThrow('enough')
      producer.produce(name, { value: 'x' })
      expect(await producer.flush(20)).toBe(0)
    })
  })

  it('a misspelt property is refused at once', () => {
    expect(() => new Producer({ 'bootstrap.server': world.bootstrap } as ClientConfig)).toThrow(
      KafkaException,
    )
  })
})
