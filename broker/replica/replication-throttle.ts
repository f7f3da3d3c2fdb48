/**
 * How much one side of this broker's replication may move (KIP-73): the replicas that a topic names under
 * `leader.replication.throttled.replicas` or `follower.replication.throttled.replicas` share the rate of the broker. What they move while
 * in sync counts but is never held back; only a replica outside the ISR waits.
 *
 * Owner: the broker, one for each side. Limits: the rate is taken over `replication.quota.window.num` windows.
 */
import type { Clock } from '../../common/runtime/clock.ts'
import { type RateWindows, SampledWindows } from '../quota/sampled-windows.ts'

export interface ReplicationThrottleOptions extends RateWindows {
  readonly nodeId: number
  readonly clock: Clock
  /** Bytes per second; null: as fast as it goes. */
  readonly rate: () => number | null
  /** `partition:broker` pairs of a topic, or `*`. */
  readonly replicasOf: (topic: string) => readonly string[]
}

export class ReplicationThrottle {
  readonly #options: ReplicationThrottleOptions
  readonly #sampled: SampledWindows

  constructor(options: ReplicationThrottleOptions) {
    this.#options = options
    this.#sampled = new SampledWindows(options)
  }

  /** Whether what this broker's replica moves counts. */
  isThrottled(topic: string, partition: number): boolean {
    const { rate, replicasOf, nodeId } = this.#options
    if (rate() === null) return false
    const own = `${partition}:${nodeId}`
    return replicasOf(topic).some((replica) => replica.trim() === own || replica.trim() === '*')
  }

  /** The rate so far is above what is allowed: throttled replicas outside the ISR move nothing for now. */
  get isExceeded(): boolean {
    const rate = this.#options.rate()
    return rate !== null && this.bytesPerSecond > rate
  }

  /** Over the time since the oldest window began: what a replica moves after silence counts in full, other than for client quotas. */
  get bytesPerSecond(): number {
    const { clock, windowMs } = this.#options
    const nowMs = clock.monotonicMs()
    return (this.#sampled.sum(nowMs) * 1000) / Math.max(this.#sampled.elapsedMs(nowMs), windowMs)
  }

  record(bytes: number): void {
    this.#sampled.record(bytes, this.#options.clock.monotonicMs())
  }
}
