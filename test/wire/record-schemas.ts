/** Every record schema by Kafka's name. */
import { AbortTransactionRecord } from '../../common/protocol/records/abort-transaction-record.ts'
import { AbortedTxn } from '../../common/protocol/records/aborted-txn.ts'
import { AccessControlEntryRecord } from '../../common/protocol/records/access-control-entry-record.ts'
import { BeginTransactionRecord } from '../../common/protocol/records/begin-transaction-record.ts'
import { BrokerRegistrationChangeRecord } from '../../common/protocol/records/broker-registration-change-record.ts'
import { ClearElrRecord } from '../../common/protocol/records/clear-elr-record.ts'
import { ClientQuotaRecord } from '../../common/protocol/records/client-quota-record.ts'
import { ConfigRecord } from '../../common/protocol/records/config-record.ts'
import {
  ConsumerGroupCurrentMemberAssignmentKey,
  ConsumerGroupCurrentMemberAssignmentValue,
} from '../../common/protocol/records/consumer-group-current-member-assignment.ts'
import {
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupMemberMetadataValue,
} from '../../common/protocol/records/consumer-group-member-metadata.ts'
import {
  ConsumerGroupMetadataKey,
  ConsumerGroupMetadataValue,
} from '../../common/protocol/records/consumer-group-metadata.ts'
import {
  ConsumerGroupPartitionMetadataKey,
  ConsumerGroupPartitionMetadataValue,
} from '../../common/protocol/records/consumer-group-partition-metadata.ts'
import {
  ConsumerGroupRegularExpressionKey,
  ConsumerGroupRegularExpressionValue,
} from '../../common/protocol/records/consumer-group-regular-expression.ts'
import {
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupTargetAssignmentMemberValue,
} from '../../common/protocol/records/consumer-group-target-assignment-member.ts'
import {
  ConsumerGroupTargetAssignmentMetadataKey,
  ConsumerGroupTargetAssignmentMetadataValue,
} from '../../common/protocol/records/consumer-group-target-assignment-metadata.ts'
import { ConsumerProtocolAssignment } from '../../common/protocol/records/consumer-protocol-assignment.ts'
import { ConsumerProtocolSubscription } from '../../common/protocol/records/consumer-protocol-subscription.ts'
import { ControlRecordTypeSchema } from '../../common/protocol/records/control-record-type-schema.ts'
import { DefaultPrincipalData } from '../../common/protocol/records/default-principal-data.ts'
import { DelegationTokenRecord } from '../../common/protocol/records/delegation-token-record.ts'
import { EndTransactionRecord } from '../../common/protocol/records/end-transaction-record.ts'
import { EndTxnMarker } from '../../common/protocol/records/end-txn-marker.ts'
import { FeatureLevelRecord } from '../../common/protocol/records/feature-level-record.ts'
import { FenceBrokerRecord } from '../../common/protocol/records/fence-broker-record.ts'
import { GroupMetadataKey, GroupMetadataValue } from '../../common/protocol/records/group-metadata.ts'
import { KRaftVersionRecord } from '../../common/protocol/records/kraft-version-record.ts'
import { LeaderChangeMessage } from '../../common/protocol/records/leader-change-message.ts'
import {
  LegacyOffsetCommitKey,
  LegacyOffsetCommitValue,
} from '../../common/protocol/records/legacy-offset-commit.ts'
import { NoOpRecord } from '../../common/protocol/records/no-op-record.ts'
import { OffsetCommitKey, OffsetCommitValue } from '../../common/protocol/records/offset-commit.ts'
import { PartitionChangeRecord } from '../../common/protocol/records/partition-change-record.ts'
import { PartitionRecord } from '../../common/protocol/records/partition-record.ts'
import { ProducerIdsRecord } from '../../common/protocol/records/producer-ids-record.ts'
import { ProducerSnapshot } from '../../common/protocol/records/producer-snapshot.ts'
import { QuorumStateData } from '../../common/protocol/records/quorum-state-data.ts'
import { RegisterBrokerRecord } from '../../common/protocol/records/register-broker-record.ts'
import { RegisterControllerRecord } from '../../common/protocol/records/register-controller-record.ts'
import { RemoveAccessControlEntryRecord } from '../../common/protocol/records/remove-access-control-entry-record.ts'
import { RemoveDelegationTokenRecord } from '../../common/protocol/records/remove-delegation-token-record.ts'
import { RemoveTopicRecord } from '../../common/protocol/records/remove-topic-record.ts'
import { RemoveUserScramCredentialRecord } from '../../common/protocol/records/remove-user-scram-credential-record.ts'
import { RequestHeader } from '../../common/protocol/records/request-header.ts'
import { ResponseHeader } from '../../common/protocol/records/response-header.ts'
import {
  ShareGroupCurrentMemberAssignmentKey,
  ShareGroupCurrentMemberAssignmentValue,
} from '../../common/protocol/records/share-group-current-member-assignment.ts'
import {
  ShareGroupMemberMetadataKey,
  ShareGroupMemberMetadataValue,
} from '../../common/protocol/records/share-group-member-metadata.ts'
import {
  ShareGroupMetadataKey,
  ShareGroupMetadataValue,
} from '../../common/protocol/records/share-group-metadata.ts'
import {
  ShareGroupStatePartitionMetadataKey,
  ShareGroupStatePartitionMetadataValue,
} from '../../common/protocol/records/share-group-state-partition-metadata.ts'
import {
  ShareGroupTargetAssignmentMemberKey,
  ShareGroupTargetAssignmentMemberValue,
} from '../../common/protocol/records/share-group-target-assignment-member.ts'
import {
  ShareGroupTargetAssignmentMetadataKey,
  ShareGroupTargetAssignmentMetadataValue,
} from '../../common/protocol/records/share-group-target-assignment-metadata.ts'
import { ShareSnapshotKey, ShareSnapshotValue } from '../../common/protocol/records/share-snapshot.ts'
import { ShareUpdateKey, ShareUpdateValue } from '../../common/protocol/records/share-update.ts'
import { SnapshotFooterRecord } from '../../common/protocol/records/snapshot-footer-record.ts'
import { SnapshotHeaderRecord } from '../../common/protocol/records/snapshot-header-record.ts'
import {
  StreamsGroupCurrentMemberAssignmentKey,
  StreamsGroupCurrentMemberAssignmentValue,
} from '../../common/protocol/records/streams-group-current-member-assignment.ts'
import {
  StreamsGroupMemberMetadataKey,
  StreamsGroupMemberMetadataValue,
} from '../../common/protocol/records/streams-group-member-metadata.ts'
import {
  StreamsGroupMetadataKey,
  StreamsGroupMetadataValue,
} from '../../common/protocol/records/streams-group-metadata.ts'
import {
  StreamsGroupTargetAssignmentMemberKey,
  StreamsGroupTargetAssignmentMemberValue,
} from '../../common/protocol/records/streams-group-target-assignment-member.ts'
import {
  StreamsGroupTargetAssignmentMetadataKey,
  StreamsGroupTargetAssignmentMetadataValue,
} from '../../common/protocol/records/streams-group-target-assignment-metadata.ts'
import {
  StreamsGroupTopologyKey,
  StreamsGroupTopologyValue,
} from '../../common/protocol/records/streams-group-topology.ts'
import { TopicRecord } from '../../common/protocol/records/topic-record.ts'
import { TransactionLogKey, TransactionLogValue } from '../../common/protocol/records/transaction-log.ts'
import { UnfenceBrokerRecord } from '../../common/protocol/records/unfence-broker-record.ts'
import { UnregisterBrokerRecord } from '../../common/protocol/records/unregister-broker-record.ts'
import { UnregisterControllerRecord } from '../../common/protocol/records/unregister-controller-record.ts'
import { UserScramCredentialRecord } from '../../common/protocol/records/user-scram-credential-record.ts'
import { VotersRecord } from '../../common/protocol/records/voters-record.ts'
import { ZkMigrationStateRecord } from '../../common/protocol/records/zk-migration-state-record.ts'
import type { RecordSchema } from '../../common/protocol/schema.ts'

const all: readonly RecordSchema[] = [
  AbortTransactionRecord,
  AbortedTxn,
  AccessControlEntryRecord,
  BeginTransactionRecord,
  BrokerRegistrationChangeRecord,
  ClearElrRecord,
  ClientQuotaRecord,
  ConfigRecord,
  ConsumerGroupCurrentMemberAssignmentKey,
  ConsumerGroupCurrentMemberAssignmentValue,
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupMemberMetadataValue,
  ConsumerGroupMetadataKey,
  ConsumerGroupMetadataValue,
  ConsumerGroupPartitionMetadataKey,
  ConsumerGroupPartitionMetadataValue,
  ConsumerGroupRegularExpressionKey,
  ConsumerGroupRegularExpressionValue,
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupTargetAssignmentMemberValue,
  ConsumerGroupTargetAssignmentMetadataKey,
  ConsumerGroupTargetAssignmentMetadataValue,
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  ControlRecordTypeSchema,
  DefaultPrincipalData,
  DelegationTokenRecord,
  EndTransactionRecord,
  EndTxnMarker,
  FeatureLevelRecord,
  FenceBrokerRecord,
  GroupMetadataKey,
  GroupMetadataValue,
  KRaftVersionRecord,
  LeaderChangeMessage,
  LegacyOffsetCommitKey,
  LegacyOffsetCommitValue,
  NoOpRecord,
  OffsetCommitKey,
  OffsetCommitValue,
  PartitionChangeRecord,
  PartitionRecord,
  ProducerIdsRecord,
  ProducerSnapshot,
  QuorumStateData,
  RegisterBrokerRecord,
  RegisterControllerRecord,
  RemoveAccessControlEntryRecord,
  RemoveDelegationTokenRecord,
  RemoveTopicRecord,
  RemoveUserScramCredentialRecord,
  RequestHeader,
  ResponseHeader,
  ShareGroupCurrentMemberAssignmentKey,
  ShareGroupCurrentMemberAssignmentValue,
  ShareGroupMemberMetadataKey,
  ShareGroupMemberMetadataValue,
  ShareGroupMetadataKey,
  ShareGroupMetadataValue,
  ShareGroupStatePartitionMetadataKey,
  ShareGroupStatePartitionMetadataValue,
  ShareGroupTargetAssignmentMemberKey,
  ShareGroupTargetAssignmentMemberValue,
  ShareGroupTargetAssignmentMetadataKey,
  ShareGroupTargetAssignmentMetadataValue,
  ShareSnapshotKey,
  ShareSnapshotValue,
  ShareUpdateKey,
  ShareUpdateValue,
  SnapshotFooterRecord,
  SnapshotHeaderRecord,
  StreamsGroupCurrentMemberAssignmentKey,
  StreamsGroupCurrentMemberAssignmentValue,
  StreamsGroupMemberMetadataKey,
  StreamsGroupMemberMetadataValue,
  StreamsGroupMetadataKey,
  StreamsGroupMetadataValue,
  StreamsGroupTargetAssignmentMemberKey,
  StreamsGroupTargetAssignmentMemberValue,
  StreamsGroupTargetAssignmentMetadataKey,
  StreamsGroupTargetAssignmentMetadataValue,
  StreamsGroupTopologyKey,
  StreamsGroupTopologyValue,
  TopicRecord,
  TransactionLogKey,
  TransactionLogValue,
  UnfenceBrokerRecord,
  UnregisterBrokerRecord,
  UnregisterControllerRecord,
  UserScramCredentialRecord,
  VotersRecord,
  ZkMigrationStateRecord,
]

export const recordSchemas: ReadonlyMap<string, RecordSchema> = new Map(
  all.map((record) => [record.name, record]),
)
