/** Telemetry, share groups and streams groups, as a broker with default settings answers. */
import { GetTelemetrySubscriptions } from '../../../common/protocol/apis/71-get-telemetry-subscriptions.ts'
import { PushTelemetry } from '../../../common/protocol/apis/72-push-telemetry.ts'
import { ShareGroupHeartbeat } from '../../../common/protocol/apis/76-share-group-heartbeat.ts'
import { ShareGroupDescribe } from '../../../common/protocol/apis/77-share-group-describe.ts'
import { ShareFetch } from '../../../common/protocol/apis/78-share-fetch.ts'
import { ShareAcknowledge } from '../../../common/protocol/apis/79-share-acknowledge.ts'
import { InitializeShareGroupState } from '../../../common/protocol/apis/83-initialize-share-group-state.ts'
import { ReadShareGroupState } from '../../../common/protocol/apis/84-read-share-group-state.ts'
import { WriteShareGroupState } from '../../../common/protocol/apis/85-write-share-group-state.ts'
import { DeleteShareGroupState } from '../../../common/protocol/apis/86-delete-share-group-state.ts'
import { ReadShareGroupStateSummary } from '../../../common/protocol/apis/87-read-share-group-state-summary.ts'
import { StreamsGroupHeartbeat } from '../../../common/protocol/apis/88-streams-group-heartbeat.ts'
import { StreamsGroupDescribe } from '../../../common/protocol/apis/89-streams-group-describe.ts'
import { DescribeShareGroupOffsets } from '../../../common/protocol/apis/90-describe-share-group-offsets.ts'
import { AlterShareGroupOffsets } from '../../../common/protocol/apis/91-alter-share-group-offsets.ts'
import { DeleteShareGroupOffsets } from '../../../common/protocol/apis/92-delete-share-group-offsets.ts'
import { each, type Scenario, step } from '../scenario.ts'
import { batch, filled, groupCoordinator, shareFetchRequest, topic } from '../support.ts'

const NOBODY = 'AAAAAAAAAAAAAAAAAAAAEQ'

const telemetry: Scenario = {
  name: 'telemetry',
  steps: () => [
    step(
      'subscriptions of a new client',
      GetTelemetrySubscriptions,
      0,
      { clientInstanceId: 'AAAAAAAAAAAAAAAAAAAAAA' },
      {
        save: (answer) => ({ instance: answer.clientInstanceId, subscription: answer.subscriptionId }),
      },
    ),
    step('asked again at once', GetTelemetrySubscriptions, 0, (saved) => ({
      clientInstanceId: saved.text('instance'),
    })),
    step('push', PushTelemetry, 0, (saved) => ({
      clientInstanceId: saved.text('instance'),
      subscriptionId: saved.number('subscription'),
      terminating: false,
      compressionType: 0,
      metrics: Buffer.alloc(0),
    })),
    step('push of a subscription that is none', PushTelemetry, 0, (saved) => ({
      clientInstanceId: saved.text('instance'),
      subscriptionId: 4711,
      terminating: true,
      compressionType: 0,
      metrics: Buffer.alloc(0),
    })),
    step('push by nobody', PushTelemetry, 0, {
      clientInstanceId: 'AAAAAAAAAAAAAAAAAAAAAA',
      subscriptionId: 1,
      terminating: false,
      compressionType: 0,
      metrics: Buffer.alloc(0),
    }),
  ],
}

const share: Scenario = {
  name: 'share-group',
  steps: (name) => {
    const g = name('g')
    return [
      ...topic(name('a'), { partitions: 1 }),
      filled(name('a'), batch({ count: 3 })),
      ...groupCoordinator(g),
      step('no group', ShareGroupHeartbeat, 1, {
        groupId: '',
        memberId: NOBODY,
        memberEpoch: 0,
        subscribedTopicNames: [name('a')],
      }),
      step('no member', ShareGroupHeartbeat, 1, {
        groupId: g,
        memberId: '',
        memberEpoch: 0,
        subscribedTopicNames: [name('a')],
      }),
      step('no subscription', ShareGroupHeartbeat, 1, { groupId: g, memberId: NOBODY, memberEpoch: 0 }),
      step('an unknown group with an epoch', ShareGroupHeartbeat, 1, {
        groupId: g,
        memberId: NOBODY,
        memberEpoch: 4,
      }),
      step(
        'join',
        ShareGroupHeartbeat,
        1,
        { groupId: g, memberId: NOBODY, memberEpoch: 0, subscribedTopicNames: [name('a')] },
        {
          save: ({ memberEpoch }) => ({ epoch: memberEpoch }),
        },
      ),
      step(
        'assigned',
        ShareGroupHeartbeat,
        1,
        (saved) => ({ groupId: g, memberId: NOBODY, memberEpoch: saved.number('epoch') }),
        {
          until: ({ assignment }) => (assignment?.topicPartitions.length ?? 0) > 0,
        },
      ),
      step('described', ShareGroupDescribe, 1, {
        groupIds: [g, name('nobody'), ''],
        includeAuthorizedOperations: false,
      }),
      step(
        'a session',
        ShareFetch,
        1,
        (saved) =>
          shareFetchRequest(saved.text('id'), { groupId: g, memberId: NOBODY, shareSessionEpoch: 0 }),
        { until: ({ responses }) => responses.length > 0 },
      ),
      step('a wrong epoch', ShareFetch, 2, {
        groupId: g,
        memberId: NOBODY,
        shareSessionEpoch: 7,
        maxWaitMs: 0,
        minBytes: 0,
        maxRecords: 100,
        batchSize: 100,
        topics: [],
        forgottenTopicsData: [],
      }),
      step('without a group', ShareFetch, 1, {
        groupId: '',
        memberId: NOBODY,
        shareSessionEpoch: 0,
        maxWaitMs: 0,
        minBytes: 0,
        maxRecords: 100,
        batchSize: 100,
        topics: [],
        forgottenTopicsData: [],
      }),
      step('without a session', ShareFetch, 1, {
        groupId: name('nobody'),
        memberId: NOBODY,
        shareSessionEpoch: 3,
        maxWaitMs: 0,
        minBytes: 0,
        maxRecords: 100,
        batchSize: 100,
        topics: [],
        forgottenTopicsData: [],
      }),
      ...each([1, 2], (version) => [
        step('acknowledge without a session', ShareAcknowledge, version, {
          groupId: name('nobody'),
          memberId: NOBODY,
          shareSessionEpoch: 1,
          topics: [],
        }),
        step('acknowledge in epoch 0', ShareAcknowledge, version, {
          groupId: g,
          memberId: NOBODY,
          shareSessionEpoch: 0,
          topics: [],
        }),
      ]),
      ...each([0, 1], (version) => [
        step('offsets', DescribeShareGroupOffsets, version, {
          groups: [{ groupId: name('nobody'), topics: null }],
        }),
        step('state summary of nobody', ReadShareGroupStateSummary, version, {
          groupId: name('nobody'),
          topics: [{ topicId: NOBODY, partitions: [{ partition: 0, leaderEpoch: 0 }] }],
        }),
        step('state written by nobody', WriteShareGroupState, version, {
          groupId: name('nobody'),
          topics: [
            {
              topicId: NOBODY,
              partitions: [{ partition: 0, stateEpoch: 0, leaderEpoch: 0, startOffset: 0, stateBatches: [] }],
            },
          ],
        }),
      ]),
      step('alter offsets while in use', AlterShareGroupOffsets, 0, {
        groupId: g,
        topics: [{ topicName: name('a'), partitions: [{ partitionIndex: 0, startOffset: 1 }] }],
      }),
      step('delete offsets while in use', DeleteShareGroupOffsets, 0, {
        groupId: g,
        topics: [{ topicName: name('a') }],
      }),
      step('delete offsets of nobody', DeleteShareGroupOffsets, 0, {
        groupId: name('nobody'),
        topics: [{ topicName: name('a') }],
      }),
      step('state initialised for nobody', InitializeShareGroupState, 0, {
        groupId: name('nobody'),
        topics: [{ topicId: NOBODY, partitions: [{ partition: 0, stateEpoch: 0, startOffset: 0 }] }],
      }),
      step('state read for nobody', ReadShareGroupState, 0, {
        groupId: name('nobody'),
        topics: [{ topicId: NOBODY, partitions: [{ partition: 0, leaderEpoch: 0 }] }],
      }),
      step('state deleted for nobody', DeleteShareGroupState, 0, {
        groupId: name('nobody'),
        topics: [{ topicId: NOBODY, partitions: [{ partition: 0 }] }],
      }),
      step('leave', ShareGroupHeartbeat, 1, { groupId: g, memberId: NOBODY, memberEpoch: -1 }),
      step('leave again', ShareGroupHeartbeat, 1, { groupId: g, memberId: NOBODY, memberEpoch: -1 }),
    ]
  },
}

const streams: Scenario = {
  name: 'streams-group',
  steps: (name) => [
    ...groupCoordinator(name('g')),
    ...each([0, 1], (version) => [
      step('no member', StreamsGroupHeartbeat, version, {
        groupId: name('g'),
        memberId: '',
        memberEpoch: 0,
        endpointInformationEpoch: 0,
      }),
      step('no group', StreamsGroupHeartbeat, version, {
        groupId: '',
        memberId: 'm',
        memberEpoch: 0,
        endpointInformationEpoch: 0,
      }),
      step('no topology', StreamsGroupHeartbeat, version, {
        groupId: name('g'),
        memberId: 'm',
        memberEpoch: 0,
        endpointInformationEpoch: 0,
        rebalanceTimeoutMs: 1000,
        processId: 'p',
        activeTasks: [],
        standbyTasks: [],
        warmupTasks: [],
      }),
      step('an unknown group', StreamsGroupHeartbeat, version, {
        groupId: name('g'),
        memberId: 'm',
        memberEpoch: 3,
        endpointInformationEpoch: 0,
      }),
      step('described', StreamsGroupDescribe, version, {
        groupIds: [name('nobody'), ''],
        includeAuthorizedOperations: false,
      }),
    ]),
  ],
}

export const otherScenarios: readonly Scenario[] = [telemetry, share, streams]
