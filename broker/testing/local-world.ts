/**
 * What a cluster in this process stands on: runtime, disks, interception, and the engine of its present life. `restore` gives it another life
 * on other disks, `fork` makes a second world from a snapshot.
 *
 * Owner: the cluster of a test.
 */

import type { FileSystem } from '../../common/runtime/files.ts'
import { createNodeRuntime, type NodeRuntime } from '../../common/runtime/node/runtime.ts'
import type { Runtime } from '../../common/runtime/runtime.ts'
import { MemoryDisk } from '../../common/runtime/sim/files.ts'
import { MemoryNetwork } from '../../common/runtime/sim/transport.ts'
import type { Transport } from '../../common/runtime/transport.ts'
import { type Cluster, startCluster as startEngine } from '../cluster.ts'
import type { AddBrokerOptions, ClusterOptions } from '../cluster-options.ts'
import type { Interception } from '../network/interception.ts'
import { letTimePass } from './cluster-clock.ts'
import { FaultEngine } from './fault-engine.ts'
import { Journal } from './journal.ts'
import type { StartOptions } from './options.ts'

/** The state of a cluster at one moment. Takes memory for what changed since. */
export interface Snapshot {
  /** Wall clock of the brokers. */
  readonly timeMs: number
  /** @internal */
  readonly disks: ReadonlyMap<number, MemoryDisk>
  /** @internal Brokers that did not run. */
  readonly down: readonly number[]
  /** @internal Brokers that came later; they run in whatever goes on from here. */
  readonly added: readonly AddBrokerOptions[]
}

export class LocalWorld {
  readonly runtime: NodeRuntime
  readonly journal: Journal
  readonly faultEngine: FaultEngine
  readonly options: StartOptions
  readonly #interception: Interception
  readonly #ownsRuntime: boolean
  #disks = new Map<number, MemoryDisk>()
  /** Brokers that the present life has beyond those it was started with. */
  #added: AddBrokerOptions[] = []
  #engine: Cluster | undefined

  constructor(options: StartOptions) {
    this.options = options
    const { runtime, seed, clock, profile = 'test' } = options
    this.#ownsRuntime = runtime === undefined
    this.runtime =
      runtime === undefined
        ? createNodeRuntime({
            timersKeepProcessAlive: false,
            forgetsStalls: true,
            ...(seed === undefined ? {} : { seed }),
            ...(clock === undefined ? {} : { clock }),
          })
        : asNodeRuntime(runtime)
    this.journal = new Journal({ isRecording: options.journal ?? profile === 'test' })
    this.faultEngine = new FaultEngine({
      random: this.runtime.random.fork('faults'),
      reactor: this.runtime.reactor,
      journal: this.journal,
    })
    const { faultEngine } = this
    this.#interception = {
      get interceptor() {
        return faultEngine.isIdle ? undefined : faultEngine
      },
    }
  }

  /** The cluster of the present life. */
  get engine(): Cluster {
    if (this.#engine === undefined) throw new Error('The cluster has not started.')
    return this.#engine
  }

  disk(nodeId: number): MemoryDisk | undefined {
    return this.#disks.get(nodeId)
  }

  async start(from?: Snapshot): Promise<void> {
    if (from !== undefined) {
      this.#disks = forked(from)
      this.#catchUp(from.timeMs)
    }
    this.#engine = await this.#startEngine(from === undefined ? {} : { down: from.down })
    for (const added of from?.added ?? []) await this.addBroker(added)
  }

  /** @returns its id */
  async addBroker(options: AddBrokerOptions): Promise<number> {
    const { nodeId } = await letTimePass(this.runtime, this.engine.addBroker(options))
    this.#added.push({ ...options, nodeId })
    return nodeId
  }

  async removeBroker(nodeId: number): Promise<void> {
    await letTimePass(this.runtime, this.engine.removeBroker(nodeId))
    this.#added = this.#added.filter((added) => added.nodeId !== nodeId)
    this.#disks.delete(nodeId)
  }

  async stop(): Promise<void> {
    try {
      if (this.#engine !== undefined) await letTimePass(this.runtime, this.#engine.stop())
    } finally {
      this.#close()
    }
  }

  kill(): void {
    this.#engine?.kill()
    this.#close()
  }

  /** @throws Error when the data lie on real disks */
  snapshot(): Snapshot {
    if (this.#disks.size === 0)
      throw new Error(
        'Only a cluster in memory can be copied: start it without dataDir, log.dirs and runtime.',
      )
    const disks = copies(this.#disks)
    for (const { nodeId, lifecycle, services } of this.engine.brokers) {
      const disk = disks.get(nodeId)
      if (disk === undefined) continue
      // All is written between two turns: the copy becomes one that was closed, and starts without recovery.
      services.logs.saveTo(disk, { brokerEpoch: lifecycle.brokerEpoch })
    }
    const down = this.engine.nodes.filter(({ broker }) => broker === undefined).map(({ nodeId }) => nodeId)
    return { timeMs: this.runtime.clock.wallMs(), disks, down, added: [...this.#added] }
  }

  /** Goes on from the snapshot, on the same ports. Connections break, as when brokers restart. */
  async restore(snapshot: Snapshot): Promise<void> {
    const disks = forked(snapshot)
    const portOf = new Map(
      this.engine.nodes.map(({ nodeId, advertisedAddresses }) => {
        const [address] = advertisedAddresses.values()
        return [nodeId, address?.port ?? 0] as const
      }),
    )
    const ports = [...portOf.values()]
    this.engine.kill()
    this.#disks = disks
    this.#engine = await this.#startEngine({ ports, strictPorts: true, down: snapshot.down })
    this.#added = []
    for (const added of snapshot.added)
      await this.addBroker({ ...added, port: portOf.get(added.nodeId ?? -1) ?? 0 })
  }

  #startEngine(more: Partial<ClusterOptions>): Promise<Cluster> {
    const {
      topics,
      autoCreate = true,
      clock,
      seed,
      strict,
      journal,
      loseTail,
      bootstrapServers,
      http,
      schemaRegistry,
      connect,
      rest,
      ...options
    } = this.options
    const given = options.config instanceof Map ? Object.fromEntries(options.config) : (options.config ?? {})
    const isOnDisk =
      options.dataDir !== undefined || 'log.dirs' in given || 'log.dir' in given || !this.#ownsRuntime
    const { runtime } = this
    const timings = runtime.time === undefined ? {} : virtualTimings(options.brokers ?? 1)
    const world = this.#ownsRuntime ? { ...runtime, transport: this.#closedTransport() } : runtime
    const work = startEngine({
      ...options,
      config: { ...timings, ...(autoCreate ? {} : { 'auto.create.topics.enable': false }), ...given },
      ...more,
      runtime: world,
      interception: this.#interception,
      ...(isOnDisk ? {} : { files: (nodeId: number): FileSystem => this.#diskOf(nodeId) }),
    })
    return letTimePass(runtime, work)
  }

  /**
   * Nodes listen outside but reach each other inside only: a fork knows the addresses of the cluster that it was copied from, and must not talk
   * to it before its own nodes have told theirs.
   */
  #closedTransport(): Transport {
    const { runtime } = this
    const nowhere = new MemoryNetwork({ ...runtime, random: runtime.random.fork('nowhere') }).endpoint(
      'nowhere',
    )
    return {
      listen: (options, onLink) => runtime.transport.listen(options, onLink),
      connect: (options) => nowhere.connect(options),
    }
  }

  #diskOf(nodeId: number): MemoryDisk {
    let disk = this.#disks.get(nodeId)
    if (disk === undefined) {
      const { reactor, clock } = this.runtime
      disk = new MemoryDisk({
        post: (task) => reactor.post(task),
        clock,
        trackUnsynced: this.options.loseTail === true,
      })
      this.#disks.set(nodeId, disk)
    }
    return disk
  }

  /** A virtual clock of another world may be behind the records. */
  #catchUp(timeMs: number): void {
    const { time, clock } = this.runtime
    if (time !== undefined && timeMs > clock.wallMs()) time.advance(timeMs - clock.wallMs())
  }

  #close(): void {
    if (this.#ownsRuntime) this.runtime.close()
  }
}

/**
 * Nobody waits for virtual time, so brokers need not hurry: Kafka's own intervals. A broker alone has nobody who could miss its heartbeats,
 * and a week of them would take longer than a test should.
 */
function virtualTimings(brokerCount: number): Readonly<Record<string, number>> {
  const alone = brokerCount === 1
  return {
    'broker.heartbeat.interval.ms': alone ? 60_000 : 2_000,
    'broker.session.timeout.ms': alone ? 300_000 : 9_000,
    'replica.lag.time.max.ms': alone ? 300_000 : 30_000,
    ...(alone ? { 'metadata.max.idle.interval.ms': 0 } : {}),
  }
}

/** Disks of its own for who goes on from the snapshot. @throws Error when it is none */
function forked(snapshot: Snapshot): Map<number, MemoryDisk> {
  if (!(snapshot?.disks instanceof Map))
    throw new Error('This is no snapshot: take one with cluster.snapshot().')
  return copies(snapshot.disks)
}

function copies(disks: ReadonlyMap<number, MemoryDisk>): Map<number, MemoryDisk> {
  return new Map([...disks].map(([nodeId, disk]) => [nodeId, disk.fork()]))
}

/** A simulated world has no sockets, so its own timers serve. */
function asNodeRuntime(runtime: Runtime): NodeRuntime {
  if ('realTimers' in runtime) return runtime as NodeRuntime
  const simulated = runtime as unknown as Omit<NodeRuntime, 'realTimers' | 'nextLinkId' | 'close'>
  let lastLinkId = 0
  return {
    ...simulated,
    time: undefined,
    realTimers: runtime.scheduler.scope('fixture'),
    nextLinkId: () => ++lastLinkId,
    close: () => {},
  }
}
