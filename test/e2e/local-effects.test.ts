/** What clients compute, keep or tell by themselves, with what a cluster gave them: BOOTSTRAP=host:port, or a kafkito of their own. */
import { afterEach, describe, expect, it } from 'vitest'
import * as constants from '../../client/flat-constants.ts'
import {
  AdminClient,
  AlterConfigOpType,
  BigIntDeserializer,
  BigIntSerializer,
  BufferDeserializer,
  BufferError,
  BufferSerializer,
  type ClientConfig,
  ConfigEntry,
  ConfigResource,
  Consumer,
  ConsumerGroupMetadata,
  type DeserializingConfig,
  DeserializingConsumer,
  DoubleDeserializer,
  DoubleSerializer,
  extractTraceContext,
  injectTraceContext,
  KafkaError,
  KafkaException,
  KeySerializationError,
  libversion,
  type Message,
  MessageField,
  NewPartitions,
  NewTopic,
  Node,
  OFFSET_STORED,
  OffsetSpec,
  PARTITION_UA,
  PersistenceStatus,
  ProduceError,
  Producer,
  type ProducerExtra,
  prometheusText,
  ResultMap,
  RuntimeError,
  ScramCredentialInfo,
  ScramMechanism,
  type SerializationContext,
  SerializingProducer,
  ShareConsumer,
  TIMESTAMP_CREATE_TIME,
  TIMESTAMP_NOT_AVAILABLE,
  TopicCollection,
  TopicPartition,
  tracingChannels,
  UserScramCredentialDeletion,
  UserScramCredentialUpsertion,
  Uuid,
  ValueSerializationError,
  version,
} from '../../client/index.ts'
import { needs } from './broker-needs.ts'
import { ConsumerWorld, take, values } from './consumer-support.ts'
import { RawCluster, uniqueName } from './support.ts'

const world = ConsumerWorld.use()

const open: { close(): unknown }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((handle) => handle.close()))
})

function closing<T extends { close(): unknown }>(handle: T): T {
  open.push(handle)
  return handle
}

function base(): { 'bootstrap.servers': string; log_level: number } {
  return { 'bootstrap.servers': world.bootstrap, log_level: 0 }
}

const newProducer = (conf: ProducerExtra = {}): Producer => closing(new Producer(base(), conf))
const newAdmin = (conf: ClientConfig = {}): AdminClient => closing(new AdminClient(base(), conf))

async function rejection(promise: Promise<unknown> | undefined): Promise<unknown> {
  return await promise?.then(
    () => undefined,
    (error: unknown) => error,
  )
}

function thrownBy(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}

/** A message as the producer's report and as the consumer show it. */
async function sentAndRead(): Promise<{ topic: string; report: Message; message: Message }> {
  const topic = await world.topic()
  const producer = newProducer()
  const reports: Message[] = []
  const onDelivery = (_error: unknown, report: Message): void => void reports.push(report)
  producer.produce(topic, { key: 'k', value: 'v', headers: { h: '1' }, opaque: { mine: true }, onDelivery })
  await producer.flush(20)
  const consumer = world.consumer()
  consumer.assign([new TopicPartition(topic, 0, 0)])
  const [message] = await take(consumer, 1)
  return { topic, report: reports[0] as Message, message: message as Message }
}

describe('a message that a cluster gave', () => {
  it('can be changed, compared, and tells how sure its delivery is', async () => {
    const { topic, report, message } = await sentAndRead()
    expect([report.persistence(), report.opaque()]).toEqual([PersistenceStatus.PERSISTED, { mine: true }])
    expect([report.topic(), report.partition(), report.offset()]).toEqual([topic, 0, 0])
    expect(message.timestamp()[0]).toBe(TIMESTAMP_CREATE_TIME)
    expect(TIMESTAMP_NOT_AVAILABLE).toBeLessThan(TIMESTAMP_CREATE_TIME)
    const [again] = await (async () => {
      const reader = world.consumer()
      reader.assign([new TopicPartition(topic, 0, 0)])
      return await take(reader, 1)
    })()
    expect(message.equals(again)).toBe(true)
    message.setTopic('other')
    message.setKey(Buffer.from('key'))
    message.setValue(Buffer.from('value'))
    message.setHeaders([['a', 'b']])
    message.setError(new KafkaError(KafkaError._APPLICATION))
    expect(message.equals(again)).toBe(false)
    expect([message.topic(), `${message.key()}`, `${message.value()}`]).toEqual(['other', 'key', 'value'])
    expect(message.headers()).toEqual([['a', Buffer.from('b')]])
    expect(message.error()?.code()).toBe(KafkaError._APPLICATION)
  })
})

describe('places and identifiers', () => {
  it('compare by value', needs('Metadata', 10), async () => {
    const topic = await world.topic(2)
    const consumer = world.consumer()
    const assigned = [new TopicPartition(topic, 0), new TopicPartition(topic, 1)]
    consumer.assign(assigned)
    const [first, second] = consumer.assignment().toSorted(TopicPartition.compare)
    expect(first?.equals(assigned[0])).toBe(true)
    expect(first?.compare(second as TopicPartition)).toBeLessThan(0)
    expect(new TopicPartition(topic).partition).toBe(PARTITION_UA)
    const metadata = consumer.consumerGroupMetadata()
    expect(ConsumerGroupMetadata.fromBuffer(metadata?.toBuffer() ?? Buffer.alloc(0))).toEqual(metadata)
    const described = await newAdmin()
      .describeTopics(new TopicCollection([topic]))
      .get(topic)
    const topicId = described?.topicId as Uuid
    expect(topicId.equals(Uuid.ZERO)).toBe(false)
    expect(Uuid.fromString(String(topicId)).equals(topicId)).toBe(true)
    const [high, low] = [topicId.getMostSignificantBits(), topicId.getLeastSignificantBits()]
    expect(new Uuid(high, low).toBigInt()).toBe(topicId.toBigInt())
  })

  it('OFFSET_STORED goes on at what the group has committed', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 3)
    const consumer = world.consumer()
    consumer.assign([new TopicPartition(topic, 0, 0)])
    await consumer.commit({ offsets: [new TopicPartition(topic, 0, 2)], asynchronous: false })
    consumer.assign([new TopicPartition(topic, 0, OFFSET_STORED)])
    expect(values(await take(consumer, 1))).toEqual(['2'])
  })

  it('nodes have texts, and racks where brokers have', async () => {
    const { nodes } = await newAdmin().describeCluster()
    const [node] = nodes
    expect(node).toBeInstanceOf(Node)
    expect(node?.idString).toBe(String(node?.id))
    expect(node?.rack === null || typeof node?.rack === 'string').toBe(true)
  })

  it('a group tells its broker, and the host of each member', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 1)
    const groupId = uniqueName('group')
    const consumer = world.consumer({ 'group.id': groupId })
    consumer.subscribe([topic])
    await take(consumer, 1)
    const [group] = await newAdmin().listGroups(groupId, 20)
    expect(group?.broker.port).toBeGreaterThan(0)
    expect(group?.members[0]?.clientHost).toMatch(/127\.0\.0\.1/)
  })

  it('the version of this client is no matter of the cluster', () => {
    expect(version().startsWith(libversion()[0])).toBe(true)
  })
})

describe('an error that a cluster gave', () => {
  it('compares with numbers, and has texts', async () => {
    const failure = await rejection(
      newAdmin()
        .createTopics([new NewTopic('.', 1, 1)])
        .all(),
    )
    expect(failure).toBeInstanceOf(KafkaException)
    const { error, args } = failure as KafkaException
    expect(args).toEqual([error])
    expect(error.equals(KafkaError.TOPIC_EXCEPTION)).toBe(true)
    expect([error.valueOf(), error.compare(KafkaError.TOPIC_EXCEPTION)]).toEqual([17, 0])
    expect(error.str()).toMatch(/\./)
    expect(error.toString()).toContain('TOPIC_EXCEPTION')
  })

  it('a full queue is a BufferError, a closed handle a RuntimeError', async () => {
    const topic = await world.topic()
    const producer = newProducer({ 'queue.buffering.max.messages': 1, 'linger.ms': 60_000 })
    const told: string[] = []
    producer.on('queue-full', (count) => told.push(`full ${count}`))
    producer.on('queue-drain', (count) => told.push(`drain ${count}`))
    producer.produce(topic, { value: 'a', partition: 0 })
    expect(thrownBy(() => producer.produce(topic, { value: 'b', partition: 0 }))).toBeInstanceOf(BufferError)
    const waiting = producer.send(topic, { value: 'c', partition: 0 })
    await producer.flush(20)
    await waiting
    expect(told[0]).toBe('full 1')
    expect(told.some((text) => text.startsWith('drain'))).toBe(true)
    await producer.close()
    expect(thrownBy(() => producer.produce(topic, { value: 'd' }))).toBeInstanceOf(RuntimeError)
  })
})

describe('a producer', () => {
  it('takes many messages in one call, and gives them up by purge', async () => {
    const topic = await world.topic()
    const producer = newProducer({ 'linger.ms': 60_000 })
    const messages = [
      { value: 'a', headers: { h: '1' } },
      { value: 'b', timestamp: 1_700_000_000_000 },
    ]
    expect(producer.produceBatch(topic, messages, { partition: 0 })).toBe(2)
    expect(producer.len()).toBe(2)
    await producer.flush(20)
    const { records } = await new RawCluster(world.bootstrap).read(topic, 0)
    expect(records.map(({ value, headers }) => [`${value}`, headers.length])).toEqual([
      ['a', 1],
      ['b', 0],
    ])
    expect(records[1]?.timestamp).toBe(1_700_000_000_000)
    producer.produceBatch(topic, [{ value: 'c' }], { partition: 0 })
    await producer.purge({ blocking: true })
    expect(producer.len()).toBe(0)
    expect((await new RawCluster(world.bootstrap).read(topic, 0)).records).toHaveLength(2)
  })

  it(
    'that is idempotent goes on in a topic that was deleted and made anew, in order',
    needs('Metadata', 10),
    async () => {
      const topic = await world.topic()
      const producer = newProducer({
        'enable.idempotence': true,
        'batch.num.messages': 1,
        'topic.metadata.refresh.interval.ms': 100,
        'allow.auto.create.topics': false,
      })
      for (const value of ['old 1', 'old 2']) await producer.send(topic, { value, partition: 0 })
      await newAdmin().deleteTopics([topic]).all()
      await world.topic(1, {}, topic)
      const sent = Array.from({ length: 20 }, (_, index) => `${index}`)
      await Promise.all(sent.map((value) => producer.send(topic, { value, partition: 0 })))
      const { records } = await new RawCluster(world.bootstrap).read(topic, 0)
      expect(records.map(({ value }) => `${value}`)).toEqual(sent)
    },
  )

  it('asks a partitioner of the application', async () => {
    const topic = await world.topic(3)
    const asked: unknown[] = []
    const producer = newProducer({
      partitioner: (name, key, count) => {
        asked.push([name, `${key}`, count])
        return 2
      },
    })
    const report = await producer.send(topic, { key: 'k', value: 'v' })
    expect([report.partition(), asked]).toEqual([2, [[topic, 'k', 3]]])
  })

  it('sends arrays, counts what it does, and tells of connections', async () => {
    const topic = await world.topic()
    const producer = newProducer({ 'statistics.interval.ms': 100 })
    const told = new Set<string>()
    producer.on('connect', () => told.add('connect'))
    producer.on('disconnect', () => told.add('disconnect'))
    const topicMessages = [
      {
        topic,
        messages: [
          { value: 'a', partition: 0 },
          { value: 'b', partition: 0 },
        ],
      },
    ]
    const [entry] = await producer.sendBatch({ topicMessages })
    expect(entry).toMatchObject({ topicName: topic, partition: 0, errorCode: 0 })
    const text = prometheusText(producer.metrics(), { instance: 'one' })
    expect(text).toMatch(/^# HELP/)
    expect(text).toContain('instance="one"')
    await producer.close()
    // Events come in a task of their own.
    for (let turn = 0; turn < 1000 && told.size < 2; turn++)
      await new Promise((resolve) => setImmediate(resolve))
    expect([...told]).toEqual(['connect', 'disconnect'])
  })

  it('is traced message by message, and carries the context of a trace', async () => {
    const topic = await world.topic()
    const producer = newProducer()
    const ended: string[] = []
    const handlers = { asyncEnd: (context: object) => void ended.push(Object.keys(context).join()) }
    tracingChannels.produce.subscribe(handlers as never)
    const propagation = {
      inject: (
        context: string,
        carrier: Map<string, string>,
        setter: { set(c: unknown, k: string, v: string): void },
      ) => setter.set(carrier, 'traceparent', context),
      extract: (_: string, carrier: Map<string, string>, getter: { get(c: unknown, k: string): unknown }) =>
        String(getter.get(carrier, 'traceparent')),
    }
    const headers = injectTraceContext(propagation as never, 'one' as never, { h: '1' })
    try {
      await producer.send(topic, { value: 'v', partition: 0, headers })
    } finally {
      tracingChannels.produce.unsubscribe(handlers as never)
    }
    expect(ended.length).toBeGreaterThan(0)
    const consumer = world.consumer()
    consumer.assign([new TopicPartition(topic, 0, 0)])
    const [message] = await take(consumer, 1)
    expect(extractTraceContext(propagation as never, '' as never, message?.headers() ?? null)).toBe('one')
  })

  it('that is closed with force waits for nothing', async () => {
    const topic = await world.topic()
    const producer = newProducer({ 'linger.ms': 60_000 })
    const errors: (string | undefined)[] = []
    producer.produce(topic, {
      value: 'lost',
      partition: 0,
      onDelivery: (error) => errors.push(error?.name()),
    })
    await producer.close({ force: true })
    expect(errors).toEqual(['_PURGE_QUEUE'])
  })
})

describe('handles', () => {
  it('are made ready by create', async () => {
    const conf = { ...base(), 'group.id': uniqueName('group') }
    const handles = [
      closing(await Producer.create(base())),
      closing(await Consumer.create(conf)),
      closing(await ShareConsumer.create(conf)),
      closing(await AdminClient.create(base())),
    ]
    expect(handles.map(({ constructor: { name } }) => name)).toEqual([
      'Producer',
      'Consumer',
      'ShareConsumer',
      'AdminClient',
    ])
  })

  it('of administration serve nothing, count nothing, and end their calls when they close', async () => {
    const admin = newAdmin()
    expect([await admin.poll(0), admin.len(), admin.length]).toEqual([0, 0, 0])
    const signal = AbortSignal.abort(new Error('enough'))
    expect(await rejection(admin.describeCluster({ signal }))).toEqual(new Error('enough'))
    expect((await admin.describeCluster({ requestTimeout: 20 })).nodes.length).toBeGreaterThan(0)
    const topic = uniqueName('timed')
    await admin.createTopics([new NewTopic(topic, 1, 1)], { operationTimeoutMs: 20_000 }).all()
    await admin.close()
    expect(await rejection(Promise.resolve().then(() => admin.describeCluster()))).toBeInstanceOf(
      RuntimeError,
    )
  })
})

describe('what the admin client takes', () => {
  it(
    'shows what it was made of, and the cluster does as it says',
    needs('IncrementalAlterConfigs'),
    async () => {
      const admin = newAdmin()
      const topic = new NewTopic(uniqueName('made'), 2, 1, { config: { 'retention.ms': '1000' } })
      expect([
        topic.numPartitions,
        topic.replicationFactor,
        topic.equals(new NewTopic(topic.topic, 2)),
      ]).toEqual([2, 1, true])
      const created = admin.createTopics([topic])
      expect(created).toBeInstanceOf(ResultMap)
      await created.all()
      await new RawCluster(world.bootstrap).known(topic.topic, 2)
      const growth = new NewPartitions(topic.topic, 3)
      expect(growth.newTotalCount).toBe(3)
      await admin.createPartitions([growth]).all()
      const collection = new TopicCollection([topic.topic])
      expect(collection.topicNames).toEqual([topic.topic])
      const resource = new ConfigResource(ConfigResource.Type.TOPIC, topic.topic)
      resource.addIncrementalConfig(
        new ConfigEntry('retention.ms', '2000', { incrementalOperation: AlterConfigOpType.SET }),
      )
      expect([
        resource.restype,
        resource.configs,
        resource.equals(new ConfigResource('topic', topic.topic)),
      ]).toEqual([ConfigResource.Type.TOPIC, null, true])
      await admin.incrementalAlterConfigs([resource]).all()
      const whole = new ConfigResource('topic', topic.topic)
      whole.setConfig('cleanup.policy', 'compact')
      expect(Object.keys(whole.setConfigDict)).toContain('cleanup.policy')
      await admin.alterConfigs([whole]).all()
      const policy = async () =>
        (await admin.describeConfigs([whole]).get(whole))?.get('cleanup.policy')?.value
      let held = await policy()
      // Brokers hear of it a moment later.
      for (let attempt = 0; held !== 'compact' && attempt < 200; attempt++) held = await policy()
      expect(held).toBe('compact')
    },
  )

  it('may be given as flat constants', needs('ListGroups', 5), async () => {
    const admin = newAdmin()
    const topic = await world.topic()
    const change = async (
      operation: AlterConfigOpType,
      value: string | null,
    ): Promise<ConfigEntry | undefined> => {
      const resource = new ConfigResource(constants.RESOURCE_TOPIC, topic)
      const entry = new ConfigEntry('cleanup.policy', value as string, { incrementalOperation: operation })
      resource.addIncrementalConfig(entry)
      await admin.incrementalAlterConfigs([resource]).all()
      const wanted = JSON.stringify([operation, value])
      for (let attempt = 0; ; attempt++) {
        const found = (await admin.describeConfigs([resource]).get(resource))?.get('cleanup.policy')
        if (attempt === 100 || found?.value === expected.get(wanted)) return found
      }
    }
    const { ALTER_CONFIG_OP_TYPE_SET, ALTER_CONFIG_OP_TYPE_APPEND } = constants
    const { ALTER_CONFIG_OP_TYPE_SUBTRACT, ALTER_CONFIG_OP_TYPE_DELETE } = constants
    const { CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG, CONFIG_SOURCE_DEFAULT_CONFIG } = constants
    const steps = [
      [ALTER_CONFIG_OP_TYPE_SET, 'compact', 'compact', CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG],
      [ALTER_CONFIG_OP_TYPE_APPEND, 'delete', 'compact,delete', CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG],
      [ALTER_CONFIG_OP_TYPE_SUBTRACT, 'compact', 'delete', CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG],
      [ALTER_CONFIG_OP_TYPE_DELETE, null, 'delete', CONFIG_SOURCE_DEFAULT_CONFIG],
    ] as const
    const expected = new Map(
      steps.map(([operation, value, after]) => [JSON.stringify([operation, value]), after]),
    )
    for (const [operation, value, after, source] of steps) {
      const found = await change(operation, value)
      expect([operation, found?.value]).toEqual([operation, after])
      if (operation !== ALTER_CONFIG_OP_TYPE_DELETE) expect(found?.source).toBe(source)
    }
    const groupId = uniqueName('group')
    const consumer = world.consumer({ 'group.id': groupId })
    consumer.assign([new TopicPartition(topic, 0)])
    await consumer.commit({ offsets: [new TopicPartition(topic, 0, 0)], asynchronous: false })
    const listed = await admin.listConsumerGroups({
      states: [constants.CONSUMER_GROUP_STATE_EMPTY],
      types: [constants.CONSUMER_GROUP_TYPE_CLASSIC],
    } as never)
    expect(listed.valid.find((group) => group.groupId === groupId)).toMatchObject({
      state: constants.CONSUMER_GROUP_STATE_EMPTY,
      type: constants.CONSUMER_GROUP_TYPE_CLASSIC,
    })
    const busy = await admin.listConsumerGroups({ states: [constants.CONSUMER_GROUP_STATE_STABLE] } as never)
    expect(busy.valid.some((group) => group.groupId === groupId)).toBe(false)
    for (const isolationLevel of [
      constants.ISOLATION_LEVEL_READ_UNCOMMITTED,
      constants.ISOLATION_LEVEL_READ_COMMITTED,
    ]) {
      const at = new TopicPartition(topic, 0)
      const offsets = admin.listOffsets(new Map([[at, OffsetSpec.latest()]]), { isolationLevel } as never)
      expect((await offsets.get(at))?.offset).toBe(0)
    }
    const election = await admin.electLeaders(constants.ELECTION_TYPE_PREFERRED, [
      new TopicPartition(topic, 0),
    ])
    expect([...election.values()].map((error) => error?.name())).toEqual(['ELECTION_NOT_NEEDED'])
    const users = [constants.SCRAM_MECHANISM_SHA_256, constants.SCRAM_MECHANISM_SHA_512].map(
      (mechanism) => new UserScramCredentialDeletion(uniqueName('nobody'), mechanism),
    )
    for (const user of users) {
      const failure = await rejection(admin.alterUserScramCredentials([user]).all())
      expect((failure as KafkaException).error.name()).toBe('RESOURCE_NOT_FOUND')
    }
  })

  it('has secrets that are set, and never told', needs('AlterUserScramCredentials'), async () => {
    const admin = newAdmin()
    const user = uniqueName('user')
    const info = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 5000)
    const upsertion = new UserScramCredentialUpsertion(user, info, Buffer.from('secret'), Buffer.from('salt'))
    expect([`${upsertion.password}`, `${upsertion.salt}`, upsertion.scramCredentialInfo.iterations]).toEqual([
      'secret',
      'salt',
      5000,
    ])
    await admin.alterUserScramCredentials([upsertion]).all()
    const found = async () =>
      (await admin.describeUserScramCredentials([user]).get(user))?.scramCredentialInfos[0]
    let known = await found().catch(() => undefined)
    for (let attempt = 0; known === undefined && attempt < 200; attempt++)
      known = await found().catch(() => undefined)
    expect(known).toEqual(info)
    await admin.alterUserScramCredentials([new UserScramCredentialDeletion(user, info.mechanism)]).all()
  })
})

describe('serializers', () => {
  it('of numbers and bytes go there and back, and hear which field it is', async () => {
    const topic = await world.topic()
    const producer = closing(
      new SerializingProducer<number, bigint>({
        ...base(),
        'key.serializer': new DoubleSerializer(),
        'value.serializer': new BigIntSerializer(),
      }),
    )
    await producer.produceAsync(topic, 0.5, 2n ** 60n, 0)
    await producer.flush(20)
    // Everything but `produce` is that of the Producer, and takes bytes.
    const doubleOne = Buffer.from('3ff0000000000000', 'hex')
    await producer.send(topic, { key: doubleOne, value: Buffer.alloc(8), partition: 0 })
    const fields: string[] = []
    const config: DeserializingConfig<number, bigint> = {
      ...base(),
      'group.id': uniqueName('group'),
      'key.deserializer': new DoubleDeserializer(),
      'value.deserializer': (bytes, context?: SerializationContext) => {
        fields.push(context?.field ?? MessageField.NONE)
        return new BigIntDeserializer().deserialize(bytes)
      },
    }
    const reader = closing(new DeserializingConsumer<number, bigint>(config))
    reader.assign([new TopicPartition(topic, 0, 0)])
    const read = [await reader.poll(20), await reader.poll(20)]
    expect(read.map((message) => [message?.key(), message?.value()])).toEqual([
      [0.5, 2n ** 60n],
      [1, 0n],
    ])
    expect(fields).toEqual([MessageField.VALUE, MessageField.VALUE])
  })

  it('of buffers copy nothing, and those that throw are told by the field', async () => {
    const topic = await world.topic()
    const fails = (): never => {
      throw new Error('no')
    }
    const producer = closing(
      new SerializingProducer<Buffer, Buffer>({ ...base(), 'value.serializer': new BufferSerializer() }),
    )
    producer.produce(topic, { value: Buffer.from([1, 2]), partition: 0 })
    await producer.flush(20)
    const reader = closing(
      new DeserializingConsumer<Buffer, Buffer>({
        ...base(),
        'group.id': uniqueName('group'),
        'value.deserializer': new BufferDeserializer(),
      }),
    )
    reader.assign([new TopicPartition(topic, 0, 0)])
    expect((await reader.poll(20))?.value()).toEqual(Buffer.from([1, 2]))
    const bad = (field: string) =>
      closing(new SerializingProducer({ ...base(), [`${field}.serializer`]: fails }))
    expect(thrownBy(() => bad('key').produce(topic, 'k', 'v'))).toBeInstanceOf(KeySerializationError)
    const value = thrownBy(() => bad('value').produce(topic, 'k', 'v'))
    expect(value).toBeInstanceOf(ValueSerializationError)
    expect(value).toBeInstanceOf(ProduceError)
  })
})
