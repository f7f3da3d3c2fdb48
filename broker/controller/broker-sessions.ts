/**
 * Heartbeats: when each broker was heard of last and how far it has read the metadata log.
 *
 * Owner: the controller machine. Memory only; a session that the controller does not know has begun just now.
 */
import type { Clock } from '../../common/runtime/clock.ts'

interface Session {
  lastContactMs: number
  metadataOffset: number
  /** End of the records that began the controlled shutdown; the broker may go when all others have read them. */
  shutdownOffset: number
}

export class BrokerSessions {
  readonly #clock: Clock
  readonly #sessions = new Map<number, Session>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A heartbeat, or the begin of a session. */
  touch(brokerId: number, metadataOffset: number): void {
    const lastContactMs = this.#clock.monotonicMs()
    const session = this.#sessions.get(brokerId)
    if (session === undefined) {
      this.#sessions.set(brokerId, { lastContactMs, metadataOffset, shutdownOffset: -1 })
    } else {
      session.lastContactMs = lastContactMs
      session.metadataOffset = metadataOffset
    }
  }

  remove(brokerId: number): void {
    this.#sessions.delete(brokerId)
  }

  isValid(brokerId: number, timeoutMs: number): boolean {
    return this.remainingMs(brokerId, timeoutMs) > 0
  }

  /** Until the session ends; 0 or less when it has, or there is none. */
  remainingMs(brokerId: number, timeoutMs: number): number {
    const session = this.#sessions.get(brokerId)
    return session === undefined ? 0 : session.lastContactMs + timeoutMs - this.#clock.monotonicMs()
  }

  metadataOffsetOf(brokerId: number): number {
    return this.#sessions.get(brokerId)?.metadataOffset ?? -1
  }

  setShutdownOffset(brokerId: number, offset: number): void {
    const session = this.#sessions.get(brokerId)
    if (session !== undefined) session.shutdownOffset = offset
  }

  shutdownOffsetOf(brokerId: number): number {
    return this.#sessions.get(brokerId)?.shutdownOffset ?? -1
  }
}
