/** Errors of the transaction coordinator that older clients do not know. */
import { ErrorCode } from '../../common/protocol/errors.ts'

/** @param knowsFenced whether the version of the request has PRODUCER_FENCED (KIP-588) */
export function fencedErrorFor(error: ErrorCode, knowsFenced: boolean): ErrorCode {
  return error === ErrorCode.PRODUCER_FENCED && !knowsFenced ? ErrorCode.INVALID_PRODUCER_EPOCH : error
}
