/**
 * The part of kafkajs in the scenario of faults, a line an event (events.ts). Arguments are key=value; "stop produce" and "stop consume" on
 * standard input end the roles in order; the process ends with its last role. Something is printed every second: a consumer of kafkajs may
 * spin, and silence is how one can tell. A process that is started anew says so (`incarnation`), its members have names of their own.
 *
 * Of its idempotence: one partition a `send`, and the same messages again until they are acknowledged. A `send` about several partitions
 * would be divided anew by the leaders of the moment when it is repeated, and give a partition that was acknowledged already new sequence
 * numbers. When the broker refuses the sequence for good, only a new producer helps, with a new id; what was sent before and not
 * acknowledged may then be there twice. Such a producer is announced (`renewed`), and the order is at least once from there.
 */
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs, { type Consumer, type Producer } from 'kafkajs'

// kafkajs computes a negative timer now and then and Node warns about it.
process.removeAllListeners('warning')
process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1'

const PARTITIONS = 3
const BATCH = 10
const given = new Map(
  process.argv.slice(2).map((argument): [string, string] => {
    const at = argument.indexOf('=')
    return [argument.slice(0, at), argument.slice(at + 1)]
  }),
)
let isProducing = true
let isConsuming = true

function emit(...words: readonly (string | number)[]): void {
  process.stdout.write(`${words.join(' ')}\n`)
}

function note(role: string, error: unknown): void {
  emit('note', role, String(error).replaceAll('\n', ' '))
}

const kafka = new kafkajs.Kafka({
  clientId: 'chaos-kafkajs',
  brokers: given.get('bootstrap')?.split(',') ?? [],
  logLevel: kafkajs.logLevel.NOTHING,
  connectionTimeout: 2000,
  requestTimeout: 4000,
  retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 12 },
})

class IdempotentProducer {
  #made: Promise<Producer> | undefined

  async connect(): Promise<Producer> {
    this.#made ??= this.#make()
    try {
      return await this.#made
    } catch (error) {
      this.#made = undefined
      throw error
    }
  }

  async #make(): Promise<Producer> {
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, metadataMaxAge: 5000 })
    await producer.connect()
    return producer
  }

  async renew(): Promise<void> {
    const old = await this.#made
    this.#made = undefined
    await old?.disconnect()
  }
}

async function produce(topic: string, perSecond: number): Promise<void> {
  await Promise.all(
    Array.from({ length: PARTITIONS }, async (_, partition) => {
      const producer = new IdempotentProducer()
      for (let number = 0; isProducing; number += BATCH) {
        await sendUntilAcknowledged(producer, topic, partition, number)
        await sleep((1000 * PARTITIONS * BATCH) / perSecond)
      }
      await (await producer.connect()).disconnect()
    }),
  )
}

/** Refusals after which the same sequence numbers will never be taken. */
const FATAL = new Set(['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_EPOCH'])

async function sendUntilAcknowledged(
  producer: IdempotentProducer,
  topic: string,
  partition: number,
  first: number,
): Promise<void> {
  const messages = Array.from({ length: BATCH }, (_, index) => ({ partition, value: String(first + index) }))
  for (;;) {
    try {
      const [answer] = await (await producer.connect()).send({ topic, acks: -1, timeout: 4000, messages })
      // A repeated batch may be answered without its offset.
      const base = Number(answer?.baseOffset ?? -1)
      for (let index = 0; index < BATCH; index++)
        emit('ack', topic, partition, first + index, base < 0 ? -1 : base + index)
      return
    } catch (error) {
      note('produce', error)
      const { type = '', cause } = error as { type?: string; cause?: { type?: string } }
      if (FATAL.has(type) || FATAL.has(cause?.type ?? '')) {
        emit('renewed', topic, partition, first)
        await producer.renew()
      }
      await sleep(100)
    }
  }
}

async function member(groupId: string, name: string, topics: readonly string[]): Promise<void> {
  for (let life = 1; ; life++) {
    try {
      if (await live(groupId, `${name}-${given.get('incarnation') ?? '1'}.${life}`, topics)) return
    } catch (error) {
      note(groupId, error)
      await sleep(200)
    }
  }
}

/** @returns whether everything was read after the end was asked for */
async function live(groupId: string, life: string, topics: readonly string[]): Promise<boolean> {
  const endMs = Date.now() + 5000 + Math.random() * 7000
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: 10_000,
    heartbeatInterval: 1000,
    maxWaitTimeInMs: 200,
    metadataMaxAge: 5000,
  })
  const owned = new Set<string>()
  let isCrashed = false
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    note(groupId, payload.error)
    isCrashed = true
  })
  // `commitOffsets` also resolves when it did nothing, because the consumer is about to stop.
  consumer.on(consumer.events.COMMIT_OFFSETS, ({ payload }) => {
    for (const { topic, partitions } of payload.topics)
      for (const { partition, offset } of partitions) emit('committed', groupId, topic, partition, offset)
  })
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    owned.clear()
    for (const [topic, partitions] of Object.entries(payload.memberAssignment)) {
      for (const partition of partitions) {
        owned.add(`${topic} ${partition}`)
        emit('assigned', groupId, life, topic, partition)
      }
    }
  })
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [...topics], fromBeginning: true })
    await run(consumer, groupId, life, owned)
    while (!isCrashed) {
      await sleep(200)
      if (!isConsuming && (await isAtEnd(groupId, topics))) return true
      if (Date.now() > endMs && isProducing) return false
    }
    return false
  } finally {
    await consumer.disconnect()
  }
}

async function run(
  consumer: Consumer,
  groupId: string,
  life: string,
  owned: ReadonlySet<string>,
): Promise<void> {
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch, resolveOffset, isRunning, isStale, heartbeat }) => {
      const { topic, partition, messages } = batch
      if (!isRunning() || isStale() || !owned.has(`${topic} ${partition}`)) return
      for (const message of messages)
        emit('got', groupId, life, topic, partition, message.offset, message.value?.toString() ?? '')
      const next = String(Number(messages.at(-1)?.offset ?? -1) + 1)
      emit('trying', groupId, topic, partition, next)
      try {
        await consumer.commitOffsets([{ topic, partition, offset: next }])
      } catch (error) {
        // The next commit includes it, or whoever takes the partition over reads it again.
        note(groupId, error)
      }
      resolveOffset(String(Number(next) - 1))
      await heartbeat()
    },
  })
}

/** Whether the whole group has committed all there is. */
async function isAtEnd(groupId: string, topics: readonly string[]): Promise<boolean> {
  const admin = kafka.admin()
  try {
    await admin.connect()
    const committed = await admin.fetchOffsets({ groupId, topics: [...topics] })
    for (const { topic, partitions } of committed) {
      for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
        const offset = partitions.find((one) => one.partition === partition)?.offset ?? -1
        if (Number(offset) < Number(high)) return false
      }
    }
    return true
  } catch {
    return false
  } finally {
    await admin.disconnect()
  }
}

const roles = new Map<string, readonly Promise<void>[]>()
const topic = given.get('produce')
const group = given.get('group')
if (topic !== undefined) roles.set('produce', [produce(topic, Number(given.get('perSecond')))])
if (group !== undefined) {
  const topics = given.get('topics')?.split(',') ?? []
  roles.set(
    'consume',
    ['m0', 'm1'].map((name) => member(group, name, topics)),
  )
}
setInterval(() => emit('alive'), 500)
for await (const command of createInterface({ input: process.stdin })) {
  const role = command.slice('stop '.length)
  if (role === 'produce') isProducing = false
  else isConsuming = false
  await Promise.all(roles.get(role) ?? [])
  emit('done', role)
  roles.delete(role)
  if (roles.size === 0) break
}
process.exit(0)
