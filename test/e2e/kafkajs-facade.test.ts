/**
 * Programs written for kafkajs, each run twice: with kafkajs, and with the façade, by changing the import. Both see the same.
 * Against kafkito, or any cluster with BOOTSTRAP=host:port.
 */
import * as kafkajs from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/index.ts'
import * as facade from '../../client/kafkajs/index.ts'
import { until } from '../support/until.ts'
import { lasting, RawCluster, uniqueName } from './support.ts'

type Library = typeof kafkajs

// The façade's types are its own; the programs below are written against kafkajs's.
const libraries: [string, Library][] = [
  ['kafkajs', kafkajs],
  ['the façade', facade as unknown as Library],
]

let own: Cluster | undefined
let bootstrap = process.env.BOOTSTRAP ?? ''

beforeAll(async () => {
  if (bootstrap !== '') return
  own = await startCluster({ config: { 'group.initial.rebalance.delay.ms': 0 } })
  bootstrap = own.bootstrapServers
})

afterAll(async () => {
  await own?.stop()
})

function kafkaOf(library: Library): kafkajs.Kafka {
  return new library.Kafka({
    clientId: 'program',
    brokers: bootstrap.split(','),
    logLevel: library.logLevel.NOTHING,
    retry: { initialRetryTime: 20, retries: 8 },
  })
}

/** Resolves when `count` calls of `seen` were made. */
function counter(count: number): { seen: () => void; all: Promise<void> } {
  let left = count
  let finish: () => void = () => {}
  const all = new Promise<void>((resolve) => {
    finish = resolve
  })
  return {
    seen: () => {
      if (--left === 0) finish()
    },
    all,
  }
}

/** By the façade always: kafkajs fails when a broker has not heard of a new topic yet. */
async function topicOf(numPartitions = 1): Promise<string> {
  const topic = uniqueName('facade')
  const admin = new facade.Kafka({ brokers: bootstrap.split(','), logLevel: facade.logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    const configEntries = Object.entries(lasting).map(([name, value]) => ({ name, value }))
    await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }] })
  } finally {
    await admin.disconnect()
  }
  await new RawCluster(bootstrap).known(topic, numPartitions)
  return topic
}

async function fill(kafka: kafkajs.Kafka, topic: string, values: readonly string[]): Promise<void> {
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) })
  await producer.disconnect()
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${index}`)
}

describe.each(libraries)('a program on %s', (_name, library) => {
  it('sends with every choice and reads each message as it was sent', async () => {
    const kafka = kafkaOf(library)
    const topic = await topicOf()
    const producer = kafka.producer({ createPartitioner: library.Partitioners.DefaultPartitioner })
    await producer.connect()
    const first = await producer.send({
      topic,
      acks: -1,
      messages: [
        {
          key: 'k',
          value: 'v',
          headers: { one: '1', many: ['a', Buffer.from('b')] },
          timestamp: '1700000000000',
        },
      ],
    })
    expect(
      first.map(({ topicName, partition, errorCode, baseOffset }) => [
        topicName,
        partition,
        errorCode,
        baseOffset,
      ]),
    ).toEqual([[topic, 0, 0, '0']])
    await producer.send({
      topic,
      acks: 1,
      compression: library.CompressionTypes.GZIP,
      messages: [{ value: null }, { key: null, value: Buffer.from('bytes') }],
    })
    await producer.sendBatch({ topicMessages: [{ topic, messages: [{ value: 'batch', partition: 0 }] }] })
    await producer.disconnect()

    const consumer = kafka.consumer({ groupId: uniqueName('group') })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    const seen: kafkajs.KafkaMessage[] = []
    const { seen: count, all } = counter(4)
    await consumer.run({
      eachMessage: async ({ topic: from, partition, message, heartbeat }) => {
        expect([from, partition]).toEqual([topic, 0])
        await heartbeat()
        seen.push(message)
        count()
      },
    })
    await all
    await consumer.disconnect()
    expect(
      seen.map(({ offset, key, value }) => [offset, key?.toString() ?? null, value?.toString() ?? null]),
    ).toEqual([
      ['0', 'k', 'v'],
      ['1', null, null],
      ['2', null, 'bytes'],
      ['3', null, 'batch'],
    ])
    expect(seen[0]?.timestamp).toBe('1700000000000')
    expect(seen[0]?.headers).toEqual({ one: Buffer.from('1'), many: [Buffer.from('a'), Buffer.from('b')] })
  })

  it('commits what eachMessage is done with, and goes on there', async () => {
    const kafka = kafkaOf(library)
    const topic = await topicOf()
    await fill(kafka, topic, numbers(10))
    const groupId = uniqueName('group')
    const read = async (count: number): Promise<string[]> => {
      const consumer = kafka.consumer({ groupId })
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      const values: string[] = []
      const { seen, all } = counter(count)
      await consumer.run({
        eachMessage: async ({ message }) => {
          values.push(`${message.value}`)
          seen()
        },
      })
      await all
      await consumer.disconnect()
      return values
    }
    expect(await read(10)).toEqual(numbers(10))
    await fill(kafka, topic, ['10', '11'])
    expect(await read(2)).toEqual(['10', '11'])
    const admin = kafka.admin()
    await admin.connect()
    const offsets = await admin.fetchOffsets({ groupId, topics: [topic] })
    await admin.disconnect()
    expect(offsets[0]?.partitions[0]?.offset).toBe('12')
  })

  it('gives a message again whose handler threw, and skips none', async () => {
    const kafka = kafkaOf(library)
    const topic = await topicOf()
    await fill(kafka, topic, numbers(6))
    const consumer = kafka.consumer({ groupId: uniqueName('group') })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    const done: string[] = []
    let failures = 0
    const { seen, all } = counter(6)
    await consumer.run({
      eachMessage: async ({ message }) => {
        if (`${message.value}` === '3' && failures++ < 2) throw new Error('not yet')
        done.push(`${message.value}`)
        seen()
      },
    })
    await all
    await consumer.disconnect()
    expect(failures).toBe(3)
    expect(done).toEqual(numbers(6))
  })

  it('reads batches, resolves part of one, commits and seeks', async () => {
    const kafka = kafkaOf(library)
    const topic = await topicOf()
    await fill(kafka, topic, numbers(20))
    const groupId = uniqueName('group')
    const consumer = kafka.consumer({ groupId })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    const seen: string[] = []
    let hasSought = false
    const { seen: finished, all } = counter(1)
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: async ({
        batch,
        resolveOffset,
        commitOffsetsIfNecessary,
        uncommittedOffsets,
        isRunning,
        isStale,
        heartbeat,
      }) => {
        expect(batch.firstOffset()).toBe(batch.messages[0]?.offset)
        for (const message of batch.messages) {
          if (!isRunning() || isStale()) break
          seen.push(`${message.value}`)
          resolveOffset(message.offset)
          await heartbeat()
          // The rest of the batch comes again.
          if (message.offset === '9' && !hasSought) {
            await commitOffsetsIfNecessary(uncommittedOffsets())
            return
          }
          if (message.offset === '14' && !hasSought) {
            hasSought = true
            consumer.seek({ topic, partition: 0, offset: '18' })
          }
          if (message.offset === '19') finished()
        }
      },
    })
    await all
    await consumer.disconnect()
    expect(seen).toEqual([...numbers(15), '18', '19'])
  })

  it('pauses and resumes a topic', async () => {
    const kafka = kafkaOf(library)
    const topic = await topicOf()
    await fill(kafka, topic, numbers(4))
    const consumer = kafka.consumer({ groupId: uniqueName('group') })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    const values: string[] = []
    const halfway = counter(2)
    const finished = counter(4)
    await consumer.run({
      eachMessage: async ({ message, pause }) => {
        values.push(`${message.value}`)
        if (values.length === 2) pause()
        halfway.seen()
        finished.seen()
      },
    })
    await halfway.all
    while (consumer.paused().length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(consumer.paused()).toEqual([{ topic, partitions: [0] }])
    consumer.resume([{ topic, partitions: [0] }])
    await finished.all
    expect(consumer.paused()).toEqual([])
    await consumer.disconnect()
    expect(values).toEqual(numbers(4))
  })

  it('carries records and offsets in a transaction, and leaves no trace of an aborted one', async () => {
    const kafka = kafkaOf(library)
    const topic = await topicOf()
    const groupId = uniqueName('group')
    const producer = kafka.producer({
      transactionalId: uniqueName('txn'),
      maxInFlightRequests: 1,
      idempotent: true,
    })
    await producer.connect()
    expect(producer.isIdempotent()).toBe(true)
    const aborted = await producer.transaction()
    await aborted.send({ topic, messages: [{ value: 'aborted' }] })
    await aborted.abort()
    expect(aborted.isActive()).toBe(false)
    const transaction = await producer.transaction()
    await transaction.sendBatch({ topicMessages: [{ topic, messages: [{ value: 'a' }, { value: 'b' }] }] })
    await transaction.sendOffsets({
      consumerGroupId: groupId,
      topics: [{ topic, partitions: [{ partition: 0, offset: '1' }] }],
    })
    const second = await producer.transaction().catch((error: unknown) => error)
    expect(second).toBeInstanceOf(library.KafkaJSNonRetriableError)
    await transaction.commit()
    const late = await transaction
      .send({ topic, messages: [{ value: 'c' }] })
      .catch((error: unknown) => error)
    expect(late).toBeInstanceOf(library.KafkaJSNonRetriableError)
    await producer.disconnect()
    const consumer = kafka.consumer({ groupId: uniqueName('group') })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    const values: string[] = []
    const { seen, all } = counter(2)
    await consumer.run({
      eachMessage: async ({ message }) => {
        values.push(`${message.value}`)
        seen()
      },
    })
    await all
    await consumer.disconnect()
    expect(values).toEqual(['a', 'b'])
    const admin = kafka.admin()
    await admin.connect()
    expect((await admin.fetchOffsets({ groupId, topics: [topic] }))[0]?.partitions[0]?.offset).toBe('1')
    await admin.disconnect()
  })

  it('tells of its life: connect, join, batches, commits, crash, stop', async () => {
    const kafka = kafkaOf(library)
    const topic = await topicOf()
    await fill(kafka, topic, ['v'])
    const groupId = uniqueName('group')
    const consumer = kafka.consumer({ groupId, retry: { retries: 0, restartOnFailure: async () => false } })
    const names: string[] = []
    let assignment: unknown
    const { CONNECT, GROUP_JOIN, FETCH_START, START_BATCH_PROCESS, COMMIT_OFFSETS, CRASH, STOP, DISCONNECT } =
      consumer.events
    for (const name of [CONNECT, FETCH_START, START_BATCH_PROCESS, COMMIT_OFFSETS, STOP, DISCONNECT]) {
      consumer.on(name, ({ type }) => names.push(type))
    }
    consumer.on(GROUP_JOIN, ({ payload }) => {
      assignment = payload.memberAssignment
      expect([payload.groupId, payload.isLeader]).toEqual([groupId, true])
    })
    const crashed = new Promise<kafkajs.ConsumerCrashEvent['payload']>((resolve) => {
      consumer.on(CRASH, ({ payload }) => resolve(payload))
    })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      eachMessage: async () => {
        throw new Error('of the handler')
      },
    })
    const { groupId: of, restart, error } = await crashed
    expect([of, restart, error.message]).toEqual([groupId, false, 'of the handler'])
    await consumer.disconnect()
    expect(assignment).toEqual({ [topic]: [0] })
    expect(names[0]).toBe(CONNECT)
    expect(names.indexOf(FETCH_START)).toBeLessThan(names.indexOf(START_BATCH_PROCESS))
    expect(names).toContain(FETCH_START)
    expect(names).toContain(START_BATCH_PROCESS)
    expect(names.at(-1)).toBe(DISCONNECT)
  })

  it('administers topics, offsets, groups and configurations', async () => {
    const kafka = kafkaOf(library)
    const admin = kafka.admin()
    await admin.connect()
    // kafkajs joins the group to set its offsets, which takes seconds.
    const setter = kafkaOf(facade as unknown as Library).admin()
    await setter.connect()
    const topic = uniqueName('admin')
    const configEntries = [{ name: 'retention.ms', value: '7000000' }]
    const wanted = { topic, numPartitions: 2, replicationFactor: 1, configEntries }
    expect(await setter.createTopics({ topics: [wanted] })).toBe(true)
    expect(await admin.createTopics({ topics: [wanted] })).toBe(false)
    expect(await admin.listTopics()).toContain(topic)
    expect(await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] })).not.toBe(false)
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    expect(topics[0]?.name).toBe(topic)
    await fill(kafka, topic, numbers(5))
    const offsets = (await admin.fetchTopicOffsets(topic)).find(({ partition }) => partition === 0)
    expect(offsets).toEqual({ partition: 0, offset: '5', high: '5', low: '0' })
    const late = (await admin.fetchTopicOffsetsByTimestamp(topic, 0)).find(({ partition }) => partition === 0)
    expect(late?.offset).toBe('0')
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: library.ConfigResourceTypes.TOPIC, name: topic, configNames: ['retention.ms'] }],
    })
    expect(resources[0]?.configEntries[0]).toMatchObject({
      configName: 'retention.ms',
      configValue: '7000000',
    })
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: library.ConfigResourceTypes.TOPIC,
          name: topic,
          configEntries: [{ name: 'retention.ms', value: '8000000' }],
        },
      ],
    })
    const groupId = uniqueName('group')
    await setter.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '3' }] })
    const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] })
    expect(committed?.partitions.find(({ partition }) => partition === 0)?.offset).toBe('3')
    expect((await admin.listGroups()).groups.map((group) => group.groupId)).toContain(groupId)
    expect((await admin.describeGroups([groupId])).groups[0]).toMatchObject({ groupId, state: 'Empty' })
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] })
    expect((await admin.fetchTopicOffsets(topic)).find(({ partition }) => partition === 0)?.low).toBe('2')
    await setter.resetOffsets({ groupId, topic, earliest: true })
    await admin.deleteGroups([groupId])
    const failure = await admin.deleteGroups([groupId]).catch((error: unknown) => error)
    expect((failure as Error).name).toBe('KafkaJSDeleteGroupsError')
    expect((await admin.describeCluster()).brokers.length).toBeGreaterThan(0)
    await admin.deleteTopics({ topics: [topic] })
    await admin.disconnect()
    await setter.disconnect()
  })

  it('refuses calls that make no sense with an error that may not be tried again', async () => {
    const kafka = kafkaOf(library)
    const refused = async (call: () => unknown): Promise<void> => {
      const error = await Promise.resolve()
        .then(call)
        .catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(library.KafkaJSNonRetriableError)
      expect(error).toMatchObject({ name: 'KafkaJSNonRetriableError', retriable: false })
    }
    const topic = await topicOf()
    const producer = kafka.producer({ createPartitioner: library.Partitioners.DefaultPartitioner })
    await producer.connect()
    await refused(() => producer.send({ topic: '', messages: [] }))
    await refused(() => producer.send({ topic, messages: [{ key: 'k' } as kafkajs.Message] }))
    await refused(() => producer.transaction())
    await refused(() => producer.on('producer.banana' as never, () => {}))
    await producer.disconnect()
    await refused(() => kafka.consumer(undefined as never))
    const consumer = kafka.consumer({ groupId: uniqueName('group') })
    await consumer.connect()
    await refused(() => consumer.subscribe({ topics: topic as never }))
    await consumer.subscribe({ topics: [topic] })
    await refused(() => consumer.pause([{ topic }]))
    await refused(() => consumer.resume([{ topic }]))
    await refused(() => consumer.seek({ topic, partition: 0, offset: '0' }))
    await refused(() => consumer.commitOffsets([{ topic, partition: 0, offset: '0' }]))
    await consumer.disconnect()
    const admin = kafka.admin()
    await admin.connect()
    await refused(() => admin.createTopics({ topics: [{ topic: 'twice' }, { topic: 'twice' }] }))
    await refused(() => admin.deleteTopics({} as never))
    await refused(() => admin.fetchOffsets({} as never))
    await refused(() => admin.setOffsets({ groupId: 'g', topic, partitions: [] }))
    await admin.disconnect()
  })

  it('says which topic, group or partition something is wrong with, and whether to try again', async () => {
    const admin = kafkaOf(library).admin()
    await admin.connect()
    const topic = uniqueName('refused')
    const failure = async (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error)
    const topics = [{ topic, numPartitions: 1, replicationFactor: 99 }]
    const creation = await failure(admin.createTopics({ topics }))
    expect(creation).toMatchObject({
      name: 'KafkaJSAggregateError',
      errors: [
        { name: 'KafkaJSCreateTopicError', topic, type: 'INVALID_REPLICATION_FACTOR', retriable: false },
      ],
    })
    const groupId = uniqueName('absent')
    const { groups } = await admin.describeGroups([groupId])
    expect(groups).toMatchObject([{ groupId, state: 'Dead', members: [] }])
    expect(await failure(admin.deleteGroups([groupId]))).toMatchObject({
      name: 'KafkaJSDeleteGroupsError',
      groups: [{ groupId, error: { type: 'GROUP_ID_NOT_FOUND', retriable: false } }],
    })
    const present = await topicOf()
    const partitions = [{ partition: 99, offset: '1' }]
    expect(await failure(admin.deleteTopicRecords({ topic: present, partitions }))).toMatchObject({
      name: 'KafkaJSDeleteTopicRecordsError',
      partitions,
    })
    await admin.disconnect()
  })

  it('fails with an error of kafkajs when no broker answers, and disconnects before it ran', async () => {
    const kafka = kafkaOf(library)
    const unconnected = kafka.consumer({ groupId: uniqueName('group') })
    await unconnected.disconnect()
    const producer = kafka.producer()
    await producer.disconnect()
    const consumer = kafka.consumer({ groupId: uniqueName('group') })
    await consumer.connect()
    await consumer.disconnect()
    expect(() => library.logLevel.NOTHING).not.toThrow()
  })
})

describe('the façade', () => {
  it('works on several partitions at once, and on each in order', async () => {
    const kafka = new facade.Kafka({ brokers: bootstrap.split(','), logLevel: facade.logLevel.NOTHING })
    const topic = await topicOf(3)
    const producer = kafka.producer()
    await producer.connect()
    const messages = numbers(60).map((value) => ({ value, partition: Number(value) % 3 }))
    await producer.send({ topic, messages })
    await producer.disconnect()
    const consumer = kafka.consumer({ groupId: uniqueName('group') })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    const byPartition = new Map<number, number[]>()
    let working = 0
    let most = 0
    const { seen, all } = counter(60)
    await consumer.run({
      partitionsConsumedConcurrently: 3,
      eachMessage: async ({ partition, message }) => {
        most = Math.max(most, ++working)
        // Each broker's records come in their own time.
        await until(() => most > 1, 'work on a second partition')
        byPartition.set(partition, [...(byPartition.get(partition) ?? []), Number(`${message.value}`)])
        working--
        seen()
      },
    })
    await all
    await consumer.disconnect()
    expect(most).toBeGreaterThan(1)
    for (const values of byPartition.values())
      expect(values).toEqual(values.toSorted((one, other) => one - other))
  })

  it('fails with an error of kafkajs when a handler that may not be tried again throws', async () => {
    const kafka = new facade.Kafka({ brokers: bootstrap.split(','), logLevel: facade.logLevel.NOTHING })
    const topic = await topicOf()
    await fill(kafkaOf(kafkajs), topic, ['v'])
    const consumer = kafka.consumer({ groupId: uniqueName('group') })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const crashed = new Promise<boolean>((resolve) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload.restart))
    })
    await consumer.run({
      eachMessage: async () => {
        throw new facade.KafkaJSNonRetriableError('for good')
      },
    })
    expect(await crashed).toBe(false)
    await consumer.disconnect()
  })
})
