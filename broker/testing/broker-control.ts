/**
 * What a test does to one broker. The ways down differ: `stop` hands over, `kill` does not, `kill({ loseTail })` also loses what was not
 * synced, `freeze` keeps the process but it neither hears nor acts, `setDown` cuts clients off while the cluster goes on.
 */
import { giveUpAfter } from '../../common/runtime/give-up-after.ts'
import type { NodeRuntime } from '../../common/runtime/node/runtime.ts'
import type { Cluster } from '../cluster.ts'
import type { ClusterNodeState } from '../cluster-node.ts'
import { StartError } from '../start-error.ts'
import { letTimePass } from './cluster-clock.ts'
import type { FaultEngine } from './fault-engine.ts'
import type { FaultBuilder, Faults } from './faults.ts'
import { DEFAULT_VIRTUAL_WAIT_MS, DEFAULT_WAIT_MS } from './waits.ts'

export interface BrokerControlParts {
  readonly nodeId: number
  readonly cluster: () => Cluster
  readonly runtime: NodeRuntime
  readonly engine: FaultEngine
  readonly faults: Faults
}

export class BrokerControl {
  readonly nodeId: number
  readonly #parts: BrokerControlParts

  /** @internal */
  constructor(parts: BrokerControlParts) {
    this.#parts = parts
    this.nodeId = parts.nodeId
    parts.cluster().node(parts.nodeId)
  }

  get state(): ClusterNodeState {
    return this.#node.state
  }

  /** `host:port` for clients. */
  get address(): string {
    const [address] = this.#node.advertisedAddresses.values()
    return address === undefined ? '' : `${address.host}:${address.port}`
  }

  get #node() {
    return this.#parts.cluster().node(this.nodeId)
  }

  /** A controlled shutdown. */
  async stop(): Promise<void> {
    await letTimePass(this.#parts.runtime, this.#node.stop())
  }

  /** Ends as a killed process does. @param options.loseTail also what was not synced to its disk is gone */
  kill(options: { readonly loseTail?: boolean } = {}): void {
    this.#node.kill(options)
  }

  /**
   * Starts it again, on the same files and the same port.
   * @param options.pausedFetch it is to copy nothing before `resumeFetch` or `stepFetch`
   * @throws StartError also when too few brokers are up to lead the cluster; it goes on starting
   */
  async start(options: { readonly pausedFetch?: boolean } = {}): Promise<void> {
    const node = this.#node
    const starting = async (): Promise<void> => {
      await node.open()
      if (options.pausedFetch === true) node.broker?.fetchers.pause()
      await node.join()
    }
    await letTimePass(this.#parts.runtime, this.#unlessNobodyLeads(starting()))
  }

  /** Whoever waits is told why before the runner of the tests gives up. */
  #unlessNobodyLeads(starting: Promise<void>): Promise<void> {
    const { cluster, runtime } = this.#parts
    const limitMs = runtime.time === undefined ? DEFAULT_WAIT_MS : DEFAULT_VIRTUAL_WAIT_MS
    return giveUpAfter(runtime.scheduler, starting, {
      label: 'start without quorum',
      limitMs,
      reason: () => {
        const lack = cluster().lackOfQuorum
        if (lack === undefined) return undefined
        const hint =
          'Start others at the same time with Promise.all, or give the cluster controllers of its own.'
        return new StartError('FAILED', `Broker ${this.nodeId} serves nobody: ${lack}. ${hint}`)
      },
    })
  }

  /** The process stands still: it answers nobody, its timers wait. Others notice as they notice any silence. */
  freeze(): void {
    this.#node.freeze()
  }

  /** It goes on as the same incarnation: hears what it has missed, and then notices how late it is. */
  thaw(): void {
    this.#node.thaw()
  }

  /**
   * As a follower it sends no fetch any more.
   * @param options.atOnce also the long poll that waits at the leader ends; else it may still bring the next records
   */
  pauseFetch(options: { readonly atOnce?: boolean } = {}): void {
    this.#node.broker?.fetchers.pause(options.atOnce)
  }

  resumeFetch(): void {
    this.#node.broker?.fetchers.resume()
  }

  /** One fetch from each leader while paused, which waits for nothing: what it acknowledges shows in the answer of the next one. */
  stepFetch(): void {
    this.#node.broker?.fetchers.step()
  }

  /** Clients are cut off and refused; the broker keeps what it leads. */
  setDown(): void {
    this.#parts.engine.setDown(this.nodeId, true)
    for (const listener of this.#node.broker?.listeners.forClients ?? []) {
      for (const connection of [...listener.connections])
        if (!connection.clientAddress.startsWith('broker-')) connection.destroy()
    }
  }

  setUp(): void {
    this.#parts.engine.setDown(this.nodeId, false)
  }

  /** Every request of a client waits so long. 0: no longer. */
  rtt(ms: number): void {
    this.#parts.engine.setDelay(this.nodeId, ms)
  }

  /** Every answer says that the client was throttled, until the rule is removed. */
  throttle(ms: number): FaultBuilder {
    return this.#parts.faults.on('*', { broker: this.nodeId }).throttle(ms)
  }

  /** What clients are told of its rack. For replica selection by rack start with `racks`. */
  setRack(rack: string): void {
    this.#parts.engine.overrides.setRack(this.nodeId, rack)
  }

  /** What clients are told of its address. */
  setAddress(host: string, port: number): void {
    this.#parts.engine.overrides.setAddress(this.nodeId, host, port)
  }

  /** Metadata does not mention it any more; connections live on. */
  hide(): void {
    this.#parts.engine.overrides.hide(this.nodeId, true)
  }

  show(): void {
    this.#parts.engine.overrides.hide(this.nodeId, false)
  }
}
