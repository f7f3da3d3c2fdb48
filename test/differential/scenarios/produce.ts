/** What a leader takes and refuses. */
import { Produce } from '../../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../../common/protocol/apis/01-fetch.ts'
import { ListOffsets } from '../../../common/protocol/apis/02-list-offsets.ts'
import { DescribeProducers } from '../../../common/protocol/apis/61-describe-producers.ts'
import {
  ATTRIBUTES_POSITION,
  BATCH_LENGTH_POSITION,
  BatchView,
  CRC_POSITION,
  LAST_OFFSET_DELTA_POSITION,
  MAGIC_POSITION,
  RECORD_COUNT_POSITION,
  TimestampType,
} from '../../../common/record/batch.ts'
import { CompressionType } from '../../../common/record/codecs.ts'
import { each, type Scenario, type Step, step } from '../scenario.ts'
import { batch, produceRequest, producer, T0, topic } from '../support.ts'
import { borderlineScenario } from './produce-borderline.ts'

/** A batch with bytes changed; the checksum is right unless told. */
function changed(change: (bytes: Buffer) => void, records = batch({ count: 2 }), withCrc = true): Buffer {
  const bytes = Buffer.from(records)
  change(bytes)
  if (withCrc) new BatchView(bytes).stampCrc()
  return bytes
}

function read(title: string, name: string, partition = 0, version = 11): Step {
  return step(title, Fetch, version, {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 10_000_000,
    topics: [{ topic: name, partitions: [{ partition, fetchOffset: 0, partitionMaxBytes: 10_000_000 }] }],
  })
}

/** A message set of magic 0 or 1 with one message. */
function legacy(magic: 0 | 1): Buffer {
  const body = Buffer.concat([
    Buffer.from([magic, 0]),
    magic === 1 ? Buffer.from([0, 0, 1, 93, 62, 91, 0, 0]) : Buffer.alloc(0),
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 65]),
  ])
  const message = Buffer.alloc(12 + 4 + body.length)
  message.writeInt32BE(4 + body.length, 8)
  body.copy(message, 16)
  return message
}

const plain: Scenario = {
  name: 'produce',
  steps: (name) => [
    ...topic(name('a'), { partitions: 2 }),
    ...each([3, 5, 7, 8, 9, 10, 11, 12], (version) => [
      step('acks all', Produce, version, produceRequest(name('a'), batch({ count: 3 }))),
      step('acks leader', Produce, version, produceRequest(name('a'), batch(), { acks: 1 })),
      step('no topic', Produce, version, produceRequest(name('none'), batch())),
      step('no partition', Produce, version, produceRequest(name('a'), batch(), { partition: 9 })),
      step('acks of two', Produce, version, produceRequest(name('a'), batch(), { acks: 2 })),
    ]),
    step('acks none', Produce, 7, produceRequest(name('a'), batch(), { acks: 0 }), { silent: true }),
    step('acks none with an error', Produce, 7, produceRequest(name('none'), batch(), { acks: 0 }), {
      silent: true,
    }),
    step('acks minus two', Produce, 9, produceRequest(name('a'), batch(), { acks: -2 })),
    step('by id', Produce, 13, (saved) => produceRequest(name('a'), batch(), { topicId: saved.text('id') })),
    step('by an unknown id', Produce, 13, produceRequest('', batch(), { topicId: 'AAAAAAAAAAAAAAAAAAAAEQ' })),
    step('by no id', Produce, 13, produceRequest('', batch())),
    step('no records at all', Produce, 9, produceRequest(name('a'), null), { deadlineMs: 1500 }),
    step('no bytes', Produce, 9, produceRequest(name('a'), Buffer.alloc(0)), { deadlineMs: 1500 }),
    step('no bytes in version 3', Produce, 3, produceRequest(name('a'), Buffer.alloc(0)), {
      deadlineMs: 1500,
    }),
    step('nothing', Produce, 9, { transactionalId: null, acks: -1, timeoutMs: 1000, topicData: [] }),
    step('a topic without partitions', Produce, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: name('a'), partitionData: [] }],
    }),
    step('good and bad together', Produce, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topicData: [
        {
          name: name('a'),
          partitionData: [
            { index: 0, records: batch() },
            { index: 1, records: changed((bytes) => bytes.writeUInt32BE(1, CRC_POSITION), undefined, false) },
            { index: 2, records: batch() },
          ],
        },
        { name: name('none'), partitionData: [{ index: 0, records: batch() }] },
      ],
    }),
    step('an empty topic name', Produce, 9, produceRequest('', batch())),
    step(
      'a transactional id without one',
      Produce,
      9,
      produceRequest(name('a'), batch(), { transactionalId: 'nobody' }),
    ),
    read('what is there', name('a')),
  ],
}

const damaged: Scenario = {
  name: 'produce-damaged',
  steps: (name) => {
    const bad = (title: string, records: Buffer, version = 9): Step =>
      step(title, Produce, version, produceRequest(name('a'), records))
    return [
      ...topic(name('a')),
      ...each([3, 8, 12], (version) => [
        bad(
          'a wrong checksum',
          changed((bytes) => bytes.writeUInt32BE(1, CRC_POSITION), undefined, false),
          version,
        ),
        bad('two batches', Buffer.concat([batch(), batch()]), version),
      ]),
      bad(
        'magic 3',
        changed((bytes) => bytes.writeUInt8(3, MAGIC_POSITION)),
      ),
      bad('magic 0', legacy(0)),
      bad('magic 1', legacy(1)),
      bad(
        'a length beyond the bytes',
        changed((bytes) => bytes.writeInt32BE(9999, BATCH_LENGTH_POSITION)),
      ),
      bad(
        'a length below the header',
        changed((bytes) => bytes.writeInt32BE(10, BATCH_LENGTH_POSITION), undefined, false),
      ),
      bad(
        'a negative length',
        changed((bytes) => bytes.writeInt32BE(-1, BATCH_LENGTH_POSITION), undefined, false),
      ),
      bad('cut off', batch({ count: 3 }).subarray(0, 80)),
      bad('less than a header', Buffer.alloc(30)),
      bad('bytes behind the batch', Buffer.concat([batch(), Buffer.from('behind')])),
      bad(
        'a count too low',
        changed((bytes) => bytes.writeInt32BE(1, RECORD_COUNT_POSITION)),
      ),
      bad(
        'a count too high',
        changed((bytes) => bytes.writeInt32BE(3, RECORD_COUNT_POSITION)),
      ),
      bad(
        'a count of nothing',
        changed((bytes) => bytes.writeInt32BE(0, RECORD_COUNT_POSITION)),
      ),
      bad(
        'a negative count',
        changed((bytes) => bytes.writeInt32BE(-1, RECORD_COUNT_POSITION)),
      ),
      bad(
        'a last offset too low',
        changed((bytes) => bytes.writeInt32BE(0, LAST_OFFSET_DELTA_POSITION)),
      ),
      bad(
        'a last offset too high',
        changed((bytes) => bytes.writeInt32BE(7, LAST_OFFSET_DELTA_POSITION)),
      ),
      bad(
        'a negative last offset',
        changed((bytes) => bytes.writeInt32BE(-3, LAST_OFFSET_DELTA_POSITION)),
      ),
      bad(
        'codec 5',
        changed((bytes) => bytes.writeInt16BE(5, ATTRIBUTES_POSITION)),
      ),
      bad(
        'codec 7',
        changed((bytes) => bytes.writeInt16BE(7, ATTRIBUTES_POSITION)),
      ),
      bad('a control batch', batch({ isControl: true })),
      bad(
        'log append time from a client',
        batch({ timestampType: TimestampType.LogAppendTime, logAppendTimeMs: T0 }),
      ),
      bad(
        'an unused attribute',
        changed((bytes) => bytes.writeInt16BE(0x80, ATTRIBUTES_POSITION)),
      ),
      bad('a base offset of its own', batch({ baseOffset: 100, count: 2 })),
      bad('a leader epoch of its own', batch({ partitionLeaderEpoch: 77 })),
      bad(
        'an empty batch',
        changed((bytes) => {
          bytes.writeInt32BE(0, RECORD_COUNT_POSITION)
          bytes.writeInt32BE(0, LAST_OFFSET_DELTA_POSITION)
          bytes.writeInt32BE(61 - 12, BATCH_LENGTH_POSITION)
        }).subarray(0, 61),
      ),
      bad(
        'transactional without a transactional id',
        batch({ isTransactional: true, producerId: 5, producerEpoch: 0, baseSequence: 0 }),
      ),
      read('what came through', name('a')),
      bad(
        'gzip that is none',
        changed((bytes) => bytes.writeInt16BE(1, ATTRIBUTES_POSITION)),
      ),
    ]
  },
}

const codecs: Scenario = {
  name: 'produce-codecs',
  steps: (name) => [
    ...topic(name('a')),
    ...(['gzip', 'snappy', 'lz4', 'zstd'] as const).flatMap((codec) =>
      each([3, 6, 7, 12], (version) =>
        step(
          codec,
          Produce,
          version,
          produceRequest(name('a'), batch({ count: 5, compressionType: CompressionType[codec] })),
        ),
      ),
    ),
    read('what is there', name('a')),
    ...each([4, 9, 10], (version) =>
      step('reading zstd', Fetch, version, {
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes: 10_000_000,
        topics: [
          { topic: name('a'), partitions: [{ partition: 0, fetchOffset: 60, partitionMaxBytes: 1_000_000 }] },
        ],
      }),
    ),
    ...topic(name('gz'), { configs: { 'compression.type': 'gzip' }, saveAs: 'gz' }),
    step('plain into gzip', Produce, 9, produceRequest(name('gz'), batch({ count: 4 }))),
    step(
      'zstd into gzip',
      Produce,
      9,
      produceRequest(name('gz'), batch({ count: 4, compressionType: CompressionType.zstd })),
    ),
    step(
      'gzip into gzip',
      Produce,
      9,
      produceRequest(name('gz'), batch({ count: 4, compressionType: CompressionType.gzip })),
    ),
    read('all gzip', name('gz')),
    ...topic(name('un'), { configs: { 'compression.type': 'uncompressed' }, saveAs: 'un' }),
    step(
      'lz4 into uncompressed',
      Produce,
      9,
      produceRequest(name('un'), batch({ count: 4, compressionType: CompressionType.lz4 })),
    ),
    read('all plain', name('un')),
  ],
}

const limits: Scenario = {
  name: 'produce-limits',
  steps: (name) => [
    ...topic(name('small'), { configs: { 'max.message.bytes': '1000' }, saveAs: 'small' }),
    ...each([3, 8, 12], (version) =>
      step('a batch too large', Produce, version, produceRequest(name('small'), batch({ valueBytes: 1500 }))),
    ),
    step('a batch that fits', Produce, 9, produceRequest(name('small'), batch({ valueBytes: 800 }))),
    step(
      'large but compressed',
      Produce,
      9,
      produceRequest(name('small'), batch({ valueBytes: 5000, compressionType: CompressionType.gzip })),
    ),
    ...topic(name('isr'), { configs: { 'min.insync.replicas': '2' }, saveAs: 'isr' }),
    step('too few replicas', Produce, 9, produceRequest(name('isr'), batch())),
    step('too few replicas do not matter', Produce, 9, produceRequest(name('isr'), batch(), { acks: 1 })),
    ...topic(name('late'), { configs: { 'message.timestamp.before.max.ms': '1000' }, saveAs: 'late' }),
    ...each([7, 8, 12], (version) =>
      step('too old', Produce, version, produceRequest(name('late'), batch({ count: 2 }))),
    ),
    step('no timestamp', Produce, 9, produceRequest(name('late'), batch({ timestamp: -1 }))),
    step('too far ahead', Produce, 9, produceRequest(name('small'), batch({ timestamp: 4_000_000_000_000 }))),
    step('a negative timestamp', Produce, 9, produceRequest(name('small'), batch({ timestamp: -500 }))),
    ...topic(name('append'), { configs: { 'message.timestamp.type': 'LogAppendTime' }, saveAs: 'append' }),
    step('the time of the log', Produce, 9, produceRequest(name('append'), batch({ count: 3 }))),
    read('with the time of the log', name('append')),
    step('found by that time', ListOffsets, 7, {
      replicaId: -1,
      topics: [{ name: name('append'), partitions: [{ partitionIndex: 0, timestamp: -3 }] }],
    }),
    ...topic(name('keys'), { configs: { 'cleanup.policy': 'compact' }, saveAs: 'keys' }),
    ...each([3, 8, 12], (version) =>
      step('no key', Produce, version, produceRequest(name('keys'), batch({ withoutKey: true, count: 2 }))),
    ),
    step(
      'no key, compressed',
      Produce,
      9,
      produceRequest(name('keys'), batch({ withoutKey: true, compressionType: CompressionType.snappy })),
    ),
    step('a key', Produce, 9, produceRequest(name('keys'), batch({ count: 2 }))),
    ...topic(name('seg'), {
      configs: { 'segment.bytes': '1048576', 'max.message.bytes': '5000000' },
      saveAs: 'seg',
    }),
    step('larger than a segment', Produce, 9, produceRequest(name('seg'), batch({ valueBytes: 1_500_000 }))),
    step('to the offsets topic', Produce, 9, produceRequest('__consumer_offsets', batch())),
    step('to the metadata topic', Produce, 9, produceRequest('__cluster_metadata', batch())),
  ],
}

const idempotent: Scenario = {
  name: 'produce-idempotent',
  steps: (name) => {
    const send = (
      title: string,
      base: number,
      more: { count?: number; epoch?: number; version?: number; pid?: number } = {},
    ): Step =>
      step(title, Produce, more.version ?? 9, (saved) =>
        produceRequest(
          name('a'),
          batch({
            count: more.count ?? 2,
            producerId: more.pid ?? saved.number('pid'),
            producerEpoch: more.epoch ?? 0,
            baseSequence: base,
          }),
        ),
      )
    return [
      ...topic(name('a')),
      ...producer(null),
      send('sequence 0', 0),
      send('sequence 2', 2),
      send('sequence 2 again', 2),
      send('sequence 0 again', 0),
      ...each([3, 8, 12], (version) => send('a gap', 10, { version })),
      send('an overlap', 3),
      send('part of one', 2, { count: 1 }),
      send('sequence 4', 4),
      send('sequence 6', 6),
      send('sequence 8', 8),
      send('sequence 10', 10),
      send('sequence 12', 12),
      send('five back', 4),
      send('six back', 2),
      send('a new epoch not at 0', 14, { epoch: 1 }),
      send('a new epoch at 0', 0, { epoch: 1 }),
      ...each([7, 12], (version) => send('the old epoch', 14, { epoch: 0, version })),
      send('an unknown producer not at 0', 5, { pid: 900_000 }),
      send('an unknown producer at 0', 0, { pid: 900_001 }),
      send('no sequence', -1, { pid: 900_002 }),
      send('a negative epoch', 0, { pid: 900_003, epoch: -1 }),
      send('sequence at the top', 0x7fffffff - 1, { pid: 900_004 }),
      step('its producers', DescribeProducers, 0, {
        topics: [{ name: name('a'), partitionIndexes: [0, 9] }],
      }),
      step('producers of no topic', DescribeProducers, 0, {
        topics: [{ name: name('none'), partitionIndexes: [0] }],
      }),
      step('producers of a bad name', DescribeProducers, 0, {
        topics: [{ name: 'a b', partitionIndexes: [0] }],
      }),
      read('what is there', name('a')),
    ]
  },
}

export const produceScenarios: readonly Scenario[] = [
  plain,
  damaged,
  codecs,
  limits,
  idempotent,
  borderlineScenario,
]
