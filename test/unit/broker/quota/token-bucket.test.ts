import { describe, expect, it } from 'vitest'
import { BucketQuota } from '../../../../broker/quota/mutation-quota.ts'
import { TokenBucket } from '../../../../broker/quota/token-bucket.ts'

const WINDOWS = { windowCount: 11, windowMs: 1000 }

describe('a bucket of tokens', () => {
  it('begins full, with the burst of all windows', () => {
    expect(new TokenBucket(WINDOWS).tokens(2, 1_000)).toBe(22)
  })

  it('may be overdrawn, and says how long until it is not', () => {
    const bucket = new TokenBucket(WINDOWS)
    bucket.take(31, 2, 0)
    expect(bucket.tokens(2, 0)).toBe(-9)
    expect(bucket.throttleTimeMs(2, 0)).toBe(4_500)
    expect(bucket.throttleTimeMs(2, 4_500)).toBe(0)
  })

  it('fills at its rate up to the burst', () => {
    const bucket = new TokenBucket(WINDOWS)
    bucket.take(11, 1, 0)
    expect(bucket.tokens(1, 3_000)).toBe(3)
    expect(bucket.tokens(1, 60_000)).toBe(11)
  })

  it('is as good as new when it was left alone for all windows', () => {
    const bucket = new TokenBucket(WINDOWS)
    bucket.take(5, 1, 0)
    expect(bucket.isIdle(1_000)).toBe(false)
    expect(bucket.isIdle(11_000)).toBe(true)
    bucket.take(30, 1, 11_000)
    expect(bucket.isIdle(60_000)).toBe(false)
  })
})

describe('a quota on topic changes', () => {
  const quotaOf = (isStrict: boolean) => {
    const clock = { nowMs: 0, monotonicMs: () => clock.nowMs, wallMs: () => 0 }
    const bucket = new TokenBucket(WINDOWS)
    return { clock, begin: () => new BucketQuota({ clock, bucket, limit: 1, isStrict }) }
  }

  it('lets one large request through, and refuses the next until the debt is paid', () => {
    const { clock, begin } = quotaOf(true)
    const large = begin()
    expect(large.tryTake(15)).toBe(true)
    expect(large.throttleTimeMs()).toBe(0)
    const next = begin()
    expect(next.tryTake(1)).toBe(false)
    expect(next.throttleTimeMs()).toBe(4_000)
    clock.nowMs = 1_000
    expect(next.throttleTimeMs()).toBe(3_000)
    clock.nowMs = 4_000
    expect(begin().tryTake(1)).toBe(true)
  })

  it('refuses nothing to old clients, and holds them back for longer', () => {
    const { begin } = quotaOf(false)
    const first = begin()
    expect(first.tryTake(15)).toBe(true)
    expect(first.throttleTimeMs()).toBe(4_000)
    const second = begin()
    expect(second.tryTake(3)).toBe(true)
    expect(second.throttleTimeMs()).toBe(7_000)
  })
})
