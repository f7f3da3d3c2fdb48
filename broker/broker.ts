/**
 * One broker, composed: its files, its copy of the metadata, its partitions, its coordinators, the controller when this node leads the
 * metadata quorum, its listeners, and its life with the controller.
 *
 * Owner: the cluster. Invariants: clients are served only after the controller has unfenced the broker; after `stop` or `kill` nothing of
 * it runs any more.
 */

import { Deferred } from '../common/runtime/deferred.ts'
import type { FileError } from '../common/runtime/files.ts'
import type { Runtime } from '../common/runtime/runtime.ts'
import type { SchedulerScope } from '../common/runtime/scheduler.ts'
import type { Address, Transport } from '../common/runtime/transport.ts'
import { FilePool } from '../storage/file-pool.ts'
import { logConfig } from '../storage/log-config.ts'
import type { LogDirectory } from '../storage/log-directory.ts'
import { LogManager } from '../storage/log-manager.ts'
import { TailCache } from '../storage/tail-cache.ts'
import { BrokerCoordinators } from './broker-coordinators.ts'
import { BrokerLifecycle } from './broker-lifecycle.ts'
import { BrokerLoggers } from './broker-loggers.ts'
import { BrokerSettings } from './broker-settings.ts'
import type { BrokerConfig } from './config/broker-config.ts'
import { type EndPoint, SECURITY_PROTOCOLS } from './config/listeners.ts'
import type { Controller } from './controller/controller.ts'
import { ControllerHost } from './controller-host.ts'
import { bootstrapRecordsIn } from './metadata/bootstrap.ts'
import { SUPPORTED_FEATURES, unknownFeature } from './metadata/features.ts'
import type { EndpointImage, MetadataImage } from './metadata/image.ts'
import { MetadataLoader } from './metadata/loader.ts'
import { MetadataSnapshotter } from './metadata/snapshotter.ts'
import { RequestCounters } from './metrics/counters.ts'
import type { Interception } from './network/interception.ts'
import { BrokerListener } from './network/listener.ts'
import type { ConnectionInfo, ListenerKind } from './network/request-context.ts'
import { Router } from './network/router.ts'
import { ControllerClient } from './peer/controller-client.ts'
import { PeerClient } from './peer/peer-client.ts'
import { RequestForwarder } from './peer/request-forwarder.ts'
import { quorumTimeouts } from './quorum-settings.ts'
import { MetadataLog } from './raft/metadata-log.ts'
import { cleanMetadataLog } from './raft/metadata-retention.ts'
import { METADATA_TOPIC_ID } from './raft/raft-messages.ts'
import { FetchSessionCache } from './replica/fetch-session-cache.ts'
import { FollowerFetcher } from './replica/follower-fetcher.ts'
import { FollowerFetchers } from './replica/follower-fetchers.ts'
import { IsrUpdater } from './replica/isr-updater.ts'
import type { ReplicaHistory } from './replica/replica-history.ts'
import { ReplicaManager } from './replica/replica-manager.ts'
import { ReplicationThrottle } from './replica/replication-throttle.ts'
import { servedApis, servedHandlers } from './served-apis.ts'
import type { BrokerServices } from './services.ts'
import { newerData, StartError } from './start-error.ts'
import { storageSettings } from './storage-settings.ts'
import { ClientTelemetry } from './telemetry/client-telemetry.ts'
import { TopicCreator } from './topic-creator.ts'
import { METADATA_TOPIC } from './topic-names.ts'

export interface BrokerOptions {
  readonly nodeId: number
  readonly clusterId: string
  /** The ports of this broker's machine; its timers are those of `scheduler`. */
  readonly runtime: Runtime
  readonly scheduler: SchedulerScope
  /** Carries what nodes of the cluster say to each other's controllers. */
  readonly internalTransport: Transport
  readonly config: BrokerConfig
  readonly logDirectories: readonly string[]
  /** Where clients connect; port 0 takes a free one. */
  readonly listeners: readonly EndPoint[]
  /** What clients are told; the port of a listener that took a free one is filled in. */
  readonly advertisedListeners: readonly EndPoint[]
  /** All nodes of the cluster start now; false when this one comes back to others that went on. */
  readonly isWholeClusterNew: boolean
  /** Who votes in the metadata quorum. */
  readonly voters: readonly number[]
  /** false: a controller only, that registers as no broker, has no replicas and no listeners for clients. */
  readonly servesClients: boolean
  readonly replicaHistory?: ReplicaHistory
  /** How many ports after a busy one may be tried. */
  readonly alternativePorts: number
  /** Where a node's controller listens. */
  readonly controllerAddressOf: (nodeId: number) => Address | undefined
  /** Who stands between clients and handlers, if anybody. */
  readonly interception?: Interception
}

const REGISTRATION_TIMEOUT_MS = 60_000
const CONTROLLER_RETRY_MS = 50
const PEER_REQUEST_TIMEOUT_MS = 30_000
const CONTROLLER_LISTENER = { name: 'CONTROLLER', kind: 'controller', securityProtocol: 'PLAINTEXT' } as const

export class Broker {
  readonly nodeId: number
  readonly services: BrokerServices
  readonly metadataLog: MetadataLog
  readonly lifecycle: BrokerLifecycle
  /** Copies what this broker follows. */
  readonly fetchers: FollowerFetchers
  readonly #options: BrokerOptions
  readonly #loader: MetadataLoader
  readonly #logs: LogManager
  readonly #replicas: ReplicaManager
  readonly #coordinators: BrokerCoordinators
  readonly #controllerHost: ControllerHost
  readonly #controllerPeers: PeerClient
  /** Of its own: a Fetch of the metadata log that waits must not hold up other requests. */
  readonly #quorumPeers: PeerClient
  readonly #peers: PeerClient
  readonly #listeners: BrokerListener[]
  readonly #controllerListener: BrokerListener
  readonly #advertised = new Map<string, Address>()
  /** Turn in which records could not be handed to the operating system. */
  #failedFlushTurn = -1
  /** Set once the directory of the metadata log has failed. */
  #metadataFailure: StartError | undefined
  /** Completes when the quorum has told what is committed for the first time. */
  readonly #hasMetadata = new Deferred<void>()
  #state: 'new' | 'running' | 'stopped' = 'new'

  constructor(options: BrokerOptions) {
    const { nodeId, runtime, scheduler, config } = options
    this.nodeId = nodeId
    this.#options = options
    this.#loader = new MetadataLoader({ trace: runtime.trace, name: `metadata of broker ${nodeId}` })
    const metadata = this.#loader.image
    const settings = new BrokerSettings({ nodeId, startUp: config, image: metadata })
    this.#loader.listen(settings)
    this.#logs = this.#createLogManager(settings)
    this.#controllerPeers = this.#createPeerClient(options.internalTransport, `controller-client-${nodeId}`)
    this.#quorumPeers = this.#createPeerClient(options.internalTransport, `raft-client-${nodeId}`)
    this.#peers = this.#createPeerClient(runtime.transport, `broker-${nodeId}`)
    const controllerClient = new ControllerClient({
      peers: this.#controllerPeers,
      scheduler,
      controllerAddress: () => options.controllerAddressOf(this.metadataLog.leaderId),
      retryBackoffMs: CONTROLLER_RETRY_MS,
    })
    const isrUpdater = new IsrUpdater({
      nodeId,
      scheduler,
      controller: controllerClient,
      brokerEpoch: () => this.lifecycle.brokerEpoch,
    })
    this.#replicas = new ReplicaManager({
      nodeId,
      runtime,
      scheduler,
      logs: this.#logs,
      metadata,
      topicConfig: (topic) => settings.topicConfig(topic),
      replicaLagTimeMaxMs: () => config.get('replica.lag.time.max.ms'),
      proposeIsr: (partition, proposal) => isrUpdater.propose(partition, proposal),
      ...(options.replicaHistory === undefined ? {} : { history: options.replicaHistory }),
      throttle: this.#createThrottle(settings, 'leader'),
    })
    const followerThrottle = this.#createThrottle(settings, 'follower')
    this.fetchers = new FollowerFetchers((leaderId) => this.#createFetcher(leaderId, followerThrottle))
    this.#replicas.listenToFollowing(this.fetchers)
    this.#coordinators = new BrokerCoordinators({
      nodeId,
      runtime,
      scheduler,
      settings,
      metadata,
      replicas: this.#replicas,
      peers: this.#peers,
      controller: controllerClient,
      brokerEpoch: () => this.lifecycle.brokerEpoch,
      endpointOf: (brokerId) => this.#endpointOf(brokerId, this.#interBrokerListenerName()),
      createTopic: (name) => this.services.topicCreator.createSoon([name]),
    })
    const log = this.#metadataLogFiles()
    const snapshotter = new MetadataSnapshotter({
      nodeId,
      clock: runtime.clock,
      trace: runtime.trace,
      image: metadata,
      hasOpenTransaction: () => this.#loader.hasOpenTransaction,
      maxBytes: () => config.get('metadata.log.max.record.bytes.between.snapshots'),
      maxIntervalMs: () => config.get('metadata.log.max.snapshot.interval.ms'),
      write: (id, buffers) => {
        this.metadataLog.writeSnapshot(id, buffers)
        this.#cleanMetadataLog()
      },
    })
    this.metadataLog = new MetadataLog({
      nodeId,
      runtime: { ...runtime, scheduler },
      log,
      listener: {
        onSnapshot: (snapshot, id) => {
          this.#loader.loadSnapshot(snapshot, id)
          snapshotter.onSnapshotLoaded()
          this.lifecycle.onMetadata()
        },
        onCommit: (batches) => {
          this.#loader.feed(batches)
          snapshotter.onCommit(batches.length)
          this.lifecycle.onMetadata()
        },
        onHighWatermark: () => {
          this.#controllerHost.onHighWatermark()
          this.#hasMetadata.complete()
        },
        onLeadership: (leadership) => this.#controllerHost.onLeadership(leadership),
      },
      clusterId: options.clusterId,
      voters: options.voters,
      addressOf: options.controllerAddressOf,
      peers: this.#quorumPeers,
      timeouts: quorumTimeouts(config),
    })
    this.#controllerHost = new ControllerHost({
      nodeId,
      clusterId: options.clusterId,
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
        endpoints: [
          {
            listenerName: CONTROLLER_LISTENER.name,
            ...this.#controllerListener.address,
            securityProtocol: 0,
          },
        ],
        features: SUPPORTED_FEATURES,
      }),
      isWholeClusterNew: options.isWholeClusterNew,
    })
    const forwarder = new RequestForwarder(controllerClient)
    const controllerHost = this.#controllerHost
    const telemetry = new ClientTelemetry({
      clock: runtime.clock,
      random: runtime.random,
      image: metadata,
      maxPushBytes: () => settings.config.get('telemetry.max.bytes'),
    })
    this.#loader.listen(telemetry)
    this.services = {
      nodeId,
      clusterId: options.clusterId,
      runtime,
      scheduler,
      settings,
      metadata,
      metadataLog: this.metadataLog,
      get controller() {
        return controllerHost.active
      },
      loggers: new BrokerLoggers(),
      telemetry,
      logs: this.#logs,
      replicas: this.#replicas,
      groups: this.#coordinators.groups,
      transactions: this.#coordinators.transactions,
      share: this.#coordinators.share,
      sharePartitions: this.#coordinators.sharePartitions,
      transactionVerifier: this.#coordinators.verifier,
      requestCounters: new RequestCounters(),
      fetchSessions: new FetchSessionCache({
        clock: runtime.clock,
        random: runtime.random,
        // Kafka's cache has eight parts of one size; what does not divide evenly is not used.
        maxSessions: Math.floor(config.get('max.incremental.fetch.session.cache.slots') / 8) * 8,
        evictionMs: 120_000,
      }),
      topicCreator: new TopicCreator({
        nodeId,
        settings,
        controller: controllerClient,
        trace: runtime.trace,
      }),
      dispatchForwarded: (connection, frame) => router.dispatchForwarded(connection, frame),
      apisOf: servedApis,
      endpointOf: (brokerId, listenerName) => this.#endpointOf(brokerId, listenerName),
    }
    const router = new Router(this.services, servedHandlers, forwarder, options.interception)
    this.#listeners = options.listeners.map(({ listenerName, securityProtocol, host, port }) =>
      this.#createListener(
        router,
        { name: listenerName, kind: 'broker', securityProtocol },
        { host, port },
        runtime,
      ),
    )
    this.#controllerListener = this.#createListener(
      router,
      CONTROLLER_LISTENER,
      { host: '127.0.0.1', port: 0 },
      { ...runtime, transport: options.internalTransport },
    )
    this.lifecycle = this.#createLifecycle(metadata, controllerClient)
  }

  /** Where each listener for clients really listens; after `start`. */
  get listenerAddresses(): ReadonlyMap<string, Address> {
    return new Map(this.#listeners.map((listener) => [listener.info.name, listener.address]))
  }

  /** What clients are told to connect to. */
  get advertisedAddresses(): ReadonlyMap<string, Address> {
    return this.#advertised
  }

  /** undefined while its listener is not open. */
  get controllerAddress(): Address | undefined {
    return this.#controllerListener.isOpen ? this.#controllerListener.address : undefined
  }

  /** The listeners for clients. */
  get listeners(): readonly BrokerListener[] {
    return this.#listeners
  }

  /** The connections to the listeners for clients; other brokers are among their clients. */
  *connections(): IterableIterator<ConnectionInfo> {
    for (const listener of this.#listeners) yield* listener.connections
  }

  get connectionCount(): number {
    return this.#listeners.reduce((count, listener) => count + listener.connections.size, 0)
  }

  /** Takes its addresses; who connects waits until the broker serves. */
  async open(): Promise<void> {
    this.#state = 'running'
    await this.#controllerListener.open()
    this.#mustRun()
    for (const listener of this.#listeners) {
      const { port } = await listener.open()
      this.#mustRun()
      const { name } = listener.info
      const advertised = this.#options.advertisedListeners.find(({ listenerName }) => listenerName === name)
      // A port that was not to be had, or left open, is told as it came out; a proxy's port stays.
      const asked = this.#options.listeners.find(({ listenerName }) => listenerName === name)?.port
      const isAskedPort =
        advertised !== undefined && advertised.port !== 0 && (asked === port || advertised.port !== asked)
      this.#advertised.set(name, {
        host: advertised?.host || '127.0.0.1',
        port: isAskedPort ? (advertised?.port as number) : port,
      })
    }
  }

  /** Joins the cluster: registers with the controller, and serves once it is unfenced. All nodes must be open by then. */
  async start(): Promise<void> {
    this.#controllerHost.start()
    this.metadataLog.start()
    await new Promise<void>((resolve) => this.#hasMetadata.whenDone(resolve))
    this.#mustRun()
    if (this.#metadataFailure !== undefined) throw this.#metadataFailure
    const unknown = unknownFeature(this.#loader.image.features)
    if (unknown !== undefined) {
      const { name, level, max } = unknown
      throw newerData(`The data has ${name} ${level}; this version knows it up to ${max}.`)
    }
    if (!this.#options.servesClients) {
      this.#logs.loadLogs()
      return
    }
    // What the metadata says of this broker before its registration is said of an earlier life, which may have had more in its logs: were
    // it believed, a leader that lost its tail would lead on in its old epoch and write other records where the lost ones were.
    this.lifecycle.start()
    await new Promise<void>((resolve) => this.lifecycle.caughtUp.whenDone(resolve))
    this.#mustRun()
    // Only now is it known how the logs are to be recovered, and which partitions are to be led.
    this.#logs.loadLogs()
    this.#loader.listen(this.#replicas)
    this.#loader.listen(this.#coordinators)
    this.lifecycle.readyToServe()
    const failure = await new Promise<string | undefined>((resolve) =>
      this.lifecycle.started.whenDone(resolve),
    )
    this.#mustRun()
    if (failure !== undefined) throw this.#metadataFailure ?? new StartError('FAILED', failure)
    this.#logs.putAsideStrays((log) => this.#isStray(log.topicPartition))
    for (const listener of this.#listeners) listener.startServing()
  }

  /** The controller of the cluster, while this node is that. */
  get controller(): Controller | undefined {
    return this.#controllerHost.active
  }

  /** The first half of a clean stop: asks the controller to let this broker go, once others lead what it led. */
  async handOver(): Promise<void> {
    if (this.#state !== 'running' || !this.#options.servesClients) return
    await new Promise<void>((resolve) => {
      const limit = this.#options.scheduler.schedule(
        'time limit of the controlled shutdown',
        CONTROLLED_SHUTDOWN_LIMIT_MS,
        resolve,
      )
      this.lifecycle.beginControlledShutdown().whenDone(() => {
        limit.cancel()
        resolve()
      })
    })
  }

  /** The second half: tells the quorum, closes its connections and leaves its files as a clean shutdown does. */
  async finish(): Promise<void> {
    if (this.#state !== 'running') return
    await new Promise<void>((resolve) => {
      const limit = this.#options.scheduler.schedule(
        'time limit of the resignation',
        RESIGNATION_LIMIT_MS,
        resolve,
      )
      this.metadataLog.resign().whenDone(() => {
        limit.cancel()
        resolve()
      })
    })
    // Killed in the meantime: then nothing may be written any more, least of all that it ended well.
    if ((this.#state as string) === 'stopped') return
    this.#state = 'stopped'
    for (const listener of this.#listeners) listener.close(false)
    this.#end(false)
    this.#logs.close({ brokerEpoch: this.lifecycle.brokerEpoch })
  }

  /** Ends as a killed process does: nothing is handed over, written or said. */
  kill(): void {
    if (this.#state === 'stopped') return
    this.#state = 'stopped'
    for (const listener of this.#listeners) listener.close(true)
    this.#end(true)
    this.#logs.kill()
  }

  /** What waited in `open` or `start` goes on although the broker has ended: it must not come to life again. */
  #mustRun(): void {
    if (this.#state !== 'running')
      throw new StartError('FAILED', `Broker ${this.nodeId} was stopped while it started.`)
  }

  #end(isAbrupt: boolean): void {
    this.lifecycle.stop()
    this.lifecycle.started.complete(undefined)
    this.#hasMetadata.complete()
    this.#coordinators.close()
    this.fetchers.close()
    this.#controllerHost.stop()
    this.metadataLog.close()
    this.#quorumPeers.close()
    this.#controllerListener.close(isAbrupt)
    this.#controllerPeers.close()
    this.#peers.close()
    this.#options.scheduler.close()
  }

  // --- parts -------------------------------------------------------------------------------------------------------

  #createLogManager(settings: BrokerSettings): LogManager {
    const { nodeId, clusterId, runtime, scheduler, logDirectories, config } = this.#options
    const { files, clock, reactor, random, trace } = runtime
    const logs = new LogManager({
      context: {
        files,
        clock,
        scheduler,
        reactor,
        random,
        trace,
        filePool: new FilePool(files),
        tailCache: new TailCache(),
      },
      nodeId,
      clusterId,
      logDirectories,
      configOf: ({ topic }) =>
        topic === METADATA_TOPIC ? metadataLogConfig(config) : settings.topicConfig(topic),
      onDirectoryFailure: (directory, error) => this.#onDirectoryFailure(directory, error),
      ...storageSettings(config),
    })
    logs.openDirectories()
    return logs
  }

  #metadataLogFiles() {
    const place = { topic: METADATA_TOPIC, partition: 0 }
    const failed = this.#logs.directories.find(({ isOnline }) => !isOnline)
    // Were it begun anew because its directory cannot be read, every topic would be forgotten.
    const isMissed = failed !== undefined && this.#logs.get(place) === undefined
    const log = isMissed ? undefined : this.#logs.getOrCreate(place, { topicId: METADATA_TOPIC_ID })
    if (log === undefined) {
      const reason = directoryFailed(failed ?? this.#logs.directories.find(({ isOnline }) => !isOnline))
      // Nobody holds this broker yet who could end it, and its process may live on: the next life needs the lock.
      this.#logs.kill()
      throw reason
    }
    return log
  }

  /** Lets go of what snapshots hold and nobody needs for long any more. */
  #cleanMetadataLog(): void {
    const { runtime, config } = this.#options
    cleanMetadataLog({
      files: runtime.files,
      log: this.metadataLog.log,
      nowMs: runtime.clock.wallMs(),
      retentionMs: config.get('metadata.max.retention.ms'),
      retentionBytes: config.get('metadata.max.retention.bytes'),
    })
  }

  #createPeerClient(transport: Transport, clientId: string): PeerClient {
    const { scheduler } = this.#options
    return new PeerClient({ transport, scheduler, clientId, requestTimeoutMs: PEER_REQUEST_TIMEOUT_MS })
  }

  #createThrottle(settings: BrokerSettings, side: 'leader' | 'follower'): ReplicationThrottle {
    const { nodeId, runtime, config } = this.#options
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
    const { nodeId, runtime, scheduler, config } = this.#options
    return new FollowerFetcher({
      nodeId,
      leaderId,
      runtime,
      scheduler,
      throttle,
      peer: this.#createPeerClient(runtime.transport, `broker-${nodeId}-fetcher-0`),
      leaderAddress: () => this.#endpointOf(leaderId, this.#interBrokerListenerName()),
      brokerEpoch: () => this.lifecycle.brokerEpoch,
      settings: () => ({
        maxWaitMs: config.get('replica.fetch.wait.max.ms'),
        minBytes: config.get('replica.fetch.min.bytes'),
        maxBytes: config.get('replica.fetch.max.bytes'),
        responseMaxBytes: config.get('replica.fetch.response.max.bytes'),
        backoffMs: config.get('replica.fetch.backoff.ms'),
      }),
    })
  }

  #createListener(
    router: Router,
    info: { name: string; kind: ListenerKind; securityProtocol: EndPoint['securityProtocol'] },
    address: Address,
    runtime: Runtime,
  ): BrokerListener {
    const { config, scheduler, interception, nodeId } = this.#options
    return new BrokerListener({
      info,
      ...address,
      runtime,
      scheduler,
      router,
      alternativePorts: this.#options.alternativePorts,
      hasFlushFailed: () => this.#failedFlushTurn === runtime.reactor.turn,
      ...(info.kind === 'broker'
        ? {
            mayConnect: (clientAddress: string) =>
              interception?.interceptor?.mayConnect?.(nodeId, clientAddress) !== false,
          }
        : {}),
      limits: () => ({
        maxConnections: config.get('max.connections'),
        maxConnectionsPerIp: config.get('max.connections.per.ip'),
        maxWaiting: config.get('socket.listen.backlog.size'),
        maxIdleMs: config.get('connections.max.idle.ms'),
        maxRequestBytes: config.get('socket.request.max.bytes'),
      }),
    })
  }

  #createLifecycle(metadata: MetadataImage, controller: ControllerClient): BrokerLifecycle {
    const { nodeId, clusterId, runtime, scheduler, config } = this.#options
    return new BrokerLifecycle({
      nodeId,
      scheduler,
      trace: runtime.trace,
      controller,
      metadata,
      heartbeatIntervalMs: () => config.get('broker.heartbeat.interval.ms'),
      registrationTimeoutMs: REGISTRATION_TIMEOUT_MS,
      registration: () => ({
        brokerId: nodeId,
        clusterId,
        incarnationId: runtime.random.uuid(),
        listeners: this.#options.listeners.map(({ listenerName, securityProtocol }) => ({
          name: listenerName,
          ...(this.#advertised.get(listenerName) as Address),
          securityProtocol: SECURITY_PROTOCOLS.indexOf(securityProtocol),
        })),
        features: [...SUPPORTED_FEATURES].map(([name, { min, max }]) => ({
          name,
          minSupportedVersion: min,
          maxSupportedVersion: max,
        })),
        rack: config.get('broker.rack'),
        logDirs: this.#logs.liveDirectories.map(({ directoryId }) => directoryId).sort(),
        previousBrokerEpoch: this.#logs.directories[0]?.cleanShutdownBrokerEpoch ?? -1,
      }),
      offlineDirectories: () =>
        this.#logs.directories.filter(({ isOnline }) => !isOnline).map(({ directoryId }) => directoryId),
      cordonedDirectories: () => [],
    })
  }

  #endpointOf(brokerId: number, listenerName: string): EndpointImage | undefined {
    const broker = this.#loader.image.brokers.get(brokerId)
    if (broker === undefined || broker.isFenced) return undefined
    return broker.endpoints.find((endpoint) => endpoint.listenerName === listenerName)
  }

  #interBrokerListenerName(): string {
    return (
      this.#options.config.get('inter.broker.listener.name') ??
      this.#options.listeners[0]?.listenerName ??
      'PLAINTEXT'
    )
  }

  #isStray({ topic, partition }: { topic: string; partition: number }): boolean {
    if (topic === METADATA_TOPIC) return false
    const replicas = this.#loader.image.topicsByName.get(topic)?.partitions[partition]?.replicas
    return replicas?.includes(this.nodeId) !== true
  }

  #onDirectoryFailure(directory: LogDirectory, error: FileError): void {
    // While the broker is being made nobody waits for it: `#metadataLogFiles` and the loader look at the directories.
    if (this.#state !== 'running') return
    this.#failedFlushTurn = this.#options.runtime.reactor.turn
    // Kafka ends here. What is appended to partitions that the metadata log knows nothing of would be lost at the next start.
    if (directory === this.metadataLog.log.directory) {
      this.#metadataFailure ??= directoryFailed(directory)
      this.lifecycle.started.complete(error.message)
      this.#hasMetadata.complete()
      for (const other of this.#logs.liveDirectories) other.fail(error)
    }
    this.fetchers.onFlushFailed()
    this.#replicas.onDirectoryFailed()
    this.lifecycle.sendHeartbeat()
  }
}

const CONTROLLED_SHUTDOWN_LIMIT_MS = 10_000
const RESIGNATION_LIMIT_MS = 1_000

function directoryFailed(directory: LogDirectory | undefined): StartError {
  return new StartError(
    'DIRECTORY_FAILED',
    `The log directory ${directory?.path ?? ''} cannot be used: ${directory?.failure?.message ?? 'it is offline'}`,
    'Check that it exists, is writable and has free space, or give another one with --data-dir.',
  )
}

/** As in Kafka it obeys settings of its own, and none of those for topics; it has snapshots for retention. */
function metadataLogConfig(config: BrokerConfig) {
  return logConfig({
    retentionMs: -1,
    retentionBytes: -1,
    maxMessageBytes: config.get('internal.metadata.max.batch.size.in.bytes'),
    fileDeleteDelayMs: config.get('internal.metadata.delete.delay.millis'),
    segmentBytes:
      config.get('internal.metadata.log.segment.bytes') ?? config.get('metadata.log.segment.bytes'),
    segmentMs: config.get('metadata.log.segment.ms'),
  })
}
