/**
 * What was recorded in the last `windowCount` windows, as Kafka samples what a rate is taken of (KIP-13). Each kind of rate divides the sum by
 * a time of its own.
 *
 * Invariants: a window begins with what is recorded first in it; one that has not heard anything for `windowCount` windows is forgotten.
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

export class SampledWindows {
  readonly #windows: RateWindows
  #samples: Sample[] = []

  constructor(windows: RateWindows) {
    this.#windows = windows
  }

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

  sum(nowMs: number): number {
    this.#forgetOld(nowMs)
    return this.#samples.reduce((total, sample) => total + sample.sum, 0)
  }

  /** Since the oldest window began; 0 when there is none. */
  elapsedMs(nowMs: number): number {
    this.#forgetOld(nowMs)
    return nowMs - (this.#samples[0]?.startMs ?? nowMs)
  }

  /** Nothing that counts is left: as good as new. */
  isIdle(nowMs: number): boolean {
    this.#forgetOld(nowMs)
    return this.#samples.length === 0
  }

  #forgetOld(nowMs: number): void {
    const { windowCount, windowMs } = this.#windows
    const [oldest] = this.#samples
    if (oldest === undefined || nowMs - oldest.lastMs < windowCount * windowMs) return
    this.#samples = this.#samples.filter(({ lastMs }) => nowMs - lastMs < windowCount * windowMs)
  }
}
