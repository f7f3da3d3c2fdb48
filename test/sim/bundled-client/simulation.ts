/**
 * One simulated life of applications that use the bundled client, as a function of its seed: the real Producer and Consumer on virtual time and a
 * virtual network, against three real brokers that suffer what they suffer in `../simulation`. Then everything is repaired, the applications come
 * to their end, and the logs must hold what the client promised.
 */

import { Consumer, TopicPartition } from '../../../client/index.ts'
import type { Random } from '../../../common/runtime/random.ts'
import { SeededRandom } from '../../../common/runtime/seeded-random.ts'
import { Admin } from '../clients/admin.ts'
import { TopicGrower } from '../clients/topic-grower.ts'
import { Harm } from '../cluster/harm.ts'
import { transactionsAreAtomic } from '../cluster/invariants.ts'
import { Ledger, type SimTransaction } from '../cluster/ledger.ts'
import { SimCluster } from '../cluster/sim-cluster.ts'
import { simulationSettings } from '../settings.ts'
import type { SimulationOptions, SimulationResult } from '../simulation.ts'
import { ApplicationSlot } from './application-slot.ts'
import { ClientHarm } from './client-harm.ts'
import { ClientProcess } from './client-process.ts'
import { type CommitMode, Consuming, type GroupProtocol, LONGEST_SLEEP_MS } from './consuming.ts'
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
  staticMembersKeepTheirs,
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
/** Comes while all goes on, and grows. */
const LATE = 'late'
/** All of them, by their names or by patterns. */
const SUBSCRIPTIONS: readonly (readonly string[])[] = [
  [...INPUTS, LATE],
  ['^(orders|late)$', 'payments'],
  ['^[olp].*s$', '^late'],
]
/** Of each in the end. */
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

interface Group {
  readonly protocol: GroupProtocol
  /** Whether members keep their place when they come back in time. */
  readonly isStatic: boolean
  /** Names and patterns. */
  readonly topics: readonly string[]
  readonly readings: GroupReadings
  readonly members: readonly ApplicationSlot[]
}

class ClientSimulation {
  readonly #options: SimulationOptions
  readonly #cluster: SimCluster
  readonly #sent = new SentMessages()
  readonly #harm: Harm
  readonly #clientHarm: ClientHarm
  #isHarmOver = false
  readonly #admin: Admin
  readonly #inputs: readonly string[]
  readonly #grower: TopicGrower | undefined
  readonly #producers: readonly ApplicationSlot[]
  readonly #groups: readonly Group[]
  readonly #transformed = new GroupReadings('transformers', true)
  readonly #transactions: SimTransaction[] = []
  readonly #transformers: readonly ApplicationSlot[]
  readonly #shared: ShareReadings
  readonly #sharers: readonly ApplicationSlot[]

  constructor(options: SimulationOptions) {
    this.#options = options
    const { seed, print, isWide = false } = options
    this.#inputs = isWide ? [...INPUTS, LATE] : INPUTS
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
    if (isWide)
      this.#grower = new TopicGrower({
        name: 'grower',
        cluster: this.#cluster,
        ledger: new Ledger(),
        topics: [LATE],
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
        return this.#group(index + 1, protocol, commitMode, this.#kindOfGroup(random, protocol))
      })
    this.#groups = groups
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
          (process) => new Sharing({ process, readings: shared, topics: this.#inputs }),
        ),
    )
    this.#harm = new Harm(this.#cluster)
    const classicStatic = groups.filter(({ isStatic, protocol }) => isStatic && protocol !== 'consumer')
    this.#clientHarm = new ClientHarm(
      this.#cluster,
      this.#slots,
      new Set(classicStatic.flatMap(({ members }) => members)),
    )
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
      read: this.#groups.reduce((sum, { readings }) => sum + readings.values.length, 0),
      harm: {
        ...this.#harm.counts,
        ...Object.fromEntries(
          Object.entries(this.#clientHarm.counts).map(([kind, count]) => [`client ${kind}`, count]),
        ),
      },
    }
  }

  get #members(): readonly ApplicationSlot[] {
    return this.#groups.flatMap(({ members }) => members)
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
    this.#grower?.start()
    this.#harm.begin()
    this.#clientHarm.begin()
    await cluster.run(this.#options.harmMs ?? 10_000)
    this.#clientHarm.end()
    this.#isHarmOver = true
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
          topics: this.#inputs,
          // Of the one that grows nobody knows how many partitions it has.
          partitionCounts: Object.fromEntries(INPUTS.map((topic) => [topic, PARTITIONS])),
          acks,
          isIdempotent,
        }),
    )
  }

  #kindOfGroup(random: Random, protocol: GroupProtocol): Pick<Group, 'isStatic' | 'topics'> {
    if (this.#grower === undefined) return { isStatic: false, topics: INPUTS }
    const isStatic = random.int(3) === 0
    // A static leader that comes back takes the topics as it finds them: what grew while it was away waits for a rebalance, as with Kafka's own client (KIP-814).
    if (isStatic && protocol !== 'consumer') return { isStatic, topics: INPUTS }
    return { isStatic, topics: SUBSCRIPTIONS[random.int(SUBSCRIPTIONS.length)] as readonly string[] }
  }

  #group(
    number: number,
    protocol: GroupProtocol,
    commitMode: CommitMode,
    { isStatic, topics }: Pick<Group, 'isStatic' | 'topics'>,
  ): Group {
    const kind = isStatic ? 'static ' : ''
    const readings = new GroupReadings(`${kind}${protocol} ${commitMode}`, commitMode === 'before')
    const members = Array.from({ length: MEMBERS_A_GROUP }, (_, member) => {
      const name = `member-${number}-${member + 1}`
      const options = {
        readings,
        protocol,
        commitMode,
        topics,
        instanceId: isStatic ? name : null,
        isLazy: () => !this.#isHarmOver,
      }
      return new ApplicationSlot(name, this.#cluster, (process) => new Consuming({ ...options, process }))
    })
    return { protocol, isStatic, topics, readings, members }
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
    await cluster.runUntil(() => this.#grower?.isGrown ?? true, RECOVERY_LIMIT_MS, 'the late topic to grow')
    await cluster.recover(RECOVERY_LIMIT_MS)
    await this.#finish(this.#producers, 'the producers to end')
    await cluster.runUntil(() => everythingHasALeader(cluster), RECOVERY_LIMIT_MS, 'a leader everywhere')
    this.#shared.checkAllConfirmed()
    const all = finalLogs(cluster, this.#inputs)
    const fixed = finalLogs(cluster, INPUTS)
    await cluster.runUntil(
      () => everythingIsSettled(this.#shared, all),
      RECOVERY_LIMIT_MS,
      'the share group to reach the end',
    )
    for (const [group, logs] of [
      ...this.#groups.map(({ readings, topics }) => [readings, topics === INPUTS ? fixed : all] as const),
      [this.#transformed, fixed] as const,
    ]) {
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
    const staticGroups = this.#groups.filter(({ isStatic }) => isStatic)
    // Who slept may have lost its place, and joins again.
    if (staticGroups.length > 0) await cluster.run(LONGEST_SLEEP_MS + 1_000)
    for (const group of staticGroups) await this.#restartOne(group)
    const members = [...this.#members, ...this.#transformers, ...this.#sharers]
    await this.#finish(members, 'the members to end')
    await cluster.run(1_000)
    for (const slot of this.#slots) slot.checkNoLinkIsLeft()
  }

  /** A static member that comes back before its session has ended has what it had, and the others keep what they have. */
  async #restartOne({ protocol, readings, members: [slot] }: Group): Promise<void> {
    const cluster = this.#cluster
    const name = slot?.process?.name
    const before = readings.tenures()
    // A member that dies is not replaced before its session has ended, since KIP-848.
    if (protocol === 'consumer') slot?.end(100)
    else slot?.kill(100)
    const mine = before.filter(({ process }) => process.name === name)
    await cluster.runUntil(
      () => slot?.process !== undefined && slot.process.name !== name,
      10_000,
      'the next life',
    )
    const next = slot?.process?.name
    await cluster.runUntil(
      () => readings.tenures().filter(({ process }) => process.name === next).length >= mine.length,
      RECOVERY_LIMIT_MS,
      `the partitions of ${name}`,
    )
    staticMembersKeepTheirs(before, readings.tenures(), name ?? '', next ?? '')
  }

  async #finish(slots: readonly ApplicationSlot[], what: string): Promise<void> {
    for (const slot of slots) slot.finish()
    await this.#cluster.runUntil(() => slots.every(({ isOver }) => isOver), RECOVERY_LIMIT_MS, what)
  }

  async #prove(): Promise<void> {
    const logs = finalLogs(this.#cluster, this.#inputs)
    const { byValue } = this.#sent
    deliveredIsThere(logs, byValue.values())
    failedIsNowhere(logs, byValue)
    idempotenceHolds(logs, byValue)
    const outputs = finalLogs(this.#cluster, [OUTPUT])
    transactionsAreAtomic(
      this.#transactions,
      new Set([...outputs.values()].flatMap(({ visible }) => visible.map(({ value }) => value))),
    )
    transformedOnce(finalLogs(this.#cluster, INPUTS), outputs)
    sharedAtLeastOnce(logs, this.#shared)
    for (const { readings } of this.#groups) {
      readingsAreTrue(logs, readings)
      committedIsHandled(logs, readings, await this.#committedOf(readings.groupId))
    }
  }

  /** What a group has committed, by place, as a stranger sees it. */
  async #committedOf(groupId: string): Promise<Map<string, number>> {
    const process = new ClientProcess(`auditor of ${groupId}`, this.#cluster)
    const consumer = new Consumer({ ...process.settings, 'group.id': groupId }, {}, process.hooks)
    const places = this.#inputs.flatMap((topic) =>
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
