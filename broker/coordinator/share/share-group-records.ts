/**
 * The records of share groups in `__consumer_offsets` (KIP-932), as the group coordinator of Kafka 4.4 writes them.
 */
import { type CoordinatorRecord, tombstone, valueRecord } from '../coordinator-record.ts'
import type { PartitionSets, ShareGroup, ShareMember, ShareStatePartitions } from './share-group.ts'
import {
  ShareCurrentAssignment,
  ShareGroupEpoch,
  ShareMemberMetadata,
  ShareStateTopics,
  ShareTargetEpoch,
  ShareTargetMember,
} from './share-group-record-types.ts'

export function shareMemberRecord(groupId: string, member: ShareMember): CoordinatorRecord {
  const { memberId, rackId, clientId, clientHost, subscribedTopicNames } = member
  const value = { rackId, clientId, clientHost, subscribedTopicNames }
  return valueRecord(ShareMemberMetadata, 0, { groupId, memberId }, value)
}

export function shareGroupEpochRecord(
  groupId: string,
  epoch: number,
  metadataHash: bigint,
): CoordinatorRecord {
  return valueRecord(ShareGroupEpoch, 0, { groupId }, { epoch, metadataHash })
}

export function shareTargetEpochRecord(
  groupId: string,
  assignmentEpoch: number,
  assignmentTimestamp: number,
): CoordinatorRecord {
  return valueRecord(ShareTargetEpoch, 0, { groupId }, { assignmentEpoch, assignmentTimestamp })
}

export function shareTargetRecord(
  groupId: string,
  memberId: string,
  target: PartitionSets,
): CoordinatorRecord {
  return valueRecord(ShareTargetMember, 0, { groupId, memberId }, { topicPartitions: sortedTopics(target) })
}

export function shareCurrentRecord(groupId: string, member: ShareMember): CoordinatorRecord {
  const { memberId, memberEpoch, previousMemberEpoch, assigned } = member
  return valueRecord(
    ShareCurrentAssignment,
    0,
    { groupId, memberId },
    // Members of share groups give nothing back, so they are always stable.
    { memberEpoch, previousMemberEpoch, state: 0, assignedPartitions: sortedTopics(assigned) },
  )
}

export function shareStateTopicsRecord(groupId: string, state: ShareStatePartitions): CoordinatorRecord {
  const topicsOf = (topics: ShareStatePartitions['initialized']) =>
    [...topics].map(([topicId, { topicName, partitions }]) => ({
      topicId,
      topicName,
      partitions: [...partitions].sort((left, right) => left - right),
    }))
  return valueRecord(
    ShareStateTopics,
    0,
    { groupId },
    {
      initializingTopics: topicsOf(state.initializing),
      initializedTopics: topicsOf(state.initialized),
      deletingTopics: [...state.deleting].map(([topicId, topicName]) => ({ topicId, topicName })),
    },
  )
}

export function shareMemberTombstones(groupId: string, memberId: string): CoordinatorRecord[] {
  return [
    tombstone(ShareCurrentAssignment, { groupId, memberId }),
    tombstone(ShareTargetMember, { groupId, memberId }),
    tombstone(ShareMemberMetadata, { groupId, memberId }),
  ]
}

export function shareGroupTombstones({ groupId, members }: ShareGroup): CoordinatorRecord[] {
  const memberIds = [...members.keys()]
  return [
    ...memberIds.map((memberId) => tombstone(ShareCurrentAssignment, { groupId, memberId })),
    ...memberIds.map((memberId) => tombstone(ShareTargetMember, { groupId, memberId })),
    tombstone(ShareTargetEpoch, { groupId }),
    ...memberIds.map((memberId) => tombstone(ShareMemberMetadata, { groupId, memberId })),
    tombstone(ShareStateTopics, { groupId }),
    tombstone(ShareGroupEpoch, { groupId }),
  ]
}

function sortedTopics(topics: PartitionSets): { topicId: string; partitions: number[] }[] {
  return [...topics].map(([topicId, partitions]) => ({
    topicId,
    partitions: [...partitions].sort((left, right) => left - right),
  }))
}
