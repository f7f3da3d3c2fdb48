/** `client.dns.lookup=use_all_dns_ips` over real sockets: a name with several addresses, of which the later ones lead to the broker. */
import type { AddressInfo } from 'node:net'
import * as net from 'node:net'
import * as tls from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { type ClientConfig, type KafkaError, Producer } from '../../../../client/index.ts'
import { createNodeRuntime } from '../../../../common/runtime/node/runtime.ts'
import { TlsBroker, tlsFile, tlsText } from '../support/tls-broker.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const identity = { cert: tlsText('server.pem'), key: tlsText('server.key') }
/** Nobody listens there. */
const dead = '127.0.0.9'
/** Where a test puts something that is no broker. */
const wrong = '127.0.0.8'
const right = '127.0.0.1'

async function brokerPort(): Promise<number> {
  const broker = new TlsBroker(identity, 'broker.test')
  const address = await broker.start()
  cleanups.push(() => broker.stop())
  return Number(address.split(':')[1])
}

/** Counts who comes, and answers nothing. */
async function silentServer(server: net.Server, port: number): Promise<{ connections: number }> {
  const seen = { connections: 0 }
  const sockets = new Set<net.Socket>()
  server.on('connection', (socket: net.Socket) => {
    seen.connections++
    sockets.add(socket)
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, wrong, resolve)
  })
  cleanups.push(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  expect((server.address() as AddressInfo).port).toBe(port)
  return seen
}

function client(port: number, addresses: readonly string[], conf: ClientConfig = {}) {
  const runtime = createNodeRuntime({
    lookup: (host, done) =>
      host === 'broker.test'
        ? done(undefined, addresses)
        : done(Object.assign(new Error(`no ${host}`), { code: 'ENOTFOUND' }), []),
  })
  cleanups.push(() => runtime.close())
  const errors: KafkaError[] = []
  const producer = new Producer(
    {
      'bootstrap.servers': `broker.test:${port}`,
      'security.protocol': 'ssl',
      'ssl.ca.location': tlsFile('authority.pem'),
      'ssl.endpoint.identification.algorithm': 'none',
      log_level: 0,
      error_cb: (error) => errors.push(error),
      ...conf,
    },
    undefined,
    { runtime },
  )
  cleanups.push(() => producer.close())
  return { producer, errors }
}

const limits = { timeoutMs: 30_000 }

describe('a host name with several addresses', () => {
  it('leads past those that refuse, without an error', async () => {
    const port = await brokerPort()
    const { producer, errors } = client(port, [dead, dead, right])
    expect((await producer.listTopics(null, limits)).clusterId).toBe('behind-tls')
    await producer.poll(0)
    expect(errors).toEqual([])
  })

  it('leads past one that takes the connection and hangs, within socket.connection.setup.timeout.ms', async () => {
    const port = await brokerPort()
    const seen = await silentServer(net.createServer(), port)
    const conf = { 'socket.connection.setup.timeout.ms': 2000 }
    const { producer } = client(port, [wrong, right], conf)
    expect((await producer.listTopics(null, limits)).clusterId).toBe('behind-tls')
    expect(seen.connections).toBeGreaterThan(0)
  })

  it('leads past one where something else than a broker answers, which is tried last the next time', async () => {
    const port = await brokerPort()
    const seen = await silentServer(tls.createServer(identity), port)
    const conf = { 'api.version.request.timeout.ms': 1000 }
    const { producer, errors } = client(port, [wrong, right], conf)
    expect((await producer.listTopics(null, limits)).clusterId).toBe('behind-tls')
    await producer.poll(0)
    expect(errors.some((error) => error.str().includes('ApiVersions timed out'))).toBe(true)
    expect(seen.connections).toBeGreaterThan(0)
  })

  it('counts only with the addresses of broker.address.family', async () => {
    const port = await brokerPort()
    const { producer } = client(port, ['::1', right], { 'broker.address.family': 'v4' })
    expect((await producer.listTopics(null, limits)).clusterId).toBe('behind-tls')
    const { producer: other, errors } = client(port, [right], { 'broker.address.family': 'v6' })
    other.listTopics(null, limits).catch(() => {})
    while (errors.length === 0) await other.poll(1)
    expect(errors[0]?.str()).toContain('broker.test has no IPv6 address')
  })
})

describe('a host name that nobody knows', () => {
  it('is told of as _RESOLVE', async () => {
    const { producer, errors } = client(1, [], { 'bootstrap.servers': 'nowhere.test:1' })
    producer.listTopics(null, limits).catch(() => {})
    while (errors.length === 0) await producer.poll(1)
    expect(errors[0]?.name()).toBe('_RESOLVE')
    expect(errors[0]?.str()).toContain('nowhere.test')
  })
})
