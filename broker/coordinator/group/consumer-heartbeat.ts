/**
 * ConsumerGroupHeartbeat (KIP-848): joining, telling changes, and taking the next step towards the target assignment.
 */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { Outcome } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import { ClassicGroup } from './classic-group.ts'
import { advance } from './consumer-advance.ts'
import { cancelMemberTimers, scheduleSession } from './consumer-fencing.ts'
import {
  ConsumerGroup,
  type ConsumerMember,
  isSameAssignment,
  JOIN_EPOCH,
  LEAVE_EPOCH,
  newConsumerMember,
  STATIC_LEAVE_EPOCH,
  sortedPartitions,
} from './consumer-group.ts'
import { currentRecord, memberRecord, memberTombstones } from './consumer-group-records.ts'
import { leaveConsumerGroup } from './consumer-leave.ts'
import {
  type ConsumerHeartbeatAnswer,
  type ConsumerHeartbeatRequest,
  checkMemberEpoch,
  checkStaticMember,
  heartbeatError,
  refuseHeartbeat,
} from './consumer-member-checks.ts'
import { consumerHeartbeatIntervalMs, type GroupCoordinatorConfig } from './group-config.ts'
import { groupMetadataTombstone, targetAssignmentRecord } from './group-records.ts'
import type { GroupShardState } from './group-state.ts'
import { checkPattern } from './subscription.ts'
import { supportedAssignors } from './target-assignment.ts'
import { upgradeToConsumerGroup } from './upgrade.ts'

/** @returns the answer to a request that no group needs to be asked about */
export function checkHeartbeatRequest(
  request: ConsumerHeartbeatRequest,
  config: GroupCoordinatorConfig,
): ConsumerHeartbeatAnswer | undefined {
  const problem = heartbeatProblem(request)
  if (problem !== undefined) return heartbeatError(ErrorCode.INVALID_REQUEST, problem)
  const { serverAssignor, subscribedTopicRegex, memberEpoch } = request
  if (memberEpoch < JOIN_EPOCH) return undefined
  const assignors = supportedAssignors(config)
  if (serverAssignor !== null && !assignors.includes(serverAssignor)) {
    const message = `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${assignors.join(', ')}.`
    return heartbeatError(ErrorCode.UNSUPPORTED_ASSIGNOR, message)
  }
  const reason = subscribedTopicRegex === null ? undefined : checkPattern(subscribedTopicRegex)
  if (reason === undefined) return undefined
  const message = `SubscribedTopicRegex \`${subscribedTopicRegex}\` is not a valid regular expression: ${reason}.`
  return heartbeatError(ErrorCode.INVALID_REGULAR_EXPRESSION, message)
}

function heartbeatProblem(request: ConsumerHeartbeatRequest): string | undefined {
  const { memberEpoch } = request
  if (request.groupId === '') return "GroupId can't be empty."
  if (request.memberId === '') return "MemberId can't be empty."
  if (request.instanceId === '') return "InstanceId can't be empty."
  if (request.rackId === '') return "RackId can't be empty."
  if (memberEpoch < STATIC_LEAVE_EPOCH) return 'MemberEpoch is invalid.'
  if (memberEpoch === STATIC_LEAVE_EPOCH && request.instanceId === null) return "InstanceId can't be null."
  if (memberEpoch !== JOIN_EPOCH) return undefined
  if (request.rebalanceTimeoutMs === -1) return 'RebalanceTimeoutMs must be provided in first request.'
  if (request.topicPartitions === null || request.topicPartitions.length > 0) {
    return 'TopicPartitions must be empty when (re-)joining.'
  }
  return request.subscribedTopicNames === null && request.subscribedTopicRegex === null
    ? 'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.'
    : undefined
}

export function consumerHeartbeat(
  shard: GroupShardState,
  request: ConsumerHeartbeatRequest,
): Outcome<ConsumerHeartbeatAnswer, CoordinatorRecord> {
  if (request.memberEpoch === LEAVE_EPOCH || request.memberEpoch === STATIC_LEAVE_EPOCH) {
    return leaveConsumerGroup(shard, request)
  }
  const found = findGroup(shard, request)
  if (found === undefined) {
    const isKnown = shard.groups.has(request.groupId)
    const what = isKnown
      ? `Group ${request.groupId} is not a consumer group.`
      : `Consumer group ${request.groupId} not found.`
    return refuseHeartbeat(ErrorCode.GROUP_ID_NOT_FOUND, what)
  }
  const { group, records } = found
  const isKnown = group.members.has(request.memberId)
  if (!isKnown && group.members.size >= shard.config.get('group.consumer.max.size')) {
    const message = `The consumer group has reached its maximum capacity of ${group.members.size} members.`
    return refuseHeartbeat(ErrorCode.GROUP_MAX_SIZE_REACHED, message)
  }
  const entry = enter(shard, group, request)
  if ('error' in entry) return refuseHeartbeat(entry.error, entry.message)
  const updated = updateMember(entry.member, request)
  const progress = advance(shard, group, {
    before: entry.member,
    updated,
    replacedId: entry.replacedId,
    owned: request.topicPartitions,
    isNew: entry.isNew,
  })
  const { member } = progress
  scheduleSession(shard, group.groupId, member)
  const isFullRequest =
    request.rebalanceTimeoutMs !== -1 &&
    (request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null) &&
    request.topicPartitions !== null
  const isAssignmentTold =
    request.memberEpoch === JOIN_EPOCH ||
    isFullRequest ||
    !isSameAssignment(member.assigned, entry.member.assigned)
  return {
    records: [...records, ...entry.records, ...progress.records],
    response: {
      errorCode: ErrorCode.NONE,
      memberId: member.memberId,
      memberEpoch: member.memberEpoch,
      heartbeatIntervalMs: consumerHeartbeatIntervalMs(shard.config, group.groupId),
      assignment: isAssignmentTold ? { topicPartitions: sortedPartitions(member.assigned) } : null,
    },
  }
}

/** The group as it will be once the records are replayed; only joining members make or convert one. */
function findGroup(
  shard: GroupShardState,
  { groupId, memberEpoch }: ConsumerHeartbeatRequest,
): { group: ConsumerGroup; records: CoordinatorRecord[] } | undefined {
  const group = shard.groups.get(groupId)
  if (group instanceof ConsumerGroup) return { group, records: [] }
  if (memberEpoch !== JOIN_EPOCH) return undefined
  if (group === undefined) return { group: new ConsumerGroup(groupId), records: [] }
  if (group instanceof ClassicGroup && group.isEmpty) {
    return { group: new ConsumerGroup(groupId), records: [groupMetadataTombstone(groupId)] }
  }
  return group instanceof ClassicGroup ? upgradeToConsumerGroup(shard, group) : undefined
}

type Entry =
  | {
      readonly member: ConsumerMember
      readonly isNew: boolean
      readonly records: CoordinatorRecord[]
      /** Static member whose place this one takes. */
      readonly replacedId: string | undefined
    }
  | { readonly error: Exclude<ErrorCode, 0>; readonly message: string }

/** The member that speaks, known or new, or why it may not. */
function enter(shard: GroupShardState, group: ConsumerGroup, request: ConsumerHeartbeatRequest): Entry {
  const { memberId, memberEpoch, instanceId } = request
  const isJoining = memberEpoch === JOIN_EPOCH
  const asNew = (): Entry => ({
    member: newConsumerMember(memberId),
    isNew: true,
    records: [],
    replacedId: undefined,
  })
  const asKnown = (member: ConsumerMember): Entry => {
    const refusal = isJoining ? undefined : checkMemberEpoch(member, memberEpoch, request.topicPartitions)
    return refusal === undefined
      ? { member, isNew: false, records: [], replacedId: undefined }
      : { error: refusal.error, message: refusal.message ?? '' }
  }
  if (instanceId === null) {
    const member = group.members.get(memberId)
    if (member !== undefined) return asKnown(member)
    const message = `Member ${memberId} is not a member of group ${group.groupId}.`
    return isJoining ? asNew() : { error: ErrorCode.UNKNOWN_MEMBER_ID, message }
  }
  const holder = group.staticMember(instanceId)
  if (!isJoining) {
    const refusal = checkStaticMember(holder, instanceId, memberId)
    if (holder === undefined || refusal !== undefined) {
      return { error: refusal?.error ?? ErrorCode.UNKNOWN_MEMBER_ID, message: refusal?.message ?? '' }
    }
    return asKnown(holder)
  }
  if (holder === undefined) return asNew()
  if (holder.memberId === memberId) return asKnown(holder)
  if (holder.memberEpoch !== STATIC_LEAVE_EPOCH) {
    return {
      error: ErrorCode.UNRELEASED_INSTANCE_ID,
      message: `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is owned by ${holder.memberId} member.`,
    }
  }
  return replaceStatic(shard, group, holder, memberId)
}

/** A static member is back under a new id: it takes over everything of the old one (KIP-345, KIP-848). */
function replaceStatic(
  shard: GroupShardState,
  group: ConsumerGroup,
  holder: ConsumerMember,
  memberId: string,
): Entry {
  const { groupId } = group
  cancelMemberTimers(shard, groupId, holder.memberId)
  const member: ConsumerMember = { ...holder, memberId, memberEpoch: 0, previousMemberEpoch: 0 }
  return {
    member,
    isNew: false,
    replacedId: holder.memberId,
    records: [
      ...memberTombstones(groupId, holder.memberId),
      memberRecord(groupId, member),
      targetAssignmentRecord(groupId, memberId, {
        topicPartitions: sortedPartitions(group.targetOf(holder.memberId)),
      }),
      currentRecord(groupId, member),
    ],
  }
}

function updateMember(member: ConsumerMember, request: ConsumerHeartbeatRequest): ConsumerMember {
  return {
    ...member,
    instanceId: request.instanceId ?? member.instanceId,
    rackId: request.rackId ?? member.rackId,
    rebalanceTimeoutMs:
      request.rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : request.rebalanceTimeoutMs,
    clientId: request.clientId,
    clientHost: request.clientHost,
    subscribedTopicNames:
      request.subscribedTopicNames === null
        ? member.subscribedTopicNames
        : [...new Set(request.subscribedTopicNames)].sort(),
    subscribedTopicRegex: request.subscribedTopicRegex ?? member.subscribedTopicRegex,
    serverAssignor: request.serverAssignor ?? member.serverAssignor,
    classic: null,
  }
}
