/**
 * Records as a test writes and reads them: plain values in, objects with headers as pairs out.
 */
import { BatchCursor } from '../../common/record/batch.ts'
import { BatchBuilder } from '../../common/record/batch-builder.ts'
import { RecordReader } from '../../common/record/record-reader.ts'

export type Bytes = string | Uint8Array | null

export interface RecordInput {
  readonly key?: Bytes
  /** Objects other than bytes are written as JSON. */
  readonly value?: Bytes | object | number | boolean
  readonly headers?: Readonly<Record<string, Bytes>> | readonly (readonly [string, Bytes])[]
  /** Absent: by the key as Java's producer does it, or partition 0 without a key. */
  readonly partition?: number
  readonly timestamp?: number
}

export interface TopicRecord<Value = string | null> {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: Value
  readonly headers: readonly (readonly [string, string | null])[]
}

/** How values become objects: as text, as bytes, from JSON, or by a function. */
export type Decode<Value> = 'text' | 'bytes' | 'json' | ((value: Buffer | null) => Value)

export type RecordValue = string | number | boolean | Uint8Array | RecordInput

export function toRecord(value: RecordValue): RecordInput {
  if (typeof value === 'object' && !(value instanceof Uint8Array)) return value
  return { value }
}

function bytesOf(value: RecordInput['value']): Buffer | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return Buffer.from(value)
  if (value instanceof Uint8Array) return Buffer.from(value)
  return Buffer.from(JSON.stringify(value))
}

export function partitionOf(record: RecordInput, partitionCount: number): number {
  if (record.partition !== undefined) return record.partition
  const key = bytesOf(record.key)
  return key === null ? 0 : (murmur2(key) & 0x7fffffff) % partitionCount
}

export function batchOf(records: readonly RecordInput[], nowMs: number): Buffer {
  const builder = new BatchBuilder()
  for (const { key, value, headers, timestamp } of records) {
    const pairs = headers === undefined ? [] : Array.isArray(headers) ? headers : Object.entries(headers)
    builder.append(
      timestamp ?? nowMs,
      bytesOf(key),
      bytesOf(value),
      (pairs as readonly (readonly [string, Bytes])[]).map(([name, header]) => ({
        key: name,
        value: bytesOf(header),
      })),
    )
  }
  return builder.build()
}

/** The data records of batches, control batches and those of `isAborted` left out; only from `fromOffset` on. */
export function recordsIn<Value>(
  buffer: Buffer | null,
  options: {
    topic: string
    partition: number
    fromOffset: number
    decode: Decode<Value>
    /** Transactions that the answer says were aborted. */
    aborted?: readonly { readonly producerId: number; readonly firstOffset: number }[]
  },
): { records: TopicRecord<Value>[]; nextOffset: number } {
  const { topic, partition, fromOffset } = options
  const aborted = [...(options.aborted ?? [])].sort((left, right) => left.firstOffset - right.firstOffset)
  const decode = decoderOf(options.decode)
  const records: TopicRecord<Value>[] = []
  let nextOffset = fromOffset
  const cursor = new BatchCursor(buffer ?? Buffer.alloc(0))
  while (cursor.next()) {
    const { batch } = cursor
    nextOffset = batch.lastOffset + 1
    const { producerId, baseOffset } = batch
    const ended = aborted.findIndex(
      (entry) => entry.producerId === producerId && entry.firstOffset <= baseOffset,
    )
    if (batch.isControl) {
      // The marker ends the aborted transaction; what the producer writes next is another one.
      if (ended >= 0) aborted.splice(ended, 1)
      continue
    }
    if (batch.isTransactional && ended >= 0) continue
    const reader = new RecordReader(batch)
    while (reader.next()) {
      if (reader.offset < fromOffset) continue
      records.push({
        topic,
        partition,
        offset: reader.offset,
        timestamp: reader.timestamp,
        key: reader.key?.toString() ?? null,
        value: decode(reader.value === null ? null : Buffer.from(reader.value)),
        headers: reader.headers().map(({ key, value }) => [key, value?.toString() ?? null] as const),
      })
    }
  }
  return { records, nextOffset }
}

function decoderOf<Value>(decode: Decode<Value>): (value: Buffer | null) => Value {
  if (typeof decode === 'function') return decode
  const decoders = {
    text: (value: Buffer | null) => value?.toString() ?? null,
    bytes: (value: Buffer | null) => value,
    json: (value: Buffer | null) => (value === null ? null : (JSON.parse(value.toString()) as unknown)),
  }
  return decoders[decode] as (value: Buffer | null) => Value
}

/** The hash of Java's default partitioner. */
export function murmur2(data: Uint8Array): number {
  const m = 0x5bd1e995
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  let hash = 0x9747b28c ^ data.length
  const whole = data.length & ~3
  for (let at = 0; at < whole; at += 4) {
    let k = Math.imul(view.getInt32(at, true), m)
    k = Math.imul(k ^ (k >>> 24), m)
    hash = Math.imul(hash, m) ^ k
  }
  if (data.length > whole) {
    for (let at = data.length - 1; at >= whole; at--) hash ^= (data[at] as number) << (8 * (at - whole))
    hash = Math.imul(hash, m)
  }
  hash = Math.imul(hash ^ (hash >>> 13), m)
  return hash ^ (hash >>> 15)
}
