import { describe, expect, it } from 'vitest'
import { consistent, fnv1a, murmur2, ValueError } from '../../../../client/index.ts'
import { crc32Hash, fnv1aHash, murmur2Hash } from '../../../../client/producer/hashes.ts'

describe('partitioner hashes', () => {
  it.each([
    ['kafka', 'd067cf64', '0d33c4e1'],
    ['giberish123456789', '8f552b0c', '77a58295'],
    ['1234', '9fc97b14', '023bdd03'],
    ['234', 'e7c009ca', '2dea3cd2'],
    ['34', '873930da', '740fa83e'],
    ['4', '5a4b5ca1', '310ca263'],
    ['PreAmbleWillBeRemoved,ThePrePartThatIs', '78424f1c', '65cbd69c'],
    ['', '106e08d9', '7ee3623b'],
  ])('agree with the other clients on %j', (text, murmur, fnv) => {
    const key = Buffer.from(text)
    expect(murmur2Hash(key).toString(16).padStart(8, '0')).toBe(murmur)
    expect(fnv1aHash(key).toString(16).padStart(8, '0')).toBe(fnv)
    expect(murmur2(key, 7)).toBe((Number.parseInt(murmur, 16) & 0x7fffffff) % 7)
    expect(fnv1a(key, 7)).toBe(Number.parseInt(fnv, 16) % 7)
  })

  it('CRC-32 is the IEEE one', () => {
    expect(crc32Hash(Buffer.from('123456789'))).toBe(0xcbf43926)
    expect(consistent(Buffer.from('123456789'), 10)).toBe(0xcbf43926 % 10)
  })

  it('refuse keys that are not bytes and counts that are not positive', () => {
    expect(() => murmur2('text' as unknown as Buffer, 3)).toThrow(TypeError)
    expect(() => consistent(Buffer.alloc(1), 0)).toThrow(ValueError)
  })
})
