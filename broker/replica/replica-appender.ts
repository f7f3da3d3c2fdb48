/**
 * Appends to the partitions that this broker leads, and the answers to them: at once, or when all is committed.
 *
 * Owner: the replica manager.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import type { SchedulerScope } from '../../common/runtime/scheduler.ts'
import type { AppendOrigin, RecordError, VerificationGuard } from '../../storage/log.ts'
import type { TopicCounters } from '../metrics/counters.ts'
import { DelayedProduce, type PendingAppend } from './delayed-produce.ts'
import type { Partition } from './partition.ts'
import type { LeaderAppendResult } from './partition-leadership.ts'

export interface AppendEntry {
  readonly partition: Partition
  readonly records: Buffer
  readonly guard?: VerificationGuard | undefined
  /** `transaction.version` of a marker (WriteTxnMarkers). */
  readonly transactionVersion?: number
  /** Told of the first offset right after the append, before it is committed. */
  readonly onAppended?: (firstOffset: number) => void
}

export interface AppendEntryResult {
  error: ErrorCode
  errorMessage: string | null
  baseOffset: number
  logAppendTimeMs: number
  logStartOffset: number
  recordErrors: readonly RecordError[]
}

export interface AppendOptions {
  /** 0 and 1: answered at once; -1: when all is committed. */
  readonly acks: number
  readonly timeoutMs: number
  readonly origin: AppendOrigin
}

/** Refusals of an append that do not tell where the log begins. */
const TELLS_NO_START: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.KAFKA_STORAGE_ERROR,
])

export class ReplicaAppender {
  readonly #scheduler: SchedulerScope
  readonly #counters: TopicCounters

  constructor(scheduler: SchedulerScope, counters: TopicCounters) {
    this.#scheduler = scheduler
    this.#counters = counters
  }

  /**
   * Appends to partitions that this broker leads and answers as `acks` says: at once (0, 1) or when all is committed (-1),
   * at most after `timeoutMs`.
   */
  append(entries: readonly AppendEntry[], options: AppendOptions): Deferred<AppendEntryResult[]> {
    const pending: PendingAppend[] = []
    this.#counters.totalProduceRequests += entries.length
    const results = entries.map((entry) => this.#append(entry, options, pending))
    if (options.acks !== -1 || pending.length === 0) return Deferred.of(results)
    return this.#whenCommitted(results, pending, options.timeoutMs)
  }

  /** @param pending what has been appended is added to it */
  #append(
    { partition, records, guard, transactionVersion, onAppended }: AppendEntry,
    { acks, origin }: AppendOptions,
    pending: PendingAppend[],
  ): AppendEntryResult {
    const counters = this.#counters
    const appended = partition.appendAsLeader(records, {
      origin,
      requiredAcks: acks,
      verificationGuard: guard,
      transactionVersion,
    })
    if (appended.error !== ErrorCode.NONE) {
      counters.failedProduceRequests += 1
      return refusedAppend(partition, appended)
    }
    counters.messagesIn += appended.lastOffset - appended.firstOffset + 1
    counters.bytesIn += records.length
    onAppended?.(appended.firstOffset)
    pending.push({
      partition,
      leaderEpoch: partition.leaderEpoch,
      requiredOffset: appended.lastOffset + 1,
      commitError: undefined,
    })
    return {
      error: ErrorCode.NONE,
      errorMessage: null,
      baseOffset: appended.firstOffset,
      logAppendTimeMs: appended.logAppendTimeMs,
      logStartOffset: appended.logStartOffset,
      recordErrors: [],
    }
  }

  /** @param pending of those results that have no error, in their order */
  #whenCommitted(
    results: AppendEntryResult[],
    pending: readonly PendingAppend[],
    timeoutMs: number,
  ): Deferred<AppendEntryResult[]> {
    const answer = new Deferred<AppendEntryResult[]>()
    const operation = new DelayedProduce(pending, () => {
      let next = 0
      for (const result of results) {
        if (result.error !== ErrorCode.NONE) continue
        result.error = pending[next]?.commitError ?? ErrorCode.NONE
        next += 1
      }
      answer.complete(results)
    })
    operation.start(
      this.#scheduler,
      `time limit of a Produce that waits for ${pending.length} partitions`,
      timeoutMs,
      pending.map((append) => append.partition),
    )
    return answer
  }
}

function refusedAppend(partition: Partition, refusal: LeaderAppendResult): AppendEntryResult {
  const { error } = refusal
  return {
    error,
    errorMessage: 'errorMessage' in refusal ? (refusal.errorMessage ?? null) : null,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: TELLS_NO_START.has(error) ? -1 : (partition.log?.logStartOffset ?? -1),
    recordErrors: 'recordErrors' in refusal ? (refusal.recordErrors ?? []) : [],
  }
}
