import { describe, expect, it } from 'vitest'
import { MalformedFrame } from '../../../../common/protocol/malformed-frame.ts'
import { Reader } from '../../../../common/protocol/reader.ts'
import { ZERO_UUID } from '../../../../common/protocol/schema.ts'

function reading(hex: string): Reader {
  return new Reader(Buffer.from(hex, 'hex'))
}

describe('the reader', () => {
  it('keeps the order of longs that a double cannot hold', () => {
    expect(reading('7fffffffffffffff').int64()).toBe(2 ** 63)
    expect(reading('8000000000000000').int64()).toBe(-(2 ** 63))
    expect(reading('001fffffffffffff').int64()).toBe(Number.MAX_SAFE_INTEGER)
    expect(reading('ffe0000000000001').int64()).toBe(Number.MIN_SAFE_INTEGER)
    expect(reading('7fffffffffffffff').exactInt64()).toBe(2n ** 63n - 1n)
  })

  it('takes every byte but zero for true, as Kafka does', () => {
    expect(['00', '01', '7f', 'ff'].map((hex) => reading(hex).bool())).toEqual([false, true, true, true])
  })

  it('reads a varint as an int32 of at most five bytes', () => {
    expect(reading('7f').unsignedVarint()).toBe(127)
    expect(reading('8001').unsignedVarint()).toBe(128)
    expect(reading('ffffffff07').unsignedVarint()).toBe(2 ** 31 - 1)
    expect(reading('ffffffff0f').unsignedVarint()).toBe(-1)
    expect(() => reading('ffffffffff01').unsignedVarint()).toThrow(MalformedFrame)
    expect(() => reading('ff').unsignedVarint()).toThrow(MalformedFrame)
  })

  it('takes any negative length for null where null is allowed', () => {
    expect(reading('fffb').nullableString()).toBeNull()
    expect(reading('00').compactNullableString()).toBeNull()
    expect(reading('ffffffff0f').compactNullableString()).toBeNull()
  })

  it('refuses null where it is not allowed', () => {
    expect(() => reading('ffff').string('name')).toThrow(/name must not be null/)
    expect(() => reading('00').compactString('name')).toThrow(MalformedFrame)
  })

  it('refuses strings above 32767 bytes, even when they are there', () => {
    const text = Buffer.concat([Buffer.from('818002', 'hex'), Buffer.alloc(32768, 'x')])
    expect(() => new Reader(text).compactString('name')).toThrow(/a string of 32768 bytes/)
    const longest = Buffer.concat([Buffer.from('808002', 'hex'), Buffer.alloc(32767, 'x')])
    expect(new Reader(longest).compactString('name')).toHaveLength(32767)
  })

  it('gives views of the frame, not copies', () => {
    const frame = Buffer.from('0000000548656c6c6f', 'hex')
    const reader = new Reader(frame)
    const view = reader.blob(reader.int32())
    frame[4] = 0x4a
    expect(view.toString()).toBe('Jello')
  })

  it('goes on in the next fragment, and knows how much is left in all', () => {
    const fragments = ['0001', '', '00000002', 'abcd'].map((hex) => Buffer.from(hex, 'hex'))
    const reader = new Reader({ fragments, sizeBytes: 8 })
    expect(reader.remainingBytes).toBe(8)
    expect(reader.int16()).toBe(1)
    expect(reader.int32()).toBe(2)
    const last = reader.blob(2)
    expect(last.buffer).toBe((fragments[3] as Buffer).buffer)
    expect(reader.remainingBytes).toBe(0)
    expect(() => reader.int8()).toThrow(MalformedFrame)
  })

  it('reads bool and uuid right after a change of fragments', () => {
    const id = 'b4R4KuqLN-8IJhYMYTZ2Bw'
    const fragments = [Buffer.from([1]), Buffer.from([1]), Buffer.from(id, 'base64url'), Buffer.alloc(16)]
    const reader = new Reader({ fragments, sizeBytes: 34 })
    expect([reader.bool(), reader.bool(), reader.uuid(), reader.uuid()]).toEqual([true, true, id, ZERO_UUID])
  })

  it('refuses counts that the bytes left cannot hold', () => {
    const reader = reading('7fffffff00')
    const count = reader.int32()
    expect(() => reader.checkCount(count, 1, 'topics')).toThrow(/topics has 2147483647 elements/)
  })

  it('replaces bytes that are not UTF-8, as Kafka does', () => {
    expect(reading('0002c328').string('name')).toBe('\ufffd(')
  })
})
