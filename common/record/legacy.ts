/**
 * Message sets of magic 0 and 1, which Kafka still reads from old segments. Everything here ends in record batches of
 * magic 2, so that nobody else has to know the old formats.
 *
 *     offset i64 │ size i32 │ crc u32 │ magic i8 │ attributes i8 │ [timestamp i64, magic 1] │ key i32+bytes │ value i32+bytes
 *
 * A compressed message holds a message set in its value. Its own offset is that of the last inner message; the inner
 * offsets count from 0 in magic 1 (KIP-31) and are absolute in magic 0.
 */
import { ErrorCode } from '../protocol/errors.ts'
import {
  BatchCursor,
  type BatchStop,
  BatchView,
  LEGACY_TIMESTAMP_POSITION,
  NO_TIMESTAMP,
  TimestampType,
} from './batch.ts'
import { BatchBuilder } from './batch-builder.ts'
import { CompressionType, codecOf, MAX_DECOMPRESSED_BYTES } from './codecs.ts'
import { decompressLegacyLz4 } from './compression/lz4.ts'

export interface LegacyMessage {
  readonly offset: number
  /** `NO_TIMESTAMP` in magic 0. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** Either messages in order, or why they cannot be read. */
export interface LegacyMessages {
  readonly error: ErrorCode
  readonly errorMessage: string
  readonly timestampType: TimestampType
  readonly compressionType: CompressionType
  readonly messages: readonly LegacyMessage[]
}

/** `batch` is of magic 2 and valid when `error` is NONE, else empty. */
export interface ConvertedBatch {
  readonly error: ErrorCode
  readonly errorMessage: string
  readonly batch: Buffer
}

const EMPTY = Buffer.alloc(0)

/** The message that the view stands on, or the messages in it when it is compressed. */
export function readLegacyBatch(
  batch: BatchView,
  maxDecompressedBytes: number = MAX_DECOMPRESSED_BYTES,
): LegacyMessages {
  const outer = readMessage(batch)
  if (outer === null) return refusal(ErrorCode.INVALID_RECORD, 'the lengths within the message do not fit it')
  const { timestampType, compressionType, magic } = batch
  if (compressionType === CompressionType.none) {
    return { error: ErrorCode.NONE, errorMessage: '', timestampType, compressionType, messages: [outer] }
  }
  const codec = compressionType === CompressionType.zstd ? null : codecOf(compressionType)
  if (codec === null) {
    return refusal(
      ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
      `compression type ${compressionType} in magic ${magic}`,
    )
  }
  if (outer.value === null) return refusal(ErrorCode.INVALID_RECORD, 'a compressed message without value')
  const plain =
    magic === 0 && codec.type === CompressionType.lz4
      ? decompressLegacyLz4(outer.value, maxDecompressedBytes)
      : codec.decompress(outer.value, maxDecompressedBytes)
  if (typeof plain === 'string') {
    return refusal(ErrorCode.CORRUPT_MESSAGE, `the compressed messages are ${plain} as ${codec.name}`)
  }
  const inner = readInnerMessages(plain, batch)
  if (typeof inner === 'string') return refusal(ErrorCode.INVALID_RECORD, inner)
  const type = codec.type as CompressionType
  return { error: ErrorCode.NONE, errorMessage: '', timestampType, compressionType: type, messages: inner }
}

/**
 * One legacy batch (a message, or a compressed set of them) as a batch of magic 2 with the same offsets and timestamps,
 * uncompressed unless asked otherwise.
 */
export function convertLegacyBatch(
  batch: BatchView,
  maxDecompressedBytes: number = MAX_DECOMPRESSED_BYTES,
  compressionType: CompressionType = CompressionType.none,
): ConvertedBatch {
  const read = readLegacyBatch(batch, maxDecompressedBytes)
  if (read.error !== ErrorCode.NONE) {
    return { error: read.error, errorMessage: read.errorMessage, batch: EMPTY }
  }
  const builder = new BatchBuilder({
    baseOffset: read.messages[0]?.offset ?? batch.baseOffset,
    compressionType,
    timestampType: read.timestampType,
    logAppendTimeMs: batch.maxTimestamp,
    initialBytes: batch.sizeBytes * 2,
  })
  for (const { offset, timestamp, key, value } of read.messages) {
    if (offset <= builder.lastOffset || offset - builder.baseOffset > 0x7fff_ffff) {
      return {
        error: ErrorCode.INVALID_RECORD,
        errorMessage: `offset ${offset} is out of order`,
        batch: EMPTY,
      }
    }
    builder.appendAt(offset, timestamp, key, value)
  }
  return { error: ErrorCode.NONE, errorMessage: '', batch: builder.build() }
}

/**
 * A message set as a producer of old sends it (its offsets mean nothing) as one batch of magic 2 that counts from
 * offset 0 and keeps the compression. Refuses bad checksums, mixed magics and anything after the last message.
 */
export function convertMessageSet(
  messageSet: Buffer,
  maxDecompressedBytes: number = MAX_DECOMPRESSED_BYTES,
): ConvertedBatch {
  const refuse = (error: ErrorCode, errorMessage: string): ConvertedBatch => ({
    error,
    errorMessage,
    batch: EMPTY,
  })
  const cursor = new BatchCursor(messageSet)
  const parts: LegacyMessages[] = []
  const first = new BatchView(messageSet)
  let remainingBytes = maxDecompressedBytes
  while (cursor.next()) {
    const { batch } = cursor
    if (batch.magic > 1 || batch.magic !== first.magic) {
      return refuse(ErrorCode.INVALID_RECORD, `magic ${batch.magic} among messages of magic ${first.magic}`)
    }
    if (!batch.isValid) return refuse(ErrorCode.CORRUPT_MESSAGE, 'the checksum of a message is wrong')
    const part = readLegacyBatch(batch, remainingBytes)
    if (part.error !== ErrorCode.NONE) return refuse(part.error, part.errorMessage)
    for (const { key, value } of part.messages) remainingBytes -= (key?.length ?? 0) + (value?.length ?? 0)
    parts.push(part)
  }
  if (cursor.stop !== 'end') {
    return refuse(ErrorCode.CORRUPT_MESSAGE, `the message set is ${stopWords[cursor.stop]}`)
  }
  const builder = new BatchBuilder({
    compressionType: parts[0]?.compressionType ?? CompressionType.none,
    initialBytes: messageSet.length * 2,
  })
  for (const part of parts) {
    for (const { timestamp, key, value } of part.messages) builder.append(timestamp, key, value)
  }
  return { error: ErrorCode.NONE, errorMessage: '', batch: builder.build() }
}

const stopWords: Readonly<Record<BatchStop, string>> = {
  end: 'whole',
  truncated: 'cut off',
  corrupt: 'damaged',
}

function refusal(error: ErrorCode, errorMessage: string): LegacyMessages {
  return {
    error,
    errorMessage,
    timestampType: TimestampType.CreateTime,
    compressionType: CompressionType.none,
    messages: [],
  }
}

/** The message as it stands there, or null when its lengths do not fit its size exactly. */
function readMessage(batch: BatchView): LegacyMessage | null {
  const { buffer, end, magic } = batch
  const keyLengthPosition = batch.position + LEGACY_TIMESTAMP_POSITION + (magic === 0 ? 0 : 8)
  const keyBytes = buffer.readInt32BE(keyLengthPosition)
  const keyPosition = keyLengthPosition + 4
  const valueLengthPosition = keyPosition + Math.max(0, keyBytes)
  if (valueLengthPosition + 4 > end) return null
  const valueBytes = buffer.readInt32BE(valueLengthPosition)
  const valuePosition = valueLengthPosition + 4
  if (valuePosition + Math.max(0, valueBytes) !== end) return null
  return {
    offset: batch.baseOffset,
    timestamp: magic === 0 ? NO_TIMESTAMP : batch.maxTimestamp,
    key: keyBytes < 0 ? null : buffer.subarray(keyPosition, valueLengthPosition),
    value: valueBytes < 0 ? null : buffer.subarray(valuePosition, end),
  }
}

function readInnerMessages(plain: Buffer, outer: BatchView): LegacyMessage[] | string {
  const cursor = new BatchCursor(plain)
  const messages: LegacyMessage[] = []
  while (cursor.next()) {
    const { batch } = cursor
    if (batch.magic !== outer.magic) return `magic ${batch.magic} inside a message of magic ${outer.magic}`
    if (batch.compressionType !== CompressionType.none)
      return 'a compressed message inside a compressed message'
    const message = readMessage(batch)
    if (message === null) return 'the lengths within an inner message do not fit it'
    messages.push(message)
  }
  if (cursor.stop !== 'end') return `the inner messages are ${stopWords[cursor.stop]}`
  const last = messages.at(-1)
  if (last === undefined) return 'a compressed message with nothing in it'
  // A producer leaves the outer offset at 0: then there is nothing to add to the inner ones.
  const added = outer.magic === 1 ? Math.max(0, outer.baseOffset - last.offset) : 0
  const isLogAppendTime = outer.timestampType === TimestampType.LogAppendTime
  return messages.map((message) => ({
    ...message,
    offset: message.offset + added,
    timestamp: isLogAppendTime ? outer.maxTimestamp : message.timestamp,
  }))
}
