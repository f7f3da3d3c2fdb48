import { describe, expect, it } from 'vitest'
import {
  BigIntDeserializer,
  BigIntSerializer,
  BufferDeserializer,
  BufferSerializer,
  DoubleDeserializer,
  DoubleSerializer,
  IntegerDeserializer,
  IntegerSerializer,
  JsonDeserializer,
  JsonSerializer,
  SerializationError,
  StringDeserializer,
  StringSerializer,
  ValueError,
} from '../../../../client/index.ts'

const pairs = {
  string: [new StringSerializer(), new StringDeserializer()],
  integer: [new IntegerSerializer(), new IntegerDeserializer()],
  bigint: [new BigIntSerializer(), new BigIntDeserializer()],
  double: [new DoubleSerializer(), new DoubleDeserializer()],
  json: [new JsonSerializer(), new JsonDeserializer()],
  buffer: [new BufferSerializer(), new BufferDeserializer()],
} as const

it.each(Object.entries(pairs))('null stays null through the %s serializer', (_name, pair) => {
  const [serializer, deserializer] = pair
  expect(serializer.serialize(null)).toBeNull()
  expect(deserializer.deserialize(null)).toBeNull()
})

describe('strings', () => {
  it.each([
    ['utf8', 'Grüße, 🌍', Buffer.from('Grüße, 🌍')],
    ['utf_8', '', Buffer.alloc(0)],
    ['UTF-16LE', 'ab', Buffer.of(0x61, 0, 0x62, 0)],
    ['latin-1', 'ÿ', Buffer.of(0xff)],
    ['ascii', 'abc', Buffer.from('abc')],
  ])('in %s come back as they were', (encoding, text, bytes) => {
    expect(new StringSerializer(encoding).serialize(text)).toEqual(bytes)
    expect(new StringDeserializer(encoding).deserialize(bytes)).toBe(text)
  })

  it('keep a byte order mark', () => {
    const bytes = new StringSerializer().serialize('\uFEFFa')
    expect(new StringDeserializer().deserialize(bytes)).toBe('\uFEFFa')
  })

  it('that the encoding cannot say are refused', () => {
    expect(() => new StringSerializer().serialize('\ud800')).toThrow(SerializationError)
    expect(() => new StringSerializer('ascii').serialize('ü')).toThrow(SerializationError)
    expect(() => new StringSerializer('latin1').serialize('€')).toThrow(SerializationError)
    expect(() => new StringDeserializer().deserialize(Buffer.of(0xc3))).toThrow(SerializationError)
    expect(() => new StringDeserializer('ascii').deserialize(Buffer.of(0x80))).toThrow(SerializationError)
  })

  it('are no numbers, and have known encodings', () => {
    expect(() => new StringSerializer().serialize(7 as unknown as string)).toThrow(SerializationError)
    expect(() => new StringSerializer('ebcdic')).toThrow(ValueError)
    expect(() => new StringDeserializer(1 as unknown as string)).toThrow(TypeError)
  })
})

describe('numbers', () => {
  it('are big-endian, of fixed size', () => {
    expect(new IntegerSerializer().serialize(-2)).toEqual(Buffer.from('fffffffe', 'hex'))
    expect(new BigIntSerializer().serialize(-2n)).toEqual(Buffer.from('fffffffffffffffe', 'hex'))
    expect(new DoubleSerializer().serialize(1.5)).toEqual(Buffer.from('3ff8000000000000', 'hex'))
  })

  it('come back at the ends of their ranges', () => {
    for (const value of [-(2 ** 31), -1, 0, 2 ** 31 - 1]) {
      expect(new IntegerDeserializer().deserialize(new IntegerSerializer().serialize(value))).toBe(value)
    }
    for (const value of [-(2n ** 63n), 0n, 2n ** 63n - 1n]) {
      expect(new BigIntDeserializer().deserialize(new BigIntSerializer().serialize(value))).toBe(value)
    }
    for (const value of [-0, Number.MAX_VALUE, Number.NaN, Number.NEGATIVE_INFINITY]) {
      expect(new DoubleDeserializer().deserialize(new DoubleSerializer().serialize(value))).toBe(value)
    }
  })

  it('out of their ranges, or of another size, are refused', () => {
    for (const value of [2 ** 31, -(2 ** 31) - 1, 1.5, Number.NaN, 2n ** 40n]) {
      expect(() => new IntegerSerializer().serialize(value)).toThrow(SerializationError)
    }
    for (const value of [2n ** 63n, 2 ** 60, 0.5]) {
      expect(() => new BigIntSerializer().serialize(value)).toThrow(SerializationError)
    }
    expect(() => new DoubleSerializer().serialize('1' as unknown as number)).toThrow(SerializationError)
    expect(() => new IntegerDeserializer().deserialize(Buffer.alloc(3))).toThrow(SerializationError)
    expect(() => new BigIntDeserializer().deserialize(Buffer.alloc(4))).toThrow(SerializationError)
    expect(() => new DoubleDeserializer().deserialize(Buffer.alloc(0))).toThrow(SerializationError)
  })
})

describe('JSON and bytes', () => {
  it('come back as they were', () => {
    const object = { a: [1, null, 'x'] }
    expect(new JsonDeserializer().deserialize(new JsonSerializer().serialize(object))).toEqual(object)
    const bytes = new Uint8Array([1, 2])
    expect(new BufferSerializer().serialize(bytes)).toEqual(Buffer.of(1, 2))
  })

  it('that are none are refused', () => {
    const circle: { self?: unknown } = {}
    circle.self = circle
    expect(() => new JsonSerializer().serialize(circle)).toThrow(SerializationError)
    expect(() => new JsonSerializer().serialize(() => 1)).toThrow(SerializationError)
    expect(() => new JsonDeserializer().deserialize(Buffer.from('{'))).toThrow(SerializationError)
    expect(() => new BufferSerializer().serialize('a' as unknown as Uint8Array)).toThrow(SerializationError)
  })
})
