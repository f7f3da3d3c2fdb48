/**
 * The bucket of a quota on topic changes (KIP-599): it fills at the quota's rate up to a burst of all windows, and may be overdrawn once,
 * so that one large request is possible however small the quota.
 */
import type { RateWindows } from './sampled-windows.ts'

export class TokenBucket {
  readonly #windows: RateWindows
  /** Infinite until first asked: a new bucket is full, whatever its limit. */
  #tokens = Number.POSITIVE_INFINITY
  #updatedMs = 0

  constructor(windows: RateWindows) {
    this.#windows = windows
  }

  /** @param limit tokens per second, which may have changed since the last time */
  tokens(limit: number, nowMs: number): number {
    const { windowCount, windowMs } = this.#windows
    const burst = (windowCount * windowMs * limit) / 1000
    this.#tokens = Math.min(burst, this.#tokens + (limit * (nowMs - this.#updatedMs)) / 1000)
    this.#updatedMs = nowMs
    return this.#tokens
  }

  take(count: number, limit: number, nowMs: number): void {
    this.#tokens = this.tokens(limit, nowMs) - count
  }

  /** How long until an overdrawn bucket is empty again; 0 when it is not overdrawn. Whole milliseconds. */
  throttleTimeMs(limit: number, nowMs: number): number {
    const tokens = this.tokens(limit, nowMs)
    return tokens < 0 ? Math.round((-tokens * 1000) / limit) : 0
  }

  /** Nothing is taken from it any more, whatever the limit was since the last time. */
  isIdle(nowMs: number): boolean {
    const { windowCount, windowMs } = this.#windows
    return this.#tokens >= 0 && nowMs - this.#updatedMs >= windowCount * windowMs
  }
}
