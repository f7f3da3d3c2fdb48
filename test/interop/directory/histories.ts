/** What is played to both brokers before their internal topics are compared. */
import { OffsetCommit } from '../../../common/protocol/apis/08-offset-commit.ts'
import { OffsetFetch } from '../../../common/protocol/apis/09-offset-fetch.ts'
import { FindCoordinator } from '../../../common/protocol/apis/10-find-coordinator.ts'
import { InitProducerId } from '../../../common/protocol/apis/22-init-producer-id.ts'
import { AddPartitionsToTxn } from '../../../common/protocol/apis/24-add-partitions-to-txn.ts'
import { DeleteGroups } from '../../../common/protocol/apis/42-delete-groups.ts'
import { DescribeTransactions } from '../../../common/protocol/apis/65-describe-transactions.ts'
import { ConsumerGroupHeartbeat } from '../../../common/protocol/apis/68-consumer-group-heartbeat.ts'
import { ShareGroupHeartbeat } from '../../../common/protocol/apis/76-share-group-heartbeat.ts'
import { ShareFetch } from '../../../common/protocol/apis/78-share-fetch.ts'
import { ShareAcknowledge } from '../../../common/protocol/apis/79-share-acknowledge.ts'
import { AlterShareGroupOffsets } from '../../../common/protocol/apis/91-alter-share-group-offsets.ts'
import { DeleteShareGroupOffsets } from '../../../common/protocol/apis/92-delete-share-group-offsets.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { type Saved, type Scenario, type Step, step } from '../../differential/scenario.ts'
import { groupScenarios } from '../../differential/scenarios/groups.ts'
import { otherScenarios } from '../../differential/scenarios/others.ts'
import { transactionScenarios } from '../../differential/scenarios/transactions.ts'
import { batch, filled, groupCoordinator, shareFetchRequest, topic } from '../../differential/support.ts'

const MEMBER = 'AAAAAAAAAAAAAAAAAAAAIQ'
const ACCEPT = 1
const RELEASE = 2
const REJECT = 3

/** A share group whose records are taken, given back and thrown away; then its offsets are moved and forgotten. */
const sharing: Scenario = {
  name: 'sharing',
  steps: (name) => {
    const [a, g] = [name('a'), name('g')]
    const fetch = (title: string, shareSessionEpoch: number): Step =>
      step(
        title,
        ShareFetch,
        1,
        (saved) => shareFetchRequest(saved.text('id'), { groupId: g, memberId: MEMBER, shareSessionEpoch }),
        shareSessionEpoch === 0
          ? {
              until: ({ responses }) => (responses[0]?.partitions[0]?.acquiredRecords.length ?? 0) > 0,
            }
          : {},
      )
    const acknowledge = (epoch: number, firstOffset: number, types: readonly number[]): Step =>
      step(`acknowledge ${firstOffset}`, ShareAcknowledge, 1, (saved) => ({
        groupId: g,
        memberId: MEMBER,
        shareSessionEpoch: epoch,
        topics: [
          {
            topicId: saved.text('id'),
            partitions: [
              {
                partitionIndex: 0,
                acknowledgementBatches: [
                  { firstOffset, lastOffset: firstOffset + types.length - 1, acknowledgeTypes: [...types] },
                ],
              },
            ],
          },
        ],
      }))
    const beat = (title: string, memberEpoch: number): Step =>
      step(
        title,
        ShareGroupHeartbeat,
        1,
        (saved) => ({
          groupId: g,
          memberId: MEMBER,
          memberEpoch: memberEpoch > 0 ? saved.number('epoch') : memberEpoch,
          ...(memberEpoch === 0 ? { subscribedTopicNames: [a] } : {}),
        }),
        { save: (answer) => ({ epoch: answer.memberEpoch }) },
      )
    return [
      ...topic(a, { configs: { 'retention.ms': '-1' } }),
      filled(a, batch({ count: 10 })),
      ...groupCoordinator(g),
      step(
        'from the beginning',
        AlterShareGroupOffsets,
        0,
        { groupId: g, topics: [{ topicName: a, partitions: [{ partitionIndex: 0, startOffset: 1 }] }] },
        { until: ({ responses }) => responses[0]?.partitions[0]?.errorCode === 0 },
      ),
      beat('join', 0),
      beat('assigned', 1),
      fetch('a session', 0),
      acknowledge(1, 1, [ACCEPT, REJECT, RELEASE]),
      acknowledge(2, 4, [ACCEPT]),
      acknowledge(3, 6, [RELEASE, RELEASE]),
      fetch('once more', 4),
      acknowledge(5, 3, [ACCEPT]),
      fetch('the end of the session', -1),
      beat('leave', -1),
      step('to the middle', AlterShareGroupOffsets, 0, {
        groupId: g,
        topics: [{ topicName: a, partitions: [{ partitionIndex: 0, startOffset: 6 }] }],
      }),
      step('forget', DeleteShareGroupOffsets, 0, { groupId: g, topics: [{ topicName: a }] }),
      step('delete', DeleteGroups, 2, { groupsNames: [g] }),
    ]
  },
}

/** Two members, one of them by a pattern, who share, lose and get back. */
const balancing: Scenario = {
  name: 'balancing',
  steps: (name) => {
    const [a, g] = [name('a'), name('g')]
    const beatOf = (title: string, member: string, more: (saved: Saved) => { memberEpoch: number }): Step =>
      step(title, ConsumerGroupHeartbeat, 1, (saved) => ({ groupId: g, memberId: member, ...more(saved) }), {
        save: ({ memberEpoch }) => ({ [member]: memberEpoch }),
      })
    const beat = (title: string, member: string, memberEpoch: number, more: object): Step =>
      beatOf(title, member, () => ({ memberEpoch, ...more }))
    const owning = (title: string, member: string, partitions: readonly number[]): Step =>
      beatOf(title, member, (saved) => ({
        memberEpoch: saved.number(member),
        rebalanceTimeoutMs: 5000,
        subscribedTopicNames: [a],
        topicPartitions: [{ topicId: saved.text('id'), partitions: [...partitions] }],
      }))
    const start = { rebalanceTimeoutMs: 5000, subscribedTopicNames: [a], topicPartitions: [] }
    return [
      ...topic(a, { partitions: 4 }),
      ...groupCoordinator(g),
      beat('one joins', 'm1', 0, start),
      beat('two joins', 'm2', 0, { ...start, instanceId: 'i', rackId: 'r', serverAssignor: 'range' }),
      owning('one hears', 'm1', [0, 1, 2, 3]),
      owning('one gives', 'm1', [0, 1]),
      owning('two gets', 'm2', []),
      owning('two has', 'm2', [2, 3]),
      step('one commits', OffsetCommit, 9, (saved) => ({
        groupId: g,
        memberId: 'm1',
        generationIdOrMemberEpoch: saved.number('m1'),
        topics: [
          {
            name: a,
            partitions: [
              { partitionIndex: 0, committedOffset: 3, committedLeaderEpoch: 0, committedMetadata: 'here' },
            ],
          },
        ],
      })),
      beat('two is away', 'm2', -2, { instanceId: 'i' }),
      beat('two comes back', 'm3', 0, { ...start, instanceId: 'i' }),
      beat('one leaves', 'm1', -1, {}),
      beat('two leaves', 'm3', -1, { instanceId: 'i' }),
      step('delete', DeleteGroups, 2, { groupsNames: [g] }),
    ]
  },
}

/** A commit that asks for its own end, and a transaction that nobody ends. */
const expiring: Scenario = {
  name: 'expiring',
  steps: (name) => {
    const [a, g, t] = [name('a'), name('g'), name('t')]
    return [
      ...topic(a),
      ...groupCoordinator(g),
      step('commit for a moment', OffsetCommit, 2, {
        groupId: g,
        generationIdOrMemberEpoch: -1,
        memberId: '',
        retentionTimeMs: 1,
        topics: [
          {
            name: a,
            partitions: [{ partitionIndex: 0, committedOffset: 5, committedMetadata: 'soon gone' }],
          },
        ],
      }),
      step(
        'coordinator of transactions',
        FindCoordinator,
        2,
        { key: t, keyType: 1 },
        { until: ({ errorCode }) => errorCode === 0 },
      ),
      step(
        'a producer',
        InitProducerId,
        4,
        { transactionalId: t, transactionTimeoutMs: 500 },
        {
          until: ({ errorCode }) => errorCode === 0,
          save: ({ producerId, producerEpoch }) => ({ id: producerId, epoch: producerEpoch }),
        },
      ),
      step('begin', AddPartitionsToTxn, 3, (saved) => ({
        v3AndBelowTransactionalId: t,
        v3AndBelowProducerId: saved.number('id'),
        v3AndBelowProducerEpoch: saved.number('epoch'),
        v3AndBelowTopics: [{ name: a, partitions: [0] }],
      })),
      step(
        'aborted, and forgotten',
        DescribeTransactions,
        0,
        { transactionalIds: [t] },
        {
          until: ({ transactionStates }) =>
            transactionStates[0]?.errorCode === ErrorCode.TRANSACTIONAL_ID_NOT_FOUND,
        },
      ),
      step(
        'gone',
        OffsetFetch,
        7,
        { groupId: g, topics: [{ name: a, partitionIndexes: [0] }] },
        {
          until: ({ topics }) => topics[0]?.partitions[0]?.committedOffset === -1,
        },
      ),
    ]
  },
}

/** The sessions of members who stay last half a minute: they come last. */
export const histories: readonly Scenario[] = [
  ...transactionScenarios,
  ...otherScenarios.filter(({ name }) => name === 'share-group'),
  sharing,
  balancing,
  ...groupScenarios,
]

/** For brokers that look often for what has expired, see `EXPIRATION`. */
export const expirations: readonly Scenario[] = [expiring]

export const EXPIRATION: Readonly<Record<string, string>> = {
  'offsets.retention.check.interval.ms': '500',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '200',
  'transaction.remove.expired.transaction.cleanup.interval.ms': '500',
  'transactional.id.expiration.ms': '5000',
}

/** Nothing waits for a moment that the other broker may meet or miss, and share state is summed up often. */
export const historySettings: Readonly<Record<string, string>> = {
  'group.consumer.assignment.interval.ms': '0',
  'group.share.assignment.interval.ms': '0',
  'share.coordinator.snapshot.update.records.per.snapshot': '3',
}
