/**
 * The records of `__consumer_offsets` and how the group coordinator of Kafka 4.4 writes them (value versions included).
 */
import {
  ConsumerGroupCurrentMemberAssignmentKey,
  ConsumerGroupCurrentMemberAssignmentValue,
} from '../../../common/protocol/records/consumer-group-current-member-assignment.ts'
import {
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupMemberMetadataValue,
} from '../../../common/protocol/records/consumer-group-member-metadata.ts'
import {
  ConsumerGroupMetadataKey,
  ConsumerGroupMetadataValue,
} from '../../../common/protocol/records/consumer-group-metadata.ts'
import {
  ConsumerGroupPartitionMetadataKey,
  ConsumerGroupPartitionMetadataValue,
} from '../../../common/protocol/records/consumer-group-partition-metadata.ts'
import {
  ConsumerGroupRegularExpressionKey,
  ConsumerGroupRegularExpressionValue,
} from '../../../common/protocol/records/consumer-group-regular-expression.ts'
import {
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupTargetAssignmentMemberValue,
} from '../../../common/protocol/records/consumer-group-target-assignment-member.ts'
import {
  ConsumerGroupTargetAssignmentMetadataKey,
  ConsumerGroupTargetAssignmentMetadataValue,
} from '../../../common/protocol/records/consumer-group-target-assignment-metadata.ts'
import { GroupMetadataKey, GroupMetadataValue } from '../../../common/protocol/records/group-metadata.ts'
import {
  LegacyOffsetCommitKey,
  LegacyOffsetCommitValue,
} from '../../../common/protocol/records/legacy-offset-commit.ts'
import { OffsetCommitKey, OffsetCommitValue } from '../../../common/protocol/records/offset-commit.ts'
import type { RecordInputOf } from '../../../common/protocol/schema.ts'
import {
  type CoordinatorRecord,
  type CoordinatorRecordType,
  recordType,
  tombstone,
  valueRecord,
} from '../coordinator-record.ts'
import { SHARE_GROUP_RECORD_TYPES } from '../share/share-group-record-types.ts'

/** Offsets as brokers before 0.9 wrote them; only read. */
export const LegacyOffset = recordType(LegacyOffsetCommitKey, LegacyOffsetCommitValue)
export const CommittedOffset = recordType(OffsetCommitKey, OffsetCommitValue)
export const ClassicGroupMetadata = recordType(GroupMetadataKey, GroupMetadataValue)
export const ConsumerGroupEpoch = recordType(ConsumerGroupMetadataKey, ConsumerGroupMetadataValue)
/** Written by Kafka 3.7 to 4.0; only read, and deleted with its group. */
export const ConsumerGroupPartitions = recordType(
  ConsumerGroupPartitionMetadataKey,
  ConsumerGroupPartitionMetadataValue,
)
export const ConsumerMemberMetadata = recordType(
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupMemberMetadataValue,
)
export const TargetAssignmentEpoch = recordType(
  ConsumerGroupTargetAssignmentMetadataKey,
  ConsumerGroupTargetAssignmentMetadataValue,
)
export const TargetAssignmentMember = recordType(
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupTargetAssignmentMemberValue,
)
export const CurrentAssignment = recordType(
  ConsumerGroupCurrentMemberAssignmentKey,
  ConsumerGroupCurrentMemberAssignmentValue,
)
export const ResolvedRegularExpression = recordType(
  ConsumerGroupRegularExpressionKey,
  ConsumerGroupRegularExpressionValue,
)

export const GROUP_RECORD_TYPES = [
  LegacyOffset,
  CommittedOffset,
  ClassicGroupMetadata,
  ConsumerGroupEpoch,
  ConsumerGroupPartitions,
  ConsumerMemberMetadata,
  TargetAssignmentEpoch,
  TargetAssignmentMember,
  CurrentAssignment,
  ResolvedRegularExpression,
  ...SHARE_GROUP_RECORD_TYPES,
] as unknown as readonly CoordinatorRecordType[]

type ValueOfType<Type> =
  Type extends CoordinatorRecordType<infer _Key, infer Value> ? RecordInputOf<Value> : never

export function groupMetadataRecord(
  group: string,
  value: ValueOfType<typeof ClassicGroupMetadata>,
): CoordinatorRecord {
  return valueRecord(ClassicGroupMetadata, 3, { group }, value)
}

export function groupMetadataTombstone(group: string): CoordinatorRecord {
  return tombstone(ClassicGroupMetadata, { group })
}

/** With an expiry of its own (OffsetCommit v2 to v4) Kafka falls back to version 1, which knows no leader epoch. */
export function committedOffsetRecord(
  key: { readonly group: string; readonly topic: string; readonly partition: number },
  value: ValueOfType<typeof CommittedOffset>,
): CoordinatorRecord {
  const hasExpiry = value.expireTimestamp !== undefined && value.expireTimestamp !== -1
  return valueRecord(CommittedOffset, hasExpiry ? 1 : 4, key, value)
}

export function committedOffsetTombstone(group: string, topic: string, partition: number): CoordinatorRecord {
  return tombstone(CommittedOffset, { group, topic, partition })
}

export function groupEpochRecord(groupId: string, epoch: number, metadataHash: bigint): CoordinatorRecord {
  return valueRecord(ConsumerGroupEpoch, 0, { groupId }, { epoch, metadataHash })
}

export function groupEpochTombstone(groupId: string): CoordinatorRecord {
  return tombstone(ConsumerGroupEpoch, { groupId })
}

export function memberMetadataRecord(
  groupId: string,
  memberId: string,
  value: ValueOfType<typeof ConsumerMemberMetadata>,
): CoordinatorRecord {
  return valueRecord(ConsumerMemberMetadata, 0, { groupId, memberId }, value)
}

export function memberMetadataTombstone(groupId: string, memberId: string): CoordinatorRecord {
  return tombstone(ConsumerMemberMetadata, { groupId, memberId })
}

export function targetAssignmentEpochRecord(
  groupId: string,
  assignmentEpoch: number,
  assignmentTimestamp: number,
): CoordinatorRecord {
  return valueRecord(TargetAssignmentEpoch, 0, { groupId }, { assignmentEpoch, assignmentTimestamp })
}

export function targetAssignmentEpochTombstone(groupId: string): CoordinatorRecord {
  return tombstone(TargetAssignmentEpoch, { groupId })
}

export function targetAssignmentRecord(
  groupId: string,
  memberId: string,
  value: ValueOfType<typeof TargetAssignmentMember>,
): CoordinatorRecord {
  return valueRecord(TargetAssignmentMember, 0, { groupId, memberId }, value)
}

export function targetAssignmentTombstone(groupId: string, memberId: string): CoordinatorRecord {
  return tombstone(TargetAssignmentMember, { groupId, memberId })
}

export function currentAssignmentRecord(
  groupId: string,
  memberId: string,
  value: ValueOfType<typeof CurrentAssignment>,
): CoordinatorRecord {
  return valueRecord(CurrentAssignment, 0, { groupId, memberId }, value)
}

export function currentAssignmentTombstone(groupId: string, memberId: string): CoordinatorRecord {
  return tombstone(CurrentAssignment, { groupId, memberId })
}

export function regularExpressionRecord(
  groupId: string,
  regularExpression: string,
  value: ValueOfType<typeof ResolvedRegularExpression>,
): CoordinatorRecord {
  return valueRecord(ResolvedRegularExpression, 0, { groupId, regularExpression }, value)
}

export function regularExpressionTombstone(groupId: string, regularExpression: string): CoordinatorRecord {
  return tombstone(ResolvedRegularExpression, { groupId, regularExpression })
}
