/** The public names of `kafkito/admin`; `kafkito/client` has them too. */
export {
  AclOperation,
  AclPermissionType,
  AlterConfigOpType,
  ConfigSource,
  ConsumerGroupState,
  ConsumerGroupType,
  ElectionType,
  IsolationLevel,
  ResourcePatternType,
  ResourceType,
  ScramMechanism,
} from '../constants.ts'
export {
  type BrokerMetadata,
  type ClusterMetadata,
  type GroupMember,
  type GroupMetadata,
  Node,
  type PartitionMetadata,
  type TopicMetadata,
} from '../values/cluster-metadata.ts'
export { TopicPartition } from '../values/topic-partition.ts'
export { Uuid } from '../values/uuid.ts'
export { AclBinding, AclBindingFilter } from './acls.ts'
export { AdminClient } from './admin-client.ts'
export type {
  AdminOptions,
  AuthorizedOptions,
  BrokerOptions,
  OperationOptions,
  ValidateOptions,
} from './admin-options.ts'
export {
  type ClientQuotaAlteration,
  ClientQuotaEntity,
  type ClientQuotaFilter,
  type ClientQuotaFilterComponent,
  type ClientQuotaOperation,
} from './client-quotas.ts'
export type { DescribeClusterResult } from './cluster.ts'
export { ConfigEntry, type ConfigEntryOptions } from './config-entry.ts'
export { ConfigResource, type ConfigResourceOptions, type ConfigValue } from './config-resource.ts'
export {
  type FeatureMetadata,
  type FeatureUpdate,
  FeatureUpgradeType,
  type QuorumInfo,
  type QuorumReplicaState,
  type VersionRange,
} from './features.ts'
export type { ConsumerGroupDescription, MemberAssignment, MemberDescription } from './group-descriptions.ts'
export type {
  ConsumerGroupListing,
  ListConsumerGroupsOptions,
  ListConsumerGroupsResult,
  ListShareGroupsResult,
  ShareGroupListing,
} from './group-listings.ts'
export {
  ConsumerGroupTopicPartitions,
  type ListGroupOffsetsOptions,
  type ResetOffsetsRequest,
} from './group-offsets.ts'
export type { MemberToRemove, RemovedMember, RemoveMembersOptions } from './groups.ts'
export { KeyedMap, type MapKey, ResultMap } from './keyed-map.ts'
export type { LogDirDescription, ReplicaInfo } from './log-dirs.ts'
export { NewPartitions, type NewPartitionsOptions } from './new-partitions.ts'
export { NewTopic, type NewTopicInit, type NewTopicOptions, type TopicConfig } from './new-topic.ts'
export {
  EarliestSpec,
  LatestSpec,
  MaxTimestampSpec,
  OffsetSpec,
  TimestampSpec,
} from './offset-spec.ts'
export type { ListOffsetsOptions, ListOffsetsResultInfo, OffsetSpecs } from './offsets.ts'
export type { PartitionReassignment, Reassignments } from './reassignments.ts'
export type { DeletedRecords } from './records.ts'
export {
  ScramCredentialInfo,
  UserScramCredentialAlteration,
  UserScramCredentialDeletion,
  type UserScramCredentialsDescription,
  UserScramCredentialUpsertion,
} from './scram.ts'
export type { ShareGroupDescription, ShareGroupOffset, ShareMemberDescription } from './share-groups.ts'
export { TopicCollection, type TopicDescription, type TopicPartitionInfo } from './topic-descriptions.ts'
export type {
  AbortTransactionSpec,
  ListTransactionsOptions,
  ListTransactionsResult,
  ProducerState,
  TransactionDescription,
  TransactionListing,
} from './transactions.ts'
