import { describe, expect, it } from 'vitest'
import { IsolationLevel, OFFSET_END, OffsetSpec, TopicPartition } from '../../../../client/index.ts'
import type { ListOffsetsRequest } from '../../../../common/protocol/apis/02-list-offsets.ts'
import type { DeleteRecordsRequest } from '../../../../common/protocol/apis/21-delete-records.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import type { Reaction } from '../support/scripted-broker.ts'
import { AdminWorld } from './scripted-admin.ts'

const at = (partition: number, offset?: number): TopicPartition => new TopicPartition('t', partition, offset)

function deleted(body: unknown, codes: readonly number[] = []): Reaction {
  const topics = (body as DeleteRecordsRequest).topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, offset }) => {
      const errorCode = codes[partitionIndex] ?? 0
      return { partitionIndex, errorCode, lowWatermark: errorCode === 0 ? Math.max(0, offset) : -1 }
    }),
  }))
  return { answer: { topics } }
}

function listed(body: unknown): Reaction {
  const topics = (body as ListOffsetsRequest).topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, timestamp }) => ({
      partitionIndex,
      errorCode: 0,
      timestamp: Math.max(timestamp, -1),
      offset: 10 + partitionIndex,
    })),
  }))
  return { answer: { topics } }
}

describe('records', () => {
  it('are deleted at the leader of each partition, one request a broker', async () => {
    const world = await AdminWorld.make({}, [1, 2])
    world.cluster.topic('t', [1, 2, 2])
    world.answer = ({ api, body }) => (api === 'DeleteRecords' ? deleted(body) : undefined)
    const results = world.admin.deleteRecords([at(0, 5), at(1, 6), at(2, OFFSET_END)])
    await world.settle(results.all())
    expect(await results.get(at(1))).toEqual({ lowWatermark: 6 })
    const requests = world.cluster.seen('DeleteRecords')
    expect(requests.map(({ nodeId }) => nodeId).sort()).toEqual([1, 2])
    const second = requests.find(({ nodeId }) => nodeId === 2)?.body as DeleteRecordsRequest
    expect(second.topics).toEqual([
      {
        name: 't',
        partitions: [
          { partitionIndex: 1, offset: 6 },
          { partitionIndex: 2, offset: -1 },
        ],
      },
    ])
  })

  it('of a partition whose leader moved are asked of the new one, the others only once', async () => {
    const world = await AdminWorld.make({}, [1, 2])
    const logs = world.cluster.topic('t', [1, 1])
    world.answer = ({ api, body, nodeId }) => {
      if (api !== 'DeleteRecords') return undefined
      if (nodeId === 2) return deleted(body)
      for (const log of logs.slice(1)) log.leaderId = 2
      return deleted(body, [0, ErrorCode.NOT_LEADER_OR_FOLLOWER])
    }
    await world.settle(world.admin.deleteRecords([at(0, 1), at(1, 1)]).all())
    const partitions = world.cluster.seen('DeleteRecords').map(({ nodeId, body }) => ({
      nodeId,
      indexes: (body as DeleteRecordsRequest).topics[0]?.partitions.map(
        ({ partitionIndex }) => partitionIndex,
      ),
    }))
    expect(partitions).toEqual([
      { nodeId: 1, indexes: [0, 1] },
      { nodeId: 2, indexes: [1] },
    ])
  })

  it('of what does not exist are refused without asking a leader', async () => {
    const world = await AdminWorld.make()
    world.cluster.topic('t', [1])
    const results = world.admin.deleteRecords([at(7, 1), new TopicPartition('nope', 0, 1)])
    expect(await world.failure(results.get(at(7)))).toBe('UNKNOWN_TOPIC_OR_PART')
    expect(await world.failure(results.get(new TopicPartition('nope', 0)))).toBe('UNKNOWN_TOPIC_OR_PART')
    expect(world.cluster.seen('DeleteRecords')).toEqual([])
  })

  it('of a partition without a leader wait for one until time runs out', async () => {
    const world = await AdminWorld.make()
    const logs = world.cluster.topic('t', [-1, -1])
    world.answer = ({ api, body }) => (api === 'DeleteRecords' ? deleted(body) : undefined)
    const results = world.admin.deleteRecords([at(0, 1), at(1, 1)], { requestTimeoutMs: 2000 })
    await world.cluster.advance(500)
    for (const log of logs.slice(0, 1)) log.leaderId = 1
    expect(await world.settle(results.get(at(0)))).toEqual({ lowWatermark: 1 })
    expect(await world.failure(results.get(at(1)))).toBe('_TIMED_OUT')
  })

  it('of one broker that fails do not hide the answers of the others', async () => {
    const world = await AdminWorld.make({}, [1, 2])
    world.cluster.topic('t', [1, 2])
    world.answer = ({ api, body, nodeId }) => {
      if (api !== 'DeleteRecords') return undefined
      return nodeId === 1 ? deleted(body, [ErrorCode.POLICY_VIOLATION]) : deleted(body)
    }
    const results = world.admin.deleteRecords([at(0, 1), at(1, 1)])
    expect(await world.settle(results.get(at(1)))).toEqual({ lowWatermark: 1 })
    expect(await world.failure(results.get(at(0)))).toBe('POLICY_VIOLATION')
  })
})

describe('offsets', () => {
  it('are found by a Map or by pairs, with the isolation that was asked for', async () => {
    const world = await AdminWorld.make()
    world.cluster.topic('t', [1, 1])
    world.answer = ({ api, body }) => (api === 'ListOffsets' ? listed(body) : undefined)
    const specs = new Map([
      [at(0), OffsetSpec.forTimestamp(77)],
      [at(1), OffsetSpec.latest()],
    ])
    const found = await world.settle(world.admin.listOffsets(specs).all())
    expect(found.get(at(0))).toEqual({ offset: 10, timestamp: 77, leaderEpoch: null })
    expect(found.get(at(1))).toEqual({ offset: 11, timestamp: -1, leaderEpoch: null })
    const options = { isolationLevel: IsolationLevel.READ_COMMITTED }
    await world.settle(world.admin.listOffsets([[at(0), OffsetSpec.earliest()]], options).all())
    const levels = world.cluster
      .seen('ListOffsets')
      .map(({ body }) => (body as ListOffsetsRequest).isolationLevel)
    expect(levels).toEqual([0, 1])
  })

  it('by greatest timestamp are refused by an old broker, the others are not', async () => {
    const world = await AdminWorld.make()
    world.versions = { ListOffsets: 5 }
    world.cluster.topic('t', [1, 1])
    world.answer = ({ api, body }) => (api === 'ListOffsets' ? listed(body) : undefined)
    const results = world.admin.listOffsets([
      [at(0), OffsetSpec.maxTimestamp()],
      [at(1), OffsetSpec.latest()],
    ])
    expect(await world.failure(results.get(at(0)))).toBe('_UNSUPPORTED_FEATURE')
    expect(await world.settle(results.get(at(1)))).toMatchObject({ offset: 11 })
  })
})
