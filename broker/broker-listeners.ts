/**
 * The listeners of one broker: those for clients, what clients are told of them, and the one for the controllers of the cluster.
 *
 * Owner: the broker. Invariants: links are taken from `open` on, but clients are answered only after `startServing`; the controllers'
 * listener answers at once, since registering is how a broker begins.
 */
import type { Runtime } from '../common/runtime/runtime.ts'
import type { Address } from '../common/runtime/transport.ts'
import type { BrokerOptions } from './broker-options.ts'
import type { ConnectionInfo, ListenerInfo } from './network/connection-info.ts'
import { BrokerListener } from './network/listener.ts'
import type { Router } from './network/router.ts'
import type { ClientQuotas } from './quota/client-quotas.ts'

export const CONTROLLER_LISTENER = {
  name: 'CONTROLLER',
  kind: 'controller',
  securityProtocol: 'PLAINTEXT',
} as const

export interface BrokerListenersOptions {
  readonly broker: BrokerOptions
  readonly router: Router
  readonly quotas: ClientQuotas
  /** Whether records of this turn could not be handed to the operating system. */
  readonly hasFlushFailed: () => boolean
}

export class BrokerListeners {
  readonly forClients: readonly BrokerListener[]
  readonly #forControllers: BrokerListener
  readonly #options: BrokerListenersOptions
  readonly #advertised = new Map<string, Address>()

  constructor(options: BrokerListenersOptions) {
    this.#options = options
    const { listeners, runtime, internalTransport } = options.broker
    this.forClients = listeners.map(({ listenerName: name, securityProtocol, host, port }) =>
      this.#create({ name, kind: 'broker', securityProtocol }, { host, port }, runtime),
    )
    this.#forControllers = this.#create(
      CONTROLLER_LISTENER,
      { host: '127.0.0.1', port: 0 },
      { ...runtime, transport: internalTransport },
    )
  }

  /** Where each listener for clients really listens; after `open`. */
  get addresses(): ReadonlyMap<string, Address> {
    return new Map(this.forClients.map((listener) => [listener.info.name, listener.address]))
  }

  /** What clients are told to connect to, by the listener's name. */
  get advertised(): ReadonlyMap<string, Address> {
    return this.#advertised
  }

  /** Where controllers reach this node; after `open`. */
  get controllerAddress(): Address {
    return this.#forControllers.address
  }

  get isControllerListenerOpen(): boolean {
    return this.#forControllers.isOpen
  }

  /** The connections to the listeners for clients; other brokers are among their clients. */
  *connections(): IterableIterator<ConnectionInfo> {
    for (const listener of this.forClients) yield* listener.connections
  }

  get connectionCount(): number {
    return this.forClients.reduce((count, listener) => count + listener.connections.size, 0)
  }

  /** Takes the addresses. Rejects with the transport's error, or with what `mustGoOn` throws after each of them. */
  async open(mustGoOn: () => void): Promise<void> {
    await this.#forControllers.open()
    mustGoOn()
    for (const listener of this.forClients) {
      const { port } = await listener.open()
      mustGoOn()
      this.#advertise(listener.info.name, port)
    }
  }

  /** A port that was not to be had, or left open, is told as it came out; a proxy's port stays. */
  #advertise(name: string, port: number): void {
    const { advertisedListeners, listeners } = this.#options.broker
    const advertised = advertisedListeners.find(({ listenerName }) => listenerName === name)
    const asked = listeners.find(({ listenerName }) => listenerName === name)?.port
    const isAskedPort =
      advertised !== undefined && advertised.port !== 0 && (asked === port || advertised.port !== asked)
    this.#advertised.set(name, {
      host: advertised?.host || '127.0.0.1',
      port: isAskedPort ? (advertised?.port as number) : port,
    })
  }

  /** Clients are answered from now on, also those that connected before. */
  startServing(): void {
    for (const listener of this.forClients) listener.startServing()
  }

  /** @param isAbrupt what is on its way is lost */
  closeForClients(isAbrupt: boolean): void {
    for (const listener of this.forClients) listener.close(isAbrupt)
  }

  closeForControllers(isAbrupt: boolean): void {
    this.#forControllers.close(isAbrupt)
  }

  #create(info: ListenerInfo, address: Address, runtime: Runtime): BrokerListener {
    const { broker, router, quotas, hasFlushFailed } = this.#options
    const { config, scheduler, interception, nodeId, alternativePorts } = broker
    return new BrokerListener({
      info,
      ...address,
      runtime,
      scheduler,
      router,
      alternativePorts,
      hasFlushFailed,
      ...(info.kind === 'broker'
        ? {
            mayConnect: (clientAddress: string) =>
              interception?.interceptor?.mayConnect?.(nodeId, clientAddress) !== false,
            meterConnection: (clientAddress: string) => quotas.meterConnection(clientAddress),
          }
        : {}),
      limits: () => ({
        maxConnections: config.get('max.connections'),
        maxConnectionsPerIp: config.get('max.connections.per.ip'),
        maxWaiting: config.get('socket.listen.backlog.size'),
        maxIdleMs: config.get('connections.max.idle.ms'),
        maxRequestBytes: config.get('socket.request.max.bytes'),
      }),
    })
  }
}
