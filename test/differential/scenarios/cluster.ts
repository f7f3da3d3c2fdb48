/** What a client asks first: versions, metadata, the cluster. */
import { Metadata } from '../../../common/protocol/apis/03-metadata.ts'
import { FindCoordinator } from '../../../common/protocol/apis/10-find-coordinator.ts'
import { ApiVersions } from '../../../common/protocol/apis/18-api-versions.ts'
import { AlterReplicaLogDirs } from '../../../common/protocol/apis/34-alter-replica-log-dirs.ts'
import { DescribeLogDirs } from '../../../common/protocol/apis/35-describe-log-dirs.ts'
import { DescribeQuorum } from '../../../common/protocol/apis/55-describe-quorum.ts'
import { UpdateFeatures } from '../../../common/protocol/apis/57-update-features.ts'
import { DescribeCluster } from '../../../common/protocol/apis/60-describe-cluster.ts'
import { UnregisterBroker } from '../../../common/protocol/apis/64-unregister-broker.ts'
import { DescribeTopicPartitions } from '../../../common/protocol/apis/75-describe-topic-partitions.ts'
import { AddRaftVoter } from '../../../common/protocol/apis/80-add-raft-voter.ts'
import { RemoveRaftVoter } from '../../../common/protocol/apis/81-remove-raft-voter.ts'
import { UnregisterController } from '../../../common/protocol/apis/94-unregister-controller.ts'
import { each, raw, rawWhole, type Scenario, step } from '../scenario.ts'
import { batch, filled, topic } from '../support.ts'

const NOBODY = 'AAAAAAAAAAAAAAAAAAAAEQ'

function header(key: number, version: number, correlationId = 7, flexible = false): Buffer {
  const buffer = Buffer.alloc(flexible ? 11 : 10)
  buffer.writeInt16BE(key, 0)
  buffer.writeInt16BE(version, 2)
  buffer.writeInt32BE(correlationId, 4)
  buffer.writeInt16BE(-1, 8)
  return buffer
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}

const apiVersions: Scenario = {
  name: 'api-versions',
  steps: () => [
    ...each([0, 1, 2, 3, 4, 5], (version) => [
      step('the ranges', ApiVersions, version, {
        clientSoftwareName: 'differential',
        clientSoftwareVersion: '1.0',
      }),
    ]),
    ...each([3, 5], (version) => [
      step('an empty software name', ApiVersions, version, {
        clientSoftwareName: '',
        clientSoftwareVersion: '1.0',
      }),
      step('a bad software name', ApiVersions, version, {
        clientSoftwareName: '-x-',
        clientSoftwareVersion: '1.0',
      }),
      step('a bad software version', ApiVersions, version, {
        clientSoftwareName: 'x',
        clientSoftwareVersion: 'a b',
      }),
    ]),
    step('the wrong cluster', ApiVersions, 5, {
      clientSoftwareName: 'x',
      clientSoftwareVersion: '1',
      clusterId: 'elsewhere',
      nodeId: 1,
    }),
    step('the wrong node', ApiVersions, 5, {
      clientSoftwareName: 'x',
      clientSoftwareVersion: '1',
      nodeId: 77,
    }),
    step('a cluster without a node', ApiVersions, 5, {
      clientSoftwareName: 'x',
      clientSoftwareVersion: '1',
      clusterId: 'elsewhere',
    }),
    raw('an unknown version', header(18, 42, 7, true), { api: ApiVersions, version: 0 }),
    raw('a negative version', header(18, -1), { api: ApiVersions, version: 0 }),
    raw('no body in version 3', header(18, 3, 7, true)),
    raw('an unknown key', header(999, 0)),
    raw('a negative key', header(-5, 0)),
    raw('a removed key', header(4, 0)),
    raw('a key of controllers only', header(52, 0, 7, true)),
    raw('a Metadata version of the future', header(3, 99, 7, true)),
    raw('a Produce version that is gone', header(0, 2)),
    raw('a Fetch version that is gone', header(1, 3)),
    raw('a frame of nothing', Buffer.alloc(0)),
    raw('a frame of three bytes', Buffer.alloc(3)),
    raw('a header cut off', Buffer.concat([header(3, 0).subarray(0, 9)])),
    raw(
      'a client id longer than the frame',
      Buffer.concat([header(3, 0).subarray(0, 8), Buffer.from([0, 50, 65])]),
    ),
    raw('a body cut off', Buffer.concat([header(3, 1), Buffer.from([0, 0])])),
    raw('more topics than bytes', Buffer.concat([header(3, 1), int32(1_000_000_000)])),
    raw('bytes behind the body', Buffer.concat([header(18, 0), Buffer.from('behind')]), {
      api: ApiVersions,
      version: 0,
    }),
    rawWhole('a negative length', int32(-1)),
    rawWhole('a length past the limit', int32(0x7fffffff)),
    rawWhole('an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')),
  ],
}

const metadata: Scenario = {
  name: 'metadata',
  steps: (name) => [
    ...topic(name('a'), { partitions: 3 }),
    ...each([0, 1, 4, 8, 9, 10, 12, 13], (version) => [
      step('one topic', Metadata, version, {
        topics: [{ name: name('a') }],
        ...(version < 4 ? {} : { allowAutoTopicCreation: false }),
      }),
    ]),
    ...each([4, 9, 13], (version) => [
      step('a topic nobody made', Metadata, version, {
        topics: [{ name: name('none') }],
        allowAutoTopicCreation: false,
      }),
      step('a bad name', Metadata, version, { topics: [{ name: 'a b' }], allowAutoTopicCreation: false }),
      step('an empty name', Metadata, version, { topics: [{ name: '' }], allowAutoTopicCreation: false }),
      step('a name too long', Metadata, version, {
        topics: [{ name: 'x'.repeat(250) }],
        allowAutoTopicCreation: false,
      }),
      step('no topics', Metadata, version, { topics: [], allowAutoTopicCreation: false }),
    ]),
    ...each([8, 10], (version) =>
      step('authorized operations', Metadata, version, {
        topics: [{ name: name('a') }],
        allowAutoTopicCreation: false,
        includeTopicAuthorizedOperations: true,
        includeClusterAuthorizedOperations: true,
      }),
    ),
    ...each([12, 13], (version) => [
      step('by id', Metadata, version, (saved) => ({
        topics: [{ topicId: saved.text('id'), name: null }],
        allowAutoTopicCreation: false,
      })),
      step('by an unknown id', Metadata, version, { topics: [{ topicId: NOBODY, name: null }] }),
      step('neither id nor name', Metadata, version, { topics: [{ name: null }] }),
      step('by id and name', Metadata, version, (saved) => ({
        topics: [{ topicId: saved.text('id'), name: name('a') }],
        allowAutoTopicCreation: false,
      })),
    ]),
    step('a name in version 10 by id', Metadata, 10, (saved) => ({
      topics: [{ topicId: saved.text('id'), name: null }],
    })),
    step('auto creation, at first', Metadata, 12, {
      topics: [{ name: name('auto') }],
      allowAutoTopicCreation: true,
    }),
    step(
      'auto creation, then',
      Metadata,
      12,
      { topics: [{ name: name('auto') }], allowAutoTopicCreation: true },
      { until: ({ topics }) => topics[0]?.errorCode === 0 },
    ),
    step('auto creation of a bad name', Metadata, 12, {
      topics: [{ name: 'a/b' }],
      allowAutoTopicCreation: true,
    }),
    step('the same topic twice', Metadata, 12, { topics: [{ name: name('a') }, { name: name('a') }] }),
    step(
      'all topics',
      Metadata,
      9,
      { topics: null },
      {
        only: (answer, runId) => {
          answer.topics = answer.topics.filter((one) => one.name?.startsWith(`${runId}-metadata`))
        },
      },
    ),
    step(
      'all topics in version 0',
      Metadata,
      0,
      { topics: [] },
      {
        only: (answer, runId) => {
          answer.topics = answer.topics.filter((one) => one.name?.startsWith(`${runId}-metadata`))
        },
      },
    ),
  ],
}

const describeTopicPartitions: Scenario = {
  name: 'describe-topic-partitions',
  steps: (name) => [
    ...topic(name('a'), { partitions: 4, saveAs: 'a' }),
    ...topic(name('b'), { partitions: 2, saveAs: 'b' }),
    step('both', DescribeTopicPartitions, 0, { topics: [{ name: name('b') }, { name: name('a') }] }),
    step('a limit', DescribeTopicPartitions, 0, {
      topics: [{ name: name('a') }, { name: name('b') }],
      responsePartitionLimit: 3,
    }),
    step('a limit at the end of a topic', DescribeTopicPartitions, 0, {
      topics: [{ name: name('a') }, { name: name('b') }],
      responsePartitionLimit: 4,
    }),
    step('a cursor', DescribeTopicPartitions, 0, {
      topics: [{ name: name('a') }, { name: name('b') }],
      cursor: { topicName: name('a'), partitionIndex: 3 },
    }),
    step('a cursor past the partitions', DescribeTopicPartitions, 0, {
      topics: [{ name: name('a') }],
      cursor: { topicName: name('a'), partitionIndex: 30 },
    }),
    step('a negative cursor', DescribeTopicPartitions, 0, {
      topics: [{ name: name('a') }],
      cursor: { topicName: name('a'), partitionIndex: -1 },
    }),
    step('a limit of nothing', DescribeTopicPartitions, 0, {
      topics: [{ name: name('a') }],
      responsePartitionLimit: 0,
    }),
    step('unknown and bad names', DescribeTopicPartitions, 0, {
      topics: [{ name: name('none') }, { name: 'a b' }],
    }),
    step('the same twice', DescribeTopicPartitions, 0, {
      topics: [{ name: name('b') }, { name: name('b') }],
    }),
  ],
}

const cluster: Scenario = {
  name: 'cluster',
  steps: () => [
    ...each([0, 1, 2], (version) => [
      step('the cluster', DescribeCluster, version, { includeClusterAuthorizedOperations: false }),
      step('with operations', DescribeCluster, version, { includeClusterAuthorizedOperations: true }),
    ]),
    step('fenced brokers too', DescribeCluster, 2, {
      includeClusterAuthorizedOperations: false,
      includeFencedBrokers: true,
    }),
    step('the controllers', DescribeCluster, 1, {
      includeClusterAuthorizedOperations: false,
      endpointType: 2,
    }),
    step('an unknown type of endpoint', DescribeCluster, 1, {
      includeClusterAuthorizedOperations: false,
      endpointType: 7,
    }),
    ...each([0, 1, 2], (version) => [
      step('the quorum', DescribeQuorum, version, {
        topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }],
      }),
      step('the quorum of a topic', DescribeQuorum, version, {
        topics: [{ topicName: 'other', partitions: [{ partitionIndex: 0 }] }],
      }),
      step('the quorum of nothing', DescribeQuorum, version, { topics: [] }),
    ]),
    step('another partition of the quorum', DescribeQuorum, 2, {
      topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 1 }] }],
    }),
    ...each([0, 1, 2], (version) => [
      step('an unknown feature', UpdateFeatures, version, {
        featureUpdates: [{ feature: 'nothing.version', maxVersionLevel: 1 }],
      }),
      step('a level too high', UpdateFeatures, version, {
        featureUpdates: [{ feature: 'group.version', maxVersionLevel: 99 }],
      }),
    ]),
    step('the level that is', UpdateFeatures, 2, {
      featureUpdates: [{ feature: 'group.version', maxVersionLevel: 1 }],
    }),
    step('a downgrade without leave', UpdateFeatures, 2, {
      featureUpdates: [{ feature: 'transaction.version', maxVersionLevel: 1 }],
      validateOnly: true,
    }),
    step('a downgrade with leave', UpdateFeatures, 2, {
      featureUpdates: [{ feature: 'transaction.version', maxVersionLevel: 1, upgradeType: 2 }],
      validateOnly: true,
    }),
    step('an unknown upgrade type', UpdateFeatures, 2, {
      featureUpdates: [{ feature: 'transaction.version', maxVersionLevel: 1, upgradeType: 9 }],
      validateOnly: true,
    }),
    step('a negative level', UpdateFeatures, 2, {
      featureUpdates: [{ feature: 'group.version', maxVersionLevel: -1, upgradeType: 2 }],
      validateOnly: true,
    }),
    step('the same feature twice', UpdateFeatures, 1, {
      featureUpdates: [
        { feature: 'group.version', maxVersionLevel: 1 },
        { feature: 'group.version', maxVersionLevel: 1 },
      ],
      validateOnly: true,
    }),
    step('metadata version below all', UpdateFeatures, 2, {
      featureUpdates: [{ feature: 'metadata.version', maxVersionLevel: 1, upgradeType: 3 }],
      validateOnly: true,
    }),
    step('an unknown broker', UnregisterBroker, 0, { brokerId: 4711 }),
    step('an unknown controller', UnregisterController, 0, { controllerId: 4711 }),
    ...each([0, 1], (version) =>
      step('a voter', AddRaftVoter, version, {
        clusterId: null,
        timeoutMs: 1000,
        voterId: 99,
        voterDirectoryId: NOBODY,
        listeners: [{ name: 'CONTROLLER', host: 'localhost', port: 1 }],
      }),
    ),
    step('away with a voter', RemoveRaftVoter, 0, { clusterId: null, voterId: 99, voterDirectoryId: NOBODY }),
    step('a voter of the wrong cluster', AddRaftVoter, 1, {
      clusterId: 'elsewhere',
      timeoutMs: 1000,
      voterId: 99,
      voterDirectoryId: NOBODY,
      listeners: [],
    }),
  ],
}

const coordinators: Scenario = {
  name: 'find-coordinator',
  steps: (name) => [
    ...each([0, 1, 2, 3], (version) =>
      step(
        'of a group',
        FindCoordinator,
        version,
        { key: name('g') },
        { until: ({ errorCode }) => errorCode === 0 },
      ),
    ),
    ...each([4, 5, 6], (version) => [
      step(
        'of groups',
        FindCoordinator,
        version,
        { keyType: 0, coordinatorKeys: [name('g'), name('h')] },
        { until: ({ coordinators: found }) => found.every((one) => one.errorCode === 0) },
      ),
      step('of no group', FindCoordinator, version, { keyType: 0, coordinatorKeys: [] }),
      step('of the empty group', FindCoordinator, version, { keyType: 0, coordinatorKeys: [''] }),
    ]),
    ...each([1, 3, 6], (version) =>
      step(
        'of a transactional id',
        FindCoordinator,
        version,
        version < 4 ? { key: name('t'), keyType: 1 } : { keyType: 1, coordinatorKeys: [name('t')] },
        {
          until: ({ errorCode, coordinators: found }) =>
            errorCode === 0 && found.every((one) => one.errorCode === 0),
        },
      ),
    ),
    step('of an unknown kind', FindCoordinator, 2, { key: name('x'), keyType: 9 }),
    step('of an unknown kind, many', FindCoordinator, 4, { keyType: 9, coordinatorKeys: [name('x')] }),
    step('of a share partition before version 6', FindCoordinator, 5, {
      keyType: 2,
      coordinatorKeys: ['g:x:0'],
    }),
    step('of a malformed share key', FindCoordinator, 6, { keyType: 2, coordinatorKeys: ['nonsense'] }),
    step('of a share key without topic', FindCoordinator, 6, {
      keyType: 2,
      coordinatorKeys: [`g:${NOBODY}:x`],
    }),
    step(
      'of a share partition',
      FindCoordinator,
      6,
      { keyType: 2, coordinatorKeys: [`${name('g')}:${NOBODY}:0`] },
      {
        until: ({ coordinators: found }) => found.every((one) => one.errorCode === 0 || one.errorCode === 42),
      },
    ),
  ],
}

const logDirs: Scenario = {
  name: 'log-dirs',
  steps: (name) => [
    ...topic(name('a'), { partitions: 2 }),
    filled(name('a'), batch({ count: 3 })),
    ...each([1, 2, 3, 4, 5], (version) => [
      step('one topic', DescribeLogDirs, version, { topics: [{ topic: name('a'), partitions: [0, 1] }] }),
    ]),
    step('an unknown partition', DescribeLogDirs, 4, { topics: [{ topic: name('a'), partitions: [7] }] }),
    step('an unknown topic', DescribeLogDirs, 4, { topics: [{ topic: name('none'), partitions: [0] }] }),
    step('no topics', DescribeLogDirs, 4, { topics: [] }),
    ...each([1, 2], (version) => [
      step('to an unknown directory', AlterReplicaLogDirs, version, {
        dirs: [{ path: '/nowhere/at/all', topics: [{ name: name('a'), partitions: [0] }] }],
      }),
      step('an unknown topic to move', AlterReplicaLogDirs, version, {
        dirs: [{ path: 'relative', topics: [{ name: name('none'), partitions: [0] }] }],
      }),
    ]),
  ],
}

export const clusterScenarios: readonly Scenario[] = [
  apiVersions,
  coordinators,
  metadata,
  describeTopicPartitions,
  cluster,
  logDirs,
]
