/**
 * What a handler knows about who asks.
 */
import type { MeteredRequest } from '../quota/client-quotas.ts'
import type { BrokerServices } from '../services.ts'

/** Which set of APIs a listener offers (`apis.tsv`, column listeners). */
export type ListenerKind = 'broker' | 'controller'

export interface ListenerInfo {
  /** Kafka's listener name: PLAINTEXT, CONTROLLER, … */
  readonly name: string
  readonly kind: ListenerKind
  readonly securityProtocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'
}

/** One client connection, as long as it lives. */
export interface ConnectionInfo {
  readonly id: string
  readonly listener: ListenerInfo
  /** Textual IP address of the client, without port. */
  readonly clientAddress: string
  readonly clientPort: number
  /** `User:ANONYMOUS` until authenticated. */
  readonly principal: Principal
  /** From ApiVersions v3+ (KIP-511); empty until then. */
  clientSoftwareName: string
  clientSoftwareVersion: string
  /** Calls back when the connection closes: drops what waits for it. @returns a function that takes the callback back */
  onClosed(callback: () => void): () => void
}

export interface Principal {
  readonly type: string
  readonly name: string
  /** Authenticated by a delegation token. */
  readonly isTokenAuthenticated: boolean
}

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
  /** Set by a handler that has done all that the next request can build on, and only waits with its answer. */
  isCarriedOut?: boolean
  /** Set by a handler whose answer waits for records: answers now, as if its time were up. */
  expireWait?: () => void
}
