import { afterEach, describe, expect, it } from 'vitest'
import { parseBootstrapServers } from '../../../../client/connections/addresses.ts'
import { type ClientConfig, type KafkaError, KafkaException, Producer } from '../../../../client/index.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { ScriptedCluster } from '../support/scripted-broker.ts'

let closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers) await close()
  closers = []
})

async function world(conf: ClientConfig = {}, brokers: readonly number[] = [1]) {
  const cluster = new ScriptedCluster(3)
  for (const nodeId of brokers) await cluster.start(nodeId)
  const errors: KafkaError[] = []
  const base = {
    'bootstrap.servers': cluster.bootstrap,
    error_cb: (error: KafkaError) => void errors.push(error),
  }
  const producer = new Producer(base, conf, { runtime: cluster.sim.machine('client') })
  closers.push(() => cluster.settle(producer.close({ timeoutMs: 0 })))
  return { cluster, producer, errors }
}

describe('bootstrap.servers', () => {
  it('may name protocols, leave ports out and hold IPv6 addresses', () => {
    expect(parseBootstrapServers('a, PLAINTEXT://b:1 ,[::1]:2', 'plaintext')).toEqual([
      { host: 'a', port: 9092 },
      { host: 'b', port: 1 },
      { host: '::1', port: 2 },
    ])
  })

  it.each(['SSL://a:1', 'a:b', 'a:0', 'a:99999', ':1'])('refuses %s', (text) => {
    expect(() => parseBootstrapServers(text, 'plaintext')).toThrow(KafkaException)
  })

  it('the next address is tried when one is dead', async () => {
    const { cluster, producer } = await world({
      'bootstrap.servers': 'dead:9092,broker-1:9092,dead-too:9092',
    })
    const metadata = await cluster.settle(producer.listTopics(null, 5))
    expect(metadata.brokers.get(1)?.host).toBe('broker-1')
  })

  it('nothing reachable ends as _TRANSPORT or _TIMED_OUT when the time is over', async () => {
    const { cluster, producer } = await world({ 'bootstrap.servers': 'dead:9092' })
    const failure = await cluster.settle(producer.listTopics(null, 1).catch((error: unknown) => error))
    expect(['_TRANSPORT', '_TIMED_OUT']).toContain((failure as KafkaException).error.name())
  })

  it('a message that expires while no broker is reachable tells why none is', async () => {
    const { cluster, producer } = await world({
      'bootstrap.servers': 'dead:9092',
      'delivery.timeout.ms': 1000,
    })
    const failure = await cluster.settle(
      producer.send('t', { value: 'v' }).catch((error: KafkaException) => error.error),
    )
    expect(`${failure}`).toMatch(
      /_MSG_TIMED_OUT.*not delivered in time: dead:9092\/bootstrap: Connect failed/,
    )
  })
})

describe('version negotiation', () => {
  it('falls back to what an older broker has, ApiVersions included', async () => {
    const { cluster, producer } = await world()
    cluster.maxVersions = { ApiVersions: 2, Metadata: 7, Produce: 7, InitProducerId: 1 }
    const [log] = cluster.topic('t', [1])
    producer.produce('t', { value: 'x' })
    await cluster.settle(producer.flush())
    expect(log?.records).toHaveLength(1)
    expect(cluster.seen('Produce')[0]?.version).toBe(7)
    expect(new Set(cluster.seen('Metadata').map(({ version }) => version))).toEqual(new Set([7]))
  })

  it('client.id goes with every request', async () => {
    const { cluster, producer } = await world({ 'client.id': 'orders' })
    await cluster.settle(producer.listTopics())
    expect(cluster.requests.every(({ clientId }) => clientId === 'orders')).toBe(true)
  })
})

describe('lost connections', () => {
  it('are made anew after a back-off that doubles with jitter', async () => {
    const { cluster, producer } = await world({
      'reconnect.backoff.ms': 100,
      'reconnect.backoff.max.ms': 1000,
    })
    cluster.topic('t', [1])
    cluster.onRequest = ({ api }) => (api === 'ApiVersions' ? 'disconnect' : undefined)
    producer.produce('t', { value: 'x' })
    await cluster.advance(20_000)
    const times = cluster.seen('ApiVersions').map(({ atMs }) => atMs)
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0))
    expect(pauses[0]).toBeGreaterThanOrEqual(75)
    expect(pauses.at(-1)).toBeGreaterThanOrEqual(700)
    expect(Math.max(...pauses)).toBeLessThanOrEqual(2100)
    cluster.onRequest = () => undefined
    expect(await cluster.settle(producer.flush())).toBe(0)
  })

  it('repeated identical errors are told once, with _ALL_BROKERS_DOWN after them', async () => {
    const { cluster, producer, errors } = await world()
    await cluster.settle(producer.listTopics())
    cluster.stop(1)
    producer.produce('t', { value: 'x' })
    await cluster.advance(5000)
    await cluster.settle(producer.poll(0))
    const names = errors.map((error) => error.name())
    expect(names).toContain('_TRANSPORT')
    expect(names.filter((name) => name === '_ALL_BROKERS_DOWN')).toHaveLength(1)
    expect(names.length).toBeLessThan(6)
  })

  it('a cluster whose brokers have all moved is found again through the bootstrap list (KIP-899)', async () => {
    const { cluster, producer } = await world({ 'bootstrap.servers': 'broker-9:9092,broker-1:9092' })
    cluster.topic('t', [1])
    producer.produce('t', { value: 'x' })
    await cluster.settle(producer.flush())
    cluster.stop(1)
    await cluster.advance(1000)
    await cluster.start(9)
    cluster.topic('t', [9])
    producer.produce('t', { value: 'y' })
    expect(await cluster.settle(producer.flush(60))).toBe(0)
  })

  it('with metadata.recovery.strategy=none the bootstrap list is of no use any more', async () => {
    const { cluster, producer } = await world({
      'bootstrap.servers': 'broker-9:9092,broker-1:9092',
      'metadata.recovery.strategy': 'none',
    })
    await cluster.settle(producer.listTopics(null, 5))
    cluster.stop(1)
    await cluster.start(9)
    const failure = await cluster.settle(producer.listTopics(null, 60).catch((error: unknown) => error))
    expect((failure as KafkaException).error.name()).toBe('_TRANSPORT')
    expect(cluster.requests.filter(({ nodeId }) => nodeId === 9)).toEqual([])
  })

  it('a broker that asks for it sends the client back to the bootstrap list (KIP-1102)', async () => {
    const { cluster, producer } = await world({ 'bootstrap.servers': 'broker-9:9092,broker-1:9092' })
    const [old] = cluster.topic('t', [1])
    producer.produce('t', { value: 'x' })
    await cluster.settle(producer.flush())
    await cluster.start(9)
    const [log] = cluster.topic('t', [9])
    cluster.onRequest = ({ api, nodeId }) => {
      if (nodeId === 9) return undefined
      return api === 'Metadata'
        ? { answer: { brokers: [], clusterId: null, topics: [], errorCode: ErrorCode.REBOOTSTRAP_REQUIRED } }
        : { answer: {} }
    }
    await cluster.settle(producer.listTopics('t', 30))
    expect(cluster.requests.at(-1)?.nodeId).toBe(9)
    producer.produce('t', { value: 'y' })
    expect(await cluster.settle(producer.flush(30))).toBe(0)
    expect([old?.records.length, log?.records.length]).toEqual([1, 1])
  })

  it('an idle connection is closed after connections.max.idle.ms', async () => {
    const { cluster, producer } = await world({ 'connections.max.idle.ms': 5000 })
    await cluster.settle(producer.listTopics())
    expect(cluster.sim.network.openLinks('client')).toBe(1)
    await cluster.advance(6000)
    expect(cluster.sim.network.openLinks('client')).toBe(0)
  })
})

describe('listTopics', () => {
  it('shows a missing topic with its error, and a partition without leader', async () => {
    const { cluster, producer } = await world()
    cluster.topic('t', [-1])
    const missing = await cluster.settle(producer.listTopics('missing'))
    expect(missing.topics.get('missing')?.error?.name()).toBe('UNKNOWN_TOPIC_OR_PART')
    const { topics } = await cluster.settle(producer.listTopics())
    const partition = topics.get('t')?.partitions.get(0)
    expect([partition?.leader, partition?.error?.name()]).toEqual([-1, 'LEADER_NOT_AVAILABLE'])
  })
})
