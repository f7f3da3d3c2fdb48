/** Share consumers (KIP-932), against a running cluster: BOOTSTRAP=host:port, or a kafkito of its own. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/index.ts'
import {
  AcknowledgeType,
  type ClientConfig,
  ConcurrentModificationException,
  IllegalStateException,
  type KafkaException,
  type Message,
  type Messages,
  Producer,
  ShareConsumer,
  TopicPartition,
  ValueError,
} from '../../client/index.ts'
import { DeserializingShareConsumer } from '../../client/serialization/index.ts'
import { IncrementalAlterConfigs } from '../../common/protocol/apis/44-incremental-alter-configs.ts'
import { rawClient } from '../support/raw-client.ts'
import { needs } from './broker-needs.ts'
import { RawCluster, uniqueName } from './support.ts'

let bootstrap = process.env.BOOTSTRAP ?? ''
let own: Cluster | undefined
const open: ShareConsumer[] = []

beforeAll(async () => {
  if (bootstrap !== '') return
  const quick = { 'group.share.min.heartbeat.interval.ms': 100, 'group.share.heartbeat.interval.ms': 200 }
  own = await startCluster({ config: quick })
  bootstrap = own.bootstrapServers
})

afterEach(async () => {
  await Promise.all(open.splice(0).map((consumer) => consumer.close({ timeoutMs: 10_000 })))
})

afterAll(async () => {
  await own?.stop()
})

const groupResource = 32
const setOperation = 0

/** A share group that reads from the beginning. */
async function shareGroup(): Promise<string> {
  const groupId = uniqueName('share')
  const client = rawClient(bootstrap)
  try {
    const configs = [{ name: 'share.auto.offset.reset', configOperation: setOperation, value: 'earliest' }]
    const resources = [{ resourceType: groupResource, resourceName: groupId, configs }]
    const { responses } = await client.call(IncrementalAlterConfigs, { resources, validateOnly: false })
    expect(responses[0]?.errorCode).toBe(0)
  } finally {
    client.close()
  }
  return groupId
}

function consumer(groupId: string, conf: ClientConfig = {}): ShareConsumer {
  const made = new ShareConsumer({ 'bootstrap.servers': bootstrap, 'group.id': groupId, log_level: 0 }, conf)
  open.push(made)
  return made
}

async function filled(count: number, partitions = 1): Promise<string> {
  const topic = uniqueName('shared')
  await new RawCluster(bootstrap).createTopic(topic, partitions)
  await produce(topic, 0, count, partitions)
  return topic
}

async function produce(topic: string, from: number, to: number, partitions = 1): Promise<void> {
  const producer = new Producer({ 'bootstrap.servers': bootstrap, 'linger.ms': 1 })
  for (let index = from; index < to; index++) {
    producer.produce(topic, { value: `v${index}`, key: `k${index}`, partition: index % partitions })
  }
  expect(await producer.flush({ timeoutMs: 20_000 })).toBe(0)
  await producer.close()
}

/** The first batch that is not empty. */
async function batch(from: ShareConsumer): Promise<Messages> {
  const deadline = Date.now() + 30_000
  for (;;) {
    const messages = await from.poll(1)
    if (!messages.isEmpty()) return messages
    if (Date.now() > deadline) throw new Error('no records')
  }
}

const values = (messages: Iterable<Message>): (string | undefined)[] =>
  [...messages].map((message) => message.value()?.toString())

/** Polls by turns until this many records have come. */
async function drain(consumers: readonly ShareConsumer[], count: number): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = []
  for (const deadline = Date.now() + 40_000; found.length < count; ) {
    if (Date.now() > deadline) throw new Error(`${found.length} of ${count}`)
    for (const one of consumers) found.push(...values(await one.poll(0.3)))
  }
  return found
}

describe('implicit acknowledgement', needs('ShareFetch'), () => {
  it('accepts a batch with the next poll; members of a group share the records, each of which comes once', async () => {
    const topic = await filled(300, 3)
    const groupId = await shareGroup()
    const members = [consumer(groupId), consumer(groupId)]
    for (const member of members) member.subscribe([topic])
    const found = await drain(members, 300)
    for (const member of members) await member.commitSync()
    expect(new Set(found).size).toBe(300)
    expect(found).toHaveLength(300)
    for (const member of members) await member.close()
    const late = consumer(groupId)
    late.subscribe([topic])
    await produce(topic, 300, 301)
    expect(values(await batch(late))).toEqual(['v300'])
  })

  it('delivers messages whole, with the count of their deliveries', async () => {
    const topic = await filled(1)
    const member = consumer(await shareGroup())
    member.subscribe([topic])
    expect(member.subscription()).toEqual([topic])
    const messages = await batch(member)
    const [message] = messages
    expect([message?.topic(), message?.partition(), message?.offset()]).toEqual([topic, 0, 0])
    expect([message?.key()?.toString(), message?.value()?.toString()]).toEqual(['k0', 'v0'])
    expect(message?.deliveryCount()).toBe(1)
    expect([messages.count(), messages.length, messages.isEmpty()]).toEqual([1, 1, false])
    expect(messages.records()).toBe(messages)
    expect(messages.slice(0, 1)).toEqual([message])
    expect(() => (messages as unknown as Message[]).push(message as Message)).toThrow(TypeError)
  })

  it('releases what was not accepted when the consumer closes', async () => {
    const topic = await filled(5)
    const groupId = await shareGroup()
    const first = consumer(groupId)
    first.subscribe([topic])
    expect((await batch(first)).count()).toBe(5)
    await first.close()
    const second = consumer(groupId)
    second.subscribe([topic])
    const again = await batch(second)
    expect(values(again)).toEqual(['v0', 'v1', 'v2', 'v3', 'v4'])
    expect(again[0]?.deliveryCount()).toBe(2)
  })

  it('bounds batches softly by max.poll.records', async () => {
    const topic = await filled(10)
    for (let from = 10; from < 100; from += 10) await produce(topic, from, from + 10)
    const member = consumer(await shareGroup(), { 'max.poll.records': 15 })
    member.subscribe([topic])
    // Whole batches, so that some more may come.
    expect((await batch(member)).count()).toBeLessThanOrEqual(25)
    expect((await batch(member)).count()).toBeLessThanOrEqual(25)
  })

  it('passes over what the markers of transactions leave between records', async () => {
    const topic = await filled(1)
    const groupId = await shareGroup()
    const producer = new Producer({ 'bootstrap.servers': bootstrap, 'transactional.id': uniqueName('tx') })
    await producer.initTransactions(30)
    for (const value of ['one', 'two']) {
      producer.beginTransaction()
      producer.produce(topic, { value, partition: 0 })
      await producer.commitTransaction(30)
    }
    await producer.close()
    const member = consumer(groupId)
    member.subscribe([topic])
    expect(await drain([member], 3)).toEqual(['v0', 'one', 'two'])
    const results = await member.commitSync()
    expect([...results.values()].every((error) => error === null)).toBe(true)
    await produce(topic, 1, 2)
    expect(values(await batch(member))).toEqual(['v1'])
  })

  it('does not let the application decide', async () => {
    const topic = await filled(1)
    const member = consumer(await shareGroup())
    member.subscribe([topic])
    const [message] = await batch(member)
    expect(() => member.acknowledge(message as Message)).toThrow(IllegalStateException)
  })
})

describe('explicit acknowledgement', needs('ShareFetch'), () => {
  const explicit = { 'share.acknowledgement.mode': 'explicit' } as const

  it('accepts, rejects and releases record by record', async () => {
    const topic = await filled(3)
    const member = consumer(await shareGroup(), explicit)
    member.subscribe([topic])
    const [one, two, three] = await batch(member)
    member.acknowledge(one as Message)
    member.acknowledge(two as Message, AcknowledgeType.REJECT)
    member.acknowledgeOffset(topic, 0, three?.offset() ?? -1, AcknowledgeType.RELEASE)
    const again = await batch(member)
    expect(values(again)).toEqual(['v2'])
    expect(again[0]?.deliveryCount()).toBe(2)
    member.acknowledge(again[0] as Message)
    const results = await member.commitSync()
    expect(results.get(new TopicPartition(topic, 0))).toBeNull()
    expect((await member.poll(0.5)).isEmpty()).toBe(true)
  })

  it('polls only when every record of the last batch has a verdict', async () => {
    const topic = await filled(2)
    const member = consumer(await shareGroup(), explicit)
    member.subscribe([topic])
    const [one, two] = await batch(member)
    member.acknowledge(one as Message)
    await expect(member.poll(0)).rejects.toThrow(IllegalStateException)
    member.acknowledge(two as Message)
    expect((await member.poll(0.5)).isEmpty()).toBe(true)
    expect(() => member.acknowledge(two as Message)).toThrow(IllegalStateException)
  })

  it('takes a later verdict in place of an earlier one until it has left', async () => {
    const topic = await filled(1)
    const member = consumer(await shareGroup(), explicit)
    member.subscribe([topic])
    const [message] = await batch(member)
    member.acknowledge(message as Message, AcknowledgeType.REJECT)
    member.acknowledge(message as Message, AcknowledgeType.RELEASE)
    const again = await batch(member)
    expect(values(again)).toEqual(['v0'])
    member.acknowledge(again[0] as Message)
    await member.commitSync()
  })

  it('tells the callback what became of the verdicts', async () => {
    const topic = await filled(2)
    const member = consumer(await shareGroup(), explicit)
    const told: [Map<TopicPartition, Set<number>>, KafkaException | null][] = []
    const inside: unknown[] = []
    member.setAcknowledgementCommitCallback((offsets, exception) => {
      told.push([offsets, exception])
      try {
        member.commitAsync()
      } catch (error) {
        inside.push(error)
      }
    })
    member.subscribe([topic])
    const messages = await batch(member)
    for (const message of messages) member.acknowledge(message)
    expect(told).toEqual([])
    member.commitAsync()
    for (const deadline = Date.now() + 20_000; told.length === 0 && Date.now() < deadline; )
      await member.poll(0.1)
    expect(told).toHaveLength(1)
    expect([...(told[0]?.[0].get(new TopicPartition(topic, 0)) ?? [])]).toEqual([0, 1])
    expect(told[0]?.[1]).toBeNull()
    expect(inside[0]).toBeInstanceOf(IllegalStateException)
  })

  it('commits nothing when there is nothing to commit', async () => {
    const topic = await filled(1)
    const member = consumer(await shareGroup(), explicit)
    member.subscribe([topic])
    expect((await member.commitSync()).size).toBe(0)
    const [message] = await batch(member)
    expect((await member.commitSync()).size).toBe(0)
    member.acknowledge(message as Message)
    expect((await member.commitSync()).size).toBe(1)
  })

  it('knows the records and the types', async () => {
    const topic = await filled(1)
    const member = consumer(await shareGroup(), explicit)
    member.subscribe([topic])
    const [message] = await batch(member)
    expect(() => member.acknowledge(message as Message, 9 as AcknowledgeType)).toThrow(ValueError)
    expect(() => member.acknowledgeOffset(null as unknown as string, 0, 0)).toThrow(ValueError)
    expect(() => member.acknowledgeOffset(topic, -1, 0)).toThrow(ValueError)
    expect(() => member.acknowledgeOffset(topic, 0, -1)).toThrow(ValueError)
    expect(() => member.acknowledgeOffset(topic, 0, 77)).toThrow(IllegalStateException)
    member.acknowledge(message as Message)
  })
})

describe('a share consumer with deserializers', needs('ShareFetch'), () => {
  it('hands out objects, and raw bytes with an error where they fail', async () => {
    const topic = await filled(2)
    const conf = { 'bootstrap.servers': bootstrap, 'group.id': await shareGroup(), log_level: 0 }
    const member = new DeserializingShareConsumer<string, number>({
      ...conf,
      'key.deserializer': (bytes) => bytes?.toString() ?? null,
      'value.deserializer': (bytes) => {
        if (bytes?.toString() === 'v1') throw new Error('not that one')
        return bytes?.length ?? null
      },
    })
    try {
      member.subscribe([topic])
      const found: Message<string, number>[] = []
      for (const deadline = Date.now() + 30_000; found.length < 2 && Date.now() < deadline; ) {
        found.push(...(await member.poll(1)))
      }
      expect(found.map((message) => message.value())).toEqual([2, Buffer.from('v1')])
      expect(found.map((message) => message.error()?.name())).toEqual([undefined, '_VALUE_DESERIALIZATION'])
      expect(found[0]?.key()).toBe('k0')
    } finally {
      await member.close()
    }
  })
})

describe('a share consumer', needs('ShareFetch'), () => {
  it('takes names literally, and an empty list for unsubscribe', async () => {
    const topic = await filled(1)
    const member = consumer(await shareGroup())
    await expect(member.poll(0)).rejects.toThrow(IllegalStateException)
    expect(() => member.subscribe([''])).toThrow(ValueError)
    expect(() => member.subscribe(['a', 'a'])).toThrow(ValueError)
    expect(() => member.subscribe('a' as unknown as string[])).toThrow(TypeError)
    member.subscribe(['^.*'])
    expect((await member.poll(0.2)).isEmpty()).toBe(true)
    member.subscribe([])
    expect(member.subscription()).toEqual([])
    await expect(member.poll(0)).rejects.toThrow(IllegalStateException)
    member.subscribe([topic])
    expect(values(await batch(member))).toEqual(['v0'])
  })

  it('follows a change of its subscription', async () => {
    const [first, second] = [await filled(1), await filled(2)]
    const member = consumer(await shareGroup())
    member.subscribe([first])
    expect(values(await batch(member))).toEqual(['v0'])
    member.subscribe([second])
    expect(await drain([member], 2)).toEqual(['v0', 'v1'])
  })

  it('has one caller at a time', async () => {
    const topic = await filled(1)
    const member = consumer(await shareGroup())
    member.subscribe([topic])
    const polling = member.poll(0.2)
    expect(() => member.subscription()).toThrow(ConcurrentModificationException)
    await expect(member.poll(0)).rejects.toThrow(ConcurrentModificationException)
    await polling
  })

  it('stays usable when a poll is aborted, and loses nothing', async () => {
    const topic = await filled(3)
    const member = consumer(await shareGroup())
    member.subscribe([topic])
    const controller = new AbortController()
    const polling = member.poll({ signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(polling).rejects.toThrow('enough')
    expect(await drain([member], 3)).toEqual(['v0', 'v1', 'v2'])
  })

  it('is closed once and for all', async () => {
    const member = consumer(await shareGroup())
    member.subscribe([await filled(1)])
    await member.close()
    await member.close()
    expect(() => member.subscription()).toThrow(IllegalStateException)
    await expect(member.poll(0)).rejects.toThrow(IllegalStateException)
    expect(() => member.setSaslCredentials('a', 'b')).toThrow(IllegalStateException)
  })
})
