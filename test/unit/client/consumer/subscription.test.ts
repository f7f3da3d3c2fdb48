import { describe, expect, it } from 'vitest'
import { durationMs, resetLookup } from '../../../../client/consumer/reset-policy.ts'
import {
  matchesPattern,
  parseBlacklist,
  parseSubscription,
} from '../../../../client/consumer/subscription.ts'

describe('a subscription', () => {
  it('tells names from expressions, which match anywhere in a name', () => {
    const subscription = parseSubscription(['orders', '^pay.*s'], true)
    expect(subscription.literals).toEqual(['orders'])
    expect(matchesPattern(subscription, 'payments-old', false, [])).toBe(true)
    expect(matchesPattern(subscription, 'old-payments', false, [])).toBe(false)
  })

  it('leaves out internal and blacklisted topics that only an expression covers', () => {
    const subscription = parseSubscription(['^.*'], true)
    expect(matchesPattern(subscription, '__consumer_offsets', true, [])).toBe(false)
    expect(matchesPattern(subscription, 'secret-1', false, parseBlacklist('^secret.*, ^other'))).toBe(false)
    expect(matchesPattern(subscription, 'open', false, parseBlacklist('^secret.*'))).toBe(true)
  })

  it('leaves expressions to the broker where the broker matches', () => {
    expect(parseSubscription(['^(?i)x'], false)).toMatchObject({ expressions: ['^(?i)x'], patterns: [] })
  })
})

describe('auto.offset.reset', () => {
  it('is the beginning, the end, so long ago, or not allowed', () => {
    expect(resetLookup('earliest', 0)?.timestamp).toBe(-2)
    expect(resetLookup('latest', 0)?.timestamp).toBe(-1)
    expect(resetLookup('by_duration:PT1M', 100_000)?.timestamp).toBe(40_000)
    expect(resetLookup('by_duration:P1D', 5)?.timestamp).toBe(0)
    expect(resetLookup('error', 0)).toBeUndefined()
  })

  it('reads durations as ISO 8601 writes them', () => {
    expect([durationMs('P1DT2H3M4.5S'), durationMs('PT90S')]).toEqual([93_784_500, 90_000])
    for (const text of ['', 'P', 'PT', 'P1DT', '1H', 'P1Y'])
      expect(() => durationMs(text)).toThrow('ISO 8601')
  })
})
