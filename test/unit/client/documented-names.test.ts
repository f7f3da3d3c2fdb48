import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  AclBinding,
  AclBindingFilter,
  BufferError,
  ClosedError,
  ConcurrentModificationException,
  ConfigEntry,
  ConfigResource,
  ConsumeError,
  ConsumerGroupMetadata,
  ConsumerGroupState,
  consistent,
  fnv1a,
  IllegalStateException,
  KafkaError,
  KafkaException,
  KeyDeserializationError,
  KeySerializationError,
  libversion,
  Message,
  MessageField,
  murmur2,
  NewPartitions,
  NewTopic,
  Node,
  NotImplementedError,
  OFFSET_STORED,
  PARTITION_UA,
  PersistenceStatus,
  ProduceError,
  RuntimeError,
  ScramCredentialInfo,
  ScramMechanism,
  SerializationError,
  ThrottleEvent,
  TIMESTAMP_CREATE_TIME,
  TIMESTAMP_LOG_APPEND_TIME,
  TIMESTAMP_NOT_AVAILABLE,
  TopicCollection,
  TopicPartition,
  UserScramCredentialDeletion,
  UserScramCredentialUpsertion,
  Uuid,
  ValueDeserializationError,
  ValueError,
  ValueSerializationError,
  version,
} from '../../../client/index.ts'
import { brokerCodes, localCodes, secondNames } from '../../support/client-api/codes.ts'

describe('the documented names', () => {
  it('constants and enumerations have the documented values', () => {
    expect([TIMESTAMP_NOT_AVAILABLE, TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME]).toEqual([0, 1, 2])
    expect([OFFSET_STORED, PARTITION_UA]).toEqual([-1000, -1])
    expect(MessageField).toEqual({ NONE: 'none', KEY: 'key', VALUE: 'value' })
    expect(PersistenceStatus.PERSISTED).toBe(2)
    expect(ConsumerGroupState.UNKOWN).toBe(ConsumerGroupState.UNKNOWN)
    expect(ConfigResource.Type.TOPIC).toBe(2)
  })

  it('version and libversion tell what this is', () => {
    const [text, packed] = libversion()
    const [major = 0, minor = 0, patch = 0] = text.split('.').map(Number)
    expect(packed).toBe(((major << 24) | (minor << 16) | (patch << 8) | 0xff) >>> 0)
    expect(version()).toMatch(/^\d+\.\d+\.\d+/)
    const key = Buffer.from('kafka')
    expect([murmur2(key, 100), consistent(Buffer.from('123456789'), 1000), fnv1a(key, 100)]).toEqual([
      0x5067cf64 % 100,
      0xcbf43926 % 1000,
      0x0d33c4e1 % 100,
    ])
  })

  it('every error code has its documented number and name', () => {
    const codes = KafkaError as unknown as Readonly<Record<string, number>>
    for (const [code, name] of [...localCodes, ...brokerCodes]) {
      expect([name, codes[name]]).toEqual([name, code])
      expect([code, new KafkaError(code).name()]).toEqual([code, name])
      expect(new KafkaError(code).str()).toMatch(code < -1 ? /^Local: ./ : /^(Broker: .|Success)/)
    }
    for (const [code, name] of secondNames) expect([name, codes[name]]).toEqual([name, code])
  })

  it('a KafkaError is a value with flags', () => {
    const error = new KafkaError(KafkaError._TIMED_OUT, 'late', { retriable: true })
    expect([error.code(), error.name(), error.str()]).toEqual([-185, '_TIMED_OUT', 'late'])
    expect([error.fatal(), error.retriable(), error.txnRequiresAbort()]).toEqual([false, true, false])
    expect(error.compare(KafkaError.NO_ERROR)).toBeLessThan(0)
    expect(error.compare(new KafkaError(-185))).toBe(0)
    expect(error.valueOf()).toBe(-185)
    expect(inspect(error)).toBe(error.toString())
    expect(error.toString()).toMatch(/RETRIABLE.*_TIMED_OUT.*-185.*late/)
    expect(String(new KafkaError(-150, null, { fatal: true, txnRequiresAbort: true }))).toMatch(
      /FATAL.*TXN_REQUIRES_ABORT/,
    )
  })

  it('the exceptions form the documented tree', () => {
    const error = new KafkaError(KafkaError._QUEUE_FULL)
    const cause = new Error('why')
    const message = new Message({ topic: 't' })
    expect(new BufferError(error)).toBeInstanceOf(KafkaException)
    expect(new ClosedError('Producer has been closed')).toBeInstanceOf(RuntimeError)
    expect(new IllegalStateException('no')).toBeInstanceOf(RuntimeError)
    expect(new ConcurrentModificationException('no')).toBeInstanceOf(RuntimeError)
    expect(new NotImplementedError('no')).toBeInstanceOf(Error)
    expect(new ValueError('no')).toBeInstanceOf(RangeError)
    for (const [exception, parent, code] of [
      [new KeySerializationError(cause), ProduceError, KafkaError._KEY_SERIALIZATION],
      [new ValueSerializationError(cause), ProduceError, KafkaError._VALUE_SERIALIZATION],
      [new KeyDeserializationError(cause, message), ConsumeError, KafkaError._KEY_DESERIALIZATION],
      [new ValueDeserializationError(cause, message), ConsumeError, KafkaError._VALUE_DESERIALIZATION],
    ] as const) {
      expect(exception).toBeInstanceOf(parent)
      expect(exception).toBeInstanceOf(SerializationError)
      expect(exception).toBeInstanceOf(KafkaException)
      expect([exception.code, exception.error.code(), exception.args[0]]).toEqual([
        code,
        code,
        exception.error,
      ])
      expect(exception.exception).toBe(cause)
    }
    expect(new ConsumeError(error, undefined, message).kafkaMessage).toBe(message)
  })

  it('every field of a message can be read and replaced', () => {
    const message = new Message<unknown, unknown>({
      topic: 't',
      partition: 1,
      offset: 2,
      latency: 0.5,
      leaderEpoch: 3,
      deliveryCount: 4,
      timestamp: [TIMESTAMP_CREATE_TIME, 5],
    })
    expect([message.latency(), message.leaderEpoch(), message.deliveryCount()]).toEqual([0.5, 3, 4])
    expect([message.topic(), message.partition(), message.offset(), message.timestamp()]).toEqual([
      't',
      1,
      2,
      [1, 5],
    ])
    message.setTopic('other')
    message.setKey('key')
    message.setValue('value')
    message.setHeaders({ name: 'header' })
    message.setError(new KafkaError(3))
    expect([message.topic(), message.key(), message.value()]).toEqual(['other', 'key', 'value'])
    expect(message.headers()).toEqual([['name', Buffer.from('header')]])
    expect([message.error()?.code(), message.len(), message.toString()]).toEqual([3, 5, 'value'])
    message.setHeaders(null)
    expect(message.headers()).toBeNull()
  })

  it('partitions and identifiers compare by value', () => {
    const partition = new TopicPartition('t', 1, 2, { metadata: 'm', leaderEpoch: 3 })
    expect(partition.equals(new TopicPartition('t', 1))).toBe(true)
    expect(TopicPartition.compare(partition, new TopicPartition('t', 2))).toBeLessThan(0)
    expect(`${partition}`).toBe('t[1]@2')
    const uuid = new Uuid(1n, -1n)
    expect([uuid.getMostSignificantBits(), uuid.getLeastSignificantBits()]).toEqual([1n, -1n])
    expect(uuid.toBigInt()).toBe((1n << 64n) | 0xffffffffffffffffn)
    expect(Uuid.fromString(uuid.toString()).equals(uuid)).toBe(true)
    expect(uuid.equals(Uuid.ZERO)).toBe(false)
    const group = new ConsumerGroupMetadata('g', 4, 'member', 'instance')
    expect(ConsumerGroupMetadata.fromBuffer(group.toBuffer())).toEqual(group)
  })

  it('nodes and throttle events have text forms', () => {
    const node = new Node(1, 'host', 9092, 'rack')
    expect([node.id, node.idString, node.host, node.port, node.rack]).toEqual([1, '1', 'host', 9092, 'rack'])
    const event = new ThrottleEvent('host:9092/1', 1, 0.25)
    expect([event.brokerName, event.brokerId, event.throttleTime]).toEqual(['host:9092/1', 1, 0.25])
    for (const part of ['host:9092/1', '250']) expect(event.toString()).toContain(part)
  })

  it('what the admin client takes shows what it was made of', () => {
    const growth = new NewPartitions('t', 3, { replicaAssignment: [[1]] })
    expect([growth.topic, growth.newTotalCount, growth.replicaAssignment]).toEqual(['t', 3, [[1]]])
    expect(new TopicCollection(['a', 'b']).topicNames).toEqual(['a', 'b'])
    expect(new NewTopic('t', 3).equals(new NewTopic('t', 3, 2))).toBe(true)
    const resource = new ConfigResource('topic', 't')
    resource.setConfig('retention.ms', '1')
    const entry = new ConfigEntry('cleanup.policy', 'compact', { incrementalOperation: 2 })
    resource.addIncrementalConfig(entry)
    expect([resource.restype, resource.name, resource.length]).toEqual([2, 't', 1])
    expect(resource.setConfigDict).toBeDefined()
    expect(resource.incrementalConfigs).toEqual([entry])
    expect([resource.configs, resource.error]).toEqual([null, null])
    expect([entry.isSynonym, entry.isDefault, entry.isReadOnly, entry.isSensitive]).toEqual(
      Array(4).fill(false),
    )
    expect(entry.toString()).toContain('compact')
    const binding = new AclBinding('topic', 't', 'literal', 'User:a', '*', 'read', 'allow')
    const { restype, resourcePatternType, principal, host, operation, permissionType } = binding
    expect([restype, resourcePatternType, principal, host, operation, permissionType]).toEqual([
      2,
      3,
      'User:a',
      '*',
      3,
      3,
    ])
    expect(binding.equals(new AclBinding(2, 't', 3, 'User:a', '*', 3, 3))).toBe(true)
    expect(new AclBindingFilter('any', null, 'any', null, null, 'any', 'any').principal).toBeNull()
    const info = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096)
    const upsertion = new UserScramCredentialUpsertion('u', info, Buffer.from('p'), Buffer.from('s'))
    expect(upsertion.scramCredentialInfo).toEqual(info)
    expect([`${upsertion.password}`, `${upsertion.salt}`, upsertion.user]).toEqual(['p', 's', 'u'])
    expect(new UserScramCredentialDeletion('u', ScramMechanism.SCRAM_SHA_512).mechanism).toBe(2)
  })
})
