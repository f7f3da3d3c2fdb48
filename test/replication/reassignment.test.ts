import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster, type TestCluster } from '../../broker/index.ts'
import { CreatePartitions } from '../../common/protocol/apis/37-create-partitions.ts'
import { ListPartitionReassignments } from '../../common/protocol/apis/46-list-partition-reassignments.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { ask, directoriesOn, PATIENT, reassign, reassignments, replicaOn } from './support.ts'

let cluster: TestCluster
let topics = 0

beforeAll(async () => {
  cluster = await startCluster({ brokers: 3 })
})

afterAll(async () => {
  await cluster.stop()
})

/** A topic with ten records on these replicas, whose files are deleted at once when they are no longer wanted. */
async function filledTopic(...assignments: (readonly number[])[]): Promise<string> {
  topics += 1
  const name = `orders${topics}`
  const configs = { 'file.delete.delay.ms': 0, 'min.insync.replicas': 1 }
  await cluster.topic(name).create({ assignments, configs })
  for (const partition of assignments.keys())
    await cluster
      .topic(name)
      .produce(Array.from({ length: 10 }, (_, index) => ({ partition, value: `record ${index}` })))
  return name
}

async function partitionOf(topic: string, partition = 0) {
  const found = (await cluster.describeTopic(topic))[partition]
  if (found === undefined) throw new Error(`no partition ${topic}-${partition}`)
  return found
}

function untilReplicas(topic: string, replicas: readonly number[]): Promise<boolean> {
  return cluster.waitFor.condition(
    `replicas ${replicas} of ${topic}`,
    async () => {
      const partition = await partitionOf(topic)
      const isSettled = (await reassignments(cluster, [{ name: topic, partitionIndexes: [0] }])).length === 0
      return isSettled && String(partition.replicas) === String(replicas)
    },
    PATIENT,
  )
}

describe('a reassignment', () => {
  it('that adds a replica copies all records to it and leaves the lead where it is', async () => {
    const topic = await filledTopic([1])
    expect(await reassign(cluster, topic, [1, 3])).toBe(ErrorCode.NONE)
    await untilReplicas(topic, [1, 3])
    expect(await partitionOf(topic)).toMatchObject({ leader: 1, leaderEpoch: 0, isr: [1, 3] })
    expect(replicaOn(cluster, 3, topic)?.log?.logEndOffset).toBe(10)
  })

  it('that removes a replica deletes its log and files', async () => {
    const topic = await filledTopic([1, 2, 3])
    expect(directoriesOn(cluster, 3, topic)).toEqual([`${topic}-0`])
    expect(await reassign(cluster, topic, [1, 2])).toBe(ErrorCode.NONE)
    await untilReplicas(topic, [1, 2])
    expect(await partitionOf(topic)).toMatchObject({ leader: 1, isr: [1, 2] })
    await cluster.waitFor.condition(
      'the files to be gone',
      () => replicaOn(cluster, 3, topic) === undefined && directoriesOn(cluster, 3, topic).length === 0,
      PATIENT,
    )
  })

  it('to other brokers moves the records and the lead, and a producer goes on', async () => {
    const topic = await filledTopic([1])
    expect(await reassign(cluster, topic, [2])).toBe(ErrorCode.NONE)
    await untilReplicas(topic, [2])
    expect(await partitionOf(topic)).toMatchObject({ leader: 2, leaderEpoch: 1, isr: [2] })
    await cluster.topic(topic).produce({ partition: 0, value: 'after' })
    const records = await cluster.topic(topic).records()
    expect(records.map(({ value }) => value)).toEqual([
      ...Array.from({ length: 10 }, (_, index) => `record ${index}`),
      'after',
    ])
    await cluster.waitFor.condition(
      'the files of broker 1 to be gone',
      () => directoriesOn(cluster, 1, topic).length === 0,
      PATIENT,
    )
  })

  it('to another order of the same replicas makes another broker the preferred leader, for an election to come', async () => {
    const topic = await filledTopic([1, 2])
    expect(await reassign(cluster, topic, [2, 1])).toBe(ErrorCode.NONE)
    await untilReplicas(topic, [2, 1])
    expect(await partitionOf(topic)).toMatchObject({ leader: 1, replicas: [2, 1] })
    await cluster.moveLeader(topic, 0, 2)
  })

  it('swaps the replicas of two partitions at once', async () => {
    const topic = await filledTopic([1], [3])
    expect(await reassign(cluster, topic, [3], { partition: 0 })).toBe(ErrorCode.NONE)
    expect(await reassign(cluster, topic, [1], { partition: 1 })).toBe(ErrorCode.NONE)
    await untilReplicas(topic, [3])
    await cluster.waitFor.leader({ topic, partition: 0 }, 3, PATIENT)
    await cluster.waitFor.leader({ topic, partition: 1 }, 1, PATIENT)
    expect(await cluster.topic(topic).end()).toEqual([10, 10])
  })

  it('that cannot go on is listed, and what is taken back leaves nothing behind', async () => {
    const topic = await filledTopic([1])
    cluster.broker(3).pauseFetch()
    expect(await reassign(cluster, topic, [3])).toBe(ErrorCode.NONE)
    const inProgress = {
      topic,
      partitionIndex: 0,
      replicas: [3, 1],
      addingReplicas: [3],
      removingReplicas: [1],
    }
    expect(await reassignments(cluster)).toEqual([inProgress])
    expect(await reassignments(cluster, [{ name: topic, partitionIndexes: [0, 5] }])).toEqual([inProgress])
    expect(await reassignments(cluster, [{ name: topic, partitionIndexes: [1] }])).toEqual([])
    await cluster.waitFor.condition(
      'the new log',
      () => directoriesOn(cluster, 3, topic).length === 1,
      PATIENT,
    )
    // The leader stays and serves while the copy is not made.
    await cluster.topic(topic).produce({ partition: 0, value: 'meanwhile' })
    expect(await reassign(cluster, topic, null)).toBe(ErrorCode.NONE)
    expect(await reassignments(cluster)).toEqual([])
    expect(await partitionOf(topic)).toMatchObject({ leader: 1, replicas: [1], isr: [1] })
    await cluster.waitFor.condition(
      'the new log to be gone',
      () => directoriesOn(cluster, 3, topic).length === 0,
      PATIENT,
    )
    cluster.broker(3).resumeFetch()
    expect(await reassign(cluster, topic, null)).toBe(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS)
  })

  it('may be changed while it is on its way', async () => {
    const topic = await filledTopic([1])
    cluster.broker(3).pauseFetch()
    expect(await reassign(cluster, topic, [3])).toBe(ErrorCode.NONE)
    expect(await reassign(cluster, topic, [2])).toBe(ErrorCode.NONE)
    await untilReplicas(topic, [2])
    cluster.broker(3).resumeFetch()
    await cluster.waitFor.condition(
      'no log on broker 3',
      () => directoriesOn(cluster, 3, topic).length === 0,
      PATIENT,
    )
  })

  it('goes on when the leader dies in the middle of it', async () => {
    const topic = await filledTopic([1, 2])
    cluster.broker(3).pauseFetch()
    expect(await reassign(cluster, topic, [3, 2])).toBe(ErrorCode.NONE)
    await cluster.broker(1).stop()
    await cluster.waitFor.leader({ topic, partition: 0 }, 2, PATIENT)
    cluster.broker(3).resumeFetch()
    await untilReplicas(topic, [3, 2])
    await cluster.broker(1).start()
    await cluster.waitFor.condition(
      'the old replica to be gone',
      () => replicaOn(cluster, 1, topic) === undefined,
      PATIENT,
    )
    expect(directoriesOn(cluster, 1, topic).every((name) => /-(stray|delete)$/.test(name))).toBe(true)
    expect(await cluster.topic(topic).end()).toEqual([10])
  })

  it('is carried on by the next controller when the one that began it is killed', async () => {
    const activeController = () =>
      cluster.engine.brokers.find(({ controller }) => controller !== undefined)?.nodeId
    const controllerId = activeController() as number
    const [from, to] = [1, 2, 3].filter((nodeId) => nodeId !== controllerId) as [number, number]
    const topic = await filledTopic([from])
    cluster.broker(to).pauseFetch()
    expect(await reassign(cluster, topic, [to])).toBe(ErrorCode.NONE)
    await cluster.broker(controllerId).kill()
    await cluster.waitFor.condition(
      'another controller',
      () => ![controllerId, undefined].includes(activeController()),
      PATIENT,
    )
    const listed = () => ask(cluster, ListPartitionReassignments, { timeoutMs: 10_000, topics: null }, from)
    expect(await listed()).toMatchObject({
      topics: [{ name: topic, partitions: [{ addingReplicas: [to], removingReplicas: [from] }] }],
    })
    cluster.broker(to).resumeFetch()
    await cluster.waitFor.leader({ topic, partition: 0 }, to, PATIENT)
    await cluster.broker(controllerId).start()
    await untilReplicas(topic, [to])
    expect(await cluster.topic(topic).end()).toEqual([10])
  })

  it.each([
    ['to a broker that is not there', [9], ErrorCode.INVALID_REPLICA_ASSIGNMENT],
    ['to nowhere', [], ErrorCode.INVALID_REPLICA_ASSIGNMENT],
    ['to one broker twice', [2, 2], ErrorCode.INVALID_REPLICA_ASSIGNMENT],
    ['of nothing, taken back', null, ErrorCode.NO_REASSIGNMENT_IN_PROGRESS],
  ])('%s is refused', async (_, replicas, error) => {
    const topic = await filledTopic([1])
    expect(await reassign(cluster, topic, replicas)).toBe(error)
    expect(await reassignments(cluster)).toEqual([])
  })

  it('that changes the number of replicas is refused when that is not allowed', async () => {
    const topic = await filledTopic([1])
    const options = { allowReplicationFactorChange: false }
    expect(await reassign(cluster, topic, [1, 2], options)).toBe(ErrorCode.INVALID_REPLICATION_FACTOR)
    expect(await reassign(cluster, topic, [2], options)).toBe(ErrorCode.NONE)
    await untilReplicas(topic, [2])
  })

  it('of an unknown topic or partition is refused', async () => {
    expect(await reassign(cluster, 'nothing', [1])).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const topic = await filledTopic([1])
    expect(await reassign(cluster, topic, [1], { partition: 7 })).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })
})

describe('new partitions', () => {
  it('go where their assignment says', async () => {
    const topic = await filledTopic([1, 2])
    const grow = async (count: number, assignments: readonly (readonly number[])[]) => {
      const wanted = assignments.map((brokerIds) => ({ brokerIds }))
      const answer = await ask(cluster, CreatePartitions, {
        topics: [{ name: topic, count, assignments: wanted }],
        validateOnly: false,
        timeoutMs: 10_000,
      })
      return answer.results[0]?.errorCode
    }
    expect(await grow(3, [[3, 1]])).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
    expect(await grow(2, [[3]])).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
    expect(
      await grow(3, [
        [3, 1],
        [2, 3],
      ]),
    ).toBe(ErrorCode.NONE)
    await cluster.topic(topic).produce([
      { partition: 1, value: 'one' },
      { partition: 2, value: 'two' },
    ])
    const partitions = await cluster.describeTopic(topic)
    expect(partitions.map(({ leader, replicas }) => ({ leader, replicas }))).toEqual([
      { leader: 1, replicas: [1, 2] },
      { leader: 3, replicas: [3, 1] },
      { leader: 2, replicas: [2, 3] },
    ])
    for (const [partition, nodeId] of [
      [1, 1],
      [2, 3],
    ] as const)
      expect(replicaOn(cluster, nodeId, topic, partition)?.log?.logEndOffset).toBe(1)
  })
})

describe('a topic deleted while one of its brokers is down', () => {
  it('is put aside by that broker when it comes back', async () => {
    const topic = await filledTopic([1, 3])
    await cluster.broker(3).stop()
    await cluster.topic(topic).delete()
    await cluster.broker(3).start()
    await cluster.waitFor.condition(
      'no replica',
      () => replicaOn(cluster, 3, topic) === undefined && directoriesOn(cluster, 1, topic).length === 0,
      PATIENT,
    )
    expect(directoriesOn(cluster, 3, topic)).toEqual([
      expect.stringMatching(new RegExp(`^${topic}-0\\.[0-9a-f]{32}-stray$`)),
    ])
  })

  it('does not mix with a topic of the same name that was made meanwhile', async () => {
    const topic = await filledTopic([1, 3])
    await cluster.broker(3).stop()
    await cluster.topic(topic).delete()
    await cluster.topic(topic).create({ assignments: [[1, 3]] })
    await cluster.topic(topic).produce({ partition: 0, value: 'new' })
    await cluster.broker(3).start()
    await cluster.waitFor.isr(`${topic}-0`, [1, 3], PATIENT)
    expect(replicaOn(cluster, 3, topic)?.log?.logEndOffset).toBe(1)
  })
})
