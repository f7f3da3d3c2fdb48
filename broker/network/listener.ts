/**
 * One listener of a broker: accepts links, makes connections, closes those that idle.
 *
 * A link above `max.connections` waits until another ends, as one does that Kafka's acceptor has not come to.
 *
 * One from an address that connects too often is not served, and closed after a while, lest it come again at once (KIP-612).
 *
 * Limits: `max.connections`, `max.connections.per.ip`, `connections.max.idle.ms`, `socket.request.max.bytes`,
 * `socket.listen.backlog.size` for those that wait.
 */
import type { Runtime } from '../../common/runtime/runtime.ts'
import type { SchedulerScope } from '../../common/runtime/scheduler.ts'
import type { Address, Link, Listener as TransportListener } from '../../common/runtime/transport.ts'
import { Connection } from './connection.ts'
import type { ListenerInfo } from './connection-info.ts'
import type { Router } from './router.ts'

export interface BrokerListenerOptions {
  readonly info: ListenerInfo
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** How many ports after a busy one may be tried. */
  readonly alternativePorts: number
  readonly runtime: Runtime
  readonly scheduler: SchedulerScope
  readonly router: Router
  readonly hasFlushFailed: () => boolean
  /** Whether a client may connect now; absent: always. */
  readonly mayConnect?: (clientAddress: string) => boolean
  /** How long a connection from this address is to be kept unserved until it is closed; 0, or absent: it is served. */
  readonly meterConnection?: (clientAddress: string) => number
  readonly limits: () => {
    maxConnections: number
    maxConnectionsPerIp: number
    maxWaiting: number
    /** -1: never. */
    maxIdleMs: number
    maxRequestBytes: number
  }
}

export class BrokerListener {
  readonly info: ListenerInfo
  readonly #options: BrokerListenerOptions
  readonly #connections = new Set<Connection>()
  readonly #perIp = new Map<string, number>()
  #transportListener: TransportListener | undefined
  #isSweepScheduled = false
  #isClosed = false
  /** Links that came before this broker may serve; undefined once it does. */
  #early: Link[] | undefined
  /** Links that are not served and will be closed soon. */
  readonly #unserved = new Set<Link>()
  /** Links for which there is no room yet, the oldest first; they are not read. */
  #waiting: Link[] = []

  constructor(options: BrokerListenerOptions) {
    this.#options = options
    this.info = options.info
    // A controller's listener serves from the start: registering is how a broker begins.
    if (options.info.kind === 'broker') this.#early = []
  }

  get connections(): ReadonlySet<Connection> {
    return this.#connections
  }

  get isOpen(): boolean {
    return this.#transportListener !== undefined && !this.#isClosed
  }

  /** Where it listens; after `open`. */
  get address(): Address {
    if (this.#transportListener === undefined) throw new Error(`listener ${this.info.name} is not open`)
    return this.#transportListener.address
  }

  /** Rejects with the transport's error when neither the port nor an alternative is free. */
  async open(): Promise<Address> {
    const { port, alternativePorts } = this.#options
    for (let tried = 0; ; tried += 1) {
      try {
        return await this.#listen(port === 0 ? 0 : port + tried)
      } catch (error) {
        if ((error as { code?: string }).code !== 'EADDRINUSE' || port === 0 || tried >= alternativePorts)
          throw error
      }
    }
  }

  async #listen(port: number): Promise<Address> {
    const { host, runtime, limits } = this.#options
    const options = { host, port, maxFrameBytes: limits().maxRequestBytes }
    this.#transportListener = await runtime.transport.listen(options, (link) => this.#accept(link))
    if (this.#isClosed) this.#transportListener.close()
    return this.#transportListener.address
  }

  /** Serves from now on, also those that connected before. */
  startServing(): void {
    const early = this.#early ?? []
    this.#early = undefined
    for (const link of early) {
      this.#connect(link)
      link.resume()
    }
  }

  /** Stops accepting and closes every connection; with `isAbrupt` what is on its way is lost. */
  close(isAbrupt: boolean): void {
    this.#isClosed = true
    this.#transportListener?.close()
    for (const link of [...(this.#early ?? []), ...this.#waiting, ...this.#unserved]) link.destroy()
    for (const connection of [...this.#connections]) {
      if (isAbrupt) connection.destroy()
      else connection.close()
    }
  }

  #accept(link: Link): void {
    if (this.#options.mayConnect?.(link.remote.host) === false) link.destroy()
    else if (this.#hasRoom()) this.#take(link)
    else if (this.#waiting.length >= this.#options.limits().maxWaiting) link.destroy()
    else this.#keepWaiting(link)
  }

  #hasRoom(): boolean {
    return this.#connections.size + (this.#early?.length ?? 0) < this.#options.limits().maxConnections
  }

  #keepWaiting(link: Link): void {
    link.pause()
    link.onClose = () => {
      this.#waiting = this.#waiting.filter((other) => other !== link)
    }
    this.#waiting.push(link)
  }

  #takeWaiting(): void {
    while (!this.#isClosed && this.#hasRoom()) {
      const link = this.#waiting.shift()
      if (link === undefined) return
      this.#take(link)
      if (this.#early === undefined) link.resume()
    }
  }

  #take(link: Link): void {
    const ip = link.remote.host
    const throttleTimeMs = this.#options.meterConnection?.(ip) ?? 0
    if (throttleTimeMs > 0) {
      this.#closeLater(link, throttleTimeMs)
      return
    }
    const ofIp = this.#perIp.get(ip) ?? 0
    if (ofIp >= this.#options.limits().maxConnectionsPerIp) {
      link.onClose = () => {}
      link.destroy()
      return
    }
    this.#perIp.set(ip, ofIp + 1)
    if (this.#early === undefined) {
      this.#connect(link)
      return
    }
    link.pause()
    link.onClose = () => {
      this.#early = this.#early?.filter((other) => other !== link)
      this.#forgetAddress(ip)
      this.#takeWaiting()
    }
    this.#early.push(link)
  }

  #closeLater(link: Link, delayMs: number): void {
    link.pause()
    this.#unserved.add(link)
    const label = `close of ${link.remote.host}:${link.remote.port}, which connects too often`
    const timer = this.#options.scheduler.schedule(label, delayMs, () => link.destroy())
    link.onClose = () => {
      timer.cancel()
      this.#unserved.delete(link)
    }
  }

  #connect(link: Link): void {
    const { runtime, scheduler, router, hasFlushFailed } = this.#options
    const connection = new Connection({
      link,
      listener: this.info,
      router,
      reactor: runtime.reactor,
      scheduler,
      nowMs: () => runtime.clock.monotonicMs(),
      hasFlushFailed,
      onClosed: (closed) => this.#onConnectionClosed(closed),
    })
    this.#connections.add(connection)
    this.#scheduleSweep()
  }

  #onConnectionClosed(connection: Connection): void {
    this.#connections.delete(connection)
    this.#forgetAddress(connection.clientAddress)
    this.#takeWaiting()
  }

  #forgetAddress(ip: string): void {
    const left = (this.#perIp.get(ip) ?? 1) - 1
    if (left <= 0) this.#perIp.delete(ip)
    else this.#perIp.set(ip, left)
  }

  /** One timer looks after all connections; it runs only while there are some. */
  #scheduleSweep(): void {
    const { maxIdleMs } = this.#options.limits()
    if (this.#isSweepScheduled || maxIdleMs < 0 || this.#connections.size === 0) return
    this.#isSweepScheduled = true
    const { scheduler, runtime } = this.#options
    scheduler.schedule(`idle connections of ${this.info.name}`, Math.max(1, maxIdleMs / 4), () => {
      this.#isSweepScheduled = false
      const nowMs = runtime.clock.monotonicMs()
      for (const connection of [...this.#connections]) {
        if (connection.pendingRequests === 0 && nowMs - connection.lastActiveMs > maxIdleMs)
          connection.close()
      }
      this.#scheduleSweep()
    })
  }
}
