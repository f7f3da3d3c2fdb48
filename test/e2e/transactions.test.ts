/** Transactions against a running cluster: BOOTSTRAP=host:port, or a kafkito of its own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/index.ts'
import {
  type ClientConfig,
  ConsumerGroupMetadata,
  type KafkaError,
  KafkaException,
  Producer,
  TopicPartition,
} from '../../client/index.ts'
import { ApiVersions } from '../../common/protocol/apis/18-api-versions.ts'
import { negotiatedClient } from '../support/raw-client.ts'
import { RawCluster, uniqueName } from './support.ts'

let bootstrap = process.env.BOOTSTRAP ?? ''
let own: Cluster | undefined
let cluster: RawCluster

beforeAll(async () => {
  if (bootstrap === '') {
    own = await startCluster()
    bootstrap = own.bootstrapServers
  }
  cluster = new RawCluster(bootstrap)
})

afterAll(async () => {
  await own?.stop()
})

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

describe('a transactional producer', () => {
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
    expect(await producer.close({ timeoutMs: 0 })).toBe(true)
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

  it('a commit does not wait for messages that are not sent any more because another one has failed', async () => {
    const { topic, producer } = await world({ 'delivery.timeout.ms': 60_000 })
    await producer.initTransactions(30)
    producer.beginTransaction()
    producer.produce(topic, { value: 'kept back', partition: 0 })
    producer.produce(topic, { value: 'nowhere', partition: 7 })
    const error = await errorOf(() => producer.commitTransaction(50))
    expect([error?.name(), error?.txnRequiresAbort()]).toEqual(['_UNKNOWN_PARTITION', true])
    await producer.abortTransaction(30)
    await producer.close()
    expect(await cluster.readCommitted(topic, 0)).toEqual([])
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

  it('has an epoch of its own for every transaction where the cluster speaks the second protocol (KIP-890)', async () => {
    const { topic, producer } = await world()
    await producer.initTransactions(30)
    const group = new ConsumerGroupMetadata(uniqueName('group'))
    for (const commits of [true, false, true]) {
      producer.beginTransaction()
      producer.produce(topic, { value: 'x', partition: 0 })
      await producer.sendOffsetsToTransaction([new TopicPartition(topic, 0, 5)], group, 30)
      await producer.flush(20)
      await (commits ? producer.commitTransaction(30) : producer.abortTransaction(30))
    }
    // Nothing was added: nothing is ended, and the epoch stays.
    producer.beginTransaction()
    await producer.commitTransaction(30)
    await producer.close()
    const { batches } = await cluster.read(topic, 0)
    const epochs = batches.filter(({ isControl }) => !isControl).map(({ producerEpoch }) => producerEpoch)
    const [first = 0] = epochs
    const bump = (await transactionVersion()) >= 2 ? 1 : 0
    expect(epochs).toEqual([first, first + bump, first + 2 * bump])
    expect(await cluster.committedOffset(group.groupId, topic, 0)).toBe(5)
  })
})

async function transactionVersion(): Promise<number> {
  const client = await negotiatedClient(bootstrap)
  try {
    const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
    const { finalizedFeatures } = await client.call(ApiVersions, software)
    return finalizedFeatures.find(({ name }) => name === 'transaction.version')?.maxVersionLevel ?? 0
  } finally {
    client.close()
  }
}
