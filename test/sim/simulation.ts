/**
 * One simulated life of a cluster, as a function of its seed: real brokers, clients that use them, and a world that does them harm; then
 * everything is repaired, and what was promised must be there.
 */
import type { Random } from '../../common/runtime/random.ts'
import { SeededRandom } from '../../common/runtime/seeded-random.ts'
import { Admin } from './clients/admin.ts'
import { ClassicMember } from './clients/classic-member.ts'
import { ConsumerMember } from './clients/consumer-member.ts'
import type { GroupMember } from './clients/group-member.ts'
import { Producer } from './clients/producer.ts'
import { Reader } from './clients/reader.ts'
import { TransactionalProducer } from './clients/transactional-producer.ts'
import { Harm } from './cluster/harm.ts'
import {
  metadataAgrees,
  nothingAcknowledgedIsLost,
  nothingIsDuplicated,
  transactionsAreAtomic,
} from './cluster/invariants.ts'
import { keyOf, Ledger } from './cluster/ledger.ts'
import { batchesOf, Observer } from './cluster/observer.ts'
import { SimCluster } from './cluster/sim-cluster.ts'
import { Violation } from './cluster/violation.ts'
import { simulationSettings } from './settings.ts'

export interface SimulationOptions {
  readonly seed: string
  /** How long harm is done, in simulated milliseconds. */
  readonly harmMs?: number
  readonly print?: ((line: string) => void) | undefined
  /** Of the bundled client: with static members, and a topic that comes late and grows. */
  readonly isWide?: boolean
}

export interface SimulationResult {
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
const TOPICS = ['orders', 'payments']
const MEMBERS_A_GROUP = 2
const RECOVERY_LIMIT_MS = 120_000

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const simulation = new Simulation(options)
  await simulation.run()
  return simulation.result
}

class Simulation {
  readonly #options: SimulationOptions
  readonly #cluster: SimCluster
  readonly #ledger = new Ledger()
  readonly #observer: Observer
  readonly #harm: Harm
  readonly #random: Random
  readonly #admin: Admin
  readonly #producers: Producer[] = []
  readonly #transactional: TransactionalProducer[] = []
  readonly #readers: Reader[] = []
  readonly #members: GroupMember[] = []

  constructor(options: SimulationOptions) {
    this.#options = options
    const { seed, print } = options
    this.#cluster = new SimCluster({
      seed,
      print,
      brokers: BROKERS,
      settings: simulationSettings(new SeededRandom(`${seed}/settings`)),
    })
    this.#observer = new Observer(this.#cluster, this.#ledger)
    this.#cluster.onTurn = () => this.#observer.look()
    this.#admin = new Admin({ name: 'admin', cluster: this.#cluster, ledger: this.#ledger, topics: TOPICS })
    this.#harm = new Harm(this.#cluster)
    this.#random = this.#cluster.world.random.fork('members')
  }

  get result(): SimulationResult {
    const { events, world, nowMs } = this.#cluster
    return {
      seed: this.#options.seed,
      digest: events.digest(),
      events: events.count,
      turns: world.reactor.turn,
      simulatedMs: nowMs,
      acknowledged: this.#ledger.acknowledgedCount,
      read: this.#ledger.readCount,
      harm: this.#harm.counts,
    }
  }

  async run(): Promise<void> {
    const cluster = this.#cluster
    cluster.world.network.setConditions({ delayMs: 0.2, jitterMs: 1 + cluster.world.random.int(15) })
    await cluster.startAll()
    await this.#admin.createTopics()
    this.#startClients()
    await cluster.run(1_000)
    this.#admin.start()
    this.#harm.begin()
    await cluster.run(this.#options.harmMs ?? 10_000)
    this.#harm.end()
    this.#admin.stop()
    await this.#recover()
    this.#prove()
  }

  #startClients(): void {
    const common = { cluster: this.#cluster, ledger: this.#ledger, topics: TOPICS }
    this.#producers.push(
      new Producer({ ...common, name: 'careful-1', acks: -1, isIdempotent: true, intervalMs: 40 }),
      new Producer({ ...common, name: 'careful-2', acks: -1, isIdempotent: true, intervalMs: 100 }),
      new Producer({ ...common, name: 'all', acks: -1, isIdempotent: false, intervalMs: 150 }),
      new Producer({ ...common, name: 'careless', acks: 1, isIdempotent: false, intervalMs: 100 }),
    )
    this.#readers.push(
      new Reader({ ...common, name: 'reader', isolation: 'read_uncommitted' }),
      new Reader({ ...common, name: 'careful-reader', isolation: 'read_committed' }),
    )
    this.#transactional.push(
      new TransactionalProducer({ ...common, name: 'transactional', isOld: false }),
      new TransactionalProducer({ ...common, name: 'transactional-old', isOld: true }),
    )
    for (const client of [...this.#producers, ...this.#transactional, ...this.#readers]) client.start()
    for (let number = 1; number <= MEMBERS_A_GROUP; number++) {
      this.#joinGroup('consumer', number)
      this.#joinGroup('classic', number)
    }
  }

  /** A member joins, and after a while it dies without a word; then comes another. */
  #joinGroup(kind: 'consumer' | 'classic', number: number, life = 1): void {
    const { world } = this.#cluster
    const options = {
      name: `${kind}-${number}-${life}`,
      cluster: this.#cluster,
      ledger: this.#ledger,
      topics: TOPICS,
      groupId: `${kind} group`,
    }
    const member = kind === 'consumer' ? new ConsumerMember(options) : new ClassicMember(options)
    this.#members.push(member)
    member.start()
    world.scheduler.schedule('life of a member', 1_000 + this.#random.int(12_000), () => {
      member.event('dies')
      member.kill()
      world.scheduler.schedule('next member', this.#random.int(3_000), () =>
        this.#joinGroup(kind, number, life + 1),
      )
    })
  }

  /** Nobody does harm any more: everything has to come back by itself. */
  async #recover(): Promise<void> {
    const cluster = this.#cluster
    await cluster.recover(RECOVERY_LIMIT_MS)
    await cluster.run(500)
    const producers = [...this.#producers, ...this.#transactional]
    for (const producer of producers) producer.stopProducing()
    await cluster.runUntil(
      () => producers.every(({ isIdle }) => isIdle),
      RECOVERY_LIMIT_MS,
      'the producers to end',
    )
    await cluster.runUntil(
      () => this.#everythingIsCommitted(),
      RECOVERY_LIMIT_MS,
      'all records to be committed',
    )
    await cluster.runUntil(
      () => this.#readers.every(({ isAtEnd }) => isAtEnd),
      RECOVERY_LIMIT_MS,
      'the readers to have read everything',
    )
  }

  #everythingIsCommitted(): boolean {
    for (const { broker } of this.#cluster.nodes)
      for (const { log } of broker?.services.replicas.partitions() ?? [])
        if (log === undefined || log.highWatermark < log.logEndOffset) return false
    return true
  }

  #prove(): void {
    const ledger = this.#ledger
    const [first, ...others] = this.#cluster.nodes.map(({ broker }) => broker?.services.metadata)
    if (first !== undefined) for (const other of others) if (other !== undefined) metadataAgrees(first, other)
    const seen = new Map<string, string>()
    for (const node of this.#cluster.nodes) {
      for (const partition of node.broker?.services.replicas.partitions() ?? []) {
        const { log } = partition
        if (log === undefined) throw new Violation('the cluster recovers', `${partition} has no log`)
        if (partition.topic.startsWith('__') || !partition.isLeader) continue
        const found = new Map<number, string>()
        for (const batch of batchesOf(log, 0, log.logEndOffset, partition.topic)) {
          batch.values.forEach((value, index) => {
            const offset = batch.baseOffset + index
            found.set(offset, value)
            nothingIsDuplicated(seen, ledger.sent.get(value), `offset ${offset} of ${partition}`)
          })
        }
        const known = ledger.logs.get(keyOf(partition))
        if (known !== undefined) nothingAcknowledgedIsLost(known, found)
      }
    }
    transactionsAreAtomic(ledger.transactions, ledger.readCommitted)
  }
}
