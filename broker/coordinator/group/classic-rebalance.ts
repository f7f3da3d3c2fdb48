/**
 * How a classic group gets from one generation to the next: the initial delay, waiting for members to join, waiting for
 * them to sync, and what happens when one leaves or falls silent. Functions answer the records that must be written.
 */

import { ErrorCode } from '../../../common/protocol/errors.ts'
import { EMPTY_BYTES } from '../../../common/protocol/schema.ts'
import type { Outcome } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import {
  ClassicGroup,
  type ClassicMember,
  completeJoin,
  completeSync,
  joinError,
  syncError,
} from './classic-group.ts'
import { type GroupRecords, type GroupShardState, NO_RECORDS } from './group-state.ts'

/** A member that has no id yet cannot send heartbeats while its join waits; after this long it has to ask again. */
export const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000

const joinKey = (groupId: string) => `join ${groupId}`
const syncKey = (groupId: string) => `sync ${groupId}`
const heartbeatKey = (groupId: string, memberId: string) => `heartbeat ${groupId} ${memberId}`

// --- heartbeats ------------------------------------------------------------------------------------------------------

/** (Re)starts the member's session. */
export function scheduleHeartbeat(
  shard: GroupShardState,
  groupId: string,
  memberId: string,
  timeoutMs: number,
): void {
  shard.timers.schedule(
    heartbeatKey(groupId, memberId),
    `session timeout of member ${memberId} in group ${groupId}`,
    timeoutMs,
    () => onGroup(shard, groupId, (group) => expireHeartbeat(shard, group, memberId)),
  )
}

export function cancelHeartbeat(shard: GroupShardState, groupId: string, memberId: string): void {
  shard.timers.cancel(heartbeatKey(groupId, memberId))
}

function expireHeartbeat(shard: GroupShardState, group: ClassicGroup, memberId: string): GroupRecords {
  if (group.pendingMembers.has(memberId)) {
    group.remove(memberId)
    return group.state === 'PreparingRebalance' ? maybeCompleteJoin(shard, group) : NO_RECORDS
  }
  const member = group.members.get(memberId)
  if (member === undefined) return NO_RECORDS
  // Who waits for a rebalance cannot send heartbeats; new members wait for a limited time only.
  const isAlive = !member.isNew && (member.awaitingJoin !== undefined || member.awaitingSync !== undefined)
  if (isAlive) return NO_RECORDS
  removeMember(shard, group, member)
  return afterMembersLeft(shard, group)
}

/** Takes a member out; if it waits for an answer it is told to join as a stranger. */
export function removeMember(shard: GroupShardState, group: ClassicGroup, member: ClassicMember): void {
  cancelHeartbeat(shard, group.groupId, member.memberId)
  completeJoin(member, joinError(ErrorCode.UNKNOWN_MEMBER_ID))
  completeSync(member, syncError(ErrorCode.UNKNOWN_MEMBER_ID))
  group.remove(member.memberId)
}

export function afterMembersLeft(shard: GroupShardState, group: ClassicGroup): GroupRecords {
  switch (group.state) {
    case 'Stable':
    case 'CompletingRebalance':
      return prepareRebalance(shard, group)
    case 'PreparingRebalance':
      return maybeCompleteJoin(shard, group)
    case 'Empty':
    case 'Dead':
      return NO_RECORDS
  }
}

// --- joining ---------------------------------------------------------------------------------------------------------

export function maybePrepareRebalance(shard: GroupShardState, group: ClassicGroup): GroupRecords {
  const canRebalance =
    group.state === 'Stable' || group.state === 'CompletingRebalance' || group.state === 'Empty'
  return canRebalance ? prepareRebalance(shard, group) : maybeCompleteJoin(shard, group)
}

export function prepareRebalance(shard: GroupShardState, group: ClassicGroup): GroupRecords {
  if (group.state === 'CompletingRebalance') dropAssignments(group, ErrorCode.REBALANCE_IN_PROGRESS)
  shard.timers.cancel(syncKey(group.groupId))
  const isInitial = group.isEmpty
  group.transitionTo('PreparingRebalance')
  if (isInitial) {
    const delayMs = shard.config.get('group.initial.rebalance.delay.ms')
    scheduleInitialJoin(shard, group, delayMs, Math.max(group.rebalanceTimeoutMs - delayMs, 0))
    return NO_RECORDS
  }
  if (group.hasAllMembersJoined) return completeJoinPhase(shard, group)
  scheduleJoinDeadline(shard, group)
  return NO_RECORDS
}

/** Ends the join phase when nobody is missing. The first one of an empty group is ended by its timer only. */
export function maybeCompleteJoin(shard: GroupShardState, group: ClassicGroup): GroupRecords {
  const isComplete =
    group.state === 'PreparingRebalance' && group.previousState !== 'Empty' && group.hasAllMembersJoined
  return isComplete ? completeJoinPhase(shard, group) : NO_RECORDS
}

/** The first rebalance of an empty group waits a little for more members, longer each time one comes (KIP-134). */
function scheduleInitialJoin(
  shard: GroupShardState,
  group: ClassicGroup,
  delayMs: number,
  remainingMs: number,
): void {
  shard.timers.schedule(
    joinKey(group.groupId),
    `initial rebalance delay of group ${group.groupId}`,
    delayMs,
    () =>
      onGroup(shard, group.groupId, (current) => {
        if (!current.hasNewMember || remainingMs === 0) return completeJoinPhase(shard, current)
        current.hasNewMember = false
        const nextDelayMs = Math.min(shard.config.get('group.initial.rebalance.delay.ms'), remainingMs)
        scheduleInitialJoin(shard, current, nextDelayMs, Math.max(remainingMs - delayMs, 0))
        return NO_RECORDS
      }),
  )
}

function scheduleJoinDeadline(shard: GroupShardState, group: ClassicGroup): void {
  shard.timers.schedule(
    joinKey(group.groupId),
    `rebalance timeout of group ${group.groupId}`,
    group.rebalanceTimeoutMs,
    () => onGroup(shard, group.groupId, (current) => completeJoinPhase(shard, current)),
  )
}

/** Everybody who came is in the next generation; dynamic members that did not come are out. */
function completeJoinPhase(shard: GroupShardState, group: ClassicGroup): GroupRecords {
  shard.timers.cancel(joinKey(group.groupId))
  if (group.state !== 'PreparingRebalance') return NO_RECORDS
  for (const member of [...group.members.values()]) {
    if (member.awaitingJoin !== undefined || member.groupInstanceId !== null) continue
    cancelHeartbeat(shard, group.groupId, member.memberId)
    group.remove(member.memberId)
  }
  if (!group.tryElectJoinedLeader() && group.members.size > 0) {
    // Only static members are left and none has joined: wait on, their sessions decide.
    scheduleJoinDeadline(shard, group)
    return NO_RECORDS
  }
  group.hasNewMember = false
  group.beginNextGeneration()
  if (group.isEmpty) return [group.toRecord(() => EMPTY_BYTES)]
  for (const member of group.members.values()) {
    completeJoin(member, group.joinAnswer(member.memberId))
    scheduleHeartbeat(shard, group.groupId, member.memberId, member.sessionTimeoutMs)
    member.isNew = false
    group.pendingSyncMembers.add(member.memberId)
  }
  scheduleSyncDeadline(shard, group)
  return NO_RECORDS
}

// --- syncing ---------------------------------------------------------------------------------------------------------

function scheduleSyncDeadline(shard: GroupShardState, group: ClassicGroup): void {
  const { groupId, generationId } = group
  shard.timers.schedule(
    syncKey(groupId),
    `sync timeout of generation ${generationId} of group ${groupId}`,
    group.rebalanceTimeoutMs,
    () =>
      onGroup(shard, groupId, (current) => {
        const isCurrent = current.generationId === generationId && current.pendingSyncMembers.size > 0
        if (!isCurrent || (current.state !== 'CompletingRebalance' && current.state !== 'Stable'))
          return NO_RECORDS
        for (const memberId of [...current.pendingSyncMembers]) {
          cancelHeartbeat(shard, groupId, memberId)
          current.remove(memberId)
        }
        return prepareRebalance(shard, current)
      }),
  )
}

/** The member has synced; when all have, nobody needs to be waited for. */
export function onMemberSynced(shard: GroupShardState, group: ClassicGroup, memberId: string): void {
  group.pendingSyncMembers.delete(memberId)
  if (group.pendingSyncMembers.size === 0) shard.timers.cancel(syncKey(group.groupId))
}

/** Gives every member its part and answers who waits for it. */
export function spreadAssignments(
  shard: GroupShardState,
  group: ClassicGroup,
  assignments: ReadonlyMap<string, Buffer>,
): void {
  for (const member of group.members.values()) {
    member.assignment = assignments.get(member.memberId) ?? EMPTY_BYTES
    if (member.awaitingSync === undefined) continue
    completeSync(member, group.syncAnswer(member))
    // The answer was on hold, so the member could not send heartbeats.
    scheduleHeartbeat(shard, group.groupId, member.memberId, member.sessionTimeoutMs)
  }
}

/** The assignment of this generation is void: who waits for it is told so. */
export function dropAssignments(group: ClassicGroup, error: Exclude<ErrorCode, 0>): void {
  for (const member of group.members.values()) {
    member.assignment = EMPTY_BYTES
    completeSync(member, syncError(error))
  }
}

/** A timer's operation on a group that may be gone or have become another by now. */
function onGroup(
  shard: GroupShardState,
  groupId: string,
  change: (group: ClassicGroup) => GroupRecords,
): Outcome<void, CoordinatorRecord> {
  const group = shard.groups.get(groupId)
  const isUsable = group instanceof ClassicGroup && group.state !== 'Dead'
  return { records: isUsable ? change(group) : NO_RECORDS, response: undefined }
}
