/**
 * One simulated life of applications that use the bundled client, as a function of its seed: the real Producer and Consumer on virtual time and a
 * virtual network, against three real brokers that suffer what they suffer in `../simulation`. Then everything is repaired, the applications come
 * to their end, and the logs must hold what the client promised.
 */
import { SeededRandom } from '../../../common/runtime/seeded-random.ts'
import { Admin } from '../clients/admin.ts'
import { Harm } from '../cluster/harm.ts'
import { Ledger } from '../cluster/ledger.ts'
import { SimCluster } from '../cluster/sim-cluster.ts'
import { simulationSettings } from '../settings.ts'
import { ApplicationSlot } from './application-slot.ts'
import { ClientHarm } from './client-harm.ts'
import { everythingHasALeader, finalLogs } from './final-logs.ts'
import { Producing } from './producing.ts'
import { deliveredIsThere, failedIsNowhere, idempotenceHolds } from './promises.ts'
import { SentMessages } from './sent-messages.ts'

export interface ClientSimulationOptions {
  readonly seed: string
  /** How long harm is done, in simulated milliseconds. */
  readonly harmMs?: number
  readonly print?: ((line: string) => void) | undefined
}

export interface ClientSimulationResult {
  readonly seed: string
  /** Equal for equal histories. */
  readonly digest: string
  readonly events: number
  readonly turns: number
  readonly simulatedMs: number
  readonly acknowledged: number
  readonly read: number
  readonly harm: Readonly<Partial<Record<string, number>>>
}

const BROKERS = 3
const INPUTS = ['orders', 'payments']
/** As the operator creates them. */
const PARTITIONS = 2
const RECOVERY_LIMIT_MS = 120_000

export async function simulateClient(options: ClientSimulationOptions): Promise<ClientSimulationResult> {
  const simulation = new ClientSimulation(options)
  await simulation.run()
  return simulation.result
}

class ClientSimulation {
  readonly #options: ClientSimulationOptions
  readonly #cluster: SimCluster
  readonly #sent = new SentMessages()
  readonly #harm: Harm
  readonly #clientHarm: ClientHarm
  readonly #admin: Admin
  readonly #producers: readonly ApplicationSlot[]

  constructor(options: ClientSimulationOptions) {
    this.#options = options
    const { seed, print } = options
    this.#cluster = new SimCluster({
      seed,
      print,
      brokers: BROKERS,
      settings: simulationSettings(new SeededRandom(`${seed}/settings`)),
      hasPromises: true,
    })
    this.#admin = new Admin({
      name: 'admin',
      cluster: this.#cluster,
      ledger: new Ledger(),
      topics: INPUTS,
    })
    this.#producers = [
      this.#producing('careful-1', -1, true),
      this.#producing('careful-2', -1, true),
      this.#producing('all', -1, false),
      this.#producing('careless', 1, false),
    ]
    this.#harm = new Harm(this.#cluster)
    this.#clientHarm = new ClientHarm(this.#cluster, this.#slots)
  }

  get result(): ClientSimulationResult {
    const { events, world, nowMs } = this.#cluster
    return {
      seed: this.#options.seed,
      digest: events.digest(),
      events: events.count,
      turns: world.reactor.turn,
      simulatedMs: nowMs,
      acknowledged: this.#sent.deliveredCount,
      read: 0,
      harm: {
        ...this.#harm.counts,
        ...Object.fromEntries(
          Object.entries(this.#clientHarm.counts).map(([kind, count]) => [`client ${kind}`, count]),
        ),
      },
    }
  }

  get #slots(): readonly ApplicationSlot[] {
    return this.#producers
  }

  async run(): Promise<void> {
    const cluster = this.#cluster
    const { world } = cluster
    const random = world.random.fork('network of the run')
    world.network.setConditions({ delayMs: 0.2, jitterMs: 1 + random.int(15) })
    await cluster.startAll()
    await this.#createTopics()
    for (const slot of this.#slots) slot.start()
    await cluster.run(500)
    this.#admin.start()
    this.#harm.begin()
    this.#clientHarm.begin()
    await cluster.run(this.#options.harmMs ?? 10_000)
    this.#clientHarm.end()
    this.#harm.end()
    this.#admin.stop()
    await this.#recover()
    this.#prove()
  }

  async #createTopics(): Promise<void> {
    let isDone = false
    this.#admin.createTopics(() => {
      isDone = true
    })
    await this.#cluster.runUntil(() => isDone, 10_000, 'the topics')
    await this.#cluster.runUntil(() => this.#everythingIsInSync(), 10_000, 'the topics to be in sync')
  }

  #producing(name: string, acks: number, isIdempotent: boolean): ApplicationSlot {
    return new ApplicationSlot(
      name,
      this.#cluster,
      (process) =>
        new Producing({
          process,
          sent: this.#sent,
          topics: INPUTS,
          partitionCount: PARTITIONS,
          acks,
          isIdempotent,
        }),
    )
  }

  async #recover(): Promise<void> {
    const cluster = this.#cluster
    await cluster.runUntil(
      () => cluster.nodes.every(({ state }) => state === 'running'),
      RECOVERY_LIMIT_MS,
      `all brokers to run (${cluster.nodes.map(({ state }) => state)})`,
    )
    await cluster.runUntil(() => this.#everythingIsInSync(), RECOVERY_LIMIT_MS, 'all replicas to be in sync')
    await this.#finish(this.#producers, 'the producers to end')
    await cluster.run(1_000)
    await cluster.runUntil(() => everythingHasALeader(cluster), RECOVERY_LIMIT_MS, 'a leader everywhere')
    for (const slot of this.#slots) slot.checkNoLinkIsLeft()
  }

  async #finish(slots: readonly ApplicationSlot[], what: string): Promise<void> {
    for (const slot of slots) slot.finish()
    await this.#cluster.runUntil(() => slots.every(({ isOver }) => isOver), RECOVERY_LIMIT_MS, what)
  }

  #everythingIsInSync(): boolean {
    const { image } = this.#cluster
    if (image === undefined) return false
    for (const { partitions } of image.topicsById.values())
      for (const { isr, replicas, leaderId } of partitions)
        if (isr.length !== replicas.length || leaderId < 0) return false
    return true
  }

  #prove(): void {
    const logs = finalLogs(this.#cluster, INPUTS)
    const { byValue } = this.#sent
    deliveredIsThere(logs, byValue.values())
    failedIsNowhere(logs, byValue)
    idempotenceHolds(logs, byValue)
  }
}
