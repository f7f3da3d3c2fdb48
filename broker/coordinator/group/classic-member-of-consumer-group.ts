/**
 * Members of the classic protocol in a consumer group (online migration, KIP-848): join, sync, heartbeat and leave are steps of
 * the consumer protocol in other clothes. The member epoch is their generation; they never lead.
 */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { ConsumerProtocolSubscription } from '../../../common/protocol/records/consumer-protocol-subscription.ts'
import { EMPTY_BYTES } from '../../../common/protocol/schema.ts'
import { Deferred } from '../../../common/runtime/deferred.ts'
import type { Outcome } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import {
  CONSUMER_PROTOCOL_TYPE,
  type JoinAnswer,
  joinError,
  type SyncAnswer,
  subscriptionOf,
  syncError,
} from './classic-group.ts'
import type { JoinRequest } from './classic-join.ts'
import type { HeartbeatRequest, LeaveAnswer, LeavingMember, SyncRequest } from './classic-membership.ts'
import { advance } from './consumer-advance.ts'
import {
  cancelClassicDeadline,
  cancelMemberTimers,
  fenceMembers,
  scheduleClassicDeadline,
  scheduleSession,
} from './consumer-fencing.ts'
import {
  type ConsumerGroup,
  type ConsumerMember,
  MemberState,
  namesSameTopics,
  newConsumerMember,
  sortedPartitions,
} from './consumer-group.ts'
import { currentRecord, memberRecord, memberTombstones } from './consumer-group-records.ts'
import { encodeAssignment, maybeDowngrade } from './downgrade.ts'
import { migrationPolicy } from './group-config.ts'
import { targetAssignmentRecord } from './group-records.ts'
import { type GroupShardState, NO_RECORDS, type WaitingOutcome } from './group-state.ts'

export function joinAsClassicMember(
  shard: GroupShardState,
  group: ConsumerGroup,
  request: JoinRequest,
): WaitingOutcome<JoinAnswer> {
  const refused = (answer: JoinAnswer): WaitingOutcome<JoinAnswer> => ({
    records: NO_RECORDS,
    response: Deferred.of(answer),
  })
  const problem = joinProblem(shard, group, request)
  if (problem !== undefined) return refused(problem)
  const { groupInstanceId } = request
  const [first] = request.protocols
  const subscription = first === undefined ? undefined : subscriptionOf(first.metadata)
  if (first === undefined || subscription === undefined)
    return refused(joinError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL))
  const memberId = request.memberId === '' ? shard.random.uuid() : request.memberId
  const holder = groupInstanceId === null ? undefined : group.staticMember(groupInstanceId)
  if (holder !== undefined && request.memberId !== '' && holder.memberId !== memberId)
    return refused(joinError(ErrorCode.FENCED_INSTANCE_ID))
  const isReplacing = holder !== undefined && holder.memberId !== memberId
  const before: ConsumerMember = isReplacing
    ? { ...holder, memberId, previousMemberEpoch: holder.memberEpoch }
    : (group.members.get(memberId) ?? newConsumerMember(memberId))
  const updated = afterJoin(before, request, subscription)
  if (isReplacing && holder.classic === null) {
    const mustRebalance = group.groupEpoch > group.assignmentEpoch || !namesSameTopics(holder, updated)
    const downgraded = maybeDowngrade(shard, group, [holder.memberId], { successor: updated, mustRebalance })
    if (downgraded !== undefined) {
      cancelMemberTimers(shard, group.groupId, holder.memberId)
      const generationId = mustRebalance ? holder.memberEpoch : group.groupEpoch
      return { records: downgraded, response: accepted(first.name, memberId, generationId) }
    }
  }
  const records: CoordinatorRecord[] = isReplacing ? replacement(shard, group, holder, before) : []
  const { topicsByName } = shard.metadata()
  const owned = subscription.ownedPartitions.flatMap(({ topic, partitions }) => {
    const topicId = topicsByName.get(topic)?.id
    return topicId === undefined ? [] : [{ topicId, partitions }]
  })
  const { member, records: steps } = advance(shard, group, {
    before,
    updated,
    isNew: !group.members.has(request.memberId) && !isReplacing,
    replacedId: isReplacing ? holder.memberId : undefined,
    owned,
  })
  scheduleSession(shard, group.groupId, member)
  scheduleClassicDeadline(shard, group.groupId, member, 'sync')
  return {
    records: [...records, ...steps],
    response: accepted(first.name, memberId, member.memberEpoch),
  }
}

/** @returns the refusal of a join that this group takes from nobody, or not in this form */
function joinProblem(
  shard: GroupShardState,
  group: ConsumerGroup,
  request: JoinRequest,
): JoinAnswer | undefined {
  if (migrationPolicy(shard.config) === 'disabled') return joinError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  const isKnown = group.members.has(request.memberId)
  if (!isKnown && group.members.size >= shard.config.get('group.consumer.max.size'))
    return joinError(ErrorCode.GROUP_MAX_SIZE_REACHED)
  if (!isSupported(group, request)) return joinError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  if (request.memberId === '' && request.groupInstanceId === null && request.requiresKnownMemberId)
    return joinError(ErrorCode.MEMBER_ID_REQUIRED, shard.random.uuid())
  return undefined
}

function afterJoin(
  before: ConsumerMember,
  request: JoinRequest,
  subscription: ConsumerProtocolSubscription,
): ConsumerMember {
  return {
    ...before,
    instanceId: request.groupInstanceId ?? before.instanceId,
    rackId: subscription.rackId ?? before.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    clientId: request.clientId,
    clientHost: request.clientHost,
    subscribedTopicNames: [...new Set(subscription.topics)].sort(),
    classic: { sessionTimeoutMs: request.sessionTimeoutMs, supportedProtocols: request.protocols },
  }
}

function accepted(protocolName: string, memberId: string, generationId: number): Deferred<JoinAnswer> {
  return Deferred.of<JoinAnswer>({
    errorCode: ErrorCode.NONE,
    generationId,
    protocolType: CONSUMER_PROTOCOL_TYPE,
    protocolName,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  })
}

/** A classic static member that came back takes over at once, without having said goodbye. */
function replacement(
  shard: GroupShardState,
  group: ConsumerGroup,
  holder: ConsumerMember,
  member: ConsumerMember,
): CoordinatorRecord[] {
  const { groupId } = group
  cancelMemberTimers(shard, groupId, holder.memberId)
  const topicPartitions = sortedPartitions(group.targetOf(holder.memberId))
  return [
    ...memberTombstones(groupId, holder.memberId),
    memberRecord(groupId, member),
    targetAssignmentRecord(groupId, member.memberId, { topicPartitions }),
    currentRecord(groupId, member),
  ]
}

/** All classic members must have a protocol in common, so that the group can be turned back. */
function isSupported(group: ConsumerGroup, { memberId, protocolType, protocols }: JoinRequest): boolean {
  if (protocolType !== CONSUMER_PROTOCOL_TYPE) return false
  const others = group.classicMembers.filter((member) => member.memberId !== memberId)
  return protocols.some(({ name }) =>
    others.every(({ classic }) => classic?.supportedProtocols.some((protocol) => protocol.name === name)),
  )
}

export function syncAsClassicMember(
  shard: GroupShardState,
  group: ConsumerGroup,
  request: SyncRequest,
): WaitingOutcome<SyncAnswer> {
  const answered = (answer: SyncAnswer): WaitingOutcome<SyncAnswer> => ({
    records: NO_RECORDS,
    response: Deferred.of(answer),
  })
  const { member, error } = findClassicMember(group, request)
  if (member === undefined) return answered(syncError(error))
  const [protocol] = member.classic?.supportedProtocols ?? []
  const isOther = (asked: string | null, actual: string) => asked !== null && asked !== actual
  if (
    isOther(request.protocolType, CONSUMER_PROTOCOL_TYPE) ||
    isOther(request.protocolName, protocol?.name ?? '')
  ) {
    return answered(syncError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL))
  }
  // Who has partitions to give back has to know them first; everybody else must catch up with a new assignment.
  if (member.memberEpoch < group.assignmentEpoch && member.state !== MemberState.UNREVOKED_PARTITIONS) {
    scheduleClassicDeadline(shard, group.groupId, member, 'join')
    return answered(syncError(ErrorCode.REBALANCE_IN_PROGRESS))
  }
  cancelClassicDeadline(shard, group.groupId, member.memberId, 'sync')
  scheduleSession(shard, group.groupId, member)
  const assigned = new Map(
    [...member.assigned].map(([topicId, partitions]) => [topicId, new Set(partitions.keys())]),
  )
  return answered({
    errorCode: ErrorCode.NONE,
    protocolType: CONSUMER_PROTOCOL_TYPE,
    protocolName: protocol?.name ?? null,
    assignment: encodeAssignment(shard.metadata(), assigned, protocol?.metadata ?? EMPTY_BYTES),
  })
}

export function heartbeatAsClassicMember(
  shard: GroupShardState,
  group: ConsumerGroup,
  request: HeartbeatRequest,
): ErrorCode {
  const { member, error } = findClassicMember(group, request)
  if (member === undefined) return error
  scheduleSession(shard, group.groupId, member)
  const mustRejoin =
    member.memberEpoch < group.assignmentEpoch ||
    member.state === MemberState.UNREVOKED_PARTITIONS ||
    (member.state === MemberState.UNRELEASED_PARTITIONS && hasFreePartition(group, member))
  if (!mustRejoin) return ErrorCode.NONE
  scheduleClassicDeadline(shard, group.groupId, member, 'join')
  return ErrorCode.REBALANCE_IN_PROGRESS
}

/** Whether something that the member waits for has become free. */
function hasFreePartition(group: ConsumerGroup, member: ConsumerMember): boolean {
  for (const [topicId, partitions] of group.targetOf(member.memberId)) {
    for (const partition of partitions) {
      const isMissing = member.assigned.get(topicId)?.has(partition) !== true
      if (isMissing && group.ownerEpoch(topicId, partition) === -1) return true
    }
  }
  return false
}

type FoundMember =
  | { readonly member: ConsumerMember; readonly error?: undefined }
  | { readonly member?: undefined; readonly error: Exclude<ErrorCode, 0> }

function findClassicMember(
  group: ConsumerGroup,
  { memberId, groupInstanceId, generationId }: HeartbeatRequest,
): FoundMember {
  if (groupInstanceId !== null) {
    const holder = group.staticMember(groupInstanceId)
    if (holder === undefined) return { error: ErrorCode.UNKNOWN_MEMBER_ID }
    if (holder.memberId !== memberId) return { error: ErrorCode.FENCED_INSTANCE_ID }
  }
  const member = group.members.get(memberId)
  if (member === undefined || member.classic === null) return { error: ErrorCode.UNKNOWN_MEMBER_ID }
  return member.memberEpoch === generationId ? { member } : { error: ErrorCode.ILLEGAL_GENERATION }
}

/** LeaveGroup may name members of both protocols: administrators do not know the difference. */
export function leaveAsClassicMembers(
  shard: GroupShardState,
  group: ConsumerGroup,
  leaving: readonly LeavingMember[],
): Outcome<LeaveAnswer[], CoordinatorRecord> {
  const leavingIds = new Set<string>()
  const response = leaving.map((identity): LeaveAnswer => {
    const { memberId, groupInstanceId } = identity
    const holder = groupInstanceId === null ? undefined : group.staticMember(groupInstanceId)
    const member = groupInstanceId === null ? group.members.get(memberId) : holder
    if (member === undefined) return { ...identity, error: ErrorCode.UNKNOWN_MEMBER_ID }
    if (memberId !== '' && member.memberId !== memberId)
      return { ...identity, error: ErrorCode.FENCED_INSTANCE_ID }
    leavingIds.add(member.memberId)
    return { ...identity, error: ErrorCode.NONE }
  })
  return { records: leavingIds.size > 0 ? fenceMembers(shard, group, [...leavingIds]) : NO_RECORDS, response }
}
