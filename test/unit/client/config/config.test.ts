import { describe, expect, it } from 'vitest'
import { readConfig } from '../../../../client/config/read-config.ts'
import type { ClientConfig } from '../../../../client/config/table.ts'
import { KafkaException, ValueError } from '../../../../client/index.ts'

function refusal(conf: object, kind: 'producer' | 'consumer' | 'share-consumer' = 'producer'): string {
  try {
    readConfig(kind, conf as ClientConfig)
  } catch (error) {
    if (error instanceof KafkaException) {
      expect(error.error.name()).toBe('_INVALID_ARG')
      return error.message
    }
    throw error
  }
  return 'accepted'
}

describe('a configuration', () => {
  it('takes numbers, hexadecimal text, booleans in their spellings and words in any case', () => {
    const config = readConfig('producer', {
      'batch.size': '0x10000',
      'linger.ms': '1.5',
      'socket.keepalive.enable': 'T',
      'compression.codec': 'ZSTD',
      acks: 'ALL',
    })
    expect(config.get('batch.size')).toBe(65536)
    expect(config.get('linger.ms')).toBe(1.5)
    expect(config.get('socket.keepalive.enable')).toBe(true)
    expect(config.get('compression.codec')).toBe('zstd')
    expect(config.get('acks')).toBe(-1)
  })

  it('is needed', () => {
    expect(() => readConfig('producer', undefined)).toThrow(TypeError)
  })

  it('lets the second object win over the first, and the last alias over the one before', () => {
    expect(readConfig('producer', { 'linger.ms': 1 }, { 'linger.ms': 2 }).get('linger.ms')).toBe(2)
    expect(readConfig('producer', { 'linger.ms': 1, 'queue.buffering.max.ms': 3 }).get('linger.ms')).toBe(3)
  })

  it('does not look at a value of the first object that the second one overrides', () => {
    expect(readConfig('producer', { acks: 'most' as never }, { acks: 1 }).get('acks')).toBe(1)
    expect(readConfig('producer', { acks: 1 }, { acks: null }).get('acks')).toBe(-1)
    expect(readConfig('producer', { acks: 1 }, { acks: undefined }).get('acks')).toBe(1)
  })

  it('takes what every object of JavaScript inherits for unknown names and words', () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty'])
      expect(refusal({ [name]: 1 })).toContain(`No such configuration property: "${name}"`)
    expect(refusal({ acks: 'constructor' })).toContain('-1 … 1000 or all')
  })

  it('refuses a value in all its spellings', () => {
    for (const no of [false, 0, 'f', 'F', 'FALSE', '0'])
      expect(refusal({ 'api.version.request': no })).toContain('versions are always negotiated')
  })

  it('treats null and undefined as not given', () => {
    const config = readConfig('producer', { 'linger.ms': null, acks: undefined })
    expect(config.isExplicit('linger.ms')).toBe(false)
    expect(config.get('acks')).toBe(-1)
  })

  it('refuses an unknown property and names the nearest known one', () => {
    expect(refusal({ 'linger.msec': 1 })).toContain('"linger.ms"')
    expect(refusal({ bootstrapServers: 'x' })).toContain('"bootstrap.servers"')
    expect(refusal({ bootstrap_servers: 'x' })).toContain('"bootstrap.servers"')
    expect(refusal({ dr_cb: () => {} })).toContain('on_delivery')
    expect(refusal({ 'sasl.mechanisms': 'GSSAPI' })).toContain('PLAIN')
  })

  it('refuses numbers out of range and words that do not exist, and names what is allowed', () => {
    expect(refusal({ 'socket.timeout.ms': 5 })).toContain('10 … 300000')
    expect(refusal({ 'compression.codec': 'brotli' })).toContain('zstd')
    expect(refusal({ 'linger.ms': 'soon' })).toContain('soon')
    expect(refusal({ 'linger.ms': '' })).toContain('linger.ms')
    expect(refusal({ partitioner: 'magic' })).toContain('murmur2')
  })

  it('takes a logger that has a method for its lines, and no other', () => {
    const sink = { info: () => {} }
    expect(readConfig('producer', { logger: sink }).get('logger')).toBe(sink)
    for (const logger of [{}, [], { level: 'info' }])
      expect(() => readConfig('producer', { logger: logger as never })).toThrow(TypeError)
  })

  it('refuses a callback that cannot be called with a TypeError', () => {
    expect(() => readConfig('producer', { error_cb: 1 } as unknown as ClientConfig)).toThrow(TypeError)
    expect(() => readConfig('producer', { on_delivery: 'x' } as unknown as ClientConfig)).toThrow(TypeError)
    expect(() => readConfig('producer', { logger: 3 } as unknown as ClientConfig)).toThrow(
      /"logger" must be an object/,
    )
  })

  it('warns of properties of the other kind and notes those without effect', () => {
    const { notices } = readConfig('producer', { 'group.id': 'g', 'log.thread.name': true })
    expect(notices.map(({ level }) => level)).toEqual(['warning', 'debug'])
  })

  it('derives what is left open', () => {
    const config = readConfig('producer', { 'linger.ms': 20, 'retry.backoff.ms': 50 })
    expect(config.get('sticky.partitioning.linger.ms')).toBe(40)
    expect(config.get('topic.metadata.refresh.fast.interval.ms')).toBe(50)
    expect(config.get('allow.auto.create.topics')).toBe(true)
    expect(readConfig('consumer', { 'group.id': 'g' }).get('allow.auto.create.topics')).toBe(false)
  })
})

describe('idempotence and transactions', () => {
  it('bring their own limits', () => {
    const config = readConfig('producer', { 'transactional.id': 'tx' })
    expect(config.get('enable.idempotence')).toBe(true)
    expect(config.get('max.in.flight.requests.per.connection')).toBe(5)
    expect(config.get('delivery.timeout.ms')).toBe(60000)
    expect(config.get('socket.timeout.ms')).toBe(59900)
  })

  it.each([
    { 'transactional.id': 'tx', 'enable.idempotence': false },
    { 'enable.idempotence': true, 'max.in.flight': 6 },
    { 'enable.idempotence': true, retries: 0 },
    { 'enable.idempotence': true, acks: 1 },
    { 'enable.idempotence': true, 'queuing.strategy': 'lifo' },
    { 'enable.gapless.guarantee': true },
    { 'transactional.id': 'tx', 'delivery.timeout.ms': 60001 },
    { 'delivery.timeout.ms': 5, 'linger.ms': 5 },
    { 'reconnect.backoff.ms': 200, 'reconnect.backoff.max.ms': 100 },
    { 'ssl.key.pem': 'x' },
    { 'security.protocol': 'sasl_plaintext' },
    { 'security.protocol': 'sasl_plaintext', 'sasl.mechanism': 'OAUTHBEARER' },
  ])('refuse what contradicts them: %j', (conf) => {
    expect(refusal(conf)).not.toBe('accepted')
  })

  it('an empty transactional.id counts as not set', () => {
    expect(readConfig('producer', { 'transactional.id': '' }).get('enable.idempotence')).toBe(false)
  })
})

describe('the configuration of a consumer', () => {
  it('needs a group.id', () => {
    expect(() => readConfig('consumer', {})).toThrow(ValueError)
  })

  it.each([
    { 'partition.assignment.strategy': 'range,cooperative-sticky' },
    { 'partition.assignment.strategy': 'sticky' },
    { 'partition.assignment.strategy': 'range,range' },
    { 'max.poll.interval.ms': 1000 },
    { 'group.protocol': 'consumer', 'session.timeout.ms': 1000 },
    { 'fetch.max.bytes': 1000 },
  ])('refuses %j', (conf) => {
    expect(refusal({ 'group.id': 'g', ...conf }, 'consumer')).not.toBe('accepted')
  })

  it('of a share group excludes what does not apply', () => {
    expect(refusal({ 'group.id': 'g', 'auto.offset.reset': 'earliest' }, 'share-consumer')).toContain(
      'auto.offset.reset',
    )
  })
})
