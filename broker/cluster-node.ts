/**
 * One node of a cluster through its lives: the same identity, directories and addresses, and a new broker each time it starts.
 *
 * Owner: the cluster. The ways down are different on purpose: `stop` hands over and leaves proof of a clean shutdown, `kill` ends as a
 * killed process does, `freeze` leaves the process where it is: its sockets stay open, and nobody answers.
 */
import { createCompositeTransport } from '../common/runtime/composite-transport.ts'
import type { FileSystem } from '../common/runtime/files.ts'
import { Freezer, freezableTransport } from '../common/runtime/freezable-transport.ts'
import type { Random } from '../common/runtime/random.ts'
import type { Runtime } from '../common/runtime/runtime.ts'
import { MemoryDisk } from '../common/runtime/sim/files.ts'
import type { MemoryNetwork } from '../common/runtime/sim/transport.ts'
import type { Address } from '../common/runtime/transport.ts'
import { DirectoryRefusal } from '../storage/log-directory.ts'
import { Broker } from './broker.ts'
import type { ClusterWarning } from './cluster-warning.ts'
import type { BrokerConfig } from './config/broker-config.ts'
import type { EndPoint } from './config/listeners.ts'
import type { Interception } from './network/interception.ts'
import type { ReplicaHistory } from './replica/replica-history.ts'
import { newerData, StartError } from './start-error.ts'

/** What the nodes of a cluster share. */
export interface ClusterEnvironment {
  readonly clusterId: string
  readonly world: Runtime
  readonly network: MemoryNetwork
  readonly nodeIds: readonly number[]
  /** Who votes in the metadata quorum. Default: the first nodes. */
  readonly voters?: readonly number[]
  /** Default: the rules of today. */
  readonly replicaHistory?: ReplicaHistory
  /** How many ports after a busy one may be tried. */
  readonly alternativePorts: number
  readonly controllerAddressOf: (nodeId: number) => Address | undefined
  /** Where the node listens that advertises the address: a proxy may lie between the two, and nodes go past it. Default: nowhere. */
  readonly listenerBehind?: (advertised: Address) => Address | undefined
  readonly interception: Interception | undefined
}

/** What a node does in its cluster (`process.roles`). */
export type NodeRole = 'broker' | 'controller' | 'both'

export interface ClusterNodeOptions {
  readonly nodeId: number
  /** Default: both. */
  readonly role?: NodeRole
  readonly directories: readonly string[]
  readonly config: BrokerConfig
  readonly files: FileSystem
  readonly listeners: readonly EndPoint[]
  readonly advertisedListeners: readonly EndPoint[]
}

export type ClusterNodeState = 'down' | 'starting' | 'running' | 'frozen' | 'stopping'

export class ClusterNode {
  readonly nodeId: number
  readonly #environment: ClusterEnvironment
  readonly #options: ClusterNodeOptions
  #broker: Broker | undefined
  #state: ClusterNodeState = 'down'
  /** Of the present life. */
  #freezer = new Freezer()
  #isFirstLife = true
  #lives = 0
  /** Ports as they came out at the first start: a node comes back where it was. */
  #ports = new Map<string, number>()
  #advertised: ReadonlyMap<string, Address> = new Map()
  #stopping: Promise<void> | undefined

  constructor(environment: ClusterEnvironment, options: ClusterNodeOptions) {
    this.#environment = environment
    this.#options = options
    this.nodeId = options.nodeId
  }

  get role(): NodeRole {
    return this.#options.role ?? 'both'
  }

  get state(): ClusterNodeState {
    return this.#freezer.isFrozen ? 'frozen' : this.#state
  }

  /** The broker of the present life; undefined while the node is down. */
  get broker(): Broker | undefined {
    return this.#broker
  }

  /** What clients are told to connect to, by listener; stays while the node is down. */
  get advertisedAddresses(): ReadonlyMap<string, Address> {
    return this.#advertised
  }

  /** Where clients that were told the address arrive; undefined when this node advertises something else. */
  listenerBehind({ host, port }: Address): Address | undefined {
    for (const { listenerName, host: ownHost } of this.#options.listeners) {
      const advertised = this.#advertised.get(listenerName)
      const ownPort = this.#ports.get(listenerName)
      if (advertised?.host === host && advertised.port === port && ownPort !== undefined)
        return { host: ownHost, port: ownPort }
    }
    return undefined
  }

  /** Ports that were asked for and not to be had. */
  get portWarnings(): readonly ClusterWarning[] {
    return this.#options.listeners.flatMap(({ listenerName, port: asked }): ClusterWarning[] => {
      const port = this.#ports.get(listenerName)
      if (asked === 0 || port === undefined || port === asked) return []
      const message = `Port ${asked} is taken; broker ${this.nodeId} listens on ${port}.`
      return [{ kind: 'port-taken', message }]
    })
  }

  /** Starts a node that is down; resolves when it serves clients again. @throws StartError */
  async start(): Promise<void> {
    await this.open()
    await this.join()
  }

  /** @internal The first half of `start`: its addresses are known afterwards. */
  async open(): Promise<void> {
    if (this.#state !== 'down') throw new Error(`Broker ${this.nodeId} is ${this.state}.`)
    this.#state = 'starting'
    this.#stopping = undefined
    let broker: Broker | undefined
    try {
      broker = this.#createBroker()
      this.#broker = broker
      await broker.open()
    } catch (error) {
      // Killed while it started, it may have another life by now.
      if (this.#broker === broker) this.kill()
      throw startErrorOf(error, this.nodeId)
    }
    for (const [name, { port }] of broker.listeners.addresses) this.#ports.set(name, port)
    this.#advertised = new Map(broker.listeners.advertised)
    this.#isFirstLife = false
  }

  /** @internal The second half of `start`. */
  async join(): Promise<void> {
    const broker = this.#broker
    if (broker === undefined)
      throw new StartError('FAILED', `Broker ${this.nodeId} was stopped while it started.`)
    try {
      await broker.start()
      this.#state = 'running'
    } catch (error) {
      if (this.#broker === broker) this.kill()
      throw startErrorOf(error, this.nodeId)
    }
  }

  /**
   * The process stands still: it neither hears nor acts, and others notice as they notice any silence. It is the same incarnation after
   * `thaw`. Idempotent. @throws Error when it does not run
   */
  freeze(): void {
    if (this.#broker === undefined || this.#state !== 'running')
      throw new Error(`Broker ${this.nodeId} is ${this.#state}.`)
    this.#freezer.freeze()
    this.#broker.services.scheduler.freeze()
  }

  /** It hears what it has missed, and then notices how late it is. Idempotent. */
  thaw(): void {
    const broker = this.#broker
    const freezer = this.#freezer
    if (broker === undefined || !freezer.isFrozen) return
    freezer.thaw()
    this.#environment.world.reactor.post(() => {
      freezer.deliver()
      if (!freezer.isFrozen) broker.services.scheduler.thaw()
    })
  }

  /** A controlled shutdown. Idempotent. @throws Error while it is frozen: it would not hear of it */
  stop(): Promise<void> {
    if (this.#freezer.isFrozen)
      return Promise.reject(new Error(`Broker ${this.nodeId} is frozen. Thaw it first, or kill it.`))
    const broker = this.#broker
    this.#stopping ??= this.handOver().then(() => (this.#broker === broker ? this.finish() : undefined))
    return this.#stopping
  }

  /** @internal The first half of `stop`: others lead afterwards what this node led. */
  async handOver(): Promise<void> {
    if (this.#broker === undefined) return
    this.#state = 'stopping'
    await this.#broker.handOver()
  }

  /** @internal The second half of `stop`. */
  async finish(): Promise<void> {
    const broker = this.#broker
    await broker?.finish()
    if (this.#broker === broker) this.#down()
  }

  /**
   * Ends as a killed process does: nothing is handed over, and what was not written yet is gone. Idempotent.
   * @param options.loseTail also what was not flushed to its disk may be gone, as when the power fails
   * @throws Error when its disk does not know what was flushed
   */
  kill(options: { readonly loseTail?: boolean } = {}): void {
    const { files } = this.#options
    const disk = files instanceof MemoryDisk && files.tracksUnsynced ? files : undefined
    if (options.loseTail === true && disk === undefined)
      throw new Error(
        'To lose what a disk has not synced, start the cluster with { loseTail: true } and without files.',
      )
    this.#broker?.kill()
    this.#environment.network.kill(this.endpoint)
    this.#down()
    if (options.loseTail === true) disk?.crash({ loseUnsynced: this.#environment.world.random })
  }

  #down(): void {
    this.#freezer.discard()
    this.#broker = undefined
    this.#state = 'down'
  }

  /** Its name in the network between the nodes. */
  get endpoint(): string {
    return `broker-${this.nodeId}`
  }

  /** Forks with equal labels are equal: with the chance of an earlier life a node would register as the same incarnation. */
  #randomOfLife(): Random {
    const label = this.#lives === 1 ? this.endpoint : `${this.endpoint} life ${this.#lives}`
    return this.#environment.world.random.fork(label)
  }

  #createBroker(): Broker {
    const { world, network, clusterId, nodeIds, alternativePorts, interception } = this.#environment
    const { controllerAddressOf, listenerBehind } = this.#environment
    const { voters = votersOf(nodeIds), replicaHistory } = this.#environment
    const { role, config, files, directories, listeners, advertisedListeners } = this.#options
    this.#lives += 1
    const transport = createCompositeTransport({
      outside: world.transport,
      network,
      endpoint: this.endpoint,
      ...(listenerBehind === undefined ? {} : { listenerBehind }),
    })
    const freezer = new Freezer()
    this.#freezer = freezer
    return new Broker({
      nodeId: this.nodeId,
      clusterId,
      runtime: {
        ...world,
        files,
        transport: freezableTransport(transport, freezer),
        random: this.#randomOfLife(),
      },
      scheduler: world.scheduler.scope(this.endpoint),
      internalTransport: freezableTransport(network.endpoint(this.endpoint), freezer),
      config,
      logDirectories: directories,
      listeners: listeners.map((listener) => ({
        ...listener,
        port: this.#ports.get(listener.listenerName) ?? listener.port,
      })),
      advertisedListeners,
      isWholeClusterNew: this.#isFirstLife,
      voters,
      servesClients: role !== 'controller',
      ...(replicaHistory === undefined ? {} : { replicaHistory }),
      alternativePorts: this.#isFirstLife ? alternativePorts : 0,
      controllerAddressOf,
      ...(interception === undefined ? {} : { interception }),
    })
  }
}

const OTHER_HOST =
  'Give one with --bind: 127.0.0.1, or 0.0.0.0 for all. What clients are told is --advertised-host.'

/** By the system's code, what is wrong with an address and what to try. */
const ADDRESS_ERRORS: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  EADDRINUSE: ['is used by another program', 'Stop the other program, or give another port with --port.'],
  EACCES: ['may not be used by this user', 'Give a port above 1023 with --port.'],
  EADDRNOTAVAIL: ['is not an address of this machine', OTHER_HOST],
  ENOTFOUND: ['has a name that this machine does not know', OTHER_HOST],
  EAI_AGAIN: ['has a name that this machine cannot look up now', OTHER_HOST],
}

/** Errors of files and sockets in words for the operator; others stay as they are. */
function startErrorOf(error: unknown, nodeId: number): unknown {
  if (error instanceof StartError || !(error instanceof Error)) return error
  const known = ADDRESS_ERRORS[(error as { code?: string }).code ?? '']
  if (known !== undefined) {
    const [reason, hint] = known
    const message = `The address of broker ${nodeId} ${reason}: ${error.message}`
    return new StartError('PORT_IN_USE', message, hint, { cause: error })
  }
  if (error instanceof DirectoryRefusal) return refusedDirectory(error)
  return error
}

function refusedDirectory(error: DirectoryRefusal): StartError {
  const options = { cause: error }
  switch (error.reason) {
    case 'in-use': {
      const hint = 'Stop the other one, or give another directory with --data-dir.'
      return new StartError('DIRECTORY_LOCKED', error.message, hint, options)
    }
    case 'foreign':
      return new StartError(
        'OTHER_CLUSTER',
        error.message,
        'Give another directory with --data-dir.',
        options,
      )
    case 'newer':
      return newerData(error.message, options)
  }
}

/** Most that vote: more voters make every change of the metadata wait for more disks. */
const MAX_VOTERS = 3

/** The first nodes of the cluster, an odd number of them: an even one tolerates no more failures. */
export function votersOf(nodeIds: readonly number[]): readonly number[] {
  const count = Math.min(nodeIds.length, MAX_VOTERS)
  return [...nodeIds].sort((left, right) => left - right).slice(0, count % 2 === 0 ? count - 1 : count)
}
