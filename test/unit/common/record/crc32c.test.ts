import fc from 'fast-check'
import { expect, it } from 'vitest'
import { crc32c, crc32cPlain } from '../../../../common/record/crc32c.ts'

it.each([
  ['', 0],
  ['123456789', 0xe3069283],
])('the checksum of %j is the published one', (text, checksum) => {
  expect(crc32c(Buffer.from(text))).toBe(checksum)
  expect(crc32cPlain(Buffer.from(text))).toBe(checksum)
})

it('the checksum of a long input is the plain one, whoever computes it', () => {
  const bytes = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 31) ^ (index >>> 8))
  for (let round = 0; round < 2; round++) expect(crc32c(bytes)).toBe(crc32cPlain(bytes))
})

it('the plain checksum and the one for long inputs agree, in one piece or in several', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(2000), (bytes, cut) => {
      const at = Math.min(cut, bytes.length)
      const whole = crc32cPlain(bytes)
      expect(crc32c(bytes)).toBe(whole)
      expect(crc32c(bytes, at, bytes.length, crc32c(bytes, 0, at))).toBe(whole)
      expect(crc32cPlain(bytes, at, bytes.length, crc32cPlain(bytes, 0, at))).toBe(whole)
    }),
  )
})
