import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  unsignedVarintSizeBytes,
  VarintCursor,
  varintSizeBytes,
  varlongSizeBytes,
  writeUnsignedVarint,
  writeVarint,
  writeVarlong,
} from '../../../../common/record/varint.ts'

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })

it('a varint reads as it was written and takes the bytes foretold', () => {
  fc.assert(
    fc.property(int32, (value) => {
      const buffer = Buffer.alloc(16)
      const end = writeVarint(buffer, 0, value)
      const cursor = new VarintCursor(buffer, 0, end)
      expect(cursor.readVarint()).toBe(value)
      expect([cursor.malformed, cursor.remaining, varintSizeBytes(value)]).toEqual([false, 0, end])
    }),
  )
})

it('an unsigned varint covers 32 bits', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
      const buffer = Buffer.alloc(16)
      const end = writeUnsignedVarint(buffer, 0, value)
      expect(new VarintCursor(buffer, 0, end).readUnsignedVarint()).toBe(value)
      expect(unsignedVarintSizeBytes(value)).toBe(end)
    }),
  )
})

it('a varlong keeps every safe integer', () => {
  fc.assert(
    fc.property(fc.oneof(int32, fc.maxSafeInteger()), (value) => {
      const buffer = Buffer.alloc(16)
      const end = writeVarlong(buffer, 0, value)
      const cursor = new VarintCursor(buffer, 0, end)
      expect(cursor.readVarlong()).toBe(value)
      expect([cursor.malformed, cursor.remaining, varlongSizeBytes(value)]).toEqual([false, 0, end])
    }),
  )
})

it.each([
  ['01', -1],
  ['02', 1],
  ['feffffffffffffffff01', Number.MAX_SAFE_INTEGER],
  ['ffffffffffffffffff01', Number.MIN_SAFE_INTEGER],
])('the varlong %s is %d, saturated where a number cannot hold it', (hex, value) => {
  expect(new VarintCursor(Buffer.from(hex, 'hex')).readVarlong()).toBe(value)
})

it.each(['', '80', 'ffffffffff', 'ffffffffff01'])('the varint %s is malformed', (hex) => {
  const cursor = new VarintCursor(Buffer.from(hex, 'hex'))
  expect(cursor.readVarint()).toBe(0)
  expect(cursor.malformed).toBe(true)
})

it('a varlong of eleven bytes is malformed', () => {
  const cursor = new VarintCursor(Buffer.from('ffffffffffffffffffff01', 'hex'))
  cursor.readVarlong()
  expect(cursor.malformed).toBe(true)
})

it('bytes beyond the end, or of negative length, are malformed; length -1 is null', () => {
  const bytes = Buffer.from('abc')
  expect(new VarintCursor(bytes).readBytes(3)).toEqual(bytes)
  for (const [size, malformed] of [
    [4, true],
    [-2, true],
    [-1, false],
  ] as const) {
    const cursor = new VarintCursor(bytes)
    expect(cursor.readBytes(size)).toBe(null)
    expect(cursor.malformed).toBe(malformed)
  }
})
