/**
 * Batches on the border: what Kafka looks for inside them, on which topics, in which order, and which record it names. The
 * checksums are right, so that whoever refuses has read on.
 */
import { Produce } from '../../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../../common/protocol/apis/01-fetch.ts'
import {
  ATTRIBUTES_POSITION,
  BASE_TIMESTAMP_POSITION,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_POSITION,
  BatchView,
  LAST_OFFSET_DELTA_POSITION,
  LOG_OVERHEAD_BYTES,
  MAX_TIMESTAMP_POSITION,
  RECORD_COUNT_POSITION,
  TimestampType,
  writeInt64,
} from '../../../common/record/batch.ts'
import { BatchBuilder, type BatchBuilderOptions } from '../../../common/record/batch-builder.ts'
import { CompressionType, codecOf } from '../../../common/record/codecs.ts'
import { each, type Scenario, type Step, step } from '../scenario.ts'
import { batch, produceRequest, T0, topic } from '../support.ts'

const FAR = 4_000_000_000_000

interface Entry {
  readonly key?: string | null
  readonly timestamp?: number
  readonly value?: string | null
}

function of(entries: readonly Entry[], options: BatchBuilderOptions = {}): Buffer {
  const builder = new BatchBuilder(options)
  for (const { key = 'k', timestamp = T0, value = 'v' } of entries)
    builder.append(
      timestamp,
      key === null ? null : Buffer.from(key),
      value === null ? null : Buffer.from(value),
    )
  return builder.build()
}

/** Changes the header, and makes the checksum right again. */
function header(records: Buffer, change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(records)
  change(bytes)
  new BatchView(bytes).stampCrc()
  return bytes
}

/** A batch whose records are these bytes, compressed where asked, whatever the header says of them. */
function around(
  plain: Buffer,
  { count = 1, compressionType = CompressionType.none as CompressionType } = {},
): Buffer {
  const codec = codecOf(compressionType)
  if (codec === null) throw new Error('no codec')
  const body = compressionType === CompressionType.none ? plain : codec.compress(plain, codec.defaultLevel)
  return header(Buffer.concat([batch().subarray(0, BATCH_HEADER_BYTES), body]), (bytes) => {
    bytes.writeInt32BE(bytes.length - LOG_OVERHEAD_BYTES, BATCH_LENGTH_POSITION)
    bytes.writeInt16BE(compressionType, ATTRIBUTES_POSITION)
    bytes.writeInt32BE(count - 1, LAST_OFFSET_DELTA_POSITION)
    bytes.writeInt32BE(count, RECORD_COUNT_POSITION)
  })
}

/** One record: attributes, timestamp delta, offset delta, key `k`, value `v`, no headers; all varints are of one byte. */
function record({
  attributes = 0,
  timestampDelta = 0,
  offsetDelta = 0,
  more = Buffer.alloc(0),
} = {}): Buffer {
  const zigzag = (value: number) => (value < 0 ? -value * 2 - 1 : value * 2)
  const body = Buffer.from([attributes, zigzag(timestampDelta), zigzag(offsetDelta), 2, 0x6b, 2, 0x76, 0])
  return Buffer.concat([Buffer.from([zigzag(body.length + more.length)]), body, more])
}

const NO_KEY = { key: null } as const
const OLD = {} as const
const LATE = { timestamp: FAR } as const

/** Of every kind of topic, by its name. */
const TOPICS = {
  plain: {},
  keys: { 'cleanup.policy': 'compact' },
  both: { 'cleanup.policy': 'compact,delete', 'retention.ms': '-1' },
  gzip: { 'compression.type': 'gzip' },
  gzipkeys: { 'compression.type': 'gzip', 'cleanup.policy': 'compact' },
  uncompressed: { 'compression.type': 'uncompressed' },
  bounds: { 'message.timestamp.before.max.ms': '1000' },
  boundkeys: { 'message.timestamp.before.max.ms': '1000', 'cleanup.policy': 'compact' },
  append: { 'message.timestamp.type': 'LogAppendTime' },
  appendkeys: { 'message.timestamp.type': 'LogAppendTime', 'cleanup.policy': 'compact' },
  small: { 'max.message.bytes': '600' },
  smallplain: { 'max.message.bytes': '600', 'compression.type': 'uncompressed' },
} as const
type TopicName = keyof typeof TOPICS

const { gzip, lz4, snappy, zstd } = CompressionType

/** Title, topic, batch. */
const CASES: readonly (readonly [string, TopicName, Buffer])[] = [
  // --- keys ---
  ['the second without key', 'keys', of([{}, NO_KEY, {}])],
  ['four without key', 'keys', of([NO_KEY, NO_KEY, {}, NO_KEY, NO_KEY])],
  ['an empty key', 'keys', of([{ key: '' }])],
  ['no key, compacted and deleted', 'both', of([NO_KEY])],
  ['no key, and zstd', 'keys', of([{}, NO_KEY], { compressionType: zstd })],
  ['no key, compressed anew', 'gzipkeys', of([{}, NO_KEY])],
  ['no key, compressed already', 'gzipkeys', of([{}, NO_KEY], { compressionType: gzip })],
  ['no key and no value', 'keys', of([{ key: null, value: null }])],
  ['two batches, the second without key', 'keys', Buffer.concat([of([{}]), of([NO_KEY])])],
  ['two batches, the first without key', 'keys', Buffer.concat([of([{}, NO_KEY]), of([NO_KEY])])],
  // --- timestamps ---
  ['too old', 'bounds', of([OLD, OLD])],
  ['too old, and lz4', 'bounds', of([OLD, OLD], { compressionType: lz4 })],
  ['no time among the old', 'bounds', of([{ timestamp: -1 }, OLD, { timestamp: -1 }])],
  ['no time at all', 'bounds', of([{ timestamp: -1 }])],
  ['the second far ahead', 'plain', of([OLD, LATE])],
  ['far ahead and snappy', 'plain', of([OLD, LATE], { compressionType: snappy })],
  ['far ahead into gzip', 'gzip', of([LATE, OLD])],
  [
    'far ahead by the header only',
    'plain',
    header(of([OLD]), (bytes) => writeInt64(bytes, MAX_TIMESTAMP_POSITION, FAR)),
  ],
  [
    'too old by the header only',
    'bounds',
    header(of([{ timestamp: -1 }]), (bytes) => writeInt64(bytes, MAX_TIMESTAMP_POSITION, T0)),
  ],
  ['no key, then too old', 'boundkeys', of([NO_KEY, OLD])],
  ['too old, then no key', 'boundkeys', of([OLD, NO_KEY])],
  ['too old and without key', 'boundkeys', of([{ key: null, timestamp: -1 }, NO_KEY])],
  ['far ahead where the log gives the time', 'append', of([LATE])],
  [
    'log append time where the log gives the time',
    'append',
    of([OLD, OLD], { timestampType: TimestampType.LogAppendTime, logAppendTimeMs: T0 }),
  ],
  [
    'log append time where it does not',
    'plain',
    of([OLD, OLD], { timestampType: TimestampType.LogAppendTime, logAppendTimeMs: T0 }),
  ],
  [
    'log append time far ahead',
    'plain',
    of([OLD, OLD], { timestampType: TimestampType.LogAppendTime, logAppendTimeMs: FAR }),
  ],
  [
    'log append time without key',
    'appendkeys',
    of([{}, NO_KEY], { timestampType: TimestampType.LogAppendTime, logAppendTimeMs: T0 }),
  ],
  [
    'a max timestamp below zero',
    'plain',
    header(of([OLD]), (bytes) => writeInt64(bytes, MAX_TIMESTAMP_POSITION, -5)),
  ],
  // --- sizes ---
  ['too large', 'small', of([{ value: 'x'.repeat(700) }])],
  ['too large, and without key', 'small', of([{ key: null, value: 'x'.repeat(700) }])],
  ['small, and large when plain', 'smallplain', of([{ value: 'x'.repeat(700) }], { compressionType: gzip })],
  [
    'two batches that are too large together',
    'small',
    Buffer.concat([of([{ value: 'x'.repeat(400) }]), of([{ value: 'x'.repeat(400) }])]),
  ],
  ['two batches, the second too large', 'small', Buffer.concat([of([{}]), of([{ value: 'x'.repeat(700) }])])],
  // --- several batches ---
  ['plain and gzip', 'plain', Buffer.concat([of([{}]), of([{}], { compressionType: gzip })])],
  ['gzip and plain', 'plain', Buffer.concat([of([{}], { compressionType: gzip }), of([{}])])],
  ['two plain into gzip', 'gzip', Buffer.concat([of([{}]), of([{}])])],
  [
    'two gzip into uncompressed',
    'uncompressed',
    Buffer.concat([of([{}], { compressionType: gzip }), of([{}], { compressionType: gzip })]),
  ],
  // --- records that lie, where they are read ---
  ['a delta that repeats', 'keys', around(Buffer.concat([record(), record()]), { count: 2 })],
  [
    'a delta that goes back',
    'keys',
    around(Buffer.concat([record({ offsetDelta: 1 }), record()]), { count: 2 }),
  ],
  [
    'a delta beyond the batch',
    'keys',
    around(Buffer.concat([record(), record({ offsetDelta: 5 })]), { count: 2 }),
  ],
  [
    'a delta below zero',
    'keys',
    around(Buffer.concat([record({ offsetDelta: -1 }), record()]), { count: 2 }),
  ],
  ['a record attribute', 'keys', around(record({ attributes: 1 }))],
  ['bytes within a record', 'keys', around(record({ more: Buffer.from([1, 2]) }))],
  ['bytes behind the records', 'keys', around(Buffer.concat([record(), Buffer.from([0, 0])]))],
  ['more records than counted', 'keys', around(Buffer.concat([record(), record({ offsetDelta: 1 })]))],
  ['fewer records than counted', 'keys', around(record(), { count: 2 })],
  ['no records but a count', 'keys', around(Buffer.alloc(0))],
  ['records that are noise', 'keys', around(Buffer.from([255, 254, 253, 252, 251, 250, 249]))],
  [
    'a delta that repeats, gzip',
    'keys',
    around(Buffer.concat([record(), record()]), { count: 2, compressionType: gzip }),
  ],
  [
    'a delta beyond the batch, gzip',
    'keys',
    around(Buffer.concat([record(), record({ offsetDelta: 5 })]), { count: 2, compressionType: gzip }),
  ],
  [
    'more records than counted, gzip',
    'keys',
    around(Buffer.concat([record(), record({ offsetDelta: 1 })]), { compressionType: gzip }),
  ],
  ['fewer records than counted, gzip', 'keys', around(record(), { count: 2, compressionType: gzip })],
  [
    'bytes behind the records, gzip',
    'keys',
    around(Buffer.concat([record(), Buffer.from([0, 0])]), { compressionType: gzip }),
  ],
  [
    'noise, gzip',
    'keys',
    header(around(record(), { compressionType: gzip }), (bytes) => bytes.fill(7, BATCH_HEADER_BYTES)),
  ],
  ['a delta that repeats, into gzip', 'gzip', around(Buffer.concat([record(), record()]), { count: 2 })],
  [
    'a delta beyond the batch, into gzip',
    'gzip',
    around(Buffer.concat([record(), record({ offsetDelta: 5 })]), { count: 2 }),
  ],
  [
    'noise, into uncompressed',
    'uncompressed',
    header(around(record(), { compressionType: gzip }), (bytes) => bytes.fill(7, BATCH_HEADER_BYTES)),
  ],
]

/** What Kafka finds in records that nothing makes kafkito read: the header is believed. */
const UNREAD: readonly (readonly [string, Buffer])[] = [
  [
    'a base timestamp below zero',
    header(of([OLD]), (bytes) => writeInt64(bytes, BASE_TIMESTAMP_POSITION, -5)),
  ],
  [
    'far ahead, and the header says no',
    header(of([LATE]), (bytes) => writeInt64(bytes, MAX_TIMESTAMP_POSITION, T0)),
  ],
  ['a delta that repeats, unread', around(Buffer.concat([record(), record()]), { count: 2 })],
  [
    'a delta beyond the batch, unread',
    around(Buffer.concat([record(), record({ offsetDelta: 5 })]), { count: 2 }),
  ],
  ['bytes behind the records, unread', around(Buffer.concat([record(), Buffer.from([0, 0])]))],
  ['fewer records than counted, unread', around(record(), { count: 2 })],
  ['records that are noise, unread', around(Buffer.from([255, 254, 253, 252, 251, 250, 249]))],
  [
    'a delta that repeats, gzip, unread',
    around(Buffer.concat([record(), record()]), { count: 2, compressionType: gzip }),
  ],
  [
    'noise, gzip, unread',
    header(around(record(), { compressionType: gzip }), (bytes) => bytes.fill(7, BATCH_HEADER_BYTES)),
  ],
]

export const borderlineScenario: Scenario = {
  name: 'produce-borderline',
  steps: (name) => {
    const send = (title: string, to: TopicName, records: Buffer, version = 12): Step =>
      step(title, Produce, version, produceRequest(name(to), records))
    return [
      ...(Object.keys(TOPICS) as TopicName[]).flatMap((one) =>
        topic(name(one), { configs: TOPICS[one], saveAs: one }),
      ),
      ...CASES.map(([title, to, records]) => send(title, to, records)),
      ...each([7, 8], (version) => [
        send('the second without key', 'keys', of([{}, NO_KEY, {}]), version),
        send('too old', 'bounds', of([OLD, OLD]), version),
        send('too large', 'small', of([{ value: 'x'.repeat(700) }]), version),
      ]),
      ...(Object.keys(TOPICS) as TopicName[]).map((one) =>
        step(`what ${one} took`, Fetch, 11, {
          maxWaitMs: 0,
          minBytes: 0,
          maxBytes: 10_000_000,
          topics: [
            {
              topic: name(one),
              partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 10_000_000 }],
            },
          ],
        }),
      ),
      ...UNREAD.map(([title, records]) => send(title, 'plain', records)),
    ]
  },
}
