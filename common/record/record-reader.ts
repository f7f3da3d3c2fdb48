/**
 * Reads the records of one batch, of any magic, without making objects: the reader stands on a record and tells what
 * is asked. Everything a batch claims is checked while reading (counts, lengths, trailing bytes, offsets in order and
 * within the header's range); the crc is not, that is for whoever took the batch in.
 *
 *     const reader = new RecordReader(batch)
 *     while (reader.next()) use(reader.offset, reader.key)
 *     if (reader.error !== ErrorCode.NONE) refuse(reader.error, reader.errorMessage)
 */
import { ErrorCode } from '../protocol/errors.ts'
import { BATCH_HEADER_BYTES, BatchView, TimestampType } from './batch.ts'
import { CompressionType, codecOf, MAX_DECOMPRESSED_BYTES } from './codecs.ts'
import { convertLegacyBatch } from './legacy.ts'
import type { DecodedRecord, RecordHeader } from './record.ts'
import { VarintCursor } from './varint.ts'

/** Length, attributes, two deltas, two lengths, header count: no record is smaller. */
const MIN_RECORD_BYTES = 7
const EMPTY = Buffer.alloc(0)

export class RecordReader {
  /** NONE while all is well. Later calls of `next` answer false once it is set. */
  error: ErrorCode = ErrorCode.NONE
  errorMessage = ''
  /** Fields of the current record; -1 lengths are nulls. */
  offset = -1
  timestamp = -1
  keyBytes = -1
  valueBytes = -1
  headerCount = 0

  private readonly countsOffsets: boolean
  private readonly cursor: VarintCursor = new VarintCursor(EMPTY)
  private remainingRecords = 0
  private baseOffset = 0
  private lastOffset = 0
  private baseTimestamp = 0
  /** With LogAppendTime all records have the max timestamp; null otherwise. */
  private logAppendTime: number | null = null
  private bodyPosition = 0
  private keyPosition = 0
  private valuePosition = 0
  private headersPosition = 0

  /**
   * @param countsOffsets records have the offsets that follow each other, whatever they say themselves: Kafka's leaders look at what a
   *   client wrote there in compressed batches only
   */
  constructor(
    batch: BatchView,
    maxDecompressedBytes: number = MAX_DECOMPRESSED_BYTES,
    countsOffsets = false,
  ) {
    this.countsOffsets = countsOffsets
    this.offset = batch.baseOffset - 1
    if (batch.isLegacy) {
      const converted = convertLegacyBatch(batch, maxDecompressedBytes)
      if (converted.error === ErrorCode.NONE) this.open(new BatchView(converted.batch), maxDecompressedBytes)
      else this.fail(converted.error, converted.errorMessage)
    } else {
      this.open(batch, maxDecompressedBytes)
    }
  }

  /** Moves to the next record. False at the end and at the first defect. */
  next(): boolean {
    if (this.remainingRecords === 0) return false
    this.remainingRecords--
    const { cursor } = this
    const sizeBytes = cursor.readVarint()
    const end = cursor.position + sizeBytes
    if (cursor.malformed || sizeBytes < MIN_RECORD_BYTES - 1 || sizeBytes > cursor.remaining) {
      return this.fail(
        ErrorCode.INVALID_RECORD,
        'a record is longer than the batch or shorter than any record',
      )
    }
    cursor.readInt8()
    const timestampDelta = cursor.readVarlong()
    const offsetDelta = cursor.readVarint()
    const offset = this.countsOffsets ? this.offset + 1 : this.baseOffset + offsetDelta
    this.bodyPosition = cursor.position
    this.keyBytes = cursor.readVarint()
    this.keyPosition = cursor.position
    cursor.skip(Math.max(this.keyBytes, 0))
    this.valueBytes = cursor.readVarint()
    this.valuePosition = cursor.position
    cursor.skip(Math.max(this.valueBytes, 0))
    this.headerCount = cursor.readVarint()
    this.headersPosition = cursor.position
    // Every header has two lengths at least: a count beyond that is a lie, and not worth the loop.
    const isCountPossible = this.headerCount >= 0 && this.headerCount <= (end - cursor.position) / 2
    if (isCountPossible) this.skipHeaders()
    if (!isCountPossible || cursor.malformed || cursor.position !== end) {
      return this.fail(
        ErrorCode.INVALID_RECORD,
        `the lengths within the record at offset ${offset} do not fit it`,
      )
    }
    if (offset <= this.offset || offset > this.lastOffset) {
      return this.fail(
        ErrorCode.INVALID_RECORD,
        `offset ${offset} is out of order or beyond ${this.lastOffset}`,
      )
    }
    if (this.remainingRecords === 0 && cursor.remaining > 0) {
      return this.fail(ErrorCode.INVALID_RECORD, `${cursor.remaining} bytes follow the last record`)
    }
    this.offset = offset
    this.timestamp = this.logAppendTime ?? this.baseTimestamp + timestampDelta
    return true
  }

  /** View of the key of the current record, or null. */
  get key(): Buffer | null {
    if (this.keyBytes < 0) return null
    return this.cursor.buffer.subarray(this.keyPosition, this.keyPosition + this.keyBytes)
  }

  get hasKey(): boolean {
    return this.keyBytes >= 0
  }

  /** View of the value of the current record; null is a tombstone. */
  get value(): Buffer | null {
    if (this.valueBytes < 0) return null
    return this.cursor.buffer.subarray(this.valuePosition, this.valuePosition + this.valueBytes)
  }

  get hasValue(): boolean {
    return this.valueBytes >= 0
  }

  /** View of key, value and headers as encoded, for `BatchBuilder.appendEncoded`. */
  get body(): Buffer {
    return this.cursor.buffer.subarray(this.bodyPosition, this.cursor.position)
  }

  /** The headers of the current record, made on demand. */
  headers(): RecordHeader[] {
    const cursor = new VarintCursor(this.cursor.buffer, this.headersPosition, this.cursor.position)
    const headers: RecordHeader[] = []
    for (let index = 0; index < this.headerCount; index++) {
      const key = cursor.readBytes(cursor.readVarint()) ?? EMPTY
      const valueBytes = cursor.readVarint()
      headers.push({ key: key.toString(), value: valueBytes < 0 ? null : cursor.readBytes(valueBytes) })
    }
    return headers
  }

  private open(batch: BatchView, maxDecompressedBytes: number): void {
    const codec = codecOf(batch.compressionType)
    const { recordCount } = batch
    if (codec === null) {
      this.fail(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, `unknown compression type ${batch.compressionType}`)
      return
    }
    const start = batch.position + BATCH_HEADER_BYTES
    let { buffer } = batch
    let position = start
    let { end } = batch
    if (recordCount < 0 || batch.lastOffsetDelta < 0) {
      this.fail(ErrorCode.INVALID_RECORD, `${recordCount} records over ${batch.lastOffsetDelta + 1} offsets`)
      return
    }
    if (codec.type !== CompressionType.none && end > start) {
      const plain = codec.decompress(buffer.subarray(start, end), maxDecompressedBytes)
      if (typeof plain === 'string') {
        this.fail(
          ErrorCode.CORRUPT_MESSAGE,
          plain === 'corrupt'
            ? `the records are not ${codec.name} data`
            : `the records decompress to more than ${maxDecompressedBytes} bytes`,
        )
        return
      }
      buffer = plain
      position = 0
      end = plain.length
    }
    if (recordCount > (end - position) / MIN_RECORD_BYTES || (recordCount === 0 && end > position)) {
      this.fail(ErrorCode.INVALID_RECORD, `${recordCount} records cannot be in ${end - position} bytes`)
      return
    }
    this.cursor.buffer = buffer
    this.cursor.position = position
    this.cursor.end = end
    this.remainingRecords = recordCount
    this.baseOffset = batch.baseOffset
    this.lastOffset = batch.lastOffset
    this.offset = this.baseOffset - 1
    this.baseTimestamp = batch.baseTimestamp
    this.logAppendTime = batch.timestampType === TimestampType.LogAppendTime ? batch.maxTimestamp : null
  }

  private skipHeaders(): void {
    const { cursor } = this
    for (let index = 0; index < this.headerCount && !cursor.malformed; index++) {
      cursor.skip(cursor.readVarint())
      const valueBytes = cursor.readVarint()
      if (valueBytes > 0) cursor.skip(valueBytes)
    }
  }

  private fail(error: ErrorCode, message: string): false {
    this.error = error
    this.errorMessage = message
    this.remainingRecords = 0
    return false
  }
}

/** What a batch holds, or why it cannot be read. `records` are those before the defect. */
export interface DecodedBatch {
  readonly error: ErrorCode
  readonly errorMessage: string
  readonly records: readonly DecodedRecord[]
}

/** All records of a batch as objects: for tools, coordinators and tests. */
export function decodeRecords(
  batch: BatchView,
  maxDecompressedBytes: number = MAX_DECOMPRESSED_BYTES,
): DecodedBatch {
  const reader = new RecordReader(batch, maxDecompressedBytes)
  const records: DecodedRecord[] = []
  while (reader.next()) {
    records.push({
      offset: reader.offset,
      timestamp: reader.timestamp,
      key: reader.key,
      value: reader.value,
      headers: reader.headers(),
    })
  }
  return { error: reader.error, errorMessage: reader.errorMessage, records }
}
