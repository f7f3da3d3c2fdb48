/**
 * JoinGroup on a classic group (KIP-394 member ids, KIP-345 static members, KIP-814 skipped assignments).
 */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { EMPTY_BYTES } from '../../../common/protocol/schema.ts'
import { Deferred } from '../../../common/runtime/deferred.ts'
import {
  ClassicGroup,
  type ClassicMember,
  type ClassicProtocol,
  completeJoin,
  type JoinAnswer,
  joinError,
} from './classic-group.ts'
import {
  maybeCompleteJoin,
  maybePrepareRebalance,
  NEW_MEMBER_JOIN_TIMEOUT_MS,
  prepareRebalance,
  scheduleHeartbeat,
} from './classic-rebalance.ts'
import {
  type GroupRecords,
  type GroupShardState,
  type MemberClient,
  NO_RECORDS,
  type WaitingOutcome,
} from './group-state.ts'

export interface JoinRequest extends MemberClient {
  readonly groupId: string
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly ClassicProtocol[]
  /** v4+: strangers are told their id first and join with it. */
  readonly requiresKnownMemberId: boolean
  /** v9+: a static leader that came back need not assign again. */
  readonly supportsSkippingAssignment: boolean
}

type JoinOutcome = WaitingOutcome<JoinAnswer>

/** @param group undefined when the group does not exist (an empty group of another kind counts as none) */
export function joinClassicGroup(
  shard: GroupShardState,
  existing: ClassicGroup | undefined,
  request: JoinRequest,
): JoinOutcome {
  const isStranger = request.memberId === ''
  if (existing === undefined) {
    if (!isStranger) return refused(joinError(ErrorCode.UNKNOWN_MEMBER_ID, request.memberId))
    if (
      !new ClassicGroup(request.groupId, shard.clock).supportsProtocols(
        request.protocolType,
        namesOf(request),
      )
    ) {
      return refused(joinError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL))
    }
    return joinNewGroup(shard, request)
  }
  if (!hasRoomFor(existing, request.memberId, shard.config.get('group.max.size'))) {
    existing.remove(request.memberId)
    return refused(joinError(ErrorCode.GROUP_MAX_SIZE_REACHED))
  }
  return isStranger ? joinAsStranger(shard, existing, request) : joinAgain(shard, existing, request)
}

/** The group must be known after a restart even when nobody completes the join, so it is written empty. */
function joinNewGroup(shard: GroupShardState, request: JoinRequest): JoinOutcome {
  const group = new ClassicGroup(request.groupId, shard.clock)
  const created = group.toRecord(() => EMPTY_BYTES)
  shard.groups.set(request.groupId, group)
  const { response } = joinAsStranger(shard, group, request)
  return {
    records: [created],
    response,
    onWritten: (error) => {
      if (error !== ErrorCode.NONE && shard.groups.get(request.groupId) === group)
        shard.groups.delete(request.groupId)
    },
  }
}

/** Rejoining members fit as long as the group is not full of others (KIP-389). */
function hasRoomFor(group: ClassicGroup, memberId: string, maxSize: number): boolean {
  switch (group.state) {
    case 'Empty':
    case 'Dead':
      return true
    case 'PreparingRebalance':
      return group.members.get(memberId)?.awaitingJoin !== undefined || group.awaitingJoinCount < maxSize
    case 'CompletingRebalance':
    case 'Stable':
      return group.members.has(memberId) || group.members.size < maxSize
  }
}

function joinAsStranger(shard: GroupShardState, group: ClassicGroup, request: JoinRequest): JoinOutcome {
  if (group.state === 'Dead') return refused(joinError(ErrorCode.COORDINATOR_NOT_AVAILABLE))
  if (!group.supportsProtocols(request.protocolType, namesOf(request))) {
    return refused(joinError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL))
  }
  const memberId = `${request.groupInstanceId ?? request.clientId}-${randomJavaUuid(shard)}`
  if (request.groupInstanceId !== null) {
    const knownMemberId = group.staticMemberId(request.groupInstanceId)
    return knownMemberId === undefined
      ? addMember(shard, group, request, memberId)
      : replaceStaticMember(shard, group, request, { knownMemberId, memberId })
  }
  if (request.requiresKnownMemberId) {
    group.pendingMembers.add(memberId)
    scheduleHeartbeat(shard, group.groupId, memberId, request.sessionTimeoutMs)
    return refused(joinError(ErrorCode.MEMBER_ID_REQUIRED, memberId))
  }
  return addMember(shard, group, request, memberId)
}

function joinAgain(shard: GroupShardState, group: ClassicGroup, request: JoinRequest): JoinOutcome {
  const { memberId } = request
  if (group.state === 'Dead') return refused(joinError(ErrorCode.COORDINATOR_NOT_AVAILABLE, memberId))
  if (!group.supportsProtocols(request.protocolType, namesOf(request))) {
    return refused(joinError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, memberId))
  }
  if (group.pendingMembers.has(memberId)) {
    // Only dynamic members are ever pending.
    return request.groupInstanceId === null
      ? addMember(shard, group, request, memberId)
      : refused(joinError(ErrorCode.UNKNOWN_MEMBER_ID, memberId))
  }
  const error = group.checkMember(memberId, request.groupInstanceId)
  if (error !== ErrorCode.NONE) return refused(joinError(error, memberId))
  const member = group.members.get(memberId)
  if (member === undefined) throw new Error('a member that was checked is in the group')
  switch (group.state) {
    case 'PreparingRebalance':
      return updateMember(shard, group, member, request)
    case 'CompletingRebalance':
      // The same metadata: the answer got lost, so it is given again.
      return hasSameProtocols(member, request)
        ? refused(group.joinAnswer(memberId))
        : updateMember(shard, group, member, request)
    case 'Stable':
      // The leader may ask for a rebalance without a change of its own: topics may have changed.
      return group.leaderId !== memberId && hasSameProtocols(member, request)
        ? refused(group.joinAnswer(memberId))
        : updateMember(shard, group, member, request)
    case 'Empty':
      return refused(joinError(ErrorCode.UNKNOWN_MEMBER_ID, memberId))
  }
}

function addMember(
  shard: GroupShardState,
  group: ClassicGroup,
  request: JoinRequest,
  memberId: string,
): JoinOutcome {
  const response = new Deferred<JoinAnswer>()
  if (group.state === 'PreparingRebalance' && group.generationId === 0) group.hasNewMember = true
  group.add({
    memberId,
    groupInstanceId: request.groupInstanceId,
    clientId: request.clientId,
    clientHost: request.clientHost,
    protocolType: request.protocolType,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    sessionTimeoutMs: request.sessionTimeoutMs,
    protocols: request.protocols,
    assignment: EMPTY_BYTES,
    isNew: true,
    awaitingJoin: response,
    awaitingSync: undefined,
  })
  scheduleHeartbeat(shard, group.groupId, memberId, NEW_MEMBER_JOIN_TIMEOUT_MS)
  return { records: maybePrepareRebalance(shard, group), response }
}

function updateMember(
  shard: GroupShardState,
  group: ClassicGroup,
  member: ClassicMember,
  request: JoinRequest,
): JoinOutcome {
  const response = takeOver(member, request)
  return { records: maybePrepareRebalance(shard, group), response }
}

/** The member as its newest request describes it, waiting for an answer. */
function takeOver(member: ClassicMember, request: JoinRequest): Deferred<JoinAnswer> {
  const response = new Deferred<JoinAnswer>()
  member.protocols = request.protocols
  member.rebalanceTimeoutMs = request.rebalanceTimeoutMs
  member.sessionTimeoutMs = request.sessionTimeoutMs
  member.awaitingJoin = response
  return response
}

function replaceStaticMember(
  shard: GroupShardState,
  group: ClassicGroup,
  request: JoinRequest,
  ids: { readonly knownMemberId: string; readonly memberId: string },
): JoinOutcome {
  const leaderBefore = group.leaderId ?? ''
  const member = group.replaceStaticMember(ids.knownMemberId, ids.memberId)
  const before = { ...member }
  scheduleHeartbeat(shard, group.groupId, member.memberId, member.sessionTimeoutMs)
  const response = takeOver(member, request)
  switch (group.state) {
    case 'Stable': {
      if (group.selectProtocol() !== group.protocolName) {
        return { records: maybePrepareRebalance(shard, group), response }
      }
      const onWritten = (error: ErrorCode) => {
        if (error === ErrorCode.NONE) {
          answerReplacement(group, member, request.supportsSkippingAssignment, leaderBefore)
          return
        }
        if (group.members.get(member.memberId) !== member) return
        const { protocols, rebalanceTimeoutMs, sessionTimeoutMs } = before
        Object.assign(member, { protocols, rebalanceTimeoutMs, sessionTimeoutMs, awaitingJoin: undefined })
        const restored = group.replaceStaticMember(member.memberId, ids.knownMemberId)
        scheduleHeartbeat(shard, group.groupId, restored.memberId, restored.sessionTimeoutMs)
      }
      return { records: [group.toRecord(({ assignment }) => assignment)], response, onWritten }
    }
    case 'CompletingRebalance':
      // The leader may have been told the old id already: its assignment would miss this member.
      return { records: prepareRebalance(shard, group), response }
    case 'PreparingRebalance':
      return { records: maybeCompleteJoin(shard, group), response }
    case 'Empty':
    case 'Dead':
      throw new Error(`group ${group.groupId} has a member while ${group.state}`)
  }
}

/**
 * A static member came back without a rebalance. If it leads, clients since v9 are told not to assign; older ones are told
 * that somebody else leads (its own old id), so that they do not.
 */
function answerReplacement(
  group: ClassicGroup,
  member: ClassicMember,
  supportsSkippingAssignment: boolean,
  leaderBefore: string,
): void {
  const answer = group.joinAnswer(member.memberId)
  const isLeader = group.leaderId === member.memberId
  completeJoin(
    member,
    supportsSkippingAssignment
      ? { ...answer, skipAssignment: isLeader }
      : { ...answer, leader: leaderBefore, members: [] },
  )
}

function hasSameProtocols(member: ClassicMember, request: JoinRequest): boolean {
  return (
    member.protocols.length === request.protocols.length &&
    member.protocols.every((protocol, index) => {
      const other = request.protocols[index]
      return other !== undefined && other.name === protocol.name && other.metadata.equals(protocol.metadata)
    })
  )
}

function namesOf(request: JoinRequest): string[] {
  return request.protocols.map(({ name }) => name)
}

/** An answer that does not wait. */
function refused(answer: JoinAnswer, records: GroupRecords = NO_RECORDS): JoinOutcome {
  return { records, response: Deferred.of(answer) }
}

/** A random UUID as Java prints it. */
function randomJavaUuid(shard: GroupShardState): string {
  const bytes = shard.random.bytes(16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
