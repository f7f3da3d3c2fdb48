/**
 * One step of a consumer group, taken with the word of one member: its subscription may raise the group's epoch, that asks for a
 * new target assignment, and the member moves towards its target. Members of both protocols go through here.
 */
import type { CoordinatorRecord } from '../coordinator-record.ts'
import { cancelRevocation, scheduleRevocation } from './consumer-fencing.ts'
import {
  type Assignment,
  type ConsumerGroup,
  type ConsumerMember,
  isSameAssignment,
  MemberState,
  namesSameTopics,
} from './consumer-group.ts'
import { currentRecord, memberRecord } from './consumer-group-records.ts'
import { consumerAssignmentIntervalMs } from './group-config.ts'
import { groupEpochRecord } from './group-records.ts'
import type { GroupShardState } from './group-state.ts'
import { type OwnedPartitions, reconcile } from './reconcile.ts'
import {
  hasStaleRegex,
  metadataHash,
  scheduleRegexResolution,
  subscribedTopics,
  unusedRegexTombstones,
} from './subscription.ts'
import { computeTargetAssignment } from './target-assignment.ts'

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
  const hasNamesChanged = !namesSameTopics(before, updated)
  const hasRegexChanged = before.subscribedTopicRegex !== updated.subscribedTopicRegex
  const isRegexResolved =
    updated.subscribedTopicRegex === '' || group.regexes.has(updated.subscribedTopicRegex)
  if (hasRegexChanged && before.subscribedTopicRegex !== '') {
    records.push(...unusedRegexTombstones(group, members.values()))
  }
  if (hasStaleRegex(shard, group, members.values())) scheduleRegexResolution(shard, groupId)

  const image = shard.metadata()
  const isUnchanged = !input.isNew && replacedId === undefined && !hasNamesChanged && !hasRegexChanged
  const isHashRight = isUnchanged && group.checkedMetadataOffset === image.offset
  const topicsOfRegex = (regex: string) => group.regexes.get(regex)?.topics
  const hash = isHashRight
    ? group.metadataHash
    : metadataHash(image, subscribedTopics(members.values(), topicsOfRegex))
  const mustBump =
    hasNamesChanged ||
    (hasRegexChanged && isRegexResolved) ||
    (hash !== group.metadataHash && isResolved(group, members.values()))
  if (!mustBump) group.checkedMetadataOffset = image.offset
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
    target,
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
    namesSameTopics(left, right) &&
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
