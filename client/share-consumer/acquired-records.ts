/**
 * What one ShareFetch response brought of one partition: the records that this member has acquired, and what is to become of each
 * offset. An offset without verdict waits for the application. Offsets without a record (control records, what compaction took) are
 * gaps from the start; what cannot be read is given back (another member may know the codec) or rejected (nobody ever will).
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { BatchCursor, type BatchView, TimestampType } from '../../common/record/batch.ts'
import { CompressionType } from '../../common/record/codecs.ts'
import { RecordReader } from '../../common/record/record-reader.ts'
import {
  AcknowledgeType,
  TIMESTAMP_CREATE_TIME,
  TIMESTAMP_LOG_APPEND_TIME,
  TIMESTAMP_NOT_AVAILABLE,
} from '../constants.ts'
import { KafkaError } from '../errors.ts'
import { fromRecordHeaders } from '../values/headers.ts'
import { Message } from '../values/message.ts'

/** As on the wire: there is no record at the offset. */
export const GAP = 0
export type Verdict = AcknowledgeType | typeof GAP

export interface AcquiredRange {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly deliveryCount: number
}

/** Where records came from, and where their verdicts go. */
export interface AcquiredFrom {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly nodeId: number
}

/** Far above `group.share.partition.max.record.locks` and a batch that is acquired as a whole. */
const maxAcquiredOffsets = 1_000_000

/** Whether the ranges are ascending, of offsets that there can be, and of no more than a broker ever gives away. */
export function arePlausible(ranges: readonly AcquiredRange[]): boolean {
  let count = 0
  let next = 0
  for (const { firstOffset, lastOffset } of ranges) {
    if (firstOffset < next || lastOffset < firstOffset || !Number.isSafeInteger(lastOffset)) return false
    count += lastOffset - firstOffset + 1
    next = lastOffset + 1
  }
  return count <= maxAcquiredOffsets
}

export class AcquiredRecords {
  readonly from: AcquiredFrom
  /** To be handed out, in the order of their offsets. */
  readonly messages: Message[] = []
  /** By offset, ascending; undefined is undecided. */
  readonly verdicts = new Map<number, Verdict | undefined>()
  readonly #deliveryCounts = new Map<number, number>()

  constructor(
    from: AcquiredFrom,
    records: Buffer | null,
    ranges: readonly AcquiredRange[],
    checksCrcs: boolean,
  ) {
    this.from = from
    for (const { firstOffset, lastOffset, deliveryCount } of ranges) {
      for (let offset = firstOffset; offset <= lastOffset; offset++) {
        this.verdicts.set(offset, GAP)
        this.#deliveryCounts.set(offset, deliveryCount)
      }
    }
    this.#read(records ?? Buffer.alloc(0), checksCrcs)
    this.#deliveryCounts.clear()
  }

  #read(records: Buffer, checksCrcs: boolean): void {
    const cursor = new BatchCursor(records)
    let seenUntil = -1
    while (cursor.next()) {
      const { batch } = cursor
      seenUntil = batch.nextOffset
      if (batch.isControl) continue
      if (checksCrcs && !batch.isValid) {
        const error = new KafkaError(KafkaError._BAD_MSG, 'the checksum of a batch is wrong')
        this.#unreadable(batch.baseOffset, batch.lastOffset, error, AcknowledgeType.REJECT)
      } else this.#readBatch(batch)
    }
    if (cursor.stop === 'corrupt' || cursor.stop === 'truncated') {
      const error = new KafkaError(KafkaError._BAD_MSG, 'the records end in the middle of a batch')
      const last = [...this.verdicts.keys()].at(-1) ?? -1
      this.#unreadable(seenUntil, last, error, AcknowledgeType.REJECT)
    }
  }

  #readBatch(batch: BatchView): void {
    const { topic, partition } = this.from
    const isAppendTime = batch.timestampType === TimestampType.LogAppendTime
    const timestampType = isAppendTime ? TIMESTAMP_LOG_APPEND_TIME : TIMESTAMP_CREATE_TIME
    const leaderEpoch = batch.partitionLeaderEpoch
    const isCompressed = batch.compressionType !== CompressionType.none
    const { baseOffset, lastOffset } = batch
    const reader = new RecordReader(batch)
    while (reader.next()) {
      const { offset, timestamp } = reader
      if (!this.verdicts.has(offset)) continue
      this.verdicts.set(offset, undefined)
      this.messages.push(
        new Message({
          topic,
          partition,
          offset,
          key: reader.key,
          value: reader.value,
          headers: reader.headerCount === 0 ? null : fromRecordHeaders(reader.headers()),
          timestamp: [timestamp < 0 ? TIMESTAMP_NOT_AVAILABLE : timestampType, timestamp],
          leaderEpoch,
          deliveryCount: this.#deliveryCounts.get(offset) ?? null,
        }),
      )
    }
    if (reader.error === ErrorCode.NONE) return
    const isUnknownCodec = reader.error === ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
    const isUnpackable = isUnknownCodec || (isCompressed && reader.error === ErrorCode.CORRUPT_MESSAGE)
    const code = isUnknownCodec
      ? KafkaError._NOT_IMPLEMENTED
      : isUnpackable
        ? KafkaError._BAD_COMPRESSION
        : KafkaError._BAD_MSG
    this.#unreadable(
      Math.max(reader.offset + 1, baseOffset),
      lastOffset,
      new KafkaError(code, reader.errorMessage),
      isUnpackable ? AcknowledgeType.RELEASE : AcknowledgeType.REJECT,
    )
  }

  #unreadable(firstOffset: number, lastOffset: number, error: KafkaError, verdict: AcknowledgeType): void {
    const { topic, partition } = this.from
    for (const offset of this.verdicts.keys()) {
      if (offset < firstOffset || offset > lastOffset) continue
      this.verdicts.set(offset, verdict)
      const deliveryCount = this.#deliveryCounts.get(offset) ?? null
      this.messages.push(new Message({ topic, partition, offset, error, deliveryCount }))
    }
  }
}
