/** Making, growing, moving and removing topics. */
import { Metadata } from '../../../common/protocol/apis/03-metadata.ts'
import { CreateTopics } from '../../../common/protocol/apis/19-create-topics.ts'
import { DeleteTopics } from '../../../common/protocol/apis/20-delete-topics.ts'
import { CreatePartitions } from '../../../common/protocol/apis/37-create-partitions.ts'
import { ElectLeaders } from '../../../common/protocol/apis/43-elect-leaders.ts'
import { AlterPartitionReassignments } from '../../../common/protocol/apis/45-alter-partition-reassignments.ts'
import { ListPartitionReassignments } from '../../../common/protocol/apis/46-list-partition-reassignments.ts'
import type { RequestInputOf } from '../../../common/protocol/schema.ts'
import { each, type Scenario, type Step, step } from '../scenario.ts'
import { topic } from '../support.ts'

type Topic = RequestInputOf<typeof CreateTopics>['topics'][number]
const NOBODY = 'AAAAAAAAAAAAAAAAAAAAEQ'

function create(
  title: string,
  version: number,
  one: Partial<Topic> & { name: string },
  validateOnly = false,
): Step {
  return step(title, CreateTopics, version, {
    topics: [{ numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...one }],
    timeoutMs: 10_000,
    validateOnly,
  })
}

const config = (name: string, value: string | null): Topic['configs'][number] => ({ name, value })

const createTopics: Scenario = {
  name: 'create-topics',
  steps: (name) => [
    ...each([2, 4, 5, 6, 7], (version) => [
      create('a topic', version, { name: name(`a${version}`), numPartitions: 2 }),
      create('the same again', version, { name: name(`a${version}`), numPartitions: 2 }),
      create('only a check', version, { name: name(`v${version}`), numPartitions: 2 }, true),
      create('zero partitions', version, { name: name('zero'), numPartitions: 0 }),
      create('too many replicas', version, { name: name('wide'), replicationFactor: 3 }),
      create('a bad name', version, { name: 'a b' }),
    ]),
    create('the defaults', 5, { name: name('defaults'), numPartitions: -1, replicationFactor: -1 }),
    create('the defaults before their version', 3, {
      name: name('defaults3'),
      numPartitions: -1,
      replicationFactor: -1,
    }),
    create('negative partitions', 7, { name: name('neg'), numPartitions: -7 }),
    create('no replicas', 7, { name: name('norep'), replicationFactor: 0 }),
    create('negative replicas', 7, { name: name('negrep'), replicationFactor: -4 }),
    create('an empty name', 7, { name: '' }),
    create('a dot', 7, { name: '.' }),
    create('two dots', 7, { name: '..' }),
    create('a long name', 7, { name: 'y'.repeat(250) }),
    create('a slash', 7, { name: 'a/b' }),
    create('dots', 7, { name: name('dot.ted_name') }),
    create('dots that collide', 7, { name: name('dot_ted.name') }),
    create('an internal name', 7, { name: '__cluster_metadata' }),
    create('configs', 7, {
      name: name('conf'),
      configs: [config('cleanup.policy', 'compact'), config('segment.bytes', '1048576')],
    }),
    create('an unknown config', 7, { name: name('badconf'), configs: [config('no.such.config', 'x')] }),
    create('a bad value', 7, { name: name('badval'), configs: [config('retention.ms', 'soon')] }),
    create('a value out of range', 7, { name: name('range'), configs: [config('segment.bytes', '3')] }),
    create('a null value', 7, { name: name('null'), configs: [config('retention.ms', null)] }),
    create('a config twice', 7, {
      name: name('twiceconf'),
      configs: [config('retention.ms', '1'), config('retention.ms', '2')],
    }),
    create('contradicting configs', 7, {
      name: name('contra'),
      configs: [config('min.cleanable.dirty.ratio', '7'), config('cleanup.policy', 'sweep')],
    }),
    create('an assignment', 7, {
      name: name('assigned'),
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [
        { partitionIndex: 0, brokerIds: [1] },
        { partitionIndex: 1, brokerIds: [1] },
      ],
    }),
    create('an assignment and numbers', 7, {
      name: name('both'),
      numPartitions: 2,
      assignments: [{ partitionIndex: 0, brokerIds: [1] }],
    }),
    create('an assignment with a hole', 7, {
      name: name('hole'),
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [{ partitionIndex: 1, brokerIds: [1] }],
    }),
    create('an assignment to nobody', 7, {
      name: name('nobody'),
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [{ partitionIndex: 0, brokerIds: [9] }],
    }),
    create('an assignment with one twice', 7, {
      name: name('dup'),
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [{ partitionIndex: 0, brokerIds: [1, 1] }],
    }),
    create('an empty assignment', 7, {
      name: name('empty'),
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [{ partitionIndex: 0, brokerIds: [] }],
    }),
    step('the same name twice in one request', CreateTopics, 7, {
      topics: [
        { name: name('twice'), numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
        { name: name('twice'), numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] },
        { name: name('once'), numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
      ],
    }),
    step('nothing', CreateTopics, 7, { topics: [] }),
  ],
}

const deleteTopics: Scenario = {
  name: 'delete-topics',
  steps: (name) => [
    ...['a', 'b', 'c', 'd', 'e'].flatMap((one) => topic(name(one), { saveAs: one })),
    step('by name', DeleteTopics, 1, { topicNames: [name('a')], timeoutMs: 5000 }),
    step('by name', DeleteTopics, 3, { topicNames: [name('b')], timeoutMs: 5000 }),
    step('by name', DeleteTopics, 5, { topicNames: [name('c')], timeoutMs: 5000 }),
    step('by name', DeleteTopics, 6, {
      topics: [{ name: name('d'), topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
      timeoutMs: 5000,
    }),
    step('by id', DeleteTopics, 6, (saved) => ({
      topics: [{ name: null, topicId: saved.text('e') }],
      timeoutMs: 5000,
    })),
    ...each([1, 5], (version) => [
      step('one that is not there', DeleteTopics, version, { topicNames: [name('none')], timeoutMs: 5000 }),
      step('nothing', DeleteTopics, version, { topicNames: [], timeoutMs: 5000 }),
    ]),
    step('an unknown id', DeleteTopics, 6, { topics: [{ name: null, topicId: NOBODY }], timeoutMs: 5000 }),
    step('id and name', DeleteTopics, 6, { topics: [{ name: 'x', topicId: NOBODY }], timeoutMs: 5000 }),
    step('neither id nor name', DeleteTopics, 6, {
      topics: [{ name: null, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
      timeoutMs: 5000,
    }),
    step('twice the same', DeleteTopics, 5, { topicNames: [name('x'), name('x')], timeoutMs: 5000 }),
    step(
      'they are gone',
      Metadata,
      12,
      { topics: [{ name: name('a') }, { name: name('e') }], allowAutoTopicCreation: false },
      { until: ({ topics }) => topics.every((one) => one.errorCode === 3) },
    ),
    step('its id is gone', Metadata, 12, (saved) => ({ topics: [{ topicId: saved.text('e'), name: null }] })),
  ],
}

const partitions: Scenario = {
  name: 'partitions',
  steps: (name) => {
    const grow = (
      title: string,
      version: number,
      what: string,
      count: number,
      assignments: number[][] | null = null,
      validateOnly = false,
    ): Step =>
      step(title, CreatePartitions, version, {
        topics: [
          { name: name(what), count, assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null },
        ],
        timeoutMs: 5000,
        validateOnly,
      })
    return [
      ...topic(name('a'), { partitions: 2 }),
      ...each([0, 1, 2, 3], (version) => [
        grow('one more', version, 'a', 3 + version),
        grow('fewer', version, 'a', 1),
        grow('as many', version, 'a', 3 + version),
        grow('none', version, 'none', 5),
      ]),
      grow('only a check', 3, 'a', 20, null, true),
      grow('zero', 3, 'a', 0),
      grow('assigned', 3, 'a', 7, [[1]]),
      grow('assigned too few', 3, 'a', 9, [[1]]),
      grow('assigned to nobody', 3, 'a', 8, [[9]]),
      grow('assigned wider', 3, 'a', 8, [[1, 1]]),
      grow('assigned to none', 3, 'a', 8, [[]]),
      step('the same topic twice', CreatePartitions, 3, {
        topics: [
          { name: name('a'), count: 10, assignments: null },
          { name: name('a'), count: 11, assignments: null },
        ],
        timeoutMs: 5000,
        validateOnly: false,
      }),
      ...each([0, 1, 2], (version) => [
        step('elect', ElectLeaders, version, {
          topicPartitions: [{ topic: name('a'), partitions: [0, 1] }],
          timeoutMs: 5000,
        }),
        step('elect in no topic', ElectLeaders, version, {
          topicPartitions: [{ topic: name('none'), partitions: [0] }],
          timeoutMs: 5000,
        }),
        step('elect in no partition', ElectLeaders, version, {
          topicPartitions: [{ topic: name('a'), partitions: [99] }],
          timeoutMs: 5000,
        }),
      ]),
      step('elect uncleanly', ElectLeaders, 2, {
        electionType: 1,
        topicPartitions: [{ topic: name('a'), partitions: [0] }],
      }),
      step('elect in an unknown way', ElectLeaders, 2, {
        electionType: 5,
        topicPartitions: [{ topic: name('a'), partitions: [0] }],
      }),
      step('elect nothing', ElectLeaders, 2, { topicPartitions: [] }),
      step(
        'elect everywhere',
        ElectLeaders,
        2,
        { topicPartitions: null },
        {
          only: (answer, runId) => {
            answer.replicaElectionResults = answer.replicaElectionResults.filter((one) =>
              one.topic.startsWith(`${runId}-partitions`),
            )
          },
        },
      ),
      ...each([0, 1], (version) => [
        step('move to itself', AlterPartitionReassignments, version, {
          topics: [{ name: name('a'), partitions: [{ partitionIndex: 0, replicas: [1] }] }],
        }),
        step('move to nobody', AlterPartitionReassignments, version, {
          topics: [{ name: name('a'), partitions: [{ partitionIndex: 0, replicas: [9] }] }],
        }),
        step('move to none', AlterPartitionReassignments, version, {
          topics: [{ name: name('a'), partitions: [{ partitionIndex: 0, replicas: [] }] }],
        }),
        step('move to one twice', AlterPartitionReassignments, version, {
          topics: [{ name: name('a'), partitions: [{ partitionIndex: 0, replicas: [1, 1] }] }],
        }),
        step('cancel nothing', AlterPartitionReassignments, version, {
          topics: [{ name: name('a'), partitions: [{ partitionIndex: 0, replicas: null }] }],
        }),
        step('move what is not there', AlterPartitionReassignments, version, {
          topics: [
            { name: name('none'), partitions: [{ partitionIndex: 0, replicas: [1] }] },
            { name: name('a'), partitions: [{ partitionIndex: 55, replicas: [1] }] },
          ],
        }),
      ]),
      step('a change of factor that is not allowed', AlterPartitionReassignments, 1, {
        allowReplicationFactorChange: false,
        topics: [{ name: name('a'), partitions: [{ partitionIndex: 0, replicas: [1, 9] }] }],
      }),
      step('list moves', ListPartitionReassignments, 0, { topics: null }),
      step('list moves of one', ListPartitionReassignments, 0, {
        topics: [{ name: name('a'), partitionIndexes: [0] }],
      }),
      step('list moves of none', ListPartitionReassignments, 0, {
        topics: [{ name: name('none'), partitionIndexes: [0] }],
      }),
    ]
  },
}

export const topicScenarios: readonly Scenario[] = [createTopics, deleteTopics, partitions]
