/**
 * How much one side of this broker's replication may move (KIP-73): the replicas that a topic names under
 * `leader.replication.throttled.replicas` or `follower.replication.throttled.replicas` share the rate of the broker. What they move while
 * in sync counts but is never held back; only a replica outside the ISR waits.
 *
 * Owner: the broker, one for each side. Limits: the rate is taken over `replication.quota.window.num` windows.
 */
import type { Clock } from '../../common/runtime/clock.ts'

export interface ReplicationThrottleOptions {
  readonly nodeId: number
  readonly clock: Clock
  /** Bytes per second; null: as fast as it goes. */
  readonly rate: () => number | null
  /** `partition:broker` pairs of a topic, or `*`. */
  readonly replicasOf: (topic: string) => readonly string[]
  readonly windowCount: number
  readonly windowMs: number
}

interface Window {
  readonly startMs: number
  bytes: number
}

export class ReplicationThrottle {
  readonly #options: ReplicationThrottleOptions
  #windows: Window[] = []

  constructor(options: ReplicationThrottleOptions) {
    this.#options = options
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

  get bytesPerSecond(): number {
    const { clock, windowMs } = this.#options
    const nowMs = clock.monotonicMs()
    this.#forgetOld(nowMs)
    const [oldest] = this.#windows
    if (oldest === undefined) return 0
    const bytes = this.#windows.reduce((sum, window) => sum + window.bytes, 0)
    return (bytes * 1000) / Math.max(nowMs - oldest.startMs, windowMs)
  }

  record(bytes: number): void {
    const { clock, windowMs } = this.#options
    const nowMs = clock.monotonicMs()
    this.#forgetOld(nowMs)
    const last = this.#windows.at(-1)
    if (last !== undefined && nowMs - last.startMs < windowMs) last.bytes += bytes
    else this.#windows.push({ startMs: nowMs, bytes })
  }

  #forgetOld(nowMs: number): void {
    const { windowCount, windowMs } = this.#options
    const [oldest] = this.#windows
    if (oldest === undefined || nowMs - oldest.startMs < windowCount * windowMs) return
    this.#windows = this.#windows.filter(({ startMs }) => nowMs - startMs < windowCount * windowMs)
  }
}
