/**
 * A cluster in one process: its brokers, the network between them, and where their data lies.
 *
 * Owner: whoever called `startCluster`. Invariants: `start` resolves when every broker serves clients; after `stop` no timer, socket or file of
 * it is left.
 */

import { createCompositeTransport } from '../common/runtime/composite-transport.ts'
import type { FileSystem } from '../common/runtime/files.ts'
import { createNodeRuntime, type NodeRuntime } from '../common/runtime/node/runtime.ts'
import type { Runtime } from '../common/runtime/runtime.ts'
import { MemoryDisk } from '../common/runtime/sim/files.ts'
import { MemoryNetwork } from '../common/runtime/sim/transport.ts'
import type { Address } from '../common/runtime/transport.ts'
import { type MetaProperties, readMetaProperties } from '../storage/meta-properties.ts'
import { Broker } from './broker.ts'
import { type BrokerConfig, parseBrokerConfig } from './config/broker-config.ts'
import { advertisedListenersOf, listenersOf } from './config/cross-checks.ts'
import type { EndPoint } from './config/listeners.ts'
import { type ProfileName, profileProperties } from './config/profiles.ts'
import { StartError } from './start-error.ts'

export interface ClusterOptions {
  /** Number of brokers. Default 1. */
  readonly brokers?: number
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
}

export interface ClusterWarning {
  readonly kind: 'port-taken' | 'unknown-config'
  readonly message: string
}

const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::', ''])
const FIRST_NODE_ID = 1
/** Ports that are tried after a busy one. */
const PORT_TRIES = 100

export class Cluster {
  readonly clusterId: string
  readonly brokers: readonly Broker[]
  readonly runtime: Runtime
  readonly warnings: readonly ClusterWarning[]
  readonly #ownRuntime: NodeRuntime | undefined
  #stopping: Promise<void> | undefined

  /** @internal Use `startCluster`. */
  constructor(parts: {
    clusterId: string
    brokers: readonly Broker[]
    runtime: Runtime
    warnings: readonly ClusterWarning[]
    ownRuntime: NodeRuntime | undefined
  }) {
    this.clusterId = parts.clusterId
    this.brokers = parts.brokers
    this.runtime = parts.runtime
    this.warnings = parts.warnings
    this.#ownRuntime = parts.ownRuntime
  }

  /** `host:port,…` of every broker, as clients want it. */
  get bootstrapServers(): string {
    return this.brokers
      .flatMap((broker) => [...broker.advertisedAddresses.values()].slice(0, 1))
      .map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`)
      .join(',')
  }

  /** Ends as a clean shutdown does. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** Ends as killed processes do. */
  kill(): void {
    this.#stopping ??= Promise.resolve()
    for (const broker of this.brokers) broker.kill()
    this.#ownRuntime?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(): Promise<void> {
    for (const broker of this.brokers) await broker.stop()
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
  if (count > 1) {
    throw new StartError(
      'UNSUPPORTED',
      'More than one broker is not supported yet: replication lands in the next version.',
      'Start with one broker.',
    )
  }
  const ownRuntime =
    options.runtime === undefined ? createNodeRuntime({ timersKeepProcessAlive: false }) : undefined
  const world = options.runtime ?? (ownRuntime as NodeRuntime)
  try {
    return await assemble(options, count, world, ownRuntime)
  } catch (error) {
    ownRuntime?.close()
    throw error
  }
}

async function assemble(
  options: ClusterOptions,
  count: number,
  world: Runtime,
  ownRuntime: NodeRuntime | undefined,
): Promise<Cluster> {
  const warnings: ClusterWarning[] = []
  const given = givenProperties(options)
  const files = filesOf(options, given, world)
  const network = new MemoryNetwork({
    clock: world.clock,
    reactor: world.reactor,
    scheduler: world.scheduler,
    random: world.random.fork('network'),
    ...(ownRuntime === undefined ? {} : { nextLinkId: ownRuntime.nextLinkId }),
  })
  const places = Array.from({ length: count }, (_, index) => placeOf(options, given, files, index))
  const clusterId =
    places.find(({ known }) => known?.clusterId !== undefined)?.known?.clusterId ?? world.random.uuid()
  const brokers: Broker[] = []
  const controllerAddressOf = (nodeId: number): Address | undefined =>
    brokers.find((broker) => broker.nodeId === nodeId)?.controllerAddress
  try {
    for (const [index, place] of places.entries()) {
      const config = brokerConfig(given, options, place, index, warnings)
      const endpoint = `broker-${place.nodeId}`
      const scheduler = world.scheduler.scope(endpoint)
      const transport = createCompositeTransport({ outside: world.transport, network, endpoint })
      const broker = openBroker({
        nodeId: place.nodeId,
        clusterId,
        runtime: { ...world, files, transport, random: world.random.fork(endpoint) },
        scheduler,
        internalTransport: network.endpoint(endpoint),
        config,
        logDirectories: place.directories,
        ...endPointsOf(config),
        goneBrokers: new Set(places.map(({ nodeId }) => nodeId)),
        alternativePorts: options.strictPorts === true ? 0 : PORT_TRIES,
        controllerAddressOf,
      })
      brokers.push(broker)
      await startBroker(broker)
      noteTakenPorts(broker, config, warnings)
    }
  } catch (error) {
    for (const broker of brokers) broker.kill()
    throw error
  }
  return new Cluster({ clusterId, brokers, runtime: world, warnings, ownRuntime })
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
  index: number,
  warnings: ClusterWarning[],
): BrokerConfig {
  const properties = new Map(given)
  properties.set('node.id', String(place.nodeId))
  properties.set('process.roles', given.get('process.roles') ?? 'broker,controller')
  properties.set('controller.listener.names', given.get('controller.listener.names') ?? 'CONTROLLER')
  properties.set('log.dirs', place.directories.join(','))
  properties.delete('log.dir')
  if (!given.has('listeners')) {
    const host = options.host ?? '127.0.0.1'
    const port = options.port === undefined || options.port === 0 ? 0 : options.port + index
    properties.set('listeners', `PLAINTEXT://${host}:${port}`)
    const advertised = options.advertisedHost ?? (ANY_ADDRESS.has(host) ? '127.0.0.1' : host)
    if (!given.has('advertised.listeners'))
      properties.set('advertised.listeners', `PLAINTEXT://${advertised}:${port}`)
  }
  const { config, errors, unknownKeys } = parseBrokerConfig(properties)
  const [error] = errors
  if (error !== undefined) {
    throw new StartError('INVALID_CONFIG', error, 'Correct the setting and start again.')
  }
  for (const { name, didYouMean } of unknownKeys) {
    const suggestion = didYouMean === null ? '' : ` Did you mean "${didYouMean}"?`
    warnings.push({
      kind: 'unknown-config',
      message: `Unknown setting "${name}" has no effect.${suggestion}`,
    })
  }
  return config
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

function filesOf(options: ClusterOptions, given: ReadonlyMap<string, string>, world: Runtime): FileSystem {
  if (options.dataDir !== undefined || given.has('log.dirs') || given.has('log.dir')) return world.files
  return new MemoryDisk({ post: (task) => world.reactor.post(task), clock: world.clock })
}

/** A directory that Kafka wrote is taken as it is; else each broker has a directory of its own in the data directory. */
function placeOf(
  options: ClusterOptions,
  given: ReadonlyMap<string, string>,
  files: FileSystem,
  index: number,
): Place {
  const configured = given.get('log.dirs') ?? given.get('log.dir')
  const wantedId = Number(given.get('node.id') ?? given.get('broker.id') ?? FIRST_NODE_ID) + index
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

// --- brokers ---------------------------------------------------------------------------------------------------------

function openBroker(options: ConstructorParameters<typeof Broker>[0]): Broker {
  try {
    return new Broker(options)
  } catch (error) {
    if (error instanceof StartError || !(error instanceof Error)) throw error
    if (/used by another process/.test(error.message)) {
      throw new StartError(
        'DIRECTORY_LOCKED',
        error.message,
        'Stop the other one, or give another directory with --data-dir.',
        { cause: error },
      )
    }
    if (/belongs to (cluster|node)/.test(error.message)) {
      throw new StartError('OTHER_CLUSTER', error.message, 'Give another directory with --data-dir.', {
        cause: error,
      })
    }
    throw error
  }
}

async function startBroker(broker: Broker): Promise<void> {
  try {
    await broker.start()
  } catch (error) {
    const code = (error as { code?: string }).code
    if (code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL') {
      const reason =
        code === 'EADDRINUSE'
          ? 'is used by another program'
          : code === 'EACCES'
            ? 'may not be used by this user'
            : 'is not an address of this machine'
      throw new StartError(
        'PORT_IN_USE',
        `The address of broker ${broker.nodeId} ${reason}: ${(error as Error).message}`,
        'Stop the other program, or give another port with --port.',
        { cause: error },
      )
    }
    throw error
  }
}

function noteTakenPorts(broker: Broker, config: BrokerConfig, warnings: ClusterWarning[]): void {
  const wanted = listenersOf(config.levels)
  if (wanted.error !== null) return
  for (const [name, { port }] of broker.listenerAddresses) {
    const asked = wanted.value.find(({ listenerName }) => listenerName === name)?.port ?? 0
    if (asked !== 0 && asked !== port) {
      warnings.push({
        kind: 'port-taken',
        message: `Port ${asked} is taken; broker ${broker.nodeId} listens on ${port}.`,
      })
    }
  }
}
