/** Edge cases of the documented client API that no other suite holds, against a running cluster: BOOTSTRAP=host:port, or a kafkito of their own. */
import { afterEach, describe, expect, it } from 'vitest'
import { startCluster } from '../../broker/index.ts'
import {
  AdminClient,
  type BatchMessage,
  type ClientConfig,
  ConfigResource,
  type Consumer,
  consistent,
  fnv1a,
  type KafkaError,
  type Message,
  murmur2,
  Producer,
  TIMESTAMP_CREATE_TIME,
  TIMESTAMP_LOG_APPEND_TIME,
  TopicPartition,
} from '../../client/index.ts'
import { fieldsOf } from '../support/client-api/statistics.ts'
import { knows } from './broker-needs.ts'
import { ConsumerWorld, nameOfError, pollUntil, take, values } from './consumer-support.ts'
import { uniqueName } from './support.ts'

const world = ConsumerWorld.use({ 'transaction.abort.timed.out.transaction.cleanup.interval.ms': 200 })
const at = (topic: string, offset?: number, partition = 0): TopicPartition =>
  new TopicPartition(topic, partition, offset)

const open: Producer[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((producer) => producer.close({ timeoutMs: 0 })))
})

function producer(conf: ClientConfig = {}): Producer {
  const made = new Producer({ 'bootstrap.servers': world.bootstrap, log_level: 0 }, conf)
  open.push(made)
  return made
}

/** A delivery callback, and the names of the errors that it was told. */
function reports(): {
  names: (string | null)[]
  messages: Message[]
  onDelivery: (error: KafkaError | null, message: Message) => void
} {
  const names: (string | null)[] = []
  const messages: Message[] = []
  return {
    names,
    messages,
    onDelivery: (error, message) => {
      names.push(error?.name() ?? null)
      messages.push(message)
    },
  }
}

describe('messages', () => {
  it('nulls, empty bytes and headers come back as they went', async () => {
    const topic = await world.topic()
    const sender = producer()
    const headers: [string, string | Buffer | null][] = [
      ['a', '1'],
      ['a', null],
      ['b', Buffer.of(0)],
    ]
    sender.produce(topic)
    sender.produce(topic, { key: '', value: '', headers })
    await sender.flush(20)
    const consumer = world.consumer()
    consumer.assign([at(topic)])
    const [bare, empty] = await take(consumer, 2)
    expect([bare?.key(), bare?.value(), bare?.headers(), bare?.len()]).toEqual([null, null, null, 0])
    expect([empty?.key()?.length, empty?.value()?.length]).toEqual([0, 0])
    expect(empty?.headers()).toEqual([
      ['a', Buffer.from('1')],
      ['a', null],
      ['b', Buffer.of(0)],
    ])
  })

  it('timestamps are those of the message, or of the broker where the topic says so', async () => {
    const created = await world.topic()
    const appended = await world.topic(1, { 'message.timestamp.type': 'LogAppendTime' })
    const sender = producer()
    const told = reports()
    sender.produce(created, { timestamp: 1_600_000_000_000, onDelivery: told.onDelivery })
    sender.produce(created, { timestamp: 0, onDelivery: told.onDelivery })
    sender.produce(appended, { timestamp: 1_600_000_000_000, onDelivery: told.onDelivery })
    await sender.flush(20)
    const consumer = world.consumer()
    consumer.assign([at(created), at(appended)])
    const read = await take(consumer, 3)
    for (const messages of [told.messages, read]) {
      const [given, now] = messages.filter((message) => message.topic() === created)
      const ofBroker = messages.find((message) => message.topic() === appended)
      expect(given?.timestamp()).toEqual([TIMESTAMP_CREATE_TIME, 1_600_000_000_000])
      expect(now?.timestamp()[0]).toBe(TIMESTAMP_CREATE_TIME)
      expect(now?.timestamp()[1]).toBeGreaterThan(1_700_000_000_000)
      expect(ofBroker?.timestamp()[0]).toBe(TIMESTAMP_LOG_APPEND_TIME)
      expect(ofBroker?.timestamp()[1]).toBeGreaterThan(1_700_000_000_000)
    }
    expect(told.messages[0]?.latency()).toBeGreaterThan(0)
    expect(read[0]?.leaderEpoch()).toBeGreaterThanOrEqual(0)
  })

  it('keys go where murmur2, CRC-32 and FNV-1a say', async () => {
    const topic = await world.topic(7)
    const hashes = {
      consistent,
      consistent_random: consistent,
      murmur2,
      murmur2_random: murmur2,
      fnv1a,
      fnv1a_random: fnv1a,
    }
    for (const [partitioner, hash] of Object.entries(hashes)) {
      const sender = producer({ partitioner })
      const told = reports()
      const keys = ['kafka', 'giberish123456789', '1234', '4', 'PreAmbleWillBeRemoved,ThePrePartThatIs']
      for (const key of keys) sender.produce(topic, { key, onDelivery: told.onDelivery })
      await sender.flush(20)
      const places = new Map(told.messages.map((message) => [`${message.key()}`, message.partition()]))
      expect([partitioner, Object.fromEntries(places)]).toEqual([
        partitioner,
        Object.fromEntries(keys.map((key) => [key, hash(Buffer.from(key), 7)])),
      ])
    }
  })

  it('messages without key stay together for the sticky time, and spread at random', async () => {
    const topic = await world.topic(10)
    const partitionsOf = async (conf: ClientConfig): Promise<number> => {
      const sender = producer(conf)
      const told = reports()
      await sender.listTopics(topic, 10)
      for (let index = 0; index < 100; index++)
        sender.produce(topic, { value: 'x', onDelivery: told.onDelivery })
      await sender.flush(20)
      expect(told.names).toHaveLength(100)
      return new Set(told.messages.map((message) => message.partition())).size
    }
    expect(await partitionsOf({ 'sticky.partitioning.linger.ms': 60_000 })).toBe(1)
    expect(await partitionsOf({ partitioner: 'random' })).toBeGreaterThan(1)
  })
})

describe('the local queue', () => {
  it('a queue of 100,000 is full until reports were served', async () => {
    const topic = await world.topic()
    const sender = producer()
    let served = 0
    const onDelivery = (): void => void served++
    for (let index = 0; index < 100_000; index++) sender.produce(topic, { partition: 0, onDelivery })
    expect(await nameOfError(() => sender.produce(topic, { onDelivery }))).toBe('_QUEUE_FULL')
    expect(sender.length).toBe(100_000)
    const other = producer()
    let end = 0
    while (end < 100_000) {
      const consumer = world.consumer()
      end = (await consumer.getWatermarkOffsets(at(topic), 20))?.[1] ?? 0
      await consumer.close()
    }
    await other.listTopics(topic, 10)
    expect(await nameOfError(() => sender.produce(topic, { onDelivery }))).toBe('_QUEUE_FULL')
    expect(served).toBe(0)
    await sender.poll(10)
    expect(served).toBeGreaterThan(0)
    expect(sender.len()).toBe(100_000 - served)
    sender.produce(topic, { partition: 0, onDelivery })
    expect(await sender.flush(30)).toBe(0)
  })

  it('a message that is too large is refused at once, one of a batch marked', async () => {
    const topic = await world.topic()
    const sender = producer({ 'message.max.bytes': 1000 })
    const large = Buffer.alloc(1001)
    expect(await nameOfError(() => sender.produce(topic, { value: large }))).toBe('MSG_SIZE_TOO_LARGE')
    expect(sender.length).toBe(0)
    const told = reports()
    const messages: BatchMessage[] = [{ value: 'a' }, { value: large }, { value: 'b' }]
    expect(sender.produceBatch(topic, messages, { partition: 0, onDelivery: told.onDelivery })).toBe(2)
    expect(messages.map(({ _error }) => _error?.name())).toEqual([undefined, 'MSG_SIZE_TOO_LARGE', undefined])
    expect(await sender.flush(20)).toBe(0)
    expect(told.messages.map((message) => `${message.value()}`)).toEqual(['a', 'b'])
  })

  it('a partition that does not exist fails at once, or in the report before metadata came', async () => {
    const topic = await world.topic(3)
    const sender = producer()
    const told = reports()
    sender.produce(topic, { partition: 99, onDelivery: told.onDelivery })
    await sender.flush(20)
    expect(told.names).toEqual(['_UNKNOWN_PARTITION'])
    expect(await nameOfError(() => sender.produce(topic, { partition: 99 }))).toBe('_UNKNOWN_PARTITION')
  })

  it('a message for a topic that does not exist fails after the propagation time, unless the topic appears', async () => {
    const conf = { 'allow.auto.create.topics': false, 'topic.metadata.propagation.max.ms': 1500 } as const
    const sender = producer(conf)
    const told = reports()
    const started = process.hrtime.bigint()
    sender.produce(uniqueName('missing'), { onDelivery: told.onDelivery })
    await sender.flush(20)
    expect(Number(process.hrtime.bigint() - started) / 1e6).toBeGreaterThanOrEqual(1490)
    expect(told.names[0]).toMatch(/^(_UNKNOWN_TOPIC|UNKNOWN_TOPIC_OR_PART)$/)
    const late = uniqueName('late')
    const patient = producer({ ...conf, 'topic.metadata.propagation.max.ms': 30_000 })
    patient.produce(late, { partition: 0, value: 'x', onDelivery: told.onDelivery })
    expect(await patient.flush(0.3)).toBe(1)
    await world.topic(1, {}, late)
    expect(await patient.flush(30)).toBe(0)
    expect(told.names[1]).toBeNull()
  })

  it('flush(0) counts what is outstanding, flush() waits for no linger nor leaves out what callbacks produce', async () => {
    const topic = await world.topic()
    const sender = producer({ 'linger.ms': 60_000 })
    const told = reports()
    sender.produce(topic, {
      value: 'first',
      onDelivery: (error, message) => {
        told.onDelivery(error, message)
        sender.produce(topic, { value: 'second', onDelivery: told.onDelivery })
      },
    })
    expect(await sender.flush(0)).toBe(1)
    expect(await sender.flush(20)).toBe(0)
    expect(told.messages.map((message) => `${message.value()}`)).toEqual(['first', 'second'])
  })

  it('a callback that throws ends the poll with what it threw, and the next poll goes on', async () => {
    const topic = await world.topic()
    const sender = producer()
    const thrown = new Error('enough')
    const told = reports()
    sender.produce(topic, {
      onDelivery: () => {
        throw thrown
      },
    })
    sender.produce(topic, { onDelivery: told.onDelivery })
    await expect(sender.flush(20)).rejects.toBe(thrown)
    expect(await sender.flush(20)).toBe(0)
    expect(told.names).toEqual([null])
  })

  it('purge reports every waiting message, and nothing is left', async () => {
    const topic = await world.topic()
    const sender = producer({ 'linger.ms': 60_000 })
    const told = reports()
    for (let index = 0; index < 10; index++) sender.produce(topic, { onDelivery: told.onDelivery })
    await sender.purge({ inQueue: true, inFlight: false, blocking: true })
    expect(told.names).toEqual([])
    await sender.poll(5)
    expect(told.names).toEqual(Array(10).fill('_PURGE_QUEUE'))
    expect(sender.length).toBe(0)
    expect(sender.purge({ blocking: false })).toBeUndefined()
  })

  it('successes stay silent with delivery.report.only.error, and free their places', async () => {
    const topic = await world.topic(1, { 'max.message.bytes': '2000' })
    const sender = producer({ 'delivery.report.only.error': true, 'queue.buffering.max.messages': 2 })
    const told = reports()
    sender.produce(topic, { onDelivery: told.onDelivery })
    sender.produce(topic, { value: Buffer.alloc(5000), onDelivery: told.onDelivery })
    expect(await nameOfError(() => sender.produce(topic))).toBe('_QUEUE_FULL')
    expect(await sender.flush(20)).toBe(0)
    expect(told.names).toEqual(['MSG_SIZE_TOO_LARGE'])
    sender.produce(topic)
    expect(await sender.flush(20)).toBe(0)
  })

  it('a closed producer refuses messages, counts none and closes again', async () => {
    const topic = await world.topic()
    const sender = producer()
    sender.produce(topic)
    expect(await sender.close()).toBe(true)
    expect(await nameOfError(() => sender.produce(topic))).toBe('ClosedError')
    expect([sender.len(), sender.length]).toEqual([0, 0])
    expect(await sender.close()).toBe(true)
  })

  it('messages for brokers that are gone time out, and error_cb hears why', async () => {
    const cluster = await startCluster()
    const codes = new Set<string>()
    const error_cb = (error: KafkaError): void => void codes.add(error.name())
    await using sender = new Producer(
      { 'bootstrap.servers': cluster.bootstrapServers, log_level: 0 },
      { 'delivery.timeout.ms': 1500, 'socket.timeout.ms': 1000, error_cb },
    )
    const told = reports()
    try {
      sender.produce('t', { value: 'stored', onDelivery: told.onDelivery })
      await sender.flush(20)
    } finally {
      await cluster.stop()
    }
    sender.produce('t', { value: 'lost', onDelivery: told.onDelivery })
    while (told.names.length < 2) await sender.poll(20)
    expect(told.names[1]).toBe('_MSG_TIMED_OUT')
    while (!codes.has('_ALL_BROKERS_DOWN')) await sender.poll(20)
    expect(codes).toContain('_TRANSPORT')
  })
})

describe('transactions', () => {
  it('a transaction older than its timeout is aborted by the coordinator', async () => {
    const topic = await world.topic()
    const conf = { 'transaction.timeout.ms': 1000, 'transactional.id': uniqueName('id') }
    const sender = new Producer({ 'bootstrap.servers': world.bootstrap, log_level: 0 }, conf)
    await sender.initTransactions(30)
    sender.beginTransaction()
    sender.produce(topic, { value: 'late', partition: 0 })
    await sender.flush(20)
    // The marker of the abort is the second record.
    const consumer = world.consumer({ 'enable.partition.eof': true })
    let end = 0
    while (end < 2) end = (await consumer.getWatermarkOffsets(at(topic), 20))?.[1] ?? 0
    consumer.assign([at(topic)])
    expect((await consumer.poll(20))?.error()?.name()).toBe('_PARTITION_EOF')
    expect(await nameOfError(() => sender.commitTransaction(30))).not.toBe('none')
    // Where the coordinator has fenced the producer with that, which is fatal, its end tells so.
    await nameOfError(() => sender.close({ timeoutMs: 0 }))
  }, 90_000)
})

describe('a consumer', () => {
  it('an event cannot be committed', async () => {
    const topic = await world.topic()
    const consumer = world.consumer({ 'enable.partition.eof': true, 'enable.auto.commit': false })
    consumer.assign([at(topic)])
    const end = await consumer.poll(20)
    expect(end?.error()?.name()).toBe('_PARTITION_EOF')
    if (end === null) throw new Error('no event')
    expect(await nameOfError(() => consumer.commit({ message: end }))).toBe('_INVALID_ARG')
    expect(await nameOfError(() => consumer.commit({ message: end, async: false }))).toBe('_INVALID_ARG')
  })

  it('storeOffsets takes one argument', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 1)
    const consumer = world.consumer({ 'enable.auto.offset.store': false })
    consumer.assign([at(topic)])
    const [message] = await take(consumer, 1)
    if (message === undefined) throw new Error('no message')
    expect(await nameOfError(() => consumer.storeOffsets({ message, offsets: [at(topic, 1)] }))).toBe(
      'ValueError',
    )
    const offsets = [at(topic, 1), at(topic, 1, 9)]
    consumer.storeOffsets({ offsets })
    expect(offsets.map(({ error }) => error?.name())).toEqual([undefined, '_UNKNOWN_PARTITION'])
  })

  it('a member that pauses everything stays in its group', async () => {
    const topic = await world.topic(1)
    await world.produce(topic, 0, 3)
    const conf = { 'session.timeout.ms': 6000, 'heartbeat.interval.ms': 100, 'max.poll.interval.ms': 6000 }
    const consumer = world.consumer(conf)
    const log: string[] = []
    consumer.subscribe([topic], {
      onRevoke: () => void log.push('revoke'),
      onLost: () => void log.push('lost'),
    })
    expect(values(await take(consumer, 1))).toEqual(['0'])
    const foreign = at(topic, undefined, 7)
    consumer.pause([...consumer.assignment(), foreign])
    expect(foreign.error).not.toBeNull()
    const started = process.hrtime.bigint()
    while (process.hrtime.bigint() - started < 7_000_000_000n) expect(await consumer.poll(0.5)).toBeNull()
    expect(log).toEqual([])
    consumer.resume(consumer.assignment())
    expect(values(await take(consumer, 2))).toEqual(['1', '2'])
  })

  const rebalances: readonly (readonly [string, ClientConfig])[] = [
    ['range', { 'partition.assignment.strategy': 'range' }],
    ['cooperative-sticky', { 'partition.assignment.strategy': 'cooperative-sticky' }],
    ['consumer', { 'group.protocol': 'consumer' }],
  ]
  const known = rebalances.filter(([name]) => name !== 'consumer' || knows('ConsumerGroupHeartbeat', 1))

  it.each(known)('assigning of the wrong family is refused in a group: %s', async (name, conf) => {
    const topic = await world.topic(1)
    const consumer = world.consumer(conf)
    const log: string[] = []
    const wrong = async (self: Consumer, partitions: readonly TopicPartition[]): Promise<void> => {
      log.push(
        name === 'range'
          ? await nameOfError(() => self.incrementalAssign(partitions))
          : await nameOfError(() => self.assign(partitions)),
      )
    }
    consumer.subscribe([topic], { onAssign: wrong })
    expect(await pollUntil([consumer], () => log.length > 0)).toBe(true)
    expect(log).toEqual(['_STATE'])
    const assigned = consumer.assignment()
    const other = name === 'range' ? () => consumer.incrementalUnassign(assigned) : () => consumer.unassign()
    expect(await nameOfError(other)).toBe('_STATE')
    expect(consumer.memberid()).toBe(consumer.memberId())
  })

  it('every method of a closed consumer says so', async () => {
    const consumer = world.consumer()
    const kept = at('t', 0)
    await consumer.close()
    await consumer.close()
    const calls: Record<string, () => unknown> = {
      subscribe: () => consumer.subscribe(['t']),
      unsubscribe: () => consumer.unsubscribe(),
      assign: () => consumer.assign([kept]),
      unassign: () => consumer.unassign(),
      incrementalAssign: () => consumer.incrementalAssign([kept]),
      incrementalUnassign: () => consumer.incrementalUnassign([kept]),
      assignment: () => consumer.assignment(),
      memberid: () => consumer.memberid(),
      consumerGroupMetadata: () => consumer.consumerGroupMetadata(),
      poll: () => consumer.poll(0),
      consume: () => consumer.consume(1, 0),
      commit: () => consumer.commit({ asynchronous: false }),
      storeOffsets: () => consumer.storeOffsets({ offsets: [kept] }),
      committed: () => consumer.committed([kept], 1),
      position: () => consumer.position([kept]),
      seek: () => consumer.seek(kept),
      getWatermarkOffsets: () => consumer.getWatermarkOffsets(kept, { timeoutMs: 1000, nullOnTimeout: true }),
      offsetsForTimes: () => consumer.offsetsForTimes([kept], 1),
      pause: () => consumer.pause([kept]),
      resume: () => consumer.resume([kept]),
      listTopics: () => consumer.listTopics(undefined, 1),
      setSaslCredentials: () => consumer.setSaslCredentials('user', 'password'),
    }
    for (const [name, call] of Object.entries(calls)) {
      let thrown: unknown
      try {
        await call()
      } catch (error) {
        thrown = error
      }
      expect([name, (thrown as Error | undefined)?.message]).toEqual([name, 'Consumer closed'])
    }
  })
})

describe('the cluster', () => {
  it('configurations of two brokers cannot be described by one call', async () => {
    await using admin = new AdminClient({ 'bootstrap.servers': world.bootstrap })
    const brokers = [new ConfigResource('broker', '1'), new ConfigResource('broker', '2')]
    const code = await nameOfError(() => admin.describeConfigs(brokers).all())
    expect(code).toBe('_CONFLICT')
  })

  it('metadata tells brokers, controller, and the replicas of every partition', async () => {
    const topic = await world.topic(2)
    const consumer = world.consumer()
    const { clusterId, controllerId, brokers, topics, origBrokerId, origBrokerName } =
      await consumer.listTopics(topic, 20)
    expect(clusterId).toMatch(/^[\w-]{22}$/)
    // -1: an entry of bootstrap.servers, whose number was not asked for.
    expect([-1, ...brokers.keys()]).toContain(origBrokerId)
    expect(brokers.has(controllerId)).toBe(true)
    expect(origBrokerName).toContain(':')
    for (const { id, host, port } of brokers.values()) {
      expect(brokers.get(id)?.host).toBe(host)
      expect(port).toBeGreaterThan(0)
    }
    const told = topics.get(topic)
    expect([told?.topic, told?.error, told?.partitions.size]).toEqual([topic, null, 2])
    for (const [number, { id, leader, replicas, isrs, error }] of told?.partitions ?? []) {
      expect([id, error]).toEqual([number, null])
      expect(replicas).toContain(leader)
      expect(isrs).toContain(leader)
    }
  })

  it('statistics have every documented field', async () => {
    const topic = await world.topic()
    const documents: Record<string, unknown>[] = []
    const conf = {
      'statistics.interval.ms': 200,
      stats_cb: (json: string): void => void documents.push(JSON.parse(json)),
    }
    const sender = producer({ ...conf, 'enable.idempotence': true })
    sender.produce(topic, { value: 'x', partition: 0 })
    await sender.flush(20)
    const consumer = world.consumer(conf)
    consumer.subscribe([topic])
    await take(consumer, 1)
    const last = (type: string): Record<string, unknown> | undefined =>
      documents.findLast((document) => document.type === type)
    documents.length = 0
    while (last('producer') === undefined || last('consumer') === undefined) {
      await sender.poll(0.2)
      await consumer.poll(0.2)
    }
    const missing = (level: string, object: unknown): string[] =>
      fieldsOf(level)
        .filter((field) => !Object.hasOwn(object as object, field))
        .map((field) => `${level}.${field}`)
    for (const type of ['producer', 'consumer']) {
      const document = last(type) ?? {}
      const brokers = Object.values(document.brokers as object) as Record<string, unknown>[]
      const ofTopic = (document.topics as Record<string, { partitions: Record<string, unknown> }>)[topic]
      expect(missing('top', document)).toEqual([])
      expect(brokers.flatMap((broker) => missing('broker', broker))).toEqual([])
      expect(brokers.flatMap((broker) => missing('window', broker.rtt))).toEqual([])
      expect(missing('topic', ofTopic)).toEqual([])
      expect(missing('partition', ofTopic?.partitions['0'])).toEqual([])
    }
    expect(missing('cgrp', last('consumer')?.cgrp)).toEqual([])
    expect(missing('eos', last('producer')?.eos)).toEqual([])
  })
})
