import { afterEach, describe, expect, it } from 'vitest'
import {
  AdminClient,
  type ClientConfig,
  Consumer,
  type KafkaError,
  KafkaException,
  Producer,
} from '../../../../client/index.ts'
import type { SaslAuthenticateRequest } from '../../../../common/protocol/apis/36-sasl-authenticate.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { scramBroker } from '../support/scram-server.ts'
import { type Reaction, ScriptedCluster, type SeenRequest } from '../support/scripted-broker.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const plain = {
  'security.protocol': 'sasl_plaintext',
  'sasl.mechanisms': 'PLAIN',
  'sasl.username': 'alice',
  'sasl.password': 'secret',
} as const
const scram = { ...plain, 'sasl.mechanisms': 'SCRAM-SHA-256' } as const
const bearer = { 'security.protocol': 'sasl_plaintext', 'sasl.mechanisms': 'OAUTHBEARER' } as const

async function world(conf: ClientConfig, brokers: readonly number[] = [1]) {
  const cluster = new ScriptedCluster(1)
  for (const nodeId of brokers) await cluster.start(nodeId)
  const log = cluster.topic('t', [1])[0]
  const errors: KafkaError[] = []
  const producer = new Producer(
    {
      'bootstrap.servers': cluster.bootstrap,
      log_level: 0,
      ...conf,
      error_cb: (error) => errors.push(error),
    },
    undefined,
    { runtime: cluster.sim.machine('client') },
  )
  cleanups.push(() => cluster.settle(producer.close({ timeoutMs: 0 })))
  const told = async (): Promise<string[]> => {
    await cluster.settle(producer.poll(0))
    return errors.map((error) => error.name())
  }
  return { cluster, producer, errors, log, told }
}

async function failureOf(cluster: ScriptedCluster, call: Promise<unknown>): Promise<KafkaError> {
  const failure = await cluster.settle(call.catch((error: unknown) => error))
  expect(failure).toBeInstanceOf(KafkaException)
  return (failure as KafkaException).error
}

const refused: Reaction = {
  answer: {
    errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED,
    errorMessage: 'Invalid username or password',
    authBytes: Buffer.alloc(0),
  },
}
const says = (bytes: Buffer): Reaction => ({
  answer: { errorCode: ErrorCode.NONE, errorMessage: null, authBytes: bytes },
})
const saidIn = ({ body }: SeenRequest): string => (body as SaslAuthenticateRequest).authBytes.toString()

/** A broker that knows the password of alice. */
function honestBroker(): (request: SeenRequest) => Reaction {
  const answer = scramBroker('secret')
  return (request) => {
    if (request.api !== 'SaslAuthenticate') return undefined
    const token = answer(saidIn(request))
    return token === undefined ? refused : says(token)
  }
}

describe('a broker without the mechanism', () => {
  it('is told of as _AUTHENTICATION, with the mechanisms that it has', async () => {
    const { cluster, producer } = await world(plain)
    const answer = { errorCode: ErrorCode.UNSUPPORTED_SASL_MECHANISM, mechanisms: ['GSSAPI', 'OAUTHBEARER'] }
    cluster.onRequest = ({ api }) => (api === 'SaslHandshake' ? { answer } : undefined)
    const error = await failureOf(cluster, producer.listTopics(null, 5))
    expect(error.name()).toBe('_AUTHENTICATION')
    expect(error.str()).toContain('PLAIN is not enabled (enabled: GSSAPI, OAUTHBEARER)')
  })

  it('that wants no SASL at all is told of with security.protocol as the probable cause', async () => {
    const { cluster, producer } = await world(plain)
    const answer = { errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] }
    cluster.onRequest = ({ api }) => (api === 'SaslHandshake' ? { answer } : undefined)
    const error = await failureOf(cluster, producer.listTopics(null, 5))
    expect(error.name()).toBe('_AUTHENTICATION')
    expect(error.str()).toContain('security.protocol')
  })
})

describe('a wrong password', () => {
  it('is told once, calls end with it, messages wait, and attempts grow rare', async () => {
    const { cluster, producer, told } = await world({ ...plain, 'message.timeout.ms': 60_000 })
    cluster.onRequest = ({ api }) => (api === 'SaslAuthenticate' ? refused : undefined)
    const delivered = failureOf(cluster, producer.send('t', { value: 'x' }))
    const error = await failureOf(cluster, producer.listTopics(null, 30))
    expect(error.name()).toBe('_AUTHENTICATION')
    expect(error.str()).toContain('Invalid username or password')
    expect((await delivered).name()).toBe('_MSG_TIMED_OUT')
    expect(await told()).toEqual(['_AUTHENTICATION', '_ALL_BROKERS_DOWN'])
    expect(cluster.seen('SaslAuthenticate').length).toBeLessThan(20)
  })

  it('fails the calls of an administrator at once', async () => {
    const { cluster } = await world(plain)
    cluster.onRequest = ({ api }) => (api === 'SaslAuthenticate' ? refused : undefined)
    const admin = new AdminClient(
      { 'bootstrap.servers': cluster.bootstrap, log_level: 0, ...plain },
      undefined,
      {
        runtime: cluster.sim.machine('admin'),
      },
    )
    cleanups.push(() => cluster.settle(admin.close()))
    const failed = failureOf(cluster, admin.describeCluster({ requestTimeoutMs: 60_000 }))
    expect((await failed).name()).toBe('_AUTHENTICATION')
    expect(cluster.sim.clock.monotonicMs()).toBeLessThan(1000)
  })

  it('is an event of a consumer that polls', async () => {
    const { cluster } = await world(plain)
    cluster.onRequest = ({ api }) => (api === 'SaslAuthenticate' ? refused : undefined)
    const told: string[] = []
    const consumer = new Consumer(
      {
        'bootstrap.servers': cluster.bootstrap,
        'group.id': 'g',
        log_level: 0,
        ...plain,
        error_cb: (error) => told.push(error.name()),
      },
      undefined,
      { runtime: cluster.sim.machine('consumer') },
    )
    cleanups.push(() => cluster.settle(consumer.close({ timeoutMs: 0 })))
    consumer.subscribe(['t'])
    expect(await cluster.settle(consumer.poll(20))).toBeNull()
    expect(told).toEqual(['_AUTHENTICATION', '_ALL_BROKERS_DOWN'])
  })

  it('is forgotten when setSaslCredentials brings the right one', async () => {
    const { cluster, producer, log } = await world(scram)
    cluster.onRequest = honestBroker()
    producer.setSaslCredentials('alice', 'wrong')
    const delivered = producer.send('t', { value: 'x' })
    await cluster.advance(5000)
    producer.setSaslCredentials('alice', 'secret')
    await cluster.settle(delivered)
    expect(log?.records).toHaveLength(1)
  })
})

describe('a broker that hangs up', () => {
  it.each(['ApiVersions', 'SaslHandshake', 'SaslAuthenticate'])(
    'instead of answering %s is a lost connection, and tried again',
    async (api) => {
      const { cluster, producer, errors, log, told } = await world(scram)
      const honest = honestBroker()
      let left = 3
      cluster.onRequest = (request) => (request.api === api && left-- > 0 ? 'disconnect' : honest(request))
      await cluster.settle(producer.send('t', { value: 'x' }))
      expect(await told()).toContain('_TRANSPORT')
      expect(errors.map((error) => error.name())).not.toContain('_AUTHENTICATION')
      expect(log?.records).toHaveLength(1)
    },
  )

  it('instead of its proof is a lost connection', async () => {
    const { cluster, producer, log } = await world(scram)
    const honest = honestBroker()
    let left = 2
    cluster.onRequest = (request) =>
      request.api === 'SaslAuthenticate' && saidIn(request).startsWith('c=') && left-- > 0
        ? 'disconnect'
        : honest(request)
    await cluster.settle(producer.send('t', { value: 'x' }))
    expect(log?.records).toHaveLength(1)
  })

  it('on the first request of a client without SASL may want SASL', async () => {
    const { cluster, producer, errors, told } = await world({})
    cluster.onRequest = ({ api }) => (api === 'Metadata' ? 'disconnect' : undefined)
    await failureOf(cluster, producer.listTopics(null, 1))
    await told()
    expect(errors[0]?.str()).toContain('does the listener want SASL? See security.protocol')
  })
})

describe('a broker that is silent', () => {
  it.each([
    ['ApiVersions', 'api.version.request.timeout.ms'],
    ['SaslHandshake', 'socket.connection.setup.timeout.ms'],
    ['SaslAuthenticate', 'socket.connection.setup.timeout.ms'],
  ])('after %s is given up after %s, when another has long been asked', async (api, property) => {
    const { cluster, producer, errors, told } = await world({ ...scram, [property]: 5000 }, [1, 2])
    const honest = honestBroker()
    let silent: number | undefined
    cluster.onRequest = (request) => {
      silent ??= request.nodeId
      return request.nodeId === silent && request.api === api ? 'silence' : honest(request)
    }
    await cluster.settle(producer.listTopics(null, 30))
    expect(cluster.seen('Metadata').every(({ nodeId }) => nodeId !== silent)).toBe(true)
    expect(cluster.seen('Metadata')[0]?.atMs).toBeLessThan(1500)
    expect(errors).toEqual([])
    await cluster.advance(5000)
    await told()
    expect(errors[0]?.str()).toMatch(/timed out/)
  })
})

describe('a session that is renewed (KIP-368)', () => {
  it('loses no request in flight, and doubles none, when the broker never comes to the renewal', async () => {
    const { cluster, producer, log, told } = await world({
      ...plain,
      'enable.idempotence': true,
      'socket.connection.setup.timeout.ms': 5000,
    })
    cluster.sessionLifetimeMs = 6000
    await cluster.settle(producer.send('t', { value: 'first' }))
    cluster.onRequest = ({ api, atMs }) => {
      if (atMs > 6000) return undefined
      return api === 'Produce' ? 'apply-and-stay-silent' : 'silence'
    }
    await cluster.settle(producer.send('t', { value: 'second' }))
    expect(log?.records.map(({ value }) => `${value}`)).toEqual(['first', 'second'])
    expect(await told()).toEqual(['_TRANSPORT', '_ALL_BROKERS_DOWN'])
    expect(cluster.sim.clock.monotonicMs()).toBeLessThan(12_000)
  })

  it('refused by the broker ends the connection, and the one after it goes on', async () => {
    const { cluster, producer, log, told } = await world(plain)
    cluster.sessionLifetimeMs = 10_000
    await cluster.settle(producer.send('t', { value: 'first' }))
    let left = 1
    cluster.onRequest = ({ api }) => (api === 'SaslAuthenticate' && left-- > 0 ? refused : undefined)
    await cluster.advance(10_000)
    await cluster.settle(producer.send('t', { value: 'second' }))
    expect(log?.records).toHaveLength(2)
    expect((await told())[0]).toBe('_AUTHENTICATION')
  })

  it('is given up when no token comes, and the connection after it goes on', async () => {
    let asked = 0
    let wallMs = (): number => 0
    const { cluster, producer, log, told } = await world({
      ...bearer,
      'message.timeout.ms': 200_000,
      'socket.connection.setup.timeout.ms': 5000,
      oauth_cb: () => {
        asked++
        if (asked === 2) return new Promise(() => {})
        return ['abc', wallMs() / 1000 + (asked === 1 ? 4 : 1000)]
      },
    })
    wallMs = () => cluster.sim.clock.wallMs()
    cluster.sessionLifetimeMs = 6000
    await cluster.settle(producer.send('t', { value: 'first' }))
    await cluster.advance(6000)
    const delivered = producer.send('t', { value: 'second' })
    await cluster.settle(delivered)
    expect(log?.records).toHaveLength(2)
    expect(asked).toBeGreaterThanOrEqual(3)
    expect(await told()).toContain('_AUTHENTICATION')
  })

  it('as short as a millisecond keeps nobody from working', async () => {
    const { cluster, producer, log } = await world(plain)
    cluster.sessionLifetimeMs = 1
    await cluster.settle(producer.send('t', { value: 'x' }))
    const before = cluster.seen('SaslAuthenticate').length
    for (let round = 0; round < 100; round++) await cluster.advance(10)
    expect(cluster.seen('SaslAuthenticate').length - before).toBeLessThanOrEqual(20)
    await cluster.settle(producer.send('t', { value: 'y' }))
    expect(log?.records).toHaveLength(2)
  })

  it.each([-1, 0, 2 ** 52])('is not renewed soon when it lasts %d ms', async (sessionLifetimeMs) => {
    const { cluster, producer } = await world(plain)
    cluster.sessionLifetimeMs = sessionLifetimeMs
    await cluster.settle(producer.send('t', { value: 'x' }))
    const before = cluster.seen('SaslAuthenticate').length
    await cluster.advance(100_000)
    expect(cluster.seen('SaslAuthenticate')).toHaveLength(before)
  })
})

describe('a token', () => {
  it('that a broker refuses again and again is shown once in a conversation', async () => {
    const { cluster, producer } = await world({ ...bearer, oauth_cb: () => ['abc', 4_000_000_000] })
    cluster.onRequest = ({ api }) =>
      api === 'SaslAuthenticate' ? says(Buffer.from('{"status":"no"}')) : undefined
    const error = await failureOf(cluster, producer.listTopics(null, 5))
    expect(error.name()).toBe('_AUTHENTICATION')
    expect(error.str()).toContain('{"status":"no"}')
    expect(cluster.seen('SaslAuthenticate')).toHaveLength(2 * cluster.seen('ApiVersions').length)
  })

  it('that never comes is told as _AUTHENTICATION within a minute and asked for again', async () => {
    let asked = 0
    const { cluster, producer, told } = await world({
      ...bearer,
      oauth_cb: () => (++asked === 1 ? new Promise(() => {}) : ['abc', 4_000_000_000]),
    })
    const listed = producer.listTopics(null, 200)
    await cluster.advance(59_000)
    expect(asked).toBe(1)
    await cluster.advance(2_000)
    await cluster.advance(10_000)
    expect(asked).toBe(2)
    expect(await told()).toContain('_AUTHENTICATION')
    await cluster.settle(listed)
  })

  it('that is about to expire whenever it is given does not keep oauth_cb busy', async () => {
    let asked = 0
    let wallMs = (): number => 0
    const { cluster, producer } = await world({
      ...bearer,
      oauth_cb: () => {
        asked++
        return ['abc', (wallMs() + 5) / 1000]
      },
    })
    wallMs = () => cluster.sim.clock.wallMs()
    await cluster.settle(producer.listTopics(null, 5))
    for (let round = 0; round < 100; round++) await cluster.advance(100)
    expect(asked).toBeLessThanOrEqual(13)
  })
})
