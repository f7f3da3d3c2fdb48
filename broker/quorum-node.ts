/**
 * One node's part in the metadata quorum: its copy of the metadata log, replayed into the image as records are committed, snapshots and
 * retention of that log, and the controller while the node leads.
 *
 * Owner: the broker. Invariants: the image shows committed records only.
 */
import { Deferred } from '../common/runtime/deferred.ts'
import type { Address } from '../common/runtime/transport.ts'
import type { Log } from '../storage/log.ts'
import { CONTROLLER_LISTENER } from './broker-listeners.ts'
import type { BrokerOptions } from './broker-options.ts'
import type { Controller } from './controller/controller.ts'
import { ControllerHost } from './controller-host.ts'
import { bootstrapRecordsIn } from './metadata/bootstrap.ts'
import { SUPPORTED_FEATURES } from './metadata/features.ts'
import type { MetadataLoader } from './metadata/loader.ts'
import { MetadataSnapshotter } from './metadata/snapshotter.ts'
import { PeerClient } from './peer/peer-client.ts'
import { quorumLimits, quorumTimeouts } from './quorum-settings.ts'
import { MetadataLog, type MetadataLogListener } from './raft/metadata-log.ts'
import { cleanMetadataLog } from './raft/metadata-retention.ts'

export interface QuorumNodeOptions {
  readonly broker: BrokerOptions
  readonly loader: MetadataLoader
  /** The files of the metadata log. */
  readonly log: Log
  /** The image has moved. */
  readonly onMetadata: () => void
  /** Where controllers reach this node; asked while it is controller. */
  readonly controllerAddress: () => Address
}

export class QuorumNode {
  readonly metadataLog: MetadataLog
  /** Completes when the quorum has told what is committed for the first time. */
  readonly hasMetadata = new Deferred<void>()
  readonly #options: QuorumNodeOptions
  readonly #controllerHost: ControllerHost
  readonly #snapshotter: MetadataSnapshotter
  /** Of its own: a Fetch of the metadata log that waits must not hold up other requests. */
  readonly #peers: PeerClient

  constructor(options: QuorumNodeOptions) {
    this.#options = options
    const { nodeId, clusterId, runtime, scheduler, internalTransport, config, voters } = options.broker
    this.#peers = new PeerClient({
      transport: internalTransport,
      scheduler,
      clientId: `raft-client-${nodeId}`,
    })
    this.#snapshotter = this.#createSnapshotter()
    this.#controllerHost = this.#createControllerHost()
    this.metadataLog = new MetadataLog({
      nodeId,
      runtime: { ...runtime, scheduler },
      log: options.log,
      listener: this.#createListener(),
      clusterId,
      voters,
      addressOf: options.broker.controllerAddressOf,
      peers: this.#peers,
      timeouts: quorumTimeouts(config),
      limits: quorumLimits(config),
    })
  }

  /** The controller of the cluster, while this node is that. */
  get controller(): Controller | undefined {
    return this.#controllerHost.active
  }

  /** Takes part in the quorum. All nodes must be open by then. */
  start(): void {
    this.#controllerHost.start()
    this.metadataLog.start()
  }

  /** Says goodbye to the other voters. */
  resign(): Deferred<void> {
    return this.metadataLog.resign()
  }

  close(): void {
    this.hasMetadata.complete()
    this.#controllerHost.stop()
    this.metadataLog.close()
    this.#peers.close()
  }

  #createListener(): MetadataLogListener {
    const { loader, onMetadata } = this.#options
    const snapshotter = this.#snapshotter
    const controllerHost = this.#controllerHost
    return {
      onSnapshot: (snapshot, id) => {
        loader.loadSnapshot(snapshot, id)
        snapshotter.onSnapshotLoaded()
        onMetadata()
      },
      onCommit: (batches) => {
        loader.feed(batches)
        snapshotter.onCommit(batches.length)
        onMetadata()
      },
      onHighWatermark: () => {
        controllerHost.onHighWatermark()
        this.hasMetadata.complete()
      },
      onLeadership: (leadership) => controllerHost.onLeadership(leadership),
    }
  }

  #createSnapshotter(): MetadataSnapshotter {
    const { loader } = this.#options
    const { nodeId, runtime, config } = this.#options.broker
    return new MetadataSnapshotter({
      nodeId,
      clock: runtime.clock,
      trace: runtime.trace,
      image: loader.image,
      hasOpenTransaction: () => loader.hasOpenTransaction,
      maxBytes: () => config.get('metadata.log.max.record.bytes.between.snapshots'),
      maxIntervalMs: () => config.get('metadata.log.max.snapshot.interval.ms'),
      write: (id, buffers) => {
        this.metadataLog.writeSnapshot(id, buffers)
        this.#clean()
      },
    })
  }

  #createControllerHost(): ControllerHost {
    const { log, controllerAddress } = this.#options
    const { nodeId, clusterId, runtime, scheduler, config, isWholeClusterNew } = this.#options.broker
    const { name: listenerName } = CONTROLLER_LISTENER
    return new ControllerHost({
      nodeId,
      clusterId,
      runtime: { ...runtime, scheduler },
      metadataLog: () => this.metadataLog,
      startUp: config.levels,
      startingSnapshot: () => this.metadataLog.startingSnapshot,
      bootstrapRecords: () =>
        bootstrapRecordsIn({
          files: runtime.files,
          directory: log.path,
          logDirectory: log.directory.path,
          nowMs: runtime.clock.wallMs(),
        }),
      registration: () => ({
        incarnationId: runtime.random.uuid(),
        endpoints: [{ listenerName, ...controllerAddress(), securityProtocol: 0 }],
        features: SUPPORTED_FEATURES,
      }),
      isWholeClusterNew,
    })
  }

  /** Lets go of what snapshots hold and nobody needs for long any more. */
  #clean(): void {
    const { runtime, config } = this.#options.broker
    cleanMetadataLog({
      files: runtime.files,
      log: this.metadataLog.log,
      nowMs: runtime.clock.wallMs(),
      retentionMs: config.get('metadata.max.retention.ms'),
      retentionBytes: config.get('metadata.max.retention.bytes'),
    })
  }
}
