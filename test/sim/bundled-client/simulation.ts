/**
 * One simulated life of applications that use the bundled client, as a function of its seed: the real Producer and Consumer on virtual time and a
 * virtual network, against three real brokers that suffer what they suffer in `../simulation`. Then everything is repaired, the applications come
 * to their end, and the logs must hold what the client promised.
 */

import { Consumer, TopicPartition } from '../../../client/index.ts'
import { SeededRandom } from '../../../common/runtime/seeded-random.ts'
import { Admin } from '../clients/admin.ts'
import { Harm } from '../cluster/harm.ts'
import { transactionsAreAtomic } from '../cluster/invariants.ts'
import { Ledger, type SimTransaction } from '../cluster/ledger.ts'
import { SimCluster } from '../cluster/sim-cluster.ts'
import { simulationSettings } from '../settings.ts'
import type { SimulationOptions, SimulationResult } from '../simulation.ts'
import { ApplicationSlot } from './application-slot.ts'
import { ClientHarm } from './client-harm.ts'
import { ClientProcess } from './client-process.ts'
import { type CommitMode, Consuming, type GroupProtocol } from './consuming.ts'
import { everythingHasALeader, finalLogs } from './final-logs.ts'
import { Producing } from './producing.ts'
import {
  committedIsHandled,
  deliveredIsThere,
  type FinalLogs,
  failedIsNowhere,
  idempotenceHolds,
  readingsAreTrue,
  sharedAtLeastOnce,
  transformedOnce,
} from './promises.ts'
import { GroupReadings } from './readings.ts'
import { SentMessages } from './sent-messages.ts'
import { ShareReadings } from './share-readings.ts'
import { SHARE_LOCK_MS, Sharing } from './sharing.ts'
import { Transforming } from './transforming.ts'

const BROKERS = 3
const OUTPUT = 'transformed'
const INPUTS = ['orders', 'payments']
/** As the operator creates them. */
const PARTITIONS = 2
const RECOVERY_LIMIT_MS = 120_000
const MEMBERS_A_GROUP = 2
const SHARE_GROUP = {
  'share.auto.offset.reset': 'earliest',
  'share.record.lock.duration.ms': SHARE_LOCK_MS,
  // Harm must not make a record undeliverable.
  'share.delivery.count.limit': 25,
}
const GROUP_PROTOCOLS: readonly GroupProtocol[] = ['range', 'cooperative-sticky', 'consumer']
const COMMIT_MODES: readonly CommitMode[] = ['before', 'after', 'in the background', 'automatic']

export async function simulateClient(options: SimulationOptions): Promise<SimulationResult> {
  const simulation = new ClientSimulation(options)
  await simulation.run()
  return simulation.result
}

class ClientSimulation {
  readonly #options: SimulationOptions
  readonly #cluster: SimCluster
  readonly #sent = new SentMessages()
  readonly #harm: Harm
  readonly #clientHarm: ClientHarm
  readonly #admin: Admin
  readonly #producers: readonly ApplicationSlot[]
  readonly #groups: readonly GroupReadings[]
  readonly #members: readonly ApplicationSlot[]
  readonly #transformed = new GroupReadings('transformers', true)
  readonly #transactions: SimTransaction[] = []
  readonly #transformers: readonly ApplicationSlot[]
  readonly #shared: ShareReadings
  readonly #sharers: readonly ApplicationSlot[]

  constructor(options: SimulationOptions) {
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
      topics: [...INPUTS, OUTPUT],
    })
    this.#producers = [
      this.#producing('careful-1', -1, true),
      this.#producing('careful-2', -1, true),
      this.#producing('all', -1, false),
      this.#producing('careless', 1, false),
    ]
    const random = this.#cluster.world.random.fork('groups')
    const modes = random.shuffle(COMMIT_MODES)
    const groups = random
      .shuffle(GROUP_PROTOCOLS)
      .slice(0, 2)
      .map((protocol, index) => {
        const commitMode = modes[index] as CommitMode
        return {
          protocol,
          commitMode,
          readings: new GroupReadings(`${protocol} ${commitMode}`, commitMode === 'before'),
        }
      })
    this.#groups = groups.map(({ readings }) => readings)
    this.#members = groups.flatMap((group, index) =>
      Array.from(
        { length: MEMBERS_A_GROUP },
        (_, member) =>
          new ApplicationSlot(
            `member-${index + 1}-${member + 1}`,
            this.#cluster,
            (process) => new Consuming({ ...group, process, topics: INPUTS }),
          ),
      ),
    )
    const protocol = random.shuffle(GROUP_PROTOCOLS)[0] as GroupProtocol
    this.#transformers = Array.from({ length: MEMBERS_A_GROUP }, (_, member) =>
      this.#transforming(`transformer-${member + 1}`, protocol),
    )
    const shared = new ShareReadings('sharers', this.#cluster)
    this.#shared = shared
    this.#sharers = Array.from(
      { length: MEMBERS_A_GROUP },
      (_, member) =>
        new ApplicationSlot(
          `sharer-${member + 1}`,
          this.#cluster,
          (process) => new Sharing({ process, readings: shared, topics: INPUTS }),
        ),
    )
    this.#harm = new Harm(this.#cluster)
    this.#clientHarm = new ClientHarm(this.#cluster, this.#slots)
  }

  get result(): SimulationResult {
    const { events, world, nowMs } = this.#cluster
    return {
      seed: this.#options.seed,
      digest: events.digest(),
      events: events.count,
      turns: world.reactor.turn,
      simulatedMs: nowMs,
      acknowledged: this.#sent.deliveredCount,
      read: this.#groups.reduce((sum, { values }) => sum + values.length, 0),
      harm: {
        ...this.#harm.counts,
        ...Object.fromEntries(
          Object.entries(this.#clientHarm.counts).map(([kind, count]) => [`client ${kind}`, count]),
        ),
      },
    }
  }

  get #slots(): readonly ApplicationSlot[] {
    return [...this.#producers, ...this.#members, ...this.#transformers, ...this.#sharers]
  }

  async run(): Promise<void> {
    const cluster = this.#cluster
    const { world } = cluster
    const random = world.random.fork('network of the run')
    world.network.setConditions({ delayMs: 0.2, jitterMs: 1 + random.int(15) })
    await cluster.startAll()
    await this.#admin.createTopics()
    await this.#admin.configureGroup(this.#shared.groupId, SHARE_GROUP)
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
    await this.#prove()
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

  #transforming(name: string, protocol: GroupProtocol): ApplicationSlot {
    return new ApplicationSlot(
      name,
      this.#cluster,
      (process) =>
        new Transforming({
          process,
          transactionalId: name,
          readings: this.#transformed,
          transactions: this.#transactions,
          protocol,
          inputs: INPUTS,
          output: OUTPUT,
        }),
    )
  }

  async #recover(): Promise<void> {
    const cluster = this.#cluster
    await cluster.recover(RECOVERY_LIMIT_MS)
    await this.#finish(this.#producers, 'the producers to end')
    await cluster.runUntil(() => everythingHasALeader(cluster), RECOVERY_LIMIT_MS, 'a leader everywhere')
    this.#shared.checkAllConfirmed()
    const logs = finalLogs(cluster, INPUTS)
    await cluster.runUntil(
      () => everythingIsSettled(this.#shared, logs),
      RECOVERY_LIMIT_MS,
      'the share group to reach the end',
    )
    for (const group of [...this.#groups, this.#transformed]) {
      await cluster.runUntil(
        () => everyPartitionHasOneOwner(group, logs),
        RECOVERY_LIMIT_MS,
        `owners in ${group.groupId}`,
      )
      await cluster.runUntil(
        () => everythingWasReached(group, logs),
        RECOVERY_LIMIT_MS,
        `${group.groupId} to reach the end`,
      )
    }
    await cluster.runUntil(
      () =>
        this.#transformers.every(
          ({ application }) => (application as Transforming | undefined)?.isIdle === true,
        ),
      RECOVERY_LIMIT_MS,
      'the transformers to have nothing left to do',
    )
    const members = [...this.#members, ...this.#transformers, ...this.#sharers]
    await this.#finish(members, 'the members to end')
    await cluster.run(1_000)
    for (const slot of this.#slots) slot.checkNoLinkIsLeft()
  }

  async #finish(slots: readonly ApplicationSlot[], what: string): Promise<void> {
    for (const slot of slots) slot.finish()
    await this.#cluster.runUntil(() => slots.every(({ isOver }) => isOver), RECOVERY_LIMIT_MS, what)
  }

  async #prove(): Promise<void> {
    const logs = finalLogs(this.#cluster, INPUTS)
    const { byValue } = this.#sent
    deliveredIsThere(logs, byValue.values())
    failedIsNowhere(logs, byValue)
    idempotenceHolds(logs, byValue)
    const outputs = finalLogs(this.#cluster, [OUTPUT])
    transactionsAreAtomic(
      this.#transactions,
      new Set([...outputs.values()].flatMap(({ visible }) => visible.map(({ value }) => value))),
    )
    transformedOnce(logs, outputs)
    sharedAtLeastOnce(logs, this.#shared)
    for (const readings of this.#groups) {
      readingsAreTrue(logs, readings)
      committedIsHandled(logs, readings, await this.#committedOf(readings.groupId))
    }
  }

  /** What a group has committed, by place, as a stranger sees it. */
  async #committedOf(groupId: string): Promise<Map<string, number>> {
    const process = new ClientProcess(`auditor of ${groupId}`, this.#cluster)
    const consumer = new Consumer({ ...process.settings, 'group.id': groupId }, {}, process.hooks)
    const places = INPUTS.flatMap((topic) =>
      Array.from({ length: PARTITIONS }, (_, partition) => new TopicPartition(topic, partition)),
    )
    let found: TopicPartition[] | undefined
    const look = async (): Promise<void> => {
      found = await consumer.committed(places, { timeoutMs: 20_000 })
      await consumer.close()
    }
    look().catch((error: unknown) => this.#cluster.fail(error))
    await this.#cluster.runUntil(() => found !== undefined, RECOVERY_LIMIT_MS, 'the committed offsets')
    return new Map((found ?? []).map(({ topic, partition, offset }) => [`${topic}-${partition}`, offset]))
  }
}

function everyPartitionHasOneOwner(group: GroupReadings, logs: FinalLogs): boolean {
  const owners = group.owners()
  return [...logs.keys()].every((place) => owners.get(place)?.length === 1)
}

function everythingIsSettled(group: ShareReadings, logs: FinalLogs): boolean {
  return [...logs.values()].every(({ topic, partition, records }) =>
    group.hasSettled(topic, partition, (records.at(-1)?.offset ?? -1) + 1),
  )
}

function everythingWasReached(group: GroupReadings, logs: FinalLogs): boolean {
  return [...logs].every(
    ([place, { visible }]) => (group.reached.get(place) ?? -1) >= (visible.at(-1)?.offset ?? -1),
  )
}
