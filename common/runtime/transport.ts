/**
 * The transport port: links that carry whole frames. TCP in `node/transport-tcp.ts`; memory, with or without simulated
 * loss and delay, in `sim/transport.ts`.
 */
import type { Frame } from '../protocol/frame.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

export type LinkCloseReason =
  | 'local' // this side closed it
  | 'remote' // the other side closed it
  | 'refused' // nobody listens at the address
  | 'reset' // the link broke
  | 'frame-too-large'
  | 'frame-malformed' // negative length
  | 'timeout'
  | 'tls-failed' // no common protocol, or a certificate that is not trusted

/**
 * One connection. Events are delivered inside reactor turns. After `onClose` nothing is delivered.
 */
export interface Link {
  readonly id: number
  readonly remote: Address
  readonly local: Address
  /** TLS peer certificate subject, when the listener asked for one. */
  readonly peerSubject: string | undefined
  /** Called once per arrived frame, without its length prefix. The receiver owns the fragments from then on. */
  onFrame: (frame: Frame) => void
  /** Called once, when the link is established; at once for accepted links. */
  onOpen: () => void
  /** `cause` is the system's error, for logs. */
  onClose: (reason: LinkCloseReason, cause?: Error) => void
  /** Called when `isWritable` turns true again. */
  onDrain: () => void
  /**
   * Queues a frame; the length prefix is added here. The frame is moved: the sender must not touch the fragments again
   * (buffers that are shared, such as log reads, are never written to by anybody). Sends made in one turn leave in one
   * corked write at the end of the turn.
   */
  send(frame: Frame): void
  /** Hands what was sent to the system before the turn ends, or outside of one. Absent where only the end of a turn does. */
  sendPending?(): void
  /** Bytes that were sent and have not left this process yet. */
  readonly queuedBytes: number
  /** false while `queuedBytes` is above the limit: stop producing output for this link. */
  readonly isWritable: boolean
  /** Stops and resumes reading; frames that were already read are still delivered. */
  pause(): void
  resume(): void
  /** Lets queued bytes leave, then closes. Idempotent. */
  close(): void
  /** Closes at once; queued bytes are lost. Idempotent. */
  destroy(): void
}

export interface ListenOptions {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** `socket.request.max.bytes`: a longer frame closes the link. */
  readonly maxFrameBytes: number
}

export interface Listener {
  readonly address: Address
  /** Stops accepting; open links stay until their owner closes them. */
  close(): void
}

/**
 * What TLS asks for and shows when it connects. Absent members are the system's defaults. A transport that has no TLS refuses to
 * connect rather than to talk in the clear.
 */
export interface TlsOptions {
  /** Trusted certificates as PEM texts. */
  readonly ca?: readonly string[]
  /** Own certificate (chain) and key as PEM. */
  readonly certificate?: string
  readonly key?: string
  /** PKCS#12 bundle in place of certificate and key. */
  readonly keystore?: Buffer
  /** Of the key or the bundle. */
  readonly passphrase?: string
  /** PEM. */
  readonly revocationList?: string
  readonly ciphers?: string
  readonly curves?: string
  readonly signatureAlgorithms?: string
  /** Whether the peer's chain must lead to a trusted certificate. */
  readonly verifiesChain: boolean
  /** Whether the peer's certificate must carry the name (or address) that was connected to. */
  readonly verifiesHostName: boolean
  /** Takes the place of the check of the name; an Error refuses. `certificate` is Node's PeerCertificate. */
  readonly checkIdentity?: (host: string, certificate: object) => Error | undefined
}

/** Decides over the addresses of a host name, and hears where they led. One per host and client. */
export interface AddressOrder {
  /** The same addresses in the order to try them. */
  inOrder(addresses: readonly string[]): readonly string[]
  /** Nobody answered there, or TLS failed. */
  missed(address: string): void
  /** The link is open. */
  reached(address: string): void
}

export interface ConnectOptions extends Address {
  readonly maxFrameBytes: number
  readonly connectTimeoutMs: number
  /** Until TLS is established too, when it is given. The same object for all connections of a client: it is prepared once. */
  readonly tls?: TlsOptions
  /** Only addresses of this family are tried. */
  readonly family?: 4 | 6
  /** As the resolver tells them when absent. */
  readonly addresses?: AddressOrder
  /** TCP_NODELAY; true when absent. */
  readonly noDelay?: boolean
  /** SO_KEEPALIVE; true when absent. */
  readonly keepAlive?: boolean
}

export interface Transport {
  /** Rejects with an Error whose `code` is EADDRINUSE, EACCES or EADDRNOTAVAIL when the address cannot be taken. */
  listen(options: ListenOptions, onLink: (link: Link) => void): Promise<Listener>
  /** Returns at once; `onOpen` or `onClose` tell how it went. */
  connect(options: ConnectOptions): Link
}
