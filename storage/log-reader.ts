/**
 * What readers get from a log: whole batches up to where their kind of reader may go, and offsets by time. Owned by its log.
 */
import { ErrorCode } from '../common/protocol/errors.ts'
import type { RecycledBytes } from '../common/runtime/recycled-bytes.ts'
import { guarded } from './guard.ts'
import type { LogLayers } from './log-layers.ts'
import type { FoundOffset, LogRead, ReadUpperBound } from './log-types.ts'
import { lookUpOffset } from './time-lookup.ts'
import type { AbortedTransaction } from './transaction-index.ts'

const EMPTY = Buffer.alloc(0)

export interface LogReadRequest {
  readonly offset: number
  readonly maxBytes: number
  readonly upTo: ReadUpperBound
  readonly atLeastOneBatch: boolean
  /** Where bytes of a file may be put, for the caller to give back. */
  readonly memory?: RecycledBytes | undefined
}

export class LogReader {
  readonly #layers: LogLayers

  constructor(layers: LogLayers) {
    this.#layers = layers
  }

  read(request: LogReadRequest): LogRead {
    const { offset, maxBytes, upTo, atLeastOneBatch, memory } = request
    const { directory, local, watermarks } = this.#layers
    if (!this.#isInRange(offset)) return refusedRead(ErrorCode.OFFSET_OUT_OF_RANGE, offset)
    const upToOffset = watermarks.upperBound(upTo)
    const read = guarded<LogRead | undefined>(directory, undefined, () => {
      const { records, nextOffset } = local.read({ offset, maxBytes, upToOffset, atLeastOneBatch, memory })
      const abortedTransactions =
        upTo === 'lastStable' ? this.#abortedTransactions(offset, nextOffset) : undefined
      return { error: ErrorCode.NONE, records, nextOffset, abortedTransactions }
    })
    return read ?? refusedRead(ErrorCode.KAFKA_STORAGE_ERROR, offset)
  }

  /** Bytes that a read from `offset` could have. @returns undefined when the offset is out of range */
  readableBytes(offset: number, upTo: ReadUpperBound): number | undefined {
    const { local, watermarks } = this.#layers
    if (!this.#isInRange(offset)) return undefined
    if (offset >= watermarks.upperBound(upTo)) return 0
    return local.bytesBetween(watermarks.offsetMetadata(offset), watermarks.upperBoundMetadata(upTo))
  }

  fetchOffsetByTimestamp(timestamp: number, upTo: ReadUpperBound): FoundOffset {
    const { directory, epochs, local, watermarks } = this.#layers
    const failed: FoundOffset = { error: ErrorCode.KAFKA_STORAGE_ERROR, found: undefined }
    return guarded(directory, failed, () => ({
      error: ErrorCode.NONE,
      found: lookUpOffset(local, timestamp, {
        logStartOffset: watermarks.logStartOffset,
        upperBound: watermarks.upperBound(upTo),
        epochs,
      }),
    }))
  }

  #isInRange(offset: number): boolean {
    const { local, watermarks } = this.#layers
    return offset >= watermarks.logStartOffset && offset <= local.logEndOffset
  }

  #abortedTransactions(offset: number, upToOffset: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = []
    if (upToOffset <= offset) return found
    for (const segment of this.#layers.local.segments.range(offset)) {
      if (segment.transactionIndex.collect(offset, upToOffset, found)) break
    }
    return found
  }
}

export function refusedRead(error: ErrorCode, offset: number): LogRead {
  return { error, records: EMPTY, nextOffset: offset, abortedTransactions: undefined }
}
