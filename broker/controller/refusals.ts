/**
 * Ready-made pieces of answers.
 */
import { type ErrorCode, errorInfo } from '../../common/protocol/errors.ts'
import type { MetadataRecord } from '../metadata/metadata-record.ts'
import type { Outcome } from '../statemachine/state-machine.ts'

/** An error with what is said about it; `error` NONE has no message. */
export interface ApiError {
  readonly error: ErrorCode
  readonly message: string | null
}

export const NO_ERROR: ApiError = { error: 0, message: null }

export function apiError(error: ErrorCode, message?: string | null): ApiError {
  return { error, message: message === undefined ? errorInfo(error).message : message }
}

/** An outcome of the controller: what is appended and what is answered once that is committed. */
export type ControllerOutcome<Response> = Outcome<Response, MetadataRecord>

export function withoutRecords<Response>(response: Response): ControllerOutcome<Response> {
  return { records: [], response }
}

/** Records that one request may make; more is refused with POLICY_VIOLATION. */
export const MAX_RECORDS_PER_REQUEST = 10_000

/** What appears more than once. */
export function repeated<T>(items: readonly T[]): ReadonlySet<T> {
  const seen = new Set<T>()
  const twice = new Set<T>()
  for (const item of items) {
    if (seen.has(item)) twice.add(item)
    seen.add(item)
  }
  return twice
}
