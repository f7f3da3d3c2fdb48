/**
 * A cluster in one process: its brokers, the network between them, and where their data lies.
 *
 * Owner: whoever called `startCluster`. Invariants: `start` resolves when every broker serves clients; after `stop` no timer, socket or file of
 * it is left.
 */

import { ErrorCode } from '../common/protocol/errors.ts'
import { FileError, type FileSystem } from '../common/runtime/files.ts'
import { createNodeRuntime, type NodeRuntime } from '../common/runtime/node/runtime.ts'
import type { Runtime } from '../common/runtime/runtime.ts'
import { MemoryDisk } from '../common/runtime/sim/files.ts'
import { MemoryNetwork } from '../common/runtime/sim/transport.ts'
import type { Address } from '../common/runtime/transport.ts'
import { type MetaProperties, readMetaProperties } from '../storage/meta-properties.ts'
import type { Broker } from './broker.ts'
import { type ClusterEnvironment, ClusterNode, type NodeRole, votersOf } from './cluster-node.ts'
import type { ClusterWarning } from './cluster-warning.ts'
import {
  type BrokerConfig,
  type IneffectiveKey,
  parseBrokerConfig,
  type UnknownKey,
} from './config/broker-config.ts'
import { advertisedListenersOf, listenersOf } from './config/cross-checks.ts'
import type { EndPoint } from './config/listeners.ts'
import { type ProfileName, profileProperties } from './config/profiles.ts'
import { unregisterBroker } from './controller/brokers.ts'
import type { Interception } from './network/interception.ts'
import { majorityOf } from './raft/vote-tally.ts'
import type { ReplicaHistory } from './replica/replica-history.ts'
import { StartError } from './start-error.ts'

export interface ClusterOptions {
  /** Number of brokers. Default 1. */
  readonly brokers?: number
  /**
   * Nodes beside the brokers that are controllers only; their ids follow those of the brokers. Default 0: the brokers are controllers too,
   * and cannot all be down at once without the cluster forgetting who may lead.
   */
  readonly controllers?: number
  /** `kill({ loseTail: true })` shall work: what was not flushed may be lost. Only in memory; costs a copy of every write. Default false. */
  readonly loseTail?: boolean
  /** Rules that replicas obeyed in earlier versions of Kafka; for lessons. */
  readonly replicaHistory?: ReplicaHistory
  /** Nodes that are down at first. */
  readonly down?: readonly number[]
  /** Port of the first broker; the others follow. Default 0: free ports. */
  readonly port?: number
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string
  /** What clients are told to connect to. Default: `host`, or 127.0.0.1 when that means every address. */
  readonly advertisedHost?: string
  /** Directory of the data; absent: everything stays in memory. */
  readonly dataDir?: string
  /** `test` is quick where Kafka waits, `kafka` has Kafka's own settings. Default `test`. */
  readonly profile?: ProfileName
  /** Broker settings by Kafka's names. */
  readonly config?: ReadonlyMap<string, string> | Readonly<Record<string, string | number | boolean>>
  /** A busy port is an error. Default: the next free one is taken, unless `port` is 0 anyway. */
  readonly strictPorts?: boolean
  /** The world; for tests and simulations. Default: real time, files and sockets. */
  readonly runtime?: Runtime
  /** The file system of each node, in place of one that the cluster makes. */
  readonly files?: (nodeId: number) => FileSystem
  /** Port of each broker; 0 or none: a free one. Before `port`. */
  readonly ports?: readonly number[]
  /** `broker.rack` of each broker. */
  readonly racks?: readonly string[]
  /** Who stands between clients and handlers. */
  readonly interception?: Interception
}

const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::', ''])
const FIRST_NODE_ID = 1
/** Ports that are tried after a busy one. */
const PORT_TRIES = 100

/** One broker more. */
export interface AddBrokerOptions {
  /** Default: one more than the highest of the cluster. */
  readonly nodeId?: number
  /** Default: as of the brokers before it, a free one or the next. */
  readonly port?: number
  /** `broker.rack`. */
  readonly rack?: string
}

/** Longest that the controller may take to forget a broker that is removed: elections are in it. */
const UNREGISTER_LIMIT_MS = 30_000
const UNREGISTER_RETRY_MS = 50

export class Cluster {
  readonly clusterId: string
  readonly runtime: Runtime
  readonly warnings: readonly ClusterWarning[]
  /** What the nodes say to each other goes through here. */
  readonly network: MemoryNetwork
  readonly #nodes: ClusterNode[]
  readonly #voters: readonly number[]
  readonly #createNode: (options: AddBrokerOptions) => ClusterNode
  readonly #ownRuntime: NodeRuntime | undefined
  #stopping: Promise<void> | undefined

  /** @internal Use `startCluster`. */
  constructor(parts: {
    clusterId: string
    nodes: ClusterNode[]
    voters: readonly number[]
    createNode: (options: AddBrokerOptions) => ClusterNode
    runtime: Runtime
    warnings: readonly ClusterWarning[]
    network: MemoryNetwork
    ownRuntime: NodeRuntime | undefined
  }) {
    this.clusterId = parts.clusterId
    this.#nodes = parts.nodes
    this.#voters = parts.voters
    this.#createNode = parts.createNode
    this.runtime = parts.runtime
    this.warnings = parts.warnings
    this.network = parts.network
    this.#ownRuntime = parts.ownRuntime
  }

  /** Every node, running or not, by node id from the lowest. */
  get nodes(): readonly ClusterNode[] {
    return this.#nodes
  }

  /** Where the node listens that advertises the address; undefined when none does. */
  listenerBehind(advertised: Address): Address | undefined {
    return listenerBehind(this.nodes, advertised)
  }

  /** The brokers that run at the moment. */
  get brokers(): readonly Broker[] {
    return this.nodes.flatMap(({ broker }) => (broker === undefined ? [] : [broker]))
  }

  /** Why a node that starts waits: too few voters of the metadata quorum are up. Undefined when a majority is. */
  get lackOfQuorum(): string | undefined {
    const votersUp = this.#voters.filter((id) => {
      const { broker, state } = this.node(id)
      return broker !== undefined && state !== 'frozen'
    })
    const needed = majorityOf(this.#voters.length)
    if (votersUp.length >= needed) return undefined
    const voters = this.#voters.join(', ')
    return `${votersUp.length} of the voters (${voters}) of the metadata quorum is up, and ${needed} must be`
  }

  /** One node by its id. @throws RangeError when there is none */
  node(nodeId: number): ClusterNode {
    const node = this.nodes.find((candidate) => candidate.nodeId === nodeId)
    if (node === undefined) throw new RangeError(`There is no broker ${nodeId} in this cluster.`)
    return node
  }

  /** `host:port,…` of every broker, as clients want it; also of those that are down at the moment. */
  get bootstrapServers(): string {
    return this.nodes
      .flatMap(({ advertisedAddresses }) => [...advertisedAddresses.values()].slice(0, 1))
      .map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`)
      .join(',')
  }

  /**
   * Starts one broker more; resolves when it serves clients. It follows the metadata but does not vote, and has no replicas until topics are
   * created or a reassignment gives it some. @throws StartError
   */
  async addBroker(options: AddBrokerOptions = {}): Promise<ClusterNode> {
    const nodeId = options.nodeId ?? Math.max(...this.#nodes.map((node) => node.nodeId)) + 1
    if (this.#nodes.some((node) => node.nodeId === nodeId))
      throw new StartError('INVALID_CONFIG', `There is a broker ${nodeId} already.`)
    const node = this.#createNode({ ...options, nodeId })
    this.#nodes.push(node)
    this.#nodes.sort((left, right) => left.nodeId - right.nodeId)
    try {
      await node.start()
    } catch (error) {
      this.#nodes.splice(this.#nodes.indexOf(node), 1)
      throw error
    }
    return node
  }

  /**
   * Takes a broker out for good: it stops in order, if it runs, and the cluster forgets it (UnregisterBroker). Its replicas stay in the
   * assignments, out of sync: give them to others first.
   * @throws RangeError when there is none, Error when it votes in the metadata quorum
   */
  async removeBroker(nodeId: number): Promise<void> {
    const node = this.node(nodeId)
    if (this.#voters.includes(nodeId))
      throw new Error(`Broker ${nodeId} votes in the metadata quorum, whose voters are fixed.`)
    node.thaw()
    await node.stop()
    await this.#unregister(nodeId)
    this.#nodes.splice(this.#nodes.indexOf(node), 1)
  }

  async #unregister(brokerId: number): Promise<void> {
    const { clock, scheduler } = this.runtime
    const limitMs = clock.monotonicMs() + UNREGISTER_LIMIT_MS
    for (;;) {
      const controller = this.brokers.find((broker) => broker.controller !== undefined)?.controller
      if (controller !== undefined) {
        const { error } = await new Promise<{ readonly error: ErrorCode }>((resolve) =>
          controller
            .write('UnregisterBroker', (machine) => unregisterBroker(machine, { brokerId }))
            .whenDone(resolve),
        )
        if (error === ErrorCode.NONE) return
      }
      if (clock.monotonicMs() > limitMs)
        throw new Error(`No controller took broker ${brokerId} out of the cluster.`)
      await new Promise<void>((resolve) =>
        scheduler.schedule(`removal of broker ${brokerId}`, UNREGISTER_RETRY_MS, resolve),
      )
    }
  }

  /**
   * Cuts a broker off from all other nodes; clients reach it as before.
   * @param options.way what does not pass any more: `out` what it says, `in` what others say to it
   * @throws RangeError when there is no such broker
   */
  isolate(nodeId: number, options: { readonly way?: 'both' | 'in' | 'out' } = {}): void {
    const { way = 'both' } = options
    for (const [one, other] of this.#linksOf(nodeId)) {
      if (way !== 'in') this.network.cut(one, other)
      if (way !== 'out') this.network.cut(other, one)
    }
  }

  /** Takes back `isolate` of this broker. @throws RangeError when there is no such broker */
  heal(nodeId: number): void {
    for (const [one, other] of this.#linksOf(nodeId)) {
      this.network.mend(one, other)
      this.network.mend(other, one)
    }
  }

  #linksOf(nodeId: number): readonly (readonly [string, string])[] {
    const own = this.node(nodeId).endpoint
    return this.#nodes.flatMap(({ endpoint }) => (endpoint === own ? [] : [[own, endpoint] as const]))
  }

  /** Ends as a clean shutdown does. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** Ends as killed processes do. */
  kill(): void {
    this.#stopping ??= Promise.resolve()
    for (const node of this.nodes) node.kill()
    this.#ownRuntime?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(): Promise<void> {
    for (const node of this.nodes) node.thaw()
    // While there is a quorum all of them hand over; then none waits for a majority that is gone.
    await Promise.all(this.nodes.map((node) => node.handOver()))
    await Promise.all(this.nodes.map((node) => node.finish()))
    this.#ownRuntime?.close()
  }
}

/** Starts a cluster; resolves when clients can work. @throws StartError */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const count = options.brokers ?? 1
  if (!Number.isInteger(count) || count < 1) {
    throw new StartError(
      'INVALID_CONFIG',
      `The number of brokers must be a positive whole number, not ${count}.`,
    )
  }
  const ownRuntime =
    options.runtime === undefined
      ? createNodeRuntime({ timersKeepProcessAlive: false, forgetsStalls: true })
      : undefined
  const world = options.runtime ?? (ownRuntime as NodeRuntime)
  try {
    return await assemble(options, count, world, ownRuntime)
  } catch (error) {
    ownRuntime?.close()
    if (!(error instanceof FileError)) throw error
    throw new StartError(
      'DIRECTORY_FAILED',
      `The data cannot be read or written: ${error.message}`,
      DIRECTORY_HINT,
      {
        cause: error,
      },
    )
  }
}

const DIRECTORY_HINT =
  'Check that the directory exists, is writable and has free space, or give another one with --data-dir.'

function listenerBehind(nodes: readonly ClusterNode[], advertised: Address): Address | undefined {
  for (const node of nodes) {
    const address = node.listenerBehind(advertised)
    if (address !== undefined) return address
  }
  return undefined
}

async function assemble(
  options: ClusterOptions,
  count: number,
  world: Runtime,
  ownRuntime: NodeRuntime | undefined,
): Promise<Cluster> {
  const warnings: ClusterWarning[] = []
  const given = givenProperties(options)
  const disk = disksOf(options, given, world)
  const network = new MemoryNetwork({
    clock: world.clock,
    reactor: world.reactor,
    scheduler: world.scheduler,
    random: world.random.fork('network'),
    ...('nextLinkId' in world ? { nextLinkId: (world as NodeRuntime).nextLinkId } : {}),
  })
  const controllerCount = options.controllers ?? 0
  const places = Array.from({ length: count + controllerCount }, (_, index) =>
    placeOf(options, given, disk, index),
  )
  const clusterId =
    places.find(({ known }) => known?.clusterId !== undefined)?.known?.clusterId ?? world.random.uuid()
  const nodes: ClusterNode[] = []
  const environment: ClusterEnvironment = {
    clusterId,
    world,
    network,
    nodeIds: places.map(({ nodeId }) => nodeId),
    voters: votersOf(places.slice(controllerCount > 0 ? count : 0).map(({ nodeId }) => nodeId)),
    ...(options.replicaHistory === undefined ? {} : { replicaHistory: options.replicaHistory }),
    alternativePorts: options.strictPorts === true ? 0 : PORT_TRIES,
    interception: options.interception,
    controllerAddressOf: (nodeId) => nodes.find((node) => node.nodeId === nodeId)?.broker?.controllerAddress,
    listenerBehind: (advertised) => listenerBehind(nodes, advertised),
  }
  const createNode = (place: Place, more: { index: number; role: NodeRole; added?: AddBrokerOptions }) => {
    const config = brokerConfig(given, options, place, { ...more, warnings })
    const files = disk(place.nodeId)
    const endPoints =
      more.role === 'controller' ? { listeners: [], advertisedListeners: [] } : endPointsOf(config)
    return new ClusterNode(environment, { ...place, role: more.role, config, files, ...endPoints })
  }
  for (const [index, place] of places.entries()) {
    const role = controllerCount === 0 ? 'both' : index < count ? 'broker' : 'controller'
    nodes.push(createNode(place, { index, role }))
  }
  try {
    const starting = nodes.filter(({ nodeId }) => options.down?.includes(nodeId) !== true)
    for (const node of starting) await node.open()
    await Promise.all(starting.map((node) => node.join()))
  } catch (error) {
    for (const node of nodes) node.kill()
    throw error
  }
  for (const node of nodes) warnings.push(...node.portWarnings)
  const firstNodeId = places[0]?.nodeId ?? FIRST_NODE_ID
  const addedNode = (added: AddBrokerOptions): ClusterNode => {
    const index = (added.nodeId ?? firstNodeId) - firstNodeId
    return createNode(placeOf(options, given, disk, index), { index, role: 'broker', added })
  }
  const voters = environment.voters ?? votersOf(environment.nodeIds)
  return new Cluster({
    clusterId,
    nodes,
    voters,
    createNode: addedNode,
    runtime: world,
    warnings,
    network,
    ownRuntime,
  })
}

// --- settings --------------------------------------------------------------------------------------------------------

function givenProperties(options: ClusterOptions): ReadonlyMap<string, string> {
  const { config = new Map<string, string>(), profile = 'test' } = options
  const entries =
    config instanceof Map
      ? [...config]
      : Object.entries(config).map(([name, value]) => [name, String(value)] as const)
  return new Map([...profileProperties(profile), ...internalTopicSettings(options.brokers ?? 1), ...entries])
}

/** The internal topics are replicated as far as the cluster goes: Kafka's defaults want three brokers. */
function internalTopicSettings(brokerCount: number): ReadonlyMap<string, string> {
  const replicationFactor = String(Math.min(3, brokerCount))
  const minIsr = brokerCount >= 3 ? '2' : '1'
  return new Map([
    ['offsets.topic.replication.factor', replicationFactor],
    ['transaction.state.log.replication.factor', replicationFactor],
    ['transaction.state.log.min.isr', minIsr],
    ['share.coordinator.state.topic.replication.factor', replicationFactor],
    ['share.coordinator.state.topic.min.isr', minIsr],
  ])
}

/** The settings of one broker, with what the cluster decides for it. */
function brokerConfig(
  given: ReadonlyMap<string, string>,
  options: ClusterOptions,
  place: Place,
  {
    index,
    role,
    added,
    warnings,
  }: { index: number; role: NodeRole; added?: AddBrokerOptions; warnings: ClusterWarning[] },
): BrokerConfig {
  const properties = new Map(given)
  properties.set('node.id', String(place.nodeId))
  const roles = role === 'both' ? 'broker,controller' : role
  properties.set('process.roles', given.get('process.roles') ?? roles)
  properties.set('controller.listener.names', given.get('controller.listener.names') ?? 'CONTROLLER')
  properties.set('log.dirs', place.directories.join(','))
  properties.delete('log.dir')
  const rack = added?.rack ?? options.racks?.[index]
  if (rack !== undefined) properties.set('broker.rack', rack)
  if (!given.has('listeners')) {
    const host = options.host ?? '127.0.0.1'
    const base = options.port === undefined || options.port === 0 ? 0 : options.port + index
    const port = added?.port ?? options.ports?.[index] ?? base
    properties.set('listeners', `PLAINTEXT://${host}:${port}`)
    const advertised = options.advertisedHost ?? (ANY_ADDRESS.has(host) ? '127.0.0.1' : host)
    if (!given.has('advertised.listeners'))
      properties.set('advertised.listeners', `PLAINTEXT://${advertised}:${port}`)
  }
  const { config, errors, unknownKeys, ineffectiveKeys } = parseBrokerConfig(properties)
  const [error] = errors
  if (error !== undefined) {
    throw new StartError('INVALID_CONFIG', error, 'Correct the setting and start again.')
  }
  // The same settings for every broker are told once.
  if (index === 0) warnings.push(...warningsOf(unknownKeys, ineffectiveKeys))
  return config
}

function warningsOf(
  unknownKeys: readonly UnknownKey[],
  ineffectiveKeys: readonly IneffectiveKey[],
): readonly ClusterWarning[] {
  return [
    ...unknownKeys.map(({ name, didYouMean }): ClusterWarning => {
      const suggestion = didYouMean === null ? '' : ` Did you mean "${didYouMean}"?`
      return { kind: 'unknown-config', message: `Unknown setting "${name}" has no effect.${suggestion}` }
    }),
    ...ineffectiveKeys.map(
      ({ name, reason }): ClusterWarning => ({
        kind: 'ineffective-config',
        message: `Setting "${name}" has no effect. ${reason}`,
      }),
    ),
  ]
}

function endPointsOf(config: BrokerConfig): {
  listeners: readonly EndPoint[]
  advertisedListeners: readonly EndPoint[]
} {
  const all = listenersOf(config.levels)
  const advertised = advertisedListenersOf(config.levels)
  if (all.error !== null) throw new StartError('INVALID_CONFIG', all.error)
  if (advertised.error !== null) throw new StartError('INVALID_CONFIG', advertised.error)
  const controllers = config.get('controller.listener.names')?.map((name) => name.toUpperCase()) ?? []
  const listeners = all.value.filter(({ listenerName }) => !controllers.includes(listenerName))
  const secured = listeners.find(({ securityProtocol }) => securityProtocol !== 'PLAINTEXT')
  if (secured !== undefined) {
    throw new StartError(
      'UNSUPPORTED',
      `Listener ${secured.listenerName} wants ${secured.securityProtocol}, which is not supported yet.`,
      'Use a PLAINTEXT listener.',
    )
  }
  return { listeners, advertisedListeners: advertised.value }
}

// --- data ------------------------------------------------------------------------------------------------------------

interface Place {
  readonly nodeId: number
  readonly directories: readonly string[]
  /** What the first directory says of itself, when it is formatted. */
  readonly known: MetaProperties | undefined
}

/** The file system of each node: the machine's, or a disk of its own in memory. */
function disksOf(
  options: ClusterOptions,
  given: ReadonlyMap<string, string>,
  world: Runtime,
): (nodeId: number) => FileSystem {
  if (options.files !== undefined) return options.files
  if (options.dataDir !== undefined || given.has('log.dirs') || given.has('log.dir')) return () => world.files
  const disks = new Map<number, MemoryDisk>()
  return (nodeId) => {
    const disk =
      disks.get(nodeId) ??
      new MemoryDisk({
        post: (task) => world.reactor.post(task),
        clock: world.clock,
        trackUnsynced: options.loseTail === true,
      })
    disks.set(nodeId, disk)
    return disk
  }
}

/** A directory that Kafka wrote is taken as it is; else each broker has a directory of its own in the data directory. */
function placeOf(
  options: ClusterOptions,
  given: ReadonlyMap<string, string>,
  disk: (nodeId: number) => FileSystem,
  index: number,
): Place {
  const configured = given.get('log.dirs') ?? given.get('log.dir')
  const wantedId = Number(given.get('node.id') ?? given.get('broker.id') ?? FIRST_NODE_ID) + index
  const files = disk(wantedId)
  if (options.dataDir === undefined && configured !== undefined) {
    const directories = configured.split(',').map((directory) => directory.trim())
    const known = readMetaProperties(files, directories[0] as string)
    return { nodeId: given.has('node.id') ? wantedId : (known?.nodeId ?? wantedId), directories, known }
  }
  const root = options.dataDir ?? '/kafkito'
  const ownMeta = index === 0 ? readMetaProperties(files, root) : undefined
  if (ownMeta !== undefined)
    return { nodeId: ownMeta.nodeId ?? wantedId, directories: [root], known: ownMeta }
  const directory = `${root}/broker-${wantedId}`
  return { nodeId: wantedId, directories: [directory], known: readMetaProperties(files, directory) }
}
