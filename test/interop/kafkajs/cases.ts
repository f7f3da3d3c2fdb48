/** kafkajs, the pure JavaScript client. The cases are a module so that the unit test run can use them too. */

import kafkajs, {
  type Admin,
  type CompressionTypes as Compression,
  type Consumer,
  type EachBatchPayload,
  type Kafka,
  type KafkaMessage,
  type PartitionAssigner,
} from 'kafkajs'
import { type Case, check, checkEqual, checkEventually, uniqueName, within } from '../lib/cases.ts'

// Node finds only some of the names that kafkajs, a CommonJS module, exports.
const { AssignerProtocol, CompressionTypes, ConfigResourceTypes, logLevel } = kafkajs

export interface KafkajsTarget {
  readonly bootstrap: string
  readonly replication: number
  /** The text that goes through the broker, a line a record. */
  readonly lines: readonly string[]
}

interface Received {
  readonly partition: number
  readonly message: KafkaMessage
}

/** A consumer with what it has received and owns; `until` asks again whenever either changes. */
class Member {
  readonly received: Received[] = []
  partitions: readonly number[] = []
  readonly consumer: Consumer
  readonly #watchers = new Set<() => void>()
  /** What kafkajs told of itself, for the words of a failure. */
  readonly #history: string[] = []
  #fetches = 0

  private constructor(consumer: Consumer) {
    this.consumer = consumer
  }

  static async join(
    kafka: Kafka,
    topic: string,
    options: { groupId: string; readUncommitted?: boolean; partitionAssigners?: PartitionAssigner[] },
  ): Promise<Member> {
    const member = new Member(
      kafka.consumer({ heartbeatInterval: 300, sessionTimeout: 20_000, maxWaitTimeInMs: 200, ...options }),
    )
    member.consumer.on(member.consumer.events.GROUP_JOIN, (event) => {
      member.partitions = event.payload.memberAssignment[topic] ?? []
      member.#wake()
    })
    member.#note()
    await member.consumer.connect()
    await member.consumer.subscribe({ topic, fromBeginning: true })
    await member.consumer.run({
      eachBatchAutoResolve: true,
      eachBatch: async ({ batch }: EachBatchPayload) => {
        for (const message of batch.messages) member.received.push({ partition: batch.partition, message })
        member.#wake()
      },
    })
    return member
  }

  #note(): void {
    const { events } = this.consumer
    const startMs = Date.now()
    const note = (text: string): void => {
      this.#history.push(`${text} after ${Date.now() - startMs} ms`)
    }
    this.consumer.on(events.CONNECT, () => note('connected'))
    this.consumer.on(events.GROUP_JOIN, ({ payload }) =>
      note(`joined ${JSON.stringify(payload.memberAssignment)}`),
    )
    this.consumer.on(events.REBALANCING, () => note('rebalancing'))
    this.consumer.on(events.CRASH, ({ payload }) => note(`crashed by ${payload.error}`))
    this.consumer.on(events.STOP, () => note('stopped'))
    this.consumer.on(events.REQUEST_TIMEOUT, ({ payload }) => note(`${payload.apiName} timed out`))
    this.consumer.on(events.FETCH, ({ payload }) => {
      if (++this.#fetches <= 3) note(`fetched ${payload.numberOfBatches} batches`)
    })
  }

  async until(what: string, predicate: (member: Member) => boolean): Promise<void> {
    let watcher: () => void = () => {}
    const happened = new Promise<void>((resolve) => {
      watcher = () => {
        if (predicate(this)) resolve()
      }
      this.#watchers.add(watcher)
      watcher()
    })
    try {
      const state = (): string =>
        `${what} (received ${this.received.length}, owns ${this.partitions}; ${this.#history.join(', ')})`
      await within(happened, state, 60_000)
    } finally {
      this.#watchers.delete(watcher)
    }
  }

  /** Leaves the group; what was handed to the member is committed. */
  async leave(): Promise<void> {
    await this.consumer.disconnect()
  }

  values(): string[] {
    return this.received.map((one) => one.message.value?.toString() ?? '')
  }

  #wake(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }
}

export function kafkajsCases(target: KafkajsTarget): Case[] {
  const kafka = new kafkajs.Kafka({
    clientId: 'interop-kafkajs',
    brokers: target.bootstrap.split(','),
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 20 },
  })

  async function withAdmin<T>(body: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = kafka.admin()
    await admin.connect()
    try {
      return await body(admin)
    } finally {
      await admin.disconnect()
    }
  }

  async function createTopic(numPartitions: number): Promise<string> {
    const topic = uniqueName('kafkajs')
    const replicationFactor = target.replication
    await withAdmin((admin) =>
      admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions, replicationFactor }] }),
    )
    return topic
  }

  async function send(topic: string, values: readonly string[], partition?: number): Promise<void> {
    const producer = kafka.producer()
    await producer.connect()
    try {
      const messages = values.map((value) => (partition === undefined ? { value } : { value, partition }))
      await producer.send({ topic, messages })
    } finally {
      await producer.disconnect()
    }
  }

  async function readAll(topic: string, count: number, readUncommitted = false): Promise<Received[]> {
    const member = await Member.join(kafka, topic, { groupId: uniqueName('kafkajs-read'), readUncommitted })
    try {
      await member.until(`${count} records`, () => member.received.length >= count)
      return member.received
    } finally {
      await member.leave()
    }
  }

  const textFile = (name: string, compression: Compression, acks: number): Case => ({
    name: `${target.lines.length} lines come back unchanged with compression ${name} and acks=${acks}`,
    async run() {
      const topic = await createTopic(1)
      const producer = kafka.producer()
      await producer.connect()
      for (let start = 0; start < target.lines.length; start += 2000) {
        const messages = target.lines.slice(start, start + 2000).map((value) => ({ value, partition: 0 }))
        await producer.send({ topic, messages, compression, acks })
      }
      await producer.disconnect()
      const received = await readAll(topic, target.lines.length)
      const different = received.findIndex(
        (one, index) => one.message.value?.toString() !== target.lines[index],
      )
      check(different === -1, `record ${different} is ${received[different]?.message.value}`)
      checkEqual(received.length, target.lines.length, 'records')
    },
  })

  const keysAndHeaders: Case = {
    name: 'keys, headers, timestamps and null values come back as they were sent',
    async run() {
      const topic = await createTopic(1)
      const producer = kafka.producer({ idempotent: true })
      await producer.connect()
      await producer.send({
        topic,
        messages: [
          { key: 'a', value: 'one', headers: { h: ['1', '2'], empty: '' }, timestamp: '1700000000123' },
          { key: 'a', value: null, timestamp: '1700000000456' },
        ],
      })
      await producer.disconnect()
      const received = await readAll(topic, 2)
      const plain = received.map(({ message }) => ({
        key: message.key?.toString(),
        value: message.value?.toString() ?? null,
        timestamp: message.timestamp,
        headers: Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]),
      }))
      checkEqual(
        plain,
        [
          {
            key: 'a',
            value: 'one',
            timestamp: '1700000000123',
            headers: [
              ['h', '1,2'],
              ['empty', ''],
            ],
          },
          { key: 'a', value: null, timestamp: '1700000000456', headers: [] },
        ],
        'records',
      )
    },
  }

  const groupOfTwo: Case = {
    name: 'two members of a group share the partitions, commit, and a later member resumes after them',
    async run() {
      const topic = await createTopic(4)
      const groupId = uniqueName('kafkajs-group')
      const sendRound = async (round: string): Promise<string[]> => {
        const values = [0, 1, 2, 3].flatMap((partition) =>
          Array.from({ length: 25 }, (_, index) => `${round} ${partition} ${index}`),
        )
        for (const partition of [0, 1, 2, 3]) {
          await send(
            topic,
            values.filter((value) => value.startsWith(`${round} ${partition} `)),
            partition,
          )
        }
        return values.sort()
      }
      const first = await Member.join(kafka, topic, { groupId })
      await first.until('the only member owns all', () => first.partitions.length === 4)
      const second = await Member.join(kafka, topic, { groupId })
      await second.until('the second member owns two', () => second.partitions.length === 2)
      await first.until('the first member keeps two', () => first.partitions.length === 2)
      const sent = await sendRound('one')
      const both = (): string[] => [...first.values(), ...second.values()].sort()
      await Promise.all([
        first.until('its half', () => first.received.length >= 50),
        second.until('its half', () => second.received.length >= 50),
      ])
      checkEqual(both(), sent, 'what both received')
      await first.leave()
      await second.until('the survivor owns all', () => second.partitions.length === 4)
      await second.leave()
      const offsets = await withAdmin((admin) => admin.fetchOffsets({ groupId, topics: [topic] }))
      const committed = offsets[0]?.partitions.map((one) => one.offset)
      checkEqual(committed, ['25', '25', '25', '25'], 'committed offsets')
      const sentLater = await sendRound('two')
      const third = await Member.join(kafka, topic, { groupId })
      await third.until('what is new', () => third.received.length >= 100)
      await third.leave()
      checkEqual(third.values().sort(), sentLater, 'what the third member received')
    },
  }

  const transactions: Case = {
    name: 'a read_committed consumer sees the committed transaction and not the aborted one',
    async run() {
      const topic = await createTopic(1)
      const producer = kafka.producer({
        transactionalId: uniqueName('kafkajs-tx'),
        idempotent: true,
        maxInFlightRequests: 1,
      })
      await producer.connect()
      for (const [round, end] of [
        ['a', 'commit'],
        ['b', 'abort'],
        ['c', 'commit'],
      ] as const) {
        const transaction = await producer.transaction()
        await transaction.send({ topic, messages: [{ value: `${round}1` }, { value: `${round}2` }] })
        await (end === 'commit' ? transaction.commit() : transaction.abort())
      }
      await producer.disconnect()
      const values = (received: Received[]): (string | undefined)[] =>
        received.map((one) => one.message.value?.toString())
      checkEqual(values(await readAll(topic, 4)), ['a1', 'a2', 'c1', 'c2'], 'read_committed')
      const all = ['a1', 'a2', 'b1', 'b2', 'c1', 'c2']
      checkEqual(values(await readAll(topic, 6, true)), all, 'read_uncommitted')
    },
  }

  const transactionalOffsets: Case = {
    name: 'offsets sent to a transaction are committed with it and not when it aborts',
    async run() {
      const topic = await createTopic(1)
      const groupId = uniqueName('kafkajs-tx-group')
      const producer = kafka.producer({
        transactionalId: uniqueName('kafkajs-tx'),
        idempotent: true,
        maxInFlightRequests: 1,
      })
      await producer.connect()
      const offset = async (): Promise<string | undefined> =>
        withAdmin(
          async (admin) => (await admin.fetchOffsets({ groupId, topics: [topic] }))[0]?.partitions[0]?.offset,
        )
      const round = async (value: string, end: 'commit' | 'abort'): Promise<void> => {
        const transaction = await producer.transaction()
        await transaction.send({ topic, messages: [{ value: 'x' }] })
        const topics = [{ topic, partitions: [{ partition: 0, offset: value }] }]
        await transaction.sendOffsets({ consumerGroupId: groupId, topics })
        await transaction[end]()
      }
      await round('3', 'commit')
      await checkEventually(offset, '3', 'after the commit')
      await round('7', 'abort')
      checkEqual(await offset(), '3', 'after the abort')
      await producer.disconnect()
    },
  }

  const administration: Case = {
    name: 'the admin client creates, lists, grows, configures and deletes topics',
    run: () =>
      withAdmin(async (admin) => {
        const topic = await createTopic(1)
        const isListed = async (): Promise<boolean> => (await admin.listTopics()).includes(topic)
        await checkEventually(isListed, true, 'whether the new topic is listed')
        const isCreated = await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
        checkEqual(isCreated, false, 'creating it once more')
        await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] })
        const partitions = async (): Promise<number | undefined> =>
          (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions.length
        await checkEventually(partitions, 3, 'partitions')
        const entries = [{ name: 'retention.ms', value: '123456' }]
        await admin.alterConfigs({
          validateOnly: false,
          resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: entries }],
        })
        const retention = async (): Promise<string | undefined> => {
          const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic }]
          const configs = await admin.describeConfigs({ includeSynonyms: true, resources })
          return configs.resources[0]?.configEntries.find((one) => one.configName === 'retention.ms')
            ?.configValue
        }
        await checkEventually(retention, '123456', 'retention.ms')
        await send(topic, ['a', 'b', 'c'], 1)
        const offsets = await admin.fetchTopicOffsets(topic)
        const highs = offsets.map((one) => `${one.partition}:${one.low}-${one.high}`).sort()
        checkEqual(highs, ['0:0-0', '1:0-3', '2:0-0'], 'offsets')
        await admin.deleteTopicRecords({ topic, partitions: [{ partition: 1, offset: '2' }] })
        const later = await admin.fetchTopicOffsets(topic)
        checkEqual(later.find((one) => one.partition === 1)?.low, '2', 'low offset after deleting records')
        const cluster = await admin.describeCluster()
        check(cluster.brokers.length > 0 && cluster.clusterId !== '', 'the cluster describes no brokers')
        await admin.deleteTopics({ topics: [topic] })
        await checkEventually(isListed, false, 'whether the deleted topic is listed')
      }),
  }

  const groupAdministration: Case = {
    name: 'the admin client describes, resets and deletes groups',
    run: () =>
      withAdmin(async (admin) => {
        const topic = await createTopic(1)
        const groupId = uniqueName('kafkajs-group')
        await send(topic, ['a', 'b', 'c'])
        const member = await Member.join(kafka, topic, { groupId })
        await member.until('all records', () => member.received.length === 3)
        const described = (await admin.describeGroups([groupId])).groups[0]
        checkEqual(described?.state, 'Stable', 'state')
        checkEqual(described?.members.length, 1, 'members')
        const bytes = described?.members[0]?.memberAssignment
        const assignment = bytes && AssignerProtocol.MemberAssignment.decode(bytes)
        checkEqual(assignment?.assignment, { [topic]: [0] }, 'assignment')
        const refused = await admin.deleteGroups([groupId]).then(
          () => 'deleted',
          (error: Error) => error.name,
        )
        checkEqual(refused, 'KafkaJSDeleteGroupsError', 'deleting a group that has a member')
        await member.leave()
        await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '1' }] })
        const again = await Member.join(kafka, topic, { groupId })
        await again.until('two records', () => again.received.length >= 2)
        await again.leave()
        checkEqual(again.values(), ['b', 'c'], 'records after the reset')
        await admin.deleteGroups([groupId])
        const left = (await admin.listGroups()).groups.some((one) => one.groupId === groupId)
        check(!left, 'the deleted group is still listed')
      }),
  }

  return [
    textFile('none', CompressionTypes.None, -1),
    textFile('gzip', CompressionTypes.GZIP, 1),
    keysAndHeaders,
    groupOfTwo,
    transactions,
    transactionalOffsets,
    administration,
    groupAdministration,
  ]
}
