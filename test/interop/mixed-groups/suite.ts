/**
 * Groups whose members have different clients: kafkito's own with Java's, librdkafka's and kafkajs's, in both group protocols.
 *
 * Records are on their way whenever somebody joins or leaves. After each such step the group comes to rest: what the members say they own is
 * what the broker says, every partition is owned once, and every record has arrived. All leave in order, so none may come twice.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  AdminClient,
  ConsumerGroupState,
  ConsumerGroupTopicPartitions,
  NewTopic,
  Producer,
  TopicPartition,
} from '../../../client/index.ts'
import { type Case, check, checkEqual, checkEventually, environment, main, uniqueName } from '../lib/cases.ts'
import { javaMembers, librdkafkaMembers } from './foreign-members.ts'
import { GroupObserver, ownershipText } from './group-observer.ts'
import { kafkajsMembers } from './kafkajs-members.ts'
import { kafkitoMembers, type Member, type MemberFactory, type Mode } from './member.ts'

// kafkajs computes a negative timer now and then and Node warns about it.
process.removeAllListeners('warning')

const PARTITIONS = [0, 1, 2, 3, 4, 5]
const RECORDS_PER_STEP = 20
const DEADLINE_MS = 60_000

const isListing = process.argv.includes('--list')
const bootstrap = isListing ? '' : environment('BOOTSTRAP')

const factories: Readonly<Record<string, MemberFactory>> = {
  kafkito: kafkitoMembers(bootstrap),
  java: javaMembers(bootstrap),
  librdkafka: librdkafkaMembers(bootstrap),
  kafkajs: kafkajsMembers(bootstrap),
}

const shared = isListing
  ? undefined
  : {
      admin: new AdminClient({ 'bootstrap.servers': bootstrap }),
      producer: new Producer({ 'bootstrap.servers': bootstrap, 'linger.ms': 1 }),
    }

class MixedGroup {
  readonly #admin: AdminClient
  readonly #producer: Producer
  readonly #mode: Mode
  readonly #topic = uniqueName('mixed')
  readonly #group = uniqueName('mixed')
  readonly #observer = new GroupObserver(PARTITIONS.length)
  readonly #members = new Map<string, Member>()
  readonly #sent: string[] = []

  constructor({ admin, producer }: NonNullable<typeof shared>, mode: Mode) {
    this.#admin = admin
    this.#producer = producer
    this.#mode = mode
  }

  /** @param steps `+java1` joins, `-java1` leaves; the name before the number says whose client it is. In the end all have left. */
  async run(steps: readonly string[]): Promise<void> {
    await this.#createTopic()
    try {
      for (const step of steps) {
        const isLast = step === steps.at(-1)
        const produced = isLast ? undefined : this.#produce()
        const life = step.slice(1)
        if (step.startsWith('+')) await this.#join(life)
        else await this.#leave(life)
        await produced
        if (!isLast) await this.#rest(step)
      }
      this.#observer.checkOnce(this.#sent)
      await this.#checkCommitted()
    } finally {
      await Promise.all([...this.#members.values()].map((member) => member.leave()))
    }
  }

  async #createTopic(): Promise<void> {
    const topic = new NewTopic(this.#topic, PARTITIONS.length, Number(process.env.REPLICATION ?? '1'))
    await Promise.all(this.#admin.createTopics([topic]).values())
    const isKnown = async (): Promise<boolean> => {
      const known = (await this.#admin.listTopics(this.#topic, 30)).topics.get(this.#topic)
      const partitions = [...(known?.partitions.values() ?? [])]
      return partitions.length === PARTITIONS.length && partitions.every(({ leader }) => leader >= 0)
    }
    await checkEventually(isKnown, true, 'the topic is known', DEADLINE_MS)
  }

  async #join(life: string): Promise<void> {
    const make = factories[life.replace(/\d+$/, '')]
    if (make === undefined) throw new Error(`nobody knows how to make ${life}`)
    const place = { life: `${this.#group}-${life}`, group: this.#group, topic: this.#topic, mode: this.#mode }
    this.#members.set(life, await make(place, this.#observer.events(place.life)))
  }

  async #leave(life: string): Promise<void> {
    const member = this.#members.get(life)
    this.#members.delete(life)
    await member?.leave()
    this.#observer.left(`${this.#group}-${life}`)
  }

  /** Resolves when all are acknowledged. */
  async #produce(): Promise<void> {
    const first = this.#sent.length
    const values = Array.from(
      { length: RECORDS_PER_STEP * PARTITIONS.length },
      (_, index) => `${first + index}`,
    )
    this.#sent.push(...values)
    const messages = values.map((value, index) => ({ value, partition: index % PARTITIONS.length }))
    await this.#producer.send({ topic: this.#topic, messages })
  }

  async #rest(step: string): Promise<void> {
    await this.#observer.untilSettled()
    const deadlineMs = Date.now() + DEADLINE_MS
    for (;;) {
      const described = await this.#described()
      // Both at the same moment: a rebalance may have begun since.
      if (this.#observer.isSettled && described === this.#observer.ownership) break
      check(
        Date.now() < deadlineMs,
        `after ${step} the members say\n${this.#observer.ownership}\nand the broker\n${described}`,
      )
      await sleep(50)
    }
    await this.#observer.untilSeen(this.#sent)
  }

  async #described(): Promise<string> {
    const description = await this.#admin.describeConsumerGroups([this.#group]).get(this.#group)
    if (description?.state !== ConsumerGroupState.STABLE) return `the group is ${description?.state}`
    return ownershipText(
      description.members.map(({ clientId, assignment }): [string, number[]] => [
        clientId,
        assignment.topicPartitions.map(({ partition }) => partition),
      ]),
    )
  }

  async #checkCommitted(): Promise<void> {
    const partitions = PARTITIONS.map((partition) => new TopicPartition(this.#topic, partition))
    const request = new ConsumerGroupTopicPartitions(this.#group, partitions)
    const offsets = await this.#admin.listConsumerGroupOffsets([request]).get(this.#group)
    const each = this.#sent.length / PARTITIONS.length
    checkEqual(
      offsets?.topicPartitions?.map(({ partition, offset }) => [partition, offset]),
      PARTITIONS.map((partition) => [partition, each]),
      'committed offsets',
    )
  }
}

function mixed(clients: string, mode: Mode, steps: string): Case {
  const how = mode === 'consumer' ? 'consumer protocol' : `classic, ${mode}`
  return {
    name: `kafkito and ${clients} share a group whose members come and go (${how})`,
    async run() {
      if (shared !== undefined) await new MixedGroup(shared, mode).run(steps.split(' '))
    },
  }
}

const CLASSIC: readonly Mode[] = ['range', 'cooperative-sticky']
const two = (client: string): string =>
  `+kafkito1 +${client}1 +kafkito2 -kafkito1 -${client}1 +${client}2 -kafkito2 -${client}2`
const three = '+java1 +kafkito1 +librdkafka1 -java1 +kafkito2 -kafkito1 -librdkafka1 -kafkito2'
const four =
  '+kafkajs1 +kafkito1 +librdkafka1 +java1 -kafkajs1 +kafkito2 -kafkito1 -librdkafka1 -java1 -kafkito2'

const cases: readonly Case[] = [
  ...[...CLASSIC, 'consumer' as const].flatMap((mode) =>
    ['java', 'librdkafka'].map((client) => mixed(client, mode, two(client))),
  ),
  mixed('kafkajs', 'range', two('kafkajs')),
  mixed('java, librdkafka, kafkajs', 'range', four),
  mixed('java, librdkafka', 'cooperative-sticky', three),
  mixed('java, librdkafka', 'consumer', three),
]

// They mostly wait for heartbeats.
await main(cases, cases.length, async () => {
  await shared?.producer.close()
  await shared?.admin.close()
})
