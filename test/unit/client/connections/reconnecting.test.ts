import { afterEach, describe, expect, it } from 'vitest'
import {
  type ClientConfig,
  type ClientHooks,
  type KafkaError,
  type KafkaException,
  Producer,
} from '../../../../client/index.ts'
import { Produce } from '../../../../common/protocol/apis/00-produce.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import type { Link } from '../../../../common/runtime/transport.ts'
import { ScriptedCluster } from '../support/scripted-broker.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function world(conf: ClientConfig = {}, brokers: readonly number[] = [1]) {
  const cluster = new ScriptedCluster(3)
  for (const nodeId of brokers) await cluster.start(nodeId)
  const errors: string[] = []
  const links: Link[] = []
  const attempts: { readonly host: string; readonly atMs: number }[] = []
  const machine = cluster.sim.machine('client')
  const { transport } = machine
  const runtime: NonNullable<ClientHooks['runtime']> = {
    ...machine,
    transport: {
      listen: (options, onLink) => transport.listen(options, onLink),
      connect: (options) => {
        attempts.push({ host: options.host, atMs: cluster.sim.clock.monotonicMs() })
        const link = transport.connect(options)
        links.push(link)
        return link
      },
    },
  }
  const producer = new Producer(
    {
      'bootstrap.servers': cluster.bootstrap,
      log_level: 0,
      error_cb: (error: KafkaError) => errors.push(`${error.name()} ${error.str()}`),
    },
    conf,
    { runtime },
  )
  cleanups.push(() => cluster.settle(producer.close({ timeoutMs: 0 })))
  const pass = async (ms: number): Promise<void> => {
    for (let passedMs = 0; passedMs < ms; passedMs += 50) await cluster.advance(50)
  }
  return { cluster, producer, errors, links, attempts, pass }
}

function pauses(attempts: readonly { readonly atMs: number }[]): number[] {
  return attempts.slice(1).map(({ atMs }, index) => atMs - (attempts[index]?.atMs ?? 0))
}

describe('the pause before another connection', () => {
  it('doubles within its jitter up to reconnect.backoff.max.ms, and starts anew after a success', async () => {
    const { cluster, producer, attempts, pass } = await world({
      'reconnect.backoff.ms': 100,
      'reconnect.backoff.max.ms': 2000,
      // Whoever needs a connection asks for it more often than it may be tried.
      'retry.backoff.ms': 10,
      'retry.backoff.max.ms': 10,
    })
    cluster.topic('t', [1])
    cluster.onRequest = ({ api }) => (api === 'ApiVersions' ? 'disconnect' : undefined)
    const delivered = producer.send('t', { value: 'x' })
    await pass(20_000)
    const growing = pauses(attempts)
    for (const [index, pause] of growing.entries()) {
      const plainMs = Math.min(2000, 100 * 2 ** index)
      expect(pause).toBeGreaterThanOrEqual(plainMs * 0.75)
      expect(pause).toBeLessThanOrEqual(Math.min(2000, plainMs * 1.5) + 60)
    }
    expect(new Set(growing.map(Math.round)).size).toBeGreaterThan(3)
    cluster.onRequest = () => undefined
    await cluster.settle(delivered)
    const before = attempts.length
    cluster.onRequest = ({ api }) => (api === 'ApiVersions' ? 'disconnect' : undefined)
    cluster.stop(1)
    await cluster.start(1)
    producer.send('t', { value: 'y' }).catch(() => {})
    await pass(400)
    expect(attempts.length - before).toBeGreaterThanOrEqual(2)
  })

  it('grows for advertised listeners that lead nowhere too, and they are told of once', async () => {
    const { cluster, producer, attempts, errors, pass } = await world()
    const topicId = cluster.topic('t', [7]) && cluster.topics.get('t')?.id
    const partition = { errorCode: 0, partitionIndex: 0, leaderId: 7, replicaNodes: [7], isrNodes: [7] }
    const answer = {
      brokers: [{ nodeId: 7, host: 'nowhere', port: 9092 }],
      clusterId: 'c',
      controllerId: 7,
      topics: [{ errorCode: 0, name: 't', topicId, partitions: [partition] }],
    }
    cluster.onRequest = ({ api }) => (api === 'Metadata' ? { answer } : undefined)
    producer.send('t', { value: 'x' }).catch(() => {})
    await pass(30_000)
    await cluster.settle(producer.poll(0))
    expect(attempts.filter(({ host }) => host === 'nowhere').length).toBeGreaterThan(3)
    expect(attempts.length).toBeLessThan(30)
    expect(errors.filter((text) => text.startsWith('_TRANSPORT'))).toEqual([
      '_TRANSPORT nowhere:9092/7: Connect failed: connection refused',
    ])
  })

  it('is not waited for at the new address of a broker that moved', async () => {
    const { cluster, producer, attempts } = await world(
      { 'reconnect.backoff.ms': 8000, 'topic.metadata.refresh.interval.ms': 1000 },
      [1, 2],
    )
    cluster.topic('t', [1])
    await cluster.settle(producer.send('t', { value: 'x' }))
    cluster.stop(1)
    // The rest of the cluster has not noticed yet.
    const old = [1, 2].map((nodeId) => ({ nodeId, host: `broker-${nodeId}`, port: 9092 }))
    const topicId = cluster.topics.get('t')?.id
    const partition = { errorCode: 0, partitionIndex: 0, leaderId: 1, replicaNodes: [1], isrNodes: [1] }
    const topics = [{ errorCode: 0, name: 't', topicId, partitions: [partition] }]
    const answer = { brokers: old, clusterId: 'c', controllerId: 2, topics }
    cluster.onRequest = ({ api }) => (api === 'Metadata' ? { answer } : undefined)
    const delivered = producer.send('t', { value: 'y' })
    await cluster.advance(500)
    await cluster.start(1, 9093)
    cluster.onRequest = () => undefined
    await cluster.settle(delivered)
    expect(attempts.length).toBeGreaterThan(2)
    expect(cluster.sim.clock.monotonicMs()).toBeLessThan(5000)
  })
})

describe('a bootstrap server that takes connections and says nothing', () => {
  it('is waited for no longer than a second where there is another', async () => {
    const { cluster, producer } = await world({}, [1, 2, 3])
    const silent = new Set<number>()
    cluster.onRequest = ({ nodeId }) => {
      if (silent.size < 2) silent.add(nodeId)
      return silent.has(nodeId) ? 'silence' : undefined
    }
    const { brokers } = await cluster.settle(producer.listTopics(null, 30))
    expect(brokers.size).toBe(3)
    expect(cluster.sim.clock.monotonicMs()).toBeGreaterThanOrEqual(2000)
    expect(cluster.sim.clock.monotonicMs()).toBeLessThan(3500)
  })

  it('is all there is: what waits for it waits as long as it was told', async () => {
    const { cluster, producer, attempts, pass } = await world()
    cluster.topic('t', [1])
    cluster.onRequest = ({ api }) => (api === 'ApiVersions' ? 'silence' : undefined)
    const delivered = producer.send('t', { value: 'x' })
    await pass(5000)
    expect(attempts).toHaveLength(1)
    cluster.onRequest = () => undefined
    await cluster.settle(delivered)
  })
})

describe('a cluster whose brokers all come back under other ports', () => {
  it('is found again through a bootstrap server that stayed, and nothing is lost', async () => {
    const { cluster, producer } = await world({}, [9, 1, 2])
    const [log] = cluster.topic('t', [1])
    await cluster.settle(producer.send('t', { value: 'x' }))
    for (const nodeId of [1, 2, 9]) cluster.stop(nodeId)
    const delivered = producer.send('t', { value: 'y' })
    await cluster.advance(3000)
    await cluster.start(1, 9093)
    await cluster.start(2, 9094)
    await cluster.start(9)
    await cluster.settle(delivered)
    expect(log?.records).toHaveLength(2)
  })

  it('is asked for at the bootstrap list when it stays, but tells nothing for metadata.recovery.rebootstrap.trigger.ms', async () => {
    const { cluster, producer, pass } = await world(
      {
        'bootstrap.servers': 'broker-9:9092',
        'metadata.recovery.rebootstrap.trigger.ms': 20_000,
        'topic.metadata.refresh.interval.ms': 1000,
      },
      [1, 9],
    )
    const [log] = cluster.topic('t', [1])
    const brokers = [{ nodeId: 1, host: 'broker-1', port: 9092 }]
    const partition = { errorCode: 0, partitionIndex: 0, leaderId: 1, replicaNodes: [1], isrNodes: [1] }
    const topics = [
      { errorCode: 0, name: 't', topicId: cluster.topics.get('t')?.id, partitions: [partition] },
    ]
    const apiKeys = [{ apiKey: Produce.key, minVersion: Produce.versions.lowest, maxVersion: 11 }]
    cluster.onRequest = ({ api, nodeId }) => {
      if (nodeId === 9 && api === 'Metadata') {
        return { answer: { brokers, clusterId: 'c', controllerId: 1, topics } }
      }
      return nodeId === 1 && api === 'ApiVersions' ? { answer: { errorCode: 0, apiKeys } } : undefined
    }
    await cluster.settle(producer.send('t', { value: 'x' }))
    await pass(25_000)
    const asked = cluster.seen('Metadata').filter(({ atMs }) => atMs > 1000)
    expect(asked[0]?.nodeId).toBe(9)
    expect(asked[0]?.atMs).toBeGreaterThanOrEqual(20_000)
    await cluster.settle(producer.send('t', { value: 'y' }))
    expect(log?.records).toHaveLength(2)
  })
})

describe('a request that is never answered', () => {
  it('ends the connection after socket.timeout.ms, and what was in flight behind it is sent again once', async () => {
    const { cluster, producer, attempts, errors } = await world({
      'socket.timeout.ms': 3000,
      'enable.idempotence': true,
      'linger.ms': 0,
    })
    const [log] = cluster.topic('t', [1])
    await cluster.settle(producer.send('t', { value: '0' }))
    const before = attempts.length
    const startMs = cluster.sim.clock.monotonicMs()
    cluster.onRequest = ({ api, atMs }) =>
      api === 'Produce' && atMs - startMs < 2000 ? 'apply-and-stay-silent' : undefined
    const delivered = []
    for (const value of ['1', '2', '3']) {
      delivered.push(producer.send('t', { value }))
      await cluster.advance(100)
    }
    await cluster.settle(Promise.all(delivered))
    expect(log?.records.map(({ value }) => `${value}`)).toEqual(['0', '1', '2', '3'])
    expect(attempts.length - before).toBe(1)
    expect(cluster.sim.clock.monotonicMs() - startMs).toBeLessThan(5000)
    await cluster.settle(producer.poll(0))
    expect(errors[0]).toContain('Produce timed out after 3000 ms: disconnecting')
  })

  it('lets no more than max.in.flight requests wait behind it', async () => {
    const { cluster, producer } = await world({ 'max.in.flight.requests.per.connection': 2, 'linger.ms': 0 })
    cluster.topic('t', [1, 1, 1, 1, 1])
    await cluster.settle(producer.listTopics('t'))
    cluster.onRequest = ({ api }) => (api === 'Produce' ? 'silence' : undefined)
    for (let partition = 0; partition < 5; partition++) {
      producer.send('t', { value: 'x', partition }).catch(() => {})
      await cluster.advance(50)
    }
    await cluster.advance(5000)
    expect(cluster.seen('Produce')).toHaveLength(2)
  })
})

describe('a TLS connection that breaks', () => {
  it('leaves requests in flight as lost as any connection does', async () => {
    const { cluster, producer, links, errors } = await world({ 'enable.idempotence': true })
    const [log] = cluster.topic('t', [1])
    await cluster.settle(producer.send('t', { value: 'x' }))
    cluster.onRequest = ({ api }) => (api === 'Produce' ? 'apply-and-stay-silent' : undefined)
    const delivered = producer.send('t', { value: 'y' })
    await cluster.advance(50)
    cluster.onRequest = () => undefined
    const cause = Object.assign(new Error('bad record mac'), { code: 'ERR_SSL_BAD_RECORD_MAC' })
    cluster.sim.reactor.post(() => {
      for (const link of links) link.onClose('reset', cause)
    })
    await cluster.settle(delivered)
    expect(log?.records.map(({ value }) => `${value}`)).toEqual(['x', 'y'])
    await cluster.settle(producer.poll(0))
    expect(errors[0]).toMatch(/^_SSL/)
  })
})

describe('a call that outlives its time', () => {
  it('tells the last failure rather than that time is over', async () => {
    const { cluster, producer } = await world()
    cluster.onRequest = ({ api }) =>
      api === 'ApiVersions'
        ? { answer: { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, apiKeys: [] } }
        : undefined
    for (const seconds of [0.5, 1, 3, 7, 20]) {
      const failure = await cluster.settle(
        producer.listTopics(null, seconds).catch((error: unknown) => error),
      )
      expect((failure as KafkaException).error.name()).toBe('CLUSTER_AUTHORIZATION_FAILED')
    }
  })
})
