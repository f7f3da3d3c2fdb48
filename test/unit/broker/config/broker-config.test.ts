import { describe, expect, expectTypeOf, test } from 'vitest'
import { parseBrokerConfig } from '../../../../broker/config/broker-config.ts'
import { advertisedListenersOf } from '../../../../broker/config/cross-checks.ts'
import { staticLevels } from '../../../../broker/config/levels.ts'
import { parseListeners, parseProtocolMap } from '../../../../broker/config/listeners.ts'
import { profileProperties } from '../../../../broker/config/profiles.ts'
import { keyOfVariable, mergeSources } from '../../../../broker/config/sources.ts'
import { topicConfigOf } from '../../../../broker/config/topic-config.ts'
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../../../storage/log-config.ts'

function configOf(properties: Readonly<Record<string, string>>) {
  return parseBrokerConfig(new Map(Object.entries(properties)))
}

test('a key is read with the type its row gives it', () => {
  const { config, errors } = configOf({ 'num.partitions': '7', 'log.retention.ms': '-1' })
  expect(errors).toEqual([])
  expectTypeOf(config.get('num.partitions')).toEqualTypeOf<number>()
  expectTypeOf(config.get('log.retention.ms')).toEqualTypeOf<number | null>()
  expectTypeOf(config.get('log.cleanup.policy')).toEqualTypeOf<readonly string[]>()
  expect(config.get('num.partitions')).toBe(7)
  expect(config.get('auto.create.topics.enable')).toBe(true)
  expect(config.get('log.roll.ms')).toBeNull()
})

test('a dynamic value beats the cluster default, and that the start-up settings', () => {
  const { config } = configOf({ 'message.max.bytes': '1' })
  const dynamicDefault = new Map([['message.max.bytes', '2']])
  const dynamicBroker = new Map([['message.max.bytes', '3']])
  expect(config.get('message.max.bytes')).toBe(1)
  expect(config.with({ dynamicDefault }).get('message.max.bytes')).toBe(2)
  expect(config.with({ dynamicDefault, dynamicBroker }).get('message.max.bytes')).toBe(3)
})

test('a listener may have a value of its own', () => {
  const { config } = configOf({ 'listener.name.external.max.connections': '5' })
  expect(config.getForListener('EXTERNAL', 'max.connections')).toBe(5)
  expect(config.getForListener('PLAINTEXT', 'max.connections')).toBe(2_147_483_647)
})

test('a misspelt key is named together with the one that was meant', () => {
  const { unknownKeys, errors } = configOf({
    'num.partition': '1',
    auto_create_topics_enabel: 'true',
    zzz: '1',
  })
  expect(errors).toEqual([])
  expect(unknownKeys).toEqual([
    { name: 'num.partition', didYouMean: 'num.partitions' },
    { name: 'auto_create_topics_enabel', didYouMean: 'auto.create.topics.enable' },
    { name: 'zzz', didYouMean: null },
  ])
})

test('a key without effect is named with the reason, unless it has its default anyway', () => {
  const { ineffectiveKeys, errors } = configOf({ 'num.io.threads': '8', 'num.network.threads': '7' })
  expect(errors).toEqual([])
  expect(ineffectiveKeys).toEqual([
    { name: 'num.network.threads', reason: expect.stringContaining('no thread pool') },
  ])
})

test("takes the settings of Kafka's authorizer, and says that they do nothing", () => {
  const { errors, unknownKeys, ineffectiveKeys } = configOf({
    'allow.everyone.if.no.acl.found': 'true',
    'super.users': 'User:admin',
  })
  expect([errors, unknownKeys]).toEqual([[], []])
  expect(ineffectiveKeys.map(({ name }) => name)).toEqual(['allow.everyone.if.no.acl.found', 'super.users'])
})

test.each([
  [{ 'num.partitions': '0' }, 'Invalid value 0 for configuration num.partitions: Value must be at least 1'],
  [{ 'node.id': '1', 'broker.id': '2' }, '`node.id` and `broker.id` must be set to the same value.'],
  [{ 'log.retention.ms': '0' }, 'requirement failed: log.retention.ms must be unlimited (-1)'],
  [{ 'replica.fetch.wait.max.ms': '40000' }, 'requirement failed: replica.fetch.wait.max.ms should always'],
  [{ 'advertised.listeners': 'PLAINTEXT://0.0.0.0:1' }, 'nonroutable meta-address 0.0.0.0'],
  [
    { 'group.consumer.session.timeout.ms': '1' },
    'must be greater than or equal to group.consumer.min.session',
  ],
])('a broker with %o does not start', (properties, message) => {
  expect(configOf(properties).errors.join()).toContain(message)
})

test('a broker that must know who it is needs an id, roles and a controller listener', () => {
  const { errors } = parseBrokerConfig(new Map(), { requiresIdentity: true })
  expect(errors).toHaveLength(3)
})

test('flags beat the environment, that beats the file, and that the profile', () => {
  const merged = mergeSources({
    profile: new Map([
      ['a', 'profile'],
      ['b', 'profile'],
      ['c', 'profile'],
      ['d', 'profile'],
    ]),
    file: new Map([
      ['b', 'file'],
      ['c', 'file'],
      ['d', 'file'],
    ]),
    environment: { KAFKA_C: 'environment', KAFKA_D: 'environment', KAFKA_HEAP_OPTS: 'x', HOME: 'x' },
    flags: new Map([['d', 'flag']]),
  })
  expect(Object.fromEntries(merged)).toEqual({ a: 'profile', b: 'file', c: 'environment', d: 'flag' })
})

test.each([
  ['KAFKA_NUM_PARTITIONS', 'num.partitions'],
  ['KAFKA_LISTENER_NAME_A__B_SSL_PROTOCOL', 'listener.name.a_b.ssl.protocol'],
  ['KAFKA_A___B', 'a-b'],
  ['KAFKA_HEAP_OPTS', null],
  ['PATH', null],
])('the variable %s stands for %s', (variable, key) => {
  expect(keyOfVariable(variable)).toBe(key)
})

test('the test profile is a valid configuration that waits for nobody', () => {
  const { config, errors, unknownKeys, ineffectiveKeys } = parseBrokerConfig(profileProperties('test'))
  expect([errors, unknownKeys, ineffectiveKeys]).toEqual([[], [], []])
  expect(config.get('group.initial.rebalance.delay.ms')).toBe(0)
  expect(config.get('offsets.topic.num.partitions')).toBeLessThanOrEqual(3)
})

test('the kafka profile changes nothing', () => {
  expect(profileProperties('kafka').size).toBe(0)
})

describe('the settings of a topic', () => {
  test("are Kafka's defaults when nobody sets anything", () => {
    const settings: LogConfig = {
      ...topicConfigOf(staticLevels(new Map()), new Map()),
      validateRecords: false,
    }
    expect(settings).toMatchObject({ ...DEFAULT_LOG_CONFIG })
  })

  test('take hours when neither milliseconds nor minutes are set', () => {
    const hours = new Map([
      ['log.retention.hours', '5'],
      ['log.roll.jitter.hours', '1'],
    ])
    expect(topicConfigOf(staticLevels(hours), new Map())).toMatchObject({
      retentionMs: 18_000_000,
      segmentJitterMs: 3_600_000,
    })
    const minutes = staticLevels(new Map([...hours, ['log.retention.minutes', '2']]))
    expect(topicConfigOf(minutes, new Map()).retentionMs).toBe(120_000)
  })

  test("prefer the topic's own values", () => {
    const overrides = new Map([
      ['cleanup.policy', 'compact,delete'],
      ['retention.ms', '9'],
      ['internal.segment.bytes', '100'],
    ])
    const config = topicConfigOf(staticLevels(new Map([['log.retention.ms', '1']])), overrides)
    expect([...config.cleanupPolicy]).toEqual(['compact', 'delete'])
    expect(config).toMatchObject({ retentionMs: 9, segmentBytes: 100 })
  })
})

describe('listeners', () => {
  const protocols = parseProtocolMap('PLAINTEXT:PLAINTEXT,external:SSL')
  const map = protocols.error === null ? protocols.value : new Map()

  test('are names, protocols, hosts and ports', () => {
    expect(parseListeners(['PLAINTEXT://:9092', 'EXTERNAL://[::1]:9093'], map)).toEqual({
      error: null,
      value: [
        { listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: '', port: 9092 },
        { listenerName: 'EXTERNAL', securityProtocol: 'SSL', host: '::1', port: 9093 },
      ],
    })
  })

  test('may share a port between one IPv4 and one IPv6 address only', () => {
    expect(parseListeners(['PLAINTEXT://127.0.0.1:1', 'EXTERNAL://[::1]:1'], map).error).toBeNull()
    expect(parseListeners(['PLAINTEXT://127.0.0.1:1', 'EXTERNAL://127.0.0.2:1'], map).error).toContain(
      'one needs to be IPv4',
    )
    expect(parseListeners(['PLAINTEXT://a:0', 'EXTERNAL://b:0'], map).error).toBeNull()
  })

  test('are advertised as they are, without those of controllers', () => {
    const levels = staticLevels(
      new Map([
        ['listeners', 'PLAINTEXT://h:1,CONTROLLER://h:2'],
        ['controller.listener.names', 'CONTROLLER'],
      ]),
    )
    const advertised = advertisedListenersOf(levels)
    expect(advertised.error === null && advertised.value.map(({ listenerName }) => listenerName)).toEqual([
      'PLAINTEXT',
    ])
  })
})
