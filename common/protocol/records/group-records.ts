/** The records of __consumer_offsets by type. */
import {
  type CoordinatorRecord,
  type CoordinatorRecordSchema,
  coordinatorRecordDecoder,
} from '../coordinator-record.ts'
import {
  ConsumerGroupCurrentMemberAssignmentKey,
  ConsumerGroupCurrentMemberAssignmentValue,
} from './consumer-group-current-member-assignment.ts'
import {
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupMemberMetadataValue,
} from './consumer-group-member-metadata.ts'
import { ConsumerGroupMetadataKey, ConsumerGroupMetadataValue } from './consumer-group-metadata.ts'
import {
  ConsumerGroupPartitionMetadataKey,
  ConsumerGroupPartitionMetadataValue,
} from './consumer-group-partition-metadata.ts'
import {
  ConsumerGroupRegularExpressionKey,
  ConsumerGroupRegularExpressionValue,
} from './consumer-group-regular-expression.ts'
import {
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupTargetAssignmentMemberValue,
} from './consumer-group-target-assignment-member.ts'
import {
  ConsumerGroupTargetAssignmentMetadataKey,
  ConsumerGroupTargetAssignmentMetadataValue,
} from './consumer-group-target-assignment-metadata.ts'
import { GroupMetadataKey, GroupMetadataValue } from './group-metadata.ts'
import { LegacyOffsetCommitKey, LegacyOffsetCommitValue } from './legacy-offset-commit.ts'
import { OffsetCommitKey, OffsetCommitValue } from './offset-commit.ts'
import {
  ShareGroupCurrentMemberAssignmentKey,
  ShareGroupCurrentMemberAssignmentValue,
} from './share-group-current-member-assignment.ts'
import { ShareGroupMemberMetadataKey, ShareGroupMemberMetadataValue } from './share-group-member-metadata.ts'
import { ShareGroupMetadataKey, ShareGroupMetadataValue } from './share-group-metadata.ts'
import {
  ShareGroupStatePartitionMetadataKey,
  ShareGroupStatePartitionMetadataValue,
} from './share-group-state-partition-metadata.ts'
import {
  ShareGroupTargetAssignmentMemberKey,
  ShareGroupTargetAssignmentMemberValue,
} from './share-group-target-assignment-member.ts'
import {
  ShareGroupTargetAssignmentMetadataKey,
  ShareGroupTargetAssignmentMetadataValue,
} from './share-group-target-assignment-metadata.ts'
import {
  StreamsGroupCurrentMemberAssignmentKey,
  StreamsGroupCurrentMemberAssignmentValue,
} from './streams-group-current-member-assignment.ts'
import {
  StreamsGroupMemberMetadataKey,
  StreamsGroupMemberMetadataValue,
} from './streams-group-member-metadata.ts'
import { StreamsGroupMetadataKey, StreamsGroupMetadataValue } from './streams-group-metadata.ts'
import {
  StreamsGroupTargetAssignmentMemberKey,
  StreamsGroupTargetAssignmentMemberValue,
} from './streams-group-target-assignment-member.ts'
import {
  StreamsGroupTargetAssignmentMetadataKey,
  StreamsGroupTargetAssignmentMetadataValue,
} from './streams-group-target-assignment-metadata.ts'
import { StreamsGroupTopologyKey, StreamsGroupTopologyValue } from './streams-group-topology.ts'

export const groupRecords = [
  { name: 'LegacyOffsetCommit', key: LegacyOffsetCommitKey, value: LegacyOffsetCommitValue },
  { name: 'OffsetCommit', key: OffsetCommitKey, value: OffsetCommitValue },
  { name: 'GroupMetadata', key: GroupMetadataKey, value: GroupMetadataValue },
  { name: 'ConsumerGroupMetadata', key: ConsumerGroupMetadataKey, value: ConsumerGroupMetadataValue },
  {
    name: 'ConsumerGroupPartitionMetadata',
    key: ConsumerGroupPartitionMetadataKey,
    value: ConsumerGroupPartitionMetadataValue,
  },
  {
    name: 'ConsumerGroupMemberMetadata',
    key: ConsumerGroupMemberMetadataKey,
    value: ConsumerGroupMemberMetadataValue,
  },
  {
    name: 'ConsumerGroupTargetAssignmentMetadata',
    key: ConsumerGroupTargetAssignmentMetadataKey,
    value: ConsumerGroupTargetAssignmentMetadataValue,
  },
  {
    name: 'ConsumerGroupTargetAssignmentMember',
    key: ConsumerGroupTargetAssignmentMemberKey,
    value: ConsumerGroupTargetAssignmentMemberValue,
  },
  {
    name: 'ConsumerGroupCurrentMemberAssignment',
    key: ConsumerGroupCurrentMemberAssignmentKey,
    value: ConsumerGroupCurrentMemberAssignmentValue,
  },
  {
    name: 'ShareGroupMemberMetadata',
    key: ShareGroupMemberMetadataKey,
    value: ShareGroupMemberMetadataValue,
  },
  { name: 'ShareGroupMetadata', key: ShareGroupMetadataKey, value: ShareGroupMetadataValue },
  {
    name: 'ShareGroupTargetAssignmentMetadata',
    key: ShareGroupTargetAssignmentMetadataKey,
    value: ShareGroupTargetAssignmentMetadataValue,
  },
  {
    name: 'ShareGroupTargetAssignmentMember',
    key: ShareGroupTargetAssignmentMemberKey,
    value: ShareGroupTargetAssignmentMemberValue,
  },
  {
    name: 'ShareGroupCurrentMemberAssignment',
    key: ShareGroupCurrentMemberAssignmentKey,
    value: ShareGroupCurrentMemberAssignmentValue,
  },
  {
    name: 'ShareGroupStatePartitionMetadata',
    key: ShareGroupStatePartitionMetadataKey,
    value: ShareGroupStatePartitionMetadataValue,
  },
  {
    name: 'ConsumerGroupRegularExpression',
    key: ConsumerGroupRegularExpressionKey,
    value: ConsumerGroupRegularExpressionValue,
  },
  { name: 'StreamsGroupMetadata', key: StreamsGroupMetadataKey, value: StreamsGroupMetadataValue },
  {
    name: 'StreamsGroupMemberMetadata',
    key: StreamsGroupMemberMetadataKey,
    value: StreamsGroupMemberMetadataValue,
  },
  {
    name: 'StreamsGroupTargetAssignmentMetadata',
    key: StreamsGroupTargetAssignmentMetadataKey,
    value: StreamsGroupTargetAssignmentMetadataValue,
  },
  {
    name: 'StreamsGroupTargetAssignmentMember',
    key: StreamsGroupTargetAssignmentMemberKey,
    value: StreamsGroupTargetAssignmentMemberValue,
  },
  {
    name: 'StreamsGroupCurrentMemberAssignment',
    key: StreamsGroupCurrentMemberAssignmentKey,
    value: StreamsGroupCurrentMemberAssignmentValue,
  },
  { name: 'StreamsGroupTopology', key: StreamsGroupTopologyKey, value: StreamsGroupTopologyValue },
] as const satisfies readonly CoordinatorRecordSchema[]

/** A decoded record of __consumer_offsets; `name` tells the types apart. */
export type GroupRecord = CoordinatorRecord<(typeof groupRecords)[number]>

/** undefined for a type or version that Kafka 4.4 does not know; loading skips it, as in Kafka. */
export const decodeGroupRecord: (key: Buffer, value: Buffer | null) => GroupRecord | undefined =
  coordinatorRecordDecoder(groupRecords)
