/** What a cluster answers while nobody has looked for a coordinator yet, so that the internal topics do not exist. Played first of all. */
import { OffsetFetch } from '../../../common/protocol/apis/09-offset-fetch.ts'
import { FindCoordinator } from '../../../common/protocol/apis/10-find-coordinator.ts'
import { JoinGroup } from '../../../common/protocol/apis/11-join-group.ts'
import { Heartbeat } from '../../../common/protocol/apis/12-heartbeat.ts'
import { LeaveGroup } from '../../../common/protocol/apis/13-leave-group.ts'
import { SyncGroup } from '../../../common/protocol/apis/14-sync-group.ts'
import { DescribeGroups } from '../../../common/protocol/apis/15-describe-groups.ts'
import { ListGroups } from '../../../common/protocol/apis/16-list-groups.ts'
import { InitProducerId } from '../../../common/protocol/apis/22-init-producer-id.ts'
import { AddOffsetsToTxn } from '../../../common/protocol/apis/25-add-offsets-to-txn.ts'
import { EndTxn } from '../../../common/protocol/apis/26-end-txn.ts'
import { DeleteGroups } from '../../../common/protocol/apis/42-delete-groups.ts'
import { OffsetDelete } from '../../../common/protocol/apis/47-offset-delete.ts'
import { DescribeTransactions } from '../../../common/protocol/apis/65-describe-transactions.ts'
import { ConsumerGroupHeartbeat } from '../../../common/protocol/apis/68-consumer-group-heartbeat.ts'
import { ConsumerGroupDescribe } from '../../../common/protocol/apis/69-consumer-group-describe.ts'
import { ShareGroupHeartbeat } from '../../../common/protocol/apis/76-share-group-heartbeat.ts'
import { ShareGroupDescribe } from '../../../common/protocol/apis/77-share-group-describe.ts'
import { InitializeShareGroupState } from '../../../common/protocol/apis/83-initialize-share-group-state.ts'
import { ReadShareGroupState } from '../../../common/protocol/apis/84-read-share-group-state.ts'
import { WriteShareGroupState } from '../../../common/protocol/apis/85-write-share-group-state.ts'
import { DeleteShareGroupState } from '../../../common/protocol/apis/86-delete-share-group-state.ts'
import { ReadShareGroupStateSummary } from '../../../common/protocol/apis/87-read-share-group-state-summary.ts'
import { DescribeShareGroupOffsets } from '../../../common/protocol/apis/90-describe-share-group-offsets.ts'
import { AlterShareGroupOffsets } from '../../../common/protocol/apis/91-alter-share-group-offsets.ts'
import { DeleteShareGroupOffsets } from '../../../common/protocol/apis/92-delete-share-group-offsets.ts'
import { each, type Scenario, type Step, step } from '../scenario.ts'

const NOBODY = 'AAAAAAAAAAAAAAAAAAAAEQ'
const TRANSACTION = { transactionalId: 't', producerId: 1, producerEpoch: 0 }

const classic: Step[] = [
  step('heartbeat', Heartbeat, 4, { groupId: 'g', generationId: 1, memberId: 'm' }),
  ...each([2, 9], (version) =>
    step('join', JoinGroup, version, {
      groupId: 'g',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
    }),
  ),
  step('sync', SyncGroup, 3, { groupId: 'g', generationId: 1, memberId: 'm', assignments: [] }),
  step('leave', LeaveGroup, 2, { groupId: 'g', memberId: 'm' }),
  step('leave', LeaveGroup, 5, { groupId: 'g', members: [{ memberId: 'm' }] }),
  step('describe', DescribeGroups, 6, { groups: ['g'], includeAuthorizedOperations: true }),
  step('list', ListGroups, 5, {}),
  step('offsets', OffsetFetch, 1, { groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] }),
  step('all offsets', OffsetFetch, 7, { groupId: 'g', topics: null }),
  step('offsets of groups', OffsetFetch, 9, { groups: [{ groupId: 'g', topics: null }] }),
  step('delete', DeleteGroups, 2, { groupsNames: ['g'] }),
  step('delete offsets', OffsetDelete, 0, {
    groupId: 'g',
    topics: [{ name: 't', partitions: [{ partitionIndex: 0 }] }],
  }),
]

const others: Step[] = [
  step('consumer group', ConsumerGroupHeartbeat, 1, {
    groupId: 'g',
    memberId: 'm',
    memberEpoch: 0,
    rebalanceTimeoutMs: 1000,
    subscribedTopicNames: ['t'],
    topicPartitions: [],
  }),
  step('consumer groups described', ConsumerGroupDescribe, 1, {
    groupIds: ['g'],
    includeAuthorizedOperations: false,
  }),
  step('share group', ShareGroupHeartbeat, 1, {
    groupId: 'g',
    memberId: NOBODY,
    memberEpoch: 0,
    subscribedTopicNames: ['t'],
  }),
  step('share groups described', ShareGroupDescribe, 1, {
    groupIds: ['g'],
    includeAuthorizedOperations: false,
  }),
  step('share offsets', DescribeShareGroupOffsets, 1, {
    groups: [
      { groupId: 'g', topics: null },
      { groupId: 'h', topics: [{ topicName: 't', partitions: [0] }] },
    ],
  }),
  step('share offsets altered', AlterShareGroupOffsets, 0, {
    groupId: 'g',
    topics: [{ topicName: 't', partitions: [{ partitionIndex: 0, startOffset: 0 }] }],
  }),
  step('share offsets deleted', DeleteShareGroupOffsets, 0, { groupId: 'g', topics: [{ topicName: 't' }] }),
]

function ofShareState<Partition>(partition: Partition) {
  return { groupId: 'g', topics: [{ topicId: NOBODY, partitions: [partition] }] }
}

const shareState: Step[] = [
  step('state read', ReadShareGroupState, 0, ofShareState({ partition: 0, leaderEpoch: 0 })),
  step('state summary', ReadShareGroupStateSummary, 1, ofShareState({ partition: 0, leaderEpoch: 0 })),
  step(
    'state written',
    WriteShareGroupState,
    1,
    ofShareState({ partition: 0, stateEpoch: 0, leaderEpoch: 0, startOffset: 0, stateBatches: [] }),
  ),
  step(
    'state begun',
    InitializeShareGroupState,
    0,
    ofShareState({ partition: 0, stateEpoch: 0, startOffset: 0 }),
  ),
  step('state deleted', DeleteShareGroupState, 0, ofShareState({ partition: 0 })),
]

const transactions: Step[] = [
  ...each([1, 5], (version) =>
    step('init', InitProducerId, version, { transactionalId: 't', transactionTimeoutMs: 60_000 }),
  ),
  step('add offsets', AddOffsetsToTxn, 4, { ...TRANSACTION, groupId: 'g' }),
  ...each([4, 5], (version) => step('end', EndTxn, version, { ...TRANSACTION, committed: true })),
  step('transactions described', DescribeTransactions, 0, { transactionalIds: ['t'] }),
]

const firstContact: Scenario = {
  name: 'first-contact',
  steps: () => [
    ...classic,
    ...others,
    ...shareState,
    ...transactions,
    step('find a group', FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g', ''] }),
    step('find a transaction', FindCoordinator, 2, { keyType: 1, key: 't' }),
    step('find a share partition', FindCoordinator, 6, { keyType: 2, coordinatorKeys: [`g:${NOBODY}:0`] }),
  ],
}

export const firstScenarios: readonly Scenario[] = [firstContact]
