/**
 * One broker, composed: its files, its part in the metadata quorum, its replicas, its coordinators, its listeners, and its life with the
 * controller.
 *
 * Owner: the cluster. Invariants: clients are served only after the controller has unfenced the broker; after `stop` or `kill` nothing of
 * it runs any more.
 */
import type { Deferred } from '../common/runtime/deferred.ts'
import type { FileError } from '../common/runtime/files.ts'
import type { Address } from '../common/runtime/transport.ts'
import type { LogDirectory } from '../storage/log-directory.ts'
import type { LogManager } from '../storage/log-manager.ts'
import { BrokerCoordinators } from './broker-coordinators.ts'
import { BrokerLifecycle } from './broker-lifecycle.ts'
import { BrokerListeners } from './broker-listeners.ts'
import { BrokerLoggers } from './broker-loggers.ts'
import { directoryFailed, openLogDirectories, openMetadataLogFiles } from './broker-logs.ts'
import type { BrokerOptions } from './broker-options.ts'
import { BrokerReplication } from './broker-replication.ts'
import { BrokerSettings } from './broker-settings.ts'
import { SECURITY_PROTOCOLS } from './config/listeners.ts'
import type { Controller } from './controller/controller.ts'
import { SUPPORTED_FEATURES, unknownFeature } from './metadata/features.ts'
import type { EndpointImage } from './metadata/image.ts'
import { MetadataLoader } from './metadata/loader.ts'
import { RequestCounters } from './metrics/counters.ts'
import { Router } from './network/router.ts'
import { ControllerClient } from './peer/controller-client.ts'
import { PeerClient } from './peer/peer-client.ts'
import { RequestForwarder } from './peer/request-forwarder.ts'
import { QuorumNode } from './quorum-node.ts'
import { ClientQuotas } from './quota/client-quotas.ts'
import type { MetadataLog } from './raft/metadata-log.ts'
import { FetchSessionCache } from './replica/fetch-session-cache.ts'
import type { FollowerFetchers } from './replica/follower-fetchers.ts'
import { servedApis, servedHandlers } from './served-apis.ts'
import type { BrokerServices } from './services.ts'
import { newerData, StartError } from './start-error.ts'
import { ClientTelemetry } from './telemetry/client-telemetry.ts'
import { TopicCreator } from './topic-creator.ts'
import { METADATA_TOPIC } from './topic-names.ts'

const CONTROLLER_RETRY_MS = 50
const CONTROLLED_SHUTDOWN_LIMIT_MS = 10_000
const RESIGNATION_LIMIT_MS = 1_000
const FETCH_SESSION_EVICTION_MS = 120_000
/** Kafka's cache of fetch sessions has so many parts of one size; what does not divide evenly is not used. */
const FETCH_SESSION_CACHE_PARTS = 8

export class Broker {
  readonly nodeId: number
  readonly services: BrokerServices
  readonly lifecycle: BrokerLifecycle
  readonly listeners: BrokerListeners
  readonly #options: BrokerOptions
  readonly #loader: MetadataLoader
  readonly #logs: LogManager
  readonly #quorum: QuorumNode
  readonly #replication: BrokerReplication
  readonly #coordinators: BrokerCoordinators
  readonly #controllerPeers: PeerClient
  readonly #peers: PeerClient
  /** Turn in which records could not be handed to the operating system. */
  #failedFlushTurn = -1
  /** Set once the directory of the metadata log has failed. */
  #metadataFailure: StartError | undefined
  #state: 'new' | 'running' | 'stopped' = 'new'

  constructor(options: BrokerOptions) {
    const { nodeId, runtime, scheduler } = options
    this.nodeId = nodeId
    this.#options = options
    this.#loader = new MetadataLoader({ trace: runtime.trace, name: `metadata of broker ${nodeId}` })
    const metadata = this.#loader.image
    const settings = new BrokerSettings({ nodeId, startUp: options.config, image: metadata })
    this.#loader.listen(settings)
    this.#logs = openLogDirectories(options, settings, (directory, error) =>
      this.#onDirectoryFailure(directory, error),
    )
    this.#controllerPeers = new PeerClient({
      transport: options.internalTransport,
      scheduler,
      clientId: `controller-client-${nodeId}`,
      requestTimeoutMs: options.config.get('controller.socket.timeout.ms'),
    })
    this.#peers = new PeerClient({ transport: runtime.transport, scheduler, clientId: `broker-${nodeId}` })
    const controller = new ControllerClient({
      peers: this.#controllerPeers,
      scheduler,
      controllerAddress: () => options.controllerAddressOf(this.metadataLog.leaderId),
      retryBackoffMs: CONTROLLER_RETRY_MS,
    })
    const common = {
      nodeId,
      settings,
      metadata,
      controller,
      brokerEpoch: () => this.lifecycle.brokerEpoch,
      endpointOf: (brokerId: number) => this.#endpointOf(brokerId, this.#interBrokerListenerName()),
    }
    this.#replication = new BrokerReplication({ ...common, broker: options, logs: this.#logs })
    this.#coordinators = new BrokerCoordinators({
      ...common,
      runtime,
      scheduler,
      replicas: this.#replication.replicas,
      peers: this.#peers,
      createTopic: (name) => this.services.topicCreator.createSoon([name]),
    })
    this.#quorum = new QuorumNode({
      broker: options,
      loader: this.#loader,
      log: openMetadataLogFiles(this.#logs),
      onMetadata: () => this.lifecycle.onMetadata(),
      controllerAddress: () => this.listeners.controllerAddress,
    })
    const telemetry = new ClientTelemetry({
      clock: runtime.clock,
      random: runtime.random,
      image: metadata,
      maxPushBytes: () => settings.config.get('telemetry.max.bytes'),
    })
    this.#loader.listen(telemetry)
    const quotas = clientQuotas(options)
    this.#loader.listen(quotas)
    this.services = this.#createServices({
      settings,
      telemetry,
      quotas,
      topicCreator: new TopicCreator({ nodeId, settings, controller, trace: runtime.trace }),
      dispatchForwarded: (connection, frame) => router.dispatchForwarded(connection, frame),
    })
    const forwarder = new RequestForwarder(controller)
    const router = new Router(this.services, servedHandlers, forwarder, options.interception)
    this.listeners = new BrokerListeners({
      broker: options,
      router,
      quotas,
      hasFlushFailed: () => this.#failedFlushTurn === runtime.reactor.turn,
    })
    this.lifecycle = this.#createLifecycle(controller)
  }

  get metadataLog(): MetadataLog {
    return this.#quorum.metadataLog
  }

  /** The controller of the cluster, while this node is that. */
  get controller(): Controller | undefined {
    return this.#quorum.controller
  }

  /** Copies what this broker follows. */
  get fetchers(): FollowerFetchers {
    return this.#replication.fetchers
  }

  /** Where controllers reach this node; undefined while its listener is not open. */
  get controllerAddress(): Address | undefined {
    return this.listeners.isControllerListenerOpen ? this.listeners.controllerAddress : undefined
  }

  get connectionCount(): number {
    return this.listeners.connectionCount
  }

  // --- life --------------------------------------------------------------------------------------------------------

  /** Takes its addresses; who connects waits until the broker serves. */
  async open(): Promise<void> {
    this.#state = 'running'
    await this.listeners.open(() => this.#mustRun())
  }

  /** Joins the cluster: registers with the controller, and serves once it is unfenced. All nodes must be open by then. */
  async start(): Promise<void> {
    this.#quorum.start()
    await new Promise<void>((resolve) => this.#quorum.hasMetadata.whenDone(resolve))
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
    this.#loader.listen(this.#replication.replicas)
    this.#loader.listen(this.#coordinators)
    this.lifecycle.readyToServe()
    const failure = await new Promise<string | undefined>((resolve) =>
      this.lifecycle.started.whenDone(resolve),
    )
    this.#mustRun()
    if (failure !== undefined) throw this.#metadataFailure ?? new StartError('FAILED', failure)
    this.#logs.putAsideStrays((log) => this.#isStray(log.topicPartition))
    this.listeners.startServing()
  }

  /** The first half of a clean stop: asks the controller to let this broker go, once others lead what it led. */
  async handOver(): Promise<void> {
    const { servesClients, config } = this.#options
    if (this.#state !== 'running' || !servesClients || !config.get('controlled.shutdown.enable')) return
    await this.#atMost('time limit of the controlled shutdown', CONTROLLED_SHUTDOWN_LIMIT_MS, () =>
      this.lifecycle.beginControlledShutdown(),
    )
  }

  /** The second half: tells the quorum, closes its connections and leaves its files as a clean shutdown does. */
  async finish(): Promise<void> {
    if (this.#state !== 'running') return
    await this.#atMost('time limit of the resignation', RESIGNATION_LIMIT_MS, () => this.#quorum.resign())
    // Killed in the meantime: then nothing may be written any more, least of all that it ended well.
    if ((this.#state as string) === 'stopped') return
    this.#state = 'stopped'
    this.listeners.closeForClients(false)
    this.#end(false)
    this.#logs.close({ brokerEpoch: this.lifecycle.brokerEpoch })
  }

  /** Ends as a killed process does: nothing is handed over, written or said. */
  kill(): void {
    if (this.#state === 'stopped') return
    this.#state = 'stopped'
    this.listeners.closeForClients(true)
    this.#end(true)
    this.#logs.kill()
  }

  /** What waited in `open` or `start` goes on although the broker has ended: it must not come to life again. */
  #mustRun(): void {
    if (this.#state !== 'running')
      throw new StartError('FAILED', `Broker ${this.nodeId} was stopped while it started.`)
  }

  /** Resolves when what is begun is done, or the time is over. */
  #atMost(timerName: string, limitMs: number, begin: () => Deferred<void>): Promise<void> {
    return new Promise((resolve) => {
      const limit = this.#options.scheduler.schedule(timerName, limitMs, resolve)
      begin().whenDone(() => {
        limit.cancel()
        resolve()
      })
    })
  }

  #end(isAbrupt: boolean): void {
    this.lifecycle.stop()
    this.lifecycle.started.complete(undefined)
    this.#coordinators.close()
    this.fetchers.close()
    this.#quorum.close()
    this.listeners.closeForControllers(isAbrupt)
    this.#controllerPeers.close()
    this.#peers.close()
    this.#options.scheduler.close()
  }

  // --- parts -------------------------------------------------------------------------------------------------------

  #createServices(
    made: Pick<BrokerServices, 'settings' | 'telemetry' | 'quotas' | 'topicCreator' | 'dispatchForwarded'>,
  ): BrokerServices {
    const { nodeId, clusterId, runtime, scheduler, config } = this.#options
    const quorum = this.#quorum
    const coordinators = this.#coordinators
    const slots = config.get('max.incremental.fetch.session.cache.slots')
    return {
      nodeId,
      clusterId,
      runtime,
      scheduler,
      ...made,
      metadata: this.#loader.image,
      metadataLog: quorum.metadataLog,
      get controller() {
        return quorum.controller
      },
      loggers: new BrokerLoggers(),
      logs: this.#logs,
      replicas: this.#replication.replicas,
      groups: coordinators.groups,
      transactions: coordinators.transactions,
      share: coordinators.share,
      sharePartitions: coordinators.sharePartitions,
      transactionVerifier: coordinators.verifier,
      requestCounters: new RequestCounters(),
      fetchSessions: new FetchSessionCache({
        clock: runtime.clock,
        random: runtime.random,
        maxSessions: Math.floor(slots / FETCH_SESSION_CACHE_PARTS) * FETCH_SESSION_CACHE_PARTS,
        evictionMs: FETCH_SESSION_EVICTION_MS,
      }),
      apisOf: servedApis,
      endpointOf: (brokerId, listenerName) => this.#endpointOf(brokerId, listenerName),
    }
  }

  #createLifecycle(controller: ControllerClient): BrokerLifecycle {
    const { nodeId, clusterId, runtime, scheduler, config } = this.#options
    return new BrokerLifecycle({
      nodeId,
      scheduler,
      trace: runtime.trace,
      controller,
      metadata: this.#loader.image,
      heartbeatIntervalMs: () => config.get('broker.heartbeat.interval.ms'),
      registrationTimeoutMs: config.get('initial.broker.registration.timeout.ms'),
      registration: () => ({
        brokerId: nodeId,
        clusterId,
        incarnationId: runtime.random.uuid(),
        listeners: this.#options.listeners.map(({ listenerName, securityProtocol }) => ({
          name: listenerName,
          ...(this.listeners.advertised.get(listenerName) as Address),
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
    const { config, listeners } = this.#options
    const name = config.get('inter.broker.listener.name') ?? config.get('security.inter.broker.protocol')
    const found = listeners.find(({ listenerName }) => listenerName === name) ?? listeners[0]
    return found?.listenerName ?? 'PLAINTEXT'
  }

  #isStray({ topic, partition }: { topic: string; partition: number }): boolean {
    if (topic === METADATA_TOPIC) return false
    const replicas = this.#loader.image.topicsByName.get(topic)?.partitions[partition]?.replicas
    return replicas?.includes(this.nodeId) !== true
  }

  #onDirectoryFailure(directory: LogDirectory, error: FileError): void {
    // While the broker is being made nobody waits for it: `openMetadataLogFiles` and the loader look at the directories.
    if (this.#state !== 'running') return
    this.#failedFlushTurn = this.#options.runtime.reactor.turn
    // Kafka ends here. What is appended to partitions that the metadata log knows nothing of would be lost at the next start.
    if (directory === this.metadataLog.log.directory) {
      this.#metadataFailure ??= directoryFailed(directory)
      this.lifecycle.started.complete(error.message)
      this.#quorum.hasMetadata.complete()
      for (const other of this.#logs.liveDirectories) other.fail(error)
    }
    this.fetchers.onFlushFailed()
    this.#replication.replicas.onDirectoryFailed()
    this.lifecycle.sendHeartbeat()
  }
}

function clientQuotas({ runtime, config }: BrokerOptions): ClientQuotas {
  return new ClientQuotas({
    clock: runtime.clock,
    windows: {
      windowCount: config.get('quota.window.num'),
      windowMs: config.get('quota.window.size.seconds') * 1000,
    },
    mutationWindows: {
      windowCount: config.get('controller.quota.window.num'),
      windowMs: config.get('controller.quota.window.size.seconds') * 1000,
    },
  })
}
