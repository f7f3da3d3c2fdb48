import { describe, expect, it } from 'vitest'
import {
  BufferError,
  KafkaError,
  KafkaException,
  KeySerializationError,
  ProduceError,
  SerializationError,
  ValueError,
} from '../../../client/index.ts'

describe('KafkaError', () => {
  it('has the documented numbers and names', () => {
    expect([KafkaError._PARTITION_EOF, KafkaError._QUEUE_FULL, KafkaError._DESTROY_BROKER]).toEqual([
      -191, -184, -137,
    ])
    expect(KafkaError.UNKNOWN_TOPIC_OR_PART).toBe(3)
    expect(KafkaError.NOT_LEADER_OR_FOLLOWER).toBe(KafkaError.NOT_LEADER_FOR_PARTITION)
    expect(new KafkaError(10).name()).toBe('MSG_SIZE_TOO_LARGE')
    expect(new KafkaError(-1).name()).toBe('UNKNOWN')
    expect(new KafkaError(999).name()).toBe('ERR_999?')
  })

  it('says its reason, or a text that tells local from broker', () => {
    expect(new KafkaError(3, 'gone').str()).toBe('gone')
    expect(new KafkaError(3).str()).toMatch(/^Broker: /)
    expect(new KafkaError(-185).str()).toMatch(/^Local: /)
  })

  it('compares by code, also with numbers', () => {
    const error = new KafkaError(KafkaError._ALL_BROKERS_DOWN)
    expect(error.equals(KafkaError._ALL_BROKERS_DOWN)).toBe(true)
    expect(error.equals(new KafkaError(-187, 'other text'))).toBe(true)
    expect(Number(error) < 0).toBe(true)
  })

  it('shows its flags', () => {
    expect(String(new KafkaError(-144, 'x', { fatal: true }))).toContain('FATAL')
    expect(new KafkaError(-185, 'x', { retriable: true }).retriable()).toBe(true)
  })
})

describe('the exceptions', () => {
  it('carry their error', () => {
    const exception = new BufferError(new KafkaError(KafkaError._QUEUE_FULL))
    expect(exception).toBeInstanceOf(KafkaException)
    expect(exception.args[0].code()).toBe(KafkaError._QUEUE_FULL)
    expect(new ValueError('x')).toBeInstanceOf(RangeError)
  })

  it('a failed key serialization is both a produce error and a serialization error', () => {
    const exception = new KeySerializationError(new Error('why'))
    expect(exception).toBeInstanceOf(ProduceError)
    expect(exception).toBeInstanceOf(SerializationError)
    expect(exception.code).toBe(KafkaError._KEY_SERIALIZATION)
    expect(new Error('x')).not.toBeInstanceOf(SerializationError)
  })
})
