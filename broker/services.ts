/**
 * What one broker offers to its request handlers. `broker.ts` composes it; handlers see only this.
 */
import type { ErrorCode } from '../common/protocol/errors.ts'
import type { Frame } from '../common/protocol/frame.ts'
import type { Deferred } from '../common/runtime/deferred.ts'
import type { Runtime } from '../common/runtime/runtime.ts'
import type { SchedulerScope } from '../common/runtime/scheduler.ts'
import type { LogManager } from '../storage/log-manager.ts'
import type { BrokerLoggers } from './broker-loggers.ts'
import type { BrokerSettings } from './broker-settings.ts'
import type { Controller } from './controller/controller.ts'
import type { GroupCoordinator } from './coordinator/group/group-coordinator.ts'
import type { ShareCoordinator } from './coordinator/share/share-coordinator.ts'
import type { TransactionCoordinator } from './coordinator/transaction/transaction-coordinator.ts'
import type { EndpointImage, MetadataImage } from './metadata/image.ts'
import type { RequestCounters } from './metrics/counters.ts'
import type { ConnectionInfo, ListenerKind } from './network/connection-info.ts'
import type { ClientQuotas } from './quota/client-quotas.ts'
import type { MetadataLog } from './raft/metadata-log.ts'
import type { FetchSessionCache } from './replica/fetch-session-cache.ts'
import type { ReplicaManager } from './replica/replica-manager.ts'
import type { SharePartitionManager } from './share/share-partition-manager.ts'
import type { ClientTelemetry } from './telemetry/client-telemetry.ts'
import type { TopicCreator } from './topic-creator.ts'
import type { TransactionVerifier } from './transaction-verifier.ts'

export interface ServedApi {
  readonly key: number
  readonly lowest: number
  readonly highest: number
}

export interface BrokerServices {
  readonly nodeId: number
  readonly clusterId: string
  readonly runtime: Runtime
  /** Timers of this broker: gone when it is killed, held back while it is frozen. */
  readonly scheduler: SchedulerScope
  readonly settings: BrokerSettings
  readonly metadata: MetadataImage
  /** The active controller, while this node is that. */
  readonly controller: Controller | undefined
  readonly metadataLog: MetadataLog
  /** Levels of this broker's loggers that were set at run time. */
  readonly loggers: BrokerLoggers
  /** Metrics that clients push (KIP-714). */
  readonly telemetry: ClientTelemetry
  /** What clients may do, and for how long those that did too much are held back. */
  readonly quotas: ClientQuotas
  readonly logs: LogManager
  readonly replicas: ReplicaManager
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  readonly share: ShareCoordinator
  /** Hands out records of led partitions to share groups. */
  readonly sharePartitions: SharePartitionManager
  readonly fetchSessions: FetchSessionCache
  readonly requestCounters: RequestCounters
  /** Creates topics that are asked for and may be made automatically, and the internal ones. */
  readonly topicCreator: TopicCreator
  readonly transactionVerifier: TransactionVerifier
  /** Runs a request that another broker passed on, for its client (Envelope). */
  dispatchForwarded(connection: ConnectionInfo, frame: Frame): Deferred<Frame | ErrorCode>
  /** The APIs that a listener of this kind serves, by key. */
  apisOf(kind: ListenerKind): readonly ServedApi[]
  /** Where clients of a listener reach a broker; undefined when it has no such listener or is not alive. */
  endpointOf(brokerId: number, listenerName: string): EndpointImage | undefined
}
