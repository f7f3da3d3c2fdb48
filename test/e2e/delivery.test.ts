/**
 * What the settings promise about losses and doubles, while brokers and clients die at the worst moments. The faults of the fixture choose
 * these moments, so that every count is exact.
 */
import { describe, expect, it } from 'vitest'
import type { TestCluster } from '../../broker/index.ts'
import { type ClientConfig, Consumer, Producer, TopicPartition } from '../../client/index.ts'
import {
  type Brokers,
  compare,
  holds,
  kill,
  leaderOf,
  type Mortal,
  numbers,
  PATIENT,
  revive,
  threeBrokers,
  valuesIn,
} from './delivery-support.ts'

const quiet = { log_level: 0, 'retry.backoff.ms': 20, 'reconnect.backoff.ms': 20 } as const
/** One record a request. */
const single = { ...quiet, 'linger.ms': 0, 'batch.num.messages': 1 } as const

describe('a producer', () => {
  it('with acks=0 loses what does not arrive, and doubles nothing', async () => {
    await using brokers = await threeBrokers('t')
    const { cluster } = brokers
    await using producer = new Producer({
      'bootstrap.servers': cluster.bootstrapServers,
      ...single,
      acks: 0,
    })
    const send = (value: string) => producer.send('t', { value, partition: 0 })
    const lost = cluster.faults.on('Produce', { topic: 't' }).every(3).times(2).drop()
    for (const value of numbers(0, 10)) await send(value)
    await cluster.waitFor.hw('t-0', 8, PATIENT)
    expect(lost.hits).toBe(2)
    lost.remove()
    const held = cluster.faults.on('Produce', { topic: 't' }).hold()
    await send('10')
    await holds(held)
    const cut = new Promise<void>((resolve) => {
      producer.on('disconnect', ({ nodeId }) => {
        if (nodeId === 1) resolve()
      })
    })
    expect(await leaderOf(cluster, 't')).toBe(1)
    await kill(cluster, 1)
    held.remove()
    await cut
    for (const value of numbers(11, 20)) await send(value)
    await cluster.waitFor.hw('t-0', 17, PATIENT)
    await revive(cluster, 1)
    const found = await valuesIn(cluster, 't')
    expect(compare(numbers(0, 20), found)).toEqual({ lost: ['2', '5', '10'], doubled: [] })
  }, 60_000)

  it.each([
    ['acks=all loses nothing, and doubles what it had to send again', false, ['3', '6', '10', '16']],
    ['idempotence doubles only what another life of it sends again', true, ['16']],
  ] as const)(
    'with %s',
    async (_title, isIdempotent, doubled) => {
      await using brokers = await threeBrokers('t')
      const { cluster } = brokers
      const conf: ClientConfig = {
        'bootstrap.servers': cluster.bootstrapServers,
        ...single,
        acks: 'all',
        'enable.idempotence': isIdempotent,
      }
      const send = (producer: Producer, value: string) => producer.send('t', { value, partition: 0 })
      const first = brokers.mortal()
      let producer = new Producer(conf, {}, first.hooks)
      const on = () => cluster.faults.on('Produce', { topic: 't' }).once()
      for (const value of numbers(0, 20)) {
        // The answer is lost with its connection.
        if (value === '3' || value === '6') on().afterApply().disconnect()
        if (value === '10' || value === '13') {
          // The leader dies between the append and the answer, or before the append.
          const held = value === '10' ? on().afterApply().hold() : on().hold()
          const sent = send(producer, value)
          await holds(held)
          const leader = await leaderOf(cluster, 't')
          await kill(cluster, leader)
          held.remove()
          await sent
          await revive(cluster, leader)
        } else if (value === '16') {
          // The client dies before it hears that it was done; its next life does it again.
          const held = on().afterApply().hold()
          void send(producer, value)
          await holds(held)
          first.kill()
          held.remove()
          producer = new Producer(conf, {}, brokers.mortal().hooks)
          await send(producer, value)
        } else await send(producer, value)
      }
      await producer.close()
      expect(compare(numbers(0, 20), await valuesIn(cluster, 't'))).toEqual({ lost: [], doubled })
    },
    60_000,
  )
})

it('an idempotent producer keeps its order when its very first batch is refused for a while', async () => {
  await using brokers = await threeBrokers('t')
  const { cluster } = brokers
  await using producer = new Producer({
    'bootstrap.servers': cluster.bootstrapServers,
    ...single,
    'enable.idempotence': true,
  })
  const refused = cluster.faults.on('Produce', { topic: 't' }).once().error('NOT_LEADER_OR_FOLLOWER')
  await Promise.all(numbers(0, 50).map((value) => producer.send('t', { value, partition: 0 })))
  expect(refused.hits).toBe(1)
  expect(await valuesIn(cluster, 't')).toEqual(numbers(0, 50))
}, 60_000)

/** A member of a group that takes its own place again after a death (KIP-345). */
function member(cluster: TestCluster, { hooks }: Mortal, conf: ClientConfig = {}): Consumer {
  const base = {
    'bootstrap.servers': cluster.bootstrapServers,
    ...quiet,
    'group.id': 'g',
    'group.instance.id': 'the only one',
    'auto.offset.reset': 'earliest',
    'enable.auto.commit': false,
    // The brokers' time runs ahead while somebody is dead.
    'session.timeout.ms': 300_000,
  }
  const consumer = new Consumer(base, conf, hooks)
  consumer.subscribe(['in'])
  return consumer
}

async function take(consumer: Consumer, count: number): Promise<string[]> {
  const values: string[] = []
  while (values.length < count) {
    const message = await consumer.poll(30)
    if (message === null) throw new Error(`nothing came after ${values.length} of ${count}`)
    if (message.error() === null) values.push(`${message.value()}`)
  }
  return values
}

async function commit(consumer: Consumer): Promise<void> {
  const offsets = consumer.position(consumer.assignment())
  const committed = await consumer.commit({ offsets, asynchronous: false })
  expect(committed.map(({ error }) => error)).toEqual([null])
}

/** The coordinator dies after it has committed and before it says so. */
async function commitWhileCoordinatorDies(cluster: TestCluster, consumer: Consumer): Promise<void> {
  const held = cluster.faults.on('OffsetCommit', { group: 'g' }).once().afterApply().hold()
  const committed = commit(consumer)
  await holds(held)
  const coordinator = await cluster.coordinatorOf('group', 'g')
  await kill(cluster, coordinator)
  held.remove()
  await committed
  await revive(cluster, coordinator)
}

describe('a member of a group', () => {
  it('that commits before it processes loses what it had not processed when it died, and doubles nothing', async () => {
    await using brokers = await threeBrokers('in')
    const { cluster } = brokers
    await cluster.topic('in').produce(numbers(0, 24))
    const processed: string[] = []
    const lives = [brokers.mortal(), brokers.mortal(), brokers.mortal()] as const
    const first = member(cluster, lives[0])
    const taken = await take(first, 10)
    await commit(first)
    processed.push(...taken.slice(0, 4))
    lives[0].kill()
    const second = member(cluster, lives[1])
    const others = await take(second, 10)
    await commitWhileCoordinatorDies(cluster, second)
    processed.push(...others)
    lives[1].kill()
    await using third = member(cluster, lives[2])
    processed.push(...(await take(third, 4)))
    expect(compare(numbers(0, 24), processed)).toEqual({ lost: numbers(4, 10), doubled: [] })
  }, 60_000)

  it('that commits after it processed loses nothing, and doubles what it had not committed when it died', async () => {
    await using brokers = await threeBrokers('in')
    const { cluster } = brokers
    await cluster.topic('in').produce(numbers(0, 24))
    const processed: string[] = []
    const lives = [brokers.mortal(), brokers.mortal(), brokers.mortal()] as const
    const first = member(cluster, lives[0])
    processed.push(...(await take(first, 10)))
    lives[0].kill()
    const second = member(cluster, lives[1])
    processed.push(...(await take(second, 10)))
    await commitWhileCoordinatorDies(cluster, second)
    processed.push(...(await take(second, 6)))
    lives[1].kill()
    await using third = member(cluster, lives[2])
    processed.push(...(await take(third, 14)))
    await commit(third)
    expect(compare(numbers(0, 24), processed)).toEqual({ lost: [], doubled: numbers(0, 16) })
  }, 60_000)
})

/** Reads `in`, writes what it makes of it to `out`, and moves on, all in one transaction. */
class Worker {
  readonly consumer: Consumer
  readonly producer: Producer
  readonly #mortal: Mortal

  private constructor(consumer: Consumer, producer: Producer, mortal: Mortal) {
    this.consumer = consumer
    this.producer = producer
    this.#mortal = mortal
  }

  static async start({ cluster, mortal: makeMortal }: Brokers): Promise<Worker> {
    const mortal = makeMortal()
    const base = {
      'bootstrap.servers': cluster.bootstrapServers,
      ...quiet,
      'transactional.id': 'worker',
      // The brokers' time runs ahead while somebody is dead.
      'transaction.timeout.ms': 600_000,
    }
    const producer = new Producer(base, {}, mortal.hooks)
    // What the life before left open is aborted before its offsets are read.
    await producer.initTransactions(30)
    const consumer = member(cluster, mortal, { 'isolation.level': 'read_committed' })
    return new Worker(consumer, producer, mortal)
  }

  /** Begins a transaction with eight records. */
  async transform(): Promise<string[]> {
    const values = await take(this.consumer, 8)
    this.producer.beginTransaction()
    for (const value of values) this.producer.produce('out', { value: `made of ${value}`, partition: 0 })
    expect(await this.producer.flush(30)).toBe(0)
    return values
  }

  async sendOffsets(): Promise<void> {
    const { consumer } = this
    await this.producer.sendOffsetsToTransaction(
      consumer.position(consumer.assignment()),
      consumer.consumerGroupMetadata(),
      30,
    )
  }

  die(): void {
    this.#mortal.kill()
  }

  async close(): Promise<void> {
    await this.producer.close()
    await this.consumer.close()
  }
}

describe('a transactional worker', () => {
  it('makes every output once, whenever it, the leader or the coordinator dies', async () => {
    await using brokers = await threeBrokers('in', 'out')
    const { cluster } = brokers
    await cluster.topic('in').produce(numbers(0, 24))
    const taken: string[][] = []

    // It dies after it wrote.
    let worker = await Worker.start(brokers)
    taken.push(await worker.transform())
    worker.die()

    // The leader dies before it answers; the worker when the offsets are with the coordinator.
    worker = await Worker.start(brokers)
    const append = cluster.faults.on('Produce', { topic: 'out' }).once().afterApply().hold()
    const transformed = worker.transform()
    await holds(append)
    const leader = await leaderOf(cluster, 'out')
    await kill(cluster, leader)
    append.remove()
    taken.push(await transformed)
    await revive(cluster, leader)
    await worker.sendOffsets()
    worker.die()

    // The answer about the offsets is lost; the coordinator dies when the commit is decided.
    worker = await Worker.start(brokers)
    taken.push(await worker.transform())
    cluster.faults.on('TxnOffsetCommit', { group: 'g' }).once().afterApply().disconnect()
    await worker.sendOffsets()
    const decided = cluster.faults.on('EndTxn').once().afterApply().hold()
    const committed = worker.producer.commitTransaction(60)
    await holds(decided)
    const coordinator = await cluster.coordinatorOf('transaction', 'worker')
    await kill(cluster, coordinator)
    decided.remove()
    await committed
    await revive(cluster, coordinator)

    // It dies before it hears of its commit.
    taken.push(await worker.transform())
    await worker.sendOffsets()
    const unheard = cluster.faults.on('EndTxn').once().afterApply().hold()
    worker.producer.commitTransaction(30).catch(() => {})
    await holds(unheard)
    worker.die()
    unheard.remove()

    worker = await Worker.start(brokers)
    taken.push(await worker.transform())
    await worker.sendOffsets()
    await worker.producer.commitTransaction(30)
    expect(await worker.consumer.committed([new TopicPartition('in', 0)], 30)).toMatchObject([{ offset: 24 }])
    await worker.close()

    expect(taken.map(([first]) => first)).toEqual(['0', '0', '0', '8', '16'])
    const wanted = numbers(0, 24).map((value) => `made of ${value}`)
    expect(await valuesIn(cluster, 'out', true)).toEqual(wanted)
    // What the first two lives wrote is in the log, for nobody to see.
    expect(await valuesIn(cluster, 'out')).toHaveLength(24 + 2 * 8)
  }, 120_000)
})
