/** A consumer that assigns by hand, against a running cluster: BOOTSTRAP=host:port, or a kafkito of its own. */
import { describe, expect, it } from 'vitest'
import {
  OFFSET_BEGINNING,
  OFFSET_END,
  OFFSET_TAIL_BASE,
  Producer,
  TopicPartition,
} from '../../client/index.ts'
import { ConsumerWorld, nameOfError, numbers, take, values } from './consumer-support.ts'
import { uniqueName } from './support.ts'

const world = ConsumerWorld.use()
const at = (topic: string, offset?: number, partition = 0): TopicPartition =>
  new TopicPartition(topic, partition, offset)

describe('records', () => {
  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'compressed with %s arrive as they were sent',
    async (codec) => {
      const topic = await world.topic()
      await using producer = new Producer({ 'bootstrap.servers': world.bootstrap, 'compression.type': codec })
      for (let index = 0; index < 300; index++) {
        const headers: [string, string | null][] = [
          ['a', '1'],
          ['a', null],
        ]
        producer.produce(topic, { key: `k${index}`, value: `v${index}`, headers, timestamp: 1000 + index })
        if (index % 100 === 99) await producer.flush(20)
      }
      const consumer = world.consumer({ 'check.crcs': true })
      consumer.assign([at(topic)])
      const messages = await take(consumer, 300)
      expect(messages.map((message) => message.offset())).toEqual(
        Array.from({ length: 300 }, (_, index) => index),
      )
      expect(messages[7]?.key()?.toString()).toBe('k7')
      expect(messages[7]?.timestamp()).toEqual([1, 1007])
      expect(messages[7]?.headers()).toEqual([
        ['a', Buffer.from('1')],
        ['a', null],
      ])
      expect(messages[7]?.leaderEpoch()).toBe(0)
    },
  )

  it('nulls and empty bytes stay apart', async () => {
    const topic = await world.topic()
    await using producer = new Producer({ 'bootstrap.servers': world.bootstrap })
    producer.produce(topic)
    producer.produce(topic, { key: '', value: '' })
    await producer.flush(20)
    const consumer = world.consumer()
    consumer.assign([at(topic)])
    const [nulls, empties] = await take(consumer, 2)
    expect([nulls?.key(), nulls?.value(), nulls?.headers()]).toEqual([null, null, null])
    expect([empties?.key()?.length, empties?.value()?.length]).toEqual([0, 0])
  })

  it('a batch larger than max.partition.fetch.bytes arrives', async () => {
    const topic = await world.topic()
    await using producer = new Producer({ 'bootstrap.servers': world.bootstrap })
    producer.produce(topic, { value: Buffer.alloc(200_000, 1) })
    await producer.flush(20)
    const consumer = world.consumer({ 'max.partition.fetch.bytes': 1000 })
    consumer.assign([at(topic)])
    expect((await take(consumer, 1))[0]?.length).toBe(200_000)
  })

  it('with queues that hold next to nothing everything still arrives in order', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 2000, { 'batch.num.messages': 50 })
    const limits = { 'queued.min.messages': 1, 'queued.max.messages.kbytes': 1, 'fetch.queue.backoff.ms': 5 }
    const consumer = world.consumer({ ...limits, 'max.partition.fetch.bytes': 1000 })
    consumer.assign([at(topic)])
    expect(values(await take(consumer, 2000))).toEqual(numbers(0, 2000))
  })
})

describe('starting points', () => {
  it('beginning, end, tail, and absolute offsets', async () => {
    const topic = await world.topic(4)
    for (const partition of [0, 1, 2, 3]) await world.produce(topic, 0, 10, {}, partition)
    const consumer = world.consumer({ 'enable.partition.eof': true })
    const starts = [OFFSET_BEGINNING, OFFSET_END, OFFSET_TAIL_BASE - 3, 6]
    consumer.assign(starts.map((offset, partition) => at(topic, offset, partition)))
    const events: Parameters<typeof take>[2] = []
    const messages = await take(consumer, 10 + 0 + 3 + 4, events)
    const first = (partition: number) =>
      messages.find((message) => message.partition() === partition)?.offset()
    expect([first(0), first(1), first(2), first(3)]).toEqual([0, undefined, 7, 6])
  })

  it.each([
    ['latest', '10'],
    ['earliest', '0'],
    ['by_duration:PT1S', '10'],
    ['by_duration:P99999D', '0'],
  ])('without a committed offset auto.offset.reset=%s decides', async (policy, expected) => {
    const topic = await world.topic()
    await world.produce(topic, 0, 10)
    const consumer = world.consumer({ 'auto.offset.reset': policy, 'enable.partition.eof': true })
    consumer.assign([at(topic)])
    let first = await consumer.poll(15)
    if (first?.error() !== null) {
      await world.produce(topic, 10, 11)
      first = await consumer.poll(15)
    }
    expect(`${first?.value()}`).toBe(expected)
  })

  it('auto.offset.reset=error is told as an event', async () => {
    const topic = await world.topic()
    const consumer = world.consumer({ 'auto.offset.reset': 'error' })
    consumer.assign([at(topic)])
    expect((await consumer.poll(15))?.error()?.name()).toBe('_AUTO_OFFSET_RESET')
    await world.produce(topic, 0, 1)
    await consumer.seek(at(topic, 0))
    expect(values(await take(consumer, 1))).toEqual(['0'])
  })

  it('offsets that were deleted under the consumer are reset once', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 10)
    await world.deleteRecordsBefore(topic, 7)
    const consumer = world.consumer()
    consumer.assign([at(topic, 2)])
    expect(values(await take(consumer, 3))).toEqual(['7', '8', '9'])
  })
})

describe('the end of a partition', () => {
  it('is told once for each arrival, with its offset', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 3)
    const consumer = world.consumer({ 'enable.partition.eof': true })
    consumer.assign([at(topic)])
    const told: (number | null)[] = []
    const readToEnd = async () => {
      for (;;) {
        const message = await consumer.poll(15)
        if (message === null) return
        if (message.error() === null) continue
        expect(message.error()?.name()).toBe('_PARTITION_EOF')
        told.push(message.offset())
        return
      }
    }
    await readToEnd()
    expect(await consumer.poll(0.6)).toBeNull()
    await world.produce(topic, 3, 5)
    await readToEnd()
    await consumer.seek(at(topic, 5))
    await readToEnd()
    expect(told).toEqual([3, 5, 5])
  })
})

describe('seeking and pausing', () => {
  it('after a seek the next message has the wanted offset', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 1000, { 'batch.num.messages': 100 })
    const consumer = world.consumer()
    consumer.assign([at(topic)])
    await take(consumer, 5)
    await consumer.seek(at(topic, 777))
    expect(values(await take(consumer, 3))).toEqual(['777', '778', '779'])
    await consumer.seek(at(topic, OFFSET_BEGINNING))
    expect(values(await take(consumer, 2))).toEqual(['0', '1'])
    expect(consumer.position([at(topic)])[0]?.offset).toBe(2)
  })

  it('seek refuses what is not assigned, does not exist, or is no position', async () => {
    const topic = await world.topic()
    const consumer = world.consumer()
    expect(await nameOfError(() => consumer.seek(at(topic, 0)))).toBe('_STATE')
    consumer.assign([at(topic)])
    expect(await nameOfError(() => consumer.seek(at(topic, -1000)))).toBe('_INVALID_ARG')
    await consumer.getWatermarkOffsets(at(topic), 10)
    expect(await nameOfError(() => consumer.seek(at(topic, 0, 99)))).toBe('_UNKNOWN_PARTITION')
  })

  it('a paused partition keeps its messages until it is resumed', async () => {
    const topic = await world.topic(2)
    await world.produce(topic, 0, 20, {}, 0)
    await world.produce(topic, 0, 20, {}, 1)
    const consumer = world.consumer()
    consumer.assign([at(topic, -2, 0), at(topic, -2, 1)])
    const before = await take(consumer, 5)
    consumer.pause([at(topic, undefined, 0)])
    const own = before.filter((message) => message.partition() === 0)
    const others = await take(consumer, 20 - (before.length - own.length))
    expect(others.every((message) => message.partition() === 1)).toBe(true)
    expect(await consumer.poll(0.2)).toBeNull()
    consumer.resume([at(topic, undefined, 0)])
    const rest = await take(consumer, 20 - own.length)
    expect(values([...own, ...rest])).toEqual(numbers(0, 20))
    const foreign = at(topic, undefined, 9)
    consumer.pause([foreign])
    expect(foreign.error).not.toBeNull()
  })
})

describe('look-ups', () => {
  it('offsetsForTimes: exact, between, before the first, after the last', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 10)
    const consumer = world.consumer()
    const first = 1_700_000_000_000
    const offsets = []
    for (const time of [first + 30, first + 31, 5, first + 91]) {
      offsets.push((await consumer.offsetsForTimes([at(topic, time)], 10))[0]?.offset)
    }
    expect(offsets).toEqual([3, 4, 0, OFFSET_END])
    expect(await nameOfError(() => consumer.offsetsForTimes([], 10))).toBe('_INVALID_ARG')
    const missing = await consumer.offsetsForTimes([at(topic, 0, 7)], 10)
    expect(missing[0]?.error?.name()).toBe('_UNKNOWN_PARTITION')
  })

  it('watermarks come from the leader, or from what fetching has shown', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 10)
    await world.deleteRecordsBefore(topic, 4)
    const consumer = world.consumer()
    expect(await consumer.getWatermarkOffsets(at(topic), { cached: true })).toEqual([-1001, -1001])
    expect(await consumer.getWatermarkOffsets(at(topic), 10)).toEqual([4, 10])
    consumer.assign([at(topic)])
    await take(consumer, 1)
    expect(await consumer.getWatermarkOffsets(at(topic), { cached: true })).toEqual([4, 10])
  })

  it('positions are unknown before the first message and follow it', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 3)
    const consumer = world.consumer()
    consumer.assign([at(topic)])
    expect(consumer.position([at(topic)])[0]?.offset).toBe(-1001)
    await take(consumer, 1)
    expect(consumer.position([at(topic)])[0]?.offset).toBe(1)
    expect(consumer.position([at(topic, undefined, 5)])[0]?.error?.name()).toBe('_UNKNOWN_PARTITION')
  })
})

describe('commits of a consumer outside a group', () => {
  it('an argument-less commit commits what was returned; a synchronous one is not told to on_commit', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 10)
    const told: string[] = []
    const on_commit = (_error: unknown, partitions: readonly TopicPartition[]): void =>
      void told.push(partitions.map(String).join())
    const consumer = world.consumer({ 'enable.auto.commit': false, on_commit })
    consumer.assign([at(topic)])
    expect(await nameOfError(() => consumer.commit())).toBe('_NO_OFFSET')
    expect(await nameOfError(() => consumer.commit({ asynchronous: false }))).toBe('_NO_OFFSET')
    expect((await consumer.committed([at(topic)], 10))[0]?.offset).toBe(-1001)
    const [first, second, third] = await take(consumer, 3)
    expect((await consumer.commit({ asynchronous: false }))[0]?.offset).toBe(3)
    expect(told).toEqual([])
    if (second === undefined || first === undefined) throw new Error('no messages')
    consumer.commit({ message: second })
    while (told.length === 0) await consumer.poll(0.1)
    expect(told).toEqual([`${topic}[0]@2`])
    const offsets = [new TopicPartition(topic, 0, 9, { metadata: 'note', leaderEpoch: 0 })]
    await consumer.commit({ offsets, asynchronous: false })
    expect((await consumer.committed([at(topic)], 10))[0]).toMatchObject({
      offset: 9,
      metadata: 'note',
      leaderEpoch: 0,
    })
    expect(await nameOfError(() => consumer.commit({ message: first, offsets }))).toBe('ValueError')
    expect(third?.offset()).toBe(2)
  })

  it('offsets stored by hand are what is committed', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 10)
    const consumer = world.consumer({ 'enable.auto.offset.store': false, 'enable.auto.commit': false })
    expect(await nameOfError(() => consumer.storeOffsets({}))).toBe('ValueError')
    expect(await nameOfError(() => consumer.storeOffsets({ offsets: [at(topic, 1)] }))).toBe('_STATE')
    consumer.assign([at(topic)])
    const [message] = await take(consumer, 5)
    if (message === undefined) throw new Error('no message')
    consumer.storeOffsets({ message })
    expect((await consumer.commit({ asynchronous: false }))[0]?.offset).toBe(1)
    const automatic = world.consumer()
    automatic.assign([at(topic)])
    expect(await nameOfError(() => automatic.storeOffsets({ message }))).toBe('_INVALID_ARG')
  })

  it('stored offsets are committed at intervals and on close', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 10)
    const group = uniqueName('group')
    const told: number[] = []
    const on_commit = (_error: unknown, partitions: readonly TopicPartition[]): void =>
      void told.push(...partitions.map(({ offset }) => offset))
    const consumer = world.consumer({ 'group.id': group, 'auto.commit.interval.ms': 50, on_commit })
    consumer.assign([at(topic)])
    await take(consumer, 4)
    consumer.pause([at(topic)])
    while (told.length === 0) await consumer.poll(0.1)
    expect(told).toEqual([4])
    consumer.resume([at(topic)])
    await take(consumer, 1)
    await consumer.close()
    const reader = world.consumer({ 'group.id': group })
    expect((await reader.committed([at(topic)], 10))[0]?.offset).toBe(5)
    reader.assign([at(topic)])
    expect(values(await take(reader, 1))).toEqual(['5'])
  })
})

describe('transactions', () => {
  it('aborted and undecided records are hidden with read_committed and visible without', async () => {
    const topic = await world.topic()
    const producer = new Producer({
      'bootstrap.servers': world.bootstrap,
      'transactional.id': uniqueName('id'),
    })
    await producer.initTransactions(30)
    for (const [value, fate] of [
      ['one', 'commit'],
      ['two', 'abort'],
      ['three', 'commit'],
      ['four', 'open'],
    ] as const) {
      producer.beginTransaction()
      producer.produce(topic, { value, partition: 0 })
      await producer.flush(20)
      if (fate === 'commit') await producer.commitTransaction(30)
      if (fate === 'abort') await producer.abortTransaction(30)
    }
    const committed = world.consumer({ 'enable.partition.eof': true })
    committed.assign([at(topic)])
    const events: Parameters<typeof take>[2] = []
    const seen = await take(committed, 2)
    expect(values(seen)).toEqual(['one', 'three'])
    expect(seen.map((message) => message.offset())).toEqual([0, 4])
    const end = await committed.poll(15)
    expect([end?.error()?.name(), end?.offset()]).toEqual(['_PARTITION_EOF', 6])
    const all = world.consumer({ 'isolation.level': 'read_uncommitted' })
    all.assign([at(topic)])
    expect(values(await take(all, 4, events))).toEqual(['one', 'two', 'three', 'four'])
    await producer.commitTransaction(30)
    expect(values(await take(committed, 1))).toEqual(['four'])
    await producer.close()
  })
})

describe('calls', () => {
  it('poll(0) answers at once, a short poll takes its time, an aborted one rejects and loses nothing', async () => {
    const topic = await world.topic()
    const consumer = world.consumer()
    consumer.assign([at(topic)])
    expect(await consumer.poll(0)).toBeNull()
    expect(await consumer.poll(0.05)).toBeNull()
    const controller = new AbortController()
    const waiting = consumer.poll({ timeoutMs: 10_000, signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await world.produce(topic, 0, 1)
    expect(values(await take(consumer, 1))).toEqual(['0'])
  })

  it('consume gives what is there, checks its count, and an empty list for none', async () => {
    const topic = await world.topic()
    await world.produce(topic, 0, 10)
    const consumer = world.consumer()
    consumer.assign([at(topic)])
    expect(await consumer.consume(0)).toEqual([])
    expect(await nameOfError(() => consumer.consume(1_000_001))).toBe('ValueError')
    expect(await nameOfError(() => consumer.consume(-1))).toBe('ValueError')
    expect(await nameOfError(() => consumer.consume({ numMessages: 4 }, 3))).toBe('TypeError')
    expect(values(await consumer.consume(4))).toHaveLength(4)
    expect(values(await consumer.consume({ numMessages: 100, timeoutMs: 5000 }))).toHaveLength(6)
    expect(await consumer.consume(5, 0.1)).toEqual([])
  })

  it('topics and partitions that do not exist are told once', async () => {
    const topic = await world.topic()
    const missing = uniqueName('missing')
    const consumer = world.consumer()
    consumer.assign([at(missing), at(topic, -2, 5)])
    const told = [await consumer.poll(15), await consumer.poll(15)].map((event) => event?.error()?.name())
    expect(told.sort()).toEqual(['UNKNOWN_TOPIC_OR_PART', '_UNKNOWN_PARTITION'])
    expect(await consumer.poll(0.5)).toBeNull()
  })

  it('what makes no sense is refused at once', async () => {
    const topic = await world.topic()
    expect(() => world.consumer({ 'group.id': '' })).toThrow('group.id')
    const consumer = world.consumer()
    expect(await nameOfError(() => consumer.subscribe('topic' as unknown as string[]))).toBe('TypeError')
    for (const topics of [[], [''], ['a', 'a'], ['^(']])
      expect(await nameOfError(() => consumer.subscribe(topics))).toBe('_INVALID_ARG')
    expect(await nameOfError(() => consumer.subscribe(['a'], { onAssign: 1 as never }))).toBe('TypeError')
    expect(await nameOfError(() => consumer.assign([at(topic), at(topic)]))).toBe('_INVALID_ARG')
    expect(await nameOfError(() => consumer.assign([at(topic, -5)]))).toBe('_INVALID_ARG')
    consumer.assign([at(topic)])
    expect(await nameOfError(() => consumer.incrementalAssign([at(topic)]))).toBe('_CONFLICT')
    expect(await nameOfError(() => consumer.incrementalUnassign([at(topic, 0, 1)]))).toBe('_INVALID_ARG')
    expect(consumer.consumerGroupMetadata().generationId).toBe(-1)
    expect(consumer.memberId()).toBeNull()
  })

  it('after close every method says so, and close may be called again', async () => {
    const topic = await world.topic()
    const consumer = world.consumer()
    consumer.assign([at(topic)])
    await consumer.close()
    await consumer.close()
    for (const call of [
      () => consumer.poll(0),
      () => consumer.consume(1, 0),
      () => consumer.assignment(),
      () => consumer.subscribe(['a']),
      () => consumer.commit(),
      () => consumer.memberId(),
      () => consumer.seek(at(topic, 0)),
    ])
      expect(await nameOfError(call)).toBe('ClosedError')
  })
})
