import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  KafkaError,
  Message,
  NewTopic,
  OFFSET_BEGINNING,
  OFFSET_INVALID,
  TopicPartition,
  Uuid,
  ValueError,
} from '../../../../client/index.ts'
import { toRecordHeaders } from '../../../../client/values/headers.ts'

describe('TopicPartition', () => {
  it('is equal by topic and partition, not by offset', () => {
    expect(new TopicPartition('t', 1, 5).equals(new TopicPartition('t', 1, 9))).toBe(true)
    expect(new TopicPartition('t', 1).compare(new TopicPartition('t', 2))).toBeLessThan(0)
  })

  it('has the documented defaults and names logical offsets', () => {
    const partition = new TopicPartition('t')
    expect([partition.partition, partition.offset, partition.metadata]).toEqual([-1, OFFSET_INVALID, null])
    expect(String(new TopicPartition('t', 0, OFFSET_BEGINNING))).toContain('BEGINNING')
    expect(String(new TopicPartition('t', 0, -2005))).toContain('TAIL(5)')
  })

  it('takes bigints and refuses what would be rounded', () => {
    expect(new TopicPartition('t', 0, 5n).offset).toBe(5)
    expect(() => new TopicPartition('t', 0, 2n ** 60n)).toThrow(ValueError)
    expect(() => new TopicPartition('t', 0, 2 ** 60)).toThrow('offset 1152921504606847000 is beyond 2^53-1')
    expect(() => new TopicPartition('t', 0, 0.5)).toThrow('offset must be a whole number, not 0.5')
  })

  it('has text beside its offset, and an epoch that is a number', () => {
    expect(() => new TopicPartition('t', 0, 0, { metadata: 5 as never })).toThrow(TypeError)
    expect(() => new TopicPartition('t', 0, 0, { leaderEpoch: '5' as never })).toThrow(TypeError)
    expect(new TopicPartition('t', 0, 0, { metadata: null, leaderEpoch: -1 }).leaderEpoch).toBeNull()
  })
})

describe('what the document calls read-only', () => {
  const rewritten = (value: object, name: string): unknown => {
    expect(() => Object.assign(value, { [name]: 'other' })).toThrow(TypeError)
    return (value as Record<string, unknown>)[name]
  }

  it('cannot be written at run time, and is seen by copies and comparisons all the same', () => {
    const error = new KafkaError(KafkaError._STATE)
    const partition = new TopicPartition('t', 1, 5, { metadata: 'm', error })
    expect(['topic', 'metadata', 'error'].map((name) => rewritten(partition, name))).toEqual([
      't',
      'm',
      error,
    ])
    expect(rewritten(new NewTopic('t'), 'topic')).toBe('t')
    expect({ ...partition }).toMatchObject({ topic: 't', partition: 1, offset: 5, metadata: 'm', error })
    expect(partition).not.toEqual(new TopicPartition('u', 1, 5, { metadata: 'm', error }))
    expect(Object.assign(partition, { partition: 2, offset: 6, leaderEpoch: 7 }).key()).toBe('t-2')
  })

  it('a KafkaError does not change with the flags that it was made of', () => {
    const flags = { fatal: false }
    const error = new KafkaError(KafkaError._STATE, null, flags)
    flags.fatal = true
    expect(error.fatal()).toBe(false)
  })
})

it('a message made without any headers has none, and never an empty list', () => {
  expect(new Message({ headers: [] }).headers()).toBeNull()
})

describe('Uuid', () => {
  it('reads and writes 22 characters', () => {
    const uuid = new Uuid(-1n, 1n)
    expect(String(uuid)).toHaveLength(22)
    expect(Uuid.fromString(String(uuid)).equals(uuid)).toBe(true)
    expect(Uuid.ZERO.toBigInt()).toBe(0n)
    expect(() => Uuid.fromString('short')).toThrow(ValueError)
  })

  it('is made of whole numbers only', () => {
    expect(new Uuid(1 as never, -1n).equals(new Uuid(1n, -1n))).toBe(true)
    expect(() => new Uuid('1' as never, 2n)).toThrow(TypeError)
    expect(() => new Uuid(1n, 0.5 as never)).toThrow(TypeError)
  })
})

describe('Message', () => {
  it('shows null for what is unknown', () => {
    const message = new Message({ topic: 't', partition: -1, offset: -1001 })
    expect([message.partition(), message.offset(), message.key(), message.headers()]).toEqual([
      null,
      null,
      null,
      null,
    ])
    expect(message.timestamp()[0]).toBe(0)
    expect(message.length).toBe(0)
  })

  it('is equal by everything but latency', () => {
    const init = { topic: 't', partition: 0, offset: 1, value: Buffer.from('x') }
    expect(new Message({ ...init, latency: 1 }).equals(new Message({ ...init, latency: 2 }))).toBe(true)
    expect(new Message(init).equals(new Message({ ...init, offset: 2 }))).toBe(false)
  })
})

it('printed messages and topic ids show what they hold', () => {
  const message = new Message({ topic: 't', partition: 2, offset: 7, value: Buffer.from('x') })
  const shown = inspect(message).replace(/\s+/g, ' ')
  expect(shown).toMatch(/^Message \{ topic: 't', partition: 2, offset: 7, .* value: <Buffer 78>/)
  expect(shown).not.toContain('error')
  expect(inspect(Uuid.fromString('AAAAAAAAAAAAAAAAAAAAAQ'))).toBe('Uuid(AAAAAAAAAAAAAAAAAAAAAQ)')
})

describe('headers', () => {
  it('come as pairs, object or map', () => {
    const expected = [{ key: 'a', value: Buffer.from('1') }]
    expect(toRecordHeaders([['a', '1']])).toEqual(expected)
    expect(toRecordHeaders({ a: '1' })).toEqual(expected)
    expect(toRecordHeaders(new Map([['a', '1']]))).toEqual(expected)
  })

  it.each([[[['a', 1]]], [[[1, 'a']]], [['ab']], ['text'], [5]])('refuses %j', (input) => {
    expect(() => toRecordHeaders(input as never)).toThrow(TypeError)
  })
})
