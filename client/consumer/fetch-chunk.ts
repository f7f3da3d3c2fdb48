/**
 * The records that one Fetch response brought for one partition, as bytes. Records become messages one at a time, when the
 * application takes them; batches are decompressed when their turn comes. Hides control records always, and with
 * `read_committed` the records of aborted transactions.
 *
 * Owned by the partition's queue. Holds on to the response's frame while it lives.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { BatchCursor, type BatchView, TimestampType } from '../../common/record/batch.ts'
import { CompressionType } from '../../common/record/codecs.ts'
import { readEndTransactionMarker } from '../../common/record/control-record.ts'
import { RecordReader } from '../../common/record/record-reader.ts'
import { TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME, TIMESTAMP_NOT_AVAILABLE } from '../constants.ts'
import { KafkaError } from '../errors.ts'
import { fromRecordHeaders } from '../values/headers.ts'
import { Message } from '../values/message.ts'

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface FetchChunkOptions {
  readonly topic: string
  readonly partition: number
  readonly records: Buffer
  /** Records before it are not wanted: a batch may begin earlier. */
  readonly fetchOffset: number
  /** undefined reads uncommitted. */
  readonly abortedTransactions: readonly AbortedTransaction[] | undefined
  /** `check.crcs` */
  readonly checksCrcs: boolean
}

export class FetchChunk {
  /** Records by the headers of the batches; some of them may turn out to be hidden. */
  readonly messageCount: number
  readonly sizeBytes: number
  /** Offset after the last whole batch; `fetchOffset` when there is none. */
  readonly nextOffset: number
  /** Leader epoch of the last whole batch. */
  readonly leaderEpoch: number
  /** Not even the first batch is there as a whole. */
  readonly isTruncated: boolean
  /** The bytes end in what cannot be a batch, or in one whose offsets are none. */
  readonly isCorrupt: boolean
  readonly #options: FetchChunkOptions
  readonly #cursor: BatchCursor
  #reader: RecordReader | undefined
  /** Offsets before it were handed out or left out: a batch whose offsets go back brings nothing new. */
  #position: number
  #batchEpoch = -1
  #timestampType = 0
  #compressionType = 0
  #batchNextOffset = 0
  /** By first offset. */
  readonly #abortedAhead: AbortedTransaction[]
  readonly #abortedProducers = new Set<number>()

  constructor(options: FetchChunkOptions) {
    this.#options = options
    const { records, fetchOffset, abortedTransactions } = options
    this.sizeBytes = records.length
    this.#position = fetchOffset
    this.#abortedAhead = [...(abortedTransactions ?? [])].sort(
      (one, other) => one.firstOffset - other.firstOffset,
    )
    const scan = new BatchCursor(records)
    let messageCount = 0
    let nextOffset = fetchOffset
    let leaderEpoch = -1
    let usableBytes = 0
    let hasImpossibleOffsets = false
    while (scan.next()) {
      const { batch } = scan
      const batchNext = batch.nextOffset
      hasImpossibleOffsets = batch.baseOffset < 0 || !Number.isSafeInteger(batchNext)
      if (hasImpossibleOffsets) break
      usableBytes = scan.position
      if (batchNext <= nextOffset) continue
      if (!batch.isControl) {
        const wanted = batchNext - Math.max(nextOffset, batch.baseOffset)
        messageCount += batch.isLegacy ? 1 : Math.min(batch.recordCount, wanted)
      }
      nextOffset = batchNext
      leaderEpoch = batch.partitionLeaderEpoch
    }
    this.messageCount = Math.max(0, messageCount)
    this.nextOffset = nextOffset
    this.leaderEpoch = leaderEpoch
    this.isTruncated = scan.stop === 'truncated' && nextOffset === fetchOffset && scan.position === 0
    this.isCorrupt = scan.stop === 'corrupt' || hasImpossibleOffsets
    this.#cursor = new BatchCursor(records, 0, usableBytes)
  }

  /** The next record, or an event for what cannot be read; undefined when nothing is left. */
  next(): Message | undefined {
    for (;;) {
      const reader = this.#reader
      if (reader === undefined) {
        const event = this.#openBatch()
        if (event === 'end') return undefined
        if (event !== undefined) return event
        continue
      }
      if (reader.next()) {
        if (reader.offset < this.#position) continue
        this.#position = reader.offset + 1
        return this.#message(reader)
      }
      this.#reader = undefined
      if (reader.error !== ErrorCode.NONE) return this.#unreadable(reader)
    }
  }

  #openBatch(): Message | 'end' | undefined {
    const { abortedTransactions, checksCrcs } = this.#options
    while (this.#cursor.next()) {
      const { batch } = this.#cursor
      if (batch.nextOffset <= this.#position) continue
      if (checksCrcs && !batch.isValid) {
        return this.#event(KafkaError._BAD_MSG, 'the checksum of a batch is wrong', batch.baseOffset)
      }
      if (abortedTransactions !== undefined && this.#isAborted(batch)) continue
      if (batch.isControl) continue
      this.#batchEpoch = batch.partitionLeaderEpoch
      this.#timestampType =
        batch.timestampType === TimestampType.LogAppendTime
          ? TIMESTAMP_LOG_APPEND_TIME
          : TIMESTAMP_CREATE_TIME
      this.#compressionType = batch.compressionType
      this.#batchNextOffset = batch.nextOffset
      this.#reader = new RecordReader(batch)
      return undefined
    }
    return 'end'
  }

  /** Follows the transactions of the producers through the batches. */
  #isAborted(batch: BatchView): boolean {
    if (!batch.hasProducerId) return false
    const { lastOffset, producerId } = batch
    for (;;) {
      const first = this.#abortedAhead[0]
      if (first === undefined || first.firstOffset > lastOffset) break
      this.#abortedProducers.add(first.producerId)
      this.#abortedAhead.shift()
    }
    if (batch.isControl) {
      if (readEndTransactionMarker(batch)?.isCommit === false) this.#abortedProducers.delete(producerId)
      return true
    }
    return batch.isTransactional && this.#abortedProducers.has(producerId)
  }

  #message(reader: RecordReader): Message {
    const { topic, partition } = this.#options
    const { timestamp } = reader
    return new Message({
      topic,
      partition,
      offset: reader.offset,
      key: reader.key,
      value: reader.value,
      headers: reader.headerCount === 0 ? null : fromRecordHeaders(reader.headers()),
      timestamp: [timestamp < 0 ? TIMESTAMP_NOT_AVAILABLE : this.#timestampType, timestamp],
      leaderEpoch: this.#batchEpoch,
    })
  }

  /** The rest of the batch is skipped: it would never be readable. */
  #unreadable(reader: RecordReader): Message {
    const code =
      reader.error === ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
        ? KafkaError._NOT_IMPLEMENTED
        : this.#compressionType !== CompressionType.none && reader.error === ErrorCode.CORRUPT_MESSAGE
          ? KafkaError._BAD_COMPRESSION
          : KafkaError._BAD_MSG
    const offset = Math.min(reader.offset + 1, this.#batchNextOffset)
    return this.#event(code, reader.errorMessage, offset)
  }

  #event(code: number, text: string, offset: number): Message {
    const { topic, partition } = this.#options
    return new Message({ topic, partition, offset, error: new KafkaError(code, text) })
  }
}
