/** Addresses that lead nowhere, connections that break, positions that do not exist: against BOOTSTRAP=host:port, or a kafkito of its own. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { AdminClient, type Message, Producer, TopicPartition } from '../../client/index.ts'
import { ConsumerWorld, nameOfError, numbers, take, values } from './consumer-support.ts'
import { uniqueName } from './support.ts'

const world = ConsumerWorld.use()

/** A port where nobody listens. */
async function deadAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `127.0.0.1:${port}`
}

/** Stands before the cluster and breaks so many connections after so many bytes of their answers. */
async function brokenProxy(breaks: number, afterBytes: number) {
  const [host = '', port = ''] = (world.bootstrap.split(',')[0] ?? '').split(':')
  const sockets = new Set<Socket>()
  let accepted = 0
  const server = createServer((socket) => {
    const isBroken = accepted++ < breaks
    const upstream = connect(Number(port), host)
    let left = afterBytes
    for (const one of [socket, upstream]) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        socket.destroy()
        upstream.destroy()
      })
    }
    socket.pipe(upstream)
    upstream.on('data', (bytes) => {
      if (!isBroken) {
        socket.write(bytes)
        return
      }
      const part = bytes.subarray(0, left)
      left -= part.length
      socket.write(part)
      if (left === 0) socket.end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    accepted: () => accepted,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('bootstrap', () => {
  it('goes on with the next address when a name does not resolve and a broker is dead', async () => {
    const topic = await world.topic()
    const heard = new Set<string>()
    const servers = ['no-such-host.invalid:9092', await deadAddress(), world.bootstrap]
    await using producer = new Producer({
      'bootstrap.servers': servers.join(),
      'reconnect.backoff.max.ms': 200,
      log_level: 0,
      error_cb: (error) => void heard.add(error.name()),
    })
    const [first, second] = [producer.send(topic, { value: 'a' }), producer.send(topic, { value: 'b' })]
    expect((await first).error()).toBeNull()
    expect((await second).error()).toBeNull()
    expect(await producer.flush(20)).toBe(0)
    expect([...heard].filter((name) => !['_RESOLVE', '_TRANSPORT'].includes(name))).toEqual([])
  })

  it('without any address that leads somewhere is told by error_cb, keeps messages, and can be closed', async () => {
    const heard = new Set<string>()
    const producer = new Producer({
      'bootstrap.servers': `no-such-host.invalid:9092,${await deadAddress()}`,
      'reconnect.backoff.max.ms': 200,
      log_level: 0,
      error_cb: (error) => void heard.add(error.name()),
    })
    const failure = await nameOfError(() => producer.listTopics(null, { timeoutMs: 100 }))
    expect(['_RESOLVE', '_TRANSPORT', '_TIMED_OUT']).toContain(failure)
    producer.produce('t', { value: 'x' })
    while (!heard.has('_ALL_BROKERS_DOWN')) expect(await producer.flush({ timeoutMs: 50 })).toBe(1)
    expect(heard.has('_TRANSPORT')).toBe(true)
    await producer.close({ timeoutMs: 0 })
    expect(producer.len()).toBe(0)
  })

  it.each([1, 30, 120])('survives answers that end after %i bytes', async (afterBytes) => {
    const topic = await world.topic()
    await using proxy = await brokenProxy(3, afterBytes)
    await using producer = new Producer({
      'bootstrap.servers': proxy.address,
      'reconnect.backoff.ms': 10,
      log_level: 0,
    })
    const sent = await Promise.all(
      numbers(0, 5).map((value) => producer.send(topic, { value, partition: 0 })),
    )
    expect(sent.map((message) => message.offset())).toEqual([0, 1, 2, 3, 4])
    expect(proxy.accepted()).toBeGreaterThan(3)
  })
})

describe('a position outside of the log', () => {
  it.each([
    ['earliest', ['0', '1', '2']],
    ['latest', ['3']],
    ['error', []],
  ] as const)('leads where auto.offset.reset=%s says', async (policy, expected) => {
    const topic = await world.topic()
    await world.produce(topic, 0, 3)
    const consumer = world.consumer({ 'auto.offset.reset': policy, 'enable.partition.eof': true })
    const event = async (): Promise<[string | undefined, number | null]> => {
      for (;;) {
        const message = await consumer.poll(10)
        if (message !== null && message.error() !== null) return [message.error()?.name(), message.offset()]
      }
    }
    const place = new TopicPartition(topic, 0)
    consumer.assign([new TopicPartition(topic, 0, 0)])
    const events: Message[] = []
    expect(values(await take(consumer, 3, events))).toEqual(['0', '1', '2'])
    expect(await event()).toEqual(['_PARTITION_EOF', 3])
    await consumer.seek(new TopicPartition(topic, 0, 1000))
    if (policy === 'error') expect((await event())[0]).toBe('_AUTO_OFFSET_RESET')
    if (policy === 'earliest') expect(values(await take(consumer, 3, events))).toEqual(expected)
    if (policy === 'latest') {
      expect(await event()).toEqual(['_PARTITION_EOF', 3])
      await world.produce(topic, 3, 4)
      expect(values(await take(consumer, 1, events))).toEqual(expected)
    }
    expect(events).toEqual([])
    // It goes on wherever it is sent.
    await consumer.seek(new TopicPartition(topic, 0, 2))
    expect(values(await take(consumer, 1, events))).toEqual(['2'])
    expect(consumer.position([place])[0]?.offset).toBe(3)
  })
})

describe('a consumer', () => {
  it('commits what it was given also after it gave its partitions back, as nobody else has them', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 3)
    const consumer = world.consumer({ 'enable.auto.commit': false })
    consumer.subscribe([topic])
    await take(consumer, 3)
    const offsets = [new TopicPartition(topic, 0, 2)]
    expect((await consumer.commit({ offsets, asynchronous: false }))[0]?.error).toBeNull()
    await consumer.unsubscribe()
    while (consumer.assignment().length > 0) await consumer.poll(0.1)
    expect(await nameOfError(() => consumer.commit({ asynchronous: false }))).toBe('_NO_OFFSET')
    expect((await consumer.committed([new TopicPartition(topic, 0)], 10))[0]?.offset).toBe(2)
  })

  it('closes while a poll waits, a commit is on its way and messages are in its queue', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 100)
    const groupId = uniqueName('closing')
    const consumer = world.consumer({ 'group.id': groupId })
    consumer.subscribe([topic])
    expect(values(await take(consumer, 10))).toEqual(numbers(0, 10))
    consumer.commit({ offsets: [new TopicPartition(topic, 0, 5)] })
    await consumer.close({ timeoutMs: 20_000 })
    expect(await nameOfError(() => consumer.poll(0))).toBe('ClosedError')
    const next = world.consumer({ 'group.id': groupId })
    next.subscribe([topic])
    expect(values(await take(next, 90))).toEqual(numbers(10, 100))
    const waiting = next.poll(30).catch((error: Error) => error.name)
    await next.close({ timeoutMs: 20_000 })
    expect([null, 'ClosedError']).toContain(await waiting)
  })
})

describe('an admin client', () => {
  it('asks for many groups in one call, wherever their coordinators are', async () => {
    const topic = await world.topic()
    const groups = Array.from({ length: 20 }, (_, index) => uniqueName(`many-${index}`))
    for (const groupId of groups) {
      const consumer = world.consumer({ 'group.id': groupId })
      await consumer.commit({ offsets: [new TopicPartition(topic, 0, 7)], asynchronous: false })
    }
    await using admin = new AdminClient({ 'bootstrap.servers': world.bootstrap, log_level: 0 })
    const missing = uniqueName('missing')
    const described = admin.describeConsumerGroups([...groups, missing])
    for (const groupId of groups) expect((await described.get(groupId))?.groupId).toBe(groupId)
    const deleted = admin.deleteConsumerGroups([...groups, missing])
    for (const groupId of groups) expect(await nameOfError(() => deleted.get(groupId))).toBe('none')
    expect(await nameOfError(() => deleted.get(missing))).toBe('GROUP_ID_NOT_FOUND')
  })
})
