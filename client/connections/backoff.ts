/** Exponential pauses with jitter. One per thing that is tried again. */
import type { Random } from '../../common/runtime/random.ts'

export interface BackoffOptions {
  readonly firstMs: number
  readonly maxMs: number
  /** Shares by which a pause may be shorter and longer. */
  readonly jitterDown: number
  readonly jitterUp: number
  readonly random: Random
}

/** `reconnect.backoff.ms`: -25 % to +50 %. */
export const reconnectJitter = { jitterDown: 0.25, jitterUp: 0.5 } as const
/** `retry.backoff.ms` (KIP-580): ±20 %. */
export const retryJitter = { jitterDown: 0.2, jitterUp: 0.2 } as const

export class Backoff {
  readonly #options: BackoffOptions
  #attempts = 0

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  get attempts(): number {
    return this.#attempts
  }

  /** The next pause; each is twice the one before, up to the bound. */
  nextMs(): number {
    return pauseMs(this.#options, this.#attempts++)
  }

  reset(): void {
    this.#attempts = 0
  }
}

/** The pause after `attempts` earlier ones. */
export function pauseMs(options: BackoffOptions, attempts: number): number {
  const { firstMs, maxMs, jitterDown, jitterUp, random } = options
  const plainMs = Math.min(maxMs, firstMs * 2 ** Math.min(attempts, 30))
  return Math.min(maxMs, plainMs * (1 - jitterDown + random.float() * (jitterDown + jitterUp)))
}
