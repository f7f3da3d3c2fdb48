/**
 * Ends the waits of consumers when nobody does anything else: profile `test` lets nobody wait out `fetch.max.wait.ms`, neither a test that
 * stops a consumer, nor one whose brokers live in virtual time. What is answered is what Kafka answers when the time is up.
 *
 * Owner: the cluster of a test. Real time, whatever the brokers' clock is. Its timer runs only while somebody waits.
 */
import type { Scheduler } from '../../common/runtime/scheduler.ts'
import type { InterceptedRequest } from '../network/interception.ts'
import type { Reply } from './companion.ts'
import { isLongPoll, type OpenRequests } from './open-requests.ts'

/** How long nothing else may have come; a wait ends after one to two of these. */
export const IDLE_FETCH_MS = 100

/** Part of the sign of life of a consumer that waits, not work. */
const HEARTBEATS: ReadonlySet<string> = new Set([
  'Heartbeat',
  'ConsumerGroupHeartbeat',
  'ShareGroupHeartbeat',
  'StreamsGroupHeartbeat',
])

export class IdleFetches {
  readonly #open: OpenRequests
  readonly #realTimers: Scheduler
  /** Waits that are older than one look. */
  #known = new WeakSet<InterceptedRequest>()
  #isBusy = false
  #isScheduled = false

  constructor(open: OpenRequests, realTimers: Scheduler) {
    this.#open = open
    this.#realTimers = realTimers
  }

  /** As a companion of the fault engine. */
  readonly watch = (exchange: InterceptedRequest, reply: Reply): Reply => {
    if (isLongPoll(exchange)) {
      if (isFromOutside(exchange)) this.#lookLater()
    } else if (!HEARTBEATS.has(exchange.api.name)) this.#isBusy = true
    return reply
  }

  #lookLater(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#realTimers.schedule('idle fetches', IDLE_FETCH_MS, () => {
      this.#isScheduled = false
      this.#look()
    })
  }

  #look(): void {
    const isIdle = !this.#isBusy
    this.#isBusy = false
    const waiting = [...this.#open].filter((exchange) => isLongPoll(exchange) && isFromOutside(exchange))
    for (const exchange of waiting) {
      if (isIdle && this.#known.has(exchange)) exchange.context.expireWait?.()
      else this.#known.add(exchange)
    }
    if (waiting.length > 0) this.#lookLater()
  }
}

/** By its IP address: `cluster.ask` comes from inside, and is for watching requests while they wait. */
function isFromOutside({ context }: InterceptedRequest): boolean {
  return /[.:]/.test(context.connection.clientAddress)
}
