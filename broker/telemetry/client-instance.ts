/**
 * What the broker remembers of one client that pushes metrics: what it was told, and when it asked and pushed (KIP-714).
 *
 * Owner: `ClientTelemetry`. Replaced when any subscription changes, so that a client may ask at once for what is new.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ClientSubscription } from './subscriptions.ts'

export class ClientInstance {
  readonly id: string
  readonly subscription: ClientSubscription
  /** Which state of the subscriptions `subscription` was made from. */
  readonly subscriptionsVersion: number
  lastError: ErrorCode = ErrorCode.NONE
  /** The last push said that it is the last one. */
  isTerminating = false
  #lastGetMs = Number.NEGATIVE_INFINITY
  #lastPushMs = Number.NEGATIVE_INFINITY

  constructor(id: string, subscription: ClientSubscription, subscriptionsVersion: number) {
    this.id = id
    this.subscription = subscription
    this.subscriptionsVersion = subscriptionsVersion
  }

  /** Asks are due once an interval, or at once after a push was refused because the client has to ask again. */
  tryGet(nowMs: number): boolean {
    const mustAskAgain =
      this.lastError === ErrorCode.UNKNOWN_SUBSCRIPTION_ID ||
      this.lastError === ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
    const elapsedMs = nowMs - Math.max(this.#lastGetMs, this.#lastPushMs)
    if (!mustAskAgain && elapsedMs < this.subscription.pushIntervalMs) return false
    this.#lastGetMs = nowMs
    return true
  }

  /** The first push after an ask may come at any time: clients spread it over the interval. */
  tryPush(nowMs: number): boolean {
    const isFirstAfterGet = this.#lastGetMs > this.#lastPushMs
    if (!isFirstAfterGet && nowMs - this.#lastPushMs < this.subscription.pushIntervalMs) return false
    this.#lastPushMs = nowMs
    return true
  }
}
