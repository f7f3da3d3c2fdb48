/**
 * kafkito's own client against Apache Kafka behind TLS and SASL: a broker with a listener for each combination, made for this suite.
 * The cluster that the runner offers is not used.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type ClientConfig,
  Consumer,
  type KafkaError,
  type OauthToken,
  Producer,
} from '../../../client/index.ts'
import { type Case, check, checkEqual, main, uniqueName, within } from '../lib/cases.ts'
import { kafkaTools } from '../lib/families.ts'
import { mustRun, Running } from '../lib/program.ts'
import { brokerConfig, freePorts, type ListenerName, listenerNames } from './listeners.ts'
import { tokenEndpoint } from './token-endpoint.ts'

const directory = mkdtempSync(join(tmpdir(), 'interop-client-security-'))
const broker: { running?: Running } = {}
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))

const tlsFile = (name: string): string => fileURLToPath(new URL(`../../support/tls/${name}`, import.meta.url))

async function start(): Promise<ReadonlyMap<ListenerName, string>> {
  const ports = await freePorts(listenerNames.length)
  const options = brokerConfig(ports, tlsFile).flatMap((line) => ['--config', line])
  const args = ['server', '--port', String(ports[0]), '--dir', directory, ...options]
  const server = new Running(kafkaTools, args, { ...process.env, ORACLE_LOG: 'error' })
  broker.running = server
  await server.until('the READY line', (lines) => lines.some((line) => line.startsWith('READY')), 110_000)
  const addresses = listenerNames.map((name, index) => [name, `localhost:${ports[index]}`] as const)
  const known = new Map(addresses)
  const errand = ['configs', '--bootstrap-server', known.get('PLAINTEXT') ?? '']
  const user = ['--entity-type', 'users', '--entity-name', 'alice', '--alter', '--add-config']
  // Kafka takes one credential of a user in a request.
  for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
    await mustRun(kafkaTools, [...errand, ...user, `${mechanism}=[password=secret]`])
  }
  return known
}

let starting: ReturnType<typeof start> | undefined
async function at(name: ListenerName): Promise<string> {
  starting ??= start()
  return (await starting).get(name) ?? ''
}

const trusting = { 'ssl.ca.location': tlsFile('authority.pem') }

/** Ten records go to a topic and come back through a group, all over this listener. */
async function roundTrip(listener: ListenerName, conf: ClientConfig): Promise<void> {
  const topic = uniqueName('security')
  const common = { ...conf, 'bootstrap.servers': await at(listener) }
  const values = Array.from({ length: 10 }, (_, index) => `value ${index}`)
  const producer = new Producer({ ...common, 'allow.auto.create.topics': true })
  const consumer = new Consumer({ ...common, 'group.id': topic, 'auto.offset.reset': 'earliest' })
  try {
    const failed: KafkaError[] = []
    const onDelivery = (error: KafkaError | null): void => {
      if (error !== null) failed.push(error)
    }
    for (const value of values) producer.produce(topic, { value, onDelivery })
    checkEqual(await producer.flush({ timeoutMs: 60_000 }), 0, 'messages left')
    checkEqual(failed.map(String), [], 'failed deliveries')
    consumer.subscribe([topic])
    const found: (string | undefined)[] = []
    for (const deadlineMs = Date.now() + 60_000; found.length < values.length; ) {
      check(Date.now() < deadlineMs, `only ${found.length} records came back`)
      const message = await consumer.poll(1)
      if (message !== null && message.error() === null) found.push(message.value()?.toString())
    }
    checkEqual(found.sort(), values, 'records')
  } finally {
    await consumer.close()
    await producer.close()
  }
}

/** What `error_cb` hears first of a client that cannot get in. */
async function refusal(listener: ListenerName, conf: ClientConfig): Promise<KafkaError> {
  const errors: KafkaError[] = []
  const address = { 'bootstrap.servers': await at(listener) }
  const producer = new Producer({ ...conf, ...address, error_cb: (error) => errors.push(error) })
  try {
    producer.listTopics(null, { timeoutMs: 60_000 }).catch(() => {})
    await within(
      (async () => {
        while (errors.length === 0) await producer.poll(1)
      })(),
      'error of the connection',
      60_000,
    )
    return errors[0] as KafkaError
  } finally {
    await producer.close()
  }
}

const identity = {
  'ssl.certificate.location': tlsFile('client.pem'),
  'ssl.key.location': tlsFile('client-encrypted.key'),
  'ssl.key.password': 'sesame',
}

const scram = { 'sasl.username': 'alice', 'sasl.password': 'secret' }
const plain = { 'security.protocol': 'sasl_plaintext', 'sasl.mechanisms': 'PLAIN', ...scram } as const
const bearer = { 'security.protocol': 'sasl_plaintext', 'sasl.mechanisms': 'OAUTHBEARER' } as const

function unsecuredJwt(lifeSeconds: number): OauthToken {
  const nowSeconds = Date.now() / 1000
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { sub: 'alice', iat: nowSeconds, exp: nowSeconds + lifeSeconds }
  return [`${part({ alg: 'none' })}.${part(claims)}.`, claims.exp, 'alice', {}]
}

/** Authentications and connections of all brokers so far. */
function counts(document: string): { authentications: number; connects: number } {
  const { brokers } = JSON.parse(document) as {
    brokers: Record<string, { connects: number; req: Record<string, number> }>
  }
  let authentications = 0
  let connects = 0
  for (const { connects: own, req } of Object.values(brokers)) {
    // The refused first message of a mechanism is one of two; PLAIN and good tokens take one.
    authentications += req.SaslAuthenticate ?? 0
    connects += own
  }
  return { authentications, connects }
}

/** Reads and writes until sessions have been renewed some times without new connections for it. */
async function outlivesSessions(listener: ListenerName, conf: ClientConfig): Promise<void> {
  const topic = uniqueName('sessions')
  let seen = { authentications: 0, connects: 0 }
  const producer = new Producer({
    ...conf,
    'bootstrap.servers': await at(listener),
    'allow.auto.create.topics': true,
    'statistics.interval.ms': 200,
    stats_cb: (json) => {
      seen = counts(json)
    },
  })
  try {
    const failed: string[] = []
    for (const deadlineMs = Date.now() + 90_000; seen.authentications < seen.connects + 3; ) {
      check(Date.now() < deadlineMs, `no session was renewed: ${JSON.stringify(seen)}`)
      producer.produce(topic, {
        value: 'x',
        onDelivery: (error) => error !== null && failed.push(String(error)),
      })
      await producer.poll(0.1)
    }
    checkEqual(await producer.flush({ timeoutMs: 60_000 }), 0, 'messages left')
    checkEqual(failed, [], 'failed deliveries')
  } finally {
    await producer.close()
  }
}

const cases: readonly Case[] = [
  {
    name: 'records go through a listener with TLS',
    run: () => roundTrip('TLS', { 'security.protocol': 'ssl', ...trusting }),
  },
  {
    name: 'a broker of an unknown authority is refused',
    run: async () => {
      const conf = { 'security.protocol': 'ssl', 'ssl.ca.location': tlsFile('stranger.pem') } as const
      checkEqual((await refusal('TLS', conf)).name(), '_SSL', 'error')
    },
  },
  {
    name: 'a broker whose certificate names another host is refused unless names are not checked',
    run: async () => {
      const conf = { 'security.protocol': 'ssl', ...trusting } as const
      checkEqual((await refusal('ELSEWHERE', conf)).name(), '_SSL', 'error')
      await roundTrip('ELSEWHERE', { ...conf, 'ssl.endpoint.identification.algorithm': 'none' })
    },
  },
  {
    name: 'a client shows its certificate where the broker demands one',
    run: async () => {
      await roundTrip('MUTUAL', { 'security.protocol': 'ssl', ...trusting, ...identity })
      const keystore = {
        'ssl.keystore.location': tlsFile('client.p12'),
        'ssl.keystore.password': 'sesame',
      }
      await roundTrip('MUTUAL', { 'security.protocol': 'ssl', ...trusting, ...keystore })
    },
  },
  {
    name: 'a client without certificate is refused where the broker demands one',
    run: async () => {
      const error = await refusal('MUTUAL', { 'security.protocol': 'ssl', ...trusting })
      checkEqual(error.name(), '_SSL', 'error')
    },
  },
  {
    name: 'SCRAM over TLS proves the password',
    run: async () => {
      for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
        const conf = { 'security.protocol': 'sasl_ssl', 'sasl.mechanisms': mechanism } as const
        await roundTrip('SCRAM', { ...conf, ...trusting, ...scram })
      }
    },
  },
  {
    name: 'a wrong password is told as _AUTHENTICATION',
    run: async () => {
      const conf = { 'security.protocol': 'sasl_ssl', 'sasl.mechanisms': 'SCRAM-SHA-256' } as const
      const wrong = { ...scram, 'sasl.password': 'wrong' }
      checkEqual(
        (await refusal('SCRAM', { ...conf, ...trusting, ...wrong })).name(),
        '_AUTHENTICATION',
        'error',
      )
    },
  },
  {
    name: 'tokens of oauth_cb open the connection',
    run: () =>
      roundTrip('BEARER', {
        ...bearer,
        oauth_cb: async () => unsecuredJwt(3600),
      }),
  },
  {
    name: 'the unsecured token of the configuration opens the connection',
    run: () =>
      roundTrip('BEARER', {
        ...bearer,
        'enable.sasl.oauthbearer.unsecure.jwt': true,
        'sasl.oauthbearer.config': 'principal=alice scope=a,b extension_traceId=7',
      }),
  },
  {
    name: 'a token that the broker does not accept is told as _AUTHENTICATION',
    run: async () => {
      const strange = (): OauthToken => ['no.jwt.', Date.now() / 1000 + 3600]
      checkEqual(
        (await refusal('BEARER', { ...bearer, oauth_cb: strange })).name(),
        '_AUTHENTICATION',
        'error',
      )
    },
  },
  {
    name: 'sessions that the broker limits are renewed on their connections',
    run: () => outlivesSessions('SESSIONS', plain),
  },
  {
    name: 'sessions that end with their token are renewed with the next one',
    run: () => outlivesSessions('BEARER', { ...bearer, oauth_cb: () => unsecuredJwt(10) }),
  },
  {
    name: 'PEM texts do what PEM files do',
    run: async () => {
      const text = (name: string): string => readFileSync(tlsFile(name), 'utf8')
      await roundTrip('MUTUAL', {
        'security.protocol': 'ssl',
        'ssl.ca.pem': text('authority.pem'),
        'ssl.certificate.pem': text('client.pem'),
        'ssl.key.pem': text('client.key'),
      })
      await roundTrip('MUTUAL', {
        'security.protocol': 'ssl',
        'ssl.ca.location': tlsFile('authority.pem'),
        'ssl.certificate.location': tlsFile('client.pem'),
        'ssl.key.location': tlsFile('client-encrypted.key'),
        'ssl.key.password': 'sesame',
      })
    },
  },
  {
    name: 'ciphers, curves and signatures are those that are named, or there is no connection',
    run: async () => {
      const narrow = { ...trusting, 'security.protocol': 'ssl', 'ssl.curves.list': 'P-256' } as const
      const signed = { ...narrow, 'ssl.sigalgs.list': 'ECDSA+SHA256' }
      await roundTrip('TLS', { ...signed, 'ssl.cipher.suites': 'TLS_AES_128_GCM_SHA256' })
      const rsa = { ...narrow, 'ssl.sigalgs.list': 'RSA-PSS+SHA256' }
      checkEqual((await refusal('TLS', rsa)).name(), '_SSL', 'error')
    },
  },
  {
    name: 'a certificate that is not on the revocation list is good, and any is where nobody verifies',
    run: async () => {
      const conf = { 'security.protocol': 'ssl' } as const
      await roundTrip('TLS', { ...conf, ...trusting, 'ssl.crl.location': tlsFile('revocations.pem') })
      const stranger = { ...conf, 'ssl.ca.location': tlsFile('stranger.pem') }
      await roundTrip('TLS', { ...stranger, 'enable.ssl.certificate.verification': false })
    },
  },
  {
    name: 'the checkServerIdentity hook decides over names',
    run: async () => {
      const names: string[] = []
      const checkServerIdentity = (host: string): undefined => void names.push(host)
      const conf = { ...trusting, 'security.protocol': 'ssl' } as const
      const address = { 'bootstrap.servers': await at('ELSEWHERE') }
      const producer = new Producer({ ...conf, ...address }, undefined, { checkServerIdentity })
      const { brokers } = await producer.listTopics(null, { timeoutMs: 60_000 })
      await producer.close()
      checkEqual([brokers.size, names[0]], [1, 'localhost'], 'brokers and the name')
    },
  },
  {
    name: 'the façade of kafkajs gets in with its ssl and sasl',
    run: async () => {
      const { Kafka, logLevel } = await import('../../../client/kafkajs/index.ts')
      const kafka = new Kafka({
        brokers: [await at('SCRAM')],
        logLevel: logLevel.NOTHING,
        ssl: { ca: [readFileSync(tlsFile('authority.pem'), 'utf8')] },
        sasl: { mechanism: 'scram-sha-512', username: 'alice', password: 'secret' },
      })
      const topic = uniqueName('facade')
      const admin = kafka.admin()
      await admin.connect()
      await admin.createTopics({ topics: [{ topic }], waitForLeaders: true })
      await admin.disconnect()
      const producer = kafka.producer()
      await producer.connect()
      const [sent] = await producer.send({ topic, messages: [{ value: 'x' }] })
      await producer.disconnect()
      checkEqual(sent?.baseOffset, '0', 'offset')
    },
  },
  {
    name: 'user and password are said by either name of the mechanism',
    run: async () => {
      const conf = { 'security.protocol': 'sasl_ssl', ...trusting } as const
      const user = { 'sasl.username': 'alice', 'sasl.password': 'secret' }
      await roundTrip('SCRAM', { ...conf, ...user, 'sasl.mechanisms': 'SCRAM-SHA-256' })
      await roundTrip('SCRAM', { ...conf, ...user, 'sasl.mechanism': 'SCRAM-SHA-512' })
    },
  },
  {
    name: 'tokens come from an end point that knows the client',
    run: async () => {
      const endpoint = await tokenEndpoint(tlsFile, 'me:mine', () => unsecuredJwt(3600)[0])
      try {
        const oidc = {
          ...bearer,
          'sasl.oauthbearer.method': 'oidc',
          'sasl.oauthbearer.client.id': 'me',
          'sasl.oauthbearer.client.secret': 'mine',
          'sasl.oauthbearer.token.endpoint.url': endpoint.url,
          'sasl.oauthbearer.grant.type': 'client_credentials',
          'sasl.oauthbearer.sub.claim.name': 'sub',
          'sasl.oauthbearer.scope': 'kafka',
          'sasl.oauthbearer.extensions': 'traceId=7',
        } as const
        await roundTrip('BEARER', { ...oidc, 'https.ca.location': tlsFile('authority.pem') })
        const pem = readFileSync(tlsFile('authority.pem'), 'utf8')
        await roundTrip('BEARER', { ...oidc, 'https.ca.pem': pem })
        check(endpoint.asked.length >= 4, `${endpoint.asked.length} tokens were asked for`)
        check(
          endpoint.asked.every(
            (body) => /grant_type=client_credentials/.test(body) && /scope=kafka/.test(body),
          ),
          endpoint.asked.join(),
        )
      } finally {
        await endpoint.stop()
      }
    },
  },
]

const stop = async (): Promise<void> => {
  await broker.running?.stop()
}
await main(cases, 2, stop)
