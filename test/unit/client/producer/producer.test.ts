import { afterEach, describe, expect, it } from 'vitest'
import {
  type BatchMessage,
  BufferError,
  type ClientConfig,
  ClosedError,
  type KafkaError,
  KafkaException,
  Producer,
} from '../../../../client/index.ts'
import type { ProduceRequest } from '../../../../common/protocol/apis/00-produce.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { Delivered } from '../support/delivered.ts'
import { ScriptedCluster } from '../support/scripted-broker.ts'

let open: { cluster: ScriptedCluster; producer: Producer }[] = []

afterEach(async () => {
  for (const { cluster, producer } of open) await cluster.settle(producer.close({ timeoutMs: 0 }))
  open = []
})

async function world(conf: ClientConfig = {}, brokers: readonly number[] = [1]) {
  const cluster = new ScriptedCluster(7)
  for (const nodeId of brokers) await cluster.start(nodeId)
  const base = { 'bootstrap.servers': cluster.bootstrap, log_level: 0 }
  const producer = new Producer(base, conf, { runtime: cluster.sim.machine('client') })
  open.push({ cluster, producer })
  const delivered = new Delivered()
  return { cluster, producer, delivered }
}

function exceptionOf(call: () => void): KafkaException | undefined {
  try {
    call()
  } catch (error) {
    if (error instanceof KafkaException) return error
    throw error
  }
}

function codeThrownBy(call: () => void): string {
  return exceptionOf(call)?.error.name() ?? 'nothing thrown'
}

describe('records', () => {
  it('a record without value and key has null for both and no headers', async () => {
    const { cluster, producer, delivered } = await world()
    const [log] = cluster.topic('t', [1])
    producer.produce('t', { onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(log?.records).toMatchObject([{ key: null, value: null, headers: [] }])
    expect(delivered.reports[0]?.message.headers()).toBeNull()
  })

  it('an empty key and an empty value stay empty', async () => {
    const { cluster, producer, delivered } = await world()
    const [log] = cluster.topic('t', [1])
    producer.produce('t', { key: '', value: '', onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(log?.records[0]?.key?.length).toBe(0)
    expect(delivered.reports[0]?.message.value()?.length).toBe(0)
  })

  it('headers keep order, duplicates and nulls', async () => {
    const { cluster, producer, delivered } = await world()
    const [log] = cluster.topic('t', [1])
    const headers: [string, string | Buffer | null][] = [
      ['a', '1'],
      ['a', null],
      ['b', Buffer.of(0)],
    ]
    producer.produce('t', { headers, onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    const expected = [
      { key: 'a', value: Buffer.from('1') },
      { key: 'a', value: null },
      { key: 'b', value: Buffer.of(0) },
    ]
    expect(log?.records[0]?.headers).toEqual(expected)
    expect(delivered.reports[0]?.message.headers()?.length).toBe(3)
  })

  it('the documented positional order is accepted, and an unknown option refused', async () => {
    const { cluster, producer, delivered } = await world()
    const logs = cluster.topic('t', [1, 1])
    producer.produce('t', 'value', 'key', 1, delivered.callback, 1234, { h: 'x' })
    await cluster.settle(producer.flush())
    expect(logs[1]?.records).toMatchObject([{ timestamp: 1234, key: Buffer.from('key') }])
    expect(() => producer.produce('t', { vlaue: 'x' } as object)).toThrow(TypeError)
  })

  it('timestamp 0 is now, and the report carries it as create time', async () => {
    const { cluster, producer, delivered } = await world()
    cluster.topic('t', [1])
    producer.produce('t', { timestamp: 0, onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    const [type, ms] = delivered.reports[0]?.message.timestamp() ?? []
    expect(type).toBe(1)
    expect(Math.abs((ms ?? 0) - cluster.sim.clock.wallMs())).toBeLessThan(5000)
  })

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'batches compressed with %s are readable',
    async (codec) => {
      const { cluster, producer } = await world({ 'compression.type': codec })
      const [log] = cluster.topic('t', [1])
      for (let index = 0; index < 100; index++) producer.produce('t', { value: `value ${index}` })
      await cluster.settle(producer.flush())
      expect(log?.records.map(({ value }) => value?.toString())).toEqual(
        Array.from({ length: 100 }, (_, index) => `value ${index}`),
      )
    },
  )
})

describe('the local queue', () => {
  it('a full queue throws BufferError until a report was served', async () => {
    const { cluster, producer, delivered } = await world({ 'queue.buffering.max.messages': 3 })
    cluster.topic('t', [1])
    for (let index = 0; index < 3; index++) producer.produce('t', { onDelivery: delivered.callback })
    expect(() => producer.produce('t')).toThrow(BufferError)
    expect(producer.length).toBe(3)
    await cluster.advance(1000)
    expect(() => producer.produce('t')).toThrow(BufferError)
    expect(await cluster.settle(producer.poll(0))).toBe(3)
    expect(producer.length).toBe(0)
    producer.produce('t')
  })

  it('messages without any callback leave the queue when they are acknowledged', async () => {
    const { cluster, producer } = await world()
    cluster.topic('t', [1])
    producer.produce('t', { value: 'x' })
    await cluster.advance(1000)
    expect(producer.len()).toBe(0)
  })

  it('a message above message.max.bytes is refused at once', async () => {
    const { cluster, producer } = await world({ 'message.max.bytes': 1000 })
    cluster.topic('t', [1])
    expect(codeThrownBy(() => producer.produce('t', { value: Buffer.alloc(1000) }))).toBe(
      'MSG_SIZE_TOO_LARGE',
    )
    expect(producer.length).toBe(0)
  })

  it('produceBatch marks the refused message and counts the others', async () => {
    const { cluster, producer, delivered } = await world({ 'message.max.bytes': 1000 })
    cluster.topic('t', [1])
    const messages = [{ value: 'a' }, { value: Buffer.alloc(2000) }, { value: 'c', headers: { h: '1' } }]
    expect(producer.produceBatch('t', messages, { onDelivery: delivered.callback })).toBe(2)
    expect((messages[1] as { _error?: KafkaError })._error?.name()).toBe('MSG_SIZE_TOO_LARGE')
    await cluster.settle(producer.flush())
    expect(delivered.values).toEqual(['a', 'c'])
    expect(() => producer.produceBatch('t', {} as [])).toThrow(TypeError)
    expect(() => producer.produceBatch('t', [1 as never])).toThrow(/\[0\]/)
  })
})

describe('serving', () => {
  it('a callback that throws ends the poll, and the next poll serves the rest', async () => {
    const { cluster, producer } = await world()
    cluster.topic('t', [1])
    const failure = new Error('from the application')
    const seen: string[] = []
    for (const name of ['a', 'b', 'c']) {
      producer.produce('t', {
        value: name,
        onDelivery: () => {
          seen.push(name)
          if (name === 'a') throw failure
        },
      })
    }
    await expect(cluster.settle(producer.poll(10))).rejects.toBe(failure)
    expect(producer.length).toBe(2)
    expect(await cluster.settle(producer.poll(10))).toBe(2)
    expect(seen).toEqual(['a', 'b', 'c'])
  })

  it('flush ignores the linger and waits for what callbacks produce meanwhile', async () => {
    const { cluster, producer, delivered } = await world({ 'linger.ms': 10_000 })
    cluster.topic('t', [1])
    producer.produce('t', {
      value: 'first',
      onDelivery: () => producer.produce('t', { value: 'second', onDelivery: delivered.callback }),
    })
    const startMs = cluster.sim.clock.monotonicMs()
    expect(await cluster.settle(producer.flush())).toBe(0)
    expect(delivered.values).toEqual(['second'])
    expect(cluster.sim.clock.monotonicMs() - startMs).toBeLessThan(1000)
  })

  it('flush(0) tells how much is outstanding', async () => {
    const { cluster, producer } = await world()
    producer.produce('missing', { value: 'x' })
    expect(await cluster.settle(producer.flush(0))).toBe(1)
  })

  it('poll waits no longer than it was told', async () => {
    const { cluster, producer } = await world()
    const startMs = cluster.sim.clock.monotonicMs()
    expect(await cluster.settle(producer.poll(0.1))).toBe(0)
    expect(cluster.sim.clock.monotonicMs() - startMs).toBeCloseTo(100, 0)
  })

  it('delivery.report.only.error keeps successes silent and frees their places', async () => {
    const { cluster, producer, delivered } = await world({ 'delivery.report.only.error': true })
    cluster.topic('t', [1])
    producer.produce('t', { onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(delivered.reports).toEqual([])
    expect(producer.length).toBe(0)
  })

  it('a closed producer refuses everything but close and len', async () => {
    const { cluster, producer } = await world()
    expect(await cluster.settle(producer.close())).toBe(true)
    expect(await cluster.settle(producer.close())).toBe(true)
    expect(() => producer.produce('t')).toThrow(ClosedError)
    await expect(producer.poll(0)).rejects.toThrow(ClosedError)
    expect(producer.len()).toBe(0)
    await cluster.idle()
    expect(cluster.sim.network.openLinks('client')).toBe(0)
  })

  it('purge reports what waits as _PURGE_QUEUE', async () => {
    const { cluster, producer, delivered } = await world({ 'linger.ms': 1000 })
    cluster.topic('t', [1])
    producer.produce('t', { onDelivery: delivered.callback })
    await cluster.advance(500)
    producer.produce('t', { onDelivery: delivered.callback })
    await producer.purge()
    expect(await cluster.settle(producer.poll(0))).toBe(2)
    expect(delivered.errors).toEqual(['_PURGE_QUEUE', '_PURGE_QUEUE'])
    expect(producer.length).toBe(0)
  })
})

describe('batching', () => {
  it('what is produced in one turn leaves in one request for all partitions', async () => {
    const { cluster, producer } = await world()
    cluster.topic('t', [1, 1, 1])
    await cluster.settle(producer.listTopics('t'))
    for (let index = 0; index < 30; index++) producer.produce('t', { partition: index % 3, value: 'x' })
    await cluster.settle(producer.flush())
    expect(cluster.seen('Produce')).toHaveLength(1)
  })

  it('a batch leaves after linger.ms', async () => {
    const { cluster, producer } = await world({ 'linger.ms': 50 })
    cluster.topic('t', [1])
    producer.produce('t', { value: 'warm-up' })
    await cluster.settle(producer.flush())
    producer.produce('t', { value: 'x' })
    const startMs = cluster.sim.clock.monotonicMs()
    await cluster.advance(49)
    expect(cluster.seen('Produce')).toHaveLength(1)
    await cluster.advance(2)
    expect((cluster.seen('Produce')[1]?.atMs ?? 0) - startMs).toBeCloseTo(50, 0)
  })

  it('batch.num.messages bounds a batch', async () => {
    const { cluster, producer } = await world({ 'batch.num.messages': 10 })
    const [log] = cluster.topic('t', [1])
    for (let index = 0; index < 25; index++) producer.produce('t', { value: 'x' })
    await cluster.settle(producer.flush())
    expect(log?.batches.map(({ count }) => count)).toEqual([10, 10, 5])
  })

  it('a batch that the broker finds too large is split', async () => {
    const { cluster, producer, delivered } = await world()
    const [log] = cluster.topic('t', [1])
    let refusals = 0
    cluster.onRequest = ({ api, body }) => {
      if (api !== 'Produce' || refusals >= 1) return undefined
      refusals++
      const { topicData } = body as { topicData: { name: string; topicId: string }[] }
      const answers = topicData.map(({ name, topicId }) => ({
        name,
        topicId,
        partitionResponses: [{ index: 0, errorCode: ErrorCode.MESSAGE_TOO_LARGE, baseOffset: -1 }],
      }))
      return { answer: { responses: answers } }
    }
    for (let index = 0; index < 5; index++)
      producer.produce('t', { value: `${index}`, onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(log?.batches.map(({ count }) => count)).toEqual([3, 2])
    expect(delivered.reports.map(({ message }) => message.offset())).toEqual([0, 1, 2, 3, 4])
  })
})

describe('topics and partitions', () => {
  it('a partition that does not exist is refused at once when metadata is known, else in the report', async () => {
    const { cluster, producer, delivered } = await world()
    cluster.topic('t', [1, 1, 1])
    producer.produce('t', { partition: 99, onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(delivered.errors).toEqual(['_UNKNOWN_PARTITION'])
    expect(codeThrownBy(() => producer.produce('t', { partition: 99 }))).toBe('_UNKNOWN_PARTITION')
  })

  it('an unknown topic fails after the propagation time, and produce refuses it from then on', async () => {
    const { cluster, producer, delivered } = await world({ 'topic.metadata.propagation.max.ms': 2000 })
    producer.produce('missing', { onDelivery: delivered.callback })
    await cluster.advance(1900)
    await cluster.settle(producer.poll(0))
    expect(delivered.reports).toEqual([])
    await cluster.advance(200)
    await cluster.settle(producer.poll(0))
    expect(delivered.errors).toEqual(['_UNKNOWN_TOPIC'])
    expect(codeThrownBy(() => producer.produce('missing'))).toBe('_UNKNOWN_TOPIC')
  })

  it('a topic that is created meanwhile receives its messages', async () => {
    const { cluster, producer, delivered } = await world()
    producer.produce('late', { value: 'x', onDelivery: delivered.callback })
    await cluster.advance(3000)
    cluster.topic('late', [1])
    await cluster.settle(producer.flush())
    expect(delivered.errors).toEqual([null])
  })

  it('a topic that may not be written fails at once', async () => {
    const { cluster, producer, delivered } = await world()
    cluster.topic('secret', [])
    const topic = cluster.topics.get('secret')
    if (topic !== undefined) topic.errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED
    producer.produce('secret', { onDelivery: delivered.callback })
    await cluster.advance(50)
    await cluster.settle(producer.poll(0))
    expect(delivered.errors).toEqual(['TOPIC_AUTHORIZATION_FAILED'])
  })

  it('keyless messages stay with one partition for the sticky time', async () => {
    const { cluster, producer } = await world({ 'sticky.partitioning.linger.ms': 1000 })
    const logs = cluster.topic('t', [1, 1, 1, 1])
    for (let index = 0; index < 100; index++) producer.produce('t', { value: 'x' })
    await cluster.settle(producer.flush())
    expect(logs.map(({ records }) => records.length).sort()).toEqual([0, 0, 0, 100])
  })

  it('the random partitioner spreads them', async () => {
    const { cluster, producer } = await world({ partitioner: 'random' })
    const logs = cluster.topic('t', [1, 1, 1, 1])
    for (let index = 0; index < 100; index++) producer.produce('t', { value: 'x' })
    await cluster.settle(producer.flush())
    expect(logs.every(({ records }) => records.length > 10)).toBe(true)
  })

  it("an application's partitioner decides", async () => {
    const { cluster, producer } = await world({ partitioner: (_topic, key) => Number(key) })
    const logs = cluster.topic('t', [1, 1, 1])
    for (const key of ['2', '0', '2']) producer.produce('t', { key })
    await cluster.settle(producer.flush())
    expect(logs.map(({ records }) => records.length)).toEqual([1, 0, 2])
  })

  it("a message that gets no partition of an application's partitioner fails, and nobody waits for it", async () => {
    const boom = new Error('boom')
    const partitioner = (_topic: string, key: Buffer | null): number => {
      if (`${key}` === 'throw') throw boom
      return Number(key)
    }
    const { cluster, producer, delivered } = await world({ partitioner })
    const [log] = cluster.topic('t', [1])
    // The topic is not known yet: the reports tell.
    for (const key of ['throw', '77', '0.5', '0'])
      producer.produce('t', { key, onDelivery: delivered.callback })
    expect(await cluster.settle(producer.flush())).toBe(0)
    expect(delivered.errors).toEqual(['_APPLICATION', '_UNKNOWN_PARTITION', '_UNKNOWN_PARTITION', null])
    // Now it is: the call tells.
    for (const [key, code, cause] of [
      ['throw', '_APPLICATION', boom],
      ['77', '_UNKNOWN_PARTITION', undefined],
    ] as const) {
      const failure = exceptionOf(() => producer.produce('t', { key }))
      expect([failure?.error.name(), failure?.cause]).toEqual([code, cause])
    }
    expect([producer.len(), log?.records.length]).toEqual([0, 1])
  })

  it('only a plain object is the options of produce, and produceBatch takes its arguments by position too', async () => {
    const { cluster, producer, delivered } = await world()
    const logs = cluster.topic('t', [1, 1])
    for (const value of [new Map(), [1], new Date(0)]) {
      expect(() => producer.produce('t', value as never)).toThrow(/value must be a string, bytes or null/)
    }
    producer.produce('t', Object.assign(Object.create(null), { value: 'bare', partition: 0 }))
    expect(
      producer.produceBatch('t', [{ value: 'x' }, { value: 'y', partition: 0 }], 1, delivered.callback),
    ).toBe(2)
    await cluster.settle(producer.flush())
    expect(logs.map(({ records }) => records.length)).toEqual([2, 1])
    expect(delivered.errors).toEqual([null, null])
    expect(() => producer.produceBatch('t', [{}], 'x' as never)).toThrow(TypeError)
    expect(() => producer.produce('t', { value: 'x' } as never, 'k')).toThrow(/exclude each other/)
    expect(() => producer.produce('t', { value: 'x' } as never, undefined, 0)).toThrow(/exclude each other/)
  })

  it('what the application does to its buffers after produce does not change the record', async () => {
    const { cluster, producer } = await world()
    const [log] = cluster.topic('t', [1])
    const produced = (send: (bytes: Buffer) => void): void => {
      const bytes = Buffer.from('as it was')
      send(bytes)
      bytes.fill('x')
    }
    const sends: Promise<unknown>[] = []
    for (let round = 0; round < 2; round++) {
      // In the first round the topic is not known yet.
      produced((value) => producer.produce('t', { value, key: value, headers: { h: value } }))
      produced((value) => sends.push(producer.send('t', { value })))
      await cluster.settle(producer.flush())
    }
    await Promise.all(sends)
    expect(log?.records.map(({ value }) => String(value))).toEqual(Array(4).fill('as it was'))
    expect(log?.records[0]).toMatchObject({
      key: log?.records[0]?.value,
      headers: [{ value: log?.records[0]?.value }],
    })
  })

  it.each([
    ['the buffers that were given', undefined, 'xxxxxxxxx'],
    ['the buffers that were given', false, 'xxxxxxxxx'],
    ['bytes of its own', true, 'as it was'],
  ])('the report shows %s where copy is %s', async (_, copy, shown) => {
    const { cluster, producer, delivered } = await world()
    const [log] = cluster.topic('t', [1])
    producer.produce('t', { value: 'the topic is known after it' })
    await cluster.settle(producer.flush())
    const value = Buffer.from('as it was')
    producer.produce('t', { value, copy, headers: { h: value }, onDelivery: delivered.callback })
    value.fill('x')
    await cluster.settle(producer.flush())
    const report = delivered.reports[0]?.message
    expect(String(log?.records[1]?.value)).toBe('as it was')
    expect([report?.value(), report?.headers()?.[0]?.[1]].map(String)).toEqual([shown, shown])
    expect(() => producer.produce('t', { value, copy: 'no' as never })).toThrow(/copy must be a boolean/)
  })

  it('what fails before its topic is known is reported with the partition that it asked for', async () => {
    const { cluster, producer, delivered } = await world()
    const partitions = [1, undefined, 1, 4]
    for (const partition of partitions) producer.produce('t', { partition, onDelivery: delivered.callback })
    void producer.purge()
    await cluster.settle(producer.flush())
    expect(delivered.errors).toEqual(Array(4).fill('_PURGE_QUEUE'))
    expect(delivered.reports.map(({ message }) => message.partition()).sort()).toEqual([1, 1, 4, null])
  })

  it('purge takes booleans, and drops nothing when it is given something else', async () => {
    const { producer } = await world()
    producer.produce('t')
    for (const wrong of [{ inQueue: 0 }, { blocking: 'no' }, { inqueue: true }, null, 5])
      expect(() => producer.purge(wrong as never)).toThrow(TypeError)
    expect(producer.length).toBe(1)
  })

  it('produceBatch queues nothing when one message has an argument of the wrong type', async () => {
    const { cluster, producer } = await world()
    cluster.topic('t', [1])
    expect(() => producer.produceBatch('t', [{ value: 'a' }, { value: 5 as never }])).toThrow(TypeError)
    expect(producer.length).toBe(0)
  })

  it('a message of produceBatch that leaves its partition open goes to that of the call', async () => {
    const { cluster, producer } = await world()
    const logs = cluster.topic('t', [1, 1, 1])
    const messages = [{ partition: undefined }, { partition: null }, {}]
    expect(producer.produceBatch('t', messages, { partition: 2 })).toBe(3)
    await cluster.settle(producer.flush())
    expect(logs.map(({ records }) => records.length)).toEqual([0, 0, 3])
  })

  it('a message that produceBatch refused loses its mark when it is accepted later', async () => {
    const { cluster, producer } = await world({ 'queue.buffering.max.messages': 1 })
    cluster.topic('t', [1])
    const messages: BatchMessage[] = [{ value: 'a' }, { value: 'b' }]
    expect(producer.produceBatch('t', messages)).toBe(1)
    const refused = messages.filter(({ _error }) => _error?.name() === '_QUEUE_FULL')
    expect(refused).toEqual([messages[1]])
    await cluster.settle(producer.flush())
    expect(producer.produceBatch('t', refused)).toBe(1)
    expect(refused).toEqual([{ value: 'b' }])
  })
})

it('an array is neither a time-out nor the name of a topic', async () => {
  const { producer } = await world()
  await expect(producer.listTopics([] as never)).rejects.toThrow(TypeError)
  await expect(producer.poll([] as never)).rejects.toThrow(TypeError)
})

describe('close', () => {
  it('ends the serving calls that wait for events', async () => {
    const { cluster, producer } = await world()
    const waiting = [producer.poll(), producer.poll(60), producer.poll({ timeoutMs: 60_000 })]
    await cluster.idle()
    expect(await cluster.settle(producer.close())).toBe(true)
    expect(await Promise.all(waiting)).toEqual([0, 0, 0])
  })

  it('rejects with a TypeError when its options are none, and can be called again', async () => {
    const { cluster, producer } = await world()
    for (const wrong of [5, null, 'x', { timeoutMs: 'x' }, { after: 1 }])
      await expect(producer.close(wrong as never)).rejects.toThrow(TypeError)
    expect(await cluster.settle(producer.close())).toBe(true)
  })
})

describe('failures', () => {
  it('acks=0 succeeds without an offset', async () => {
    const { cluster, producer, delivered } = await world({ acks: 0 })
    const [log] = cluster.topic('t', [1])
    producer.produce('t', { value: 'x', onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(delivered.errors).toEqual([null])
    expect(delivered.reports[0]?.message.offset()).toBeNull()
    await cluster.idle()
    expect(log?.records).toHaveLength(1)
  })

  it('without brokers messages time out after delivery.timeout.ms, and error_cb hears why', async () => {
    const errors: string[] = []
    const { cluster, producer, delivered } = await world({
      'delivery.timeout.ms': 5000,
      error_cb: (error) => void errors.push(error.name()),
    })
    cluster.stop(1)
    producer.produce('t', { onDelivery: delivered.callback })
    await cluster.advance(4900)
    await cluster.settle(producer.poll(0))
    expect(delivered.reports).toEqual([])
    await cluster.advance(200)
    await cluster.settle(producer.poll(0))
    expect(delivered.errors).toEqual(['_MSG_TIMED_OUT'])
    expect(errors).toEqual(['_TRANSPORT', '_ALL_BROKERS_DOWN'])
  })

  it('the time for which a message waits for its topic counts for delivery.timeout.ms', async () => {
    const { cluster, producer, delivered } = await world({
      'delivery.timeout.ms': 5000,
      'topic.metadata.refresh.fast.interval.ms': 100,
    })
    cluster.onRequest = ({ api }) => (api === 'Produce' ? 'silence' : undefined)
    producer.produce('t', { onDelivery: delivered.callback })
    await cluster.advance(3000)
    cluster.topic('t', [1])
    await cluster.advance(1900)
    expect(cluster.seen('Produce')).toHaveLength(1)
    await cluster.settle(producer.poll(0))
    expect(delivered.errors).toEqual([])
    await cluster.advance(200)
    await cluster.settle(producer.poll(0))
    expect(delivered.errors).toEqual(['_MSG_TIMED_OUT'])
  })

  it('a leader that moved is found through the hint in the answer (KIP-951) without waiting', async () => {
    const { cluster, producer, delivered } = await world({}, [1, 2])
    const [log] = cluster.topic('t', [1])
    producer.produce('t', { value: 'a' })
    await cluster.settle(producer.flush())
    cluster.onRequest = ({ api, nodeId, body }) => {
      if (api === 'Metadata') return 'silence'
      if (api !== 'Produce' || nodeId !== 1) return undefined
      const { topicData } = body as { topicData: { name: string; topicId: string }[] }
      const partitionResponses = [
        {
          index: 0,
          errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
          baseOffset: -1,
          currentLeader: { leaderId: 2, leaderEpoch: 1 },
        },
      ]
      const responses = topicData.map(({ name, topicId }) => ({ name, topicId, partitionResponses }))
      return { answer: { responses, nodeEndpoints: [{ nodeId: 2, host: 'broker-2', port: 9092 }] } }
    }
    if (log !== undefined) log.leaderId = 2
    const startMs = cluster.sim.clock.monotonicMs()
    producer.produce('t', { value: 'b', onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(delivered.errors).toEqual([null])
    expect(cluster.sim.clock.monotonicMs() - startMs).toBeLessThan(50)
  })

  it('a leader that moved is found through metadata otherwise', async () => {
    const { cluster, producer, delivered } = await world({}, [1, 2])
    const [log] = cluster.topic('t', [1])
    producer.produce('t', { value: 'a' })
    await cluster.settle(producer.flush())
    if (log !== undefined) Object.assign(log, { leaderId: 2, leaderEpoch: 1 })
    producer.produce('t', { value: 'b', onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(delivered.errors).toEqual([null])
    expect(log?.records).toHaveLength(2)
  })

  it('records that the broker names fail with its text, the others of the batch with _INVALID_DIFFERENT_RECORD', async () => {
    const { cluster, producer, delivered } = await world()
    cluster.topic('t', [1])
    cluster.onRequest = ({ api, body }) => {
      if (api !== 'Produce') return undefined
      const { topicData } = body as { topicData: { name: string; topicId: string }[] }
      const recordErrors = [{ batchIndex: 1, batchIndexErrorMessage: 'no key' }]
      const partitionResponses = [
        { index: 0, errorCode: ErrorCode.INVALID_RECORD, baseOffset: -1, recordErrors },
      ]
      return {
        answer: { responses: topicData.map(({ name, topicId }) => ({ name, topicId, partitionResponses })) },
      }
    }
    for (let index = 0; index < 3; index++)
      producer.produce('t', { value: `${index}`, onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(delivered.errors).toEqual([
      '_INVALID_DIFFERENT_RECORD',
      'INVALID_RECORD',
      '_INVALID_DIFFERENT_RECORD',
    ])
    expect(delivered.reports[1]?.error?.str()).toBe('no key')
  })

  it('retries=0 reports the first failure', async () => {
    const { cluster, producer, delivered } = await world({ retries: 0 })
    cluster.topic('t', [1])
    cluster.onRequest = ({ api }) => (api === 'Produce' ? 'disconnect' : undefined)
    producer.produce('t', { onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(delivered.errors).toEqual(['_TRANSPORT'])
  })

  it('an answer that never comes is retried, and the message ends as _MSG_TIMED_OUT', async () => {
    const { cluster, producer, delivered } = await world({
      'socket.timeout.ms': 1000,
      'delivery.timeout.ms': 3500,
    })
    cluster.topic('t', [1])
    cluster.onRequest = ({ api }) => (api === 'Produce' ? 'silence' : undefined)
    producer.produce('t', { onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(delivered.errors).toEqual(['_MSG_TIMED_OUT'])
    expect(cluster.seen('Produce').length).toBeGreaterThanOrEqual(3)
    expect(cluster.sim.clock.monotonicMs()).toBeCloseTo(3500, -2)
  })
})

/** A broker's refusal of all that a request holds. */
function refusal(body: unknown, errorCode: ErrorCode): { readonly answer: object } {
  const { topicData } = body as ProduceRequest
  const responses = topicData.map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset: -1 })),
  }))
  return { answer: { responses } }
}

describe('idempotence', () => {
  const idempotent = { 'enable.idempotence': true, 'batch.num.messages': 1, 'linger.ms': 0 } as const

  it('lost answers leave neither duplicates nor disorder', async () => {
    const { cluster, producer, delivered } = await world(idempotent)
    const [log] = cluster.topic('t', [1])
    let requests = 0
    cluster.onRequest = ({ api }) => {
      if (api !== 'Produce') return undefined
      requests++
      return requests % 3 === 0 ? (requests % 2 === 0 ? 'disconnect' : 'apply-and-disconnect') : undefined
    }
    for (let index = 0; index < 50; index++)
      producer.produce('t', { value: `${index}`, onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    const expected = Array.from({ length: 50 }, (_, index) => `${index}`)
    expect(log?.records.map(({ value }) => value?.toString())).toEqual(expected)
    expect(delivered.values).toEqual(expected)
    expect(delivered.errors.every((error) => error === null)).toBe(true)
  })

  it.each([
    ['five requests are in flight', idempotent, 5],
    [
      'max.in.flight.requests.per.connection allows are in flight without idempotence',
      { 'max.in.flight': 2, 'batch.num.messages': 1, 'linger.ms': 0 },
      2,
    ],
  ])('no more than %s', async (_, config, limit) => {
    const { cluster, producer } = await world(config)
    cluster.topic('t', [1])
    producer.produce('t', { value: 'first' })
    await cluster.settle(producer.flush())
    cluster.onRequest = ({ api }) => (api === 'Produce' ? 'silence' : undefined)
    for (let index = 0; index < 20; index++) producer.produce('t', { value: `${index}` })
    await cluster.advance(1000)
    expect(cluster.seen('Produce')).toHaveLength(1 + limit)
  })

  it('the first batch of a producer on a partition is alone in flight until it is acknowledged', async () => {
    const { cluster, producer } = await world(idempotent)
    cluster.topic('t', [1])
    cluster.onRequest = ({ api }) => (api === 'Produce' ? 'silence' : undefined)
    for (let index = 0; index < 20; index++) producer.produce('t', { value: `${index}` })
    await cluster.advance(1000)
    expect(cluster.seen('Produce')).toHaveLength(1)
  })

  it.each([
    ['of another leader', { move: true, idleMs: 0 }],
    ['after a minute of silence', { move: false, idleMs: 61_000 }],
  ])('one batch alone is in flight until it is acknowledged, %s too', async (_, { move, idleMs }) => {
    const { cluster, producer } = await world({ ...idempotent, 'connections.max.idle.ms': 0 }, [1, 2])
    const [log] = cluster.topic('t', [1])
    const send = (count: number): void => {
      for (let index = 0; index < count; index++) producer.produce('t', { value: `${index}` })
    }
    send(3)
    await cluster.settle(producer.flush())
    if (log !== undefined && move) Object.assign(log, { leaderId: 2, leaderEpoch: 1 })
    if (move) await cluster.settle(producer.listTopics('t'))
    await cluster.advance(idleMs)
    const before = cluster.seen('Produce').length
    cluster.onRequest = ({ api, nodeId }) =>
      api === 'Produce' && nodeId === log?.leaderId ? 'silence' : undefined
    send(5)
    await cluster.advance(1000)
    const after = cluster.seen('Produce').slice(before)
    expect(after.filter(({ nodeId }) => nodeId === log?.leaderId)).toHaveLength(1)
  })

  it('a topic that was deleted and made anew gets a new epoch, in order', async () => {
    const { cluster, producer, delivered } = await world({
      ...idempotent,
      'topic.metadata.refresh.interval.ms': 1000,
    })
    cluster.topic('t', [1])
    for (const value of ['old 1', 'old 2']) producer.produce('t', { value })
    await cluster.settle(producer.flush())
    const [log] = cluster.topic('t', [1])
    const topic = cluster.topics.get('t')
    if (topic !== undefined) cluster.topics.set('t', { ...topic, id: 'AAAAAAAAAAAAAAAAAAAACQ' })
    await cluster.advance(2000)
    let isFirst = true
    cluster.onRequest = ({ api, body }) => {
      if (api !== 'Produce' || !isFirst) return undefined
      isFirst = false
      return refusal(body, ErrorCode.NOT_LEADER_OR_FOLLOWER)
    }
    const values = ['1', '2', '3', '4', '5']
    for (const value of values) producer.produce('t', { value, onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(delivered.errors).toEqual([null, null, null, null, null])
    expect(log?.records.map(({ value }) => value?.toString())).toEqual(values)
    expect(log?.batches[0]).toMatchObject({ producerEpoch: 1, baseSequence: 0 })
  })

  it('what may be stored is asked for again by its sequence before a new epoch begins', async () => {
    const { cluster, producer, delivered } = await world(idempotent)
    const [log] = cluster.topic('t', [1])
    producer.produce('t', { value: 'first' })
    await cluster.settle(producer.flush())
    let produced = 0
    cluster.onRequest = ({ api, body }) => {
      if (api !== 'Produce') return undefined
      produced++
      if (produced === 1) return { ...refusal(body, ErrorCode.REQUEST_TIMED_OUT), isApplied: true }
      return produced === 2 ? refusal(body, ErrorCode.INVALID_RECORD) : undefined
    }
    for (const value of ['stored', 'refused', 'last'])
      producer.produce('t', { value, onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(log?.records.map(({ value }) => value?.toString())).toEqual(['first', 'stored', 'last'])
    expect(delivered.errors.toSorted()).toEqual(['INVALID_RECORD', null, null])
    expect(log?.batches.map(({ producerEpoch }) => producerEpoch)).toEqual([0, 0, 1])
  })

  it('a new producer id waits until what is in flight with the old one is answered', async () => {
    const { cluster, producer, delivered } = await world({ ...idempotent, 'linger.ms': 1 }, [1, 2])
    const [log] = cluster.topic('t', [1, 2])
    producer.produce('t', { partition: 0, value: 'first' })
    await cluster.settle(producer.flush())
    let isRefused = false
    cluster.onRequest = ({ api, nodeId, body }) => {
      if (api !== 'Produce') return undefined
      if (nodeId === 2)
        return cluster.seen('InitProducerId').length > 1
          ? undefined
          : refusal(body, ErrorCode.INVALID_PRODUCER_EPOCH)
      if (isRefused) return undefined
      isRefused = true
      return { ...refusal(body, ErrorCode.NOT_ENOUGH_REPLICAS), delayMs: 500 }
    }
    const send = (partition: number, value: string): void =>
      producer.produce('t', { partition, value, onDelivery: delivered.callback })
    send(0, 'a')
    send(1, 'fenced')
    await cluster.advance(200)
    expect(cluster.seen('InitProducerId')).toHaveLength(2)
    send(0, 'b')
    await cluster.settle(producer.flush())
    expect(log?.records.map(({ value }) => value?.toString())).toEqual(['first', 'a', 'b'])
    expect(delivered.errors).toEqual([null, null, null])
  })

  it('a gap after purged messages is closed by a new epoch of the partition', async () => {
    const { cluster, producer, delivered } = await world(idempotent)
    const [log] = cluster.topic('t', [1])
    cluster.onRequest = ({ api }) => (api === 'Produce' ? 'silence' : undefined)
    producer.produce('t', { value: 'lost', onDelivery: delivered.callback })
    await cluster.advance(1000)
    await producer.purge()
    cluster.onRequest = () => undefined
    producer.produce('t', { value: 'kept', onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(delivered.errors).toEqual(['_PURGE_INFLIGHT', null])
    expect(log?.batches.map(({ producerEpoch, baseSequence }) => [producerEpoch, baseSequence])).toEqual([
      [1, 0],
    ])
  })

  it('a gap that nothing explains is fatal: poll throws, produce answers _FATAL', async () => {
    const { cluster, producer, delivered } = await world(idempotent)
    const [log] = cluster.topic('t', [1])
    producer.produce('t', { value: 'a' })
    producer.produce('t', { value: 'b' })
    await cluster.settle(producer.flush())
    log?.batches.pop()
    log?.batches.pop()
    log?.batches.push({ producerId: 1000, producerEpoch: 0, baseSequence: 70, baseOffset: 0, count: 1 })
    producer.produce('t', { value: 'c', onDelivery: delivered.callback })
    const failure = await cluster.settle(producer.flush().catch((error: unknown) => error))
    expect(failure).toBeInstanceOf(KafkaException)
    expect((failure as KafkaException).error.fatal()).toBe(true)
    expect(delivered.errors).toEqual(['OUT_OF_ORDER_SEQUENCE_NUMBER'])
    expect(codeThrownBy(() => producer.produce('t'))).toBe('_FATAL')
  })

  it('a producer that has failed fatally can be closed, whether or not the error was told before', async () => {
    const { cluster, producer, delivered } = await world({ ...idempotent, 'enable.gapless.guarantee': true })
    cluster.topic('t', [1])
    cluster.onRequest = ({ api, body }) =>
      api === 'Produce' ? refusal(body, ErrorCode.INVALID_RECORD) : undefined
    producer.produce('t', { onDelivery: delivered.callback })
    await cluster.idle()
    expect(await cluster.settle(producer.close())).toBe(true)
    expect(delivered.errors).toHaveLength(1)
  })

  it('splitting again and again keeps the order', async () => {
    const { cluster, producer, delivered } = await world({ 'enable.idempotence': true })
    const [log] = cluster.topic('t', [1])
    cluster.onRequest = ({ api, body }) => {
      if (api !== 'Produce') return undefined
      const { topicData } = body as { topicData: { topicId: string; partitionData: { records: Buffer }[] }[] }
      if ((topicData[0]?.partitionData[0]?.records.length ?? 0) < 500) return undefined
      const partitionResponses = [{ index: 0, errorCode: ErrorCode.MESSAGE_TOO_LARGE, baseOffset: -1 }]
      return { answer: { responses: topicData.map(({ topicId }) => ({ topicId, partitionResponses })) } }
    }
    for (let index = 0; index < 40; index++) {
      const value = index === 17 ? Buffer.alloc(1000) : Buffer.alloc(100, index)
      producer.produce('t', { value, onDelivery: delivered.callback })
    }
    await cluster.settle(producer.flush())
    expect(delivered.errors.filter((error) => error !== null)).toEqual(['MSG_SIZE_TOO_LARGE'])
    const expected = Array.from({ length: 40 }, (_, index) => index).filter((index) => index !== 17)
    expect(log?.records.map(({ value }) => value?.[0])).toEqual(expected)
  })

  it('a refused producer epoch gets a new producer id', async () => {
    const { cluster, producer, delivered } = await world(idempotent)
    const [log] = cluster.topic('t', [1])
    producer.produce('t', { value: 'a' })
    await cluster.settle(producer.flush())
    log?.batches.push({ producerId: 1000, producerEpoch: 9, baseSequence: 0, baseOffset: 0, count: 1 })
    producer.produce('t', { value: 'b', onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(delivered.errors).toEqual([null])
    expect(log?.batches.at(-1)?.producerId).toBe(1001)
  })
})

describe('callbacks of the handle', () => {
  it('stats_cb receives a document every interval', async () => {
    const documents: {
      readonly type: string
      readonly brokers: Record<string, { readonly state: string }>
    }[] = []
    const { cluster, producer } = await world({
      'statistics.interval.ms': 1000,
      stats_cb: (json) => void documents.push(JSON.parse(json)),
    })
    cluster.topic('t', [1])
    producer.produce('t', { value: 'x' })
    await cluster.advance(2500)
    expect(await cluster.settle(producer.poll(0))).toBe(2)
    expect(documents[1]).toMatchObject({ type: 'producer', txmsgs: 1, topics: { t: { topic: 't' } } })
    expect(Object.values(documents[1]?.brokers ?? {})[0]?.state).toBe('UP')
  })

  it('a document says of messages whose partition is still to be chosen what it says of a partition', async () => {
    type Topics = Record<string, { readonly partitions: Record<string, object> }>
    const documents: { readonly topics: Topics }[] = []
    const { cluster, producer } = await world({
      'statistics.interval.ms': 1000,
      stats_cb: (json) => void documents.push(JSON.parse(json)),
    })
    cluster.topic('t', [1])
    producer.produce('t', { value: 'x' })
    await cluster.advance(1500)
    await cluster.settle(producer.poll(0))
    const partitions = documents[0]?.topics.t?.partitions ?? {}
    expect(Object.keys(partitions)).toEqual(['0', '-1'])
    expect(Object.keys(partitions[-1] ?? {})).toEqual(Object.keys(partitions[0] ?? {}))
    expect(partitions[-1]).toMatchObject({ partition: -1, leader: -1, msgq_cnt: 0, consumer_lag: -1 })
  })

  it('throttle_cb hears of quotas, and nothing is sent until the delay has passed (KIP-219)', async () => {
    const events: string[] = []
    const { cluster, producer } = await world({ throttle_cb: (event) => void events.push(String(event)) })
    cluster.topic('t', [1])
    producer.produce('t', { value: 'a' })
    await cluster.settle(producer.flush())
    cluster.onRequest = ({ api, body }) => {
      if (api !== 'Produce' || cluster.seen('Produce').length > 2) return undefined
      const { topicData } = body as { topicData: { name: string; topicId: string }[] }
      const partitionResponses = [{ index: 0, errorCode: 0, baseOffset: 1 }]
      const responses = topicData.map(({ name, topicId }) => ({ name, topicId, partitionResponses }))
      return { answer: { responses, throttleTimeMs: 700 } }
    }
    producer.produce('t', { value: 'b' })
    await cluster.settle(producer.flush())
    producer.produce('t', { value: 'c' })
    await cluster.settle(producer.flush())
    expect(events).toEqual(['broker-1:9092/1/1 throttled for 700 ms'])
    const [, second, third] = cluster.seen('Produce')
    expect((third?.atMs ?? 0) - (second?.atMs ?? 0)).toBeGreaterThanOrEqual(700)
  })
})
