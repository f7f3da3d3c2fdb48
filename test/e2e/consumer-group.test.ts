/** Consumers in groups of both protocols, against a running cluster: BOOTSTRAP=host:port, or a kafkito of its own. */
import { describe, expect, it } from 'vitest'
import {
  type ClientConfig,
  type Consumer,
  KafkaException,
  Producer,
  TopicPartition,
} from '../../client/index.ts'
import { knows, needs } from './broker-needs.ts'
import { ConsumerWorld, nameOfError, numbers, pollUntil, recorder, take, values } from './consumer-support.ts'
import { uniqueName } from './support.ts'

const world = ConsumerWorld.use()

const quick = { 'heartbeat.interval.ms': 100 } as const
const protocols: readonly (readonly [string, ClientConfig])[] = [
  ['range', { ...quick, 'partition.assignment.strategy': 'range' }],
  ['roundrobin', { ...quick, 'partition.assignment.strategy': 'roundrobin' }],
  ['cooperative-sticky', { ...quick, 'partition.assignment.strategy': 'cooperative-sticky' }],
  ['consumer', { 'group.protocol': 'consumer' }],
]
const known = protocols.filter(([name]) => name !== 'consumer' || knows('ConsumerGroupHeartbeat', 1))
const sizes = (...consumers: Consumer[]): number[] =>
  consumers.map((consumer) => consumer.assignment().length)

describe.each(known)('a group that rebalances by %s', (name, conf) => {
  it('two members share, one takes over what the other leaves, nothing is lost or repeated', async () => {
    const topic = await world.topic(4)
    for (const partition of [0, 1, 2, 3]) await world.produce(topic, 0, 50, {}, partition)
    const group = { ...conf, 'group.id': uniqueName('group') }
    const first = world.consumer(group)
    first.subscribe([topic])
    const seen: string[] = []
    const note = (message: {
      error(): unknown
      partition(): number | null
      offset(): number | null
    }): void => {
      if (message.error() === null) seen.push(`${message.partition()}/${message.offset()}`)
    }
    expect(await pollUntil([first], () => seen.length >= 60, note)).toBe(true)
    const second = world.consumer(group)
    second.subscribe([topic])
    expect(await pollUntil([first, second], () => sizes(first, second).join() === '2,2', note)).toBe(true)
    expect(await pollUntil([first, second], () => seen.length >= 200, note)).toBe(true)
    await first.close()
    for (const partition of [0, 1, 2, 3]) await world.produce(topic, 50, 60, {}, partition)
    expect(await pollUntil([second], () => seen.length >= 240 && sizes(second)[0] === 4, note)).toBe(true)
    expect(new Set(seen).size).toBe(240)
    expect(seen.length).toBe(240)
    const committed = await (await closed(second, group)).committed(
      [0, 1, 2, 3].map((partition) => new TopicPartition(topic, partition)),
      10,
    )
    expect(committed.map(({ offset }) => offset)).toEqual([60, 60, 60, 60])
  })

  it('callbacks tell what changes hands', async () => {
    const topic = await world.topic(2)
    const group = { ...conf, 'group.id': uniqueName('group') }
    const log: string[] = []
    const first = world.consumer(group)
    first.subscribe([topic], recorder('first', log))
    expect(await pollUntil([first], () => sizes(first)[0] === 2)).toBe(true)
    const second = world.consumer(group)
    second.subscribe([topic], recorder('second', log))
    expect(await pollUntil([first, second], () => sizes(first, second).join() === '1,1')).toBe(true)
    const isEager = name === 'range' || name === 'roundrobin'
    const own = log.filter((line) => line.startsWith('first') && !line.endsWith('assign'))
    expect(own[0]).toBe('first assign 0,1')
    if (isEager)
      expect(own.slice(1)).toEqual(['first revoke 0,1', expect.stringMatching(/^first assign [01]$/)])
    else expect(own.slice(1)).toEqual([expect.stringMatching(/^first revoke [01]$/)])
    await first.close()
    expect(log.at(-1)).toMatch(/^first revoke [01]$/)
    expect(await nameOfError(() => second[isEager ? 'incrementalAssign' : 'assign']([]))).toBe('_STATE')
  })

  it('a callback chooses the starting points, and an awaited one holds the messages back', async () => {
    const topic = await world.topic(1)
    await world.produce(topic, 0, 10)
    const consumer = world.consumer({ ...conf })
    let isDone = false
    consumer.subscribe([topic], {
      onAssign: async (self, partitions) => {
        await new Promise((resolve) => setImmediate(resolve))
        isDone = true
        for (const partition of partitions) partition.offset = 7
        if (name === 'range' || name === 'roundrobin') self.assign(partitions)
        else self.incrementalAssign(partitions)
      },
    })
    expect(values(await take(consumer, 3))).toEqual(['7', '8', '9'])
    expect(isDone).toBe(true)
  })

  it('a callback may take less than it is given, and is not asked again', async () => {
    const topic = await world.topic(2)
    await world.produce(topic, 0, 3, {}, 0)
    await world.produce(topic, 3, 6, {}, 1)
    const consumer = world.consumer({ ...conf })
    let calls = 0
    consumer.subscribe([topic], {
      onAssign: (self, partitions) => {
        calls++
        const taken = partitions.filter(({ partition }) => partition === 1)
        if (name === 'range' || name === 'roundrobin') self.assign(taken)
        else self.incrementalAssign(taken)
      },
    })
    expect(values(await take(consumer, 3))).toEqual(['3', '4', '5'])
    expect(await consumer.poll(0.3)).toBeNull()
    expect([calls, sizes(consumer)[0]]).toEqual([1, 1])
  })

  it('a callback that throws ends the poll, and the assignment is applied nevertheless', async () => {
    const topic = await world.topic(1)
    await world.produce(topic, 0, 1)
    const consumer = world.consumer({ ...conf })
    consumer.subscribe([topic], () => {
      throw new Error('from the callback')
    })
    await expect(consumer.poll(15)).rejects.toThrow('from the callback')
    expect(values(await take(consumer, 1))).toEqual(['0'])
  })

  it('unsubscribing gives everything back and leaves', async () => {
    const topic = await world.topic(1)
    await world.produce(topic, 0, 5)
    const group = { ...conf, 'group.id': uniqueName('group') }
    const log: string[] = []
    const first = world.consumer(group)
    first.subscribe([topic], recorder('first', log))
    await take(first, 5)
    first.unsubscribe()
    const second = world.consumer(group)
    second.subscribe([topic])
    expect(await pollUntil([first, second], () => sizes(first, second).join() === '0,1')).toBe(true)
    expect(log).toEqual(['first assign 0', 'first revoke 0'])
    first.subscribe([topic])
    await second.close()
    await world.produce(topic, 5, 6)
    expect(values(await take(first, 1))).toEqual(['5'])
  })

  it('who polls too rarely leaves, is told so, and joins again', async () => {
    const topic = await world.topic(1)
    await world.produce(topic, 0, 1)
    const times = name === 'consumer' ? {} : { 'session.timeout.ms': name === 'consumer' ? 1000 : 6000 }
    const log: string[] = []
    const group = uniqueName('group')
    const away = world.consumer({ ...conf, ...times, 'group.id': group, 'max.poll.interval.ms': 6000 })
    away.subscribe([topic], recorder('away', log))
    await take(away, 1)
    const other = world.consumer({ ...conf, 'group.id': group })
    other.subscribe([topic])
    let waited = 0
    while (sizes(other)[0] === 0 && waited++ < 300) await other.poll(0.1)
    expect(sizes(other)).toEqual([1])
    const events: (string | undefined)[] = []
    expect(
      await pollUntil(
        [away, other],
        () => log.includes('away lost 0'),
        (message) => events.push(message.error()?.name()),
      ),
    ).toBe(true)
    expect(events).toContain('_MAX_POLL_EXCEEDED')
    await other.close()
    expect(await pollUntil([away], () => sizes(away)[0] === 1)).toBe(true)
  })

  it('an expression picks up topics that are created later', async () => {
    const prefix = uniqueName('pattern')
    const one = await world.topic(1, {}, `${prefix}-one`)
    await world.produce(one, 0, 1)
    const consumer = world.consumer({ ...conf, 'topic.metadata.refresh.interval.ms': 300 })
    consumer.subscribe([`^${prefix}-.*`])
    expect((await take(consumer, 1))[0]?.topic()).toBe(one)
    const two = await world.topic(1, {}, `${prefix}-two`)
    await world.produce(two, 0, 1)
    expect((await take(consumer, 1))[0]?.topic()).toBe(two)
  })

  it('new partitions of a topic are assigned', async () => {
    const topic = await world.topic(1)
    const consumer = world.consumer({ ...conf, 'topic.metadata.refresh.interval.ms': 300 })
    consumer.subscribe([topic])
    expect(await pollUntil([consumer], () => sizes(consumer)[0] === 1)).toBe(true)
    await world.growTo(topic, 3)
    expect(await pollUntil([consumer], () => sizes(consumer)[0] === 3)).toBe(true)
  })

  it('a topic that does not exist is told once and read when it is created', async () => {
    const topic = uniqueName('later')
    const consumer = world.consumer({ ...conf, 'topic.metadata.refresh.interval.ms': 300 })
    consumer.subscribe([topic])
    expect((await consumer.poll(15))?.error()?.name()).toBe('UNKNOWN_TOPIC_OR_PART')
    expect(await consumer.poll(0.5)).toBeNull()
    await world.topic(1, {}, topic)
    await world.produce(topic, 0, 1)
    expect(values(await take(consumer, 1))).toEqual(['0'])
  })

  it('a static member keeps its partitions over a restart', needs('JoinGroup', 5), async () => {
    const topic = await world.topic(2)
    const group = { ...conf, 'group.id': uniqueName('group') }
    const log: string[] = []
    const first = world.consumer({ ...group, 'group.instance.id': 'first' })
    first.subscribe([topic])
    const second = world.consumer({ ...group, 'group.instance.id': 'second' })
    second.subscribe([topic])
    expect(await pollUntil([first, second], () => sizes(first, second).join() === '1,1')).toBe(true)
    const [kept] = first.assignment()
    await first.close()
    expect(await pollUntil([second], () => sizes(second)[0] === 2, undefined, 20)).toBe(false)
    const again = world.consumer({ ...group, 'group.instance.id': 'first' })
    again.subscribe([topic], recorder('again', log))
    expect(await pollUntil([again, second], () => sizes(again)[0] === 1)).toBe(true)
    expect(again.assignment().map(String)).toEqual([String(kept)])
  })

  it('a static id that is taken twice ends one of the two', needs('JoinGroup', 5), async () => {
    const topic = await world.topic(1)
    const group = { ...conf, 'group.id': uniqueName('group'), 'group.instance.id': 'same' }
    const older = world.consumer(group)
    older.subscribe([topic])
    expect(await pollUntil([older], () => sizes(older)[0] === 1)).toBe(true)
    const newer = world.consumer(group)
    newer.subscribe([topic])
    const [ended, other] = name === 'consumer' ? [newer, older] : [older, newer]
    let isOver = false
    const background = pollUntil([other], () => isOver)
    const code = await nameOfError(async () => {
      for (let round = 0; round < 100; round++) await ended.poll(0.1)
    })
    expect(code).toBe(name === 'consumer' ? 'UNRELEASED_INSTANCE_ID' : 'FENCED_INSTANCE_ID')
    expect(await nameOfError(() => ended.poll(0.1))).toBe(code)
    expect(await nameOfError(() => ended.subscribe([topic]))).toBe('_FATAL')
    isOver = true
    await background
  })

  it('consumed offsets travel in a transaction', async () => {
    const topic = await world.topic(1)
    await world.produce(topic, 0, 5)
    const group = uniqueName('group')
    const consumer = world.consumer({ ...conf, 'group.id': group, 'enable.auto.commit': false })
    consumer.subscribe([topic])
    await take(consumer, 3)
    const metadata = consumer.consumerGroupMetadata()
    expect(metadata.generationId).toBeGreaterThan(0)
    expect(metadata.memberId).toBe(consumer.memberId())
    await using producer = new Producer({
      'bootstrap.servers': world.bootstrap,
      'transactional.id': uniqueName('id'),
    })
    await producer.initTransactions(30)
    producer.beginTransaction()
    await producer.sendOffsetsToTransaction(consumer.position(consumer.assignment()), metadata, 30)
    await producer.commitTransaction(30)
    const committed = async (): Promise<number | undefined> =>
      (await consumer.committed([new TopicPartition(topic, 0)], 20))[0]?.offset
    // An older broker does not say that offsets are undecided while the transaction's markers are on their way.
    while (!knows('OffsetFetch', 7) && (await committed()) !== 3);
    expect(await committed()).toBe(3)
  })
})

describe('what a member commits', () => {
  it('is refused in the callback that tells of lost partitions', async () => {
    const topic = await world.topic(1)
    await world.produce(topic, 0, 1)
    const consumer = world.consumer({ ...quick, 'session.timeout.ms': 6000, 'max.poll.interval.ms': 6000 })
    let code = ''
    consumer.subscribe([topic], {
      onLost: async (self) => {
        code = await nameOfError(() => self.commit({ asynchronous: false }))
      },
    })
    await take(consumer, 1)
    // Without onLost, onRevoke is told.
    const other = world.consumer({ ...quick, 'session.timeout.ms': 6000, 'max.poll.interval.ms': 6000 })
    const log: string[] = []
    const { onAssign, onRevoke } = recorder('other', log)
    other.subscribe([topic], onAssign, onRevoke)
    await take(other, 1)
    const started = process.hrtime.bigint()
    while (process.hrtime.bigint() - started < 6_500_000_000n)
      await new Promise((resolve) => setImmediate(resolve))
    expect(await pollUntil([consumer], () => code !== '')).toBe(true)
    expect(code).toBe('_ASSIGNMENT_LOST')
    expect(await pollUntil([other], () => log.length >= 3)).toBe(true)
    expect(log.slice(0, 3)).toEqual(['other assign 0', 'other revoke 0', 'other assign 0'])
  })

  it('is all of it, however the messages came', async () => {
    const topic = await world.topic(1)
    await world.produce(topic, 0, 100)
    const group = uniqueName('group')
    const consumer = world.consumer({ 'group.id': group })
    consumer.subscribe([topic])
    const messages = []
    while (messages.length < 100) messages.push(...(await consumer.consume(30, 5)))
    expect(values(messages)).toEqual(numbers(0, 100))
    await consumer.close()
    const reader = world.consumer({ 'group.id': group })
    expect((await reader.committed([new TopicPartition(topic, 0)], 10))[0]?.offset).toBe(100)
  })
})

describe('a loop over messages', () => {
  it(
    'whose body takes longer than max.poll.interval.ms gives its partitions up, is told so, and goes on where it had committed',
    needs('ConsumerGroupHeartbeat', 1),
    async () => {
      const topic = await world.topic(1)
      await world.produce(topic, 0, 3)
      const group = {
        'group.protocol': 'consumer',
        'group.id': uniqueName('group'),
        'enable.auto.commit': false,
      } as const
      const slow = world.consumer({ ...group, 'max.poll.interval.ms': 1500 })
      const told: string[] = []
      slow.on('error', (error) =>
        told.push(error instanceof KafkaException ? error.error.name() : error.name),
      )
      const log: string[] = []
      slow.subscribe([topic], recorder('slow', log))
      const seen: string[] = []
      for await (const message of slow) {
        seen.push(`${message.value()}`)
        if (seen.length === 1) {
          const other = world.consumer(group)
          other.subscribe([topic])
          expect(await pollUntil([other], () => sizes(other)[0] === 1, undefined, 600)).toBe(true)
          await other.close()
        }
        if (seen.length === 4) break
      }
      expect(seen).toEqual(['0', '0', '1', '2'])
      expect(told).toEqual(['_MAX_POLL_EXCEEDED'])
      expect(log).toEqual(['slow assign 0', 'slow lost 0', 'slow assign 0'])
    },
  )
})

async function closed(consumer: Consumer, conf: ClientConfig): Promise<Consumer> {
  await consumer.close()
  return world.consumer(conf)
}
