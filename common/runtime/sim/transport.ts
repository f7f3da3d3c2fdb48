/**
 * `Transport` inside one process: frames are handed over by reference, as tasks of the reactor that both sides share. One
 * `MemoryNetwork` per cluster; every broker and client gets an `endpoint` of its own, so that the network can tell
 * them apart when it isolates, cuts or delays.
 *
 * As with TCP, a link keeps its order and loses nothing while it lives: what is sent across a cut waits and arrives
 * after `heal`, unless somebody gave up first. `dropProbability` and `reorderProbability` break that promise on purpose.
 */
import { memoryFirstPort, memoryLastPort } from '../limits.ts'
import type { Address, ConnectOptions, Link, Listener, ListenOptions, Transport } from '../transport.ts'
import type { LinkCarrier, LinkConditions, MemoryNetworkOptions } from './link-carrier.ts'
import { MemoryLink } from './memory-link.ts'

interface MemoryListener {
  readonly endpoint: string
  readonly address: Address
  readonly maxFrameBytes: number
  readonly onLink: (link: Link) => void
}

const noConditions: LinkConditions = {}

export class MemoryNetwork implements LinkCarrier<MemoryLink> {
  readonly options: MemoryNetworkOptions
  readonly nextLinkId: () => number
  readonly #listeners = new Map<string, MemoryListener>()
  readonly #links = new Set<MemoryLink>()
  readonly #cuts = new Set<string>()
  readonly #conditions = new Map<string, LinkConditions>()
  #defaultConditions: LinkConditions
  #groups: ReadonlyArray<ReadonlySet<string>> = []
  #nextPort = memoryFirstPort
  #lastLinkId = 0

  constructor(options: MemoryNetworkOptions) {
    this.options = options
    this.#defaultConditions = options.conditions ?? noConditions
    this.nextLinkId = options.nextLinkId ?? (() => ++this.#lastLinkId)
  }

  /** The transport of one machine. The same name gives the same machine. */
  endpoint(name: string): Transport {
    return {
      listen: (options, onLink) => this.#listen(name, options, onLink),
      connect: (options) => this.#connect(name, options),
    }
  }

  /** Whether somebody listens at the address in this process. */
  knows(address: Address): boolean {
    return this.#find(address) !== undefined
  }

  /** Endpoints of different groups no longer reach each other; those in no group still reach everybody. */
  isolate(...groups: ReadonlyArray<readonly string[]>): void {
    this.#groups = groups.map((names) => new Set(names))
  }

  /** Nothing passes from one endpoint to the other; the opposite direction is untouched. */
  cut(from: string, to: string): void {
    this.#cuts.add(directionOf(from, to))
  }

  /** Takes back `cut` of this direction; what waited arrives. */
  mend(from: string, to: string): void {
    this.#cuts.delete(directionOf(from, to))
    for (const link of this.#links) if (link.endpoint === from && link.peerEndpoint === to) link.pump()
  }

  /** Takes back `isolate` and every `cut`; what waited arrives. */
  heal(): void {
    this.#groups = []
    this.#cuts.clear()
    for (const link of this.#links) link.pump()
  }

  /** Sets the conditions of one direction, or without `from` and `to` those of all that have none of their own. */
  setConditions(conditions: LinkConditions | undefined, direction?: { from: string; to: string }): void {
    if (direction === undefined) this.#defaultConditions = conditions ?? noConditions
    else if (conditions === undefined) this.#conditions.delete(directionOf(direction.from, direction.to))
    else this.#conditions.set(directionOf(direction.from, direction.to), conditions)
  }

  /** Breaks the links between two endpoints; both sides hear `reset`. */
  reset(one: string, other: string): void {
    for (const link of [...this.#links]) {
      if (link.endpoint === one && link.peerEndpoint === other) {
        link.peer?.fail('reset')
        link.fail('reset')
      }
    }
  }

  /** The process of an endpoint dies: it hears nothing any more, its listeners are gone, its peers hear `reset`. */
  kill(endpoint: string): void {
    for (const [key, listener] of this.#listeners) {
      if (listener.endpoint === endpoint) this.#listeners.delete(key)
    }
    for (const link of [...this.#links]) {
      if (link.endpoint === endpoint) link.die()
    }
  }

  /** Links that are not closed, by endpoint: for leak checks. */
  openLinks(endpoint: string): number {
    let count = 0
    for (const link of this.#links) if (link.endpoint === endpoint) count++
    return count
  }

  nowMs(): number {
    return this.options.clock.monotonicMs()
  }

  isCut(from: string, to: string): boolean {
    if (this.#cuts.has(directionOf(from, to))) return true
    const group = this.#groups.find((names) => names.has(from))
    return group !== undefined && !group.has(to) && this.#groups.some((names) => names.has(to))
  }

  conditionsOf(from: string, to: string): LinkConditions {
    return this.#conditions.get(directionOf(from, to)) ?? this.#defaultConditions
  }

  forget(link: MemoryLink): void {
    this.#links.delete(link)
  }

  /** A connection request has reached its target. @returns the accepted side, if anybody listens */
  accept(caller: MemoryLink): MemoryLink | undefined {
    const listener = this.#find(caller.remote)
    if (listener === undefined) return undefined
    const link = new MemoryLink(this, {
      endpoint: listener.endpoint,
      peerEndpoint: caller.endpoint,
      local: listener.address,
      remote: caller.local,
      maxFrameBytes: listener.maxFrameBytes,
    })
    this.#links.add(link)
    link.join(caller)
    listener.onLink(link)
    link.opened()
    return link
  }

  async #listen(endpoint: string, options: ListenOptions, onLink: (link: Link) => void): Promise<Listener> {
    const port = options.port === 0 ? this.#freePort() : options.port
    const address = { host: options.host, port }
    const key = keyOf(address)
    if (this.#listeners.has(key)) {
      throw Object.assign(new Error(`EADDRINUSE: ${options.host}:${port} is taken`), { code: 'EADDRINUSE' })
    }
    const listener: MemoryListener = { endpoint, address, maxFrameBytes: options.maxFrameBytes, onLink }
    this.#listeners.set(key, listener)
    return {
      address,
      close: () => {
        if (this.#listeners.get(key) === listener) this.#listeners.delete(key)
      },
    }
  }

  #connect(endpoint: string, options: ConnectOptions): Link {
    const link = new MemoryLink(this, {
      endpoint,
      peerEndpoint: this.#find(options)?.endpoint ?? options.host,
      local: { host: endpoint, port: this.#freePort() },
      remote: { host: options.host, port: options.port },
      maxFrameBytes: options.maxFrameBytes,
    })
    this.#links.add(link)
    if (options.tls === undefined) link.connect(options.connectTimeoutMs)
    else link.fail('tls-failed')
    return link
  }

  #find(address: Address): MemoryListener | undefined {
    return this.#listeners.get(keyOf(address)) ?? this.#listeners.get(`*:${address.port}`)
  }

  #freePort(): number {
    const span = memoryLastPort - memoryFirstPort + 1
    const used = new Set<number>()
    for (const { address } of this.#listeners.values()) used.add(address.port)
    for (let tries = 0; tries < span; tries++) {
      const port = this.#nextPort
      this.#nextPort = port === memoryLastPort ? memoryFirstPort : port + 1
      if (!used.has(port)) return port
    }
    throw Object.assign(new Error('EADDRNOTAVAIL: no port is free'), { code: 'EADDRNOTAVAIL' })
  }
}

function directionOf(from: string, to: string): string {
  return `${from} > ${to}`
}

const loopbackHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1'])
const wildcardHosts: ReadonlySet<string> = new Set(['', '0.0.0.0', '::'])

/** All names of this machine are one; a listener on all interfaces answers to any host name. */
function keyOf({ host, port }: Address): string {
  if (wildcardHosts.has(host)) return `*:${port}`
  return `${loopbackHosts.has(host) ? 'localhost' : host}:${port}`
}
