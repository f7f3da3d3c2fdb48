import { ErrorCode } from '../../common/protocol/errors.ts'

/** What a leader tells its clients of what the share coordinator told it. */
export function persisterError(error: ErrorCode): ErrorCode {
  switch (error) {
    case ErrorCode.NONE:
      return error
    case ErrorCode.NOT_COORDINATOR:
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
      return ErrorCode.COORDINATOR_NOT_AVAILABLE
    case ErrorCode.GROUP_ID_NOT_FOUND:
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
      return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    case ErrorCode.FENCED_LEADER_EPOCH:
    case ErrorCode.FENCED_STATE_EPOCH:
      return ErrorCode.NOT_LEADER_OR_FOLLOWER
    default:
      return ErrorCode.UNKNOWN_SERVER_ERROR
  }
}
