/**
 * A cluster in a simulated world: real brokers, and time, network, disks and chance that belong to a seed.
 *
 * Starting and stopping a node are the only things of a broker that use promises; `run` lets them go on between two moments of virtual time, so
 * that they add no chance of their own. Clients that use promises are let go on after every turn, as the event loop would (`hasPromises`).
 * After every turn `onTurn` may look at everything; what it throws ends the run.
 */
import { parseBrokerConfig } from '../../../broker/config/broker-config.ts'
import type { MetadataImage } from '../../../broker/metadata/image.ts'
import type { Interceptor } from '../../../broker/network/interception.ts'
import { createSimRuntime, type SimRuntime } from '../../../common/runtime/sim/runtime.ts'
import { EventLog } from './event-log.ts'
import { SimNode } from './sim-node.ts'
import { Violation } from './violation.ts'

export interface SimClusterOptions {
  readonly seed: string
  readonly brokers: number
  readonly settings: Readonly<Record<string, string | number | boolean>>
  readonly print?: ((line: string) => void) | undefined
  /** Somebody of this world uses promises: after every turn they are let go on until nothing is left to do. */
  readonly hasPromises?: boolean
}

/** Errors that a broken disk explains. */
const BUG_KINDS: ReadonlySet<string> = new Set([
  'reactor.bug',
  'reactor.livelock',
  'request.failed',
  'trace.listener-failed',
  'metadata.bug',
])

/** More turns without time passing are a loop. */
const MAX_TURNS_A_MOMENT = 10_000

export class SimCluster {
  readonly world: SimRuntime
  readonly nodes: readonly SimNode[]
  readonly events: EventLog
  /** Whoever stands between requests and the brokers, while somebody does. */
  readonly interception: { interceptor: Interceptor | undefined } = { interceptor: undefined }
  /** Called when a turn has settled. */
  onTurn: () => void = () => {}
  readonly #hasPromises: boolean
  #failure: unknown
  /** Starts and stops that are not done. */
  #pending = 0

  constructor(options: SimClusterOptions) {
    this.#hasPromises = options.hasPromises ?? false
    this.world = createSimRuntime({
      seed: options.seed,
      disk: { trackUnsynced: true },
      onBug: (error) => this.fail(error),
    })
    const { world } = this
    this.events = new EventLog({ nowMs: () => world.clock.monotonicMs(), print: options.print })
    const nodeIds = Array.from({ length: options.brokers }, (_, index) => index + 1)
    const environment = {
      clusterId: world.random.fork('cluster id').uuid(),
      network: world.network,
      nodeIds,
      alternativePorts: 0,
      interception: this.interception,
    }
    this.nodes = nodeIds.map(
      (nodeId) =>
        new SimNode({
          nodeId,
          world,
          config: configOf(nodeId, options.settings),
          environment,
          controllerAddressOf: (id) =>
            this.nodes.find((node) => node.nodeId === id)?.broker?.controllerAddress,
        }),
    )
    world.trace.listen(
      (event) => {
        options.print?.(`    ${event.level} ${event.kind}: ${event.message}\n`)
        if (event.level !== 'error' || !BUG_KINDS.has(event.kind)) return
        this.fail(event.error ?? new Violation('no bugs', event.message))
      },
      options.print === undefined ? 'error' : 'info',
    )
    world.reactor.onTurnEnd = () => {
      if (this.#failure !== undefined) return
      try {
        this.onTurn()
      } catch (error) {
        this.fail(error)
      }
    }
  }

  get nowMs(): number {
    return this.world.clock.monotonicMs()
  }

  /** Ends the run at the end of the present turn. */
  fail(error: unknown): void {
    this.#failure ??= error
  }

  node(nodeId: number): SimNode {
    return this.nodes[nodeId - 1] as SimNode
  }

  /** The newest metadata that any broker has. */
  get image(): MetadataImage | undefined {
    let newest: MetadataImage | undefined
    for (const { broker } of this.nodes) {
      const image = broker?.services.metadata
      if (image !== undefined && (newest === undefined || image.offset > newest.offset)) newest = image
    }
    return newest
  }

  /** Whether every partition has a leader and all of its replicas in sync. */
  get isInSync(): boolean {
    const { image } = this
    if (image === undefined) return false
    for (const { partitions } of image.topicsById.values())
      for (const { isr, replicas, leaderId } of partitions)
        if (isr.length !== replicas.length || leaderId < 0) return false
    return true
  }

  /** Nobody does harm any more: brokers and replicas have to come back by themselves. @throws Violation when they do not */
  async recover(limitMs: number): Promise<void> {
    await this.runUntil(
      () => this.nodes.every(({ state }) => state === 'running'),
      limitMs,
      `all brokers to run (${this.nodes.map(({ state }) => state)})`,
    )
    await this.runUntil(() => this.isInSync, limitMs, 'all replicas to be in sync')
  }

  /** Starts all nodes for the first time. */
  async startAll(): Promise<void> {
    for (const node of this.nodes) await node.open()
    for (const node of this.nodes) this.#track(node, 'start', node.join())
    await this.runUntil(
      () => this.nodes.every(({ state }) => state === 'running'),
      30_000,
      'the cluster to start',
    )
  }

  start(node: SimNode): void {
    if (node.state !== 'down') return
    this.events.add(`start ${node.nodeId}`)
    this.#track(
      node,
      'start',
      node.open().then(() => node.join()),
    )
  }

  /** A controlled shutdown. */
  stop(node: SimNode): void {
    if (node.state !== 'running') return
    this.events.add(`stop ${node.nodeId}`)
    this.#track(node, 'stop', node.stop())
  }

  /** Lets time pass and everything happen on the way. @throws what went wrong */
  async run(ms: number): Promise<void> {
    const { world } = this
    const targetMs = this.nowMs + ms
    for (;;) {
      if (this.#hasPromises) await this.#runTurnByTurn()
      else world.runUntilIdle()
      if (this.#failure !== undefined) throw this.#failure
      if (this.#pending > 0 && !this.#hasPromises) {
        const { turn } = world.reactor
        await nextMacrotask()
        world.runUntilIdle()
        if (world.reactor.turn !== turn) continue
      }
      const next = world.scheduler.nextDueMs()
      if (next === undefined || next > targetMs) break
      world.clock.moveTo(next)
    }
    world.clock.moveTo(targetMs)
  }

  /** Lets time pass until something holds. @throws Violation when it never does */
  async runUntil(condition: () => boolean, limitMs: number, what: string): Promise<void> {
    const deadlineMs = this.nowMs + limitMs
    while (!condition()) {
      if (this.nowMs >= deadlineMs) throw new Violation('the cluster recovers', `waited in vain for ${what}`)
      await this.run(100)
    }
  }

  /** Time stands still until neither a turn nor a promise has anything left to do. */
  async #runTurnByTurn(): Promise<void> {
    for (let turns = 0; this.#failure === undefined; turns++) {
      await nextMacrotask()
      if (!this.world.reactor.runNextTurn()) return
      if (turns >= MAX_TURNS_A_MOMENT)
        this.fail(new Violation('time goes on', 'somebody never comes to rest'))
    }
  }

  #track(node: SimNode, what: string, work: Promise<void>): void {
    const { life } = node
    this.#pending += 1
    let isCounted = true
    const done = (): void => {
      if (isCounted) this.#pending -= 1
      isCounted = false
    }
    work.then(done, (error: unknown) => {
      done()
      if (node.life === life) this.events.add(`${what} of ${node.nodeId} failed: ${(error as Error).message}`)
    })
    // What was under way in a life that ended may never come to an end.
    const watch = (): void => {
      if (isCounted && node.life === life && node.state !== 'down')
        this.world.scheduler.schedule('watch', 50, watch)
      else done()
    }
    watch()
  }
}

function nextMacrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function configOf(nodeId: number, settings: SimClusterOptions['settings']) {
  const properties = new Map(Object.entries(settings).map(([name, value]) => [name, String(value)]))
  properties.set('node.id', String(nodeId))
  properties.set('process.roles', 'broker,controller')
  properties.set('controller.listener.names', 'CONTROLLER')
  properties.set('log.dirs', '/data')
  const port = 9000 + nodeId
  properties.set('listeners', `PLAINTEXT://127.0.0.1:${port}`)
  properties.set('advertised.listeners', `PLAINTEXT://127.0.0.1:${port}`)
  const { config, errors } = parseBrokerConfig(properties)
  if (errors.length > 0) throw new Error(errors.join('; '))
  return config
}
