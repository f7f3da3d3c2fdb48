/**
 * Every API Kafka 4.4 has, by key and by name. Keys 4 to 7 (LeaderAndIsr, StopReplica, UpdateMetadata,
 * ControlledShutdown) have no valid version since Kafka 4.0 and are left out.
 */
import { Produce } from './apis/00-produce.ts'
import { Fetch } from './apis/01-fetch.ts'
import { ListOffsets } from './apis/02-list-offsets.ts'
import { Metadata } from './apis/03-metadata.ts'
import { OffsetCommit } from './apis/08-offset-commit.ts'
import { OffsetFetch } from './apis/09-offset-fetch.ts'
import { FindCoordinator } from './apis/10-find-coordinator.ts'
import { JoinGroup } from './apis/11-join-group.ts'
import { Heartbeat } from './apis/12-heartbeat.ts'
import { LeaveGroup } from './apis/13-leave-group.ts'
import { SyncGroup } from './apis/14-sync-group.ts'
import { DescribeGroups } from './apis/15-describe-groups.ts'
import { ListGroups } from './apis/16-list-groups.ts'
import { SaslHandshake } from './apis/17-sasl-handshake.ts'
import { ApiVersions } from './apis/18-api-versions.ts'
import { CreateTopics } from './apis/19-create-topics.ts'
import { DeleteTopics } from './apis/20-delete-topics.ts'
import { DeleteRecords } from './apis/21-delete-records.ts'
import { InitProducerId } from './apis/22-init-producer-id.ts'
import { OffsetForLeaderEpoch } from './apis/23-offset-for-leader-epoch.ts'
import { AddPartitionsToTxn } from './apis/24-add-partitions-to-txn.ts'
import { AddOffsetsToTxn } from './apis/25-add-offsets-to-txn.ts'
import { EndTxn } from './apis/26-end-txn.ts'
import { WriteTxnMarkers } from './apis/27-write-txn-markers.ts'
import { TxnOffsetCommit } from './apis/28-txn-offset-commit.ts'
import { DescribeAcls } from './apis/29-describe-acls.ts'
import { CreateAcls } from './apis/30-create-acls.ts'
import { DeleteAcls } from './apis/31-delete-acls.ts'
import { DescribeConfigs } from './apis/32-describe-configs.ts'
import { AlterConfigs } from './apis/33-alter-configs.ts'
import { AlterReplicaLogDirs } from './apis/34-alter-replica-log-dirs.ts'
import { DescribeLogDirs } from './apis/35-describe-log-dirs.ts'
import { SaslAuthenticate } from './apis/36-sasl-authenticate.ts'
import { CreatePartitions } from './apis/37-create-partitions.ts'
import { CreateDelegationToken } from './apis/38-create-delegation-token.ts'
import { RenewDelegationToken } from './apis/39-renew-delegation-token.ts'
import { ExpireDelegationToken } from './apis/40-expire-delegation-token.ts'
import { DescribeDelegationToken } from './apis/41-describe-delegation-token.ts'
import { DeleteGroups } from './apis/42-delete-groups.ts'
import { ElectLeaders } from './apis/43-elect-leaders.ts'
import { IncrementalAlterConfigs } from './apis/44-incremental-alter-configs.ts'
import { AlterPartitionReassignments } from './apis/45-alter-partition-reassignments.ts'
import { ListPartitionReassignments } from './apis/46-list-partition-reassignments.ts'
import { OffsetDelete } from './apis/47-offset-delete.ts'
import { DescribeClientQuotas } from './apis/48-describe-client-quotas.ts'
import { AlterClientQuotas } from './apis/49-alter-client-quotas.ts'
import { DescribeUserScramCredentials } from './apis/50-describe-user-scram-credentials.ts'
import { AlterUserScramCredentials } from './apis/51-alter-user-scram-credentials.ts'
import { Vote } from './apis/52-vote.ts'
import { BeginQuorumEpoch } from './apis/53-begin-quorum-epoch.ts'
import { EndQuorumEpoch } from './apis/54-end-quorum-epoch.ts'
import { DescribeQuorum } from './apis/55-describe-quorum.ts'
import { AlterPartition } from './apis/56-alter-partition.ts'
import { UpdateFeatures } from './apis/57-update-features.ts'
import { Envelope } from './apis/58-envelope.ts'
import { FetchSnapshot } from './apis/59-fetch-snapshot.ts'
import { DescribeCluster } from './apis/60-describe-cluster.ts'
import { DescribeProducers } from './apis/61-describe-producers.ts'
import { BrokerRegistration } from './apis/62-broker-registration.ts'
import { BrokerHeartbeat } from './apis/63-broker-heartbeat.ts'
import { UnregisterBroker } from './apis/64-unregister-broker.ts'
import { DescribeTransactions } from './apis/65-describe-transactions.ts'
import { ListTransactions } from './apis/66-list-transactions.ts'
import { AllocateProducerIds } from './apis/67-allocate-producer-ids.ts'
import { ConsumerGroupHeartbeat } from './apis/68-consumer-group-heartbeat.ts'
import { ConsumerGroupDescribe } from './apis/69-consumer-group-describe.ts'
import { ControllerRegistration } from './apis/70-controller-registration.ts'
import { GetTelemetrySubscriptions } from './apis/71-get-telemetry-subscriptions.ts'
import { PushTelemetry } from './apis/72-push-telemetry.ts'
import { AssignReplicasToDirs } from './apis/73-assign-replicas-to-dirs.ts'
import { ListConfigResources } from './apis/74-list-config-resources.ts'
import { DescribeTopicPartitions } from './apis/75-describe-topic-partitions.ts'
import { ShareGroupHeartbeat } from './apis/76-share-group-heartbeat.ts'
import { ShareGroupDescribe } from './apis/77-share-group-describe.ts'
import { ShareFetch } from './apis/78-share-fetch.ts'
import { ShareAcknowledge } from './apis/79-share-acknowledge.ts'
import { AddRaftVoter } from './apis/80-add-raft-voter.ts'
import { RemoveRaftVoter } from './apis/81-remove-raft-voter.ts'
import { UpdateRaftVoter } from './apis/82-update-raft-voter.ts'
import { InitializeShareGroupState } from './apis/83-initialize-share-group-state.ts'
import { ReadShareGroupState } from './apis/84-read-share-group-state.ts'
import { WriteShareGroupState } from './apis/85-write-share-group-state.ts'
import { DeleteShareGroupState } from './apis/86-delete-share-group-state.ts'
import { ReadShareGroupStateSummary } from './apis/87-read-share-group-state-summary.ts'
import { StreamsGroupHeartbeat } from './apis/88-streams-group-heartbeat.ts'
import { StreamsGroupDescribe } from './apis/89-streams-group-describe.ts'
import { DescribeShareGroupOffsets } from './apis/90-describe-share-group-offsets.ts'
import { AlterShareGroupOffsets } from './apis/91-alter-share-group-offsets.ts'
import { DeleteShareGroupOffsets } from './apis/92-delete-share-group-offsets.ts'
import { StreamsGroupTopologyDescriptionUpdate } from './apis/93-streams-group-topology-description-update.ts'
import { UnregisterController } from './apis/94-unregister-controller.ts'
import type { ApiSchema, ListenerKind } from './schema.ts'

export const apis = [
  Produce,
  Fetch,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  FindCoordinator,
  JoinGroup,
  Heartbeat,
  LeaveGroup,
  SyncGroup,
  DescribeGroups,
  ListGroups,
  SaslHandshake,
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  DeleteRecords,
  InitProducerId,
  OffsetForLeaderEpoch,
  AddPartitionsToTxn,
  AddOffsetsToTxn,
  EndTxn,
  WriteTxnMarkers,
  TxnOffsetCommit,
  DescribeAcls,
  CreateAcls,
  DeleteAcls,
  DescribeConfigs,
  AlterConfigs,
  AlterReplicaLogDirs,
  DescribeLogDirs,
  SaslAuthenticate,
  CreatePartitions,
  CreateDelegationToken,
  RenewDelegationToken,
  ExpireDelegationToken,
  DescribeDelegationToken,
  DeleteGroups,
  ElectLeaders,
  IncrementalAlterConfigs,
  AlterPartitionReassignments,
  ListPartitionReassignments,
  OffsetDelete,
  DescribeClientQuotas,
  AlterClientQuotas,
  DescribeUserScramCredentials,
  AlterUserScramCredentials,
  Vote,
  BeginQuorumEpoch,
  EndQuorumEpoch,
  DescribeQuorum,
  AlterPartition,
  UpdateFeatures,
  Envelope,
  FetchSnapshot,
  DescribeCluster,
  DescribeProducers,
  BrokerRegistration,
  BrokerHeartbeat,
  UnregisterBroker,
  DescribeTransactions,
  ListTransactions,
  AllocateProducerIds,
  ConsumerGroupHeartbeat,
  ConsumerGroupDescribe,
  ControllerRegistration,
  GetTelemetrySubscriptions,
  PushTelemetry,
  AssignReplicasToDirs,
  ListConfigResources,
  DescribeTopicPartitions,
  ShareGroupHeartbeat,
  ShareGroupDescribe,
  ShareFetch,
  ShareAcknowledge,
  AddRaftVoter,
  RemoveRaftVoter,
  UpdateRaftVoter,
  InitializeShareGroupState,
  ReadShareGroupState,
  WriteShareGroupState,
  DeleteShareGroupState,
  ReadShareGroupStateSummary,
  StreamsGroupHeartbeat,
  StreamsGroupDescribe,
  DescribeShareGroupOffsets,
  AlterShareGroupOffsets,
  DeleteShareGroupOffsets,
  StreamsGroupTopologyDescriptionUpdate,
  UnregisterController,
] as const

export type ApiName = (typeof apis)[number]['name']

const byKey = new Map<number, ApiSchema>(apis.map((api) => [api.key, api]))
const byName = new Map<string, ApiSchema>(apis.map((api) => [api.name, api]))

export function apiByKey(key: number): ApiSchema | undefined {
  return byKey.get(key)
}

export function apiByName(name: string): ApiSchema | undefined {
  return byName.get(name)
}

export function apisOf(listener: ListenerKind): readonly ApiSchema[] {
  return apis.filter((api: ApiSchema) => api.listeners.includes(listener))
}
