/**
 * What a cluster of three brokers answers: placement, reassignment, elections, brokers that do not lead, settings of a broker, the quorum.
 * Steps go to broker 1 unless their connection is called `broker 2` or `broker 3`.
 */
import { Produce } from '../../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../../common/protocol/apis/01-fetch.ts'
import { ListOffsets } from '../../../common/protocol/apis/02-list-offsets.ts'
import { Metadata } from '../../../common/protocol/apis/03-metadata.ts'
import { CreateTopics } from '../../../common/protocol/apis/19-create-topics.ts'
import { DeleteTopics } from '../../../common/protocol/apis/20-delete-topics.ts'
import { DeleteRecords } from '../../../common/protocol/apis/21-delete-records.ts'
import { OffsetForLeaderEpoch } from '../../../common/protocol/apis/23-offset-for-leader-epoch.ts'
import { DescribeConfigs } from '../../../common/protocol/apis/32-describe-configs.ts'
import { AlterConfigs } from '../../../common/protocol/apis/33-alter-configs.ts'
import { DescribeLogDirs } from '../../../common/protocol/apis/35-describe-log-dirs.ts'
import { CreatePartitions } from '../../../common/protocol/apis/37-create-partitions.ts'
import { ElectLeaders } from '../../../common/protocol/apis/43-elect-leaders.ts'
import { IncrementalAlterConfigs } from '../../../common/protocol/apis/44-incremental-alter-configs.ts'
import { AlterPartitionReassignments } from '../../../common/protocol/apis/45-alter-partition-reassignments.ts'
import { ListPartitionReassignments } from '../../../common/protocol/apis/46-list-partition-reassignments.ts'
import { DescribeQuorum } from '../../../common/protocol/apis/55-describe-quorum.ts'
import { UpdateFeatures } from '../../../common/protocol/apis/57-update-features.ts'
import { DescribeCluster } from '../../../common/protocol/apis/60-describe-cluster.ts'
import { DescribeProducers } from '../../../common/protocol/apis/61-describe-producers.ts'
import { UnregisterBroker } from '../../../common/protocol/apis/64-unregister-broker.ts'
import { DescribeTopicPartitions } from '../../../common/protocol/apis/75-describe-topic-partitions.ts'
import { type ResponseOf, ZERO_UUID } from '../../../common/protocol/schema.ts'
import { each, type Scenario, type Step, step } from '../scenario.ts'
import { batch, produceRequest } from '../support.ts'

type Assignment = readonly (readonly number[])[]

const TWO = 'broker 2'
const THREE = 'broker 3'

function newTopic(
  name: string,
  assignment: Assignment,
  configs: Readonly<Record<string, string>> = {},
): {
  name: string
  numPartitions: number
  replicationFactor: number
  assignments: { partitionIndex: number; brokerIds: readonly number[] }[]
  configs: { name: string; value: string }[]
} {
  return {
    name,
    numPartitions: -1,
    replicationFactor: -1,
    assignments: assignment.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  }
}

/** A topic on these replicas, known to all brokers and in sync; its id is saved as `id`. */
function placed(
  name: string,
  assignment: Assignment,
  configs: Readonly<Record<string, string>> = {},
): Step[] {
  const known = (on: string): Step =>
    step(
      `known to ${on}`,
      Metadata,
      12,
      { topics: [{ name }], allowAutoTopicCreation: false },
      {
        on,
        setup: true,
        until: ({ topics }) =>
          topics[0]?.errorCode === 0 &&
          topics[0].partitions.every(({ isrNodes, replicaNodes }) => isrNodes.length === replicaNodes.length),
        save: ({ topics }) => ({ id: topics[0]?.topicId }),
      },
    )
  const open = (on: string, index: number): Step =>
    step(
      `open on ${on}`,
      ListOffsets,
      7,
      {
        replicaId: -1,
        topics: [{ name, partitions: [{ partitionIndex: index, timestamp: -1 }] }],
      },
      { on, setup: true, until: ({ topics }) => topics[0]?.partitions[0]?.errorCode === 0 },
    )
  return [
    step(
      'create',
      CreateTopics,
      7,
      { topics: [newTopic(name, assignment, configs)], timeoutMs: 10_000 },
      { setup: true },
    ),
    ...['main', TWO, THREE].map(known),
    ...assignment.map(([leader], index) => open(leader === 1 ? 'main' : `broker ${leader}`, index)),
  ]
}

/** Which broker is called the controller is anybody's choice in KRaft. */
const withoutController = (answer: { controllerId: number }): void => {
  answer.controllerId = 0
}

type MetadataAnswer = ResponseOf<typeof Metadata>

/** The order in which replicas came into the ISR tells nothing. */
const withSortedIsr = (answer: MetadataAnswer): void => {
  withoutController(answer)
  for (const { partitions } of answer.topics ?? [])
    for (const one of partitions) one.isrNodes = [...one.isrNodes].sort((left, right) => left - right)
}

function metadataStep(title: string, name: string, version = 12, on = 'main'): Step {
  return step(
    title,
    Metadata,
    version,
    { topics: [{ name }], ...(version < 4 ? {} : { allowAutoTopicCreation: false }) },
    { on, only: withoutController },
  )
}

function described(title: string, name: string): Step {
  return step(title, DescribeTopicPartitions, 0, { topics: [{ name }] })
}

const creation: Scenario = {
  name: 'three-create',
  steps: (name) => {
    const created = (
      title: string,
      version: number,
      topic: ReturnType<typeof newTopic>,
      validateOnly = true,
    ): Step => step(title, CreateTopics, version, { topics: [topic], timeoutMs: 10_000, validateOnly })
    return [
      ...each([2, 4, 5, 7], (version) => [
        created(
          'an assignment',
          version,
          newTopic(
            name(`a${version}`),
            [
              [1, 2, 3],
              [3, 1],
            ].slice(0, 1),
          ),
          false,
        ),
        created(
          'replicas not alike',
          version,
          newTopic(name('x'), [
            [1, 2, 3],
            [3, 1],
          ]),
        ),
        created('a broker that is not there', version, newTopic(name('x'), [[1, 2, 9]])),
        created('a broker twice', version, newTopic(name('x'), [[1, 1]])),
        created('no broker', version, newTopic(name('x'), [[]])),
        created('a negative broker', version, newTopic(name('x'), [[-1]])),
        created('partitions with a hole', version, {
          ...newTopic(name('x'), []),
          assignments: [0, 2].map((partitionIndex) => ({ partitionIndex, brokerIds: [1] })),
        }),
        created('a partition twice', version, {
          ...newTopic(name('x'), []),
          assignments: [0, 0].map((partitionIndex) => ({ partitionIndex, brokerIds: [1] })),
        }),
        created('an assignment and a number', version, { ...newTopic(name('x'), [[1]]), numPartitions: 1 }),
        created('an assignment and a factor', version, {
          ...newTopic(name('x'), [[1]]),
          replicationFactor: 1,
        }),
        created('more replicas than brokers', version, {
          ...newTopic(name('x'), []),
          numPartitions: 1,
          replicationFactor: 4,
        }),
        created('no replicas', version, {
          ...newTopic(name('x'), []),
          numPartitions: 1,
          replicationFactor: 0,
        }),
        created('a negative factor', version, {
          ...newTopic(name('x'), []),
          numPartitions: 1,
          replicationFactor: -2,
        }),
      ]),
      created('the defaults', 7, newTopic(name('d'), [])),
      created('a factor of three', 7, {
        ...newTopic(name('three'), []),
        numPartitions: 4,
        replicationFactor: 3,
      }),
      created(
        'min.insync.replicas above the replicas',
        7,
        newTopic(name('m'), [[1, 2]], { 'min.insync.replicas': '3' }),
      ),
      created(
        'throttled replicas',
        7,
        newTopic(name('t'), [[1, 2]], { 'leader.replication.throttled.replicas': '0:1,1:2' }),
      ),
      created(
        'throttled replicas that are none',
        7,
        newTopic(name('t'), [[1, 2]], { 'leader.replication.throttled.replicas': 'x' }),
      ),
    ]
  },
}

const metadata: Scenario = {
  name: 'three-metadata',
  steps: (name) => [
    ...placed(name('a'), [
      [1, 2, 3],
      [2, 3, 1],
      [3, 1, 2],
    ]),
    ...each([0, 1, 5, 7, 8, 9, 12, 13], (version) =>
      version === 0 ? [] : [metadataStep('a topic', name('a'), version)],
    ),
    metadataStep('as broker 2 knows it', name('a'), 12, TWO),
    metadataStep('as broker 3 knows it', name('a'), 12, THREE),
    described('its partitions', name('a')),
    ...each([0, 1, 2], (version) =>
      step(
        'the cluster',
        DescribeCluster,
        version,
        { includeClusterAuthorizedOperations: false },
        { only: withoutController },
      ),
    ),
    step(
      'the cluster with fenced brokers',
      DescribeCluster,
      2,
      { includeClusterAuthorizedOperations: false, includeFencedBrokers: true },
      { only: withoutController },
    ),
    step('an unknown broker is forgotten', UnregisterBroker, 0, { brokerId: 9 }),
    ...['main', TWO, THREE].map((on) =>
      step(
        `the log directory of ${on}`,
        DescribeLogDirs,
        4,
        { topics: [{ topic: name('a'), partitions: [0, 1, 2] }] },
        { on },
      ),
    ),
  ],
}

const followers: Scenario = {
  name: 'three-followers',
  steps: (name) => {
    const epochOf = (title: string, currentLeaderEpoch: number, on: string): Step =>
      step(
        title,
        OffsetForLeaderEpoch,
        4,
        {
          topics: [{ topic: name('a'), partitions: [{ partition: 0, currentLeaderEpoch, leaderEpoch: 0 }] }],
        },
        { on },
      )
    const fetched = (title: string, version: number, on: string, currentLeaderEpoch = -1): Step =>
      step(
        title,
        Fetch,
        version,
        (saved) => ({
          maxWaitMs: 0,
          minBytes: 0,
          topics: [
            {
              ...(version < 13 ? { topic: name('a') } : { topicId: saved.text('id') }),
              partitions: [{ partition: 0, fetchOffset: 0, currentLeaderEpoch, partitionMaxBytes: 1 << 20 }],
            },
          ],
        }),
        { on },
      )
    return [
      ...placed(name('a'), [[1, 2]]),
      ...each([7, 8, 9, 10, 12], (version) => [
        step('produce to a follower', Produce, version, produceRequest(name('a'), batch()), { on: TWO }),
        step('produce to a stranger', Produce, version, produceRequest(name('a'), batch()), { on: THREE }),
      ]),
      step(
        'produce by id to a follower',
        Produce,
        13,
        (saved) => produceRequest('', batch(), { topicId: saved.text('id') }),
        { on: TWO },
      ),
      step('produce to the leader', Produce, 12, produceRequest(name('a'), batch({ count: 3 }))),
      ...each([4, 10, 11, 12, 13, 16], (version) => [
        ...(version === 4 ? [] : [fetched('fetch from a stranger', version, THREE)]),
      ]),
      ...each([12, 16], (version) => [
        fetched('fetch in an old epoch', version, 'main', 0),
        fetched('fetch in an epoch to come', version, 'main', 7),
        fetched('fetch from the leader', version, 'main'),
      ]),
      ...each([1, 5, 7, 10], (version) =>
        [TWO, THREE].flatMap((on) =>
          step(
            `the end on ${on}`,
            ListOffsets,
            version,
            {
              replicaId: -1,
              topics: [{ name: name('a'), partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
            },
            { on },
          ),
        ),
      ),
      epochOf('the end of an epoch', -1, 'main'),
      epochOf('the end of an epoch on a follower', -1, TWO),
      epochOf('the end of an epoch on a stranger', -1, THREE),
      epochOf('the end of an epoch, asked in one to come', 5, 'main'),
      ...[TWO, THREE].flatMap((on) => [
        step(
          `records deleted on ${on}`,
          DeleteRecords,
          2,
          { topics: [{ name: name('a'), partitions: [{ partitionIndex: 0, offset: 1 }] }], timeoutMs: 5000 },
          { on },
        ),
        step(
          `producers on ${on}`,
          DescribeProducers,
          0,
          { topics: [{ name: name('a'), partitionIndexes: [0] }] },
          { on },
        ),
      ]),
    ]
  },
}

function reassign(
  title: string,
  topic: string,
  replicas: readonly number[] | null,
  { version = 1, partition = 0, allows = true, on = 'main' } = {},
): Step {
  return step(
    title,
    AlterPartitionReassignments,
    version,
    {
      timeoutMs: 10_000,
      ...(version < 1 ? {} : { allowReplicationFactorChange: allows }),
      topics: [{ name: topic, partitions: [{ partitionIndex: partition, replicas }] }],
    },
    { on },
  )
}

/** Waits for the end of the reassignments of a topic, and shows what became of it. */
function settled(title: string, name: string, replicas: readonly number[]): Step[] {
  return [
    step(
      `${title}, nothing in progress`,
      ListPartitionReassignments,
      0,
      { timeoutMs: 10_000, topics: [{ name, partitionIndexes: [0] }] },
      { until: ({ topics }) => topics.length === 0 },
    ),
    step(
      `${title}, settled`,
      Metadata,
      12,
      { topics: [{ name }], allowAutoTopicCreation: false },
      {
        only: withSortedIsr,
        until: ({ topics }) => {
          const first = topics[0]?.partitions.find(({ partitionIndex }) => partitionIndex === 0)
          return (
            String(first?.replicaNodes) === String(replicas) && first?.isrNodes.length === replicas.length
          )
        },
      },
    ),
  ]
}

const reassignment: Scenario = {
  name: 'three-reassignment',
  steps: (name) => [
    ...placed(name('a'), [
      [1, 3],
      [2, 3],
    ]),
    ...each([0, 1], (version) => [
      reassign('to a broker that is not there', name('a'), [9], { version }),
      reassign('to a negative broker', name('a'), [-1], { version }),
      reassign('to nowhere', name('a'), [], { version }),
      reassign('to one broker twice', name('a'), [2, 2], { version }),
      reassign('taken back though there is none', name('a'), null, { version }),
      reassign('of an unknown topic', name('none'), [1], { version }),
      reassign('of an unknown topic, taken back', name('none'), null, { version }),
      reassign('of an unknown partition', name('a'), [1], { version, partition: 7 }),
      reassign('to where it is', name('a'), [1, 3], { version }),
      step('of nothing', AlterPartitionReassignments, version, { timeoutMs: 1000, topics: [] }),
    ]),
    reassign('with more replicas than allowed', name('a'), [1, 2, 3], { allows: false }),
    reassign('with fewer replicas than allowed', name('a'), [2], { allows: false, partition: 1 }),
    step('two of one topic, one wrong', AlterPartitionReassignments, 1, {
      timeoutMs: 10_000,
      topics: [
        {
          name: name('a'),
          partitions: [
            { partitionIndex: 1, replicas: [3, 2] },
            { partitionIndex: 8, replicas: [1] },
          ],
        },
        { name: name('none'), partitions: [{ partitionIndex: 0, replicas: [1] }] },
      ],
    }),
    step('nothing is in progress', ListPartitionReassignments, 0, {
      timeoutMs: 1000,
      topics: [{ name: name('a'), partitionIndexes: [0, 1, 5] }],
    }),
    step('in no topic', ListPartitionReassignments, 0, {
      timeoutMs: 1000,
      topics: [{ name: name('none'), partitionIndexes: [0] }],
    }),
    step('of no topics', ListPartitionReassignments, 0, { timeoutMs: 1000, topics: [] }),
    reassign('one replica more', name('a'), [1, 2, 3], { on: TWO }),
    ...settled('one replica more', name('a'), [1, 2, 3]),
    reassign('the order turned', name('a'), [3, 2, 1]),
    ...settled('the order turned', name('a'), [3, 2, 1]),
    reassign('moved', name('a'), [3], { on: THREE }),
    ...settled('moved', name('a'), [3]),
    described('at last', name('a')),
  ],
}

/** Reassignments that cannot end: one byte a second may be copied. */
const inProgress: Scenario = {
  name: 'three-in-progress',
  steps: (name) => {
    const rate = (title: string, broker: string, on: string, value: string | null): Step =>
      step(
        title,
        IncrementalAlterConfigs,
        1,
        {
          resources: [
            {
              resourceType: 4,
              resourceName: broker,
              configs: [
                { name: 'leader.replication.throttled.rate', configOperation: value === null ? 1 : 0, value },
              ],
            },
          ],
          validateOnly: false,
        },
        { on },
      )
    const many = Array.from({ length: 12 }, (_, index) =>
      step(`fill ${index}`, Produce, 9, produceRequest(name('a'), batch({ valueBytes: 400_000, count: 2 })), {
        setup: true,
      }),
    )
    const list = (title: string): Step =>
      step(title, ListPartitionReassignments, 0, {
        timeoutMs: 1000,
        topics: [{ name: name('a'), partitionIndexes: [0] }],
      })
    return [
      ...placed(name('a'), [[1, 2]], { 'leader.replication.throttled.replicas': '*' }),
      ...many,
      rate('a rate', '1', 'main', '1'),
      step(
        'the rate is known',
        DescribeConfigs,
        4,
        {
          resources: [
            { resourceType: 4, resourceName: '1', configurationKeys: ['leader.replication.throttled.rate'] },
          ],
          includeSynonyms: true,
        },
        { until: ({ results }) => results[0]?.configs.length === 1 },
      ),
      reassign('a replica more', name('a'), [1, 2, 3]),
      list('a replica is added'),
      metadataStep('while a replica is added', name('a')),
      described('partitions while a replica is added', name('a')),
      reassign('another target', name('a'), [3, 1]),
      list('another target'),
      metadataStep('while it moves', name('a')),
      reassign('the same target', name('a'), [3, 1]),
      reassign('a wrong target', name('a'), [9]),
      reassign('a target with other replicas than allowed', name('a'), [3], { allows: false }),
      step('an election while it moves', ElectLeaders, 2, {
        electionType: 0,
        topicPartitions: [{ topic: name('a'), partitions: [0] }],
        timeoutMs: 5000,
      }),
      step('one partition more while it moves', CreatePartitions, 3, {
        topics: [{ name: name('a'), count: 2, assignments: [{ brokerIds: [1] }] }],
        timeoutMs: 5000,
        validateOnly: true,
      }),
      reassign('taken back', name('a'), null),
      list('after it was taken back'),
      metadataStep('after it was taken back', name('a')),
      reassign('taken back twice', name('a'), null),
      reassign('onto a third', name('a'), [2, 3]),
      list('onto a third'),
      rate('no rate any more', '1', 'main', null),
      ...settled('without a rate', name('a'), [2, 3]),
      reassign('to be deleted', name('a'), [1, 2]),
      step('deleted while it moves', DeleteTopics, 6, {
        topics: [{ name: name('a'), topicId: ZERO_UUID }],
        timeoutMs: 5000,
      }),
      list('of a deleted topic'),
    ]
  },
}

const elections: Scenario = {
  name: 'three-elections',
  steps: (name) => {
    const elect = (
      title: string,
      version: number,
      electionType: number,
      partitions: readonly number[],
      topic = name('a'),
    ): Step =>
      step(title, ElectLeaders, version, {
        ...(version < 1 ? {} : { electionType }),
        topicPartitions: [{ topic, partitions }],
        timeoutMs: 10_000,
      })
    return [
      ...placed(name('a'), [
        [1, 2, 3],
        [2, 3, 1],
      ]),
      ...each([0, 1, 2], (version) => [
        elect('not needed', version, 0, [0, 1]),
        elect('of an unknown partition', version, 0, [0, 9]),
        elect('of an unknown topic', version, 0, [0], name('none')),
        elect('of no partition', version, 0, []),
      ]),
      ...each([1, 2], (version) => [
        elect('an unclean one not needed', version, 1, [0]),
        elect('an unclean one of an unknown partition', version, 1, [9]),
        elect('of an unknown type', version, 5, [0]),
      ]),
      reassign('another order', name('a'), [3, 1, 2]),
      elect('another leader', 2, 0, [0]),
      step(
        'the new leader',
        Metadata,
        12,
        { topics: [{ name: name('a') }], allowAutoTopicCreation: false },
        {
          only: withoutController,
          until: ({ topics }) =>
            topics[0]?.partitions.some((one) => one.partitionIndex === 0 && one.leaderId === 3) === true,
        },
      ),
      elect('again', 2, 0, [0]),
      step('produce to the old leader', Produce, 12, produceRequest(name('a'), batch()), {
        until: ({ responses }) => responses[0]?.partitionResponses[0]?.errorCode !== 0,
      }),
      step(
        'the end of the first epoch',
        OffsetForLeaderEpoch,
        4,
        {
          topics: [
            { topic: name('a'), partitions: [{ partition: 0, currentLeaderEpoch: 1, leaderEpoch: 0 }] },
          ],
        },
        { on: THREE },
      ),
    ]
  },
}

const partitions: Scenario = {
  name: 'three-partitions',
  steps: (name) => {
    const grow = (
      title: string,
      version: number,
      count: number,
      assignments: Assignment | null,
      validateOnly = true,
    ): Step =>
      step(title, CreatePartitions, version, {
        topics: [
          { name: name('a'), count, assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null },
        ],
        timeoutMs: 5000,
        validateOnly,
      })
    return [
      ...placed(name('a'), [[1, 2]]),
      ...each([0, 1, 2, 3], (version) => [
        grow('one more', version, 2, null),
        grow('one more where it is wanted', version, 2, [[3, 1]]),
        grow('too few assignments', version, 3, [[3, 1]]),
        grow('too many assignments', version, 2, [
          [3, 1],
          [1, 2],
        ]),
        grow('another number of replicas', version, 2, [[3]]),
        grow('a broker that is not there', version, 2, [[3, 9]]),
        grow('a broker twice', version, 2, [[3, 3]]),
        grow('no broker', version, 2, [[]]),
        grow('as many as there are', version, 1, null),
        grow('fewer than there are', version, 0, null),
      ]),
      grow(
        'two more',
        3,
        3,
        [
          [3, 1],
          [2, 3],
        ],
        false,
      ),
      step(
        'all three',
        Metadata,
        12,
        { topics: [{ name: name('a') }], allowAutoTopicCreation: false },
        {
          only: withoutController,
          until: ({ topics }) =>
            topics[0]?.partitions.length === 3 &&
            topics[0].partitions.every(({ isrNodes, leaderId }) => isrNodes.length === 2 && leaderId > 0),
        },
      ),
    ]
  },
}

const settings: Scenario = {
  name: 'three-configs',
  steps: () => {
    const alter = (title: string, broker: string, on: string, key: string, value: string | null): Step =>
      step(
        title,
        IncrementalAlterConfigs,
        1,
        {
          resources: [
            {
              resourceType: 4,
              resourceName: broker,
              configs: [{ name: key, configOperation: value === null ? 1 : 0, value }],
            },
          ],
          validateOnly: true,
        },
        { on },
      )
    const describe = (title: string, broker: string, on: string, keys: readonly string[]): Step =>
      step(
        title,
        DescribeConfigs,
        4,
        {
          resources: [{ resourceType: 4, resourceName: broker, configurationKeys: keys }],
          includeSynonyms: true,
        },
        { on },
      )
    return [
      alter('of broker 2 through itself', '2', TWO, 'log.cleaner.threads', '2'),
      alter('of broker 2 through another', '2', 'main', 'log.cleaner.threads', '2'),
      alter('of broker 9', '9', 'main', 'log.cleaner.threads', '2'),
      alter('of all brokers', '', THREE, 'log.cleaner.threads', '2'),
      alter('of a broker that is no number', 'x', 'main', 'log.cleaner.threads', '2'),
      alter('a throttle below zero', '1', 'main', 'leader.replication.throttled.rate', '-1'),
      alter('a throttle', '3', THREE, 'follower.replication.throttled.rate', '1000'),
      alter(
        'a throttle taken back that is not there',
        '3',
        THREE,
        'follower.replication.throttled.rate',
        null,
      ),
      ...each([0, 1, 2], (version) =>
        step('the old way, of another broker', AlterConfigs, version, {
          resources: [{ resourceType: 4, resourceName: '2', configs: [] }],
          validateOnly: true,
        }),
      ),
      describe('broker 2 through itself', '2', TWO, ['node.id', 'broker.rack', 'num.partitions']),
      describe('broker 2 through another', '2', 'main', ['node.id']),
      describe('broker 9', '9', 'main', ['node.id']),
      describe('all brokers', '', THREE, ['leader.replication.throttled.rate']),
    ]
  },
}

const quorum: Scenario = {
  name: 'three-quorum',
  steps: () => [
    ...['main', TWO, THREE].flatMap((on) =>
      each([0, 1, 2], (version) =>
        step(
          `as ${on} knows it`,
          DescribeQuorum,
          version,
          { topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] },
          { on },
        ),
      ),
    ),
    step(
      'the quorum of another topic',
      DescribeQuorum,
      2,
      { topics: [{ topicName: 'x', partitions: [{ partitionIndex: 0 }] }] },
      { on: TWO },
    ),
    ...(
      [
        ['share.version', 1, 2],
        ['share.version', 0, 2],
        ['group.version', 0, 2],
        ['streams.version', 0, 2],
        ['transaction.version', 0, 2],
        ['eligible.leader.replicas.version', 0, 2],
        ['eligible.leader.replicas.version', 0, 1],
        ['metadata.version', 32, 2],
        ['metadata.version', 30, 2],
        ['metadata.version', 7, 2],
        ['metadata.version', 7, 3],
        ['metadata.version', 34, 1],
        ['metadata.version', 33, 1],
        ['metadata.version', 0, 3],
        ['kraft.version', 0, 2],
        ['kraft.version', 1, 1],
        ['kraft.version', 2, 1],
        ['transaction.version', 3, 1],
        ['group.version', 1, 2],
      ] as const
    ).map(([feature, maxVersionLevel, upgradeType]) =>
      step(`${feature} to ${maxVersionLevel} by ${upgradeType}`, UpdateFeatures, 2, {
        featureUpdates: [{ feature, maxVersionLevel, upgradeType }],
        validateOnly: true,
      }),
    ),
    step('a feature together with what it needs', UpdateFeatures, 2, {
      featureUpdates: [
        { feature: 'metadata.version', maxVersionLevel: 32, upgradeType: 2 },
        { feature: 'group.version', maxVersionLevel: 0, upgradeType: 2 },
      ],
      validateOnly: true,
    }),
  ],
}

export const threeBrokerScenarios: readonly Scenario[] = [
  creation,
  metadata,
  followers,
  reassignment,
  inProgress,
  elections,
  partitions,
  settings,
  quorum,
]
