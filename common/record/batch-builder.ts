/**
 * Builds one record batch of magic 2. Records are encoded straight into a growing buffer; compression and the header
 * come at the end. Used by producers, coordinators, the controller and the cleaner. A builder serves for one batch.
 */
import {
  ATTRIBUTES_POSITION,
  BASE_SEQUENCE_POSITION,
  BASE_TIMESTAMP_POSITION,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_POSITION,
  type BatchView,
  CONTROL_MASK,
  CRC_POSITION,
  CURRENT_MAGIC,
  DELETE_HORIZON_MASK,
  LAST_OFFSET_DELTA_POSITION,
  LOG_OVERHEAD_BYTES,
  MAGIC_POSITION,
  MAX_TIMESTAMP_POSITION,
  NO_LEADER_EPOCH,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  NO_SEQUENCE,
  NO_TIMESTAMP,
  PARTITION_LEADER_EPOCH_POSITION,
  PRODUCER_EPOCH_POSITION,
  PRODUCER_ID_POSITION,
  RECORD_COUNT_POSITION,
  TIMESTAMP_TYPE_MASK,
  TimestampType,
  TRANSACTIONAL_MASK,
  writeInt64,
} from './batch.ts'
import { CompressionType, codecOf } from './codecs.ts'
import { crc32c } from './crc32c.ts'
import { NO_HEADERS, type RecordHeader } from './record.ts'
import { varintSizeBytes, varlongSizeBytes, writeVarint, writeVarlong } from './varint.ts'

/** Most that a record adds to its key, value and headers: length, attributes, deltas and three more lengths. */
export const MAX_RECORD_OVERHEAD_BYTES = 5 + 10 + 5 + 1 + 5 + 5 + 5

const MAX_INT32 = 0x7fffffff
const DEFAULT_INITIAL_BYTES = 1024

/** Memory that is used again from batch to batch; whoever has the built batch gives it back. */
export interface BatchMemory {
  /** undefined for so few bytes that it is not worth it. */
  readonly take: (sizeBytes: number) => Buffer | undefined
  /** What `take` gave, or a part of it; other buffers are left alone. */
  readonly give: (buffer: Buffer) => void
}

export interface BatchBuilderOptions {
  readonly compressionType?: CompressionType
  /** As `compression.<name>.level`; the codec's default when absent. */
  readonly compressionLevel?: number | undefined
  /** Offset of the first record; 0, as producers send it, when absent. */
  readonly baseOffset?: number
  readonly timestampType?: TimestampType
  /** With LogAppendTime: the time that becomes max timestamp and so the timestamp of every record. */
  readonly logAppendTimeMs?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  readonly partitionLeaderEpoch?: number
  /** Takes the place of the base timestamp (KIP-534). */
  readonly deleteHorizonMs?: number
  /** First size of the buffer; the expected size of the batch saves copies. */
  readonly initialBytes?: number
  /** Absent: the batch has memory of its own. */
  readonly memory?: BatchMemory | undefined
}

export class BatchBuilder {
  readonly baseOffset: number
  recordCount = 0
  /** Offset of the record appended last; `baseOffset - 1` before the first. */
  lastOffset: number
  /** Largest timestamp so far. */
  maxTimestamp = NO_TIMESTAMP
  /** Offset of the first record that has `maxTimestamp`. */
  offsetOfMaxTimestamp = -1

  private readonly options: BatchBuilderOptions
  private buffer: Buffer
  private position = BATCH_HEADER_BYTES
  private baseTimestamp: number
  private producerId: number
  private producerEpoch: number
  private baseSequence: number

  constructor(options: BatchBuilderOptions = {}) {
    this.options = options
    this.baseOffset = options.baseOffset ?? 0
    this.lastOffset = this.baseOffset - 1
    this.baseTimestamp = options.deleteHorizonMs ?? NO_TIMESTAMP
    this.producerId = options.producerId ?? NO_PRODUCER_ID
    this.producerEpoch = options.producerEpoch ?? NO_PRODUCER_EPOCH
    this.baseSequence = options.baseSequence ?? NO_SEQUENCE
    this.buffer = this.allocate(BATCH_HEADER_BYTES + (options.initialBytes ?? DEFAULT_INITIAL_BYTES))
  }

  get isEmpty(): boolean {
    return this.recordCount === 0
  }

  /** Size of the batch as it stands, before compression: an upper bound but for bytes that do not compress. */
  get sizeBytes(): number {
    return this.position
  }

  /** Producers know these only when they send. */
  setProducerState(state: { producerId: number; producerEpoch: number; baseSequence: number }): void {
    this.producerId = state.producerId
    this.producerEpoch = state.producerEpoch
    this.baseSequence = state.baseSequence
  }

  /** Appends a record at the next offset. The bytes are copied. */
  append(
    timestamp: number,
    key: Buffer | null,
    value: Buffer | null,
    headers: readonly RecordHeader[] = NO_HEADERS,
  ): void {
    this.appendAt(this.lastOffset + 1, timestamp, key, value, headers)
  }

  /** Appends a record with an offset of its own, larger than the one before. */
  appendAt(
    offset: number,
    timestamp: number,
    key: Buffer | null,
    value: Buffer | null,
    headers: readonly RecordHeader[] = NO_HEADERS,
  ): void {
    const keyBytes = key === null ? -1 : key.length
    const valueBytes = value === null ? -1 : value.length
    let bodyBytes = varintSizeBytes(keyBytes) + varintSizeBytes(valueBytes) + varintSizeBytes(headers.length)
    if (key !== null) bodyBytes += keyBytes
    if (value !== null) bodyBytes += valueBytes
    for (const header of headers) bodyBytes += headerSizeBytes(header)

    let position = this.beginRecord(offset, timestamp, bodyBytes)
    const buffer = this.buffer
    position = writeVarint(buffer, position, keyBytes)
    if (key !== null) position = copyBytes(key, buffer, position)
    position = writeVarint(buffer, position, valueBytes)
    if (value !== null) position = copyBytes(value, buffer, position)
    position = writeVarint(buffer, position, headers.length)
    for (const header of headers) position = writeHeader(buffer, position, header)
    this.position = position
  }

  /** Appends a record whose key, value and headers are already encoded (`RecordReader.body`). */
  appendEncoded(offset: number, timestamp: number, body: Buffer): void {
    const position = this.beginRecord(offset, timestamp, body.length)
    this.position = copyBytes(body, this.buffer, position)
  }

  /**
   * The finished batch. `lastOffset` is given where the batch must span offsets whose records are gone (the cleaner);
   * without it there must be a record.
   * The builder is used up: the result may be its own buffer.
   */
  build(lastOffset = this.lastOffset): Buffer {
    const { options } = this
    const codec = codecOf(options.compressionType ?? CompressionType.none)
    if (codec === null) throw new RangeError(`unknown compression type ${options.compressionType}`)
    if (lastOffset < this.baseOffset || lastOffset < this.lastOffset) {
      throw new RangeError(`a batch from ${this.baseOffset} cannot end at ${lastOffset}`)
    }
    let batch = this.buffer
    let sizeBytes = this.position
    const isCompressed = codec.type !== CompressionType.none && this.recordCount > 0
    if (isCompressed) {
      const plain = batch.subarray(BATCH_HEADER_BYTES, sizeBytes)
      const compressed = codec.compress(plain, options.compressionLevel ?? codec.defaultLevel)
      sizeBytes = BATCH_HEADER_BYTES + compressed.length
      if (sizeBytes > batch.length) batch = this.replaceBuffer(sizeBytes)
      compressed.copy(batch, BATCH_HEADER_BYTES)
    }
    const isLogAppendTime = options.timestampType === TimestampType.LogAppendTime
    const attributes =
      (isCompressed ? codec.type : CompressionType.none) |
      (isLogAppendTime ? TIMESTAMP_TYPE_MASK : 0) |
      (options.isTransactional ? TRANSACTIONAL_MASK : 0) |
      (options.isControl ? CONTROL_MASK : 0) |
      (options.deleteHorizonMs === undefined ? 0 : DELETE_HORIZON_MASK)
    const maxTimestamp = isLogAppendTime ? (options.logAppendTimeMs ?? NO_TIMESTAMP) : this.maxTimestamp
    writeHeaderFields(batch, {
      baseOffset: this.baseOffset,
      lastOffset,
      sizeBytes,
      partitionLeaderEpoch: options.partitionLeaderEpoch ?? NO_LEADER_EPOCH,
      attributes,
      baseTimestamp: this.baseTimestamp,
      maxTimestamp,
      producerId: this.producerId,
      producerEpoch: this.producerEpoch,
      baseSequence: this.baseSequence,
      recordCount: this.recordCount,
    })
    // A small batch must not keep a large buffer alive, unless others wait for that.
    return options.memory === undefined && sizeBytes < batch.length / 2
      ? Buffer.from(batch.subarray(0, sizeBytes))
      : batch.subarray(0, sizeBytes)
  }

  /** Makes room, notes offset and timestamp and writes everything before the body; answers the body's position. */
  private beginRecord(offset: number, timestamp: number, bodyBytes: number): number {
    const offsetDelta = offset - this.baseOffset
    if (offset <= this.lastOffset || offsetDelta > MAX_INT32)
      throw new RangeError(`offset ${offset} is out of order`)
    if (this.baseTimestamp === NO_TIMESTAMP && this.recordCount === 0) this.baseTimestamp = timestamp
    const timestampDelta = timestamp - this.baseTimestamp
    const recordBytes = 1 + varlongSizeBytes(timestampDelta) + varintSizeBytes(offsetDelta) + bodyBytes
    this.reserve(varintSizeBytes(recordBytes) + recordBytes)
    if (timestamp > this.maxTimestamp || this.recordCount === 0) {
      this.maxTimestamp = timestamp
      this.offsetOfMaxTimestamp = offset
    }
    this.lastOffset = offset
    this.recordCount++
    const { buffer } = this
    let position = writeVarint(buffer, this.position, recordBytes)
    buffer[position++] = 0
    position = writeVarlong(buffer, position, timestampDelta)
    return writeVarint(buffer, position, offsetDelta)
  }

  private reserve(bytes: number): void {
    const needed = this.position + bytes
    if (needed <= this.buffer.length) return
    const { buffer } = this
    buffer.copy(this.replaceBuffer(Math.max(needed, buffer.length * 2)), 0, 0, this.position)
  }

  /** The new one; the bytes of the old one are still there until the next batch takes its memory. */
  private replaceBuffer(sizeBytes: number): Buffer {
    const old = this.buffer
    this.buffer = this.allocate(sizeBytes)
    this.options.memory?.give(old)
    return this.buffer
  }

  private allocate(sizeBytes: number): Buffer {
    const { memory } = this.options
    // In powers of two, so that what one batch outgrew is what another one begins with.
    return memory?.take(2 ** Math.ceil(Math.log2(sizeBytes))) ?? Buffer.allocUnsafe(sizeBytes)
  }
}

/** Upper bound of what a record adds to a batch before compression. */
export function recordSizeBound(
  key: Buffer | null,
  value: Buffer | null,
  headers: readonly RecordHeader[] = NO_HEADERS,
): number {
  let bytes = MAX_RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0)
  for (const header of headers) bytes += headerSizeBytes(header)
  return bytes
}

/**
 * A batch without records that keeps offsets, timestamps and producer state of `original`: what the cleaner leaves of
 * a producer's last batch when all its records are gone.
 */
export function emptyBatchLike(original: BatchView): Buffer {
  const batch = Buffer.allocUnsafe(BATCH_HEADER_BYTES)
  writeHeaderFields(batch, {
    baseOffset: original.baseOffset,
    lastOffset: original.lastOffset,
    sizeBytes: BATCH_HEADER_BYTES,
    partitionLeaderEpoch: original.partitionLeaderEpoch,
    attributes: original.attributes & (TIMESTAMP_TYPE_MASK | TRANSACTIONAL_MASK | CONTROL_MASK),
    baseTimestamp: original.maxTimestamp,
    maxTimestamp: original.maxTimestamp,
    producerId: original.producerId,
    producerEpoch: original.producerEpoch,
    baseSequence: original.baseSequence,
    recordCount: 0,
  })
  return batch
}

interface HeaderFields {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly sizeBytes: number
  readonly partitionLeaderEpoch: number
  readonly attributes: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/** Writes the header, the crc included: everything after it must be in place. */
function writeHeaderFields(batch: Buffer, fields: HeaderFields): void {
  writeInt64(batch, 0, fields.baseOffset)
  batch.writeInt32BE(fields.sizeBytes - LOG_OVERHEAD_BYTES, BATCH_LENGTH_POSITION)
  batch.writeInt32BE(fields.partitionLeaderEpoch, PARTITION_LEADER_EPOCH_POSITION)
  batch[MAGIC_POSITION] = CURRENT_MAGIC
  batch.writeInt16BE(fields.attributes, ATTRIBUTES_POSITION)
  batch.writeInt32BE(fields.lastOffset - fields.baseOffset, LAST_OFFSET_DELTA_POSITION)
  writeInt64(batch, BASE_TIMESTAMP_POSITION, fields.baseTimestamp)
  writeInt64(batch, MAX_TIMESTAMP_POSITION, fields.maxTimestamp)
  writeInt64(batch, PRODUCER_ID_POSITION, fields.producerId)
  batch.writeInt16BE(fields.producerEpoch, PRODUCER_EPOCH_POSITION)
  batch.writeInt32BE(fields.baseSequence, BASE_SEQUENCE_POSITION)
  batch.writeInt32BE(fields.recordCount, RECORD_COUNT_POSITION)
  batch.writeUInt32BE(crc32c(batch, ATTRIBUTES_POSITION, fields.sizeBytes), CRC_POSITION)
}

function headerSizeBytes({ key, value }: RecordHeader): number {
  const keyBytes = Buffer.byteLength(key)
  const valueBytes = value === null ? -1 : value.length
  return (
    varintSizeBytes(keyBytes) + keyBytes + varintSizeBytes(valueBytes) + (value === null ? 0 : valueBytes)
  )
}

function writeHeader(buffer: Buffer, position: number, { key, value }: RecordHeader): number {
  position = writeVarint(buffer, position, Buffer.byteLength(key))
  position += buffer.write(key, position)
  position = writeVarint(buffer, position, value === null ? -1 : value.length)
  return value === null ? position : copyBytes(value, buffer, position)
}

/** A call into native code costs more than a short loop. */
function copyBytes(from: Buffer, to: Buffer, position: number): number {
  const { length } = from
  if (length > 24) to.set(from, position)
  else for (let index = 0; index < length; index++) to[position + index] = from[index]!
  return position + length
}
