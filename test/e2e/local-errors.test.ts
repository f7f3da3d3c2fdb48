/** Errors of the client's own that a running cluster takes part in: BOOTSTRAP=host:port, or a kafkito of its own. */
import { afterEach, describe, expect, it } from 'vitest'
import {
  AdminClient,
  type ClientConfig,
  type ClientHooks,
  DeserializingConsumer,
  KafkaError,
  KafkaException,
  Producer,
  SerializingProducer,
  TopicPartition,
} from '../../client/index.ts'
import { ConsumerWorld } from './consumer-support.ts'
import { uniqueName } from './support.ts'
import { Tunnel } from './tunnel.ts'

const world = ConsumerWorld.use()

const open: { close(options: { timeoutMs: number }): unknown }[] = []
afterEach(async () => {
  for (const handle of open.splice(0)) await handle.close({ timeoutMs: 0 })
})

const base = () => ({ 'bootstrap.servers': world.bootstrap, log_level: 0 })

function newProducer(conf: ClientConfig, hooks?: ClientHooks): Producer {
  const producer = new Producer(base(), conf, hooks)
  open.push(producer)
  return producer
}

function codeOf(error: unknown): number | undefined {
  return error instanceof KafkaException ? error.error.code() : undefined
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('a message', () => {
  it('that was sent and not answered is reported as _PURGE_INFLIGHT', async () => {
    const topic = await world.topic()
    let sent = (): void => {}
    const isSent = new Promise<void>((resolve) => {
      sent = resolve
    })
    const beforeRequest: ClientHooks['beforeRequest'] = ({ apiName }) => {
      if (apiName === 'Produce') sent()
    }
    const tunnels: Tunnel[] = []
    const connect = (address: { host: string; port: number }): Tunnel => {
      const tunnel = new Tunnel(address)
      tunnels.push(tunnel)
      return tunnel
    }
    const producer = newProducer({ 'linger.ms': 0 }, { beforeRequest, connect })
    await producer.send(topic, { value: 'answered', partition: 0 })
    const again = new Promise<void>((resolve) => {
      sent = resolve
    })
    await isSent
    for (const tunnel of tunnels) tunnel.stall()
    const heard: number[] = []
    const onDelivery = (error: KafkaError | null): void => void heard.push(error?.code() ?? 0)
    producer.produce(topic, { value: 'purged', partition: 0, onDelivery })
    await again
    await producer.purge()
    await producer.poll(10)
    expect(heard).toEqual([KafkaError._PURGE_INFLIGHT])
  })

  it('to a topic that nobody makes is reported as _MSG_TIMED_OUT when its life is over', async () => {
    const conf = { 'delivery.timeout.ms': 500, 'allow.auto.create.topics': false }
    const producer = newProducer(conf)
    const heard: (number | undefined)[] = []
    const onDelivery = (error: KafkaError | null): void => void heard.push(error?.code())
    producer.produce(uniqueName('nobody'), { value: 'x', onDelivery })
    expect(await producer.flush(20)).toBe(0)
    expect(heard).toEqual([KafkaError._MSG_TIMED_OUT])
  })

  it('that cannot be serialized is told as _KEY_SERIALIZATION or _VALUE_SERIALIZATION', async () => {
    const topic = await world.topic()
    const fails = (): never => {
      throw new Error('no')
    }
    const codes = ['key', 'value'].map((field) => {
      const producer = new SerializingProducer({ ...base(), [`${field}.serializer`]: fails })
      open.push(producer)
      try {
        producer.produce(topic, 'k', 'v')
        return 0
      } catch (error) {
        return codeOf(error)
      }
    })
    expect(codes).toEqual([KafkaError._KEY_SERIALIZATION, KafkaError._VALUE_SERIALIZATION])
  })

  it('that cannot be deserialized is told as _KEY_DESERIALIZATION or _VALUE_DESERIALIZATION', async () => {
    const topic = await world.topic()
    const producer = newProducer({})
    await producer.send(topic, { key: 'k', value: 'v', partition: 0 })
    const fails = (): never => {
      throw new Error('no')
    }
    const codes: (number | undefined)[] = []
    for (const field of ['key', 'value']) {
      const own = { 'group.id': uniqueName('group'), [`${field}.deserializer`]: fails }
      const consumer = new DeserializingConsumer({ ...base(), ...own })
      open.push(consumer)
      consumer.assign([new TopicPartition(topic, 0, 0)])
      codes.push(codeOf(await rejection(consumer.poll(20))))
    }
    expect(codes).toEqual([KafkaError._KEY_DESERIALIZATION, KafkaError._VALUE_DESERIALIZATION])
  })
})

describe('a request', () => {
  it('that is never answered times out, and whoever listens hears of it', async () => {
    const tunnels: Tunnel[] = []
    const connect = (address: { host: string; port: number }): Tunnel => {
      const tunnel = new Tunnel(address)
      tunnels.push(tunnel)
      return tunnel
    }
    const producer = newProducer({ 'socket.timeout.ms': 300, 'delivery.timeout.ms': 5000 }, { connect })
    await producer.listTopics(undefined, 20)
    const told: string[] = []
    producer.on('request-timeout', ({ apiName, error }) => told.push(`${apiName} ${error?.name()}`))
    for (const tunnel of tunnels) tunnel.stall()
    await rejection(producer.listTopics(undefined, 20))
    expect(told[0]).toMatch(/^Metadata _TIMED_OUT/)
  })

  it('that is still open when its handle closes ends with _DESTROY', async () => {
    const tunnels: Tunnel[] = []
    const connect = (address: { host: string; port: number }): Tunnel => {
      const tunnel = new Tunnel(address)
      tunnels.push(tunnel)
      return tunnel
    }
    const admin = new AdminClient(base(), undefined, { connect })
    await admin.describeCluster()
    for (const tunnel of tunnels) tunnel.stall()
    const failed = rejection(admin.describeCluster())
    await admin.close()
    expect(codeOf(await failed)).toBe(KafkaError._DESTROY)
  })
})
