/**
 * The contract of everything that keeps durable state: the controller and the coordinators.
 *
 * An operation looks at the state and returns records and a response; it never changes anything. The runtime appends the
 * records, then replays them; `replay` is the only mutator and loading from disk is the same replay. A response is sent when
 * its records are committed; an operation without records is a read and waits for the writes before it.
 */
import type { ErrorCode } from '../../common/protocol/errors.ts'
import type { VerificationGuard } from '../../storage/log.ts'

/** What an operation decided. `records` are appended as one batch: all of them or none. */
export interface Outcome<Response, StateRecord> {
  readonly records: readonly StateRecord[]
  readonly response: Response
}

/** Where a replayed record stands in its log. */
export interface ReplayContext {
  readonly offset: number
  readonly timestampMs: number
  /** -1 unless the batch is transactional: then the record counts only when that transaction commits. */
  readonly producerId: number
  readonly producerEpoch: number
}

export interface StateMachine<StateRecord> {
  /** Applies one record. Must accept every record that it ever produced, in log order, and nothing else changes state. */
  replay(record: StateRecord, context: ReplayContext): void
  /** A transaction of `producerId` that wrote into this log has ended. */
  replayTransactionMarker?(marker: TransactionMarker): void
  /** All records up to the end offset are replayed: time to schedule timers (they run as writes). */
  onLoaded?(): void
  /** Leadership is gone; timers are cancelled by the runtime. Complete whoever waits inside the machine. */
  onUnloaded?(): void
}

export interface TransactionMarker {
  readonly producerId: number
  readonly producerEpoch: number
  readonly isCommit: boolean
}

/** Turns records into a batch and back. */
export interface StateRecordFormat<StateRecord> {
  /** One v2 batch with base offset 0; `producer` makes it transactional (without sequence). */
  encodeBatch(
    records: readonly StateRecord[],
    context: { timestampMs: number; leaderEpoch: number; producer: ProducerIdentity | undefined },
  ): Buffer
  /**
   * Calls `onRecord` for each record of the batch at `position` (control batches included: `onMarker`). Records of a type or
   * version this build does not know are skipped where Kafka skips them and reported through `onUnknown`.
   */
  decodeBatch(
    buffer: Buffer,
    position: number,
    visitor: {
      onRecord(record: StateRecord, context: ReplayContext): void
      onMarker(marker: TransactionMarker, offset: number): void
      onUnknown(description: string, offset: number): void
    },
  ): void
}

export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
  /** Shows the log that the transaction was verified (KIP-890). */
  readonly verificationGuard?: VerificationGuard
}

/** A refusal with Kafka's error and, where the protocol carries one, its message. */
export interface Refusal {
  readonly error: Exclude<ErrorCode, 0>
  readonly message?: string | undefined
}

/** A value or a refusal; `error` is the discriminant. */
export type Result<T> = { readonly error: 0; readonly value: T } | Refusal

export function accepted<T>(value: T): Result<T> {
  return { error: 0, value }
}
