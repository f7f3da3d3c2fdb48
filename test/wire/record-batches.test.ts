import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { BatchCursor, BatchView, TimestampType } from '../../common/record/batch.ts'
import { readEndTransactionMarker } from '../../common/record/control-record.ts'
import { convertLegacyBatch, convertMessageSet } from '../../common/record/legacy.ts'
import type { DecodedRecord } from '../../common/record/record.ts'
import { decodeRecords } from '../../common/record/record-reader.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

function segment(name: string): Buffer {
  return readFileSync(new URL(`batches/${name}.log`, import.meta.url))
}

function readAll(log: Buffer, check: (batch: BatchView) => void = () => {}): DecodedRecord[] {
  const records: DecodedRecord[] = []
  const cursor = new BatchCursor(log)
  while (cursor.next()) {
    expect(cursor.batch.isValid).toBe(true)
    check(cursor.batch)
    const decoded = decodeRecords(cursor.batch)
    expect([decoded.error, decoded.errorMessage]).toEqual([ErrorCode.NONE, ''])
    records.push(...decoded.records)
  }
  expect(cursor.stop).toBe('end')
  return records
}

function text(bytes: Buffer | null): string | null {
  return bytes === null ? null : bytes.toString()
}

function plain(record: DecodedRecord): unknown {
  const { offset, timestamp, key, value, headers } = record
  return [
    offset,
    timestamp,
    text(key),
    text(value),
    headers.map((header) => [header.key, text(header.value)]),
  ]
}

function clientRecord(client: string, index: number, headers: (string | null)[][]): unknown {
  const key = index % 4 === 0 ? null : `key-${index}`
  const value = index % 7 === 3 ? null : `${client} value ${index} `.repeat(index % 5)
  return [index, 1732000000000 + index * 10, key, value, index % 3 === 0 ? headers : []]
}

describe.each(CODECS)('with compression %s', (codec) => {
  it("batches of Kafka's Java producer read as they were sent", () => {
    const records = readAll(segment(`kafka-4.3.1-${codec}`), (batch) => {
      expect(batch.compressionType).toBe(CODECS.indexOf(codec))
    })
    const expected = Array.from({ length: 50 }, (_, index) => [
      index,
      1732000000000 + index,
      `key-${index}`,
      `payload-${index}-`.repeat(20),
      [],
    ])
    expect(records.map(plain)).toEqual(expected)
  })

  it('batches of librdkafka read as they were sent', () => {
    const records = readAll(segment(`librdkafka-${codec}`))
    const expected = Array.from({ length: 40 }, (_, index) =>
      clientRecord('librdkafka', index, [
        ['n', `${index}`],
        ['null', null],
        ['empty', ''],
      ]),
    )
    expect(records.map(plain)).toEqual(expected)
  })
})

it.each(CODECS.slice(1))('batches of many %s blocks read as they were sent', (codec) => {
  const records = readAll(segment(`java-${codec}`))
  expect(records.map(({ key, value }) => [text(key), text(value)])).toEqual(
    Array.from({ length: 1200 }, (_, index) => [
      `key-${index}`,
      `Java writes blocks ${index}: ${'0123456789'.repeat(index % 17)}`,
    ]),
  )
})

it.each(['none', 'gzip'])('batches of kafkajs with compression %s read as they were sent', (codec) => {
  const records = readAll(segment(`kafkajs-${codec}`))
  const expected = Array.from({ length: 40 }, (_, index) =>
    clientRecord('kafkajs', index, [
      ['n', `${index}`],
      ['empty', ''],
    ]),
  )
  expect(records.map(plain)).toEqual(expected)
})

it('the end markers of transactions say what became of them', () => {
  const markers: unknown[] = []
  readAll(segment('kafka-4.3.1-txn'), (batch) => {
    expect(batch.isTransactional).toBe(true)
    if (batch.isControl) markers.push(readEndTransactionMarker(batch))
  })
  expect(markers).toEqual([true, false, true].map((isCommit) => ({ isCommit, coordinatorEpoch: 0 })))
})

const LEGACY = [
  ...['none', 'gzip', 'snappy', 'lz4'].flatMap((codec) => [`magic0-${codec}`, `magic1-${codec}`]),
  ...['none', 'gzip', 'snappy', 'lz4'].map((codec) => `magic1-${codec}-logappend`),
]

function legacyRecord(name: string, index: number): unknown {
  const timestamp = name.startsWith('magic0')
    ? -1
    : name.endsWith('logappend')
      ? 1732000005555
      : 1732000000000 + index
  const key = index % 4 === 0 ? null : `key-${index}`
  const value = index % 7 === 3 ? null : `old value ${index} `.repeat(index % 6)
  return [1000 + index * 2, timestamp, key, value, []]
}

describe.each(LEGACY)('the message set %s', (name) => {
  const expected = Array.from({ length: 30 }, (_, index) => legacyRecord(name, index))

  it('reads with the offsets and timestamps of its messages', () => {
    expect(readAll(segment(name)).map(plain)).toEqual(expected)
  })

  it('becomes valid batches of magic 2 with the same records', () => {
    const converted: Buffer[] = []
    const cursor = new BatchCursor(segment(name))
    while (cursor.next()) {
      const { error, batch } = convertLegacyBatch(cursor.batch)
      expect(error).toBe(ErrorCode.NONE)
      expect(new BatchView(batch).lastOffset).toBe(cursor.batch.lastOffset)
      converted.push(batch)
    }
    const records = readAll(Buffer.concat(converted), (batch) => {
      expect(batch.magic).toBe(2)
      expect(batch.timestampType === TimestampType.LogAppendTime).toBe(name.endsWith('logappend'))
    })
    expect(records.map(plain)).toEqual(expected)
  })

  it('becomes one batch that counts from 0 when a producer sent it', () => {
    const { error, batch } = convertMessageSet(segment(name))
    expect(error).toBe(ErrorCode.NONE)
    const view = new BatchView(batch)
    expect([view.baseOffset, view.lastOffset, view.recordCount]).toEqual([0, 29, 30])
    const fields = readAll(batch).map((record) => (plain(record) as unknown[]).slice(1))
    expect(fields).toEqual(expected.map((record) => (record as unknown[]).slice(1)))
  })
})
