import { describe, expect, it } from 'vitest'
import { createPartitions, createTopics, deleteTopics } from '../../../../broker/controller/topics.ts'
import { CreateTopics } from '../../../../common/protocol/apis/19-create-topics.ts'
import { DeleteTopics } from '../../../../common/protocol/apis/20-delete-topics.ts'
import { CreatePartitions } from '../../../../common/protocol/apis/37-create-partitions.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { type RequestInputOf, ZERO_UUID } from '../../../../common/protocol/schema.ts'
import { Harness, requestOf } from './harness.ts'

type NewTopic = Partial<RequestInputOf<typeof CreateTopics>['topics'][number]> & { readonly name: string }

function create(harness: Harness, topics: readonly NewTopic[], validateOnly = false) {
  const request = requestOf(CreateTopics, {
    topics: topics.map((topic) => ({
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [],
      configs: [],
      ...topic,
    })),
    validateOnly,
  })
  return harness.writeAndSee((machine) => createTopics(machine, request))
}

const manual = (...replicas: number[][]): Pick<NewTopic, 'assignments'> => ({
  assignments: replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
})

describe('CreateTopics', () => {
  it('makes a topic record, its configs, then its partitions', () => {
    const harness = new Harness().addBrokers(1, 2)
    const configs = [{ name: 'cleanup.policy', value: 'compact' }]
    const { response, records } = create(harness, [
      { name: 'orders', numPartitions: 2, replicationFactor: 2, configs },
    ])
    expect(records.map(({ type, version }) => [type, version])).toEqual([
      ['TopicRecord', 0],
      ['ConfigRecord', 0],
      ['PartitionRecord', 2],
      ['PartitionRecord', 2],
    ])
    const [topic] = response.topics
    expect(topic).toMatchObject({ errorCode: 0, numPartitions: 2, replicationFactor: 2 })
    expect(topic?.topicId).toBe(harness.image.topicsByName.get('orders')?.id)
    expect(topic?.configs?.find(({ name }) => name === 'cleanup.policy')).toEqual({
      name: 'cleanup.policy',
      value: 'compact',
      readOnly: false,
      configSource: 1,
      isSensitive: false,
    })
    const state = { leaderEpoch: 0, partitionEpoch: 0, elr: [], lastKnownElr: [], leaderRecoveryState: 0 }
    expect(harness.partition('orders', 1)).toMatchObject(state)
    expect([...harness.partition('orders').isr].sort()).toEqual([1, 2])
  })

  it('takes the defaults of the node for -1', () => {
    const settings = { 'num.partitions': '4', 'default.replication.factor': '2' }
    const harness = new Harness({ settings }).addBrokers(1, 2)
    expect(create(harness, [{ name: 'orders' }]).response.topics[0]).toMatchObject({
      numPartitions: 4,
      replicationFactor: 2,
    })
  })

  it('changes nothing when it only validates', () => {
    const harness = new Harness().addBrokers(1)
    const { response, records } = create(harness, [{ name: 'orders' }], true)
    expect(response.topics[0]?.errorCode).toBe(ErrorCode.NONE)
    expect(records).toEqual([])
  })

  const many = { ...manual([1]), numPartitions: 1 }
  const refusals: [string, NewTopic, ErrorCode, string][] = [
    [
      'an empty name',
      { name: '' },
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      'Topic name is invalid: the empty string is not allowed',
    ],
    [
      'a name with a slash',
      { name: 'a/b' },
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      "Topic name is invalid: 'a/b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
    ],
    [
      'a topic that exists',
      { name: 'there.is' },
      ErrorCode.TOPIC_ALREADY_EXISTS,
      "Topic 'there.is' already exists.",
    ],
    [
      'a name that collides in metrics',
      { name: 'there_is' },
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      "Topic 'there_is' collides with existing topic: there.is",
    ],
    [
      'the metadata topic',
      { name: '__cluster_metadata' },
      ErrorCode.INVALID_REQUEST,
      'Creation of internal topic __cluster_metadata is prohibited.',
    ],
    [
      'no partitions',
      { name: 'a', numPartitions: 0 },
      ErrorCode.INVALID_PARTITIONS,
      'Number of partitions was set to an invalid non-positive value.',
    ],
    [
      'no replicas',
      { name: 'a', replicationFactor: 0 },
      ErrorCode.INVALID_REPLICATION_FACTOR,
      'Replication factor must be larger than 0, or -1 to use the default value.',
    ],
    [
      'more replicas than brokers',
      { name: 'a', replicationFactor: 4 },
      ErrorCode.INVALID_REPLICATION_FACTOR,
      'Unable to replicate the partition 4 time(s): The target replication factor of 4 cannot be reached because only 3 broker(s) are registered or some brokers have all their log directories cordoned.',
    ],
    [
      'assignments and a count',
      { name: 'a', ...many },
      ErrorCode.INVALID_REQUEST,
      'A manual partition assignment was specified, but numPartitions was not set to -1.',
    ],
    [
      'assignments of different sizes',
      { name: 'a', ...manual([1], [1, 2]) },
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      'The manual partition assignment includes a partition with 2 replica(s), but this is not consistent with previous partitions, which have 1 replica(s).',
    ],
    [
      'an assignment to fenced brokers only',
      { name: 'a', ...manual([3]) },
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      'All brokers specified in the manual partition assignment for partition 0 are fenced or in controlled shutdown.',
    ],
    [
      'an unknown config',
      { name: 'a', configs: [{ name: 'foo', value: '1' }] },
      ErrorCode.INVALID_CONFIG,
      'Unknown topic config name: foo',
    ],
    [
      'a config of null',
      { name: 'a', configs: [{ name: 'retention.ms', value: null }] },
      ErrorCode.INVALID_CONFIG,
      'Null value not supported for topic configs: retention.ms',
    ],
  ]
  it.each(refusals)('refuses %s', (_, topic, errorCode, errorMessage) => {
    const harness = new Harness().addBrokers(1, 2)
    harness.register(3)
    harness.createTopic('there.is', [[1]])
    const { response, records } = create(harness, [topic])
    expect(response.topics).toMatchObject([{ errorCode, errorMessage }])
    expect(records).toEqual([])
  })

  it('makes the good topics of a request though others are refused', () => {
    const harness = new Harness().addBrokers(1)
    const names = ['good', 'bad/name', 'twice', 'twice', 'also-good']
    const { response } = create(
      harness,
      names.map((name) => ({ name })),
    )
    expect(response.topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['good', ErrorCode.NONE],
      ['bad/name', ErrorCode.INVALID_TOPIC_EXCEPTION],
      ['also-good', ErrorCode.NONE],
      ['twice', ErrorCode.INVALID_REQUEST],
    ])
    expect([...harness.image.topicsByName.keys()]).toEqual(['good', 'also-good'])
  })

  it('refuses more than ten thousand partitions at once', () => {
    const { response } = create(new Harness().addBrokers(1), [{ name: 'a', numPartitions: 10_001 }])
    expect(response.topics[0]?.errorCode).toBe(ErrorCode.POLICY_VIOLATION)
  })

  it('makes ten thousand partitions in one batch', () => {
    const harness = new Harness().addBrokers(1, 2, 3)
    create(harness, [{ name: 'a', numPartitions: 10_000, replicationFactor: 3 }])
    expect(harness.image.topicsByName.get('a')?.partitions).toHaveLength(10_000)
  })
})

describe('DeleteTopics', () => {
  const remove = (harness: Harness, topics: { name: string | null; topicId?: string }[]) => {
    const request = requestOf(DeleteTopics, {
      topics: topics.map(({ name, topicId = ZERO_UUID }) => ({ name, topicId })),
      timeoutMs: 1000,
    })
    return harness.write((machine) => deleteTopics(machine, request)).responses
  }

  it('deletes by name and by id, with the configs of the topic', () => {
    const harness = new Harness().addBrokers(1)
    const { topicId } = harness.createTopic('a', [[1]], { 'cleanup.policy': 'compact' })
    harness.createTopic('b', [[1]])
    const responses = remove(harness, [{ name: null, topicId: topicId ?? '' }, { name: 'b' }])
    expect(responses.map(({ errorCode }) => errorCode)).toEqual([0, 0])
    expect(harness.image.topicsByName.size).toBe(0)
    expect(harness.image.configsOf(2, 'a').size).toBe(0)
    harness.silence(1)
  })

  it('frees the name for a topic that would have collided', () => {
    const harness = new Harness().addBrokers(1)
    harness.createTopic('a.b', [[1]])
    remove(harness, [{ name: 'a.b' }])
    harness.createTopic('a_b', [[1]])
    expect(harness.image.topicsByName.has('a_b')).toBe(true)
  })

  it('refuses what is unknown, named twice or in two ways', () => {
    const harness = new Harness().addBrokers(1)
    const { topicId = '' } = harness.createTopic('a', [[1]])
    expect(remove(harness, [{ name: 'nope' }])[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const unknownId = { name: null, topicId: 'AAAAAAAAAAAAAAAAAAAAZA' }
    expect(remove(harness, [unknownId])[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID)
    expect(remove(harness, [{ name: 'a' }, { name: 'a' }])).toMatchObject([
      { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'Duplicate topic name.' },
    ])
    expect(remove(harness, [{ name: 'a', topicId }])).toMatchObject([
      { errorCode: ErrorCode.INVALID_REQUEST },
    ])
    expect(remove(harness, [{ name: 'a' }, { name: null, topicId }])).toMatchObject([
      { errorCode: ErrorCode.INVALID_REQUEST },
    ])
    expect(harness.image.topicsByName.has('a')).toBe(true)
  })
})

describe('CreatePartitions', () => {
  const grow = (harness: Harness, count: number, assignments: number[][] | null = null) => {
    const wanted = assignments?.map((brokerIds) => ({ brokerIds })) ?? null
    const topics = [{ name: 'a', count, assignments: wanted }]
    const request = requestOf(CreatePartitions, { topics, timeoutMs: 1000, validateOnly: false })
    return harness.write((machine) => createPartitions(machine, request)).results[0]
  }

  it('adds partitions with the replication factor of the others', () => {
    const harness = new Harness().addBrokers(1, 2)
    harness.createTopic('a', [[1, 2]])
    expect(grow(harness, 3)?.errorCode).toBe(ErrorCode.NONE)
    expect(harness.partition('a', 2).replicas).toHaveLength(2)
    expect(grow(harness, 4, [[2, 1]])?.errorCode).toBe(ErrorCode.NONE)
    expect(harness.partition('a', 3)).toMatchObject({ replicas: [2, 1], leaderId: 2 })
  })

  it('refuses what is no increase and assignments that do not fit', () => {
    const harness = new Harness().addBrokers(1)
    harness.createTopic('a', [[1], [1]])
    expect(grow(harness, 2)?.errorMessage).toBe('Topic already has 2 partition(s).')
    expect(grow(harness, 1)?.errorMessage).toBe(
      'The topic a currently has 2 partition(s); 1 would not be an increase.',
    )
    expect(grow(harness, 4, [[1]])?.errorMessage).toBe(
      'Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.',
    )
    expect(grow(harness, 3, [[7]])?.errorCode).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
  })
})
