/**
 * The coordinators of one broker: groups and transactions, made, told of leadership and metadata, and ended together.
 */
import type { Runtime } from '../common/runtime/runtime.ts'
import type { SchedulerScope } from '../common/runtime/scheduler.ts'
import type { BrokerSettings } from './broker-settings.ts'
import { GroupCoordinator } from './coordinator/group/group-coordinator.ts'
import { followLeadership } from './coordinator/leadership-follower.ts'
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
}

export class BrokerCoordinators implements MetadataListener {
  readonly groups: GroupCoordinator
  readonly verifier: TransactionVerifier

  constructor(options: BrokerCoordinatorsOptions) {
    const { runtime, scheduler, settings, metadata, replicas } = options
    this.groups = new GroupCoordinator({
      runtime: { ...runtime, scheduler },
      config: {
        get: (key) => settings.config.get(key),
        groupConfigOf: (groupId) => metadata.configsOf(ConfigResourceType.GROUP, groupId),
      },
      metadata: () => metadata,
    })
    followLeadership(replicas, this.groups.service)
    this.verifier = { verify: () => undefined }
  }

  onMetadata(image: MetadataImage, delta: MetadataDelta): void {
    this.groups.onMetadata(image, delta)
  }

  close(): void {
    this.groups.service.close()
  }
}
