/**
 * Ends the life of messages: `delivery.timeout.ms` from `produce` on, wherever they wait, and the propagation time of topics
 * that nobody knows. One timer, set for the earliest moment at which something may expire.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { ClientCore } from '../client-core.ts'
import { KafkaError } from '../errors.ts'
import type { Accumulator, TopicQueue } from './accumulator.ts'
import type { BatchOutcomes } from './batch-outcomes.ts'

export interface ExpiryOptions {
  readonly core: ClientCore
  readonly accumulator: Accumulator
  readonly outcomes: BatchOutcomes
}

export class Expiry {
  readonly #options: ExpiryOptions
  readonly #deliveryTimeoutMs: number
  readonly #propagationMs: number
  #timer: Timer | undefined

  constructor(options: ExpiryOptions) {
    this.#options = options
    const { config } = options.core
    const deliveryTimeoutMs = config.get('delivery.timeout.ms')
    this.#deliveryTimeoutMs = deliveryTimeoutMs === 0 ? Number.POSITIVE_INFINITY : deliveryTimeoutMs
    this.#propagationMs = config.get('topic.metadata.propagation.max.ms')
  }

  /** A message was accepted. */
  watch(): void {
    if (this.#timer === undefined) this.#arm(this.#deliveryTimeoutMs)
  }

  /** A topic turned out to be unknown. */
  watchTopic(): void {
    if (this.#timer !== undefined && this.#timer.dueMs <= this.#nowMs + this.#propagationMs) return
    this.#timer?.cancel()
    this.#arm(Math.min(this.#propagationMs, this.#deliveryTimeoutMs))
  }

  close(): void {
    this.#timer?.cancel()
  }

  get #nowMs(): number {
    return this.#options.core.runtime.clock.monotonicMs()
  }

  #arm(delayMs: number): void {
    if (delayMs === Number.POSITIVE_INFINITY) return
    const { scheduler } = this.#options.core.runtime
    this.#timer = scheduler.schedule('messages expire', delayMs, () => {
      this.#timer = undefined
      this.#expire()
    })
  }

  #expire(): void {
    const { core, accumulator, outcomes } = this.#options
    const nowMs = this.#nowMs
    const timeoutMs = this.#deliveryTimeoutMs
    let nextMs = Number.POSITIVE_INFINITY
    for (const topic of accumulator.topics()) {
      nextMs = Math.min(nextMs, this.#expireUnassigned(topic, nowMs))
      for (const partition of topic.partitions) {
        for (const batch of partition.takeExpired(nowMs, timeoutMs)) {
          outcomes.giveUp(partition, batch, core.lateError(KafkaError._MSG_TIMED_OUT))
        }
        const oldest = partition.sealed[0] ?? partition.open
        if (oldest !== undefined) nextMs = Math.min(nextMs, oldest.createdMs + timeoutMs)
      }
    }
    // What is in flight is bounded by its request's time-out, and expires when it comes back.
    if (nextMs < Number.POSITIVE_INFINITY) this.#arm(nextMs - nowMs)
    else if (accumulator.messageCount > 0) this.#arm(timeoutMs)
  }

  /** @returns when to look again */
  #expireUnassigned(topic: TopicQueue, nowMs: number): number {
    const { name, unassigned } = topic
    if (unassigned.length === 0) return Number.POSITIVE_INFINITY
    const { core, outcomes } = this.#options
    const cached = core.metadata.cache.topic(name)
    const isMissing = cached?.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    const unknownMs = topic.unknownSinceMs + this.#propagationMs
    if (isMissing && nowMs >= unknownMs) {
      outcomes.failUnassigned(name, topic.takeUnassigned(), new KafkaError(KafkaError._UNKNOWN_TOPIC))
      return Number.POSITIVE_INFINITY
    }
    const first = unassigned.findIndex(({ createdMs }) => nowMs < createdMs + this.#deliveryTimeoutMs)
    const count = first < 0 ? unassigned.length : first
    if (count > 0) {
      topic.unassigned = unassigned.slice(count)
      outcomes.failUnassigned(name, unassigned.slice(0, count), core.lateError(KafkaError._MSG_TIMED_OUT))
    }
    const oldest = topic.unassigned[0]
    if (oldest === undefined) return Number.POSITIVE_INFINITY
    const expiryMs = oldest.createdMs + this.#deliveryTimeoutMs
    return isMissing ? Math.min(expiryMs, unknownMs) : expiryMs
  }
}
