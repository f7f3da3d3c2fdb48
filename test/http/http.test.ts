import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/cluster.ts'
import { openHttp } from '../../broker/http/open-http.ts'
import { createHttpServer } from '../../broker/http/server.ts'
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { OffsetCommit } from '../../common/protocol/apis/08-offset-commit.ts'
import { FindCoordinator } from '../../common/protocol/apis/10-find-coordinator.ts'
import { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { type RawClient, rawClient } from '../support/raw-client.ts'
import { batchOf } from '../support/records.ts'

let cluster: Cluster
let server: FastifyInstance
let client: RawClient
let topicId: string

beforeAll(async () => {
  cluster = await startCluster()
  server = createHttpServer(cluster, { allowedHosts: ['Kafka.Internal'] })
  client = rawClient(cluster.bootstrapServers)
  const created = await client.call(CreateTopics, {
    topics: [
      { name: 'orders', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] },
      { name: 'a.topic_with-marks', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
    ],
    timeoutMs: 5_000,
  })
  topicId = created.topics[0]?.topicId as string
  await client.call(Produce, {
    acks: -1,
    timeoutMs: 5_000,
    topicData: [{ topicId, partitionData: [{ index: 1, records: batchOf(['one', 'two', 'three']) }] }],
  })
  await commitOffset('billing', 1)
})

afterAll(async () => {
  client.close()
  await server.close()
  await cluster.stop()
})

/** The internal topic is made by the first question for it, so the answer may have to be asked for again. */
async function commitOffset(groupId: string, committedOffset: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    await client.call(FindCoordinator, { keyType: 0, coordinatorKeys: [groupId] })
    const { topics } = await client.call(OffsetCommit, {
      groupId,
      generationIdOrMemberEpoch: -1,
      memberId: '',
      topics: [
        {
          topicId,
          name: 'orders',
          partitions: [{ partitionIndex: 1, committedOffset, committedMetadata: null }],
        },
      ],
    })
    const error = topics[0]?.partitions[0]?.errorCode
    if (error === ErrorCode.NONE) return
  }
  throw new Error('the offset was never committed')
}

const LOCAL = { host: 'localhost:8080' }
const get = (url: string, headers: Record<string, string> = LOCAL) =>
  server.inject({ method: 'GET', url, headers })

describe('health', () => {
  it('is live and ready while every broker serves clients', async () => {
    expect((await get('/health/live')).json()).toEqual({ status: 'live' })
    const ready = await get('/health/ready')
    expect(ready.statusCode).toBe(200)
    expect(ready.json()).toEqual({ status: 'ready', fencedBrokers: [] })
  })

  it('is live but not ready while the controller keeps a broker fenced', async () => {
    const [broker] = cluster.brokers
    if (broker === undefined) throw new Error('no broker')
    const metadata = Object.create(broker.services.metadata, { isBrokerActive: { value: () => false } })
    const fenced = createHttpServer({
      bootstrapServers: '',
      brokers: [{ nodeId: 1, connectionCount: 0, services: { ...broker.services, metadata } }],
    })
    const ready = await fenced.inject({ url: '/health/ready', headers: LOCAL })
    expect(ready.statusCode).toBe(503)
    expect(ready.json()).toEqual({ status: 'not ready', fencedBrokers: [1] })
    expect((await fenced.inject({ url: '/health/live', headers: LOCAL })).statusCode).toBe(200)
    await fenced.close()
  })

  it('is live but not ready while clients would miss what is put in place for them', async () => {
    let isPrepared = false
    const seeding = createHttpServer(cluster, { isPrepared: () => isPrepared })
    const ready = () => seeding.inject({ url: '/health/ready', headers: LOCAL })
    const before = await ready()
    expect([before.statusCode, before.json()]).toEqual([503, { status: 'seeding', fencedBrokers: [] }])
    expect((await seeding.inject({ url: '/health/live', headers: LOCAL })).statusCode).toBe(200)
    isPrepared = true
    expect((await ready()).statusCode).toBe(200)
    await seeding.close()
  })
})

describe('pages of other sites', () => {
  it('are refused by the name they reach this machine under', async () => {
    for (const host of [
      'evil.example',
      'evil.example:8080',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
    ]) {
      const refused = await get('/api/cluster', { host })
      expect(refused.statusCode).toBe(403)
      expect(refused.json().error).toBe('FOREIGN_HOST')
    }
  })

  it('are refused by their origin', async () => {
    for (const origin of ['http://evil.example', 'https://localhost.evil.example', 'null', 'file://']) {
      const refused = await get('/api/cluster', { ...LOCAL, origin })
      expect(refused.statusCode).toBe(403)
      expect(refused.json().error).toBe('FOREIGN_ORIGIN')
    }
  })

  it('are refused on paths that do not exist, too', async () => {
    expect((await get('/nothing', { host: 'evil.example' })).statusCode).toBe(403)
  })

  it('are told from this machine, its addresses and the names that were allowed', async () => {
    for (const host of ['localhost', '127.0.0.1:8080', '[::1]:8080', 'kafka.internal:80']) {
      expect((await get('/health/live', { host })).statusCode).toBe(200)
    }
    const own = await get('/health/live', { ...LOCAL, origin: 'http://localhost:8080' })
    expect(own.statusCode).toBe(200)
  })
})

describe('limits', () => {
  it('refuse methods that change something, and bodies longer than they read', async () => {
    const post = (payload: string) =>
      server.inject({
        method: 'POST',
        url: '/api/topics',
        headers: { ...LOCAL, 'content-type': 'application/json' },
        payload,
      })
    expect((await post('{}')).statusCode).toBe(404)
    expect((await post(JSON.stringify('x'.repeat(4096)))).statusCode).toBe(413)
  })

  it('refuse pages beyond their size', async () => {
    const refused = await get('/api/topics?limit=1001')
    expect(refused.statusCode).toBe(400)
    expect(refused.json().error).toBe('INVALID_REQUEST')
  })

  it('refuse names longer than a topic may have', async () => {
    expect((await get(`/api/topics/${'x'.repeat(250)}`)).statusCode).toBe(400)
  })
})

describe('views', () => {
  it('show the brokers with what they carry', async () => {
    const view = (await get('/api/cluster')).json()
    expect(view).toMatchObject({ clusterId: cluster.clusterId, bootstrapServers: cluster.bootstrapServers })
    expect(view.underReplicatedPartitionCount).toBe(0)
    const { port } = new URL(`tcp://${cluster.bootstrapServers}`)
    expect(view.brokers).toMatchObject([
      {
        nodeId: 1,
        isFenced: false,
        listeners: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: Number(port) }],
      },
    ])
    expect(view.features['metadata.version']).toBeGreaterThan(20)
  })

  it('list topics by name, a page at a time', async () => {
    const { topics, totalCount } = (await get('/api/topics?limit=2&offset=1')).json()
    expect(topics.map(({ name }: { name: string }) => name)).toEqual(['a.topic_with-marks', 'orders'])
    expect(totalCount).toBe(3)
    expect((await get('/api/topics')).json().topics[0]).toMatchObject({
      name: '__consumer_offsets',
      isInternal: true,
    })
  })

  it('show where the partitions of a topic begin and end', async () => {
    const topic = (await get('/api/topics/orders')).json()
    expect(topic).toMatchObject({ name: 'orders', topicId, isInternal: false, partitionCount: 2 })
    expect(topic.partitions[0]).toMatchObject({ partition: 0, logEndOffset: 0, sizeBytes: 0 })
    expect(topic.partitions[1]).toMatchObject({
      partition: 1,
      leaderId: 1,
      isr: [1],
      logStartOffset: 0,
      highWatermark: 3,
      logEndOffset: 3,
    })
    expect(topic.sizeBytes).toBe(topic.partitions[1].sizeBytes)
  })

  it('show what a group has committed and what it has not read', async () => {
    expect((await get('/api/groups')).json().groups).toMatchObject([{ groupId: 'billing', state: 'Empty' }])
    const group = (await get('/api/groups/billing')).json()
    expect(group.offsets).toEqual([
      { topic: 'orders', partition: 1, committedOffset: 1, logEndOffset: 3, lag: 2 },
    ])
  })

  it('say which topic or group there is not', async () => {
    const topic = await get('/api/topics/none')
    expect([topic.statusCode, topic.json().error]).toEqual([404, 'UNKNOWN_TOPIC_OR_PARTITION'])
    const group = await get('/api/groups/none')
    expect([group.statusCode, group.json().error]).toEqual([404, 'GROUP_ID_NOT_FOUND'])
  })
})

describe('metrics', () => {
  it("are offered in Prometheus' format under the names of Kafka's own", async () => {
    const { headers, body } = await get('/metrics')
    expect(headers['content-type']).toContain('text/plain')
    expect(body).toMatch(/^kafka_server_brokertopicmetrics_messagesin_total\{broker="1"\} 3$/m)
    expect(body).toMatch(/^kafka_network_requestmetrics_requests_total\{broker="1",request="Produce"\} 1$/m)
    expect(body).toMatch(/^kafka_server_replicamanager_partitioncount\{broker="1"\} \d+$/m)
    expect(body).toMatch(/^kafka_log_log_logendoffset\{broker="1",topic="orders",partition="1"\} 3$/m)
    expect(body).toMatch(
      /^kafka_coordinator_group_groupmetadatamanager_numgroups\{type="classic",state="Empty"\} 1$/m,
    )
  })

  it('count requests, bytes, time and connections', async () => {
    const { body } = await get('/metrics')
    const sample = (name: string) => Number(new RegExp(`^${name}(?:\\{.*\\})? (.*)$`, 'm').exec(body)?.[1])
    expect(sample('kafka_server_brokertopicmetrics_bytesin_total')).toBeGreaterThan(60)
    expect(sample('kafka_server_socket_server_metrics_connection_count')).toBe(1)
    for (const name of [
      'requestbytes_total',
      'responsebytes_total',
      'totaltimems_total',
      'totaltimems_max',
    ]) {
      expect(sample(`kafka_network_requestmetrics_${name}`)).toBeGreaterThan(0)
    }
  })

  it('are read anew at each scrape', async () => {
    const sample = async () => /^process_cpu_seconds_total (.*)$/m.exec((await get('/metrics')).body)?.[1]
    expect(Number(await sample())).toBeLessThanOrEqual(Number(await sample()))
  })
})

describe('the port', () => {
  it('is told as a URL', async () => {
    const open = await openHttp(cluster, { host: '127.0.0.1', port: 0 })
    expect(await (await fetch(`${open.url}/health/live`)).json()).toEqual({ status: 'live' })
    await open.close()
  })

  it('answers all who come at once before anything of it is loaded, also to what is no HTTP', async () => {
    const open = await openHttp(cluster, { host: 'localhost', port: 0 })
    const { hostname, port } = new URL(open.url)
    const socket = connect({ host: hostname.replace(/[[\]]/g, ''), port: Number(port) })
    socket.end('no HTTP at all\r\n\r\n')
    const [malformed, ...statuses] = await Promise.all([
      text(socket),
      ...['/health/live', '/brokers/1', '/nothing'].map(
        async (path) => (await fetch(open.url + path)).status,
      ),
    ])
    expect(malformed).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(statuses).toEqual([200, 404, 404])
    await open.close()
    await expect(fetch(open.url)).rejects.toThrow()
  })

  it('is refused with the code of the system when it is taken', async () => {
    const open = await openHttp(cluster, { host: '127.0.0.1', port: 0 })
    const port = Number(new URL(open.url).port)
    await expect(openHttp(cluster, { host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await open.close()
  })

  it('closes while somebody waits for a connection that he keeps open', async () => {
    const open = await openHttp(cluster, { host: '127.0.0.1', port: 0 })
    const socket = connect(Number(new URL(open.url).port), '127.0.0.1')
    await once(socket, 'connect')
    const ended = once(socket, 'close')
    await Promise.all([open.close(), open.close()])
    await ended
  })
})
