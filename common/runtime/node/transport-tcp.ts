/**
 * `Transport` over TCP sockets, with TLS on top where a connection asks for it. Owned by the runtime. Everything a socket does reaches the owner of its link inside a
 * reactor turn; everything sent in a turn leaves in one write at its end. No event of a socket is ever left unhandled.
 */
import * as dns from 'node:dns'
import * as net from 'node:net'
import { tcpBacklog, tcpKeepAliveMs } from '../limits.ts'
import type { Reactor } from '../reactor.ts'
import { RecycledBytes } from '../recycled-bytes.ts'
import type { Scheduler } from '../scheduler.ts'
import type { Trace } from '../trace.ts'
import type { Address, ConnectOptions, Link, Listener, ListenOptions, Transport } from '../transport.ts'
import type { ProcessHold } from './process-hold.ts'
import { addressOf, type InPlaceReading, TcpLink } from './tcp-link.ts'
import { loadTls, tlsConnectOptions } from './tls-context.ts'

export interface TcpTransportOptions {
  readonly reactor: Reactor
  readonly scheduler: Scheduler
  readonly trace: Trace
  /** Identities of links; shared with other transports of the process. */
  readonly nextLinkId?: () => number
  /** Told of every socket that connects, while it is there. */
  readonly processHold?: ProcessHold
  /** All addresses of a host, in the order to try them. The system's resolver when absent. */
  readonly lookup?: (
    host: string,
    done: (error: Error | undefined, addresses: readonly string[]) => void,
  ) => void
}

function systemLookup(
  host: string,
  done: (error: Error | undefined, addresses: readonly string[]) => void,
): void {
  dns.lookup(host, { all: true }, (error, found) => {
    done(error ?? undefined, error === null ? found.map(({ address }) => address) : [])
  })
}

/**
 * The same connection as a socket that reads where it is told (`onread`). Node offers that for sockets that connect only; for accepted ones
 * the system's handle, accepted but not read from yet, moves to a new socket.
 * @returns undefined when this Node keeps its handles elsewhere: the accepted socket is then as good as ever
 */
function readingInPlace(accepted: net.Socket, reading: InPlaceReading): net.Socket | undefined {
  const inner = accepted as unknown as { _handle: unknown }
  const handle = inner._handle
  if (typeof (handle as { useUserBuffer?: unknown } | null)?.useUserBuffer !== 'function') return undefined
  inner._handle = null
  const options = { handle, allowHalfOpen: true, pauseOnCreate: true, onread: reading }
  return new net.Socket(options as net.SocketConstructorOpts)
}

export class TcpTransport implements Transport {
  readonly #options: TcpTransportOptions
  readonly #nextLinkId: () => number
  /** Of the links that are accepted: a server's requests are short-lived, a client keeps what it is answered. */
  readonly #recycled = new RecycledBytes()
  #lastLinkId = 0

  constructor(options: TcpTransportOptions) {
    this.#options = options
    this.#nextLinkId = options.nextLinkId ?? (() => ++this.#lastLinkId)
  }

  listen(options: ListenOptions, onLink: (link: Link) => void): Promise<Listener> {
    const { reactor, trace } = this.#options
    const server = net.createServer({
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: tcpKeepAliveMs,
      allowHalfOpen: true,
      pauseOnConnect: true,
    })
    server.on('connection', (accepted) => {
      const remote = addressOf(accepted.remoteAddress, accepted.remotePort)
      const link = this.#link(options.maxFrameBytes, remote, this.#recycled)
      const socket = readingInPlace(accepted, link.reading)
      link.adopt(socket ?? accepted, socket !== undefined)
      reactor.post(() => {
        onLink(link)
        link.opened()
      })
    })
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: options.host, port: options.port, backlog: tcpBacklog }, () => {
        server.off('error', reject)
        // Out of descriptors, mostly: the next connection may work again.
        server.on('error', (error) => {
          const message = `Accepting a connection on ${options.host}:${options.port} failed: ${error.message}`
          trace.emit({ level: 'warn', kind: 'transport.accept-failed', message, error })
        })
        const bound = server.address() as net.AddressInfo
        resolve({ address: { host: options.host, port: bound.port }, close: () => void server.close() })
      })
    })
  }

  connect(options: ConnectOptions): Link {
    const link = this.#link(options.maxFrameBytes, { host: options.host, port: options.port })
    const { scheduler, processHold } = this.#options
    const deadline = scheduler.schedule(
      `connecting to ${options.host}:${options.port}`,
      options.connectTimeoutMs,
      () => link.fail('timeout'),
    )
    const connecting = new Connecting(link, options, { scheduler, processHold }, () => deadline.cancel())
    if (net.isIP(options.host) !== 0) connecting.start([options.host])
    else {
      const lookup = this.#options.lookup ?? systemLookup
      lookup(options.host, (error, found) => {
        const { family } = options
        const addresses = family === undefined ? found : found.filter((one) => net.isIP(one) === family)
        if (error === undefined && addresses.length > 0) {
          connecting.start(options.addresses?.inOrder(addresses) ?? addresses)
        } else {
          deadline.cancel()
          const kind = family === undefined ? 'address' : `IPv${family} address`
          link.fail('refused', error ?? new Error(`${options.host} has no ${kind}`))
        }
      })
    }
    return link
  }

  #link(maxFrameBytes: number, remote: Address, recycled?: RecycledBytes): TcpLink {
    const { reactor, scheduler } = this.#options
    return new TcpLink({
      ...{ id: this.#nextLinkId(), reactor, scheduler, maxFrameBytes, remote },
      ...(recycled === undefined ? {} : { recycled }),
    })
  }
}

/** Tries the addresses of a host one after the other, each with its share of the time, until one answers. */
class Connecting {
  readonly #link: TcpLink
  readonly #options: ConnectOptions
  readonly #scheduler: Scheduler
  readonly #processHold: ProcessHold | undefined
  readonly #onDone: () => void

  constructor(
    link: TcpLink,
    options: ConnectOptions,
    world: { readonly scheduler: Scheduler; readonly processHold: ProcessHold | undefined },
    onDone: () => void,
  ) {
    this.#link = link
    this.#options = options
    this.#scheduler = world.scheduler
    this.#processHold = world.processHold
    this.#onDone = onDone
  }

  start(addresses: readonly string[]): void {
    this.#try(addresses, 0, this.#options.connectTimeoutMs / addresses.length)
  }

  #try(addresses: readonly string[], index: number, shareMs: number): void {
    if (this.#link.isClosed) {
      this.#onDone()
      return
    }
    const host = addresses[index] as string
    const isLast = index === addresses.length - 1
    const { port, tls: tlsOptions } = this.#options
    let socket: net.Socket
    try {
      socket = this.#connect(host)
    } catch (error) {
      this.#onDone()
      const isPort = (error as NodeJS.ErrnoException).code === 'ERR_SOCKET_BAD_PORT'
      this.#link.fail(isPort ? 'refused' : 'tls-failed', error as Error)
      return
    }
    this.#processHold?.add(socket)
    socket.once('close', () => this.#processHold?.remove(socket))
    const abort = (): void => void socket.destroy()
    this.#link.onAbort = abort
    // The last address has all the time that is left: the deadline of the whole ends it.
    const share = isLast
      ? undefined
      : this.#scheduler.schedule(`connecting to ${host}:${port}`, shareMs, () => abort())
    let failure: Error | undefined
    let isReached = false
    socket.once('connect', () => {
      isReached = true
    })
    const onError = (error: Error): void => {
      failure = error
    }
    const onClose = (): void => {
      share?.cancel()
      this.#options.addresses?.missed(host)
      if (!isLast && !this.#link.isClosed) {
        this.#try(addresses, index + 1, shareMs)
        return
      }
      this.#onDone()
      const isTimeout = (failure as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT'
      const isTlsFailure = tlsOptions !== undefined && isReached
      this.#link.fail(isTimeout ? 'timeout' : isTlsFailure ? 'tls-failed' : 'refused', failure)
    }
    socket.on('error', onError)
    socket.on('close', onClose)
    socket.once(tlsOptions === undefined ? 'connect' : 'secureConnect', () => {
      share?.cancel()
      this.#onDone()
      socket.off('close', onClose)
      this.#link.onAbort = undefined
      if (this.#link.isClosed) {
        socket.destroy()
        return
      }
      this.#options.addresses?.reached(host)
      this.#link.adopt(socket, tlsOptions === undefined)
      this.#link.openLater()
    })
  }

  /** Throws an Error for TLS options that cannot be used. */
  #connect(host: string): net.Socket {
    const { port, noDelay = true, keepAlive = true, tls: tlsOptions } = this.#options
    if (tlsOptions === undefined) {
      return net.connect({
        host,
        port,
        noDelay,
        keepAlive,
        keepAliveInitialDelay: tcpKeepAliveMs,
        allowHalfOpen: true,
        onread: this.#link.reading as net.OnReadOpts,
      })
    }
    // Node's TLS sockets cannot read in place.
    const secured = tlsConnectOptions(tlsOptions, this.#options.host)
    // Kept open on this side like any other; the type leaves the option out.
    const halfOpen: object = { allowHalfOpen: true }
    const socket = loadTls().connect({ ...secured, ...halfOpen, host, port })
    socket.setNoDelay(noDelay)
    if (keepAlive) socket.setKeepAlive(true, tcpKeepAliveMs)
    return socket
  }
}
