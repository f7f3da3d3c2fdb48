/**
 * Every property away from its default, against a running cluster: BOOTSTRAP=host:port, or a kafkito of its own. A record goes through a
 * producer and a consumer that have it; where the cluster can show an effect, it is looked for.
 */
import { describe, expect, it } from 'vitest'
import { AdminClient, type ClientConfig, Consumer, Producer, TopicPartition } from '../../client/index.ts'
import { needs } from './broker-needs.ts'
import { ConsumerWorld, nameOfError, take, values } from './consumer-support.ts'
import { uniqueName } from './support.ts'

const world = ConsumerWorld.use()

type Case = readonly [name: string, ...values: readonly (string | number | boolean | (() => void))[]]

/** Sends a record and reads it back; null when both went well. */
async function goesThrough(
  topic: string,
  sending: ClientConfig,
  reading: ClientConfig,
): Promise<string | null> {
  const base = { 'bootstrap.servers': world.bootstrap, log_level: 0 }
  await using producer = new Producer(base, sending)
  const offset = await new Promise<number | string>((resolve) => {
    producer.produce(topic, {
      value: 'x',
      partition: 0,
      onDelivery: (error, message) => resolve(error?.name() ?? message.offset() ?? 'no offset'),
    })
    void producer.flush(20)
  })
  if (typeof offset === 'string') return offset
  await using consumer = new Consumer(base, { 'group.id': uniqueName('properties'), ...reading })
  consumer.assign([new TopicPartition(topic, 0, offset)])
  const [message] = await take(consumer, 1)
  return message?.offset() === offset && `${message.value()}` === 'x' ? null : 'not read'
}

/** What fails, by property and value. */
async function failures(
  cases: readonly Case[],
  side: 'both' | 'producer' | 'consumer',
  beside: ClientConfig = {},
): Promise<string[]> {
  const topic = await world.topic()
  const failed: string[] = []
  const open = cases.flatMap(([name, ...all]) => all.map((value) => ({ name, value })))
  const work = async (): Promise<void> => {
    for (let next = open.shift(); next !== undefined; next = open.shift()) {
      const conf = { ...beside, [next.name]: next.value } as ClientConfig
      const failure = await goesThrough(
        topic,
        side === 'consumer' ? {} : conf,
        side === 'producer' ? {} : conf,
      ).catch((error: Error) => error.message)
      if (failure !== null) failed.push(`${next.name}=${next.value}: ${failure}`)
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
  return failed
}

describe('a record goes through', () => {
  it('with the properties of connections and metadata at other values', async () => {
    const cases: Case[] = [
      ['message.max.bytes', 1000],
      ['receive.message.max.bytes', 2147483647],
      ['max.in.flight.requests.per.connection', 1],
      ['max.in.flight', 3],
      ['metadata.recovery.strategy', 'none'],
      ['metadata.recovery.rebootstrap.trigger.ms', 0, 2147483647],
      ['topic.metadata.refresh.interval.ms', -1, 100],
      ['metadata.max.age.ms', 1, 86400000],
      ['topic.metadata.refresh.fast.interval.ms', 1, 60000],
      ['topic.metadata.propagation.max.ms', 0],
      ['topic.blacklist', '^nobody-has-this'],
      ['allow.auto.create.topics', false, true],
      ['socket.timeout.ms', 300000],
      ['socket.connection.setup.timeout.ms', 60000],
      ['socket.keepalive.enable', true],
      ['socket.nagle.disable', false],
      ['broker.address.family', 'v4'],
      ['client.dns.lookup', 'use_all_dns_ips'],
      ['connections.max.idle.ms', 60000],
      ['reconnect.backoff.ms', 0],
      ['reconnect.backoff.max.ms', 100],
      ['retry.backoff.ms', 1],
      ['retry.backoff.max.ms', 100],
      ['api.version.request.timeout.ms', 60000],
      ['client.rack', 'rack-of-nobody'],
      ['client.id', 'an id with spaces, and ü'],
      ['log.connection.close', false],
      ['enable.metrics.push', false],
      ['client.software.name', 'somebody-else'],
      ['client.software.version', '9.9.9'],
      ['security.protocol', 'plaintext', 'PLAINTEXT'],
      ['throttle_cb', () => {}],
      ['error_cb', () => {}],
    ]
    expect(await failures(cases, 'both')).toEqual([])
  })

  it('with the properties of the producer at other values', async () => {
    const cases: Case[] = [
      ['acks', 1, -1, 'all'],
      ['request.required.acks', 1],
      ['request.timeout.ms', 900000],
      ['delivery.timeout.ms', 0, 60000],
      ['message.timeout.ms', 60000],
      ['retries', 0, 1],
      ['linger.ms', 0, 0.5],
      ['batch.num.messages', 1],
      ['batch.size', 1],
      ['queue.buffering.max.messages', 0, 1],
      ['queue.buffering.max.kbytes', 1],
      ['compression.codec', 'none', 'gzip', 'snappy', 'lz4', 'zstd'],
      ['partitioner', 'murmur2_random', 'fnv1a'],
      ['sticky.partitioning.linger.ms', 0],
      ['enable.idempotence', true],
      ['queuing.strategy', 'lifo'],
      ['queue.buffering.backpressure.threshold', 1000],
      ['delivery.report.only.error', false],
      ['transaction.timeout.ms', 1000],
    ]
    expect(await failures(cases, 'producer')).toEqual([])
    const gapless: Case[] = [['enable.gapless.guarantee', true]]
    expect(await failures(gapless, 'producer', { 'enable.idempotence': true })).toEqual([])
    for (const codec of ['gzip', 'lz4', 'zstd']) {
      const levels: Case[] = [['compression.level', 1, 9, 12]]
      expect(await failures(levels, 'producer', { 'compression.codec': codec })).toEqual([])
    }
  })

  it('with the properties of the consumer at other values', async () => {
    const cases: Case[] = [
      ['group.instance.id', 'static'],
      ['group.protocol', 'consumer'],
      ['partition.assignment.strategy', 'cooperative-sticky', 'roundrobin'],
      ['session.timeout.ms', 6000],
      ['heartbeat.interval.ms', 100],
      ['coordinator.query.interval.ms', 1000],
      ['max.poll.interval.ms', 60000],
      ['enable.auto.commit', false],
      ['auto.commit.interval.ms', 0, 100],
      ['enable.auto.offset.store', false],
      ['auto.offset.reset', 'earliest', 'error'],
      ['isolation.level', 'read_uncommitted'],
      ['enable.partition.eof', true],
      ['check.crcs', true],
      ['queued.min.messages', 1],
      ['queued.max.messages.kbytes', 1],
      ['fetch.wait.max.ms', 0, 100],
      ['fetch.max.bytes', 1000000],
      ['fetch.message.max.bytes', 1],
      ['max.partition.fetch.bytes', 1],
      ['fetch.queue.backoff.ms', 0],
      ['fetch.error.backoff.ms', 0],
    ]
    expect(await failures(cases, 'consumer')).toEqual([])
    // The broker answers when the time is over, though there is less than was asked for.
    const patient: Case[] = [['fetch.min.bytes', 100000000]]
    expect(await failures(patient, 'consumer', { 'fetch.wait.max.ms': 50 })).toEqual([])
  })

  it('with the properties that are without effect', async () => {
    const both: Case[] = [
      ['builtin.features', 'gzip'],
      ['message.copy.max.bytes', 0],
      ['topic.metadata.refresh.fast.cnt', 0],
      ['topic.metadata.refresh.sparse', false],
      ['socket.blocking.max.ms', 1],
      ['socket.send.buffer.bytes', 1000],
      ['socket.receive.buffer.bytes', 1000],
      ['socket.max.fails', 0],
      ['broker.address.ttl', 0],
      ['reconnect.backoff.jitter.ms', 100],
      ['log.queue', true],
      ['log.thread.name', false],
      ['enable.random.seed', false],
      ['internal.termination.signal', 29],
      ['api.version.request', true],
      ['api.version.fallback.ms', 1000],
      ['broker.version.fallback', '0.9.0'],
      ['ssl.ca.certificate.stores', 'CA'],
      ['sasl.kerberos.service.name', 'other'],
      ['sasl.kerberos.principal', 'other'],
      ['sasl.kerberos.kinit.cmd', 'false'],
      ['sasl.kerberos.keytab', '/nowhere'],
      ['sasl.kerberos.min.time.before.relogin', 0],
      ['enabled_events', 1],
      ['enable.sparse.connections', false],
      ['metadata.request.timeout.ms', 10],
    ]
    expect(await failures(both, 'both')).toEqual([])
    expect(await failures([['produce.offset.report', true]], 'producer')).toEqual([])
    const reading: Case[] = [
      ['auto.commit.enable', false],
      ['offset.store.method', 'broker'],
      ['offset.store.path', '/nowhere'],
      ['offset.store.sync.interval.ms', 100],
      ['consume.callback.max.messages', 1],
    ]
    expect(await failures(reading, 'consumer')).toEqual([])
  })
})

describe('a property', () => {
  it(
    'group.remote.assignor or partition.assignment.strategy names the assignor that the group is described with',
    needs('ConsumerGroupHeartbeat', 1),
    async () => {
      const topic = await world.topic()
      await using admin = new AdminClient({ 'bootstrap.servers': world.bootstrap, log_level: 0 })
      for (const conf of [
        { 'group.protocol': 'consumer', 'group.remote.assignor': 'range' },
        { 'group.protocol': 'consumer', 'group.remote.assignor': 'uniform' },
        { 'partition.assignment.strategy': 'roundrobin', 'group.protocol.type': 'consumer' },
      ]) {
        const groupId = uniqueName('assignor')
        const consumer = world.consumer({ 'group.id': groupId, ...conf })
        consumer.subscribe([topic])
        while (consumer.assignment().length === 0) await consumer.poll(0.1)
        const described = await admin.describeConsumerGroups([groupId]).get(groupId)
        expect(described?.partitionAssignor).toBe(
          conf['group.remote.assignor'] ?? conf['partition.assignment.strategy'],
        )
      }
    },
  )

  it('in default.topic.config overrides the same one outside of it', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 3)
    const consumer = world.consumer({
      'auto.offset.reset': 'latest',
      'default.topic.config': { 'auto.offset.reset': 'earliest' },
    })
    consumer.subscribe([topic])
    expect(values(await take(consumer, 3))).toEqual(['0', '1', '2'])
  })

  it('topic.blacklist hides topics from a subscription that matches them', async () => {
    const name = uniqueName('listed')
    const kept = await world.topic(1, {}, `${name}-kept`)
    const hidden = await world.topic(1, {}, `${name}-hidden`)
    await world.produce(hidden, 0, 1)
    await world.produce(kept, 1, 2)
    const consumer = world.consumer({ 'topic.blacklist': '^.*-hidden$' })
    consumer.subscribe([`^${name}`])
    expect(values(await take(consumer, 1))).toEqual(['1'])
    expect(consumer.assignment().map(({ topic }) => topic)).toEqual([kept])
  })

  it('queue.buffering.max.kbytes bounds the bytes that wait, until reports were served', async () => {
    const topic = await world.topic()
    const base = { 'bootstrap.servers': world.bootstrap, log_level: 0, 'linger.ms': 60000 }
    await using producer = new Producer(base, { 'queue.buffering.max.kbytes': 1 })
    const value = Buffer.alloc(600)
    for (let round = 0; round < 2; round++) {
      producer.produce(topic, { value, partition: 0 })
      expect(await nameOfError(() => producer.produce(topic, { value, partition: 0 }))).toBe('_QUEUE_FULL')
      expect(await producer.flush(20)).toBe(0)
    }
  })

  it('on_delivery hears of every message, logger of what debug asks for', async () => {
    const topic = await world.topic()
    const lines: unknown[] = []
    const heard: (string | null)[] = []
    await using producer = new Producer({
      'bootstrap.servers': world.bootstrap,
      debug: 'msg,broker',
      log_level: 7,
      logger: { log: (...parts: unknown[]) => void lines.push(parts) },
      on_delivery: (error) => void heard.push(error?.name() ?? null),
    })
    producer.produce(topic, { value: 'x' })
    expect(await producer.flush(20)).toBe(0)
    expect(heard).toEqual([null])
    expect(lines.length).toBeGreaterThan(0)
  })
})
