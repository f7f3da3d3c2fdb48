/**
 * One listener of a broker: accepts links, makes connections, closes those that idle.
 *
 * Limits: `max.connections`, `max.connections.per.ip`, `connections.max.idle.ms`, `socket.request.max.bytes`.
 */
import type { Runtime } from '../../common/runtime/runtime.ts'
import type { SchedulerScope } from '../../common/runtime/scheduler.ts'
import type { Address, Link, Listener as TransportListener } from '../../common/runtime/transport.ts'
import { Connection } from './connection.ts'
import type { ListenerInfo } from './request-context.ts'
import type { Router } from './router.ts'

export interface BrokerListenerOptions {
  readonly info: ListenerInfo
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly runtime: Runtime
  readonly scheduler: SchedulerScope
  readonly router: Router
  readonly hasFlushFailed: () => boolean
  readonly limits: () => {
    maxConnections: number
    maxConnectionsPerIp: number
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

  constructor(options: BrokerListenerOptions) {
    this.#options = options
    this.info = options.info
  }

  get connections(): ReadonlySet<Connection> {
    return this.#connections
  }

  /** Where it listens; after `open`. */
  get address(): Address {
    if (this.#transportListener === undefined) throw new Error(`listener ${this.info.name} is not open`)
    return this.#transportListener.address
  }

  async open(): Promise<Address> {
    const { host, port, runtime, limits } = this.#options
    this.#transportListener = await runtime.transport.listen(
      { host, port, maxFrameBytes: limits().maxRequestBytes },
      (link) => this.#accept(link),
    )
    return this.#transportListener.address
  }

  /** Stops accepting and closes every connection; with `isAbrupt` what is on its way is lost. */
  close(isAbrupt: boolean): void {
    this.#transportListener?.close()
    for (const connection of [...this.#connections]) {
      if (isAbrupt) connection.destroy()
      else connection.close()
    }
  }

  #accept(link: Link): void {
    const { maxConnections, maxConnectionsPerIp } = this.#options.limits()
    const ip = link.remote.host
    const ofIp = this.#perIp.get(ip) ?? 0
    if (this.#connections.size >= maxConnections || ofIp >= maxConnectionsPerIp) {
      link.destroy()
      return
    }
    this.#perIp.set(ip, ofIp + 1)
    const { runtime, router, hasFlushFailed } = this.#options
    const connection = new Connection({
      link,
      listener: this.info,
      router,
      reactor: runtime.reactor,
      nowMs: () => runtime.clock.monotonicMs(),
      hasFlushFailed,
      onClosed: (closed) => this.#onConnectionClosed(closed),
    })
    this.#connections.add(connection)
    this.#scheduleSweep()
  }

  #onConnectionClosed(connection: Connection): void {
    this.#connections.delete(connection)
    const left = (this.#perIp.get(connection.clientAddress) ?? 1) - 1
    if (left <= 0) this.#perIp.delete(connection.clientAddress)
    else this.#perIp.set(connection.clientAddress, left)
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
        if (connection.pendingRequests === 0 && nowMs - connection.lastActiveMs > maxIdleMs) connection.close()
      }
      this.#scheduleSweep()
    })
  }
}
