/** Reading: bounds, sizes, sessions, isolation, epochs. And finding offsets. */
import { Fetch } from '../../../common/protocol/apis/01-fetch.ts'
import { ListOffsets } from '../../../common/protocol/apis/02-list-offsets.ts'
import { DeleteRecords } from '../../../common/protocol/apis/21-delete-records.ts'
import { OffsetForLeaderEpoch } from '../../../common/protocol/apis/23-offset-for-leader-epoch.ts'
import type { RequestInputOf } from '../../../common/protocol/schema.ts'
import { each, type Scenario, type Step, step } from '../scenario.ts'
import { batch, filled, T0, topic } from '../support.ts'

const NOBODY = 'AAAAAAAAAAAAAAAAAAAAEQ'

type FetchInput = RequestInputOf<typeof Fetch>

interface Ask {
  readonly partition?: number
  readonly offset?: number
  readonly id?: string
  readonly maxBytes?: number
  readonly partitionMaxBytes?: number
  readonly minBytes?: number
  readonly maxWaitMs?: number
  readonly epoch?: number
  readonly lastEpoch?: number
  readonly more?: Partial<FetchInput>
}

function ask(name: string, options: Ask = {}): FetchInput {
  return {
    maxWaitMs: options.maxWaitMs ?? 0,
    minBytes: options.minBytes ?? 0,
    maxBytes: options.maxBytes ?? 10_000_000,
    topics: [
      {
        topic: name,
        ...(options.id === undefined ? {} : { topicId: options.id }),
        partitions: [
          {
            partition: options.partition ?? 0,
            fetchOffset: options.offset ?? 0,
            partitionMaxBytes: options.partitionMaxBytes ?? 1_000_000,
            ...(options.epoch === undefined ? {} : { currentLeaderEpoch: options.epoch }),
            ...(options.lastEpoch === undefined ? {} : { lastFetchedEpoch: options.lastEpoch }),
          },
        ],
      },
    ],
    ...options.more,
  }
}

const fetch: Scenario = {
  name: 'fetch',
  steps: (name) => [
    ...topic(name('a'), { partitions: 2 }),
    ...[0, 1, 2, 3].map((index) =>
      filled(name('a'), batch({ count: 3, timestamp: T0 + index * 1000 }), 0, ` ${index}`),
    ),
    ...each([4, 5, 7, 9, 11, 12], (version) => [
      step('from the start', Fetch, version, ask(name('a'))),
      step('from the middle', Fetch, version, ask(name('a'), { offset: 4 })),
      step('at the end', Fetch, version, ask(name('a'), { offset: 12 })),
      step('past the end', Fetch, version, ask(name('a'), { offset: 13 })),
      step('an unknown partition', Fetch, version, ask(name('a'), { partition: 5 })),
      step('an unknown topic', Fetch, version, ask(name('none'))),
    ]),
    ...each([13, 15, 16, 17, 18], (version) => [
      step('by id', Fetch, version, (saved) => ask(name('a'), { id: saved.text('id') })),
      step('by an unknown id', Fetch, version, ask('', { id: NOBODY })),
      step('by no id', Fetch, version, ask('')),
    ]),
    step('a negative offset', Fetch, 11, ask(name('a'), { offset: -1 })),
    step('a very negative offset', Fetch, 11, ask(name('a'), { offset: -100 })),
    step('one byte, first batch whole', Fetch, 11, ask(name('a'), { maxBytes: 1, partitionMaxBytes: 1 })),
    step('bytes for one batch and a half', Fetch, 11, ask(name('a'), { partitionMaxBytes: 160 })),
    step('total bytes for two batches', Fetch, 11, ask(name('a'), { maxBytes: 220 })),
    step('no bytes', Fetch, 11, ask(name('a'), { maxBytes: 0, partitionMaxBytes: 0 })),
    step('negative bytes', Fetch, 11, ask(name('a'), { partitionMaxBytes: -1 })),
    step(
      'minimum above maximum',
      Fetch,
      11,
      ask(name('a'), { minBytes: 1000, maxBytes: 100, maxWaitMs: 50 }),
    ),
    step('waiting in vain', Fetch, 11, ask(name('a'), { offset: 12, minBytes: 1, maxWaitMs: 60 })),
    step('a fenced epoch', Fetch, 11, ask(name('a'), { epoch: -2 })),
    ...each([9, 12], (version) => [
      step('the epoch that is', Fetch, version, ask(name('a'), { epoch: 0 })),
      step('an epoch to come', Fetch, version, ask(name('a'), { epoch: 5 })),
    ]),
    step('the last fetched epoch that is', Fetch, 12, ask(name('a'), { offset: 12, lastEpoch: 0, epoch: 0 })),
    step('a last fetched epoch to come', Fetch, 12, ask(name('a'), { offset: 12, lastEpoch: 9, epoch: 0 })),
    step('as a replica that is none', Fetch, 11, ask(name('a'), { more: { replicaId: 5 } })),
    step('as the leader itself', Fetch, 11, ask(name('a'), { more: { replicaId: 1 } })),
    step('as the debugging consumer', Fetch, 11, ask(name('a'), { more: { replicaId: -2 } })),
    step('nothing', Fetch, 11, ask(name('a'), { more: { topics: [] } })),
    step('two partitions', Fetch, 11, {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1_000_000,
      topics: [
        {
          topic: name('a'),
          partitions: [
            { partition: 1, fetchOffset: 0, partitionMaxBytes: 1000 },
            { partition: 0, fetchOffset: 0, partitionMaxBytes: 100_000 },
            { partition: 0, fetchOffset: 6, partitionMaxBytes: 100_000 },
          ],
        },
      ],
    }),
    step('an unknown isolation level', Fetch, 11, ask(name('a'), { more: { isolationLevel: 5 } })),
    step('committed only', Fetch, 11, ask(name('a'), { more: { isolationLevel: 1 } })),
    step('a rack', Fetch, 11, ask(name('a'), { more: { rackId: 'somewhere' } })),
    step('the wrong cluster', Fetch, 12, ask(name('a'), { more: { clusterId: 'elsewhere' } })),
    step('the metadata log', Fetch, 12, ask('__cluster_metadata')),
  ],
}

const sessions: Scenario = {
  name: 'fetch-sessions',
  steps: (name) => {
    const open = (version: number): Step =>
      step(
        'open',
        Fetch,
        version,
        (saved) => ask(name('a'), { id: saved.text('id'), more: { sessionEpoch: 0 } }),
        {
          save: ({ sessionId }) => ({ session: sessionId }),
        },
      )
    const next = (title: string, version: number, epoch: number, more: Partial<FetchInput> = {}): Step =>
      step(title, Fetch, version, (saved) => ({
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes: 1_000_000,
        sessionId: saved.number('session'),
        sessionEpoch: epoch,
        topics: [],
        ...more,
      }))
    return [
      ...topic(name('a'), { partitions: 3 }),
      filled(name('a'), batch({ count: 2 })),
      ...each([7, 10, 12, 14, 17], (version) => [
        open(version),
        next('nothing new', version, 1),
        step(`add a partition`, Fetch, version, (saved) => ({
          ...ask(name('a'), { partition: 1, id: saved.text('id') }),
          sessionId: saved.number('session'),
          sessionEpoch: 2,
        })),
        step('move an offset', Fetch, version, (saved) => ({
          ...ask(name('a'), { offset: 1, id: saved.text('id') }),
          sessionId: saved.number('session'),
          sessionEpoch: 3,
        })),
        step('forget one', Fetch, version, (saved) => ({
          maxWaitMs: 0,
          minBytes: 0,
          sessionId: saved.number('session'),
          sessionEpoch: 4,
          topics: [],
          forgottenTopicsData: [{ topic: name('a'), topicId: saved.text('id'), partitions: [0] }],
        })),
        next('an epoch too early', version, 3),
        next('an epoch too late', version, 9),
        step('add one that is not there', Fetch, version, (saved) => ({
          ...ask(name('a'), { partition: 8, id: saved.text('id') }),
          sessionId: saved.number('session'),
          sessionEpoch: 5,
        })),
        next('the error again', version, 6),
        next('close it', version, -1),
        next('after the end', version, 7),
        step('an unknown session', Fetch, version, (saved) => ({
          ...ask(name('a'), { id: saved.text('id') }),
          sessionId: 123_456_789,
          sessionEpoch: 1,
        })),
        step('epoch 0 with an old id', Fetch, version, (saved) => ({
          ...ask(name('a'), { id: saved.text('id') }),
          sessionId: 123_456_789,
          sessionEpoch: 0,
        })),
      ]),
      step(
        'a session without partitions',
        Fetch,
        11,
        ask(name('a'), { more: { topics: [], sessionEpoch: 0 } }),
      ),
      step(
        'names within a session of ids',
        Fetch,
        14,
        (saved) => ask(name('a'), { id: saved.text('id'), more: { sessionEpoch: 0 } }),
        {
          save: ({ sessionId }) => ({ session: sessionId }),
        },
      ),
      next('by name now', 12, 1),
    ]
  },
}

const SPECIAL = [-1, -2, -3, -4, -5, -6] as const

const listOffsets: Scenario = {
  name: 'list-offsets',
  steps: (name) => {
    const at = (
      title: string,
      version: number,
      timestamp: number,
      partition = 0,
      more: Partial<RequestInputOf<typeof ListOffsets>> = {},
      epoch = -1,
    ): Step =>
      step(title, ListOffsets, version, {
        replicaId: -1,
        topics: [
          {
            name: name('a'),
            partitions: [{ partitionIndex: partition, timestamp, currentLeaderEpoch: epoch }],
          },
        ],
        ...more,
      })
    return [
      ...topic(name('a'), { partitions: 2 }),
      filled(name('a'), batch({ count: 5, timestamp: T0 }), 0, ' 1'),
      filled(name('a'), batch({ count: 5, timestamp: T0 + 1000 }), 0, ' 2'),
      filled(name('a'), batch({ count: 2, timestamp: T0 + 500 }), 0, ' 3'),
      ...each([1, 2, 4, 6, 7, 8, 9, 10, 11], (version) => [
        ...SPECIAL.filter((special) => special > -3 || version >= 6).map((special) =>
          at(`timestamp ${special}`, version, special),
        ),
        at('a time within', version, T0 + 2),
      ]),
      at('special of a version to come', 6, -3),
      at('latest tiered before its version', 8, -5),
      at('between two batches', 7, T0 + 7),
      at('before all', 7, 1),
      at('time zero', 7, 0),
      at('within the batch that is late', 7, T0 + 501),
      at('after all', 7, T0 + 5000),
      at('an empty partition', 7, T0, 1),
      at('the greatest of an empty partition', 7, -3, 1),
      at('the earliest of an empty partition', 7, -2, 1),
      at('no such partition', 7, -1, 7),
      at('the epoch that is', 7, -1, 0, {}, 0),
      at('an epoch to come', 7, -1, 0, {}, 3),
      at('committed', 7, -1, 0, { isolationLevel: 1 }),
      at('as a replica', 7, -1, 0, { replicaId: 3 }),
      at('as the debugging consumer', 7, -1, 0, { replicaId: -2 }),
      step('an unknown topic', ListOffsets, 7, {
        replicaId: -1,
        topics: [{ name: name('none'), partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
      }),
      step('the same partition twice', ListOffsets, 7, {
        replicaId: -1,
        topics: [
          {
            name: name('a'),
            partitions: [
              { partitionIndex: 0, timestamp: -1 },
              { partitionIndex: 0, timestamp: -2 },
            ],
          },
        ],
      }),
      step('nothing', ListOffsets, 7, { replicaId: -1, topics: [] }),
    ]
  },
}

const epochs: Scenario = {
  name: 'leader-epochs',
  steps: (name) => [
    ...topic(name('a'), { partitions: 2 }),
    filled(name('a'), batch({ count: 5 })),
    ...each([2, 3, 4], (version) =>
      [0, 1, 5, -1].map((leaderEpoch) =>
        step(`end of epoch ${leaderEpoch}`, OffsetForLeaderEpoch, version, {
          topics: [{ topic: name('a'), partitions: [{ partition: 0, leaderEpoch }] }],
        }),
      ),
    ),
    step('of an empty partition', OffsetForLeaderEpoch, 4, {
      topics: [{ topic: name('a'), partitions: [{ partition: 1, leaderEpoch: 0 }] }],
    }),
    step('of no partition', OffsetForLeaderEpoch, 4, {
      topics: [{ topic: name('a'), partitions: [{ partition: 9, leaderEpoch: 0 }] }],
    }),
    step('of no topic', OffsetForLeaderEpoch, 4, {
      topics: [{ topic: name('none'), partitions: [{ partition: 0, leaderEpoch: 0 }] }],
    }),
    step('with the epoch that is', OffsetForLeaderEpoch, 4, {
      topics: [{ topic: name('a'), partitions: [{ partition: 0, leaderEpoch: 0, currentLeaderEpoch: 0 }] }],
    }),
    step('with an epoch to come', OffsetForLeaderEpoch, 4, {
      topics: [{ topic: name('a'), partitions: [{ partition: 0, leaderEpoch: 0, currentLeaderEpoch: 4 }] }],
    }),
    ...each([0, 1, 2], (version) => [
      step('delete records', DeleteRecords, version, {
        topics: [{ name: name('a'), partitions: [{ partitionIndex: 0, offset: 1 + version }] }],
        timeoutMs: 5000,
      }),
      step('delete past the end', DeleteRecords, version, {
        topics: [{ name: name('a'), partitions: [{ partitionIndex: 0, offset: 99 }] }],
        timeoutMs: 5000,
      }),
    ]),
    step('delete before the start', DeleteRecords, 2, {
      topics: [{ name: name('a'), partitions: [{ partitionIndex: 0, offset: 0 }] }],
      timeoutMs: 5000,
    }),
    step('delete below zero', DeleteRecords, 2, {
      topics: [{ name: name('a'), partitions: [{ partitionIndex: 0, offset: -2 }] }],
      timeoutMs: 5000,
    }),
    step('fetch before the start', Fetch, 11, ask(name('a'), { offset: 0 })),
    step('fetch in a batch cut in two', Fetch, 11, ask(name('a'), { offset: 3 })),
    step('delete all', DeleteRecords, 2, {
      topics: [{ name: name('a'), partitions: [{ partitionIndex: 0, offset: -1 }] }],
      timeoutMs: 5000,
    }),
    step('delete from no partition', DeleteRecords, 2, {
      topics: [{ name: name('a'), partitions: [{ partitionIndex: 8, offset: -1 }] }],
      timeoutMs: 5000,
    }),
    step('delete from no topic', DeleteRecords, 2, {
      topics: [{ name: name('none'), partitions: [{ partitionIndex: 0, offset: -1 }] }],
      timeoutMs: 5000,
    }),
    step('delete from an internal topic', DeleteRecords, 2, {
      topics: [{ name: '__cluster_metadata', partitions: [{ partitionIndex: 0, offset: -1 }] }],
      timeoutMs: 5000,
    }),
    ...topic(name('c'), { configs: { 'cleanup.policy': 'compact' }, saveAs: 'c' }),
    filled(name('c'), batch({ count: 5 }), 0, ' c'),
    step('delete from a compacted topic', DeleteRecords, 2, {
      topics: [{ name: name('c'), partitions: [{ partitionIndex: 0, offset: -1 }] }],
      timeoutMs: 5000,
    }),
    step('the earliest after all', ListOffsets, 7, {
      replicaId: -1,
      topics: [{ name: name('a'), partitions: [{ partitionIndex: 0, timestamp: -2 }] }],
    }),
    step('end of epoch 0 after all', OffsetForLeaderEpoch, 4, {
      topics: [{ topic: name('a'), partitions: [{ partition: 0, leaderEpoch: 0 }] }],
    }),
  ],
}

export const fetchScenarios: readonly Scenario[] = [fetch, sessions, listOffsets, epochs]
