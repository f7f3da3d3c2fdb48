/**
 * A consumer group and its members as records: what a change writes, and what removing them writes.
 */
import type { CoordinatorRecord } from '../coordinator-record.ts'
import { tombstone } from '../coordinator-record.ts'
import type { ConsumerGroup, ConsumerMember, OwnedAssignment } from './consumer-group.ts'
import {
  ConsumerGroupPartitions,
  currentAssignmentRecord,
  currentAssignmentTombstone,
  groupEpochTombstone,
  memberMetadataRecord,
  memberMetadataTombstone,
  regularExpressionTombstone,
  targetAssignmentEpochTombstone,
  targetAssignmentTombstone,
} from './group-records.ts'

export function memberRecord(groupId: string, member: ConsumerMember): CoordinatorRecord {
  return memberMetadataRecord(groupId, member.memberId, {
    instanceId: member.instanceId,
    rackId: member.rackId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: member.subscribedTopicNames,
    subscribedTopicRegex: member.subscribedTopicRegex,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    serverAssignor: member.serverAssignor,
    classicMemberMetadata: member.classic,
  })
}

export function currentRecord(groupId: string, member: ConsumerMember): CoordinatorRecord {
  return currentAssignmentRecord(groupId, member.memberId, {
    memberEpoch: member.memberEpoch,
    previousMemberEpoch: member.previousMemberEpoch,
    state: member.state,
    assignedPartitions: ownedTopics(member.assigned),
    partitionsPendingRevocation: ownedTopics(member.pendingRevocation),
  })
}

function ownedTopics(owned: OwnedAssignment) {
  return [...owned].map(([topicId, partitions]) => {
    const sorted = [...partitions].sort(([left], [right]) => left - right)
    return {
      topicId,
      partitions: sorted.map(([partition]) => partition),
      assignmentEpochs: sorted.map(([, epoch]) => epoch),
    }
  })
}

/** The member is gone. */
export function memberTombstones(groupId: string, memberId: string): CoordinatorRecord[] {
  return [
    currentAssignmentTombstone(groupId, memberId),
    targetAssignmentTombstone(groupId, memberId),
    memberMetadataTombstone(groupId, memberId),
  ]
}

/** The group is gone, with whoever is in it. */
export function consumerGroupTombstones(group: ConsumerGroup): CoordinatorRecord[] {
  const { groupId } = group
  const memberIds = [...group.members.keys()]
  return [
    ...memberIds.map((memberId) => currentAssignmentTombstone(groupId, memberId)),
    ...memberIds.map((memberId) => targetAssignmentTombstone(groupId, memberId)),
    targetAssignmentEpochTombstone(groupId),
    ...memberIds.map((memberId) => memberMetadataTombstone(groupId, memberId)),
    ...[...group.regexes.keys()].map((regex) => regularExpressionTombstone(groupId, regex)),
    // Deprecated, but Kafka deletes it all the same.
    tombstone(ConsumerGroupPartitions, { groupId }),
    groupEpochTombstone(groupId),
  ]
}
