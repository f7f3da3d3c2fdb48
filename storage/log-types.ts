/**
 * What goes into a log's operations and what comes out.
 */
import type { ErrorCode } from '../common/protocol/errors.ts'
import type { AppendRefusal } from './append-check.ts'
import type { TopicPartition } from './file-names.ts'
import type { LogConfig } from './log-config.ts'
import type { AppendOrigin, VerificationGuard } from './producer-append.ts'
import type { LogDirectoryState, StorageContext } from './storage-context.ts'
import type { TimestampAndOffset } from './time-lookup.ts'
import type { AbortedTransaction } from './transaction-index.ts'

/** How far a read goes: a replica's, a consumer's, a `read_committed` consumer's. */
export type ReadUpperBound = 'logEnd' | 'highWatermark' | 'lastStable'

export interface AppendAsLeaderOptions {
  readonly leaderEpoch: number
  readonly origin: AppendOrigin
  /** Shown by an append that was verified (KIP-890). */
  readonly verificationGuard?: VerificationGuard | undefined
  /** `transaction.version` of a marker (WriteTxnMarkers); 0 when absent. */
  readonly transactionVersion?: number | undefined
}

export interface AppendSuccess {
  readonly error: 0
  readonly firstOffset: number
  readonly lastOffset: number
  readonly maxTimestamp: number
  /** -1 with CreateTime. */
  readonly logAppendTimeMs: number
  readonly logStartOffset: number
  /** The batch was in the log already (an idempotent producer's retry); the offsets are the original ones. */
  readonly isDuplicate: boolean
}
export interface AppendFailure extends AppendRefusal {
  readonly logStartOffset: number
}
export type AppendAsLeaderResult = AppendSuccess | AppendFailure

export type AppendAsFollowerResult =
  | { readonly error: 0; readonly nextOffset: number; readonly logStartOffset: number }
  | { readonly error: Exclude<ErrorCode, 0>; readonly errorMessage?: string }

export interface LogRead {
  readonly error: ErrorCode
  /** Whole batches, shared with others: not to be changed. */
  readonly records: Buffer
  readonly nextOffset: number
  /** Only for `lastStable`. */
  readonly abortedTransactions: AbortedTransaction[] | undefined
}

export interface FoundOffset {
  readonly error: ErrorCode
  readonly found: TimestampAndOffset | undefined
}

/** -1 for both when the log cannot tell. */
export interface EpochEndOffset {
  readonly epoch: number
  readonly endOffset: number
}

export interface LogOptions {
  readonly context: StorageContext
  readonly directory: LogDirectoryState
  /** The partition's own directory. */
  readonly path: string
  readonly topicPartition: TopicPartition
  readonly topicId: string | undefined
  readonly config: LogConfig
  readonly producerIdExpirationMs: number
  /** `transaction.partition.verification.enable` */
  readonly isVerificationEnabled: boolean
  readonly wasCleanShutdown: boolean
  readonly recoveryPoint: number
  readonly logStartOffset: number
  readonly highWatermark: number
  /** It has been cleaned before, whatever `config` says now. */
  readonly wasCompacted: boolean
  /** Names in the directory; empty for a new log. */
  readonly fileNames: readonly string[]
}
