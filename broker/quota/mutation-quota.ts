/**
 * What one request to change topics may take of its client's `controller_mutation_rate` (KIP-599): partitions created and deleted.
 *
 * A strict quota refuses a topic while the bucket is overdrawn; clients of older versions do not know that error, so theirs only grows
 * the time that they are held back.
 */
import type { Clock } from '../../common/runtime/clock.ts'
import type { TokenBucket } from './token-bucket.ts'

export interface MutationQuota {
  /** @returns false: the bucket is overdrawn, the topic is to be refused with THROTTLING_QUOTA_EXCEEDED */
  tryTake(partitionCount: number): boolean
  /** How long the client is to be held back from now on. */
  throttleTimeMs(): number
}

export const NO_MUTATION_QUOTA: MutationQuota = { tryTake: () => true, throttleTimeMs: () => 0 }

export interface BucketQuotaOptions {
  readonly clock: Clock
  readonly bucket: TokenBucket
  /** Partitions per second. */
  readonly limit: number
  readonly isStrict: boolean
}

export class BucketQuota implements MutationQuota {
  readonly #options: BucketQuotaOptions
  /** Until when the client is held back, by the last time that it took too much. */
  #untilMs = 0

  constructor(options: BucketQuotaOptions) {
    this.#options = options
  }

  tryTake(partitionCount: number): boolean {
    const { clock, bucket, limit, isStrict } = this.#options
    const nowMs = clock.monotonicMs()
    if (isStrict && bucket.throttleTimeMs(limit, nowMs) > 0) {
      this.#holdBack(nowMs)
      return false
    }
    bucket.take(partitionCount, limit, nowMs)
    if (!isStrict) this.#holdBack(nowMs)
    return true
  }

  throttleTimeMs(): number {
    return Math.max(0, Math.round(this.#untilMs - this.#options.clock.monotonicMs()))
  }

  #holdBack(nowMs: number): void {
    const { bucket, limit } = this.#options
    const throttleTimeMs = bucket.throttleTimeMs(limit, nowMs)
    if (throttleTimeMs > 0) this.#untilMs = nowMs + throttleTimeMs
  }
}
