/**
 * The replicas of one broker: the partitions that it leads or follows, how it copies what it follows, and how fast it may.
 *
 * Owner: the broker.
 */
import type { LogManager } from '../storage/log-manager.ts'
import type { BrokerOptions } from './broker-options.ts'
import type { BrokerSettings } from './broker-settings.ts'
import type { EndpointImage, MetadataImage } from './metadata/image.ts'
import type { ControllerClient } from './peer/controller-client.ts'
import { PeerClient } from './peer/peer-client.ts'
import { FollowerFetcher } from './replica/follower-fetcher.ts'
import { FollowerFetchers } from './replica/follower-fetchers.ts'
import { IsrUpdater } from './replica/isr-updater.ts'
import { ReplicaManager } from './replica/replica-manager.ts'
import { ReplicationThrottle } from './replica/replication-throttle.ts'

export interface BrokerReplicationOptions {
  readonly broker: BrokerOptions
  readonly settings: BrokerSettings
  readonly metadata: MetadataImage
  readonly logs: LogManager
  readonly controller: ControllerClient
  readonly brokerEpoch: () => number
  /** Where this broker reaches another. */
  readonly endpointOf: (brokerId: number) => EndpointImage | undefined
}

export class BrokerReplication {
  readonly replicas: ReplicaManager
  /** Copies what this broker follows. */
  readonly fetchers: FollowerFetchers
  readonly #options: BrokerReplicationOptions

  constructor(options: BrokerReplicationOptions) {
    this.#options = options
    const { settings, metadata, logs, controller, brokerEpoch } = options
    const { nodeId, runtime, scheduler, config, replicaHistory } = options.broker
    const isrUpdater = new IsrUpdater({ nodeId, scheduler, controller, brokerEpoch })
    this.replicas = new ReplicaManager({
      nodeId,
      runtime,
      scheduler,
      logs,
      metadata,
      topicConfig: (topic) => settings.topicConfig(topic),
      replicaLagTimeMaxMs: () => config.get('replica.lag.time.max.ms'),
      proposeIsr: (partition, proposal) => isrUpdater.propose(partition, proposal),
      ...(replicaHistory === undefined ? {} : { history: replicaHistory }),
      throttle: this.#createThrottle('leader'),
    })
    const throttle = this.#createThrottle('follower')
    this.fetchers = new FollowerFetchers((leaderId) => this.#createFetcher(leaderId, throttle))
    this.replicas.listenToFollowing(this.fetchers)
  }

  #createThrottle(side: 'leader' | 'follower'): ReplicationThrottle {
    const { broker, settings } = this.#options
    const { nodeId, runtime, config } = broker
    return new ReplicationThrottle({
      nodeId,
      clock: runtime.clock,
      rate: () => settings.config.get(`${side}.replication.throttled.rate`),
      replicasOf: (topic) => settings.topicConfig(topic)[`${side}ThrottledReplicas`],
      windowCount: config.get('replication.quota.window.num'),
      windowMs: config.get('replication.quota.window.size.seconds') * 1000,
    })
  }

  #createFetcher(leaderId: number, throttle: ReplicationThrottle): FollowerFetcher {
    const { endpointOf, brokerEpoch } = this.#options
    const { nodeId, runtime, scheduler, config } = this.#options.broker
    return new FollowerFetcher({
      nodeId,
      leaderId,
      runtime,
      scheduler,
      throttle,
      peer: new PeerClient({
        transport: runtime.transport,
        scheduler,
        clientId: `broker-${nodeId}-fetcher-0`,
      }),
      leaderAddress: () => endpointOf(leaderId),
      brokerEpoch,
      settings: () => ({
        maxWaitMs: config.get('replica.fetch.wait.max.ms'),
        minBytes: config.get('replica.fetch.min.bytes'),
        maxBytes: config.get('replica.fetch.max.bytes'),
        responseMaxBytes: config.get('replica.fetch.response.max.bytes'),
        backoffMs: config.get('replica.fetch.backoff.ms'),
      }),
    })
  }
}
