/** The types of the records of share groups in `__consumer_offsets` (KIP-932). */
import {
  ShareGroupCurrentMemberAssignmentKey,
  ShareGroupCurrentMemberAssignmentValue,
} from '../../../common/protocol/records/share-group-current-member-assignment.ts'
import {
  ShareGroupMemberMetadataKey,
  ShareGroupMemberMetadataValue,
} from '../../../common/protocol/records/share-group-member-metadata.ts'
import {
  ShareGroupMetadataKey,
  ShareGroupMetadataValue,
} from '../../../common/protocol/records/share-group-metadata.ts'
import {
  ShareGroupStatePartitionMetadataKey,
  ShareGroupStatePartitionMetadataValue,
} from '../../../common/protocol/records/share-group-state-partition-metadata.ts'
import {
  ShareGroupTargetAssignmentMemberKey,
  ShareGroupTargetAssignmentMemberValue,
} from '../../../common/protocol/records/share-group-target-assignment-member.ts'
import {
  ShareGroupTargetAssignmentMetadataKey,
  ShareGroupTargetAssignmentMetadataValue,
} from '../../../common/protocol/records/share-group-target-assignment-metadata.ts'
import { type CoordinatorRecordType, recordType } from '../coordinator-record.ts'

export const ShareMemberMetadata = recordType(ShareGroupMemberMetadataKey, ShareGroupMemberMetadataValue)
export const ShareGroupEpoch = recordType(ShareGroupMetadataKey, ShareGroupMetadataValue)
export const ShareTargetEpoch = recordType(
  ShareGroupTargetAssignmentMetadataKey,
  ShareGroupTargetAssignmentMetadataValue,
)
export const ShareTargetMember = recordType(
  ShareGroupTargetAssignmentMemberKey,
  ShareGroupTargetAssignmentMemberValue,
)
export const ShareCurrentAssignment = recordType(
  ShareGroupCurrentMemberAssignmentKey,
  ShareGroupCurrentMemberAssignmentValue,
)
/** Which partitions have state at the share coordinator, or are getting or losing it. */
export const ShareStateTopics = recordType(
  ShareGroupStatePartitionMetadataKey,
  ShareGroupStatePartitionMetadataValue,
)

export const SHARE_GROUP_RECORD_TYPES = [
  ShareMemberMetadata,
  ShareGroupEpoch,
  ShareTargetEpoch,
  ShareTargetMember,
  ShareCurrentAssignment,
  ShareStateTopics,
] as unknown as readonly CoordinatorRecordType[]
