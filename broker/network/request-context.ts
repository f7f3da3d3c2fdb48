/**
 * What a handler knows about who asks.
 */
import type { MeteredRequest } from '../quota/client-quotas.ts'
import type { BrokerServices } from '../services.ts'
import type { ConnectionInfo, Principal } from './connection-info.ts'

export interface RequestContext extends MeteredRequest {
  readonly broker: BrokerServices
  readonly connection: ConnectionInfo
  readonly principal: Principal
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  /** Empty when the client gave none. */
  readonly clientId: string
  /** Monotonic time of arrival. */
  readonly receivedMs: number
  /** Whether the answer may lie in memory that is used again; not while somebody listens in, who may keep it. */
  readonly mayReuseMemory: boolean
  /** Set by a handler whose answer lies there: to be called when the system has the answer. */
  onSent?: () => void
  /** Set by a handler that has done all that the next request can build on, and only waits with its answer. */
  isCarriedOut?: boolean
  /** Set by a handler whose answer waits for records: answers now, as if its time were up. */
  expireWait?: () => void
}
