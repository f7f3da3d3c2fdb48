import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codecNamed, codecOf, isValidLevel, prepareCompression } from '../../../../common/record/codecs.ts'
import type { Codec } from '../../../../common/record/compression/codec.ts'
import { decompressLegacyLz4 } from '../../../../common/record/compression/lz4.ts'
import { xxhash32 } from '../../../../common/record/compression/xxhash32.ts'
import { wasmBackend } from '../../../../common/record/compression/zstd.ts'
import { loadZstdModule } from '../../../../common/record/compression/zstd-wasm.ts'

const LIMIT = 4 * 1024 * 1024

const repetitive = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(5000), fc.uint8Array({ maxLength: 100 }))
  .map(([pattern, times, tail]) => Buffer.concat([...Array<Uint8Array>(times % 500).fill(pattern), tail]))
const content = fc.oneof(
  repetitive,
  fc.uint8Array({ maxLength: 3000 }).map((array) => Buffer.from(array)),
)

// The WebAssembly library is tested on every Node, also where node:zlib is what runs.
const zstdWasm: Codec = {
  ...(codecNamed('zstd') as Codec),
  name: 'zstd-wasm',
  ...wasmBackend(loadZstdModule()),
}
const codecs = [...['gzip', 'snappy', 'lz4', 'zstd'].map((name) => codecNamed(name) as Codec), zstdWasm]

describe.each(codecs.map((codec) => [codec.name, codec] as const))('%s', (_name, codec) => {
  it('gives back what it was given', () => {
    fc.assert(
      fc.property(content, (input) => {
        expect(codec.decompress(codec.compress(input, codec.defaultLevel), LIMIT)).toEqual(input)
      }),
    )
  })

  it('gives back inputs of many blocks, compressible or not', () => {
    let state = 1
    const noise = Buffer.alloc(200_000)
    for (let index = 0; index < noise.length; index++) {
      state = (Math.imul(state, 1103515245) + 12345) | 0
      noise[index] = state >>> 16
    }
    for (const input of [noise, Buffer.alloc(300_000), Buffer.concat([noise, noise, Buffer.alloc(70_000)])]) {
      const output = codec.decompress(codec.compress(input, codec.defaultLevel), LIMIT) as Buffer
      // Comparing megabytes element by element would take seconds.
      expect(input.equals(output)).toBe(true)
    }
  })

  it('takes the lowest and the highest level', () => {
    const input = Buffer.from('a level is a matter of effort '.repeat(100))
    for (const level of [codec.minLevel, codec.maxLevel]) {
      expect(isValidLevel(codec, level)).toBe(true)
      expect(codec.decompress(codec.compress(input, level), LIMIT)).toEqual(input)
    }
    expect(isValidLevel(codec, codec.maxLevel + 1)).toBe(false)
    expect(isValidLevel(codec, 1.5)).toBe(false)
  })

  it('stops at the limit', () => {
    const bomb = codec.compress(Buffer.alloc(2_000_000), codec.defaultLevel)
    expect(codec.decompress(bomb, 1_999_999)).toBe('too-large')
    expect(codec.decompress(bomb, 2_000_000)).toHaveLength(2_000_000)
    expect(codec.decompress(bomb, 0)).toBe('too-large')
  })

  it('refuses what was cut off', () => {
    const whole = codec.compress(Buffer.from('something to be cut off '.repeat(20)), codec.defaultLevel)
    // A snappy stream that ends between blocks is whole: one of nothing but its 16 bytes of header.
    const allowed = codec.name === 'snappy' ? [16] : []
    for (let length = 1; length < whole.length; length++) {
      if (!allowed.includes(length))
        expect(codec.decompress(whole.subarray(0, length), LIMIT)).toBe('corrupt')
    }
  })

  it('reads or refuses any bytes, within the limit', () => {
    const sample = codec.compress(
      Buffer.from('some bytes that repeat, that repeat '.repeat(30)),
      codec.defaultLevel,
    )
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { maxLength: 4 }),
        fc.uint8Array({ maxLength: 60 }),
        (changes, junk) => {
          const bad = Buffer.from(sample)
          for (const [at, value] of changes) bad[at] = value
          for (const input of [bad, Buffer.from(junk), Buffer.concat([sample.subarray(0, 20), junk])]) {
            const output = codec.decompress(input, 5000)
            if (typeof output !== 'string') expect(output.length).toBeLessThanOrEqual(5000)
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})

it('numbers and names beyond the five codecs are unknown', () => {
  expect([codecOf(5), codecOf(7), codecNamed('producer'), codecNamed('brotli')]).toEqual([
    null,
    null,
    null,
    null,
  ])
  expect(['none', 'gzip', 'snappy', 'lz4', 'zstd'].map((name) => codecNamed(name)?.type)).toEqual([
    0, 1, 2, 3, 4,
  ])
})

it('compression may be prepared ahead of time', async () => {
  await expect(prepareCompression()).resolves.toBeUndefined()
})

it('snappy without framing is read, and a literal of hostile length is refused', () => {
  const snappy = codecOf(2) as Codec
  expect(snappy.decompress(Buffer.from('0d30616161626e0500', 'hex'), LIMIT)).toBe('corrupt')
  expect(snappy.decompress(Buffer.from('03 08 616263'.replaceAll(' ', ''), 'hex'), LIMIT)).toEqual(
    Buffer.from('abc'),
  )
  expect(snappy.decompress(Buffer.from('0a 00 61 15 01'.replaceAll(' ', ''), 'hex'), LIMIT)).toEqual(
    Buffer.alloc(10, 'a'),
  )
  expect(snappy.decompress(Buffer.from('03fcf6ffffff616263', 'hex'), LIMIT)).toBe('corrupt')
  expect(snappy.decompress(Buffer.from('ffffffff0f', 'hex'), LIMIT)).toBe('corrupt')
})

describe('lz4 frames', () => {
  const lz4 = codecOf(3) as Codec
  const text = Buffer.from('frames of all kinds '.repeat(5))

  /** One stored block, with the parts of the frame that are asked for. */
  function frame(flags: number, parts: { size?: boolean; broken?: boolean; checksum?: number } = {}): Buffer {
    const header = Buffer.alloc(parts.size ? 14 : 6)
    header.writeUInt32LE(0x184d2204, 0)
    header[4] = flags
    header[5] = 0x40
    if (parts.size) header.writeBigUInt64LE(BigInt(text.length), 6)
    const check = Buffer.from([(xxhash32(header, parts.broken ? 0 : 4, header.length) >>> 8) & 0xff])
    const size = Buffer.alloc(4)
    size.writeUInt32LE((0x80000000 | text.length) >>> 0)
    const trailer = Buffer.alloc(parts.checksum === undefined ? 4 : 8)
    if (parts.checksum !== undefined) trailer.writeUInt32LE(parts.checksum, 4)
    return Buffer.concat([header, check, size, text, trailer])
  }

  it('with content size and checksum are read, and the checksum is verified', () => {
    const checksum = xxhash32(text, 0, text.length)
    expect(lz4.decompress(frame(0x60), LIMIT)).toEqual(text)
    expect(lz4.decompress(frame(0x6c, { size: true, checksum }), LIMIT)).toEqual(text)
    expect(lz4.decompress(frame(0x6c, { size: true, checksum: (checksum ^ 1) >>> 0 }), LIMIT)).toBe('corrupt')
  })

  it('with the header checksum of early Kafka are read in magic 0 only', () => {
    const broken = frame(0x60, { broken: true })
    expect(lz4.decompress(broken, LIMIT)).toBe('corrupt')
    expect(decompressLegacyLz4(broken, LIMIT)).toEqual(text)
    expect(decompressLegacyLz4(frame(0x60), LIMIT)).toEqual(text)
  })

  it('with dictionaries, reserved bits or another version are refused', () => {
    for (const flags of [0x61, 0x62, 0xa0, 0x20]) expect(lz4.decompress(frame(flags), LIMIT)).toBe('corrupt')
  })
})

it('xxHash32 is the published one', () => {
  for (const [input, hash] of [
    ['', 0x02cc5d05],
    ['a', 0x550d7456],
    ['abc', 0x32d153ff],
    ['Nobody inspects the spammish repetition', 0xe2293b2f],
  ] as const) {
    expect(xxhash32(Buffer.from(input), 0, input.length)).toBe(hash)
  }
})
