/**
 * Clients that sign on at brokers which lie while they do: in SaslHandshake, in the tokens of every mechanism, in how long a session
 * lasts. Whatever comes, calls end in time, nothing escapes, nobody is asked without a pause, no message is lost or doubled, and when
 * the brokers are honest again the same handle goes on.
 *
 * SASL_FUZZ_SEEDS sets how many worlds are made, SEED the first of them.
 */
import { describe, expect, it } from 'vitest'
import { type ClientConfig, KafkaException, Producer } from '../../client/index.ts'
import {
  SaslAuthenticate,
  type SaslAuthenticateRequest,
  type SaslAuthenticateResponse,
} from '../../common/protocol/apis/36-sasl-authenticate.ts'
import { decodeResponse } from '../../common/protocol/codec.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { frameOf, joinFrame } from '../../common/protocol/frame.ts'
import { decodeResponseHeader, encodeResponseFrame } from '../../common/protocol/header.ts'
import type { Random } from '../../common/runtime/random.ts'
import { SeededRandom } from '../../common/runtime/seeded-random.ts'
import type { Link } from '../../common/runtime/transport.ts'
import { scramBroker } from '../unit/client/support/scram-server.ts'
import { ScriptedCluster } from '../unit/client/support/scripted-broker.ts'
import { type Answer, hostileTransport } from './hostile-transport.ts'
import { mangled } from './mangle-answers.ts'

const SEEDS = Number(process.env.SASL_FUZZ_SEEDS ?? 3)
const FIRST = Number(process.env.SEED ?? 20_261_123)
const ROUNDS = 12
const CALL_MS = 3000
const SLACK_MS = 1000
const HEAL_MS = 120_000
/** Of one client and two brokers, with pauses from 50 ms on and sessions of seconds. */
const MOST_REQUESTS_PER_SECOND = 200

const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const
type Mechanism = (typeof mechanisms)[number]

function pick<T>(random: Random, items: readonly T[]): T {
  return items[random.int(items.length)] as T
}

/** Changes to the token of a broker; `earlier` are tokens of other conversations and steps. */
const tokenLies: readonly ((token: Buffer, random: Random, earlier: readonly Buffer[]) => Buffer)[] = [
  () => Buffer.alloc(0),
  (_, random) => random.bytes(random.int(300)),
  (_, random) => Buffer.alloc(1 + random.int(2_000_000), 'r=x,s=eA==,i=4096,'),
  (token, random) => token.subarray(0, random.int(token.length + 1)),
  (token) => Buffer.concat([token, token]),
  (token, random, earlier) => (earlier.length === 0 ? token : pick(random, earlier)),
  (token, random) => {
    const copy = Buffer.from(token)
    if (copy.length > 0) copy[random.int(copy.length)] = random.int(256)
    return copy
  },
  (token, random) => {
    const counts = ['0', '1', '2', '4095', '-1', '2147483648', '1e9', '4096.5', 'NaN', '']
    return Buffer.from(token.toString().replace(/i=[^,]*/, `i=${pick(random, counts)}`))
  },
  (token, random) =>
    Buffer.from(token.toString().replace(/s=[^,]*/, `s=${pick(random, ['', '=', '****', 'eA', 'eA=='])}`)),
  (token, random) =>
    Buffer.from(token.toString().replace(/v=.*/, pick(random, ['v=', 'v=eA==', 'e=no', '']))),
  (token) => Buffer.concat([Buffer.from('m=must,'), token]),
  () => Buffer.from('{"status":"invalid_token","scope":"none"}'),
]

const sessions = [0, 1, -1, 50, 2000, 2 ** 31, 2 ** 52, -(2 ** 52)]

function lyingToken(random: Random, answer: Answer, earlier: Buffer[]): readonly Buffer[] {
  const { correlationId, reader } = decodeResponseHeader(
    SaslAuthenticate,
    answer.version,
    frameOf(answer.bytes),
  )
  const truth = decodeResponse(SaslAuthenticate, answer.version, reader) as SaslAuthenticateResponse
  const { errorCode, errorMessage, authBytes, sessionLifetimeMs } = truth
  const lie = pick(random, tokenLies)(Buffer.from(authBytes), random, earlier)
  earlier.push(Buffer.from(authBytes))
  const response = {
    errorCode,
    errorMessage,
    authBytes: lie,
    sessionLifetimeMs: random.int(3) === 0 ? pick(random, sessions) : sessionLifetimeMs,
  }
  const frame = encodeResponseFrame(SaslAuthenticate, { version: answer.version, correlationId }, response)
  return [Buffer.from(joinFrame(frame))]
}

async function world(seed: number, mechanism: Mechanism) {
  const cluster = new ScriptedCluster(seed)
  await cluster.start(1)
  await cluster.start(2)
  const logs = cluster.topic('t', [1, 2])
  cluster.sessionLifetimeMs = 3000
  const random = new SeededRandom(`lies of ${mechanism} ${seed}`)
  const state = { hostility: 0.1 + random.float() * 0.6 }
  const brokers = new Map([1, 2].map((nodeId) => [nodeId, brokerOf(mechanism)]))
  cluster.onRequest = ({ api, body, nodeId }) => {
    if (api !== 'SaslAuthenticate') return undefined
    const token = brokers.get(nodeId)?.((body as SaslAuthenticateRequest).authBytes.toString())
    const isGood = token !== undefined
    return {
      answer: {
        errorCode: isGood ? ErrorCode.NONE : ErrorCode.SASL_AUTHENTICATION_FAILED,
        errorMessage: isGood ? null : 'no',
        authBytes: token ?? Buffer.alloc(0),
        sessionLifetimeMs: cluster.sessionLifetimeMs,
      },
    }
  }
  const machine = cluster.sim.machine('client')
  const links: Link[] = []
  const earlier: Buffer[] = []
  const transport = hostileTransport(
    machine.transport,
    (answer) => {
      const { name } = answer.api
      if (!name.startsWith('Sasl') || random.float() >= state.hostility) return [answer.bytes]
      if (name === 'SaslAuthenticate' && random.int(2) === 0) return lyingToken(random, answer, earlier)
      return mangled(random, answer)
    },
    (link) => links.push(link),
  )
  const becomeHonest = (): void => {
    state.hostility = 0
    for (const link of links) link.destroy()
  }
  const isHonest = (): boolean => state.hostility === 0
  return { cluster, logs, random, runtime: { ...machine, transport }, becomeHonest, isHonest }
}

function brokerOf(mechanism: Mechanism): (said: string) => Buffer | undefined {
  if (mechanism === 'PLAIN' || mechanism === 'OAUTHBEARER') {
    return (said) => (said.includes('secret') ? Buffer.alloc(0) : undefined)
  }
  return scramBroker('secret', mechanism)
}

function settingsOf(
  mechanism: Mechanism,
  random: Random,
  nowWallMs: () => number,
  isHonest: () => boolean,
): ClientConfig {
  const common = {
    'security.protocol': 'sasl_plaintext',
    'sasl.mechanisms': mechanism,
    log_level: 0,
    'socket.timeout.ms': 2000,
    'socket.connection.setup.timeout.ms': 2000,
    'message.timeout.ms': 600_000,
    'reconnect.backoff.ms': 50,
    'reconnect.backoff.max.ms': 1000,
    'enable.idempotence': true,
  } as const
  if (mechanism !== 'OAUTHBEARER') return { ...common, 'sasl.username': 'alice', 'sasl.password': 'secret' }
  return {
    ...common,
    oauth_cb: () => {
      const chance = isHonest() ? 9 : random.int(10)
      if (chance === 0) throw new Error('no token today')
      if (chance === 1) return new Promise(() => {})
      if (chance === 2) return ['', 0] as never
      return ['secret', nowWallMs() / 1000 + pick(random, [0.5, 5, 1000])]
    },
  }
}

describe.each(Array.from({ length: SEEDS }, (_, index) => FIRST + index))('with seed %i', (seed) => {
  it.each(mechanisms)(
    'brokers that lie while a client signs on with %s stop nothing for good',
    async (mechanism) => {
      const { cluster, logs, random, runtime, becomeHonest, isHonest } = await world(seed, mechanism)
      const producer = new Producer(
        { 'bootstrap.servers': cluster.bootstrap },
        settingsOf(mechanism, random, () => cluster.sim.clock.wallMs(), isHonest),
        { runtime },
      )
      const nowMs = (): number => cluster.sim.clock.monotonicMs()
      const sent: Promise<unknown>[] = []
      for (let round = 0; round < ROUNDS; round++) {
        sent.push(producer.send('t', { value: `${round}`, partition: round % 2 }))
        const startMs = nowMs()
        const listed = producer.listTopics(null, { timeoutMs: CALL_MS })
        const failure = await cluster.settle(
          listed.then(
            () => null,
            (error: unknown) => error,
          ),
          CALL_MS + SLACK_MS,
        )
        if (failure !== null) expect(failure).toBeInstanceOf(KafkaException)
        expect(nowMs() - startMs).toBeLessThanOrEqual(CALL_MS + SLACK_MS)
        await cluster.advance(random.int(1000))
      }
      const seconds = Math.max(1, nowMs() / 1000)
      expect(cluster.requests.length / seconds).toBeLessThan(MOST_REQUESTS_PER_SECOND)
      becomeHonest()
      await cluster.settle(Promise.all(sent), HEAL_MS)
      const values = logs.flatMap(({ records }) => records.map(({ value }) => Number(`${value}`)))
      expect(values.sort((one, other) => one - other)).toEqual(
        Array.from({ length: ROUNDS }, (_, index) => index),
      )
      await cluster.settle(producer.close({ timeoutMs: 0 }))
      expect(cluster.sim.scheduler.pending().map(({ label }) => label)).toEqual([])
    },
  )
})
