import { ErrorCode } from '../../../common/protocol/errors.ts'
import { Deferred } from '../../../common/runtime/deferred.ts'
import type { Outcome } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import { type JoinAnswer, joinError, type SyncAnswer, syncError } from './classic-group.ts'
import type { JoinRequest } from './classic-join.ts'
import type { HeartbeatRequest, LeaveAnswer, LeavingMember, SyncRequest } from './classic-membership.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type GroupShardState, NO_RECORDS, type WaitingOutcome } from './group-state.ts'

export function joinAsClassicMember(
  _shard: GroupShardState,
  _group: ConsumerGroup,
  request: JoinRequest,
): WaitingOutcome<JoinAnswer> {
  return {
    records: NO_RECORDS,
    response: Deferred.of(joinError(ErrorCode.GROUP_ID_NOT_FOUND, request.memberId)),
  }
}

export function syncAsClassicMember(
  _shard: GroupShardState,
  _group: ConsumerGroup,
  _request: SyncRequest,
): WaitingOutcome<SyncAnswer> {
  return { records: NO_RECORDS, response: Deferred.of(syncError(ErrorCode.UNKNOWN_MEMBER_ID)) }
}

export function heartbeatAsClassicMember(
  _shard: GroupShardState,
  _group: ConsumerGroup,
  _request: HeartbeatRequest,
): ErrorCode {
  return ErrorCode.UNKNOWN_MEMBER_ID
}

export function leaveAsClassicMembers(
  _shard: GroupShardState,
  _group: ConsumerGroup,
  leaving: readonly LeavingMember[],
): Outcome<LeaveAnswer[], CoordinatorRecord> {
  return {
    records: NO_RECORDS,
    response: leaving.map((member) => ({ ...member, error: ErrorCode.UNKNOWN_MEMBER_ID })),
  }
}
