/** Transactions against a running cluster: BOOTSTRAP=host:port npx vitest run test/e2e. Skipped without BOOTSTRAP. */
import { describe, expect, it } from 'vitest'
import {
  type ClientConfig,
  ConsumerGroupMetadata,
  type KafkaError,
  KafkaException,
  Producer,
  TopicPartition,
} from '../../client/index.ts'
import { bootstrap, RawCluster, uniqueName } from './support.ts'

const cluster = new RawCluster(bootstrap ?? '')

async function world(conf: ClientConfig = {}) {
  const topic = uniqueName('transactions')
  await cluster.createTopic(topic, 2)
  const transactionalId = uniqueName('id')
  const producer = new Producer({ 'bootstrap.servers': bootstrap, 'transactional.id': transactionalId }, conf)
  return { topic, transactionalId, producer }
}

async function errorOf(call: () => unknown): Promise<KafkaError | undefined> {
  try {
    await call()
  } catch (error) {
    if (error instanceof KafkaException) return error.error
    throw error
  }
  return undefined
}

describe.skipIf(bootstrap === undefined)('a transactional producer and a real cluster', () => {
  it('committed messages are visible, aborted ones are not', async () => {
    const { topic, producer } = await world()
    await producer.initTransactions(30)
    for (const [value, commits] of [
      ['one', true],
      ['two', false],
      ['three', true],
    ] as const) {
      producer.beginTransaction()
      producer.produce(topic, { value, partition: 0 })
      producer.produce(topic, { value, partition: 1 })
      await producer.flush(20)
      await (commits ? producer.commitTransaction(30) : producer.abortTransaction(30))
    }
    await producer.close()
    expect(await cluster.readCommitted(topic, 0)).toEqual(['one', 'three'])
    expect(await cluster.readCommitted(topic, 1)).toEqual(['one', 'three'])
  })

  it('messages that an abort dropped are reported as purged, and the next transaction goes on', async () => {
    const { topic, producer } = await world({ 'linger.ms': 1000 })
    const errors: (string | null)[] = []
    await producer.initTransactions(30)
    producer.beginTransaction()
    producer.produce(topic, {
      value: 'x',
      partition: 0,
      onDelivery: (error) => void errors.push(error?.name() ?? null),
    })
    await producer.abortTransaction(30)
    expect(errors).toEqual(['_PURGE_QUEUE'])
    producer.beginTransaction()
    producer.produce(topic, { value: 'y', partition: 0 })
    await producer.commitTransaction(30)
    await producer.close()
    expect(await cluster.readCommitted(topic, 0)).toEqual(['y'])
  })

  it('calls in the wrong state are refused', async () => {
    const { topic, producer } = await world()
    expect((await errorOf(() => producer.produce(topic)))?.name()).toBe('_STATE')
    expect((await errorOf(() => producer.beginTransaction()))?.name()).toBe('_STATE')
    await producer.initTransactions(30)
    expect((await errorOf(() => producer.commitTransaction(1)))?.name()).toBe('_STATE')
    await producer.close()
    await using plain = new Producer({ 'bootstrap.servers': bootstrap })
    expect((await errorOf(() => plain.initTransactions(1)))?.name()).toBe('_NOT_CONFIGURED')
  })

  it('a second producer with the same id fences the first', async () => {
    const { topic, transactionalId, producer } = await world()
    await producer.initTransactions(30)
    producer.beginTransaction()
    producer.produce(topic, { value: 'first', partition: 0 })
    await producer.flush(20)
    await using second = new Producer({ 'bootstrap.servers': bootstrap, 'transactional.id': transactionalId })
    await second.initTransactions(30)
    const error = await errorOf(() => producer.commitTransaction(30))
    expect([error?.name(), error?.fatal()]).toEqual(['_FENCED', true])
    expect((await errorOf(() => producer.produce(topic)))?.name()).toBe('_FATAL')
    await errorOf(() => producer.close({ timeoutMs: 0 }))
    expect(await cluster.readCommitted(topic, 0)).toEqual([])
  })

  it('offsets become visible with the commit', async () => {
    const { topic, producer } = await world()
    const groupId = uniqueName('group')
    const group = new ConsumerGroupMetadata(groupId)
    await producer.initTransactions(30)
    producer.beginTransaction()
    await producer.sendOffsetsToTransaction([], group)
    await producer.sendOffsetsToTransaction(
      [new TopicPartition(topic, 0, 42), new TopicPartition(topic, 1)],
      group,
      30,
    )
    await producer.commitTransaction(30)
    await producer.close()
    expect(await cluster.committedOffset(groupId, topic, 0)).toBe(42)
    expect(await cluster.committedOffset(groupId, topic, 1)).toBe(-1)
  })

  it('a commit with a failed message asks for an abort, after which all goes on', async () => {
    const { topic, producer } = await world()
    await producer.initTransactions(30)
    producer.beginTransaction()
    producer.produce(topic, { value: 'x', partition: 99 })
    const error = await errorOf(() => producer.commitTransaction(30))
    expect(error?.txnRequiresAbort()).toBe(true)
    await producer.abortTransaction(30)
    producer.beginTransaction()
    producer.produce(topic, { value: 'y', partition: 0 })
    await producer.commitTransaction(30)
    await producer.close()
    expect(await cluster.readCommitted(topic, 0)).toEqual(['y'])
  })

  it('an operation whose time is over goes on, and only the same call may follow', async () => {
    const { topic, producer } = await world()
    await producer.initTransactions(30)
    producer.beginTransaction()
    producer.produce(topic, { value: 'x', partition: 0 })
    const timedOut = await errorOf(() => producer.commitTransaction({ timeoutMs: 0 }))
    expect([timedOut?.name(), timedOut?.retriable()]).toEqual(['_TIMED_OUT', true])
    expect((await errorOf(() => producer.abortTransaction(30)))?.name()).toBe('_CONFLICT')
    await producer.commitTransaction(30)
    await producer.close()
    expect(await cluster.readCommitted(topic, 0)).toEqual(['x'])
  })
})
