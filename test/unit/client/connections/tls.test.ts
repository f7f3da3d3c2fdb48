import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import * as net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type ClientConfig, type ClientHooks, type KafkaError, Producer } from '../../../../client/index.ts'
import { TlsBroker, tlsFile, tlsText } from '../support/tls-broker.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function broker(certificate = 'server', options: object = {}, host?: string) {
  const own = { cert: tlsText(`${certificate}.pem`), key: tlsText(`${certificate}.key`) }
  const started = new TlsBroker({ ...own, ...options }, host)
  const address = await started.start()
  cleanups.push(() => started.stop())
  return { broker: started, address }
}

const trusting = { 'security.protocol': 'ssl', 'ssl.ca.location': tlsFile('authority.pem') } as const

function producer(address: string, conf: ClientConfig, hooks?: ClientHooks) {
  const errors: KafkaError[] = []
  const client = new Producer(
    { 'bootstrap.servers': address, ...conf, error_cb: (error) => errors.push(error) },
    undefined,
    hooks,
  )
  cleanups.push(() => client.close())
  return { client, errors }
}

async function clusterId(address: string, conf: ClientConfig, hooks?: ClientHooks): Promise<string | null> {
  return (await producer(address, conf, hooks).client.listTopics(null, { timeoutMs: 20_000 })).clusterId
}

/** What `error_cb` hears first. */
async function firstError(address: string, conf: ClientConfig, hooks?: ClientHooks): Promise<KafkaError> {
  const { client, errors } = producer(address, conf, hooks)
  client.listTopics(null, { timeoutMs: 20_000 }).catch(() => {})
  while (errors.length === 0) await client.poll(1)
  return errors[0] as KafkaError
}

describe('the connect hook', () => {
  const connect: ClientHooks['connect'] = ({ host, port }) => net.connect(port, host)

  it('opens streams that TLS goes on top of', async () => {
    const { address, broker: seen } = await broker()
    expect(await clusterId(address, trusting, { connect })).toBe('behind-tls')
    expect(seen.serverNames).toContain('localhost')
  })

  it('lets nobody in whose certificate is not trusted', async () => {
    const { address } = await broker()
    const conf = { ...trusting, 'ssl.ca.location': tlsFile('stranger.pem') }
    expect((await firstError(address, conf, { connect })).name()).toBe('_SSL')
  })
})

describe('security.protocol=ssl', () => {
  it('trusts brokers whose certificate the authority of ssl.ca.location has signed', async () => {
    const { address, broker: seen } = await broker()
    expect(await clusterId(address, trusting)).toBe('behind-tls')
    expect(seen.serverNames).toContain('localhost')
  })

  it('adds up the certificates of ssl.ca.pem and of a directory', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'kafkito-ca-'))
    cleanups.push(() => rmSync(directory, { recursive: true }))
    writeFileSync(join(directory, 'one.pem'), tlsText('authority.pem'))
    writeFileSync(join(directory, 'notes.txt'), 'no certificate')
    const { address } = await broker()
    const conf = { ...trusting, 'ssl.ca.location': directory, 'ssl.ca.pem': tlsText('stranger.pem') }
    expect(await clusterId(address, conf)).toBe('behind-tls')
  })

  it('refuses a broker that an unknown authority vouches for', async () => {
    const { address } = await broker()
    const error = await firstError(address, { ...trusting, 'ssl.ca.location': tlsFile('stranger.pem') })
    expect(error.name()).toBe('_SSL')
    expect(error.str()).toContain('SSL handshake failed')
    expect(error.str()).toContain('does ssl.ca.location hold the authority of the brokers?')
  })

  it('refuses a certificate that has expired', async () => {
    const { address } = await broker('expired')
    const error = await firstError(address, { ...trusting, 'ssl.ca.location': tlsFile('expired.pem') })
    expect(error.name()).toBe('_SSL')
    expect(error.str()).toContain('certificate has expired')
  })

  it('refuses the certificate of another host unless endpoint identification is off', async () => {
    const { address } = await broker('elsewhere')
    const error = await firstError(address, trusting)
    expect(error.name()).toBe('_SSL')
    expect(error.str()).toContain('elsewhere.example')
    const unchecked = { ...trusting, 'ssl.endpoint.identification.algorithm': 'none' }
    expect(await clusterId(address, unchecked)).toBe('behind-tls')
  })

  it('checks the address where the broker is known by its address', async () => {
    const { address } = await broker('server', {}, '127.0.0.1')
    expect(await clusterId(address, trusting)).toBe('behind-tls')
  })

  it('asks the checkServerIdentity hook in place of the own check', async () => {
    const { address } = await broker('elsewhere')
    const hosts: string[] = []
    const accepting: ClientHooks = {
      checkServerIdentity: (host) => {
        hosts.push(host)
        return undefined
      },
    }
    expect(await clusterId(address, trusting, accepting)).toBe('behind-tls')
    expect(hosts[0]).toBe('localhost')
    const refusing: ClientHooks = { checkServerIdentity: () => new Error('not this one') }
    expect((await firstError(address, trusting, refusing)).str()).toContain('not this one')
  })

  it('trusts anybody with enable.ssl.certificate.verification=false', async () => {
    const { address } = await broker('elsewhere')
    const conf = { 'security.protocol': 'ssl', 'enable.ssl.certificate.verification': false } as const
    expect(await clusterId(address, conf)).toBe('behind-tls')
  })

  it('refuses a certificate of the revocation list', async () => {
    const revoking = { ...trusting, 'ssl.crl.location': tlsFile('revocations.pem') }
    const { address } = await broker('revoked')
    expect((await firstError(address, revoking)).str()).toContain('revoked')
    const { address: good } = await broker()
    expect(await clusterId(good, revoking)).toBe('behind-tls')
  })

  const demanding = { ca: tlsText('authority.pem'), requestCert: true, rejectUnauthorized: true }
  it.each([
    [
      'files',
      { 'ssl.certificate.location': tlsFile('client.pem'), 'ssl.key.location': tlsFile('client.key') },
    ],
    ['PEM texts', { 'ssl.certificate.pem': tlsText('client.pem'), 'ssl.key.pem': tlsText('client.key') }],
    [
      'an encrypted key',
      {
        'ssl.certificate.location': tlsFile('client.pem'),
        'ssl.key.location': tlsFile('client-encrypted.key'),
        'ssl.key.password': 'sesame',
      },
    ],
    [
      'a PKCS#12 bundle',
      { 'ssl.keystore.location': tlsFile('client.p12'), 'ssl.keystore.password': 'sesame' },
    ],
  ])('shows the certificate from %s', async (_, identity) => {
    const { address, broker: seen } = await broker('server', demanding)
    expect(await clusterId(address, { ...trusting, ...identity })).toBe('behind-tls')
    expect(seen.clients).toContain('test-client')
  })

  it('reports _SSL when the broker wants a certificate and gets none', async () => {
    const { address } = await broker('server', demanding)
    expect((await firstError(address, trusting)).name()).toBe('_SSL')
  })

  it('limits ciphers, curves and signature algorithms as told', async () => {
    const { address } = await broker('server', {
      maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
    })
    const own = { 'ssl.curves.list': 'P-256', 'ssl.sigalgs.list': 'ECDSA+SHA256' }
    const common = { ...trusting, ...own, 'ssl.cipher.suites': 'ECDHE-ECDSA-AES128-GCM-SHA256' }
    expect(await clusterId(address, common)).toBe('behind-tls')
    const other = { ...trusting, 'ssl.cipher.suites': 'ECDHE-ECDSA-AES256-GCM-SHA384' }
    expect((await firstError(address, other)).name()).toBe('_SSL')
  })

  it('at a listener without TLS is named as the probable cause', async () => {
    const answers: ((socket: net.Socket) => unknown)[] = [
      (socket) => socket.end(),
      (socket) => socket.destroy(),
      (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    ]
    for (const answer of answers) {
      const address = await listenerWithoutTls(answer)
      const error = await firstError(address, trusting)
      expect(error.name()).toBe('_SSL')
      expect(error.str()).toContain('is it a listener without TLS? See security.protocol')
    }
  })

  it('gives a broker up that takes the connection and never shakes hands, and tries the next', async () => {
    const silent = await listenerWithoutTls(() => {})
    const { address } = await broker()
    const conf = { ...trusting, 'socket.connection.setup.timeout.ms': 1000 }
    expect(await clusterId(`${silent},${address}`, conf)).toBe('behind-tls')
    const error = await firstError(silent, conf)
    expect(error.name()).toBe('_TRANSPORT')
    expect(error.str()).toMatch(/timed out/)
  })
})

/** A server that speaks no TLS: `answer` is what it does with the first bytes of a connection. */
async function listenerWithoutTls(answer: (socket: net.Socket) => unknown): Promise<string> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => answer(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `localhost:${(server.address() as net.AddressInfo).port}`
}

describe('security.protocol=plaintext', () => {
  it('at a listener with TLS is named as the probable cause', async () => {
    const { address } = await broker()
    const error = await firstError(address, {})
    expect(['_TRANSPORT', '_BAD_MSG']).toContain(error.name())
    expect(error.str()).toContain(
      'is it a listener with TLS or SASL, or no broker at all? See security.protocol',
    )
  })

  it('at a web server is told of as no broker', async () => {
    const address = await listenerWithoutTls((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const error = await firstError(address, {})
    expect(error.name()).toBe('_BAD_MSG')
    expect(error.str()).toContain('no broker at all')
  })
})

describe('ssl.* properties that cannot be used', () => {
  const make = (conf: ClientConfig) => () =>
    new Producer({ 'bootstrap.servers': 'localhost:1', ...trusting, ...conf })

  it('are refused by the constructor', () => {
    expect(make({ 'ssl.ca.location': '/nowhere/ca.pem' })).toThrow(/"ssl.ca.location".*nowhere/)
    const identity = { 'ssl.certificate.location': tlsFile('client.pem') }
    expect(make({ ...identity, 'ssl.key.location': tlsFile('server.key') })).toThrow(/"ssl.\*"/)
    const encrypted = { ...identity, 'ssl.key.location': tlsFile('client-encrypted.key') }
    expect(make({ ...encrypted, 'ssl.key.password': 'wrong' })).toThrow(/"ssl.\*"/)
    const keystore = { 'ssl.keystore.location': tlsFile('client.p12') }
    expect(make({ ...keystore, 'ssl.keystore.password': 'wrong' })).toThrow(/"ssl.\*"/)
    expect(make(keystore)).toThrow(/ssl.keystore.password/)
    expect(make({ 'ssl.cipher.suites': 'no-such-cipher' })).toThrow(/"ssl.\*"/)
  })
})
