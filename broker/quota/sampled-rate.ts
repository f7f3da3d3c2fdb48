/**
 * A rate as client quotas are measured (KIP-13): what was recorded in the last windows, per second.
 *
 * Invariant: the time that the sum is divided by is at least `windowCount - 1` windows, so that a short burst after silence is not taken for
 * a rate.
 */
import { type RateWindows, SampledWindows } from './sampled-windows.ts'

export class SampledRate {
  readonly #windows: RateWindows
  readonly #sampled: SampledWindows

  constructor(windows: RateWindows) {
    this.#windows = windows
    this.#sampled = new SampledWindows(windows)
  }

  /** @param value negative to take something back */
  record(value: number, nowMs: number): void {
    this.#sampled.record(value, nowMs)
  }

  perSecond(nowMs: number): number {
    return (this.#sampled.sum(nowMs) * 1000) / this.#elapsedMs(nowMs)
  }

  /** How long to be silent until the rate is back at `limit`; 0 when it is not above. Whole milliseconds. */
  throttleTimeMs(limit: number, nowMs: number): number {
    const rate = this.perSecond(nowMs)
    return rate > limit ? Math.round(((rate - limit) / limit) * this.#elapsedMs(nowMs)) : 0
  }

  /** Nothing that counts is left: as good as new. */
  isIdle(nowMs: number): boolean {
    return this.#sampled.isIdle(nowMs)
  }

  /** Windows that are missing to `windowCount - 1` whole ones count as if they had been silent. */
  #elapsedMs(nowMs: number): number {
    const { windowCount, windowMs } = this.#windows
    const elapsedMs = this.#sampled.elapsedMs(nowMs)
    const missing = Math.max(windowCount - 1 - Math.floor(elapsedMs / windowMs), 0)
    return Math.max(elapsedMs + missing * windowMs, 1)
  }
}
