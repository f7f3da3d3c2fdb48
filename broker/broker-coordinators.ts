/**
 * The coordinators of one broker: groups and transactions, made, told of leadership and metadata, and ended together.
 */
import { ListOffsets } from '../common/protocol/apis/02-list-offsets.ts'
import { AddPartitionsToTxn } from '../common/protocol/apis/24-add-partitions-to-txn.ts'
import { WriteTxnMarkers } from '../common/protocol/apis/27-write-txn-markers.ts'
import { AllocateProducerIds } from '../common/protocol/apis/67-allocate-producer-ids.ts'
import { ErrorCode } from '../common/protocol/errors.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../common/protocol/schema.ts'
import type { CallResult } from '../common/rpc/channel.ts'
import { Deferred } from '../common/runtime/deferred.ts'
import type { Runtime } from '../common/runtime/runtime.ts'
import type { SchedulerScope } from '../common/runtime/scheduler.ts'
import type { BrokerSettings } from './broker-settings.ts'
import { GroupCoordinator } from './coordinator/group/group-coordinator.ts'
import { followLeadership } from './coordinator/leadership-follower.ts'
import { partitionEndOffsets } from './coordinator/share/partition-end-offsets.ts'
import { ShareCoordinator } from './coordinator/share/share-coordinator.ts'
import { NetworkSharePersister, type SharePersister } from './coordinator/share/share-persister.ts'
import type { ProducerIdBlock } from './coordinator/transaction/producer-ids.ts'
import type { TransactionConfig } from './coordinator/transaction/transaction-config.ts'
import { TransactionCoordinator } from './coordinator/transaction/transaction-coordinator.ts'
import { TransactionPartitionVerifier } from './coordinator/transaction/verifier.ts'
import {
  ConfigResourceType,
  type EndpointImage,
  type MetadataDelta,
  type MetadataImage,
  type MetadataListener,
} from './metadata/image.ts'
import type { ControllerClient } from './peer/controller-client.ts'
import type { PeerClient } from './peer/peer-client.ts'
import type { ReplicaManager } from './replica/replica-manager.ts'
import { SharePartitionManager } from './share/share-partition-manager.ts'
import { SHARE_STATE_TOPIC } from './topic-names.ts'
import type { TransactionVerifier } from './transaction-verifier.ts'

export interface BrokerCoordinatorsOptions {
  readonly nodeId: number
  readonly runtime: Runtime
  readonly scheduler: SchedulerScope
  readonly settings: BrokerSettings
  readonly metadata: MetadataImage
  readonly replicas: ReplicaManager
  readonly peers: PeerClient
  readonly controller: ControllerClient
  readonly brokerEpoch: () => number
  /** Where this broker reaches another. */
  readonly endpointOf: (brokerId: number) => EndpointImage | undefined
  /** Has an internal topic made that is missing. */
  readonly createTopic: (name: string) => void
}

export class BrokerCoordinators implements MetadataListener {
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  readonly share: ShareCoordinator
  /** Asks the share coordinators of the cluster. */
  readonly sharePersister: SharePersister
  readonly sharePartitions: SharePartitionManager
  readonly verifier: TransactionVerifier
  readonly #options: BrokerCoordinatorsOptions

  constructor(options: BrokerCoordinatorsOptions) {
    this.#options = options
    const { runtime, scheduler, settings, metadata, replicas } = options
    const groupConfigOf = (groupId: string) => metadata.configsOf(ConfigResourceType.GROUP, groupId)
    this.sharePersister = new NetworkSharePersister({
      scheduler,
      metadata: () => metadata,
      createStateTopic: () => options.createTopic(SHARE_STATE_TOPIC),
      call: (brokerId, api, request) => this.#call(brokerId, api, request),
    })
    this.groups = new GroupCoordinator({
      runtime: { ...runtime, scheduler },
      config: { get: (key) => settings.config.get(key), groupConfigOf },
      metadata: () => metadata,
      persister: this.sharePersister,
      endOffsets: partitionEndOffsets({
        metadata: () => metadata,
        call: (brokerId, request) => this.#call(brokerId, ListOffsets, request),
      }),
    })
    this.share = new ShareCoordinator({
      runtime: { ...runtime, scheduler },
      config: { get: (key) => settings.config.get(key), groupConfigOf },
      metadata: () => metadata,
      pruneBefore: (index, offset) =>
        void replicas.partition(SHARE_STATE_TOPIC, index)?.deleteRecordsBefore(offset),
    })
    followLeadership(replicas, this.share.service)
    this.sharePartitions = new SharePartitionManager({
      clock: runtime.clock,
      reactor: runtime.reactor,
      scheduler,
      config: { get: (key) => settings.config.get(key), groupConfigOf },
      metadata: () => metadata,
      replicas,
      persister: this.sharePersister,
    })
    followLeadership(replicas, this.groups.service)
    const config: TransactionConfig = { get: (key) => settings.config.get(key) }
    const requestTimeoutMs = () => settings.config.get('request.timeout.ms')
    this.transactions = new TransactionCoordinator({
      runtime: { ...runtime, scheduler },
      scheduler,
      config,
      requestTimeoutMs,
      metadata: () => metadata,
      allocateProducerIds: () => this.#allocateProducerIds(),
      sendMarkers: (brokerId, request) => this.#call(brokerId, WriteTxnMarkers, request),
    })
    followLeadership(replicas, this.transactions.service)
    this.verifier = new TransactionPartitionVerifier({
      clock: runtime.clock,
      reactor: runtime.reactor,
      scheduler,
      config,
      requestTimeoutMs,
      metadata: () => metadata,
      send: (brokerId, request) => this.#call(brokerId, AddPartitionsToTxn, request),
    })
  }

  onMetadata(image: MetadataImage, delta: MetadataDelta): void {
    this.groups.onMetadata(image, delta)
    this.share.onMetadata(image, delta)
  }

  close(): void {
    this.transactions.close()
    this.groups.service.close()
    this.share.service.close()
  }

  #allocateProducerIds(): Deferred<ProducerIdBlock> {
    const { controller, nodeId, brokerEpoch, settings } = this.#options
    const timeoutMs = settings.config.get('request.timeout.ms')
    return controller
      .call(AllocateProducerIds, { brokerId: nodeId, brokerEpoch: brokerEpoch() }, timeoutMs)
      .map((answer): ProducerIdBlock => {
        if (!answer.ok) return { error: ErrorCode.REQUEST_TIMED_OUT }
        const { errorCode, producerIdStart: firstProducerId, producerIdLen: count } = answer.response
        return errorCode === ErrorCode.NONE
          ? { error: ErrorCode.NONE, firstProducerId, count }
          : { error: errorCode }
      })
  }

  /** To another broker, or to this one, which goes the same way. */
  #call<A extends ApiSchema>(
    brokerId: number,
    api: A,
    request: RequestInputOf<A>,
  ): Deferred<CallResult<ResponseOf<A>>> {
    const endpoint = this.#options.endpointOf(brokerId)
    if (endpoint === undefined)
      return Deferred.of<CallResult<ResponseOf<A>>>({ ok: false, failure: 'disconnected' })
    return this.#options.peers.call({ host: endpoint.host, port: endpoint.port }, api, request)
  }
}
