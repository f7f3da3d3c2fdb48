/** Topics and partitions through the admin client, against a running cluster: BOOTSTRAP=host:port, or a kafkito of its own. */
import { describe, expect, it } from 'vitest'
import { AclOperation, AdminClient, NewPartitions, NewTopic, TopicCollection } from '../../client/index.ts'
import { AdminWorld, errorName } from './admin-support.ts'
import { isKraft, needs } from './broker-needs.ts'
import { uniqueName } from './support.ts'

const world = AdminWorld.use()

/** Until the description says so: brokers learn of changes a moment after they are made. */
async function partitionsOf(topic: string, count: number): Promise<number[]> {
  for (;;) {
    const found = await world.admin
      .describeTopics([topic])
      .get(topic)
      ?.catch(() => undefined)
    if (found?.partitions.length === count) return found.partitions.map(({ id }) => id)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function isGone(topic: string): Promise<boolean> {
  for (;;) {
    if ((await errorName(world.admin.describeTopics([topic]).get(topic))) === 'UNKNOWN_TOPIC_OR_PART')
      return true
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('creating topics', () => {
  it('fails for each topic by itself', async () => {
    const old = await world.topic()
    const names = { fresh: uniqueName('fresh'), bad: 'no such name', wide: uniqueName('wide') }
    // With ZooKeeper such a topic is made, and waits for its leader in vain.
    const nowhere = { replicaAssignment: [[4711]] }
    const results = world.admin.createTopics([
      new NewTopic(old, 1, 1),
      new NewTopic(names.fresh, 2, 1, { config: { 'retention.ms': 1000 } }),
      new NewTopic(names.bad, 1, 1),
      new NewTopic(names.wide, 1, 100),
      new NewTopic(`${names.fresh}-0`, 0, 1),
      new NewTopic(`${names.fresh}-config`, 1, 1, { config: { 'retention.ms': 'long' } }),
      ...(isKraft ? [new NewTopic(`${names.fresh}-assigned`, -1, -1, nowhere)] : []),
    ])
    const outcomes = await Promise.all([...results.values()].map(errorName))
    expect(outcomes).toEqual([
      'TOPIC_ALREADY_EXISTS',
      'none',
      'TOPIC_EXCEPTION',
      'INVALID_REPLICATION_FACTOR',
      'INVALID_PARTITIONS',
      'INVALID_CONFIG',
      ...(isKraft ? ['INVALID_REPLICA_ASSIGNMENT'] : []),
    ])
    expect(await partitionsOf(names.fresh, 2)).toEqual([0, 1])
  })

  it('refuses a topic that is named twice', async () => {
    const name = uniqueName('twice')
    const results = world.admin.createTopics([new NewTopic(name, 1, 1), new NewTopic(name, 1, 1)])
    expect(results.size).toBe(1)
    expect(await errorName(results.get(name))).toBe('INVALID_REQUEST')
  })

  it('makes nothing when it is only to validate', async () => {
    const name = uniqueName('checked')
    const options = { validateOnly: true }
    await world.admin.createTopics([new NewTopic(name, 1, 1)], options).all()
    expect(await errorName(world.admin.createTopics([new NewTopic(name, 1, 100)], options).get(name))).toBe(
      'INVALID_REPLICATION_FACTOR',
    )
    expect((await world.admin.listTopics(name)).topics.get(name)?.error?.name()).toBe('UNKNOWN_TOPIC_OR_PART')
  })

  it(
    'takes the defaults of the broker for what is left open, and an assignment by hand',
    needs('CreateTopics', 4),
    async () => {
      const [plain, assigned] = [uniqueName('plain'), uniqueName('assigned')]
      const node = (await world.admin.describeCluster()).nodes[0]?.id as number
      await world.admin
        .createTopics([
          new NewTopic(plain),
          new NewTopic(assigned, 2, -1, { replicaAssignment: [[node], [node]] }),
        ])
        .all()
      expect(await partitionsOf(assigned, 2)).toEqual([0, 1])
      const description = await world.admin.describeTopics([assigned]).get(assigned)
      expect(description?.partitions.map(({ replicas }) => replicas.map(({ id }) => id))).toEqual([
        [node],
        [node],
      ])
    },
  )

  it('begins nothing that is given no time', async () => {
    const name = uniqueName('late')
    const results = world.admin.createTopics([new NewTopic(name, 1, 1)], { operationTimeout: 0 })
    expect(await errorName(results.get(name))).toBe('REQUEST_TIMED_OUT')
  })
})

describe('describing topics', () => {
  it('gives their nodes, and an error for each that does not exist', needs('Metadata', 8), async () => {
    const topic = await world.topic(2)
    const results = world.admin.describeTopics(new TopicCollection([topic, 'no-such-topic']), {
      includeAuthorizedOperations: true,
    })
    expect(await errorName(results.get('no-such-topic'))).toBe('UNKNOWN_TOPIC_OR_PART')
    const found = await results.get(topic)
    expect(found?.name).toBe(topic)
    expect(found?.isInternal).toBe(false)
    expect(found?.topicId.toString()).toMatch(/^[A-Za-z0-9_-]{22}$/)
    for (const { leader, replicas, isr } of found?.partitions ?? []) {
      expect(replicas).toEqual([leader])
      expect(isr).toEqual([leader])
    }
    expect(found?.authorizedOperations).toEqual([
      AclOperation.READ,
      AclOperation.WRITE,
      AclOperation.CREATE,
      AclOperation.DELETE,
      AclOperation.ALTER,
      AclOperation.DESCRIBE,
      AclOperation.DESCRIBE_CONFIGS,
      AclOperation.ALTER_CONFIGS,
    ])
    expect((await world.admin.describeTopics([topic]).get(topic))?.authorizedOperations).toBe(null)
  })
})

describe('adding partitions', () => {
  it('takes the new total, which must be more than there are', async () => {
    const [topic, other] = [await world.topic(2), await world.topic(2)]
    const results = world.admin.createPartitions([
      new NewPartitions(topic, 4),
      new NewPartitions(other, 2),
      new NewPartitions('no-such-topic', 2),
    ])
    expect(await Promise.all([...results.values()].map(errorName))).toEqual([
      'none',
      'INVALID_PARTITIONS',
      'UNKNOWN_TOPIC_OR_PART',
    ])
    expect(await partitionsOf(topic, 4)).toEqual([0, 1, 2, 3])
  })

  it('takes the brokers of the new ones, and changes nothing when it is only to validate', async () => {
    const topic = await world.topic(1)
    const node = (await world.admin.describeCluster()).nodes[0]?.id as number
    const grow = (brokers: number[][], options = {}): Promise<string> =>
      errorName(
        world.admin
          .createPartitions([new NewPartitions(topic, 2, { replicaAssignment: brokers })], options)
          .get(topic),
      )
    expect(await grow([[4711]])).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(await grow([[node]], { validateOnly: true })).toBe('none')
    expect(await grow([[node]])).toBe('none')
    expect(await partitionsOf(topic, 2)).toEqual([0, 1])
  })
})

describe('deleting topics', () => {
  it('fails for each topic by itself', async () => {
    const topic = await world.topic()
    const results = world.admin.deleteTopics([topic, 'no-such-topic'])
    expect(await Promise.all([...results.values()].map(errorName))).toEqual(['none', 'UNKNOWN_TOPIC_OR_PART'])
    expect(await isGone(topic)).toBe(true)
  })
})

describe('the cluster', () => {
  it(
    'is described with its nodes, its controller and what the caller may do',
    needs('Metadata', 8),
    async () => {
      const { clusterId, controller, nodes, authorizedOperations } = await world.admin.describeCluster({
        includeAuthorizedOperations: true,
      })
      const listed = await world.admin.listTopics()
      expect(clusterId).toBe(listed.clusterId)
      expect(nodes.map(({ id, host, port }) => ({ id, host, port }))).toEqual([...listed.brokers.values()])
      expect(nodes).toContain(controller)
      expect(authorizedOperations).toEqual([
        AclOperation.CREATE,
        AclOperation.ALTER,
        AclOperation.DESCRIBE,
        AclOperation.CLUSTER_ACTION,
        AclOperation.DESCRIBE_CONFIGS,
        AclOperation.ALTER_CONFIGS,
        AclOperation.IDEMPOTENT_WRITE,
      ])
      expect((await world.admin.describeCluster()).authorizedOperations).toBe(null)
    },
  )

  it('that cannot be reached lets calls run out of time', async () => {
    await using admin = new AdminClient({ 'bootstrap.servers': '127.0.0.1:1', log_level: 0 })
    const results = admin.createTopics([new NewTopic('t')], { requestTimeoutMs: 50 })
    expect(await errorName(results.get('t'))).toBe('_TIMED_OUT')
  })
})
