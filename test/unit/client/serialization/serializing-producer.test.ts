import { afterEach, expect, it } from 'vitest'
import {
  IntegerSerializer,
  JsonSerializer,
  KafkaError,
  KeySerializationError,
  type Message,
  ProduceError,
  Producer,
  SerializationContext,
  SerializationError,
  type SerializingConfig,
  SerializingProducer,
  ValueSerializationError,
} from '../../../../client/index.ts'
import { ScriptedCluster } from '../support/scripted-broker.ts'

let open: { cluster: ScriptedCluster; producer: { close(options: object): Promise<unknown> } }[] = []

afterEach(async () => {
  for (const { cluster, producer } of open) await cluster.settle(producer.close({ timeoutMs: 0 }))
  open = []
})

async function world<K, V>(conf: SerializingConfig<K, V>) {
  const cluster = new ScriptedCluster(3)
  await cluster.start(1)
  const [log] = cluster.topic('t', [1])
  const base = { 'bootstrap.servers': cluster.bootstrap, log_level: 0 }
  const producer = new SerializingProducer<K, V>({ ...base, ...conf }, undefined, {
    runtime: cluster.sim.machine('client'),
  })
  open.push({ cluster, producer })
  return { cluster, producer, log }
}

it('a serializing producer takes the key before the value', async () => {
  const { cluster, producer, log } = await world({
    'key.serializer': new IntegerSerializer(),
    'value.serializer': (text: string | null) => Buffer.from(`<${text}>`),
  })
  producer.produce('t', 7, 'seven')
  producer.produce('t', { key: 8, value: 'eight', partition: 0 })
  producer.produce('t', { value: 'no key' })
  await cluster.settle(producer.flush())
  expect(log?.records.map(({ key, value }) => [key?.toString('hex'), value?.toString()])).toEqual([
    ['00000007', '<seven>'],
    ['00000008', '<eight>'],
    [undefined, '<no key>'],
  ])
  expect(producer).toBeInstanceOf(Producer)
})

it('without serializers keys and values go as they are', async () => {
  const { cluster, producer, log } = await world({})
  const reports: Message[] = []
  producer.produce('t', 'key', Buffer.from('value'), 0, (_error, message) => reports.push(message), 5, {
    a: '1',
  })
  await cluster.settle(producer.flush())
  expect(log?.records[0]).toMatchObject({
    key: Buffer.from('key'),
    value: Buffer.from('value'),
    timestamp: 5,
  })
  expect(reports[0]?.headers()).toEqual([['a', Buffer.from('1')]])
})

it('serializers hear of topic, field and headers, and may add headers', async () => {
  const contexts: (SerializationContext | undefined)[] = []
  const headers: [string, string][] = []
  const { cluster, producer, log } = await world<string, string>({
    'key.serializer': (key, context) => {
      contexts.push(context)
      headers.push(['schema', '1'])
      return Buffer.from(key ?? '')
    },
    'value.serializer': (_value, context) => {
      contexts.push(context)
      return null
    },
  })
  producer.produce('t', { key: 'k', value: 'v', headers })
  await cluster.settle(producer.flush())
  expect(contexts).toEqual([
    new SerializationContext('t', 'key', headers),
    new SerializationContext('t', 'value', headers),
  ])
  expect(log?.records[0]).toMatchObject({
    value: null,
    headers: [{ key: 'schema', value: Buffer.from('1') }],
  })
})

it('a serializer that throws is told by the field, and nothing is enqueued', async () => {
  const cause = new Error('no')
  const failing = (): never => {
    throw cause
  }
  const { producer } = await world<string, string>({ 'value.serializer': failing })
  const thrown = errorOf(() => producer.produce('t', 'k', 'v'))
  expect(thrown).toBeInstanceOf(ValueSerializationError)
  expect(thrown).toBeInstanceOf(ProduceError)
  expect(thrown).toBeInstanceOf(SerializationError)
  expect(thrown).toMatchObject({ code: KafkaError._VALUE_SERIALIZATION, exception: cause, cause })
  expect(producer.len()).toBe(0)
  const both = await world<string, string>({ 'key.serializer': failing, 'value.serializer': failing })
  const first = errorOf(() => both.producer.produce('t', 'k', 'v'))
  expect(first).toBeInstanceOf(KeySerializationError)
  expect(first).not.toBeInstanceOf(ValueSerializationError)
})

it('a serializer that answers a promise needs produceAsync', async () => {
  const { cluster, producer, log } = await world<string, { a: number }>({
    'value.serializer': async (value) => {
      if (value?.a === 2) throw new Error('no twos')
      return new JsonSerializer().serialize(value)
    },
  })
  expect(errorOf(() => producer.produce('t', 'k', { a: 2 }))).toBeInstanceOf(ValueSerializationError)
  await producer.produceAsync('t', 'k', { a: 1 })
  await expect(producer.produceAsync('t', { value: { a: 2 } })).rejects.toThrow(ValueSerializationError)
  await cluster.settle(producer.flush())
  expect(log?.records.map(({ value }) => value?.toString())).toEqual(['{"a":1}'])
})

it('what is no serializer, and unknown options, are refused', async () => {
  const bad = { 'key.serializer': 7 } as unknown as SerializingConfig<string, string>
  expect(() => new SerializingProducer(bad)).toThrow(TypeError)
  const { producer } = await world({ 'value.serializer': new JsonSerializer() })
  expect(() => producer.produce('t', { id: 1 } as object)).toThrow(TypeError)
})

function errorOf(call: () => void): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}
