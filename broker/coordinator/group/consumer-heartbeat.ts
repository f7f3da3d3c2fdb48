/**
 * ConsumerGroupHeartbeat (KIP-848): joining, telling changes, and taking the next step towards the target assignment.
 */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { Outcome } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import { ClassicGroup } from './classic-group.ts'
import {
  cancelMemberTimers,
  cancelRevocation,
  scheduleRevocation,
  scheduleSession,
} from './consumer-fencing.ts'
import {
  type Assignment,
  ConsumerGroup,
  type ConsumerMember,
  EMPTY_ASSIGNMENT,
  isSameAssignment,
  JOIN_EPOCH,
  LEAVE_EPOCH,
  MemberState,
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
import {
  consumerAssignmentIntervalMs,
  consumerHeartbeatIntervalMs,
  type GroupCoordinatorConfig,
} from './group-config.ts'
import { groupEpochRecord, groupMetadataTombstone, targetAssignmentRecord } from './group-records.ts'
import type { GroupShardState } from './group-state.ts'
import { type OwnedPartitions, reconcile } from './reconcile.ts'
import {
  checkPattern,
  hasStaleRegex,
  metadataHash,
  scheduleRegexResolution,
  subscribedTopics,
  unusedRegexTombstones,
} from './subscription.ts'
import { computeTargetAssignment, supportedAssignors } from './target-assignment.ts'
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
  return upgradeToConsumerGroup(shard, group)
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

export interface AdvanceInput {
  readonly before: ConsumerMember
  /** As the request describes it. */
  readonly updated: ConsumerMember
  readonly isNew: boolean
  readonly replacedId: string | undefined
  readonly owned: OwnedPartitions
}

/** What the member says changes the group, the group its target, and the target what the member has. */
export function advance(
  shard: GroupShardState,
  group: ConsumerGroup,
  input: AdvanceInput,
): { member: ConsumerMember; records: CoordinatorRecord[] } {
  const { before, updated, replacedId } = input
  const { groupId } = group
  const records: CoordinatorRecord[] = []
  const members = new Map(group.members)
  if (replacedId !== undefined) members.delete(replacedId)
  members.set(updated.memberId, updated)
  if (input.isNew || !isSameMetadata(before, updated)) records.push(memberRecord(groupId, updated))
  const hasNamesChanged = before.subscribedTopicNames.join('\n') !== updated.subscribedTopicNames.join('\n')
  const hasRegexChanged = before.subscribedTopicRegex !== updated.subscribedTopicRegex
  const isRegexResolved =
    updated.subscribedTopicRegex === '' || group.regexes.has(updated.subscribedTopicRegex)
  if (hasRegexChanged && before.subscribedTopicRegex !== '') {
    records.push(...unusedRegexTombstones(group, members.values()))
  }
  if (hasStaleRegex(shard, group, members.values())) scheduleRegexResolution(shard, groupId)

  const topics = subscribedTopics(members.values(), (regex) => group.regexes.get(regex)?.topics)
  const hash = metadataHash(shard.metadata(), topics)
  const mustBump =
    hasNamesChanged ||
    (hasRegexChanged && isRegexResolved) ||
    (hash !== group.metadataHash && isResolved(group, members.values()))
  const groupEpoch = mustBump ? group.groupEpoch + 1 : group.groupEpoch
  if (mustBump) records.push(groupEpochRecord(groupId, groupEpoch, hash))

  const targetOf = (memberId: string): Assignment =>
    group.targetOf(memberId === updated.memberId && replacedId !== undefined ? replacedId : memberId)
  let target = targetOf(updated.memberId)
  let targetEpoch = group.assignmentEpoch
  if (groupEpoch > group.assignmentEpoch && isAssignmentDue(shard, group)) {
    const topicsOf = (member: ConsumerMember) => group.topicsOf(member)
    const computed = computeTargetAssignment(shard, { group, groupEpoch, members, topicsOf, targetOf })
    records.push(...computed.records)
    target = computed.targetOf(updated.memberId)
    targetEpoch = groupEpoch
  }
  const member = reconcile(updated, {
    targetEpoch,
    target: target ?? EMPTY_ASSIGNMENT,
    ownerEpoch: (topicId, partition) => group.ownerEpoch(topicId, partition),
    owned: input.owned,
    subscribedTopicIds: topicIdsOf(shard, group, updated),
    hasSubscriptionChanged: hasNamesChanged || hasRegexChanged,
  })
  if (!isSameProgress(member, updated)) {
    records.push(currentRecord(groupId, member))
    if (member.classic === null) {
      if (member.state === MemberState.UNREVOKED_PARTITIONS) scheduleRevocation(shard, groupId, member)
      else cancelRevocation(shard, groupId, member.memberId)
    }
  }
  return { member, records }
}

/** Patterns that wait to be resolved count for the group's epoch only then. */
function isResolved(group: ConsumerGroup, members: Iterable<ConsumerMember>): boolean {
  for (const { subscribedTopicRegex } of members) {
    if (subscribedTopicRegex !== '' && !group.regexes.has(subscribedTopicRegex)) return false
  }
  return true
}

function isAssignmentDue(shard: GroupShardState, group: ConsumerGroup): boolean {
  if (group.assignmentTimestampMs <= 0) return true
  const ageMs = shard.clock.wallMs() - group.assignmentTimestampMs
  return ageMs < 0 || ageMs >= consumerAssignmentIntervalMs(shard.config, group.groupId)
}

function topicIdsOf(shard: GroupShardState, group: ConsumerGroup, member: ConsumerMember): Set<string> {
  const { topicsByName } = shard.metadata()
  const ids = new Set<string>()
  for (const name of group.topicsOf(member)) {
    const topic = topicsByName.get(name)
    if (topic !== undefined) ids.add(topic.id)
  }
  return ids
}

function isSameMetadata(left: ConsumerMember, right: ConsumerMember): boolean {
  return (
    left.instanceId === right.instanceId &&
    left.rackId === right.rackId &&
    left.rebalanceTimeoutMs === right.rebalanceTimeoutMs &&
    left.clientId === right.clientId &&
    left.clientHost === right.clientHost &&
    left.subscribedTopicNames.join('\n') === right.subscribedTopicNames.join('\n') &&
    left.subscribedTopicRegex === right.subscribedTopicRegex &&
    left.serverAssignor === right.serverAssignor &&
    (left.classic === null) === (right.classic === null) &&
    left.classic === right.classic
  )
}

function isSameProgress(left: ConsumerMember, right: ConsumerMember): boolean {
  return (
    left.memberEpoch === right.memberEpoch &&
    left.previousMemberEpoch === right.previousMemberEpoch &&
    left.state === right.state &&
    isSameAssignment(left.assigned, right.assigned) &&
    isSameAssignment(left.pendingRevocation, right.pendingRevocation)
  )
}
