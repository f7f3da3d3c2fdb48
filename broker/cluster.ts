/**
 * A cluster in one process: its brokers, and the network between them.
 *
 * Owner: whoever called `startCluster`. Invariants: `start` resolves when every broker serves clients; after `stop` no timer, socket or file of
 * it is left.
 */

import { ErrorCode } from '../common/protocol/errors.ts'
import { FileError } from '../common/runtime/files.ts'
import { createNodeRuntime, type NodeRuntime } from '../common/runtime/node/runtime.ts'
import type { Runtime } from '../common/runtime/runtime.ts'
import type { MemoryNetwork } from '../common/runtime/sim/transport.ts'
import type { Address } from '../common/runtime/transport.ts'
import type { Broker } from './broker.ts'
import { assembleCluster, type ClusterParts, listenerBehind } from './cluster-assembly.ts'
import type { ClusterNode } from './cluster-node.ts'
import type { AddBrokerOptions, ClusterOptions } from './cluster-options.ts'
import type { ClusterWarning } from './cluster-warning.ts'
import { unregisterBroker } from './controller/brokers.ts'
import { majorityOf } from './raft/vote-tally.ts'
import { StartError } from './start-error.ts'

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

  /** @internal Use `startCluster`. @param ownRuntime closed with the cluster */
  constructor(parts: ClusterParts, runtime: Runtime, ownRuntime: NodeRuntime | undefined) {
    this.clusterId = parts.clusterId
    this.#nodes = parts.nodes
    this.#voters = parts.voters
    this.#createNode = parts.createNode
    this.runtime = runtime
    this.warnings = parts.warnings
    this.network = parts.network
    this.#ownRuntime = ownRuntime
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
    const parts = assembleCluster(options, count, world)
    await startNodes(parts, options.down ?? [])
    return new Cluster(parts, world, ownRuntime)
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

async function startNodes({ nodes, warnings }: ClusterParts, down: readonly number[]): Promise<void> {
  try {
    const starting = nodes.filter(({ nodeId }) => !down.includes(nodeId))
    for (const node of starting) await node.open()
    await Promise.all(starting.map((node) => node.join()))
  } catch (error) {
    for (const node of nodes) node.kill()
    throw error
  }
  for (const node of nodes) warnings.push(...node.portWarnings)
}
