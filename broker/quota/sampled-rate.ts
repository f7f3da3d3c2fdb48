/**
 * A rate over sampled windows, as quotas are measured (KIP-13): what was recorded in the last `windowCount` windows, per second.
 *
 * Invariants: a window begins with what is recorded first in it; one that has not heard anything for `windowCount` windows is forgotten.
 * The time that the sum is divided by is at least `windowCount - 1` windows, so that a short burst after silence is not taken for a rate.
 * Limits: `windowCount + 1` windows are held.
 */
export interface RateWindows {
  /** quota.window.num */
  readonly windowCount: number
  /** quota.window.size.seconds, in milliseconds. */
  readonly windowMs: number
}

interface Sample {
  readonly startMs: number
  lastMs: number
  sum: number
}

export class SampledRate {
  readonly #windows: RateWindows
  #samples: Sample[] = []

  constructor(windows: RateWindows) {
    this.#windows = windows
  }

  /** @param value negative to take something back */
  record(value: number, nowMs: number): void {
    const last = this.#samples.at(-1)
    if (last !== undefined && nowMs - last.startMs < this.#windows.windowMs) {
      last.sum += value
      last.lastMs = nowMs
      return
    }
    this.#forgetOld(nowMs)
    this.#samples.push({ startMs: nowMs, lastMs: nowMs, sum: value })
  }

  perSecond(nowMs: number): number {
    this.#forgetOld(nowMs)
    const sum = this.#samples.reduce((total, sample) => total + sample.sum, 0)
    return (sum * 1000) / this.#elapsedMs(nowMs)
  }

  /** How long to be silent until the rate is back at `limit`; 0 when it is not above. Whole milliseconds. */
  throttleTimeMs(limit: number, nowMs: number): number {
    const rate = this.perSecond(nowMs)
    return rate > limit ? Math.round(((rate - limit) / limit) * this.#elapsedMs(nowMs)) : 0
  }

  /** Nothing that counts is left: as good as new. */
  isIdle(nowMs: number): boolean {
    this.#forgetOld(nowMs)
    return this.#samples.length === 0
  }

  /** The time since the oldest window began; windows that are missing to `windowCount - 1` whole ones count as if they had been silent. */
  #elapsedMs(nowMs: number): number {
    const { windowCount, windowMs } = this.#windows
    const elapsedMs = nowMs - (this.#samples[0]?.startMs ?? nowMs)
    const missing = Math.max(windowCount - 1 - Math.floor(elapsedMs / windowMs), 0)
    return Math.max(elapsedMs + missing * windowMs, 1)
  }

  #forgetOld(nowMs: number): void {
    const { windowCount, windowMs } = this.#windows
    const [oldest] = this.#samples
    if (oldest === undefined || nowMs - oldest.lastMs < windowCount * windowMs) return
    this.#samples = this.#samples.filter(({ lastMs }) => nowMs - lastMs < windowCount * windowMs)
  }
}
