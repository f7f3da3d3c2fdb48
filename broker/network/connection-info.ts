/**
 * Who is connected, and to which listener.
 */

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
