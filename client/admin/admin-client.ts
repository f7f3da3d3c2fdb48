/**
 * The documented AdminClient. Surface only: each family of calls has a module of its own, and `AdminEngine` what they share.
 *
 * Calls go on by themselves; `poll` serves the callbacks of the handle (errors, statistics, log lines). Beside them there are
 * typed events (`ClientEvents`).
 */
import { EventEmitter } from 'node:events'
import { ClientCore } from '../client-core.ts'
import type { ClientHooks } from '../client-hooks.ts'
import { readConfig } from '../config/read-config.ts'
import type { ClientConfig } from '../config/table.ts'
import type { ElectionType } from '../constants.ts'
import type { KafkaError } from '../errors.ts'
import type { ClientEvents } from '../events/event-maps.ts'
import { commonStatistics } from '../statistics/broker-document.ts'
import {
  type CloseOptions,
  callLimits,
  closeLimits,
  type ListTopicsOptions,
  type Timeout,
} from '../timeouts.ts'
import type { ClusterMetadata, GroupMetadata } from '../values/cluster-metadata.ts'
import type { TopicPartition } from '../values/topic-partition.ts'
import { AdminEngine } from './admin-engine.ts'
import type {
  AdminOptions,
  AuthorizedOptions,
  BrokerOptions,
  OperationOptions,
  ValidateOptions,
} from './admin-options.ts'
import { type DescribeClusterResult, describeCluster } from './cluster/cluster.ts'
import {
  describeFeatures,
  describeMetadataQuorum,
  type FeatureMetadata,
  type FeatureUpdate,
  type QuorumInfo,
  updateFeatures,
} from './cluster/features.ts'
import { describeLogDirs, type LogDirDescription } from './cluster/log-dirs.ts'
import {
  alterClientQuotas,
  type ClientQuotaAlteration,
  type ClientQuotaEntity,
  type ClientQuotaFilter,
  describeClientQuotas,
} from './configs/client-quotas.ts'
import type { ConfigEntry } from './configs/config-entry.ts'
import type { ConfigResource } from './configs/config-resource.ts'
import { alterConfigs, describeConfigs, incrementalAlterConfigs } from './configs/configs.ts'
import { type ConsumerGroupDescription, describeConsumerGroups } from './groups/group-descriptions.ts'
import {
  type ListConsumerGroupsOptions,
  type ListConsumerGroupsResult,
  type ListShareGroupsResult,
  listConsumerGroups,
  listShareGroups,
} from './groups/group-listings.ts'
import {
  alterConsumerGroupOffsets,
  type ConsumerGroupTopicPartitions,
  deleteConsumerGroupOffsets,
  type ListGroupOffsetsOptions,
  listConsumerGroupOffsets,
  type ResetOffsetsRequest,
  resetOffsets,
} from './groups/group-offsets.ts'
import {
  deleteConsumerGroups,
  type MemberToRemove,
  type RemovedMember,
  type RemoveMembersOptions,
  removeMembersFromConsumerGroup,
} from './groups/groups.ts'
import { listGroups } from './groups/legacy-groups.ts'
import {
  alterShareGroupOffsets,
  deleteShareGroupOffsets,
  describeShareGroups,
  listShareGroupOffsets,
  type ShareGroupDescription,
  type ShareGroupOffset,
} from './groups/share-groups.ts'
import type { KeyedMap, ResultMap } from './keyed-map.ts'
import { createAcls, deleteAcls, describeAcls } from './security/acl-calls.ts'
import type { AclBinding, AclBindingFilter } from './security/acls.ts'
import {
  alterUserScramCredentials,
  describeAllScramUsers,
  describeScramUsers,
  type UserScramCredentialAlteration,
  type UserScramCredentialsDescription,
} from './security/scram.ts'
import { electLeaders } from './topics/elections.ts'
import type { NewPartitions } from './topics/new-partitions.ts'
import type { NewTopic } from './topics/new-topic.ts'
import {
  type ListOffsetsOptions,
  type ListOffsetsResultInfo,
  listOffsets,
  type OffsetSpecs,
} from './topics/offsets.ts'
import {
  alterPartitionReassignments,
  listPartitionReassignments,
  type PartitionReassignment,
  type Reassignments,
} from './topics/reassignments.ts'
import { type DeletedRecords, deleteRecords } from './topics/records.ts'
import { describeTopics, type TopicCollection, type TopicDescription } from './topics/topic-descriptions.ts'
import { fetchTopicOffsetsByTimestamp } from './topics/topic-offsets.ts'
import { createPartitions, createTopics, deleteTopics } from './topics/topics.ts'
import {
  type AbortTransactionSpec,
  abortTransaction,
  describeProducers,
  describeTransactions,
  type ListTransactionsOptions,
  type ListTransactionsResult,
  listTransactions,
  type ProducerState,
  type TransactionDescription,
} from './transactions.ts'

export class AdminClient extends EventEmitter<ClientEvents> {
  readonly #engine: AdminEngine

  /**
   * @param extra overrides `conf`: `{ logger }`
   * @param hooks for tests: see `ClientHooks`
   */
  constructor(conf?: ClientConfig, extra?: ClientConfig, hooks: ClientHooks = {}) {
    super()
    const config = readConfig('admin', conf, extra)
    const core = new ClientCore(config, hooks, { onRoom: () => {}, onDown: () => {}, emitter: this })
    this.#engine = new AdminEngine(core)
    // The documented types are two; a handle that consumes nothing is a producer.
    core.startStatistics(() => ({ ...commonStatistics(core, 'producer'), topics: {} }))
  }

  /** As the constructor; with OAUTHBEARER it waits for the first token and fails with SASL_AUTHENTICATION_FAILED without one. */
  static async create(
    conf?: ClientConfig,
    extra?: ClientConfig,
    hooks: ClientHooks = {},
  ): Promise<AdminClient> {
    const admin = new AdminClient(conf, extra, hooks)
    return admin.#engine.core.whenReady(admin)
  }

  // Topics and partitions

  /** One result a topic. */
  createTopics(
    newTopics: readonly NewTopic[],
    options?: OperationOptions & ValidateOptions,
  ): ResultMap<string, void> {
    return createTopics(this.#open(), newTopics, options)
  }

  /** One result a topic. */
  deleteTopics(topics: readonly string[], options?: OperationOptions): ResultMap<string, void> {
    return deleteTopics(this.#open(), topics, options)
  }

  /** Makes topics grow; one result a topic. */
  createPartitions(
    newPartitions: readonly NewPartitions[],
    options?: OperationOptions & ValidateOptions,
  ): ResultMap<string, void> {
    return createPartitions(this.#open(), newPartitions, options)
  }

  /** Partitions, replicas and, with `includeAuthorizedOperations`, what the caller may do; one result a topic. */
  describeTopics(
    topics: TopicCollection | readonly string[],
    options?: AdminOptions & AuthorizedOptions,
  ): ResultMap<string, TopicDescription> {
    return describeTopics(this.#open(), topics, options)
  }

  /** Removes what lies before the `offset` of each partition; OFFSET_END removes everything. */
  deleteRecords(
    partitions: readonly TopicPartition[],
    options?: OperationOptions,
  ): ResultMap<TopicPartition, DeletedRecords> {
    return deleteRecords(this.#open(), partitions, options)
  }

  /** Offsets by `OffsetSpec`. */
  listOffsets(
    specs: OffsetSpecs,
    options?: ListOffsetsOptions,
  ): ResultMap<TopicPartition, ListOffsetsResultInfo> {
    return listOffsets(this.#open(), specs, options)
  }

  /** Addition: of every partition the first offset at or after the time, or its end. */
  async fetchTopicOffsetsByTimestamp(
    topic: string,
    timestampMs?: number | null,
    options?: AdminOptions,
  ): Promise<TopicPartition[]> {
    return await fetchTopicOffsetsByTimestamp(this.#open(), topic, timestampMs, options)
  }

  /** null as partitions: all of them. A partition's result is null when a leader was elected. */
  async electLeaders(
    electionType: ElectionType,
    partitions?: readonly TopicPartition[] | null,
    options?: OperationOptions,
  ): Promise<KeyedMap<TopicPartition, KafkaError | null>> {
    return await electLeaders(this.#open(), electionType, partitions, options)
  }

  /** Moves partitions to other brokers; null takes a move back. */
  alterPartitionReassignments(
    reassignments: Reassignments,
    options?: OperationOptions,
  ): ResultMap<TopicPartition, void> {
    return alterPartitionReassignments(this.#open(), reassignments, options)
  }

  /** Moves in progress, of these partitions or of all. */
  async listPartitionReassignments(
    partitions?: readonly TopicPartition[] | null,
    options?: OperationOptions,
  ): Promise<KeyedMap<TopicPartition, PartitionReassignment>> {
    return await listPartitionReassignments(this.#open(), partitions, options)
  }

  // Cluster

  /** Brokers, and all topics or one. */
  listTopics(topic?: string | null | ListTopicsOptions, timeout?: Timeout): Promise<ClusterMetadata> {
    return this.#engine.core.listTopics(topic, timeout)
  }

  /** Brokers, controller, and with `includeAuthorizedOperations` what the caller may do. */
  async describeCluster(options?: AdminOptions & AuthorizedOptions): Promise<DescribeClusterResult> {
    return await describeCluster(this.#open(), options)
  }

  /** What lies in the log directories; one result a broker, by path. */
  describeLogDirs(
    brokerIds: readonly number[],
    options?: AdminOptions,
  ): ResultMap<number, Map<string, LogDirDescription>> {
    return describeLogDirs(this.#open(), brokerIds, options)
  }

  // Configurations

  /** At most one resource may be a broker: `_CONFLICT`. */
  describeConfigs(
    resources: readonly ConfigResource[],
    options?: AdminOptions & BrokerOptions,
  ): ResultMap<ConfigResource, Map<string, ConfigEntry>> {
    return describeConfigs(this.#open(), resources, options)
  }

  /** @deprecated replaces whole configurations; use `incrementalAlterConfigs` */
  alterConfigs(
    resources: readonly ConfigResource[],
    options?: AdminOptions & BrokerOptions & ValidateOptions,
  ): ResultMap<ConfigResource, void> {
    return alterConfigs(this.#open(), resources, options)
  }

  /** Changes the entries of `incrementalConfigs`, and nothing else. */
  incrementalAlterConfigs(
    resources: readonly ConfigResource[],
    options?: AdminOptions & BrokerOptions & ValidateOptions,
  ): ResultMap<ConfigResource, void> {
    return incrementalAlterConfigs(this.#open(), resources, options)
  }

  // Access control

  /** A rule that exists already is no error. Without an authorizer all of them are SECURITY_DISABLED. */
  createAcls(acls: readonly AclBinding[], options?: AdminOptions): ResultMap<AclBinding, void> {
    return createAcls(this.#open(), acls, options)
  }

  /** The rules that the filter matches. */
  async describeAcls(filter: AclBindingFilter, options?: AdminOptions): Promise<AclBinding[]> {
    return await describeAcls(this.#open(), filter, options)
  }

  /** Each filter resolves with the rules that it removed. */
  deleteAcls(
    filters: readonly AclBindingFilter[],
    options?: AdminOptions,
  ): ResultMap<AclBindingFilter, AclBinding[]> {
    return deleteAcls(this.#open(), filters, options)
  }

  // Groups

  /** @deprecated by `listConsumerGroups` and `describeConsumerGroups` */
  async listGroups(group?: string | null, timeout?: Timeout): Promise<GroupMetadata[]> {
    return await listGroups(this.#open(), group, timeout)
  }

  /** The consumer groups of all brokers. What single brokers refuse stands in `errors`. */
  async listConsumerGroups(options?: ListConsumerGroupsOptions): Promise<ListConsumerGroupsResult> {
    return await listConsumerGroups(this.#open(), options)
  }

  /** Classic groups, and those of KIP-848. */
  describeConsumerGroups(
    groupIds: readonly string[],
    options?: AdminOptions & AuthorizedOptions,
  ): ResultMap<string, ConsumerGroupDescription> {
    return describeConsumerGroups(this.#open(), groupIds, options)
  }

  /** Groups must have no members; one result a group. */
  deleteConsumerGroups(groupIds: readonly string[], options?: AdminOptions): ResultMap<string, void> {
    return deleteConsumerGroups(this.#open(), groupIds, options)
  }

  /** What one group has committed; OFFSET_INVALID where there is nothing. */
  listConsumerGroupOffsets(
    request: readonly ConsumerGroupTopicPartitions[],
    options?: ListGroupOffsetsOptions,
  ): ResultMap<string, ConsumerGroupTopicPartitions> {
    return listConsumerGroupOffsets(this.#open(), request, options)
  }

  /** Commits for one group, which must have no members. Each partition has an `error` of its own. */
  alterConsumerGroupOffsets(
    request: readonly ConsumerGroupTopicPartitions[],
    options?: AdminOptions,
  ): ResultMap<string, ConsumerGroupTopicPartitions> {
    return alterConsumerGroupOffsets(this.#open(), request, options)
  }

  /** Addition. Each partition has an `error` of its own. */
  deleteConsumerGroupOffsets(
    request: readonly ConsumerGroupTopicPartitions[],
    options?: AdminOptions,
  ): ResultMap<string, ConsumerGroupTopicPartitions> {
    return deleteConsumerGroupOffsets(this.#open(), request, options)
  }

  /** Addition: commits the end, or the beginning, of all partitions of a topic for a group without members. */
  async resetOffsets(request: ResetOffsetsRequest, options?: AdminOptions): Promise<TopicPartition[]> {
    return await resetOffsets(this.#open(), request, options)
  }

  /** Addition: takes members, or all with null, out of a classic group. */
  async removeMembersFromConsumerGroup(
    groupId: string,
    members: readonly MemberToRemove[] | null,
    options?: RemoveMembersOptions,
  ): Promise<RemovedMember[]> {
    return await removeMembersFromConsumerGroup(this.#open(), groupId, members, options)
  }

  // Share groups (additions)

  /** The share groups (KIP-932) of all brokers. What single brokers refuse stands in `errors`. */
  async listShareGroups(options?: AdminOptions): Promise<ListShareGroupsResult> {
    return await listShareGroups(this.#open(), options)
  }

  /** State, coordinator and members; one result a group. */
  describeShareGroups(
    groupIds: readonly string[],
    options?: AdminOptions & AuthorizedOptions,
  ): ResultMap<string, ShareGroupDescription> {
    return describeShareGroups(this.#open(), groupIds, options)
  }

  /** Groups must have no members; one result a group. */
  deleteShareGroups(groupIds: readonly string[], options?: AdminOptions): ResultMap<string, void> {
    return deleteConsumerGroups(this.#open(), groupIds, options)
  }

  /** Where the group begins to read; null stands for all partitions that it has read. */
  async listShareGroupOffsets(
    groupId: string,
    partitions?: readonly TopicPartition[] | null,
    options?: AdminOptions,
  ): Promise<ShareGroupOffset[]> {
    return await listShareGroupOffsets(this.#open(), groupId, partitions, options)
  }

  /** The group must have no members. */
  alterShareGroupOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options?: AdminOptions,
  ): ResultMap<TopicPartition, void> {
    return alterShareGroupOffsets(this.#open(), groupId, partitions, options)
  }

  /** The group must have no members. */
  deleteShareGroupOffsets(
    groupId: string,
    topics: readonly string[],
    options?: AdminOptions,
  ): ResultMap<string, void> {
    return deleteShareGroupOffsets(this.#open(), groupId, topics, options)
  }

  // Users and quotas

  /** With a list one result a user; without one promise for all users that have credentials. */
  describeUserScramCredentials(
    users: readonly string[],
    options?: AdminOptions,
  ): ResultMap<string, UserScramCredentialsDescription>
  describeUserScramCredentials(
    users?: null,
    options?: AdminOptions,
  ): Promise<Map<string, UserScramCredentialsDescription>>
  describeUserScramCredentials(
    users?: readonly string[] | null,
    options?: AdminOptions,
  ):
    | ResultMap<string, UserScramCredentialsDescription>
    | Promise<Map<string, UserScramCredentialsDescription>> {
    if (users !== undefined && users !== null) return describeScramUsers(this.#open(), users, options)
    return (async () => await describeAllScramUsers(this.#open(), options))()
  }

  /** Passwords are salted and hashed here; what is sent is the hash. */
  alterUserScramCredentials(
    alterations: readonly UserScramCredentialAlteration[],
    options?: AdminOptions,
  ): ResultMap<string, void> {
    return alterUserScramCredentials(this.#open(), alterations, options)
  }

  /** Addition: quotas by entity. */
  async describeClientQuotas(
    filter?: ClientQuotaFilter,
    options?: AdminOptions,
  ): Promise<KeyedMap<ClientQuotaEntity, ReadonlyMap<string, number>>> {
    return await describeClientQuotas(this.#open(), filter, options)
  }

  /** Addition. */
  alterClientQuotas(
    alterations: readonly ClientQuotaAlteration[],
    options?: AdminOptions & ValidateOptions,
  ): ResultMap<ClientQuotaEntity, void> {
    return alterClientQuotas(this.#open(), alterations, options)
  }

  // Transactions (additions)

  /** The transactions (KIP-664) that all coordinators know, open and ended. */
  async listTransactions(options?: ListTransactionsOptions): Promise<ListTransactionsResult> {
    return await listTransactions(this.#open(), options)
  }

  /** State, producer and partitions; one result a transactional id. */
  describeTransactions(
    transactionalIds: readonly string[],
    options?: AdminOptions,
  ): ResultMap<string, TransactionDescription> {
    return describeTransactions(this.#open(), transactionalIds, options)
  }

  /** The producers that the leaders of partitions remember. */
  describeProducers(
    partitions: readonly TopicPartition[],
    options?: AdminOptions,
  ): ResultMap<TopicPartition, readonly ProducerState[]> {
    return describeProducers(this.#open(), partitions, options)
  }

  /** Ends a transaction that hangs in one partition, past its coordinator. */
  async abortTransaction(spec: AbortTransactionSpec, options?: AdminOptions): Promise<void> {
    await abortTransaction(this.#open(), spec, options)
  }

  // Features and quorum (additions)

  /** Supported and finalized levels (KIP-584). */
  async describeFeatures(options?: AdminOptions & BrokerOptions): Promise<FeatureMetadata> {
    return await describeFeatures(this.#open(), options)
  }

  /** Raises or lowers finalized levels (KIP-584); one result a feature. */
  updateFeatures(
    updates: ReadonlyMap<string, FeatureUpdate> | Readonly<Record<string, FeatureUpdate>>,
    options?: AdminOptions & ValidateOptions,
  ): ResultMap<string, void> {
    return updateFeatures(this.#open(), updates, options)
  }

  /** Leader, voters and observers of the metadata log (KIP-836). */
  async describeMetadataQuorum(options?: AdminOptions): Promise<QuorumInfo> {
    return await describeMetadataQuorum(this.#open(), options)
  }

  // The handle

  /** Serves queued callbacks; waits for the first one. @returns how many were served */
  async poll(timeout?: Timeout): Promise<number> {
    this.#engine.core.checkOpen()
    const { timeoutMs, signal } = callLimits(timeout)
    return await this.#engine.core.events.poll(timeoutMs, signal)
  }

  /** For PLAIN and SCRAM, from the next authentication on. */
  setSaslCredentials(username: string, password: string): void {
    this.#engine.core.setSaslCredentials(username, password)
  }

  /** Callbacks that wait for `poll`. */
  get length(): number {
    return this.#engine.core.events.size
  }

  /** The documented spelling of `length`. */
  len(): number {
    return this.length
  }

  /**
   * Calls in progress fail with `_DESTROY`; what they asked for may still take effect. Idempotent. The options are those of the
   * other handles: here nothing is waited for, whatever they say.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    closeLimits(options)
    this.#engine.close()
    await Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Throws ClosedError after `close`. */
  #open(): AdminEngine {
    this.#engine.core.checkOpen()
    return this.#engine
  }
}
