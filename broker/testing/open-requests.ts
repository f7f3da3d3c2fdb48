/**
 * Requests of clients that are not answered yet, by the connections that they came on.
 *
 * Owner: the fault engine, which asks it only after somebody wanted to know (`watch`). Invariant: what was answered, or whose connection
 * closed, is not in it.
 */
import type { ConnectionInfo } from '../network/connection-info.ts'
import type { InterceptedRequest } from '../network/interception.ts'
import type { Reply } from './companion.ts'

export class OpenRequests {
  readonly #byConnection = new Map<ConnectionInfo, Set<InterceptedRequest>>()
  readonly #closeListeners: ((connection: ConnectionInfo) => void)[] = []

  /** As a companion of the fault engine. */
  readonly watch = (exchange: InterceptedRequest, reply: Reply): Reply => {
    const { connection } = exchange.context
    let open = this.#byConnection.get(connection)
    if (open === undefined) {
      open = new Set()
      this.#byConnection.set(connection, open)
      connection.onClosed(() => {
        this.#byConnection.delete(connection)
        for (const listener of this.#closeListeners) listener(connection)
      })
    }
    const requests = open.add(exchange)
    reply.whenDone(() => requests.delete(exchange))
    return reply
  }

  /** Whether the connection is open, and something came on it. */
  has(connection: ConnectionInfo): boolean {
    return this.#byConnection.has(connection)
  }

  onConnectionClosed(listener: (connection: ConnectionInfo) => void): void {
    this.#closeListeners.push(listener)
  }

  *[Symbol.iterator](): Generator<InterceptedRequest> {
    for (const open of this.#byConnection.values()) yield* open
  }
}

/** Waits at the broker until records come. */
export function isLongPoll({ api }: InterceptedRequest): boolean {
  return api.name === 'Fetch' || api.name === 'ShareFetch'
}
