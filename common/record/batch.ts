/**
 * Record batches as bytes: the header fields of a batch at fixed positions, stamping in place, and iteration over the
 * batches of a buffer. No records are parsed and nothing is copied here.
 *
 *     0 baseOffset i64 │ 8 batchLength i32 │ 12 partitionLeaderEpoch i32 │ 16 magic i8 │ 17 crc u32 │
 *     21 attributes i16 │ 23 lastOffsetDelta i32 │ 27 baseTimestamp i64 │ 35 maxTimestamp i64 │ 43 producerId i64 │
 *     51 producerEpoch i16 │ 53 baseSequence i32 │ 57 recordCount i32 │ 61 records
 *
 * The crc covers everything from attributes to the end, so base offset and leader epoch may be stamped without it.
 * Message sets of magic 0 and 1 share the first two fields and the place of magic:
 *
 *     0 offset i64 │ 8 messageSize i32 │ 12 crc u32 │ 16 magic i8 │ 17 attributes i8 │ [18 timestamp i64, magic 1]
 */
import { createRequire } from 'node:module'
import { crc32c } from './crc32c.ts'

export const BATCH_LENGTH_POSITION = 8
export const PARTITION_LEADER_EPOCH_POSITION = 12
export const MAGIC_POSITION = 16
export const CRC_POSITION = 17
export const ATTRIBUTES_POSITION = 21
export const LAST_OFFSET_DELTA_POSITION = 23
export const BASE_TIMESTAMP_POSITION = 27
export const MAX_TIMESTAMP_POSITION = 35
export const PRODUCER_ID_POSITION = 43
export const PRODUCER_EPOCH_POSITION = 51
export const BASE_SEQUENCE_POSITION = 53
export const RECORD_COUNT_POSITION = 57
/** Size of a batch header; the records follow. */
export const BATCH_HEADER_BYTES = 61
/** Bytes before those that `batchLength` counts; called the log overhead in Kafka. */
export const LOG_OVERHEAD_BYTES = 12
/** Enough to know size and magic of whatever begins here. */
export const MAGIC_END_POSITION = 17

export const LEGACY_CRC_POSITION = 12
export const LEGACY_ATTRIBUTES_POSITION = 17
export const LEGACY_TIMESTAMP_POSITION = 18
/** Sizes of the smallest message of magic 0 and 1 with its log overhead: a null key and a null value. */
export const LEGACY_V0_MIN_BYTES = 26
export const LEGACY_V1_MIN_BYTES = 34

export const COMPRESSION_MASK = 0x07
export const TIMESTAMP_TYPE_MASK = 0x08
export const TRANSACTIONAL_MASK = 0x10
export const CONTROL_MASK = 0x20
export const DELETE_HORIZON_MASK = 0x40

export const NO_TIMESTAMP = -1
export const NO_PRODUCER_ID = -1
export const NO_PRODUCER_EPOCH = -1
export const NO_SEQUENCE = -1
export const NO_LEADER_EPOCH = -1

export const CURRENT_MAGIC = 2

const MAX_INT32 = 0x7fffffff
const TWO_32 = 0x1_0000_0000

export const TimestampType = { CreateTime: 0, LogAppendTime: 1 } as const
export type TimestampType = (typeof TimestampType)[keyof typeof TimestampType]

/** An int64 as a number; values beyond ±(2^53 - 1) saturate. */
export function readInt64(buffer: Buffer, position: number): number {
  const value = buffer.readInt32BE(position) * TWO_32 + buffer.readUInt32BE(position + 4)
  if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER
  if (value < Number.MIN_SAFE_INTEGER) return Number.MIN_SAFE_INTEGER
  return value
}

export function writeInt64(buffer: Buffer, position: number, value: number): void {
  const high = Math.floor(value / TWO_32)
  buffer.writeInt32BE(high, position)
  buffer.writeUInt32BE(value - high * TWO_32, position + 4)
}

/** The sequence number `increment` records after `sequence`; after 2^31 - 1 comes 0. */
export function incrementSequence(sequence: number, increment: number): number {
  const next = sequence + increment
  return next > MAX_INT32 ? next - MAX_INT32 - 1 : next
}

/** The sequence number `decrement` records before `sequence`; before 0 comes 2^31 - 1. */
export function decrementSequence(sequence: number, decrement: number): number {
  const previous = sequence - decrement
  return previous < 0 ? previous + MAX_INT32 + 1 : previous
}

let legacyCrc32: ((data: Uint8Array) => number) | undefined

/** The checksum of messages of magic 0 and 1: the common CRC-32, from magic to the end. */
export function crc32(bytes: Uint8Array): number {
  legacyCrc32 ??= (createRequire(import.meta.url)('node:zlib') as { crc32: (data: Uint8Array) => number })
    .crc32
  return legacyCrc32(bytes)
}

/**
 * A view of the batch that begins at `position` of `buffer`. Views are cheap and may be moved to another batch with
 * `at`; they borrow the buffer. Whoever makes one has checked that the batch lies wholly in the buffer (`BatchCursor`
 * and `checkBatch` do). For magic 0 and 1 the fields these lack read as Kafka's "none" values, `baseOffset` and
 * `lastOffset` are both the offset written in front (of a compressed message set that is the last one), and
 * `recordCount` is -1.
 */
export class BatchView {
  buffer: Buffer
  position: number

  constructor(buffer: Buffer, position = 0) {
    this.buffer = buffer
    this.position = position
  }

  at(buffer: Buffer, position: number): this {
    this.buffer = buffer
    this.position = position
    return this
  }

  get baseOffset(): number {
    return readInt64(this.buffer, this.position)
  }

  /** Bytes after the length field. */
  get batchLength(): number {
    return this.buffer.readInt32BE(this.position + BATCH_LENGTH_POSITION)
  }

  /** Bytes of the whole batch. */
  get sizeBytes(): number {
    return LOG_OVERHEAD_BYTES + this.batchLength
  }

  /** Position of the first byte after the batch. */
  get end(): number {
    return this.position + this.sizeBytes
  }

  get magic(): number {
    return this.buffer.readInt8(this.position + MAGIC_POSITION)
  }

  get isLegacy(): boolean {
    return this.magic < CURRENT_MAGIC
  }

  get partitionLeaderEpoch(): number {
    if (this.isLegacy) return NO_LEADER_EPOCH
    return this.buffer.readInt32BE(this.position + PARTITION_LEADER_EPOCH_POSITION)
  }

  /** The checksum as written, unsigned. */
  get crc(): number {
    return this.buffer.readUInt32BE(this.position + (this.isLegacy ? LEGACY_CRC_POSITION : CRC_POSITION))
  }

  get attributes(): number {
    if (this.isLegacy) return this.buffer[this.position + LEGACY_ATTRIBUTES_POSITION]!
    return this.buffer.readInt16BE(this.position + ATTRIBUTES_POSITION)
  }

  /** Compression type number: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd; 5 to 7 are unknown. */
  get compressionType(): number {
    return this.attributes & COMPRESSION_MASK
  }

  get timestampType(): TimestampType {
    if (this.magic === 0) return TimestampType.CreateTime
    return this.attributes & TIMESTAMP_TYPE_MASK ? TimestampType.LogAppendTime : TimestampType.CreateTime
  }

  get isTransactional(): boolean {
    return !this.isLegacy && (this.attributes & TRANSACTIONAL_MASK) !== 0
  }

  get isControl(): boolean {
    return !this.isLegacy && (this.attributes & CONTROL_MASK) !== 0
  }

  /** Whether `baseTimestamp` holds the delete horizon instead (KIP-534). */
  get hasDeleteHorizon(): boolean {
    return !this.isLegacy && (this.attributes & DELETE_HORIZON_MASK) !== 0
  }

  /** When tombstones and markers of this batch may go, in ms; `NO_TIMESTAMP` when not set. */
  get deleteHorizonMs(): number {
    return this.hasDeleteHorizon ? this.baseTimestamp : NO_TIMESTAMP
  }

  get lastOffsetDelta(): number {
    return this.isLegacy ? 0 : this.buffer.readInt32BE(this.position + LAST_OFFSET_DELTA_POSITION)
  }

  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta
  }

  get nextOffset(): number {
    return this.lastOffset + 1
  }

  get baseTimestamp(): number {
    if (this.isLegacy) return this.maxTimestamp
    return readInt64(this.buffer, this.position + BASE_TIMESTAMP_POSITION)
  }

  get maxTimestamp(): number {
    const magic = this.magic
    if (magic === 0) return NO_TIMESTAMP
    return readInt64(
      this.buffer,
      this.position + (magic === 1 ? LEGACY_TIMESTAMP_POSITION : MAX_TIMESTAMP_POSITION),
    )
  }

  get producerId(): number {
    return this.isLegacy ? NO_PRODUCER_ID : readInt64(this.buffer, this.position + PRODUCER_ID_POSITION)
  }

  get hasProducerId(): boolean {
    return this.producerId > NO_PRODUCER_ID
  }

  get producerEpoch(): number {
    return this.isLegacy
      ? NO_PRODUCER_EPOCH
      : this.buffer.readInt16BE(this.position + PRODUCER_EPOCH_POSITION)
  }

  get baseSequence(): number {
    return this.isLegacy ? NO_SEQUENCE : this.buffer.readInt32BE(this.position + BASE_SEQUENCE_POSITION)
  }

  get lastSequence(): number {
    const baseSequence = this.baseSequence
    return baseSequence === NO_SEQUENCE ? NO_SEQUENCE : incrementSequence(baseSequence, this.lastOffsetDelta)
  }

  get recordCount(): number {
    return this.isLegacy ? -1 : this.buffer.readInt32BE(this.position + RECORD_COUNT_POSITION)
  }

  /** The checksum of the bytes as they are now. */
  computeCrc(): number {
    if (this.isLegacy) return crc32(this.buffer.subarray(this.position + MAGIC_POSITION, this.end))
    return crc32c(this.buffer, this.position + ATTRIBUTES_POSITION, this.end)
  }

  /** Whether the checksum is right. Reads every byte of the batch. */
  get isValid(): boolean {
    return this.computeCrc() === this.crc
  }

  /** The batch as a buffer of its own that shares the bytes. */
  slice(): Buffer {
    return this.buffer.subarray(this.position, this.end)
  }

  /** What the leader does to a batch it appends: both fields lie outside the crc. Only the owner of the bytes may. */
  stamp(baseOffset: number, partitionLeaderEpoch: number): void {
    writeInt64(this.buffer, this.position, baseOffset)
    this.buffer.writeInt32BE(partitionLeaderEpoch, this.position + PARTITION_LEADER_EPOCH_POSITION)
  }

  /** Sets timestamp type and max timestamp (for LogAppendTime), and the crc when that changed anything. Magic 2 only. */
  stampMaxTimestamp(timestampType: TimestampType, maxTimestamp: number): void {
    if (this.timestampType === timestampType && this.maxTimestamp === maxTimestamp) return
    const flag = timestampType === TimestampType.LogAppendTime ? TIMESTAMP_TYPE_MASK : 0
    const attributes = (this.attributes & ~TIMESTAMP_TYPE_MASK) | flag
    this.buffer.writeInt16BE((attributes << 16) >> 16, this.position + ATTRIBUTES_POSITION)
    writeInt64(this.buffer, this.position + MAX_TIMESTAMP_POSITION, maxTimestamp)
    this.stampCrc()
  }

  stampCrc(): void {
    this.buffer.writeUInt32BE(this.computeCrc(), this.position + CRC_POSITION)
  }
}

/**
 * Why a cursor stopped. `end`: exactly at the end of the bytes. `truncated`: fewer bytes are left than the batch says
 * (normal at the end of a Fetch response or of a torn segment). `corrupt`: a length or magic that cannot be.
 */
export type BatchStop = 'end' | 'truncated' | 'corrupt'

/**
 * Size of the batch at `position` when it lies wholly before `end`, else 0 for truncated or -1 for corrupt. Looks at
 * length and magic only.
 */
export function batchSizeAt(buffer: Buffer, position: number, end: number): number {
  if (end - position < MAGIC_END_POSITION) {
    if (end - position < LOG_OVERHEAD_BYTES) return 0
    return buffer.readInt32BE(position + BATCH_LENGTH_POSITION) < LEGACY_V0_MIN_BYTES - LOG_OVERHEAD_BYTES
      ? -1
      : 0
  }
  const sizeBytes = LOG_OVERHEAD_BYTES + buffer.readInt32BE(position + BATCH_LENGTH_POSITION)
  const magic = buffer[position + MAGIC_POSITION]!
  if (magic > CURRENT_MAGIC) return -1
  const leastBytes =
    magic === 2 ? BATCH_HEADER_BYTES : magic === 1 ? LEGACY_V1_MIN_BYTES : LEGACY_V0_MIN_BYTES
  if (sizeBytes < leastBytes) return -1
  return sizeBytes <= end - position ? sizeBytes : 0
}

/**
 * Walks the batches of `buffer[start, end)`:
 *
 *     const cursor = new BatchCursor(buffer)
 *     while (cursor.next()) use(cursor.batch)
 *     cursor.stop; cursor.position   // why it ended, and the first byte that is not part of a whole batch
 *
 * `batch` is one view that moves along. Checks length and magic, not the crc.
 */
export class BatchCursor {
  readonly batch: BatchView
  readonly end: number
  /** Where the next batch begins. */
  position: number
  /** Meaningful once `next` has answered false. */
  stop: BatchStop = 'end'

  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    this.batch = new BatchView(buffer, start)
    this.position = start
    this.end = end
  }

  next(): boolean {
    if (this.position >= this.end) {
      this.stop = 'end'
      return false
    }
    const sizeBytes = batchSizeAt(this.batch.buffer, this.position, this.end)
    if (sizeBytes <= 0) {
      this.stop = sizeBytes === 0 ? 'truncated' : 'corrupt'
      return false
    }
    this.batch.position = this.position
    this.position += sizeBytes
    return true
  }
}
