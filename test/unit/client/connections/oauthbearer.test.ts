import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import {
  AdminClient,
  type ClientConfig,
  Consumer,
  type KafkaError,
  type KafkaException,
  type OauthToken,
  Producer,
  ShareConsumer,
} from '../../../../client/index.ts'
import type { SaslAuthenticateRequest } from '../../../../common/protocol/apis/36-sasl-authenticate.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { ScriptedCluster } from '../support/scripted-broker.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const bearer = { 'security.protocol': 'sasl_plaintext', 'sasl.mechanisms': 'OAUTHBEARER' } as const

async function world(conf: ClientConfig) {
  const cluster = new ScriptedCluster(1)
  await cluster.start(1)
  cluster.topic('t', [1])
  const errors: KafkaError[] = []
  const producer = new Producer(
    { 'bootstrap.servers': cluster.bootstrap, ...bearer, ...conf, error_cb: (error) => errors.push(error) },
    undefined,
    { runtime: cluster.sim },
  )
  cleanups.push(() => cluster.settle(producer.close()))
  const said = (): string[] =>
    cluster.seen('SaslAuthenticate').map(({ body }) => (body as SaslAuthenticateRequest).authBytes.toString())
  return { cluster, producer, errors, said }
}

/** The claims of the token in a first message. */
function claimsIn(message: string | undefined): Record<string, unknown> {
  const [, , payload] = /auth=Bearer ([^.]*)\.([^.]*)\./.exec(message ?? '') ?? []
  return JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()) as Record<string, unknown>
}

describe('oauth_cb', () => {
  it('gets the text of sasl.oauthbearer.config, and its token goes to the broker with the extensions', async () => {
    const asked: string[] = []
    const expirySeconds = 4_000_000_000
    const { cluster, producer, said } = await world({
      'sasl.oauthbearer.config': 'some text',
      oauth_cb: (text): OauthToken => {
        asked.push(text)
        return ['abc', expirySeconds, 'me', { traceId: '42' }]
      },
    })
    await cluster.settle(producer.listTopics())
    expect(asked).toEqual(['some text'])
    expect(said()[0]).toBe('n,,\u0001auth=Bearer abc\u0001traceId=42\u0001\u0001')
  })

  it('is asked once for many connections, and again after 80 % of the life of the token', async () => {
    let count = 0
    let wallMs = (): number => 0
    const { cluster, producer } = await world({
      oauth_cb: async (): Promise<OauthToken> => [`token-${++count}`, wallMs() / 1000 + 1000],
    })
    wallMs = () => cluster.sim.clock.wallMs()
    await cluster.start(2)
    await cluster.settle(producer.listTopics())
    await cluster.settle(producer.listTopics())
    expect(count).toBe(1)
    await cluster.advance(799_000)
    expect(count).toBe(1)
    await cluster.advance(2_000)
    expect(count).toBe(2)
  })

  it('that fails is told to error_cb as _AUTHENTICATION and asked again after ten seconds', async () => {
    let count = 0
    const { cluster, producer, errors } = await world({
      oauth_cb: (): OauthToken => {
        if (++count === 1) throw new Error('no idea')
        return ['abc', 4_000_000_000]
      },
    })
    const listed = producer.listTopics()
    await cluster.advance(9_000)
    expect(count).toBe(1)
    await cluster.settle(producer.poll(0))
    expect(errors[0]?.name()).toBe('_AUTHENTICATION')
    expect(errors[0]?.str()).toContain('no idea')
    await cluster.settle(listed)
    expect(count).toBe(2)
  })

  it.each([
    ['an expired token', ['abc', 1]],
    ['an empty token', ['', 4_000_000_000]],
    ['something else', 'abc'],
    ['a token with a separator in it', ['a\u0001b', 4_000_000_000]],
    ['an extension that would be a token', ['abc', 4_000_000_000, 'me', { auth: 'x' }]],
    ['an extension with digits in its name', ['abc', 4_000_000_000, 'me', { x1: 'x' }]],
  ])('may not return %s', async (_, token) => {
    const { cluster, producer, errors, said } = await world({
      oauth_cb: () => token as unknown as OauthToken,
    })
    const listed = producer.listTopics(null, { timeoutMs: 2000 })
    await expect(cluster.settle(listed)).rejects.toThrow()
    await cluster.settle(producer.poll(0))
    expect(errors[0]?.name()).toBe('_AUTHENTICATION')
    expect(said()).toEqual([])
  })
})

describe('create', () => {
  it('gives a handle once there is a token, and rejects when there is none', async () => {
    const base = { 'bootstrap.servers': 'localhost:1', 'group.id': 'g', ...bearer, log_level: 0 }
    for (const Handle of [Producer, Consumer, ShareConsumer, AdminClient]) {
      const made = await Handle.create({ ...base, oauth_cb: () => ['abc', 4_000_000_000] })
      await made.close()
      const failing = {
        ...base,
        error_cb: () => {},
        oauth_cb: () => Promise.reject(new Error('no idea')),
      }
      const error = await Handle.create(failing).catch((caught: unknown) => caught)
      expect((error as KafkaException).error.name()).toBe('SASL_AUTHENTICATION_FAILED')
      expect((error as KafkaException).message).toContain('no idea')
    }
  })
})

describe('an unsecured token', () => {
  it('has the claims that sasl.oauthbearer.config names', async () => {
    const { cluster, producer, said } = await world({
      'enable.sasl.oauthbearer.unsecure.jwt': true,
      'sasl.oauthbearer.config': 'principal=alice scope=a,b lifeSeconds=60 extension_traceId=7',
    })
    await cluster.settle(producer.listTopics())
    const claims = claimsIn(said()[0])
    expect(claims).toMatchObject({ sub: 'alice', scope: ['a', 'b'] })
    expect((claims.exp as number) - (claims.iat as number)).toBe(60)
    expect(said()[0]).toContain('\u0001traceId=7\u0001')
  })

  it('needs a principal and knows its properties', () => {
    const make = (text: string) => () =>
      new Producer({
        ...bearer,
        'enable.sasl.oauthbearer.unsecure.jwt': true,
        'sasl.oauthbearer.config': text,
      })
    expect(make('scope=a')).toThrow(/principal/)
    expect(make('principal=a colour=red')).toThrow(/colour=red/)
    expect(make('principal=a lifeSeconds=soon')).toThrow(/soon/)
  })
})

describe('a broker', () => {
  it('that refuses a token is heard out before the connection ends', async () => {
    const { cluster, producer, errors, said } = await world({ oauth_cb: () => ['abc', 4_000_000_000] })
    cluster.onRequest = ({ api, body }) => {
      if (api !== 'SaslAuthenticate') return undefined
      const isFirst = (body as SaslAuthenticateRequest).authBytes.toString().startsWith('n,,')
      return isFirst
        ? {
            answer: {
              errorCode: ErrorCode.NONE,
              errorMessage: null,
              authBytes: Buffer.from('{"status":"invalid_token"}'),
            },
          }
        : {
            answer: {
              errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED,
              errorMessage: 'invalid_token',
              authBytes: Buffer.alloc(0),
            },
          }
    }
    await expect(cluster.settle(producer.listTopics(null, { timeoutMs: 50 }))).rejects.toThrow()
    await cluster.settle(producer.poll(0))
    expect(said()[1]).toBe('\u0001')
    expect(errors[0]?.name()).toBe('_AUTHENTICATION')
    expect(errors[0]?.str()).toContain('invalid_token')
  })

  it('that limits the session gets the authentication again before it ends (KIP-368)', async () => {
    const { cluster, producer } = await world({ oauth_cb: () => ['abc', 4_000_000_000] })
    cluster.sessionLifetimeMs = 10_000
    await cluster.settle(producer.listTopics())
    const connections = cluster.seen('ApiVersions').length
    const before = cluster.seen('SaslAuthenticate').length
    await cluster.advance(8_400)
    expect(cluster.seen('SaslAuthenticate')).toHaveLength(before)
    await cluster.advance(1_200)
    expect(cluster.seen('SaslAuthenticate')).toHaveLength(before * 2)
    await cluster.advance(30_000)
    producer.produce('t', { value: 'x' })
    await cluster.settle(producer.flush())
    expect(cluster.seen('ApiVersions')).toHaveLength(connections)
  })

  it('gets nothing else while a session is renewed', async () => {
    const { cluster, producer } = await world({ oauth_cb: () => ['abc', 4_000_000_000] })
    cluster.sessionLifetimeMs = 10_000
    await cluster.settle(producer.listTopics())
    producer.produce('t', { value: 'first' })
    await cluster.settle(producer.flush())
    const seenBefore = cluster.requests.length
    cluster.onRequest = ({ api }) =>
      api === 'SaslHandshake'
        ? { answer: { errorCode: ErrorCode.NONE, mechanisms: ['OAUTHBEARER'] }, delayMs: 2_000 }
        : undefined
    await cluster.advance(9_600)
    producer.produce('t', { value: 'second' })
    await cluster.settle(producer.flush())
    const apis = cluster.requests.slice(seenBefore).map(({ api }) => api)
    expect(apis.filter((api) => api === 'Produce')).toHaveLength(1)
    expect(apis.indexOf('SaslAuthenticate')).toBeLessThan(apis.indexOf('Produce'))
  })

  it('that refuses the renewal loses the connection', async () => {
    const { cluster, producer, errors } = await world({ oauth_cb: () => ['abc', 4_000_000_000] })
    cluster.sessionLifetimeMs = 10_000
    await cluster.settle(producer.listTopics())
    cluster.onRequest = ({ api }) =>
      api === 'SaslAuthenticate'
        ? {
            answer: {
              errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED,
              errorMessage: null,
              authBytes: Buffer.alloc(0),
            },
          }
        : undefined
    await cluster.advance(9_600)
    await cluster.settle(producer.poll(0))
    expect(errors[0]?.name()).toBe('_AUTHENTICATION')
  })
})

describe('sasl.oauthbearer.method=oidc', () => {
  interface Asked {
    readonly authorization: string | undefined
    readonly form: URLSearchParams
  }

  async function provider(answer: (asked: Asked) => { status: number; body: string }) {
    const asked: Asked[] = []
    const server: Server = createServer((request, response) => {
      let text = ''
      request.on('data', (chunk) => {
        text += chunk
      })
      request.on('end', () => {
        const seen = { authorization: request.headers.authorization, form: new URLSearchParams(text) }
        asked.push(seen)
        const { status, body } = answer(seen)
        response.writeHead(status, { 'Content-Type': 'application/json' }).end(body)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => new Promise((resolve) => server.close(resolve)))
    return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token` }
  }

  const conf = (url: string) => ({
    'sasl.oauthbearer.method': 'oidc',
    'sasl.oauthbearer.client.id': 'me',
    'sasl.oauthbearer.client.secret': 'secret',
    'sasl.oauthbearer.token.endpoint.url': url,
    'sasl.oauthbearer.scope': 'kafka',
    'sasl.oauthbearer.extensions': 'logicalCluster=lkc,poolId=p',
  })

  /** The token comes over real sockets, the rest of the world is simulated. */
  async function until(cluster: ScriptedCluster, condition: () => boolean): Promise<void> {
    for (const deadline = Date.now() + 20_000; !condition(); ) {
      if (Date.now() > deadline) throw new Error('in vain')
      await new Promise((resolve) => setImmediate(resolve))
      await cluster.idle()
    }
  }

  it('asks the token end point with the client credentials and shows what it gives', async () => {
    const payload = Buffer.from(JSON.stringify({ sub: 'me', exp: 4_000_000_000 })).toString('base64url')
    const token = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.${payload}.signature`
    const { asked, url } = await provider(() => ({
      status: 200,
      body: JSON.stringify({ access_token: token, token_type: 'Bearer' }),
    }))
    const { cluster, producer, said } = await world(conf(url))
    const listed = producer.listTopics()
    await until(cluster, () => said().length > 0)
    await cluster.settle(listed)
    expect(asked[0]?.authorization).toBe(`Basic ${Buffer.from('me:secret').toString('base64')}`)
    expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({
      grant_type: 'client_credentials',
      scope: 'kafka',
    })
    expect(said()[0]).toContain(`auth=Bearer ${token}\u0001logicalCluster=lkc\u0001poolId=p\u0001`)
  })

  it('reports what the token end point says', async () => {
    const { url } = await provider(() => ({ status: 401, body: '{"error":"invalid_client"}' }))
    const { cluster, producer, errors } = await world(conf(url))
    producer.listTopics(null, { timeoutMs: 60_000 }).catch(() => {})
    await until(cluster, () => {
      producer.poll(0).catch(() => {})
      return errors.length > 0
    })
    expect(errors[0]?.name()).toBe('_AUTHENTICATION')
    expect(errors[0]?.str()).toMatch(/401: invalid_client/)
  })

  it('needs an address that can be one', () => {
    expect(() => new Producer({ ...bearer, ...conf('ftp://x') })).toThrow(/ftp/)
    const grant = { 'sasl.oauthbearer.grant.type': 'urn:ietf:params:oauth:grant-type:jwt-bearer' }
    expect(() => new Producer({ ...bearer, ...conf('http://x/'), ...grant })).toThrow(/oauth_cb/)
  })
})
