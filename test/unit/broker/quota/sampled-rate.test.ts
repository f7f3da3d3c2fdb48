import { describe, expect, it } from 'vitest'
import { SampledRate } from '../../../../broker/quota/sampled-rate.ts'

const rate = () => new SampledRate({ windowCount: 11, windowMs: 1000 })

describe('a rate over sampled windows', () => {
  it('takes a first burst as if ten seconds of silence had gone before', () => {
    const measured = rate()
    measured.record(10_000, 5_000)
    expect(measured.perSecond(5_000)).toBe(1_000)
    expect(measured.perSecond(5_500)).toBeCloseTo(10_000 / 10.5)
  })

  it('holds whoever is above back for the time that brings the rate down to the limit', () => {
    const measured = rate()
    measured.record(30_000, 0)
    expect(measured.throttleTimeMs(3_000, 0)).toBe(0)
    expect(measured.throttleTimeMs(2_000, 0)).toBe(5_000)
    expect(measured.throttleTimeMs(1_000, 0)).toBe(20_000)
  })

  it('forgets a window when eleven have passed since the last that it heard', () => {
    const measured = rate()
    measured.record(1_000, 0)
    measured.record(500, 900)
    measured.record(2_000, 1_000)
    expect(measured.perSecond(11_000)).toBeCloseTo(3_500 / 11)
    expect(measured.perSecond(11_900)).toBeCloseTo(2_000 / 10.9)
    expect(measured.perSecond(12_000)).toBe(0)
    expect(measured.isIdle(12_000)).toBe(true)
  })

  it('counts what comes within a second in one window', () => {
    const measured = rate()
    for (let ms = 0; ms < 2_000; ms += 100) measured.record(10, ms)
    expect(measured.perSecond(1_900)).toBeCloseTo(200 / 10.9)
  })

  it('takes back what was not given', () => {
    const measured = rate()
    measured.record(100_000, 0)
    measured.record(-100_000, 0)
    expect(measured.perSecond(0)).toBe(0)
  })

  it('divides by at least a millisecond where there is one window only', () => {
    const measured = new SampledRate({ windowCount: 1, windowMs: 1000 })
    measured.record(5, 0)
    expect(measured.perSecond(0)).toBe(5_000)
  })
})
