/**
 * ShareGroupHeartbeat (KIP-932): joining, telling changes, leaving. There is nothing to give back before others may have it, so a
 * member is at its target at once.
 */
import type { ShareGroupHeartbeat } from '../../../common/protocol/apis/76-share-group-heartbeat.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { ResponseInputOf } from '../../../common/protocol/schema.ts'
import type { Outcome } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import { type GroupShardState, type MemberClient, NO_RECORDS } from '../group/group-state.ts'
import { metadataHash } from '../group/subscription.ts'
import { shareAssignmentIntervalMs, shareHeartbeatIntervalMs, shareSessionTimeoutMs } from './share-config.ts'
import {
  NO_PARTITIONS,
  newShareMember,
  type PartitionSets,
  ShareGroup,
  type ShareMember,
} from './share-group.ts'
import {
  shareCurrentRecord,
  shareGroupEpochRecord,
  shareMemberRecord,
  shareMemberTombstones,
  shareStateTopicsRecord,
  shareTargetEpochRecord,
  shareTargetRecord,
} from './share-group-records.ts'
import { initializationOf, missingState, type StateInitialization, withInitializing } from './share-state.ts'
import { assignSimply } from './simple-assignor.ts'

export const JOIN_EPOCH = 0
export const LEAVE_EPOCH = -1

export type ShareHeartbeatAnswer = ResponseInputOf<typeof ShareGroupHeartbeat>

export interface ShareHeartbeatRequest extends MemberClient {
  readonly groupId: string
  readonly memberId: string
  readonly memberEpoch: number
  readonly rackId: string | null
  /** null: as before. */
  readonly subscribedTopicNames: readonly string[] | null
}

export interface ShareHeartbeatOutcome {
  readonly answer: ShareHeartbeatAnswer
  /** To be set up at the share coordinator once the records are committed. */
  readonly initialization: StateInitialization | undefined
}

export function shareHeartbeatError(
  errorCode: Exclude<ErrorCode, 0>,
  errorMessage: string | null = null,
): ShareHeartbeatAnswer {
  return { errorCode, errorMessage, memberEpoch: 0, heartbeatIntervalMs: 0 }
}

/** @returns the answer to a request that no group needs to be asked about */
export function checkShareHeartbeat(request: ShareHeartbeatRequest): ShareHeartbeatAnswer | undefined {
  const { groupId, memberId, memberEpoch, rackId, subscribedTopicNames } = request
  const refuse = (message: string | null) => shareHeartbeatError(ErrorCode.INVALID_REQUEST, message)
  if (memberId === '') return refuse(null)
  if (groupId === '') return refuse("GroupId can't be empty.")
  if (rackId === '') return refuse("RackId can't be empty.")
  if (memberEpoch < LEAVE_EPOCH) return refuse('MemberEpoch is invalid.')
  const isUnsubscribed = subscribedTopicNames === null || subscribedTopicNames.length === 0
  return memberEpoch === JOIN_EPOCH && isUnsubscribed
    ? refuse('SubscribedTopicNames must be set in first request.')
    : undefined
}

type HeartbeatResult = Outcome<ShareHeartbeatOutcome, CoordinatorRecord>

function refuse(error: Exclude<ErrorCode, 0>, message: string): HeartbeatResult {
  return {
    records: NO_RECORDS,
    response: { answer: shareHeartbeatError(error, message), initialization: undefined },
  }
}

export function shareHeartbeat(shard: GroupShardState, request: ShareHeartbeatRequest): HeartbeatResult {
  const { groupId, memberId, memberEpoch } = request
  const isJoining = memberEpoch === JOIN_EPOCH
  const found = shard.groups.get(groupId) ?? (isJoining ? new ShareGroup(groupId) : undefined)
  const isLeaving = memberEpoch === LEAVE_EPOCH
  if (found === undefined)
    return refuse(
      ErrorCode.GROUP_ID_NOT_FOUND,
      `${isLeaving ? 'Group' : 'Share group'} ${groupId} not found.`,
    )
  if (!(found instanceof ShareGroup))
    return refuse(ErrorCode.GROUP_ID_NOT_FOUND, `Group ${groupId} is not a share group.`)
  const known = found.members.get(memberId)
  const limit = shard.config.get('group.share.max.size')
  if (isJoining && known === undefined && found.members.size >= limit) {
    const message = `The share group has reached its maximum capacity of ${limit} members.`
    return refuse(ErrorCode.GROUP_MAX_SIZE_REACHED, message)
  }
  if (known === undefined && !isJoining) {
    const message = `Member ${memberId} is not a member of group ${groupId}.`
    return refuse(ErrorCode.UNKNOWN_MEMBER_ID, message)
  }
  if (isLeaving) return leave(shard, found, memberId)
  const fenced = known === undefined || isJoining ? undefined : epochProblem(known, memberEpoch)
  if (fenced !== undefined) return refuse(ErrorCode.FENCED_MEMBER_EPOCH, fenced)
  return advance(shard, found, known, request)
}

function epochProblem(member: ShareMember, memberEpoch: number): string | undefined {
  const advice = 'The member must abandon all its partitions and rejoin.'
  if (memberEpoch > member.memberEpoch)
    return `The share group member has a greater member epoch (${memberEpoch}) than the one known by the group coordinator (${member.memberEpoch}). ${advice}`
  if (memberEpoch < member.memberEpoch && memberEpoch !== member.previousMemberEpoch)
    return `The share group member has a smaller member epoch (${memberEpoch}) than the one known by the group coordinator (${member.memberEpoch}), and it does not match the previous member epoch (${member.previousMemberEpoch}). ${advice}`
  return undefined
}

/** What the member says changes the group, the group its target, and the target what the member has. */
function advance(
  shard: GroupShardState,
  group: ShareGroup,
  known: ShareMember | undefined,
  request: ShareHeartbeatRequest,
): HeartbeatResult {
  const { groupId } = group
  const before = known ?? newShareMember(request.memberId)
  const updated: ShareMember = {
    ...before,
    rackId: request.rackId ?? before.rackId,
    clientId: request.clientId,
    clientHost: request.clientHost,
    subscribedTopicNames:
      request.subscribedTopicNames === null
        ? before.subscribedTopicNames
        : [...new Set(request.subscribedTopicNames)].sort(),
  }
  const records: CoordinatorRecord[] = []
  const members = new Map(group.members).set(updated.memberId, updated)
  if (known === undefined || !isSameMetadata(before, updated))
    records.push(shareMemberRecord(groupId, updated))
  const names = subscribedNames(members.values())
  const hash = metadataHash(shard.metadata(), names)
  const mustBump =
    before.subscribedTopicNames.join('\n') !== updated.subscribedTopicNames.join('\n') ||
    hash !== group.metadataHash ||
    (group.groupEpoch === group.assignmentEpoch && hasUnassigned(shard, group, names))
  const groupEpoch = mustBump ? group.groupEpoch + 1 : group.groupEpoch
  if (mustBump) records.push(shareGroupEpochRecord(groupId, groupEpoch, hash))
  let target = group.targetOf(updated.memberId)
  let targetEpoch = group.assignmentEpoch
  if (groupEpoch > group.assignmentEpoch && isAssignmentDue(shard, group)) {
    const computed = computeTargets(shard, group, members)
    target = computed.get(updated.memberId) ?? NO_PARTITIONS
    targetEpoch = groupEpoch
    records.push(...targetRecords(group, updated.memberId, computed))
    records.push(shareTargetEpochRecord(groupId, groupEpoch, shard.clock.wallMs()))
  }
  const member =
    updated.memberEpoch === targetEpoch
      ? updated
      : {
          ...updated,
          memberEpoch: targetEpoch,
          previousMemberEpoch: updated.memberEpoch,
          assigned: target,
        }
  if (member !== updated) records.push(shareCurrentRecord(groupId, member))
  scheduleShareSession(shard, groupId, member.memberId)
  const nowMs = shard.clock.wallMs()
  const retryMs = shard.config.get('group.share.initialize.retry.interval.ms')
  const canRetry = nowMs - group.initializingSinceMs >= retryMs
  const missing = missingState(group, names, shard.metadata(), canRetry)
  if (missing !== undefined) {
    records.push(shareStateTopicsRecord(groupId, withInitializing(group.statePartitions, missing)))
  }
  const isAssignmentTold =
    request.memberEpoch === JOIN_EPOCH ||
    request.subscribedTopicNames !== null ||
    !isSamePartitions(member.assigned, before.assigned)
  return {
    records,
    response: {
      answer: {
        errorCode: ErrorCode.NONE,
        memberId: member.memberId,
        memberEpoch: member.memberEpoch,
        heartbeatIntervalMs: shareHeartbeatIntervalMs(shard.config, groupId),
        assignment: isAssignmentTold ? { topicPartitions: topicPartitionsOf(member.assigned) } : null,
      },
      initialization: missing === undefined ? undefined : initializationOf(groupId, groupEpoch, missing),
    },
  }
}

function leave(shard: GroupShardState, group: ShareGroup, memberId: string): HeartbeatResult {
  const answer: ShareHeartbeatAnswer = {
    errorCode: ErrorCode.NONE,
    memberId,
    memberEpoch: LEAVE_EPOCH,
    heartbeatIntervalMs: 0,
  }
  return {
    records: removeShareMember(shard, group, memberId),
    response: { answer, initialization: undefined },
  }
}

/** Takes a member out of the group, whose epoch grows: the others get its partitions. */
function removeShareMember(shard: GroupShardState, group: ShareGroup, memberId: string): CoordinatorRecord[] {
  const { groupId } = group
  shard.timers.cancel(sessionKey(groupId, memberId))
  const remaining = [...group.members.values()].filter((member) => member.memberId !== memberId)
  const groupEpoch = group.groupEpoch + 1
  const hash = metadataHash(shard.metadata(), subscribedNames(remaining))
  const records = [
    ...shareMemberTombstones(groupId, memberId),
    shareGroupEpochRecord(groupId, groupEpoch, hash),
  ]
  // Nobody is left to assign to: the assignment is as new as the group.
  if (remaining.length === 0) records.push(shareTargetEpochRecord(groupId, groupEpoch, 0))
  return records
}

const sessionKey = (groupId: string, memberId: string) => `share session ${groupId} ${memberId}`

/** (Re)starts the session of a member; without a heartbeat until its end the member is removed. */
export function scheduleShareSession(shard: GroupShardState, groupId: string, memberId: string): void {
  shard.timers.schedule(
    sessionKey(groupId, memberId),
    `session timeout of member ${memberId} in share group ${groupId}`,
    shareSessionTimeoutMs(shard.config, groupId),
    () => {
      const group = shard.groups.get(groupId)
      const isIn = group instanceof ShareGroup && group.members.has(memberId)
      return { records: isIn ? removeShareMember(shard, group, memberId) : NO_RECORDS, response: undefined }
    },
  )
}

/** Whether a partition got its state and nobody has it yet. */
function hasUnassigned(shard: GroupShardState, group: ShareGroup, names: ReadonlySet<string>): boolean {
  for (const [topicId, { topicName, partitions }] of group.statePartitions.initialized) {
    if (!names.has(topicName) || !shard.metadata().topicsById.has(topicId)) continue
    for (const partition of partitions) {
      let isAssigned = false
      for (const target of group.targets.values()) {
        if (target.get(topicId)?.has(partition) === true) isAssigned = true
      }
      if (!isAssigned) return true
    }
  }
  return false
}

function isAssignmentDue(shard: GroupShardState, group: ShareGroup): boolean {
  if (group.assignmentTimestampMs <= 0) return true
  const ageMs = shard.clock.wallMs() - group.assignmentTimestampMs
  return ageMs < 0 || ageMs >= shareAssignmentIntervalMs(shard.config, group.groupId)
}

function computeTargets(
  shard: GroupShardState,
  group: ShareGroup,
  members: ReadonlyMap<string, ShareMember>,
): Map<string, PartitionSets> {
  const { topicsByName, topicsById } = shard.metadata()
  const assignable = new Map<string, ReadonlySet<number>>()
  for (const [topicId, { partitions }] of group.statePartitions.initialized) {
    if (topicsById.has(topicId)) assignable.set(topicId, partitions)
  }
  return assignSimply(
    [...members.values()].map((member) => ({
      memberId: member.memberId,
      topicIds: new Set(member.subscribedTopicNames.flatMap((name) => topicsByName.get(name)?.id ?? [])),
      current: group.targetOf(member.memberId),
    })),
    assignable,
  )
}

/** Only what differs is written; a member's first target is, even if it is empty. */
function targetRecords(
  group: ShareGroup,
  updatedId: string,
  computed: ReadonlyMap<string, PartitionSets>,
): CoordinatorRecord[] {
  const records: CoordinatorRecord[] = []
  const order = [updatedId, ...[...computed.keys()].filter((memberId) => memberId !== updatedId)]
  for (const memberId of order) {
    const target = computed.get(memberId) ?? NO_PARTITIONS
    const known = group.targets.get(memberId)
    if (known !== undefined && isSamePartitions(known, target)) continue
    records.push(shareTargetRecord(group.groupId, memberId, target))
  }
  return records
}

function subscribedNames(members: Iterable<ShareMember>): Set<string> {
  const names = new Set<string>()
  for (const { subscribedTopicNames } of members) for (const name of subscribedTopicNames) names.add(name)
  return names
}

export function topicPartitionsOf(partitions: PartitionSets): { topicId: string; partitions: number[] }[] {
  return [...partitions].map(([topicId, numbers]) => ({
    topicId,
    partitions: [...numbers].sort((left, right) => left - right),
  }))
}

function isSameMetadata(left: ShareMember, right: ShareMember): boolean {
  return (
    left.rackId === right.rackId &&
    left.clientId === right.clientId &&
    left.clientHost === right.clientHost &&
    left.subscribedTopicNames.join('\n') === right.subscribedTopicNames.join('\n')
  )
}

function isSamePartitions(left: PartitionSets, right: PartitionSets): boolean {
  if (left.size !== right.size) return false
  for (const [topicId, partitions] of left) {
    const others = right.get(topicId)
    if (others === undefined || others.size !== partitions.size) return false
    for (const partition of partitions) if (!others.has(partition)) return false
  }
  return true
}
