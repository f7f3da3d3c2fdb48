/** What tests and special environments may put in the place of the client's own; nothing of it is needed otherwise. */
import type { OpenDuplex } from '../common/runtime/node/duplex-transport.ts'
import type { Runtime } from '../common/runtime/runtime.ts'
import type { CheckServerIdentity } from './connections/tls-options.ts'
import type { RequestEvent } from './events/event-maps.ts'

/** A request that is about to be given to a connection. */
export type RequestStart = Omit<RequestEvent, 'durationMs' | 'error'>

/** What a hook throws becomes an `error` event, or is logged. */
export interface RequestHooks {
  /** Before each request, except those that open a connection (ApiVersions, SASL). */
  readonly beforeRequest?: (request: RequestStart) => void
  /** After it: answered, failed, or given up. Before its owner hears of it. */
  readonly afterRequest?: (request: RequestEvent) => void
}

export interface ClientHooks extends RequestHooks {
  /** Time, sockets and chance. The system's own when absent; a given one is not closed with the handle. */
  readonly runtime?: Runtime
  /** Opens the stream of each connection, in the place of a TCP socket. It is destroyed with its connection. */
  readonly connect?: OpenDuplex
  /** Takes the place of the check of a broker's name against its certificate (TLS): an Error refuses the broker. */
  readonly checkServerIdentity?: CheckServerIdentity
}
