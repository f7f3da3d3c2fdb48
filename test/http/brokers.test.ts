import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/cluster.ts'
import { createHttpServer } from '../../broker/http/server.ts'
import { createAssigned } from '../support/assigned-topic.ts'
import { until } from '../support/until.ts'

let cluster: Cluster
let server: FastifyInstance

beforeAll(async () => {
  cluster = await startCluster({
    brokers: 3,
    loseTail: true,
    config: { 'broker.session.timeout.ms': 1000, 'broker.heartbeat.interval.ms': 200 },
  })
  server = createHttpServer(cluster, { control: cluster })
  await createAssigned(cluster.bootstrapServers, 'orders', [3, 1, 2])
  await until(() => partition()?.isr.length === 3, 'all in sync')
})

afterAll(async () => {
  await server.close()
  await cluster.stop()
})

async function ask(method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) {
  const answer = await server.inject({
    method,
    url,
    headers: { host: 'localhost' },
    ...(payload ? { payload } : {}),
  })
  return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() }
}

/** As some broker that is no part of the test sees it. */
function partition() {
  return cluster.node(1).broker?.services.metadata.topicsByName.get('orders')?.partitions[0]
}

describe('/api/brokers', () => {
  it('lists the brokers as processes', async () => {
    const { body } = await ask('GET', '/api/brokers')
    expect(body.brokers).toMatchObject([1, 2, 3].map((nodeId) => ({ nodeId, state: 'running' })))
    expect(body.brokers[0].listeners).toEqual([
      { name: 'PLAINTEXT', host: '127.0.0.1', port: expect.any(Number) },
    ])
  })

  it('stops a leader in order, so that another one leads at once, and starts it again', async () => {
    const stopped = await ask('POST', '/api/brokers/3/stop')
    expect(stopped).toMatchObject({ status: 200, body: { nodeId: 3, state: 'down' } })
    expect(partition()).toMatchObject({ leaderId: 1, isr: [1, 2] })
    expect((await ask('POST', '/api/brokers/3/start')).body.state).toBe('running')
    await until(() => partition()?.isr.length === 3, 'all in sync')
  })

  it('freezes a broker until it is thawed', async () => {
    expect((await ask('POST', '/api/brokers/2/freeze')).body.state).toBe('frozen')
    await until(() => partition()?.isr.includes(2) === false, 'broker 2 to be missed')
    expect((await ask('POST', '/api/brokers/2/stop')).status).toBe(409)
    expect((await ask('POST', '/api/brokers/2/thaw')).body.state).toBe('running')
    await until(() => partition()?.isr.length === 3, 'all in sync')
  })

  it('isolates a broker from the others until it is healed', async () => {
    expect((await ask('POST', '/api/brokers/3/isolate', { way: 'out' })).status).toBe(200)
    await until(() => partition()?.isr.includes(3) === false, 'broker 3 to be missed')
    expect((await ask('POST', '/api/brokers/3/heal')).status).toBe(200)
    await until(() => partition()?.isr.length === 3, 'all in sync')
  })

  it('kills a broker, with what it had not flushed', async () => {
    expect((await ask('POST', '/api/brokers/3/kill', { loseTail: true })).body.state).toBe('down')
    expect((await ask('POST', '/api/brokers/3/freeze')).status).toBe(409)
    expect((await ask('POST', '/api/brokers/3/start')).body.state).toBe('running')
    expect(await ask('POST', '/api/brokers/3/start')).toMatchObject({
      status: 409,
      body: { error: 'WRONG_STATE' },
    })
    await until(() => partition()?.isr.length === 3, 'all in sync')
  })

  it('adds a broker and takes it out again', async () => {
    const added = await ask('POST', '/api/brokers', { rack: 'west' })
    expect(added).toMatchObject({ status: 201, body: { nodeId: 4, state: 'running' } })
    expect(cluster.node(1).broker?.services.metadata.brokers.get(4)?.rack).toBe('west')
    expect((await ask('DELETE', '/api/brokers/4')).status).toBe(204)
    expect((await ask('DELETE', '/api/brokers/4')).status).toBe(404)
    expect(await ask('DELETE', '/api/brokers/1')).toMatchObject({
      status: 409,
      body: { message: expect.stringContaining('votes') },
    })
  })

  it.each([
    ['/api/brokers/9/stop', undefined, 404],
    ['/api/brokers/1/explode', undefined, 400],
    ['/api/brokers/x/stop', undefined, 400],
    ['/api/brokers/1/kill', { loseTail: 'maybe' }, 400],
    ['/api/brokers/1/isolate', { way: 'up' }, 400],
  ])('refuses POST %s', async (url, payload, status) => {
    expect((await ask('POST', url, payload)).status).toBe(status)
    expect(cluster.node(1).state).toBe('running')
  })

  it('is closed to pages of other sites', async () => {
    const headers = { host: 'localhost', origin: 'https://example.com' }
    const answer = await server.inject({ method: 'POST', url: '/api/brokers/1/kill', headers })
    expect(answer.statusCode).toBe(403)
    expect(cluster.node(1).state).toBe('running')
  })

  it('is off unless it was asked for', async () => {
    const viewer = createHttpServer(cluster)
    const answer = await viewer.inject({
      method: 'POST',
      url: '/api/brokers/1/kill',
      headers: { host: 'localhost' },
    })
    expect(answer.statusCode).toBe(403)
    expect(answer.json()).toMatchObject({ error: 'CONTROL_IS_OFF' })
    await viewer.close()
  })
})

describe('a broker that starts without a majority of the voters', () => {
  it('is told of as such after a while, and serves clients when another one starts', async () => {
    await using voters = await startCluster({ brokers: 3 })
    await using http = createHttpServer(voters, { control: voters })
    const start = (nodeId: number) =>
      http.inject({ method: 'POST', url: `/api/brokers/${nodeId}/start`, headers: { host: 'localhost' } })
    for (const node of voters.nodes) node.kill()
    const answer = await start(1)
    expect([answer.statusCode, answer.json()]).toEqual([
      503,
      {
        error: 'NOT_READY',
        message: expect.stringContaining(
          '1 of the voters (1, 2, 3) of the metadata quorum is up, and 2 must be',
        ),
      },
    ])
    expect((await start(2)).statusCode).toBe(200)
    await until(() => voters.node(1).state === 'running', 'broker 1 to serve clients')
  }, 60_000)
})
