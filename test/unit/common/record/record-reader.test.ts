import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import {
  ATTRIBUTES_POSITION,
  BatchCursor,
  BatchView,
  LAST_OFFSET_DELTA_POSITION,
  RECORD_COUNT_POSITION,
  TimestampType,
} from '../../../../common/record/batch.ts'
import { BatchBuilder } from '../../../../common/record/batch-builder.ts'
import { CompressionType } from '../../../../common/record/codecs.ts'
import { decodeRecords, RecordReader } from '../../../../common/record/record-reader.ts'

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const nullableBytes = fc.option(bytes, { nil: null })
const record = fc.record({
  skippedOffsets: fc.nat(5),
  timestamp: fc.oneof(fc.integer({ min: -1, max: 2 ** 31 - 1 }), fc.integer({ min: 0, max: 2 ** 50 })),
  key: nullableBytes,
  value: nullableBytes,
  headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: nullableBytes }), {
    maxLength: 3,
  }),
})

function build(recordCount: number, compressionType: CompressionType = CompressionType.none): Buffer {
  const builder = new BatchBuilder({ compressionType, baseOffset: 10 })
  for (let index = 0; index < recordCount; index++) {
    builder.append(1000 + index, Buffer.from(`key-${index}`), Buffer.from('value '.repeat(index)), [
      { key: 'header', value: Buffer.from('x') },
    ])
  }
  return builder.build()
}

/** Reads whatever is there; must end with a result, however bad the bytes. */
function readThrough(buffer: Buffer): ErrorCode[] {
  const errors: ErrorCode[] = []
  const cursor = new BatchCursor(buffer)
  while (cursor.next()) errors.push(decodeRecords(cursor.batch, 100_000).error)
  return errors
}

describe.each(Object.entries(CompressionType))('with compression %s', (_name, compressionType) => {
  it('a batch gives back the records it was built from', () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 30 }),
        fc.nat(2 ** 40),
        (records, baseOffset) => {
          const builder = new BatchBuilder({ compressionType, baseOffset })
          const expected = records.map(({ skippedOffsets, timestamp, key, value, headers }) => {
            const offset = builder.lastOffset + 1 + skippedOffsets
            builder.appendAt(offset, timestamp, key, value, headers)
            return { offset, timestamp, key, value, headers }
          })
          const batch = new BatchView(builder.build())
          expect(batch.isValid).toBe(true)
          expect(batch.sizeBytes).toBe(batch.buffer.length)
          const decoded = decodeRecords(batch)
          expect(decoded).toEqual({ error: ErrorCode.NONE, errorMessage: '', records: expected })
          expect(batch.maxTimestamp).toBe(Math.max(...expected.map((r) => r.timestamp)))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('any flipped byte after the epoch fails the checksum or the form of the batch', () => {
    const good = build(5, compressionType)
    for (let position = 16; position < good.length; position++) {
      const bad = Buffer.from(good)
      bad[position] = bad[position]! ^ 0x55
      const cursor = new BatchCursor(bad)
      if (cursor.next()) expect(cursor.batch.isValid).toBe(false)
      else expect(cursor.stop).not.toBe('end')
    }
  })

  it('damaged records are refused or read, and never more than the limit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(10_000), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        fc.nat(300),
        (changes, cut) => {
          const bad = build(20, compressionType)
          for (const [at, value] of changes) bad[21 + (at % (bad.length - 21))] = value
          const shorter = Math.max(49, bad.length - 12 - cut)
          bad.writeInt32BE(shorter, 8)
          expect(readThrough(bad)).toHaveLength(1)
        },
      ),
      { numRuns: 150 },
    )
  })

  it('records that would decompress beyond the limit are refused', () => {
    const batch = new BatchView(build(50, compressionType))
    const { error } = decodeRecords(batch, 1000)
    expect(error).toBe(compressionType === CompressionType.none ? ErrorCode.NONE : ErrorCode.CORRUPT_MESSAGE)
  })
})

it('any bytes at all are read or refused', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (array) => void readThrough(Buffer.from(array))))
})

it.each([
  ['more records than the bytes can hold', RECORD_COUNT_POSITION, 2 ** 31 - 1],
  ['one record more than there is', RECORD_COUNT_POSITION, 4],
  ['one record less than there is', RECORD_COUNT_POSITION, 2],
  ['no records before bytes', RECORD_COUNT_POSITION, 0],
  ['a negative count', RECORD_COUNT_POSITION, -1],
  ['a last offset before that of a record', LAST_OFFSET_DELTA_POSITION, 1],
  ['a negative last offset delta', LAST_OFFSET_DELTA_POSITION, -1],
])('a header that claims %s is refused', (_what, position, value) => {
  const buffer = build(3)
  buffer.writeInt32BE(value, position)
  expect(decodeRecords(new BatchView(buffer)).error).toBe(ErrorCode.INVALID_RECORD)
})

it('an unknown compression type is refused by its own error', () => {
  const buffer = build(1)
  buffer[ATTRIBUTES_POSITION + 1] = 7
  expect(decodeRecords(new BatchView(buffer)).error).toBe(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE)
})

it('records of a batch with log append time have its max timestamp', () => {
  const builder = new BatchBuilder({ timestampType: TimestampType.LogAppendTime, logAppendTimeMs: 777 })
  builder.append(1, null, null)
  builder.append(2, null, null)
  const { records } = decodeRecords(new BatchView(builder.build()))
  expect(records.map(({ timestamp }) => timestamp)).toEqual([777, 777])
})

it('a reader tells of nulls without making views', () => {
  const builder = new BatchBuilder()
  builder.append(1, null, Buffer.alloc(0))
  builder.append(1, Buffer.alloc(0), null)
  const reader = new RecordReader(new BatchView(builder.build()))
  expect([reader.next(), reader.hasKey, reader.hasValue, reader.key, reader.value]).toEqual([
    true,
    false,
    true,
    null,
    Buffer.alloc(0),
  ])
  expect([reader.next(), reader.hasKey, reader.hasValue]).toEqual([true, true, false])
  expect([reader.next(), reader.error]).toEqual([false, ErrorCode.NONE])
})
