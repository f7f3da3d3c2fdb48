import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { BatchCursor, BatchView, crc32 } from '../../../../common/record/batch.ts'
import { convertLegacyBatch, convertMessageSet, readLegacyBatch } from '../../../../common/record/legacy.ts'
import { decodeRecords } from '../../../../common/record/record-reader.ts'

interface MessageParts {
  readonly offset?: number
  readonly magic?: number
  readonly attributes?: number
  readonly timestamp?: number
  readonly key?: string | null
  readonly value?: string | Buffer | null
}

function lengthPrefixed(bytes: Buffer | null): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes === null ? -1 : bytes.length)
  return bytes === null ? length : Buffer.concat([length, bytes])
}

function message(parts: MessageParts): Buffer {
  const { offset = 0, magic = 1, attributes = 0, timestamp = 50, key = null, value = 'v' } = parts
  const time = Buffer.alloc(magic === 0 ? 0 : 8)
  if (magic !== 0) time.writeBigInt64BE(BigInt(timestamp))
  const covered = Buffer.concat([
    Buffer.from([magic, attributes]),
    time,
    lengthPrefixed(key === null ? null : Buffer.from(key)),
    lengthPrefixed(typeof value === 'string' ? Buffer.from(value) : value),
  ])
  const head = Buffer.alloc(16)
  head.writeBigInt64BE(BigInt(offset))
  head.writeInt32BE(covered.length + 4, 8)
  head.writeUInt32BE(crc32(covered), 12)
  return Buffer.concat([head, covered])
}

function gzipped(inner: readonly Buffer[], parts: MessageParts = {}): Buffer {
  return message({ ...parts, attributes: (parts.attributes ?? 0) | 1, value: gzipSync(Buffer.concat(inner)) })
}

it('inner offsets of magic 1 count up to the outer offset', () => {
  const inner = [0, 2, 3].map((offset) => message({ offset }))
  const { error, messages } = readLegacyBatch(new BatchView(gzipped(inner, { offset: 103 })))
  expect([error, messages.map(({ offset }) => offset)]).toEqual([ErrorCode.NONE, [100, 102, 103]])
})

it('inner offsets of magic 0 are absolute, and there are no timestamps', () => {
  const inner = [100, 103].map((offset) => message({ offset, magic: 0 }))
  const { messages } = readLegacyBatch(new BatchView(gzipped(inner, { offset: 103, magic: 0 })))
  expect(messages.map(({ offset, timestamp }) => [offset, timestamp])).toEqual([
    [100, -1],
    [103, -1],
  ])
})

it('a view of an old message has none of what only newer batches have', () => {
  const batch = new BatchView(message({ offset: 9, key: 'k' }))
  expect(batch).toMatchObject({
    isLegacy: true,
    isValid: true,
    baseOffset: 9,
    lastOffset: 9,
    maxTimestamp: 50,
    producerId: -1,
    baseSequence: -1,
    lastSequence: -1,
    partitionLeaderEpoch: -1,
    isControl: false,
    isTransactional: false,
    recordCount: -1,
  })
})

it.each([
  ['lengths that do not fit', message({}).fill(0x7f, 26, 30), ErrorCode.INVALID_RECORD],
  ['bytes that are no gzip', message({ attributes: 1, value: 'not gzip' }), ErrorCode.CORRUPT_MESSAGE],
  ['zstd, which came with magic 2', message({ attributes: 4 }), ErrorCode.UNSUPPORTED_COMPRESSION_TYPE],
  ['a compressed null', message({ attributes: 1, value: null }), ErrorCode.INVALID_RECORD],
  ['nothing inside', gzipped([]), ErrorCode.INVALID_RECORD],
  ['another magic inside', gzipped([message({ magic: 0 })]), ErrorCode.INVALID_RECORD],
  ['compression inside compression', gzipped([gzipped([message({})])]), ErrorCode.INVALID_RECORD],
  ['a cut-off message inside', gzipped([message({}).subarray(0, 30)]), ErrorCode.INVALID_RECORD],
  [
    'offsets out of order inside',
    gzipped([message({ offset: 1 }), message({ offset: 1 })]),
    ErrorCode.INVALID_RECORD,
  ],
])('a message with %s is refused', (_what, buffer, error) => {
  expect(convertLegacyBatch(new BatchView(buffer)).error).toBe(error)
  expect(decodeRecords(new BatchView(buffer)).error).toBe(error)
})

it('a message set of a producer is refused whole for one bad checksum, a mixed magic or a cut-off end', () => {
  const good = message({ value: 'good' })
  const bad = Buffer.from(good)
  bad[bad.length - 1] = bad[bad.length - 1]! ^ 1
  expect(convertMessageSet(Buffer.concat([good, bad])).error).toBe(ErrorCode.CORRUPT_MESSAGE)
  expect(convertMessageSet(Buffer.concat([good, message({ magic: 0 })])).error).toBe(ErrorCode.INVALID_RECORD)
  expect(convertMessageSet(Buffer.concat([good, good.subarray(0, 20)])).error).toBe(ErrorCode.CORRUPT_MESSAGE)
  expect(convertMessageSet(gzipped([message({ value: Buffer.alloc(5000) })]), 1000).error).toBe(
    ErrorCode.CORRUPT_MESSAGE,
  )
})

it('damaged message sets are read or refused', () => {
  const sample = Buffer.concat([
    message({ key: 'k' }),
    gzipped([message({}), message({ offset: 1 })], { offset: 2 }),
  ])
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (changes) => {
        const bad = Buffer.from(sample)
        for (const [at, value] of changes) bad[at] = value
        const cursor = new BatchCursor(bad)
        while (cursor.next()) decodeRecords(cursor.batch, 10_000)
        convertMessageSet(bad, 10_000)
      },
    ),
    { numRuns: 500 },
  )
})
