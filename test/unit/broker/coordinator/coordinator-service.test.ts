import { describe, expect, it } from 'vitest'
import { javaStringHash, partitionForKey } from '../../../../broker/coordinator/coordinator-service.ts'

describe('the partition of an internal topic that a key belongs to', () => {
  it('is the hash of Java strings, over UTF-16 and in 32 bits', () => {
    expect(javaStringHash('')).toBe(0)
    expect(javaStringHash('a')).toBe(97)
    expect(javaStringHash('hello')).toBe(99162322)
    expect(javaStringHash('grüße')).toBe(98768023)
    expect(javaStringHash('\u{1f600}')).toBe(0xd83d * 31 + 0xde00)
  })

  it('is positive, and 0 for the one hash that has no positive counterpart', () => {
    expect(javaStringHash('polygenelubricants')).toBe(-2147483648)
    expect(partitionForKey('polygenelubricants', 50)).toBe(0)
    expect(partitionForKey('hello', 50)).toBe(22)
  })
})
