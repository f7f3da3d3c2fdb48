/** The public names of `kafkito/admin`; `kafkito/client` has them too. */
export type { ClientHooks } from '../client-hooks.ts'
export type { ClientConfig, PropertyName } from '../config/table.ts'
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
export { KafkaError, KafkaException, ValueError } from '../errors.ts'
export type { ClientEvents } from '../events/event-maps.ts'
export type { CallOptions, ListTopicsOptions, Timeout } from '../timeouts.ts'
export {
  type BrokerMetadata,
  type ClusterMetadata,
  type GroupMember,
  type GroupMetadata,
  Node,
  type PartitionMetadata,
  type TopicMetadata,
} from '../values/cluster-metadata.ts'
export { TopicPartition, type TopicPartitionInit } from '../values/topic-partition.ts'
export { Uuid } from '../values/uuid.ts'
export { AdminClient } from './admin-client.ts'
export type {
  AdminOptions,
  AuthorizedOptions,
  BrokerOptions,
  OperationOptions,
  ValidateOptions,
} from './admin-options.ts'
export type { DescribeClusterResult } from './cluster/cluster.ts'
export {
  type FeatureMetadata,
  type FeatureUpdate,
  FeatureUpgradeType,
  type QuorumInfo,
  type QuorumReplicaState,
  type VersionRange,
} from './cluster/features.ts'
export type { LogDirDescription, ReplicaInfo } from './cluster/log-dirs.ts'
export {
  type ClientQuotaAlteration,
  ClientQuotaEntity,
  type ClientQuotaEntityType,
  type ClientQuotaFilter,
  type ClientQuotaFilterComponent,
  type ClientQuotaOperation,
} from './configs/client-quotas.ts'
export { ConfigEntry, type ConfigEntryOptions } from './configs/config-entry.ts'
export { ConfigResource, type ConfigResourceOptions, type ConfigValue } from './configs/config-resource.ts'
export type {
  ConsumerGroupDescription,
  MemberAssignment,
  MemberDescription,
} from './groups/group-descriptions.ts'
export type {
  ConsumerGroupListing,
  ListConsumerGroupsOptions,
  ListConsumerGroupsResult,
  ListShareGroupsResult,
  ShareGroupListing,
} from './groups/group-listings.ts'
export {
  ConsumerGroupTopicPartitions,
  type ListGroupOffsetsOptions,
  type ResetOffsetsRequest,
} from './groups/group-offsets.ts'
export type { MemberToRemove, RemovedMember, RemoveMembersOptions } from './groups/groups.ts'
export type {
  ShareGroupDescription,
  ShareGroupOffset,
  ShareMemberDescription,
} from './groups/share-groups.ts'
export { KeyedMap, type MapKey, ResultMap } from './keyed-map.ts'
export { AclBinding, AclBindingFilter } from './security/acls.ts'
export {
  ScramCredentialInfo,
  UserScramCredentialAlteration,
  UserScramCredentialDeletion,
  type UserScramCredentialsDescription,
  UserScramCredentialUpsertion,
} from './security/scram.ts'
export { NewPartitions, type NewPartitionsOptions } from './topics/new-partitions.ts'
export { NewTopic, type NewTopicInit, type NewTopicOptions, type TopicConfig } from './topics/new-topic.ts'
export {
  EarliestSpec,
  LatestSpec,
  MaxTimestampSpec,
  OffsetSpec,
  TimestampSpec,
} from './topics/offset-spec.ts'
export type { ListOffsetsOptions, ListOffsetsResultInfo, OffsetSpecs } from './topics/offsets.ts'
export type { PartitionReassignment, Reassignments } from './topics/reassignments.ts'
export type { DeletedRecords } from './topics/records.ts'
export {
  TopicCollection,
  type TopicDescription,
  type TopicPartitionInfo,
} from './topics/topic-descriptions.ts'
export type {
  AbortTransactionSpec,
  ListTransactionsOptions,
  ListTransactionsResult,
  ProducerState,
  TransactionDescription,
  TransactionListing,
} from './transactions.ts'
