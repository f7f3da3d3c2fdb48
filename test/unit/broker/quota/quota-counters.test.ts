import { expect, it } from 'vitest'
import { QuotaCounters } from '../../../../broker/quota/quota-counters.ts'
import { SampledRate } from '../../../../broker/quota/sampled-rate.ts'

const WINDOWS = { windowCount: 11, windowMs: 1000 }

it('counters of clients that are gone are forgotten when others come', () => {
  const counters = new QuotaCounters(() => new SampledRate(WINDOWS))
  counters.of('lasting', 0).record(1, 0)
  for (let client = 0; client < 5_000; client += 1) {
    counters.of(`client-${client}`, client * 10).record(1, client * 10)
    counters.of('lasting', client * 10).record(1, client * 10)
  }
  // Those of the last eleven seconds, and as many that have not been looked at.
  expect(counters.size).toBeLessThan(2_500)
  expect(counters.of('lasting', 50_000).perSecond(50_000)).toBeGreaterThan(50)
})
