/**
 * SyncGroup, Heartbeat and LeaveGroup on a classic group.
 */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { EMPTY_BYTES } from '../../../common/protocol/schema.ts'
import { Deferred } from '../../../common/runtime/deferred.ts'
import type { Outcome } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import { type ClassicGroup, type SyncAnswer, syncError } from './classic-group.ts'
import {
  afterMembersLeft,
  cancelHeartbeat,
  dropAssignments,
  maybePrepareRebalance,
  onMemberSynced,
  removeMember,
  scheduleHeartbeat,
  spreadAssignments,
} from './classic-rebalance.ts'
import { type GroupShardState, NO_RECORDS, type WaitingOutcome } from './group-state.ts'

export interface SyncRequest {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** null when the version does not carry it. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[]
}

export function syncClassicGroup(
  shard: GroupShardState,
  group: ClassicGroup,
  request: SyncRequest,
): WaitingOutcome<SyncAnswer> {
  const error = checkSync(group, request)
  if (error !== ErrorCode.NONE) return answered(syncError(error))
  const member = group.members.get(request.memberId)
  if (member === undefined) throw new Error('a member that was checked is in the group')
  switch (group.state) {
    case 'PreparingRebalance':
      return answered(syncError(ErrorCode.REBALANCE_IN_PROGRESS))
    case 'Stable':
      onMemberSynced(shard, group, member.memberId)
      return answered(group.syncAnswer(member))
    case 'CompletingRebalance': {
      const response = new Deferred<SyncAnswer>()
      member.awaitingSync = response
      onMemberSynced(shard, group, member.memberId)
      if (group.leaderId !== member.memberId) return { records: NO_RECORDS, response }
      return { ...storeAssignments(shard, group, request), response }
    }
    case 'Empty':
    case 'Dead':
      return answered(syncError(ErrorCode.UNKNOWN_MEMBER_ID))
  }
}

function checkSync(group: ClassicGroup, request: SyncRequest): ErrorCode {
  if (group.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  const error = group.checkMember(request.memberId, request.groupInstanceId)
  if (error !== ErrorCode.NONE) return error
  if (request.generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION
  const isOther = (asked: string | null, actual: string | undefined) =>
    asked !== null && actual !== undefined && asked !== actual
  return isOther(request.protocolType, group.protocolType) ||
    isOther(request.protocolName, group.protocolName)
    ? ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    : ErrorCode.NONE
}

/** The leader's word: written first, told to the members when it is committed. */
function storeAssignments(
  shard: GroupShardState,
  group: ClassicGroup,
  request: SyncRequest,
): Pick<WaitingOutcome<SyncAnswer>, 'records' | 'onWritten'> {
  const assignments = new Map(
    request.assignments.map(({ memberId, assignment }) => [memberId, Buffer.from(assignment)]),
  )
  const { generationId } = group
  const onWritten = (error: ErrorCode) => {
    // Somebody may have joined while the record was on its way.
    if (group.state !== 'CompletingRebalance' || group.generationId !== generationId) return
    if (error === ErrorCode.NONE) {
      spreadAssignments(shard, group, assignments)
      group.transitionTo('Stable')
      return
    }
    dropAssignments(group, error)
    maybePrepareRebalance(shard, group)
  }
  return { records: [group.toRecord(({ memberId }) => assignments.get(memberId) ?? EMPTY_BYTES)], onWritten }
}

export interface HeartbeatRequest {
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export function heartbeatClassicGroup(
  shard: GroupShardState,
  group: ClassicGroup,
  request: HeartbeatRequest,
): ErrorCode {
  if (group.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  const error = group.checkMember(request.memberId, request.groupInstanceId)
  if (error !== ErrorCode.NONE) return error
  if (request.generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION
  if (group.state === 'Empty') return ErrorCode.UNKNOWN_MEMBER_ID
  maybeRenewSession(shard, group, request.memberId)
  return group.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
}

/** Heartbeats and commits show that the member lives. */
export function maybeRenewSession(shard: GroupShardState, group: ClassicGroup, memberId: string): void {
  const member = group.members.get(memberId)
  if (member !== undefined) scheduleHeartbeat(shard, group.groupId, memberId, member.sessionTimeoutMs)
}

export interface LeavingMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export interface LeaveAnswer extends LeavingMember {
  readonly error: ErrorCode
}

export function leaveClassicGroup(
  shard: GroupShardState,
  group: ClassicGroup,
  leaving: readonly LeavingMember[],
): Outcome<LeaveAnswer[], CoordinatorRecord> {
  const answers = leaving.map((member) => ({ ...member, error: leave(shard, group, member) }))
  const hasLeft = answers.some(({ error }) => error === ErrorCode.NONE)
  return { records: hasLeft ? afterMembersLeft(shard, group) : NO_RECORDS, response: answers }
}

function leave(shard: GroupShardState, group: ClassicGroup, leaving: LeavingMember): ErrorCode {
  const { memberId, groupInstanceId } = leaving
  if (memberId === '') {
    // An administrator removes a static member by its instance id (KIP-345).
    const staticId = groupInstanceId === null ? undefined : group.staticMemberId(groupInstanceId)
    return staticId === undefined ? ErrorCode.UNKNOWN_MEMBER_ID : takeOut(shard, group, staticId)
  }
  if (group.pendingMembers.has(memberId)) {
    group.remove(memberId)
    cancelHeartbeat(shard, group.groupId, memberId)
    return ErrorCode.NONE
  }
  const error = group.checkMember(memberId, groupInstanceId)
  return error === ErrorCode.NONE ? takeOut(shard, group, memberId) : error
}

function takeOut(shard: GroupShardState, group: ClassicGroup, memberId: string): ErrorCode {
  const member = group.members.get(memberId)
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
  removeMember(shard, group, member)
  return ErrorCode.NONE
}

function answered(answer: SyncAnswer): WaitingOutcome<SyncAnswer> {
  return { records: NO_RECORDS, response: Deferred.of(answer) }
}
