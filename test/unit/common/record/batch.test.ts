import { expect, it } from 'vitest'
import {
  BatchCursor,
  BatchView,
  decrementSequence,
  incrementSequence,
  readInt64,
  TimestampType,
  writeInt64,
} from '../../../../common/record/batch.ts'
import { BatchBuilder } from '../../../../common/record/batch-builder.ts'
import { CompressionType } from '../../../../common/record/codecs.ts'

function batchOf(recordCount: number, options: ConstructorParameters<typeof BatchBuilder>[0] = {}): Buffer {
  const builder = new BatchBuilder(options)
  for (let index = 0; index < recordCount; index++)
    builder.append(1000 + index, null, Buffer.from(`v${index}`))
  return builder.build()
}

it('every field of the header is found where it stands', () => {
  const batch = new BatchView(
    batchOf(3, {
      baseOffset: 2 ** 40,
      partitionLeaderEpoch: 5,
      producerId: 77,
      producerEpoch: 3,
      baseSequence: 2 ** 31 - 2,
      isTransactional: true,
      compressionType: CompressionType.gzip,
    }),
  )
  expect(batch).toMatchObject({
    baseOffset: 2 ** 40,
    lastOffset: 2 ** 40 + 2,
    nextOffset: 2 ** 40 + 3,
    partitionLeaderEpoch: 5,
    magic: 2,
    isValid: true,
    compressionType: CompressionType.gzip,
    timestampType: TimestampType.CreateTime,
    isTransactional: true,
    isControl: false,
    hasDeleteHorizon: false,
    deleteHorizonMs: -1,
    baseTimestamp: 1000,
    maxTimestamp: 1002,
    producerId: 77,
    producerEpoch: 3,
    baseSequence: 2 ** 31 - 2,
    lastSequence: 0,
    recordCount: 3,
  })
  expect(batch.sizeBytes).toBe(batch.buffer.length)
})

it('sequence numbers wrap from 2^31 - 1 to 0 and back', () => {
  expect(incrementSequence(2 ** 31 - 1, 1)).toBe(0)
  expect(incrementSequence(2 ** 31 - 2, 4)).toBe(2)
  expect(decrementSequence(0, 1)).toBe(2 ** 31 - 1)
  expect(decrementSequence(7, 3)).toBe(4)
})

it('int64 values beyond the safe integers saturate', () => {
  const buffer = Buffer.alloc(8)
  for (const value of [0, -1, 2 ** 32, -(2 ** 32) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    writeInt64(buffer, 0, value)
    expect(readInt64(buffer, 0)).toBe(value)
    expect(buffer.readBigInt64BE(0)).toBe(BigInt(value))
  }
  buffer.writeBigInt64BE(2n ** 63n - 1n)
  expect(readInt64(buffer, 0)).toBe(Number.MAX_SAFE_INTEGER)
  buffer.writeBigInt64BE(-(2n ** 63n))
  expect(readInt64(buffer, 0)).toBe(Number.MIN_SAFE_INTEGER)
})

it('a leader stamps offset and epoch without touching the checksum', () => {
  const batch = new BatchView(batchOf(2))
  const { crc } = batch
  batch.stamp(123_456_789_012, 9)
  expect([batch.baseOffset, batch.partitionLeaderEpoch, batch.crc, batch.isValid]).toEqual([
    123_456_789_012,
    9,
    crc,
    true,
  ])
})

it('a log append time changes type, timestamp and checksum, and only when it is news', () => {
  const batch = new BatchView(batchOf(2))
  const { crc } = batch
  batch.stampMaxTimestamp(TimestampType.CreateTime, 1001)
  expect(batch.crc).toBe(crc)
  batch.stampMaxTimestamp(TimestampType.LogAppendTime, 5000)
  expect([batch.timestampType, batch.maxTimestamp, batch.isValid]).toEqual([
    TimestampType.LogAppendTime,
    5000,
    true,
  ])
  expect(batch.crc).not.toBe(crc)
})

it('a cursor visits whole batches and says where a cut-off tail begins', () => {
  const first = batchOf(1)
  const second = batchOf(2, { baseOffset: 1 })
  const both = Buffer.concat([first, second])
  for (let length = 0; length <= both.length; length++) {
    const cursor = new BatchCursor(both.subarray(0, length))
    const offsets: number[] = []
    while (cursor.next()) offsets.push(cursor.batch.baseOffset)
    expect(offsets).toEqual([0, 1].slice(0, length === both.length ? 2 : length >= first.length ? 1 : 0))
    const boundary = length >= first.length ? (length === both.length ? both.length : first.length) : 0
    expect([cursor.position, cursor.stop]).toEqual([boundary, length === boundary ? 'end' : 'truncated'])
  }
})

it.each([
  ['a negative length', 8, 0xff],
  ['an unknown magic', 16, 3],
  ['a length below that of a header', 11, 10],
])('a cursor stops at %s', (_what, position, value) => {
  const buffer = Buffer.concat([batchOf(1), batchOf(1)])
  const second = buffer.length / 2
  buffer[second + position] = value
  const cursor = new BatchCursor(buffer)
  expect([cursor.next(), cursor.next(), cursor.stop]).toEqual([true, false, 'corrupt'])
})

it('a cursor keeps within the range it was given', () => {
  const one = batchOf(1)
  const buffer = Buffer.concat([one, one, one])
  const cursor = new BatchCursor(buffer, one.length, 2 * one.length)
  expect([cursor.next(), cursor.batch.position, cursor.next(), cursor.stop]).toEqual([
    true,
    one.length,
    false,
    'end',
  ])
})
