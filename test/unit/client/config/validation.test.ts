/** The rules between properties, in the documented order: what is derived, and what is refused with `_INVALID_ARG`. */
import { describe, expect, it } from 'vitest'
import type { HandleKind } from '../../../../client/config/config.ts'
import { readConfig } from '../../../../client/config/read-config.ts'
import type { ClientConfig, PropertyName } from '../../../../client/config/table.ts'
import { KafkaException } from '../../../../client/index.ts'

const group = { 'group.id': 'g' }

function isRefused(kind: HandleKind, conf: object): boolean {
  try {
    readConfig(kind, conf as ClientConfig)
    return false
  } catch (error) {
    expect(error).toBeInstanceOf(KafkaException)
    expect((error as KafkaException).error.name()).toBe('_INVALID_ARG')
    return true
  }
}

function derived(kind: HandleKind, conf: object, ...names: PropertyName[]): unknown[] {
  const config = readConfig(kind, conf as ClientConfig)
  return names.map((name) => config.get(name))
}

/** Of each pair the first is taken and the second refused. */
function decide(kind: HandleKind, pairs: readonly (readonly [taken: object, refused: object])[]): void {
  for (const [taken, refused] of pairs) {
    expect([taken, isRefused(kind, taken)]).toEqual([taken, false])
    expect([refused, isRefused(kind, refused)]).toEqual([refused, true])
  }
}

describe('validation', () => {
  it('a transactional id makes the producer idempotent, and an empty one is none', () => {
    expect(derived('producer', { 'transactional.id': 'tx' }, 'enable.idempotence')).toEqual([true])
    expect(derived('producer', { 'transactional.id': '' }, 'enable.idempotence')).toEqual([false])
    decide('producer', [
      [
        { 'transactional.id': 'tx', 'enable.idempotence': true },
        { 'transactional.id': 'tx', 'enable.idempotence': false },
      ],
    ])
  })

  it('idempotence bounds requests in flight, and needs retries, acks=all and the order of a queue', () => {
    const idempotent = { 'enable.idempotence': true }
    expect(
      derived(
        'producer',
        { ...idempotent, 'queue.buffering.backpressure.threshold': 9 },
        'max.in.flight.requests.per.connection',
        'queue.buffering.backpressure.threshold',
      ),
    ).toEqual([5, 1])
    decide('producer', [
      [
        { ...idempotent, 'max.in.flight': 5 },
        { ...idempotent, 'max.in.flight': 6 },
      ],
      [
        { ...idempotent, retries: 1 },
        { ...idempotent, retries: 0 },
      ],
      [
        { ...idempotent, acks: 'all' },
        { ...idempotent, acks: 1 },
      ],
      [
        { ...idempotent, 'queuing.strategy': 'fifo' },
        { ...idempotent, 'queuing.strategy': 'lifo' },
      ],
      [{ ...idempotent, 'enable.gapless.guarantee': true }, { 'enable.gapless.guarantee': true }],
    ])
  })

  it('the times of messages and requests stay within that of the transaction', () => {
    const names = ['delivery.timeout.ms', 'socket.timeout.ms'] as const
    const transactional = { 'transactional.id': 'tx', 'transaction.timeout.ms': 20_000 }
    expect(derived('producer', transactional, ...names)).toEqual([20_000, 19_900])
    expect(derived('producer', { ...transactional, 'transaction.timeout.ms': 1000 }, ...names)).toEqual([
      1000, 900,
    ])
    decide('producer', [
      [
        { ...transactional, 'delivery.timeout.ms': 20_000 },
        { ...transactional, 'delivery.timeout.ms': 20_001 },
      ],
      [
        { ...transactional, 'socket.timeout.ms': 20_100 },
        { ...transactional, 'socket.timeout.ms': 20_101 },
      ],
    ])
  })

  it('a message lives longer than it lingers, and a linger that nobody asked for gives way', () => {
    const [linger] = derived('producer', { 'delivery.timeout.ms': 3 }, 'linger.ms') as number[]
    expect(linger).toBeLessThan(3)
    decide('producer', [
      [
        { 'delivery.timeout.ms': 101, 'linger.ms': 100 },
        { 'delivery.timeout.ms': 100, 'linger.ms': 100 },
      ],
    ])
    expect(isRefused('producer', { 'delivery.timeout.ms': 0, 'linger.ms': 100 })).toBe(false)
  })

  it('a classic member is polled within its session, and its strategies are known, of one kind, and named once', () => {
    const strategy = (names: string) => ({ ...group, 'partition.assignment.strategy': names })
    decide('consumer', [
      [
        { ...group, 'session.timeout.ms': 6000, 'max.poll.interval.ms': 6000 },
        { ...group, 'session.timeout.ms': 6000, 'max.poll.interval.ms': 5999 },
      ],
      [strategy('range,roundrobin'), strategy('range,sticky')],
      [strategy('cooperative-sticky'), strategy('cooperative-sticky,range')],
      [strategy('roundrobin'), strategy('roundrobin,roundrobin')],
    ])
  })

  it('what the broker decides under KIP-848 is refused there, and its assignor means nothing elsewhere', () => {
    const modern = { ...group, 'group.protocol': 'consumer' }
    for (const conf of [
      { 'session.timeout.ms': 10_000 },
      { 'heartbeat.interval.ms': 1000 },
      { 'partition.assignment.strategy': 'range' },
      { 'group.protocol.type': 'consumer' },
    ])
      decide('consumer', [
        [
          { ...group, ...conf },
          { ...modern, ...conf },
        ],
      ])
    expect(isRefused('consumer', { ...group, 'group.remote.assignor': 'range' })).toBe(false)
  })

  it('a share consumer takes nothing of what the share group decides', () => {
    const named = {
      'enable.auto.commit': false,
      'group.protocol': 'classic',
      'partition.assignment.strategy': 'range',
      'group.instance.id': 'i',
      'isolation.level': 'read_committed',
      'group.remote.assignor': 'range',
      'queued.min.messages': 1,
      'queued.max.messages.kbytes': 1,
      'fetch.queue.backoff.ms': 1,
      'fetch.error.backoff.ms': 1,
      'enable.partition.eof': false,
      'topic.blacklist': 'a',
      'allow.auto.create.topics': false,
      'auto.offset.reset': 'earliest',
    }
    for (const [name, value] of Object.entries(named))
      expect([name, isRefused('share-consumer', { ...group, [name]: value })]).toEqual([name, true])
    expect(isRefused('share-consumer', group)).toBe(false)
  })

  it('a fetch has room for the largest message, and a response for the largest fetch', () => {
    const names = ['fetch.max.bytes', 'receive.message.max.bytes'] as const
    const large = { ...group, 'message.max.bytes': 200_000_000 }
    expect(derived('consumer', large, ...names)).toEqual([200_000_000, 200_000_512])
    decide('consumer', [
      [
        { ...group, 'fetch.max.bytes': 1_000_000 },
        { ...group, 'fetch.max.bytes': 999_999 },
      ],
      [
        { ...group, 'fetch.max.bytes': 2_000_000, 'receive.message.max.bytes': 2_000_512 },
        { ...group, 'fetch.max.bytes': 2_000_000, 'receive.message.max.bytes': 2_000_511 },
      ],
    ])
  })

  it('the longest pause between connections is no shorter than the first, and between retries it is then constant', () => {
    decide('admin', [
      [
        { 'reconnect.backoff.ms': 100, 'reconnect.backoff.max.ms': 100 },
        { 'reconnect.backoff.ms': 100, 'reconnect.backoff.max.ms': 99 },
      ],
    ])
    const config = readConfig('admin', { 'retry.backoff.ms': 500, 'retry.backoff.max.ms': 100 })
    expect(config.get('retry.backoff.max.ms')).toBe(500)
    expect(config.notices.map(({ level }) => level)).toEqual(['warning'])
  })

  it('certificates have their keys, mechanisms their credentials, and tokens one source', () => {
    const sasl = { 'security.protocol': 'sasl_plaintext' }
    const bearer = { ...sasl, 'sasl.mechanism': 'OAUTHBEARER' }
    const oidc = {
      ...bearer,
      'sasl.oauthbearer.method': 'oidc',
      'sasl.oauthbearer.client.id': 'i',
      'sasl.oauthbearer.client.secret': 's',
      'sasl.oauthbearer.token.endpoint.url': 'https://h/t',
    }
    decide('admin', [
      [{ 'ssl.key.pem': 'k', 'ssl.certificate.pem': 'c' }, { 'ssl.key.pem': 'k' }],
      [{ 'ssl.key.pem': 'k', 'ssl.certificate.location': '/c' }, { 'ssl.certificate.location': '/c' }],
      [{ 'ssl.keystore.location': '/k', 'ssl.keystore.password': 'p' }, { 'ssl.keystore.location': '/k' }],
      [{ 'https.ca.pem': 'p' }, { 'https.ca.pem': 'p', 'https.ca.location': '/c' }],
      [{ ...sasl, 'sasl.mechanism': 'plain' }, sasl],
      [{ ...bearer, 'enable.sasl.oauthbearer.unsecure.jwt': true }, bearer],
      [oidc, { ...oidc, 'enable.sasl.oauthbearer.unsecure.jwt': true }],
      [oidc, { ...oidc, 'sasl.oauthbearer.client.secret': undefined }],
    ])
    expect(isRefused('admin', { 'ssl.ca.pem': 'p', 'ssl.ca.location': '/c' })).toBe(false)
    const { notices } = readConfig('admin', { 'ssl.ca.location': '/c', 'sasl.username': 'u' })
    expect(notices.map(({ level }) => level)).toEqual(['warning', 'warning'])
  })

  it('what is left open follows from what was given', () => {
    const names = [
      'sticky.partitioning.linger.ms',
      'metadata.max.age.ms',
      'topic.metadata.refresh.fast.interval.ms',
      'allow.auto.create.topics',
    ] as const
    const conf = { 'linger.ms': 50, 'topic.metadata.refresh.interval.ms': 1000, 'retry.backoff.ms': 7 }
    expect(derived('producer', conf, ...names)).toEqual([100, 3000, 7, true])
    expect(derived('consumer', { ...group, ...conf }, ...names)).toEqual([100, 3000, 7, false])
  })
})
