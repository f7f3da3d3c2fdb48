/** What clients seldom ask and notice at once: topics that are made anew, transactions seen by time, markers that make no sense. */

import { Produce } from '../../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../../common/protocol/apis/01-fetch.ts'
import { ListOffsets } from '../../../common/protocol/apis/02-list-offsets.ts'
import { Metadata } from '../../../common/protocol/apis/03-metadata.ts'
import { CreateTopics } from '../../../common/protocol/apis/19-create-topics.ts'
import { DeleteTopics } from '../../../common/protocol/apis/20-delete-topics.ts'
import { DeleteRecords } from '../../../common/protocol/apis/21-delete-records.ts'
import { EndTxn } from '../../../common/protocol/apis/26-end-txn.ts'
import { WriteTxnMarkers } from '../../../common/protocol/apis/27-write-txn-markers.ts'
import { DescribeLogDirs } from '../../../common/protocol/apis/35-describe-log-dirs.ts'
import { DescribeProducers } from '../../../common/protocol/apis/61-describe-producers.ts'
import { DescribeShareGroupOffsets } from '../../../common/protocol/apis/90-describe-share-group-offsets.ts'
import type { RequestInputOf } from '../../../common/protocol/schema.ts'
import { BatchBuilder } from '../../../common/record/batch-builder.ts'
import { CompressionType } from '../../../common/record/codecs.ts'
import { collect, each, type Scenario, type Step, step } from '../scenario.ts'
import { batch, filled, groupCoordinator, produceRequest, producer, T0, topic } from '../support.ts'

const CONCURRENT_TRANSACTIONS = 51
const DAY_MS = 86_400_000

function read(name: string, more: Partial<RequestInputOf<typeof Fetch>> = {}, topicId?: string) {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }]
  return {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1_000_000,
    topics: [{ topic: name, ...(topicId === undefined ? {} : { topicId }), partitions }],
    ...more,
  }
}

function deleteBefore(title: string, name: string, offset: number): Step {
  return step(title, DeleteRecords, 2, {
    topics: [{ name, partitions: [{ partitionIndex: 0, offset }] }],
    timeoutMs: 5000,
  })
}

const levels: Scenario = {
  name: 'compression-levels',
  steps: (name) =>
    (
      [
        ['gzip', 'compression.gzip.level', '1'],
        ['gzip', 'compression.gzip.level', '9'],
        ['gzip', 'compression.gzip.level', '-1'],
        ['lz4', 'compression.lz4.level', '1'],
        ['lz4', 'compression.lz4.level', '17'],
        ['zstd', 'compression.zstd.level', '-131072'],
        ['zstd', 'compression.zstd.level', '22'],
      ] as const
    ).flatMap(([type, key, level]) => {
      const own = name(`${type}${level}`)
      return [
        ...topic(own, { configs: { 'compression.type': type, [key]: level }, saveAs: `${type} ${level}` }),
        step(
          `plain into ${type} ${level}`,
          Produce,
          9,
          produceRequest(own, batch({ count: 3, valueBytes: 40 })),
        ),
        step(`read from ${type} ${level}`, Fetch, 11, read(own)),
      ]
    }),
}

const anew: Scenario = {
  name: 'topic-anew',
  steps: (name) => {
    const a = name('a')
    const next = (title: string, version: number, epoch: number): Step =>
      step(title, Fetch, version, (saved) => ({
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes: 1_000_000,
        sessionId: saved.number(`session${version}`),
        sessionEpoch: epoch,
        topics: [],
      }))
    return [
      ...topic(a, { saveAs: 'old' }),
      filled(a, batch({ count: 2 })),
      ...[11, 13].map((version) =>
        step(
          'open a session',
          Fetch,
          version,
          (saved) => read(a, { sessionEpoch: 0 }, version < 13 ? undefined : saved.text('old')),
          { save: ({ sessionId }) => ({ [`session${version}`]: sessionId }) },
        ),
      ),
      step('delete it', DeleteTopics, 5, { topicNames: [a], timeoutMs: 5000 }, { setup: true }),
      step(
        'gone',
        Metadata,
        12,
        { topics: [{ name: a }], allowAutoTopicCreation: false },
        { setup: true, until: ({ topics }) => topics[0]?.errorCode === 3 },
      ),
      step('by its id', Fetch, 13, (saved) => read('', {}, saved.text('old')), {
        until: ({ responses }) => responses[0]?.partitions[0]?.errorCode === 100,
      }),
      next('the session by name', 11, 1),
      next('the session by id', 13, 1),
      ...topic(a, { saveAs: 'new' }),
      step('by the old id', Fetch, 13, (saved) => read('', {}, saved.text('old'))),
      step('by the new id', Fetch, 13, (saved) => read('', {}, saved.text('new'))),
      step('produce by the old id', Produce, 13, (saved) =>
        produceRequest('', batch(), { topicId: saved.text('old') }),
      ),
      next('the session by name, after', 11, 2),
      next('the session by id, after', 13, 2),
      step('made twice', CreateTopics, 7, {
        topics: [{ name: a, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
        timeoutMs: 5000,
      }),
    ]
  },
}

const byTime: Scenario = {
  name: 'offsets-by-time',
  steps: (name) => {
    const a = name('a')
    const t = name('t')
    const at = (title: string, timestamp: number, isolationLevel = 0, version = 9): Step =>
      step(title, ListOffsets, version, {
        replicaId: -1,
        isolationLevel,
        topics: [{ name: a, partitions: [{ partitionIndex: 0, timestamp }] }],
      })
    const all = (when: string): Step[] =>
      [0, 1].flatMap((isolation) =>
        [-1, -2, -3, -4, -5, T0, T0 + 1, T0 + 1000, T0 + 1001, T0 + 2000].map((timestamp) =>
          at(`${timestamp} ${when}, isolation ${isolation}`, timestamp, isolation),
        ),
      )
    const send = (title: string, baseSequence: number, timestamp: number): Step =>
      step(title, Produce, 12, (saved) =>
        produceRequest(
          a,
          batch({
            count: 2,
            timestamp,
            producerId: saved.number('pid'),
            producerEpoch: saved.number('epoch'),
            baseSequence,
            isTransactional: true,
          }),
          { transactionalId: t },
        ),
      )
    return [
      ...topic(a),
      filled(a, batch({ count: 3, timestamp: T0 })),
      filled(a, batch({ count: 3, timestamp: T0 }), 0, ' again'),
      ...producer(t, '', 5),
      send('send', 0, T0 + 1000),
      ...all('while open'),
      step(
        'wait for what is not stable',
        Fetch,
        11,
        read(a, { isolationLevel: 1, minBytes: 100_000, maxWaitMs: 50 }),
      ),
      step(
        'wait for the end',
        Fetch,
        11,
        {
          ...read(a, { isolationLevel: 1, minBytes: 1, maxWaitMs: 10_000 }),
          topics: [
            { topic: a, partitions: [{ partition: 0, fetchOffset: 6, partitionMaxBytes: 1_000_000 }] },
          ],
        },
        { on: 'waiting', later: true },
      ),
      step(
        'abort',
        EndTxn,
        5,
        (saved) => ({
          transactionalId: t,
          producerId: saved.number('pid'),
          producerEpoch: saved.number('epoch'),
          committed: false,
        }),
        { until: ({ errorCode }) => errorCode !== CONCURRENT_TRANSACTIONS },
      ),
      collect('wait for the end', Fetch, 11),
      step(
        'stable',
        ListOffsets,
        7,
        {
          replicaId: -1,
          isolationLevel: 1,
          topics: [{ name: a, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
        },
        { until: ({ topics }) => topics[0]?.partitions[0]?.offset === 9 },
      ),
      ...all('after'),
      step('its producers', DescribeProducers, 0, { topics: [{ name: a, partitionIndexes: [0] }] }),
      step('size', DescribeLogDirs, 4, { topics: [{ topic: a, partitions: [0] }] }),
      deleteBefore('delete some', a, 4),
      ...all('after records are gone'),
      step('size, later', DescribeLogDirs, 4, { topics: [{ topic: a, partitions: [0] }] }),
      deleteBefore('delete up to the marker', a, 8),
      ...all('when only the marker is left'),
      deleteBefore('delete the marker', a, 9),
      ...all('when nothing is left'),
    ]
  },
}

/** Timestamps that go up and down, in a log whose records of the present begin a segment of their own. */
const timesOutOfOrder: Scenario = {
  name: 'offsets-by-time-out-of-order',
  steps: (name) => {
    const a = name('a')
    const all = (when: string): Step[] =>
      [-1, -2, -3, -4, 0, T0, T0 + 1, T0 + 500, T0 + 1000, T0 + 1001, T0 + 2000, T0 + 2001, T0 + 2002].map(
        (timestamp) =>
          step(`${timestamp} ${when}`, ListOffsets, 10, {
            replicaId: -1,
            topics: [{ name: a, partitions: [{ partitionIndex: 0, timestamp }] }],
            timeoutMs: 5000,
          }),
      )
    const stepsBack = new BatchBuilder({ compressionType: CompressionType.gzip })
    for (const timestamp of [T0 + 1000, T0 + 2000, T0 + 2000, T0 + 500])
      stepsBack.append(timestamp, null, Buffer.from('v'))
    return [
      ...topic(a),
      ...all('of nothing'),
      filled(a, batch({ count: 2, timestamp: T0 + 1000 })),
      filled(a, stepsBack.build(), 0, ' back'),
      filled(a, batch({ count: 2, timestamp: T0 }), 0, ' earlier'),
      filled(a, batch({ count: 2, timestamp: -1, withoutKey: true }), 0, ' without time'),
      ...all('at first'),
      filled(a, batch({ count: 2, timestamp: T0 + 40 * DAY_MS }), 0, ' another segment'),
      filled(a, batch({ count: 2, timestamp: T0 + 1000 }), 0, ' earlier again'),
      ...all('in two segments'),
      ...[1, 3, 5, 7, 10, 12, 14].flatMap((offset) => [
        deleteBefore(`delete before ${offset}`, a, offset),
        ...all(`from ${offset}`),
      ]),
    ]
  },
}

const markers: Scenario = {
  name: 'markers',
  steps: (name) => {
    const a = name('a')
    const write = (title: string, version: number, producerId: number, producerEpoch: number): Step =>
      step(title, WriteTxnMarkers, version, {
        markers: [
          {
            producerId,
            producerEpoch,
            transactionResult: true,
            topics: [
              { name: a, partitionIndexes: [0, 9] },
              { name: name('none'), partitionIndexes: [0] },
            ],
            coordinatorEpoch: 0,
            transactionVersion: version,
          },
        ],
      })
    return [
      ...topic(a),
      ...each([1, 2], (version) => [
        write('epoch -1', version, 4_000_000, -1),
        write('epoch -5', version, 4_000_000, -5),
        write('producer -1', version, -1, 0),
        write('producer -5', version, -5, 0),
        step('epoch -1 in no topic', WriteTxnMarkers, version, {
          markers: [
            {
              producerId: 4_000_000,
              producerEpoch: -1,
              transactionResult: true,
              topics: [{ name: name('none'), partitionIndexes: [0] }],
              coordinatorEpoch: 0,
              transactionVersion: version,
            },
          ],
        }),
        step('good and bad', WriteTxnMarkers, version, {
          markers: [-1, 3].map((producerEpoch) => ({
            producerId: 4_000_100 + producerEpoch,
            producerEpoch,
            transactionResult: false,
            topics: [{ name: a, partitionIndexes: [0] }],
            coordinatorEpoch: 0,
            transactionVersion: version,
          })),
        }),
      ]),
      step('what is there', Fetch, 11, read(a)),
    ]
  },
}

const shareOffsets: Scenario = {
  name: 'share-offsets',
  steps: (name) => {
    const ask = (title: string, group: string, topicName: string): Step =>
      step(title, DescribeShareGroupOffsets, 1, {
        groups: [{ groupId: group, topics: [{ topicName, partitions: [0] }] }],
      })
    return [
      ...topic(name('a')),
      ...groupCoordinator(name('g')),
      ask('nobody, no topic', name('g'), name('none')),
      ask('nobody, a topic', name('g'), name('a')),
      ask('no name, no topic', '', name('none')),
      ask('no name, a topic', '', name('a')),
      step('no topics', DescribeShareGroupOffsets, 1, { groups: [{ groupId: name('g'), topics: [] }] }),
      step('no name, no topics', DescribeShareGroupOffsets, 1, { groups: [{ groupId: '', topics: [] }] }),
      step('no name, all topics', DescribeShareGroupOffsets, 1, { groups: [{ groupId: '', topics: null }] }),
    ]
  },
}

export const detailScenarios: readonly Scenario[] = [
  levels,
  anew,
  byTime,
  timesOutOfOrder,
  markers,
  shareOffsets,
]
