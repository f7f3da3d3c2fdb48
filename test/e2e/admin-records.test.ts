/** Records, offsets and log directories through the admin client: BOOTSTRAP=host:port, or a kafkito of its own. */
import { describe, expect, it } from 'vitest'
import {
  IsolationLevel,
  OFFSET_BEGINNING,
  OFFSET_END,
  OffsetSpec,
  TopicPartition,
} from '../../client/index.ts'
import { AdminWorld, errorName } from './admin-support.ts'
import { knows } from './broker-needs.ts'
import { lasting, uniqueName } from './support.ts'

const world = AdminWorld.use()
const firstMs = 1_700_000_000_000

async function filled(offsetsMs: readonly number[], partitionCount = 2): Promise<string> {
  const topic = await world.topic(partitionCount, uniqueName('records'), lasting)
  const producer = world.producer()
  for (const offsetMs of offsetsMs) {
    producer.produce(topic, { value: `${offsetMs}`, timestamp: firstMs + offsetMs, partition: 0 })
    await producer.flush(20)
  }
  return topic
}

describe('deleting records', () => {
  it('before an offset moves the low watermark; OFFSET_END empties the partition', async () => {
    const topic = await filled([0, 10, 20, 30])
    const partition = new TopicPartition(topic, 0)
    const delete_ = (offset: number): Promise<{ lowWatermark: number }> | undefined =>
      world.admin.deleteRecords([new TopicPartition(topic, 0, offset)]).get(partition)
    expect(await delete_(2)).toEqual({ lowWatermark: 2 })
    expect(await delete_(1)).toEqual({ lowWatermark: 2 })
    expect(await delete_(OFFSET_END)).toEqual({ lowWatermark: 4 })
    expect(await errorName(delete_(5))).toBe('OFFSET_OUT_OF_RANGE')
    const consumer = world.consumer({ 'group.id': uniqueName('group'), 'enable.partition.eof': true })
    consumer.assign([new TopicPartition(topic, 0, OFFSET_BEGINNING)])
    expect((await consumer.poll(20))?.offset()).toBe(4)
  })

  it('is refused for each partition by itself', async () => {
    const topic = await filled([0])
    const results = world.admin.deleteRecords([
      new TopicPartition(topic, 0, 1),
      new TopicPartition(topic, 1, 1),
      new TopicPartition(topic, 2, 0),
      new TopicPartition('no-such-topic', 0, 0),
    ])
    expect(await Promise.all([...results.values()].map(errorName))).toEqual([
      'none',
      'OFFSET_OUT_OF_RANGE',
      'UNKNOWN_TOPIC_OR_PART',
      'UNKNOWN_TOPIC_OR_PART',
    ])
  })

  it('of a compacted topic violates the policy', async () => {
    const name = await world.topic(1, uniqueName('compacted'), { 'cleanup.policy': 'compact' })
    const partition = new TopicPartition(name, 0, OFFSET_END)
    expect(await errorName(world.admin.deleteRecords([partition]).get(partition))).toBe('POLICY_VIOLATION')
  })
})

describe('offsets', () => {
  it('are found by place and by time', async () => {
    const topic = await filled([0, 50, 20])
    const [full, empty] = [new TopicPartition(topic, 0), new TopicPartition(topic, 1)]
    const look = async (spec: OffsetSpec): Promise<unknown[]> => {
      const found = await world.admin
        .listOffsets([
          [full, spec],
          [empty, spec],
        ])
        .all()
      return [full, empty].map((partition) => {
        const { offset, timestamp, leaderEpoch } =
          found.get(new TopicPartition(topic, partition.partition)) ?? {}
        return [
          offset,
          timestamp === undefined || timestamp < 0 ? timestamp : timestamp - firstMs,
          leaderEpoch,
        ]
      })
    }
    const nothing = [-1, -1, null]
    // Kafka 2.1 has a place for the epoch, and leaves it empty.
    const epoch = knows('ListOffsets', 5) ? 0 : null
    expect(await look(OffsetSpec.earliest())).toEqual([
      [0, -1, epoch],
      [0, -1, epoch],
    ])
    expect(await look(OffsetSpec.latest())).toEqual([
      [3, -1, epoch],
      [0, -1, epoch],
    ])
    if (knows('ListOffsets', 7))
      expect(await look(OffsetSpec.maxTimestamp())).toEqual([[1, 50, epoch], nothing])
    expect(await look(OffsetSpec.forTimestamp(firstMs + 1))).toEqual([[1, 50, epoch], nothing])
    expect(await look(OffsetSpec.forTimestamp(firstMs + 51))).toEqual([nothing, nothing])
    const at = async (timestampMs?: number): Promise<number[]> =>
      (await world.admin.fetchTopicOffsetsByTimestamp(topic, timestampMs)).map(({ offset }) => offset)
    expect(await at(firstMs + 1)).toEqual([1, 0])
    expect(await at()).toEqual([3, 0])
  })

  it('of an open transaction are the latest, unless only what is committed counts', async () => {
    const topic = await filled([0])
    const producer = world.producer({ 'transactional.id': uniqueName('transaction') })
    await producer.initTransactions(30)
    producer.beginTransaction()
    producer.produce(topic, { value: 'open', partition: 0 })
    await producer.flush(20)
    const partition = new TopicPartition(topic, 0)
    const latest = async (isolationLevel: IsolationLevel): Promise<number | undefined> => {
      const results = world.admin.listOffsets([[partition, OffsetSpec.latest()]], { isolationLevel })
      return (await results.get(partition))?.offset
    }
    expect(await latest(IsolationLevel.READ_UNCOMMITTED)).toBe(2)
    expect(await latest(IsolationLevel.READ_COMMITTED)).toBe(1)
    await producer.abortTransaction(30)
  })

  it('of what does not exist are UNKNOWN_TOPIC_OR_PART', async () => {
    const topic = await world.topic()
    const results = world.admin.listOffsets([
      [new TopicPartition(topic, 1), OffsetSpec.latest()],
      [new TopicPartition('no-such-topic', 0), OffsetSpec.latest()],
    ])
    expect(await Promise.all([...results.values()].map(errorName))).toEqual([
      'UNKNOWN_TOPIC_OR_PART',
      'UNKNOWN_TOPIC_OR_PART',
    ])
  })
})

describe('log directories', () => {
  it('are described broker by broker', async () => {
    const topic = await filled([0], 1)
    const ids = (await world.admin.describeCluster()).nodes.map(({ id }) => id)
    const found = await world.admin.describeLogDirs(ids).all()
    const directories = [...found.values()].flatMap((directory) => [...directory.values()])
    expect(directories.map(({ error }) => error)).toEqual(directories.map(() => null))
    const replicas = directories.flatMap(
      (directory) => directory.replicas.get(new TopicPartition(topic, 0)) ?? [],
    )
    expect(replicas).toMatchObject([{ offsetLag: 0, isFuture: false }])
    expect(replicas[0]?.sizeBytes).toBeGreaterThan(0)
  })
})
