/** What passes at the leader of a partition: whoever asked looks for the leader again and asks once more. */
import { ErrorCode } from '../../common/protocol/errors.ts'

/** Codes of a leader that moved, of one that is being elected, or of one that has not caught up with its own past yet. */
export const passingLeaderCodes: ReadonlySet<number> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.REPLICA_NOT_AVAILABLE,
  ErrorCode.OFFSET_NOT_AVAILABLE,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
  ErrorCode.KAFKA_STORAGE_ERROR,
])
