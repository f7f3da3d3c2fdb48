/**
 * What is asked of batches before a log takes them. Headers are read always; records only when a rule speaks of them:
 * keys on compacted topics, timestamps out of bounds, another compression than the topic's, old formats, or
 * `validateRecords` (docs/adr: header-only validation). Refusals carry Kafka's codes; nothing is changed before the
 * whole append has passed.
 */
import { ErrorCode } from '../common/protocol/errors.ts'
import {
  BatchCursor,
  BatchView,
  MAGIC_POSITION,
  NO_TIMESTAMP,
  TimestampType,
} from '../common/record/batch.ts'
import { BatchBuilder } from '../common/record/batch-builder.ts'
import { CompressionType } from '../common/record/codecs.ts'
import { convertLegacyBatch } from '../common/record/legacy.ts'
import { RecordReader } from '../common/record/record-reader.ts'
import type { TopicPartition } from './file-names.ts'
import type { LogConfig } from './log-config.ts'
import type { AppendOrigin } from './producer-append.ts'

/** KIP-467: which record of the batch was refused, and why. */
export interface RecordError {
  readonly batchIndex: number
  readonly message: string | null
}

export interface AppendRefusal {
  readonly error: Exclude<ErrorCode, 0>
  readonly errorMessage: string
  readonly recordErrors: readonly RecordError[]
}

/** The batches as they go into the log, and what their headers say together. */
export interface CheckedBatches {
  readonly error: 0
  /** The given buffer, or another where batches had to be rewritten. */
  readonly records: Buffer
  readonly batchCount: number
  readonly maxTimestamp: number
}

export interface CheckOptions {
  readonly topicPartition: TopicPartition
  readonly origin: AppendOrigin
  readonly config: LogConfig
  readonly leaderEpoch: number
  readonly nowMs: number
}

const NO_RECORD_ERRORS: readonly RecordError[] = []

export function refuse(
  error: Exclude<ErrorCode, 0>,
  errorMessage: string,
  recordErrors: readonly RecordError[] = NO_RECORD_ERRORS,
): AppendRefusal {
  return { error, errorMessage, recordErrors }
}

/** Checks what a leader is about to stamp and append. Bytes after the last whole batch are left out, as Kafka does. */
export function checkForLeader(records: Buffer, options: CheckOptions): CheckedBatches | AppendRefusal {
  const { origin, config } = options
  const target = targetCompression(config)
  const cursor = new BatchCursor(records)
  let batchCount = 0
  let maxTimestamp = NO_TIMESTAMP
  let mustRewrite = false
  let isAnyCompressed = false
  const wrongTimes: { position: number; maxTimestamp: number }[] = []
  while (cursor.next()) {
    const { batch } = cursor
    const found = checkHeader(batch, options) ?? checkRecordsIfNeeded(batch, options)
    if (typeof found === 'object') return found
    batchCount++
    maxTimestamp = Math.max(maxTimestamp, found ?? batch.maxTimestamp)
    if (found !== undefined && found !== batch.maxTimestamp)
      wrongTimes.push({ position: batch.position, maxTimestamp: found })
    isAnyCompressed ||= batch.compressionType !== CompressionType.none && !batch.isLegacy
    mustRewrite ||=
      batch.isLegacy || (target !== undefined && !batch.isControl && batch.compressionType !== target)
  }
  if (cursor.stop === 'corrupt')
    return refuse(ErrorCode.CORRUPT_MESSAGE, 'A batch has an impossible size or format')
  if (batchCount === 0) return refuse(ErrorCode.INVALID_RECORD, 'There is no whole batch to append')
  if (batchCount > 1 && isAnyCompressed && origin === 'client') {
    return refuse(ErrorCode.INVALID_RECORD, 'A compressed batch must come alone')
  }
  const whole = cursor.position === records.length ? records : records.subarray(0, cursor.position)
  for (const { position, maxTimestamp } of wrongTimes)
    new BatchView(whole, position).stampMaxTimestamp(TimestampType.CreateTime, maxTimestamp)
  if (!mustRewrite) return { error: ErrorCode.NONE, records: whole, batchCount, maxTimestamp }
  return rewrite(whole, target, config, batchCount)
}

function checkHeader(batch: BatchView, options: CheckOptions): AppendRefusal | undefined {
  const { origin, config, leaderEpoch } = options
  const { sizeBytes } = batch
  if (origin === 'raft' && batch.partitionLeaderEpoch !== leaderEpoch) {
    return refuse(
      ErrorCode.INVALID_RECORD,
      `A batch of leader epoch ${batch.partitionLeaderEpoch} cannot be appended in epoch ${leaderEpoch}`,
    )
  }
  if (origin === 'client' && !batch.isLegacy && batch.baseOffset !== 0) {
    return refuse(ErrorCode.INVALID_RECORD, `The base offset of a batch must be 0 and is ${batch.baseOffset}`)
  }
  if (sizeBytes > config.maxMessageBytes) {
    return refuse(
      ErrorCode.MESSAGE_TOO_LARGE,
      `A batch of ${sizeBytes} bytes is larger than max.message.bytes (${config.maxMessageBytes})`,
    )
  }
  if (!batch.isValid)
    return refuse(ErrorCode.CORRUPT_MESSAGE, `The checksum ${batch.crc} of a batch is wrong`)
  if (batch.compressionType > CompressionType.zstd) {
    return refuse(
      ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
      `There is no compression type ${batch.compressionType}`,
    )
  }
  if (batch.isLegacy || origin !== 'client') return undefined
  const { recordCount, lastOffsetDelta } = batch
  if (recordCount <= 0 || lastOffsetDelta < 0 || recordCount !== lastOffsetDelta + 1) {
    return refuse(
      ErrorCode.INVALID_RECORD,
      `A batch of ${recordCount} records cannot span ${lastOffsetDelta + 1} offsets`,
    )
  }
  if (batch.isControl) return refuse(ErrorCode.INVALID_RECORD, 'Clients may not write control batches')
  if (batch.hasProducerId && batch.baseSequence < 0) {
    return refuse(
      ErrorCode.INVALID_RECORD,
      `Sequence ${batch.baseSequence} does not go with producer id ${batch.producerId}`,
    )
  }
  if (batch.isTransactional && !batch.hasProducerId) {
    return refuse(ErrorCode.INVALID_RECORD, 'A transactional batch must have a producer id')
  }
  return undefined
}

/** @returns the greatest timestamp of the records where they were read, which need not be what the header says */
function checkRecordsIfNeeded(batch: BatchView, options: CheckOptions): AppendRefusal | number | undefined {
  const { config, nowMs } = options
  const isCreateTime = config.messageTimestampType === 'CreateTime'
  const mayBeTooLate = isCreateTime && batch.maxTimestamp - nowMs > config.messageTimestampAfterMaxMs
  const mayBeTooEarly = isCreateTime && config.messageTimestampBeforeMaxMs < nowMs
  const hasWrongType = !isCreateTime && batch.timestampType === TimestampType.LogAppendTime
  const mustHaveKeys = config.cleanupPolicy.has('compact') && !batch.isControl
  const isImpossible = batch.maxTimestamp < NO_TIMESTAMP
  if (
    !mayBeTooLate &&
    !mayBeTooEarly &&
    !hasWrongType &&
    !mustHaveKeys &&
    !isImpossible &&
    !config.validateRecords
  )
    return undefined
  const refusal = checkRecords(batch, options)
  // What the broker writes itself has the timestamps that it means, and old formats are converted later.
  return typeof refusal === 'number' && (options.origin !== 'client' || batch.isLegacy || !isCreateTime)
    ? undefined
    : refusal
}

/** Kafka's leaders look at the offsets that a client gave its records only where they decompress them. */
function readerFor(batch: BatchView, config: LogConfig): RecordReader {
  const countsOffsets = batch.compressionType === CompressionType.none
  return new RecordReader(batch, config.maxDecompressedMessageBytes, countsOffsets)
}

function checkRecords(batch: BatchView, options: CheckOptions): AppendRefusal | number {
  const { config, nowMs, topicPartition } = options
  const { messageTimestampBeforeMaxMs, messageTimestampAfterMaxMs } = config
  const isCreateTime = config.messageTimestampType === 'CreateTime'
  const mustHaveKeys = config.cleanupPolicy.has('compact') && !batch.isControl
  const errors: RecordError[] = []
  let isTimestampRefused = false
  let maxTimestamp = NO_TIMESTAMP
  const reader = readerFor(batch, config)
  for (let batchIndex = 0; reader.next(); batchIndex++) {
    const { timestamp } = reader
    maxTimestamp = Math.max(maxTimestamp, timestamp)
    if (mustHaveKeys && !reader.hasKey) {
      const where = `${topicPartition.topic}-${topicPartition.partition}`
      const message = `Compacted topic cannot accept message without key in topic partition ${where}`
      errors.push({ batchIndex, message })
    } else if (isCreateTime && timestamp !== NO_TIMESTAMP) {
      const isTooEarly = nowMs - timestamp > messageTimestampBeforeMaxMs
      const isTooLate = timestamp - nowMs > messageTimestampAfterMaxMs
      if (isTooEarly || isTooLate) {
        isTimestampRefused = true
        const bounds = `[${exact(nowMs, -1n, messageTimestampBeforeMaxMs)}, ${exact(nowMs, 1n, messageTimestampAfterMaxMs)}]`
        const fault = `Timestamp ${timestamp} of message with offset ${reader.offset} is out of range`
        errors.push({ batchIndex, message: `${fault}. The timestamp should be within ${bounds}` })
      }
    } else if (batch.timestampType === TimestampType.LogAppendTime) {
      isTimestampRefused = true
      errors.push({ batchIndex, message: 'A producer must not set the timestamp type LogAppendTime' })
    }
  }
  if (reader.error !== ErrorCode.NONE)
    return refuse(reader.error, `A batch cannot be read: ${reader.errorMessage}`)
  if (errors.length === 0) return maxTimestamp
  return isTimestampRefused
    ? refuse(ErrorCode.INVALID_TIMESTAMP, `${REJECTED} invalid timestamp`, errors)
    : refuse(ErrorCode.INVALID_RECORD, summary(errors), errors)
}

/** Milliseconds before or after now as int64, of which the greatest is any number that is none in JavaScript (ADR 2). */
function exact(nowMs: number, sign: bigint, ms: number): bigint {
  const far = ms >= Number.MAX_SAFE_INTEGER ? 2n ** 63n - 1n : BigInt(ms)
  return BigInt.asIntN(64, BigInt(nowMs) + sign * far)
}

/** Producers show these to their users, who know Kafka's formulas and search for them. */
const REJECTED = 'One or more records have been rejected due to'

function summary(errors: readonly RecordError[]): string {
  const first = errors
    .slice(0, 3)
    .map((one) => `RecordError(batchIndex=${one.batchIndex}, message='${one.message}')`)
  return `${REJECTED} ${errors.length} record errors in total, and only showing the first three errors at most: [${first.join(', ')}]`
}

/** The compression that every batch must have; undefined when it is the producer's choice. */
function targetCompression(config: LogConfig): CompressionType | undefined {
  const { compressionType } = config
  if (compressionType === 'producer') return undefined
  return compressionType === 'uncompressed' ? CompressionType.none : CompressionType[compressionType]
}

function compressionLevel(config: LogConfig, type: CompressionType): number | undefined {
  if (type === CompressionType.gzip) return config.compressionGzipLevel
  if (type === CompressionType.lz4) return config.compressionLz4Level
  return type === CompressionType.zstd ? config.compressionZstdLevel : undefined
}

/** Converts old formats and compresses anew what is not compressed as the topic wants it. */
function rewrite(
  records: Buffer,
  target: CompressionType | undefined,
  config: LogConfig,
  batchCount: number,
): CheckedBatches | AppendRefusal {
  const rewritten: Buffer[] = []
  let maxTimestamp = NO_TIMESTAMP
  const cursor = new BatchCursor(records)
  while (cursor.next()) {
    let batch: BatchView = cursor.batch
    if (batch.isLegacy) {
      const converted = convertLegacyBatch(batch, config.maxDecompressedMessageBytes)
      if (converted.error !== ErrorCode.NONE) return refuse(converted.error, converted.errorMessage)
      batch = new BatchView(converted.batch)
    }
    let bytes = batch.slice()
    if (target !== undefined && !batch.isControl && batch.compressionType !== target) {
      const result = compress(batch, target, config)
      if (!Buffer.isBuffer(result)) return result
      bytes = result
    } else if (batch === cursor.batch) {
      bytes = Buffer.from(bytes)
    }
    if (bytes.length > config.maxMessageBytes) {
      return refuse(ErrorCode.MESSAGE_TOO_LARGE, `A batch has ${bytes.length} bytes once it is rewritten`)
    }
    maxTimestamp = Math.max(maxTimestamp, new BatchView(bytes).maxTimestamp)
    rewritten.push(bytes)
  }
  const joined = rewritten.length === 1 ? (rewritten[0] as Buffer) : Buffer.concat(rewritten)
  return { error: ErrorCode.NONE, records: joined, batchCount, maxTimestamp }
}

function compress(batch: BatchView, target: CompressionType, config: LogConfig): Buffer | AppendRefusal {
  const reader = readerFor(batch, config)
  const level = compressionLevel(config, target)
  const builder = new BatchBuilder({
    compressionType: target,
    ...(level === undefined ? {} : { compressionLevel: level }),
    baseOffset: batch.baseOffset,
    timestampType: batch.timestampType,
    logAppendTimeMs: batch.maxTimestamp,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    isTransactional: batch.isTransactional,
    initialBytes: batch.sizeBytes,
  })
  while (reader.next()) builder.appendEncoded(reader.offset, reader.timestamp, reader.body)
  if (reader.error !== ErrorCode.NONE)
    return refuse(reader.error, `A batch cannot be read: ${reader.errorMessage}`)
  return builder.build()
}

/** Gives every batch its offsets and epoch, in place. @returns the offset after the last */
export function stampBatches(
  records: Buffer,
  stamp: { baseOffset: number; leaderEpoch: number; logAppendTimeMs: number | undefined },
): number {
  let nextOffset = stamp.baseOffset
  const cursor = new BatchCursor(records)
  while (cursor.next()) {
    const { batch } = cursor
    batch.stamp(nextOffset, stamp.leaderEpoch)
    if (stamp.logAppendTimeMs !== undefined) {
      batch.stampMaxTimestamp(TimestampType.LogAppendTime, stamp.logAppendTimeMs)
    } else if (batch.timestampType !== TimestampType.CreateTime) {
      batch.stampMaxTimestamp(TimestampType.CreateTime, batch.maxTimestamp)
    }
    nextOffset = batch.nextOffset
  }
  return nextOffset
}

export interface FollowerBatches {
  readonly error: 0
  readonly records: Buffer
  readonly firstOffset: number
  readonly nextOffset: number
  readonly maxTimestamp: number
}

/**
 * Checks what a follower got from its leader: whole batches of a known format, offsets that ascend, epochs that do not
 * exceed the leader's. Gaps are allowed (compaction makes them).
 * @returns undefined when there is nothing to append
 */
export function checkForFollower(
  records: Buffer,
  options: { leaderEpoch: number; checkCrc: boolean },
): FollowerBatches | AppendRefusal | undefined {
  const cursor = new BatchCursor(records)
  let firstOffset = -1
  let nextOffset = -1
  let maxTimestamp = NO_TIMESTAMP
  let end = 0
  while (cursor.next()) {
    const { batch } = cursor
    // Batches of a newer epoch belong to a leader this replica does not follow yet (KAFKA-18723).
    if (batch.partitionLeaderEpoch > options.leaderEpoch) break
    if (options.checkCrc && !batch.isValid) {
      return refuse(
        ErrorCode.CORRUPT_MESSAGE,
        `The checksum of the batch at offset ${batch.baseOffset} is wrong`,
      )
    }
    if (firstOffset < 0) firstOffset = batch.baseOffset
    else if (batch.baseOffset < nextOffset) {
      return refuse(ErrorCode.UNKNOWN_SERVER_ERROR, `Offset ${batch.baseOffset} follows ${nextOffset - 1}`)
    }
    nextOffset = batch.nextOffset
    maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp)
    end = cursor.position
  }
  if (end === 0) {
    const isCorrupt = cursor.stop === 'corrupt' && records.length > MAGIC_POSITION
    return isCorrupt ? refuse(ErrorCode.CORRUPT_MESSAGE, 'The leader sent no batches') : undefined
  }
  const whole = end === records.length ? records : records.subarray(0, end)
  return { error: ErrorCode.NONE, records: whole, firstOffset, nextOffset, maxTimestamp }
}
