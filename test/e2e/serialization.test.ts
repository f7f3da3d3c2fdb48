/** Objects through producer and consumer: part 12 of the documented API, against any cluster. */
import { afterEach, describe, expect, it } from 'vitest'
import {
  AdminClient,
  ConsumeError,
  Consumer,
  type DeserializingConfig,
  DeserializingConsumer,
  DeserializingShareConsumer,
  IntegerDeserializer,
  IntegerSerializer,
  JsonDeserializer,
  JsonSerializer,
  KafkaError,
  KeyDeserializationError,
  NotImplementedError,
  SerializationContext,
  SerializationError,
  SerializingProducer,
  StringDeserializer,
  StringSerializer,
  TopicPartition,
  ValueDeserializationError,
} from '../../client/index.ts'
import { onceKnown } from './admin-support.ts'
import { needs } from './broker-needs.ts'
import { ConsumerWorld } from './consumer-support.ts'
import { uniqueName } from './support.ts'

const world = ConsumerWorld.use()
let open: { close(): Promise<unknown> }[] = []

afterEach(async () => {
  await Promise.all(open.map((handle) => handle.close()))
  open = []
})

function consumer<K, V>(conf: DeserializingConfig<K, V>): DeserializingConsumer<K, V> {
  const base = {
    'bootstrap.servers': world.bootstrap,
    'group.id': uniqueName('serialization'),
    'auto.offset.reset': 'earliest',
    log_level: 0,
  }
  const made = new DeserializingConsumer<K, V>({ ...base, ...conf })
  open.push(made)
  return made
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('objects', () => {
  it('come out of the consumer as they went into the producer', async () => {
    const topic = await world.topic()
    const producer = new SerializingProducer<number, { name: string }>({
      'bootstrap.servers': world.bootstrap,
      'key.serializer': new IntegerSerializer(),
      'value.serializer': new JsonSerializer(),
    })
    open.push(producer)
    producer.produce(topic, 1, { name: 'one' })
    producer.produce(topic, { key: 2, value: null, headers: { h: 'x' } })
    await producer.flush(20)
    const contexts: SerializationContext[] = []
    const reader = consumer<number, { name: string }>({
      'key.deserializer': (bytes, context) => {
        if (context !== undefined) contexts.push(context)
        return new IntegerDeserializer().deserialize(bytes)
      },
      'value.deserializer': new JsonDeserializer<{ name: string }>(),
    })
    reader.assign([new TopicPartition(topic, 0, 0)])
    const one = await reader.poll(15)
    expect([one?.key(), one?.value()?.name]).toEqual([1, 'one'])
    const two = await reader.poll(15)
    expect([two?.key(), two?.value()]).toEqual([2, null])
    expect(contexts).toEqual([
      new SerializationContext(topic, 'key', null),
      new SerializationContext(topic, 'key', [['h', Buffer.from('x')]]),
    ])
    expect(reader).toBeInstanceOf(Consumer)
  })
})

describe('a message that cannot be decoded', () => {
  it('rejects poll by the field, the value first, and counts as consumed', async () => {
    const topic = await world.topic()
    const producer = new SerializingProducer<string, string>({
      'bootstrap.servers': world.bootstrap,
      'key.serializer': new StringSerializer(),
      'value.serializer': new StringSerializer(),
    })
    open.push(producer)
    producer.produce(topic, 'bad', 'bad')
    producer.produce(topic, 'bad', '1')
    producer.produce(topic, 'good', '2')
    await producer.flush(20)
    const cause = new Error('bad')
    const refuse = async (bytes: Buffer | null): Promise<string | null> => {
      if (bytes?.toString() === 'bad') throw cause
      return new StringDeserializer().deserialize(bytes)
    }
    const reader = consumer<string, string>({ 'key.deserializer': refuse, 'value.deserializer': refuse })
    reader.assign([new TopicPartition(topic, 0, 0)])
    const value = await rejection(reader.poll(15))
    expect(value).toBeInstanceOf(ValueDeserializationError)
    expect(value).toBeInstanceOf(SerializationError)
    expect(value).toBeInstanceOf(ConsumeError)
    expect(value).toMatchObject({ code: KafkaError._VALUE_DESERIALIZATION, exception: cause })
    expect((value as ValueDeserializationError).kafkaMessage?.value()).toEqual(Buffer.from('bad'))
    const key = await rejection(reader.poll(15))
    expect(key).toBeInstanceOf(KeyDeserializationError)
    expect((key as KeyDeserializationError).kafkaMessage?.offset()).toBe(1)
    expect((await reader.poll(15))?.value()).toBe('2')
    expect(reader.position([new TopicPartition(topic, 0)])[0]?.offset).toBe(3)
  })
})

describe('a deserializing consumer', () => {
  it('iterates over objects', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 3)
    const reader = consumer({ 'value.deserializer': (bytes) => Number(bytes) })
    reader.assign([new TopicPartition(topic, 0, 0)])
    const seen: (number | null)[] = []
    for await (const message of reader) if (seen.push(message.value()) === 3) break
    expect(seen).toEqual([0, 1, 2])
  })

  it('rejects with events, the end of a partition too', async () => {
    const topic = await world.topic()
    const reader = consumer({ 'enable.partition.eof': true })
    reader.assign([new TopicPartition(topic, 0, 0)])
    const end = await rejection(reader.poll(15))
    expect(end).toBeInstanceOf(ConsumeError)
    expect(end).toMatchObject({ code: KafkaError._PARTITION_EOF })
    expect((end as ConsumeError).kafkaMessage?.topic()).toBe(topic)
  })

  it('has no consume', async () => {
    expect(await rejection(consumer({}).consume(1))).toBeInstanceOf(NotImplementedError)
  })
})

describe('a deserializing share consumer', needs('ShareFetch'), () => {
  it('hands out objects, and keeps what cannot be decoded, with its bytes', async () => {
    const topic = await world.topic()
    const groupId = uniqueName('share')
    const admin = new AdminClient({ 'bootstrap.servers': world.bootstrap })
    open.push(admin)
    const offsets = [new TopicPartition(topic, 0, 0)]
    await onceKnown(() => admin.alterShareGroupOffsets(groupId, offsets).all())
    const reader = new DeserializingShareConsumer<string, number>({
      'bootstrap.servers': world.bootstrap,
      'group.id': groupId,
      'value.deserializer': (bytes) => {
        if (bytes?.toString() === '1') throw new Error('no ones')
        return Number(bytes)
      },
    })
    open.push(reader)
    reader.subscribe([topic])
    await world.produce(topic, 0, 3)
    const seen: [unknown, string | undefined][] = []
    while (seen.length < 3) {
      for (const message of await reader.poll(15)) seen.push([message.value(), message.error()?.name()])
    }
    expect(seen).toEqual([
      [0, undefined],
      [Buffer.from('1'), '_VALUE_DESERIALIZATION'],
      [2, undefined],
    ])
  })
})
