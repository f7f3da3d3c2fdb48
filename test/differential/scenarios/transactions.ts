/** Producer ids and transactions, from the side of producer, coordinator and reader. */
import { Produce } from '../../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../../common/protocol/apis/01-fetch.ts'
import { ListOffsets } from '../../../common/protocol/apis/02-list-offsets.ts'
import { OffsetFetch } from '../../../common/protocol/apis/09-offset-fetch.ts'
import { InitProducerId } from '../../../common/protocol/apis/22-init-producer-id.ts'
import { AddPartitionsToTxn } from '../../../common/protocol/apis/24-add-partitions-to-txn.ts'
import { AddOffsetsToTxn } from '../../../common/protocol/apis/25-add-offsets-to-txn.ts'
import { EndTxn } from '../../../common/protocol/apis/26-end-txn.ts'
import { WriteTxnMarkers } from '../../../common/protocol/apis/27-write-txn-markers.ts'
import { TxnOffsetCommit } from '../../../common/protocol/apis/28-txn-offset-commit.ts'
import { DescribeProducers } from '../../../common/protocol/apis/61-describe-producers.ts'
import { DescribeTransactions } from '../../../common/protocol/apis/65-describe-transactions.ts'
import { ListTransactions } from '../../../common/protocol/apis/66-list-transactions.ts'
import { each, type Saved, type Scenario, type Step, step } from '../scenario.ts'
import { batch, groupCoordinator, produceRequest, producer, topic } from '../support.ts'

const CONCURRENT_TRANSACTIONS = 51

const initIds: Scenario = {
  name: 'init-producer-id',
  steps: (name) => [
    ...producer(name('t')),
    ...each([0, 1, 2, 3, 4, 5], (version) => [
      step('idempotent only', InitProducerId, version, { transactionalId: null, transactionTimeoutMs: 1000 }),
      step('transactional', InitProducerId, version, {
        transactionalId: name(`t${version}`),
        transactionTimeoutMs: 60_000,
      }),
      step(
        'again',
        InitProducerId,
        version,
        { transactionalId: name(`t${version}`), transactionTimeoutMs: 60_000 },
        {
          save: (answer) => ({
            [`pid${version}`]: answer.producerId,
            [`epoch${version}`]: answer.producerEpoch,
          }),
        },
      ),
      step('an empty transactional id', InitProducerId, version, {
        transactionalId: '',
        transactionTimeoutMs: 1000,
      }),
      step('a timeout too long', InitProducerId, version, {
        transactionalId: name('long'),
        transactionTimeoutMs: 100_000_000,
      }),
      step('a timeout of nothing', InitProducerId, version, {
        transactionalId: name('zero'),
        transactionTimeoutMs: 0,
      }),
      step('a negative timeout', InitProducerId, version, {
        transactionalId: name('negative'),
        transactionTimeoutMs: -1,
      }),
    ]),
    ...each([3, 5], (version) => [
      step('with what it has', InitProducerId, version, (saved) => ({
        transactionalId: name(`t${version}`),
        transactionTimeoutMs: 60_000,
        producerId: saved.number(`pid${version}`),
        producerEpoch: saved.number(`epoch${version}`),
      })),
      step('with an epoch to come', InitProducerId, version, (saved) => ({
        transactionalId: name(`t${version}`),
        transactionTimeoutMs: 60_000,
        producerId: saved.number(`pid${version}`),
        producerEpoch: 99,
      })),
      step('with another producer id', InitProducerId, version, {
        transactionalId: name(`t${version}`),
        transactionTimeoutMs: 60_000,
        producerId: 999_999,
        producerEpoch: 0,
      }),
      step('a producer id without an epoch', InitProducerId, version, {
        transactionalId: name(`t${version}`),
        transactionTimeoutMs: 60_000,
        producerId: 999_999,
        producerEpoch: -1,
      }),
      step('no transactional id but a producer id', InitProducerId, version, {
        transactionalId: null,
        transactionTimeoutMs: 60_000,
        producerId: 999_999,
        producerEpoch: 0,
      }),
    ]),
  ],
}

function read(title: string, topicName: string, isolationLevel: number, version = 11): Step {
  return step(title, Fetch, version, {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1_000_000,
    isolationLevel,
    topics: [
      { topic: topicName, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] },
    ],
  })
}

/** Life of one producer; `version` is that of AddPartitionsToTxn and its kin. */
function life(name: (what: string) => string, version: 'old' | 'new'): Step[] {
  const t = name('t')
  const a = name('a')
  const g = name('g')
  const end = version === 'old' ? 3 : 5
  const produceVersion = version === 'old' ? 11 : 12
  const pid = (saved: Saved): number => saved.number('pid')
  const epoch = (saved: Saved): number => saved.number('epoch')
  const sequence = { next: 0 }
  const send = (title: string, withId: string | null = t): Step => {
    const baseSequence = sequence.next
    sequence.next += 2
    return step(title, Produce, produceVersion, (saved) =>
      produceRequest(
        a,
        batch({
          count: 2,
          producerId: pid(saved),
          producerEpoch: epoch(saved),
          baseSequence,
          isTransactional: true,
        }),
        { transactionalId: withId },
      ),
    )
  }
  const addPartitions = (title: string, topicName: string, partitions: number[]): Step =>
    step(title, AddPartitionsToTxn, 3, (saved) => ({
      v3AndBelowTransactionalId: t,
      v3AndBelowProducerId: pid(saved),
      v3AndBelowProducerEpoch: epoch(saved),
      v3AndBelowTopics: [{ name: topicName, partitions }],
    }))
  const finish = (title: string, committed: boolean): Step[] => {
    if (version === 'new') sequence.next = 0
    return [
      step(
        title,
        EndTxn,
        end,
        (saved) => ({ transactionalId: t, producerId: pid(saved), producerEpoch: epoch(saved), committed }),
        {
          until: ({ errorCode }) => errorCode !== CONCURRENT_TRANSACTIONS,
          save: (answer) =>
            end >= 5 && answer.errorCode === 0 ? { pid: answer.producerId, epoch: answer.producerEpoch } : {},
        },
      ),
      step(
        `${title}, settled`,
        DescribeTransactions,
        0,
        { transactionalIds: [t] },
        { until: ({ transactionStates }) => !/Prepare/.test(transactionStates[0]?.transactionState ?? '') },
      ),
    ]
  }
  return [
    ...topic(a, { partitions: 2 }),
    ...groupCoordinator(g),
    ...producer(t, '', version === 'old' ? 4 : 5),
    step('described before', DescribeTransactions, 0, { transactionalIds: [t, name('nobody'), ''] }),
    ...(version === 'old'
      ? [
          send('without adding the partition'),
          addPartitions('add', a, [0]),
          addPartitions('add again', a, [0]),
          addPartitions('add what is not there', a, [7]),
          addPartitions('add no topic', name('none'), [0]),
        ]
      : []),
    send('send'),
    send('send more'),
    send('send without the id', null),
    step('described within', DescribeTransactions, 0, { transactionalIds: [t] }),
    step('its producers within', DescribeProducers, 0, { topics: [{ name: a, partitionIndexes: [0] }] }),
    read('uncommitted within', a, 0),
    read('committed within', a, 1),
    step('latest of the committed', ListOffsets, 7, {
      replicaId: -1,
      isolationLevel: 1,
      topics: [{ name: a, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
    }),
    ...(version === 'old'
      ? [
          step('add offsets', AddOffsetsToTxn, 3, (saved) => ({
            transactionalId: t,
            producerId: pid(saved),
            producerEpoch: epoch(saved),
            groupId: g,
          })),
        ]
      : []),
    step('commit offsets within', TxnOffsetCommit, version === 'old' ? 3 : 5, (saved) => ({
      transactionalId: t,
      groupId: g,
      producerId: pid(saved),
      producerEpoch: epoch(saved),
      topics: [{ name: a, partitions: [{ partitionIndex: 0, committedOffset: 4, committedMetadata: 'tx' }] }],
    })),
    step('commit offsets as a stranger', TxnOffsetCommit, version === 'old' ? 3 : 5, (saved) => ({
      transactionalId: t,
      groupId: g,
      producerId: pid(saved),
      producerEpoch: epoch(saved),
      generationIdOrMemberEpoch: 3,
      memberId: 'stranger',
      topics: [{ name: a, partitions: [{ partitionIndex: 0, committedOffset: 4, committedMetadata: 'tx' }] }],
    })),
    step('offsets within', OffsetFetch, 7, {
      groupId: g,
      topics: [{ name: a, partitionIndexes: [0] }],
      requireStable: false,
    }),
    step('stable offsets within', OffsetFetch, 7, {
      groupId: g,
      topics: [{ name: a, partitionIndexes: [0] }],
      requireStable: true,
    }),
    ...finish('commit', true),
    step(
      'offsets after',
      OffsetFetch,
      7,
      { groupId: g, topics: [{ name: a, partitionIndexes: [0] }], requireStable: true },
      {
        until: ({ topics }) =>
          topics[0]?.partitions[0]?.errorCode === 0 && topics[0].partitions[0].committedOffset >= 0,
      },
    ),
    step('commit again', EndTxn, end, (saved) => ({
      transactionalId: t,
      producerId: pid(saved),
      producerEpoch: epoch(saved),
      committed: true,
    })),
    step('abort after the commit', EndTxn, end, (saved) => ({
      transactionalId: t,
      producerId: pid(saved),
      producerEpoch: epoch(saved),
      committed: false,
    })),
    ...(version === 'old' ? [addPartitions('add for the second', a, [0])] : []),
    read('committed after the commit', a, 1),
  ]
}

const oldLife: Scenario = {
  name: 'transaction',
  steps: (name) => [...life(name, 'old'), ...errors(name, add3)],
}
const newLife: Scenario = { name: 'transaction-v2', steps: (name) => life(name, 'new') }

const abort: Scenario = {
  name: 'transaction-abort',
  steps: (name) => {
    const t = name('t')
    const a = name('a')
    return [
      ...topic(a),
      ...producer(t),
      step('add', AddPartitionsToTxn, 3, (saved) => ({
        v3AndBelowTransactionalId: t,
        v3AndBelowProducerId: saved.number('pid'),
        v3AndBelowProducerEpoch: saved.number('epoch'),
        v3AndBelowTopics: [{ name: a, partitions: [0] }],
      })),
      step('send', Produce, 11, (saved) =>
        produceRequest(
          a,
          batch({
            count: 3,
            producerId: saved.number('pid'),
            producerEpoch: saved.number('epoch'),
            baseSequence: 0,
            isTransactional: true,
          }),
          { transactionalId: t },
        ),
      ),
      step(
        'listed while ongoing',
        ListTransactions,
        1,
        { stateFilters: ['Ongoing'], producerIdFilters: [] },
        {
          only: (answer, runId) => {
            answer.transactionStates = answer.transactionStates.filter((one) =>
              one.transactionalId.startsWith(`${runId}-transaction-abort`),
            )
          },
        },
      ),
      step('abort', EndTxn, 3, (saved) => ({
        transactionalId: t,
        producerId: saved.number('pid'),
        producerEpoch: saved.number('epoch'),
        committed: false,
      })),
      step(
        'settled',
        DescribeTransactions,
        0,
        { transactionalIds: [t] },
        { until: ({ transactionStates }) => !/Prepare/.test(transactionStates[0]?.transactionState ?? '') },
      ),
      ...each([4, 11, 12], (version) => [
        read('committed', a, 1, version),
        read('uncommitted', a, 0, version),
      ]),
      step('latest of the committed', ListOffsets, 7, {
        replicaId: -1,
        isolationLevel: 1,
        topics: [{ name: a, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
      }),
      step('its producers', DescribeProducers, 0, { topics: [{ name: a, partitionIndexes: [0] }] }),
      step(
        'add again',
        AddPartitionsToTxn,
        3,
        (saved) => ({
          v3AndBelowTransactionalId: t,
          v3AndBelowProducerId: saved.number('pid'),
          v3AndBelowProducerEpoch: saved.number('epoch'),
          v3AndBelowTopics: [{ name: a, partitions: [0] }],
        }),
        {
          until: (answer) =>
            answer.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode !==
            CONCURRENT_TRANSACTIONS,
        },
      ),
      step(
        'a new producer fences',
        InitProducerId,
        4,
        { transactionalId: t, transactionTimeoutMs: 60_000 },
        {
          until: ({ errorCode }) => errorCode !== CONCURRENT_TRANSACTIONS,
          save: (answer) => ({ newEpoch: answer.producerEpoch }),
        },
      ),
      step('the fenced one sends', Produce, 11, (saved) =>
        produceRequest(
          a,
          batch({
            count: 3,
            producerId: saved.number('pid'),
            producerEpoch: saved.number('epoch'),
            baseSequence: 3,
            isTransactional: true,
          }),
          { transactionalId: t },
        ),
      ),
      ...each([0, 1, 2, 3, 4, 5], (version) =>
        step('the fenced one ends', EndTxn, version, (saved) => ({
          transactionalId: t,
          producerId: saved.number('pid'),
          producerEpoch: saved.number('epoch'),
          committed: true,
        })),
      ),
      ...each([0, 1, 2, 3], (version) =>
        step('the fenced one adds', AddPartitionsToTxn, version, (saved) => ({
          v3AndBelowTransactionalId: t,
          v3AndBelowProducerId: saved.number('pid'),
          v3AndBelowProducerEpoch: saved.number('epoch'),
          v3AndBelowTopics: [{ name: a, partitions: [0] }],
        })),
      ),
      ...each([0, 1, 2, 3, 4], (version) =>
        step('the fenced one adds offsets', AddOffsetsToTxn, version, (saved) => ({
          transactionalId: t,
          producerId: saved.number('pid'),
          producerEpoch: saved.number('epoch'),
          groupId: 'g',
        })),
      ),
      ...each([0, 1, 2], (version) => [
        step(
          'listed',
          ListTransactions,
          version,
          { stateFilters: ['CompleteAbort', 'Empty'], producerIdFilters: [] },
          {
            only: (answer, runId) => {
              answer.transactionStates = answer.transactionStates.filter((one) =>
                one.transactionalId.startsWith(`${runId}-transaction-abort`),
              )
            },
          },
        ),
        step('listed by unknown states', ListTransactions, version, {
          stateFilters: ['Asleep', 'Dead'],
          producerIdFilters: [12345678],
        }),
      ]),
      step('listed by a pattern', ListTransactions, 2, {
        stateFilters: [],
        producerIdFilters: [],
        transactionalIdPattern: `${name('t')}.*`,
      }),
      step('listed by a bad pattern', ListTransactions, 2, {
        stateFilters: [],
        producerIdFilters: [],
        transactionalIdPattern: '[',
      }),
      step(
        'listed by duration',
        ListTransactions,
        1,
        { stateFilters: [], producerIdFilters: [], durationFilter: 100_000_000 },
        {
          only: (answer, runId) => {
            answer.transactionStates = answer.transactionStates.filter((one) =>
              one.transactionalId.startsWith(`${runId}-transaction-abort`),
            )
          },
        },
      ),
    ]
  },
}

type Errors = (name: (what: string) => string) => Step[]

const add3: Errors = (name) => [
  ...each([0, 1, 3], (version) => [
    step('add as nobody', AddPartitionsToTxn, version, {
      v3AndBelowTransactionalId: name('nobody'),
      v3AndBelowProducerId: 1,
      v3AndBelowProducerEpoch: 0,
      v3AndBelowTopics: [{ name: name('a'), partitions: [0] }],
    }),
    step('add with another producer id', AddPartitionsToTxn, version, {
      v3AndBelowTransactionalId: name('t'),
      v3AndBelowProducerId: 999_999,
      v3AndBelowProducerEpoch: 0,
      v3AndBelowTopics: [{ name: name('a'), partitions: [0] }],
    }),
    step('add nothing', AddPartitionsToTxn, version, {
      v3AndBelowTransactionalId: name('t'),
      v3AndBelowProducerId: 999_999,
      v3AndBelowProducerEpoch: 0,
      v3AndBelowTopics: [],
    }),
  ]),
]

function errors(name: (what: string) => string, more: Errors): Step[] {
  return [
    ...more(name),
    ...each([4, 5], (version) => [
      step('verify', AddPartitionsToTxn, version, (saved) => ({
        transactions: [
          {
            transactionalId: name('t'),
            producerId: saved.number('pid'),
            producerEpoch: saved.number('epoch'),
            verifyOnly: true,
            topics: [{ name: name('a'), partitions: [0, 1] }],
          },
        ],
      })),
      step('verify for nobody', AddPartitionsToTxn, version, {
        transactions: [
          {
            transactionalId: name('nobody'),
            producerId: 7,
            producerEpoch: 0,
            verifyOnly: true,
            topics: [{ name: name('a'), partitions: [0] }],
          },
        ],
      }),
    ]),
    ...each([0, 2, 4], (version) => [
      step('add offsets as nobody', AddOffsetsToTxn, version, {
        transactionalId: name('nobody'),
        producerId: 1,
        producerEpoch: 0,
        groupId: name('g'),
      }),
      step('add offsets of no group', AddOffsetsToTxn, version, (saved) => ({
        transactionalId: name('t'),
        producerId: saved.number('pid'),
        producerEpoch: saved.number('epoch'),
        groupId: '',
      })),
    ]),
    ...each([0, 2, 5], (version) => [
      step('end as nobody', EndTxn, version, {
        transactionalId: name('nobody'),
        producerId: 1,
        producerEpoch: 0,
        committed: true,
      }),
      step('end with an epoch to come', EndTxn, version, (saved) => ({
        transactionalId: name('t'),
        producerId: saved.number('pid'),
        producerEpoch: saved.number('epoch') + 9,
        committed: true,
      })),
    ]),
    ...each([0, 2, 3, 5, 6], (version) => [
      step('commit offsets as nobody', TxnOffsetCommit, version, (saved) => ({
        transactionalId: name('nobody'),
        groupId: name('g'),
        producerId: 1,
        producerEpoch: 0,
        topics: [
          {
            name: name('a'),
            topicId: saved.text('id'),
            partitions: [{ partitionIndex: 0, committedOffset: 4, committedMetadata: '' }],
          },
        ],
      })),
      step('commit offsets of no topic', TxnOffsetCommit, version, (saved) => ({
        transactionalId: name('t'),
        groupId: name('g'),
        producerId: saved.number('pid'),
        producerEpoch: saved.number('epoch'),
        topics: [
          {
            name: name('none'),
            topicId: 'AAAAAAAAAAAAAAAAAAAAEQ',
            partitions: [{ partitionIndex: 0, committedOffset: 4, committedMetadata: '' }],
          },
        ],
      })),
    ]),
    ...each([1, 2], (version) => [
      step('markers for an unknown producer', WriteTxnMarkers, version, {
        markers: [
          {
            producerId: 888_000 + version,
            producerEpoch: 0,
            transactionResult: true,
            coordinatorEpoch: 0,
            topics: [{ name: name('a'), partitionIndexes: [1, 9] }],
          },
        ],
      }),
      step('markers of an old coordinator', WriteTxnMarkers, version, {
        markers: [
          {
            producerId: 888_000 + version,
            producerEpoch: 0,
            transactionResult: true,
            coordinatorEpoch: -1,
            topics: [{ name: name('a'), partitionIndexes: [1] }],
          },
        ],
      }),
      step('markers of no topic', WriteTxnMarkers, version, {
        markers: [
          {
            producerId: 888_000,
            producerEpoch: 0,
            transactionResult: false,
            coordinatorEpoch: 0,
            topics: [{ name: name('none'), partitionIndexes: [0] }],
          },
        ],
      }),
      step('no markers', WriteTxnMarkers, version, { markers: [] }),
    ]),
    step('what the markers left', Fetch, 11, {
      maxWaitMs: 0,
      minBytes: 0,
      topics: [
        { topic: name('a'), partitions: [{ partition: 1, fetchOffset: 0, partitionMaxBytes: 100_000 }] },
      ],
    }),
    step('a control batch from a transaction', Produce, 11, (saved) =>
      produceRequest(
        name('a'),
        batch({
          producerId: saved.number('pid'),
          producerEpoch: saved.number('epoch'),
          baseSequence: 0,
          isTransactional: true,
          isControl: true,
        }),
        {
          transactionalId: name('t'),
          partition: 1,
        },
      ),
    ),
    step(
      'a transactional batch of an unknown id',
      Produce,
      12,
      produceRequest(
        name('a'),
        batch({ producerId: 4, producerEpoch: 0, baseSequence: 0, isTransactional: true }),
        { transactionalId: name('nobody') },
      ),
    ),
  ]
}

export const transactionScenarios: readonly Scenario[] = [initIds, oldLife, newLife, abort]
