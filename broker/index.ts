/**
 * kafkito: a Kafka cluster in this process, made for tests.
 */
export type { AddBrokerOptions } from './cluster-options.ts'
export type { ClusterWarning } from './cluster-warning.ts'
export type { ReplicaHistory } from './replica/replica-history.ts'
export { StartError, type StartErrorCode } from './start-error.ts'
export type { VersionBounds } from './testing/answer-overrides.ts'
export type { BrokerControl } from './testing/broker-control.ts'
export type { ClientConfigs, ClientKind } from './testing/client-config.ts'
export type { ClusterClock, Duration } from './testing/cluster-clock.ts'
export type { GroupState, PartitionState } from './testing/cluster-view.ts'
export type {
  ControlDecision,
  ControlFunction,
  ControlHandle,
  ControlledRequest,
} from './testing/control-hooks.ts'
export type { FaultApi, FaultBuilder, FaultFilter, Faults, PushedFault } from './testing/faults.ts'
export type { JournalEntry, JournalFilter } from './testing/journal.ts'
export { KafkaError, NotLocalError } from './testing/kafka-error.ts'
export type { Snapshot } from './testing/local-world.ts'
export type { HttpOptions, StartOptions } from './testing/options.ts'
export type { PendingCall } from './testing/pending-call.ts'
export type { Decode, RecordInput, RecordValue, TopicRecord } from './testing/records.ts'
export type { ReplicaState, ReplicatedPartition } from './testing/replica-view.ts'
export type { Requests } from './testing/requests.ts'
export type { Scope } from './testing/scope.ts'
export { startCluster } from './testing/start-cluster.ts'
export type { TestCluster, TestCluster as Cluster } from './testing/test-cluster.ts'
export type { TopicHandle, TopicOptions } from './testing/topic-handle.ts'
export { VerificationError } from './testing/verify.ts'
export type { GroupWaits, TopicPartition, WaitFor } from './testing/wait-for.ts'
export { type WaitOptions, WaitTimeoutError } from './testing/waits.ts'
