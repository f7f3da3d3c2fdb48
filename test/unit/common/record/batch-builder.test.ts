import { expect, it } from 'vitest'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { BatchView } from '../../../../common/record/batch.ts'
import { BatchBuilder, emptyBatchLike, recordSizeBound } from '../../../../common/record/batch-builder.ts'
import { CompressionType } from '../../../../common/record/codecs.ts'
import { decodeRecords, RecordReader } from '../../../../common/record/record-reader.ts'

it('a builder knows its size before compression and never adds more than the bound', () => {
  const builder = new BatchBuilder({ initialBytes: 1 })
  for (let index = 0; index < 200; index++) {
    const key = index % 3 === 0 ? null : Buffer.alloc(index)
    const value = index % 5 === 0 ? null : Buffer.alloc(index * 7)
    const headers = index % 2 === 0 ? [] : [{ key: 'naïve', value: null }]
    const before = builder.sizeBytes
    builder.append(2 ** 52 * (index % 2), key, value, headers)
    expect(builder.sizeBytes - before).toBeLessThanOrEqual(recordSizeBound(key, value, headers))
  }
  const { sizeBytes } = builder
  expect(builder.build().length).toBe(sizeBytes)
})

it('a producer gives its id, epoch and sequence when it sends', () => {
  const builder = new BatchBuilder()
  builder.append(1, null, Buffer.from('a'))
  builder.setProducerState({ producerId: 2 ** 45, producerEpoch: 4, baseSequence: 12 })
  const batch = new BatchView(builder.build())
  expect([batch.producerId, batch.producerEpoch, batch.baseSequence, batch.isValid]).toEqual([
    2 ** 45,
    4,
    12,
    true,
  ])
})

it('the cleaner keeps the range of offsets and sets a delete horizon when records go', () => {
  const original = new BatchBuilder({ baseOffset: 100 })
  for (let index = 0; index < 10; index++) {
    original.append(5000 + index, Buffer.from(`k${index}`), Buffer.from('v'), [{ key: 'h', value: null }])
  }
  const source = new BatchView(original.build())
  const cleaned = new BatchBuilder({
    baseOffset: source.baseOffset,
    deleteHorizonMs: 9999,
    compressionType: CompressionType.lz4,
  })
  const reader = new RecordReader(source)
  while (reader.next())
    if (reader.offset % 4 === 1) cleaned.appendEncoded(reader.offset, reader.timestamp, reader.body)
  const batch = new BatchView(cleaned.build(source.lastOffset))
  expect([batch.baseOffset, batch.lastOffset, batch.recordCount]).toEqual([100, 109, 3])
  expect([batch.hasDeleteHorizon, batch.deleteHorizonMs, batch.maxTimestamp]).toEqual([true, 9999, 5009])
  const { error, records } = decodeRecords(batch)
  expect(error).toBe(ErrorCode.NONE)
  expect(
    records.map(({ offset, timestamp, key, headers }) => [offset, timestamp, `${key}`, headers]),
  ).toEqual([1, 5, 9].map((index) => [100 + index, 5000 + index, `k${index}`, [{ key: 'h', value: null }]]))
})

it("an empty batch keeps what is known of its producer's last one", () => {
  const builder = new BatchBuilder({
    baseOffset: 7,
    producerId: 5,
    producerEpoch: 1,
    baseSequence: 30,
    isTransactional: true,
    compressionType: CompressionType.zstd,
    partitionLeaderEpoch: 3,
  })
  for (let index = 0; index < 4; index++) builder.append(1000 + index, null, Buffer.from('v'))
  const empty = new BatchView(emptyBatchLike(new BatchView(builder.build())))
  expect(empty).toMatchObject({
    sizeBytes: 61,
    isValid: true,
    baseOffset: 7,
    lastOffset: 10,
    lastSequence: 33,
    producerId: 5,
    producerEpoch: 1,
    isTransactional: true,
    partitionLeaderEpoch: 3,
    compressionType: CompressionType.none,
    maxTimestamp: 1003,
    recordCount: 0,
  })
  expect(decodeRecords(empty)).toEqual({ error: ErrorCode.NONE, errorMessage: '', records: [] })
})

it('a batch without records ends where the caller says, or nowhere', () => {
  expect(() => new BatchBuilder().build()).toThrow(RangeError)
  const batch = new BatchView(new BatchBuilder({ baseOffset: 4 }).build(6))
  expect([batch.lastOffset, batch.recordCount, batch.isValid]).toEqual([6, 0, true])
})

it('offsets out of order are a mistake of the caller', () => {
  const builder = new BatchBuilder({ baseOffset: 5 })
  builder.appendAt(8, 1, null, null)
  expect(() => builder.appendAt(8, 1, null, null)).toThrow(RangeError)
  expect(() => builder.appendAt(6 + 2 ** 31, 1, null, null)).toThrow(RangeError)
})
