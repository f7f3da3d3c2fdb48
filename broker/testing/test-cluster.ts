/**
 * A Kafka cluster as a test holds it: addresses for clients, topics without a client, waits, faults, time, snapshots, and an end that looks
 * for what was left behind. Either in this process (`LocalWorld`), or attached to a running cluster over the wire; what cannot work there
 * fails with a sentence.
 *
 * Owner: who called `startCluster`. Invariant: after `stop` no timer, socket or file of it is left.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ApiName } from '../../common/protocol/registry.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../common/protocol/schema.ts'
import type { Address } from '../../common/runtime/transport.ts'
import type { Cluster } from '../cluster.ts'
import type { ClusterNode } from '../cluster-node.ts'
import type { AddBrokerOptions } from '../cluster-options.ts'
import type { ClusterWarning } from '../cluster-warning.ts'
import type { VersionBounds } from './answer-overrides.ts'
import { BrokerControl } from './broker-control.ts'
import { type ClientConfigs, type ClientKind, clientConfig } from './client-config.ts'
import { ClusterAddresses, type ClusterEnvironment, type ClusterUrls } from './cluster-addresses.ts'
import { ClusterClock } from './cluster-clock.ts'
import type { ClusterView, PartitionState } from './cluster-view.ts'
import { type ConfigKind, changeConfigs } from './config-changes.ts'
import { Faults } from './faults.ts'
import type { HttpInterface } from './http-interface.ts'
import type { Journal } from './journal.ts'
import { KafkaError, NotLocalError } from './kafka-error.ts'
import { knownApi } from './known-names.ts'
import { type CoordinatorKind, Leadership } from './leadership.ts'
import type { LocalWorld, Snapshot } from './local-world.ts'
import { NetworkControl } from './network-control.ts'
import { askBroker, type PendingCall } from './pending-call.ts'
import { type ReplicatedPartition, replicatedPartition } from './replica-view.ts'
import { Requests } from './requests.ts'
import type { Scope } from './scope.ts'
import { Scopes } from './scopes.ts'
import { TopicHandle, type TopicHost, type TopicOptions } from './topic-handle.ts'
import { problemsElsewhere, problemsHere, VerificationError } from './verify.ts'
import { WaitFor } from './wait-for.ts'
import type { Waits } from './waits.ts'
import type { Wire } from './wire.ts'

interface Parts {
  readonly local: LocalWorld | undefined
  readonly http: HttpInterface | undefined
  /** Starts a second cluster from a snapshot. */
  readonly fork: ((snapshot: Snapshot) => Promise<TestCluster>) | undefined
  readonly wire: Wire
  readonly waits: Waits
  readonly view: ClusterView
  /** @throws NotLocalError */
  readonly journal: () => Journal
  /** What tests with this prefix of names have left behind, in words. */
  readonly leftovers: (prefix: string) => Promise<readonly string[]>
  readonly bootstrap: () => readonly Address[]
  readonly nowMs: () => number
  readonly close: () => void
  readonly isStrict: boolean
}

export class TestCluster {
  readonly waitFor: WaitFor
  readonly #parts: Parts
  readonly #host: TopicHost
  readonly #leadership: Leadership
  readonly #addresses: ClusterAddresses
  readonly #scopes: Scopes
  readonly #faults: Faults | undefined
  #requests: Requests | undefined
  #network: NetworkControl | undefined
  #clock: ClusterClock | undefined
  #stopping: Promise<void> | undefined

  /** @internal Use `startCluster`. */
  constructor(parts: Parts) {
    this.#parts = parts
    const { waits, view, journal, wire, nowMs, local, http, bootstrap } = parts
    this.#addresses = new ClusterAddresses(bootstrap, http?.url)
    this.waitFor = new WaitFor({ waits, view, journal })
    this.#leadership = new Leadership({ wire, view, waitFor: this.waitFor })
    this.#host = { wire, nowMs, whenUsable: (topic) => this.waitFor.topic(topic) }
    this.#scopes = new Scopes({ ...parts, addresses: this.#addresses, host: this.#host })
    this.#faults = local === undefined ? undefined : new Faults(local.faultEngine, waits)
  }

  // --- addresses ---------------------------------------------------------------------------------------------------

  /** Whether the cluster runs in this process, so that faults, clock and snapshots work. */
  get isLocal(): boolean {
    return this.#parts.local !== undefined
  }

  /** `host:port,…`, as clients want it. */
  get bootstrapServers(): string {
    return this.#addresses.bootstrapServers
  }

  /** `host:port` of each broker. */
  get brokers(): string[] {
    return this.#addresses.brokers
  }

  get urls(): ClusterUrls {
    return this.#addresses.urls
  }

  /** Variables for the environment of a child process. */
  env(): ClusterEnvironment {
    return this.#addresses.environment()
  }

  /** Ready-made settings for a client, with short retries. */
  clientConfig<Kind extends ClientKind>(kind: Kind, clientId?: string): ClientConfigs[Kind] {
    return clientConfig(kind, this.brokers, clientId)
  }

  /** The names of Testcontainers, for a swap. */
  getBootstrapServers(): string {
    return this.bootstrapServers
  }
  getHost(): string {
    return this.#addresses.first.host
  }
  getFirstMappedPort(): number {
    return this.#addresses.first.port
  }
  getMappedPort(_port?: number): number {
    return this.#addresses.first.port
  }

  // --- topics and waits --------------------------------------------------------------------------------------------

  /** A topic without a client. Nothing happens before one of its methods is called. */
  topic(name: string): TopicHandle {
    return new TopicHandle(this.#host, name)
  }

  /** Every topic: names, or names with settings. */
  async createTopics(topics: readonly string[] | Readonly<Record<string, TopicOptions>>): Promise<void> {
    const entries: readonly (readonly [string, TopicOptions])[] = Array.isArray(topics)
      ? topics.map((name: string) => [name, {}] as const)
      : Object.entries(topics as Readonly<Record<string, TopicOptions>>)
    await Promise.all(entries.map(([name, options]) => this.topic(name).create(options)))
  }

  /** Leader, replicas, ISR and offsets of each partition. @throws KafkaError */
  async describeTopic(name: string): Promise<readonly PartitionState[]> {
    const partitions = await this.#parts.view.partitions(name)
    if (partitions === undefined)
      throw new KafkaError(`topic "${name}"`, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    return partitions
  }

  /** Changes settings; null takes one back. @throws KafkaError */
  alterConfigs(
    kind: ConfigKind,
    name: string,
    configs: Readonly<Record<string, string | number | boolean | null>>,
  ): Promise<void> {
    return changeConfigs(this.#parts.wire, kind, name, configs)
  }

  // --- leaders and coordinators ------------------------------------------------------------------------------------

  /**
   * An election that an operator asks for: `preferred` gives the lead back to the first replica, `unclean` to one that may have lost records.
   * @returns Kafka's answer: NONE, ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE …
   */
  electLeader(topic: string, partition: number, election?: 'preferred' | 'unclean'): Promise<ErrorCode> {
    return this.#leadership.elect(topic, partition, election)
  }

  /** Every replica of a partition and what the controller says of it, seen from inside. @throws KafkaError */
  replicas(topic: string, partition: number): ReplicatedPartition {
    const state = replicatedPartition(this.#local('A look into replicas').engine, topic, partition)
    if (state === undefined)
      throw new KafkaError(`${topic}-${partition}`, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    return state
  }

  /** One request over a connection of its own, as any client would send it; for what must be watched while it waits. */
  ask<A extends ApiSchema>(
    nodeId: number,
    api: A,
    request: RequestInputOf<A>,
    options: { readonly version?: number; readonly clientId?: string } = {},
  ): PendingCall<ResponseOf<A>> {
    const local = this.#local('A request to watch')
    const [address] = local.engine.node(nodeId).advertisedAddresses.values()
    return askBroker(api, request, {
      transport: local.engine.network.endpoint(options.clientId ?? 'client'),
      scheduler: local.runtime.realTimers,
      address: address ?? { host: '127.0.0.1', port: 1 },
      clientId: options.clientId ?? 'client',
      version: options.version ?? api.versions.highest,
    })
  }

  /** Makes a broker the leader of a partition, for real; it copies the data first when it has no replica. */
  moveLeader(topic: string, partition: number, nodeId: number): Promise<void> {
    return this.#leadership.move(topic, partition, nodeId)
  }

  /** The broker that coordinates a group or a transactional id; -1: none yet. */
  coordinatorOf(kind: CoordinatorKind, key: string): Promise<number> {
    return this.#leadership.coordinatorOf(kind, key)
  }

  /** Moves the coordinator of a group or a transactional id, for real. */
  moveCoordinator(kind: CoordinatorKind, key: string, nodeId: number): Promise<void> {
    return this.#leadership.moveCoordinator(kind, key, nodeId)
  }

  /** What clients are told of the coordinator, true or not; the broker need not exist. Ends with `faults.reset`. */
  pinCoordinator(
    kind: CoordinatorKind,
    key: string,
    coordinator: number | { readonly nodeId: number; readonly host: string; readonly port: number },
  ): void {
    const { faultEngine, engine } = this.#local('Pinning a coordinator')
    if (typeof coordinator === 'object') {
      faultEngine.overrides.pinCoordinator(kind, key, coordinator)
      return
    }
    const node = engine.nodes.find(({ nodeId }) => nodeId === coordinator)
    const [address = { host: '127.0.0.1', port: 1 }] = node?.advertisedAddresses.values() ?? []
    faultEngine.overrides.pinCoordinator(kind, key, { nodeId: coordinator, ...address })
  }

  /** What Metadata tells of a leader, until `undefined` takes it back; -1: none. */
  pretendLeader(
    topic: string,
    partition: number,
    leader: { readonly id: number; readonly epoch?: number } | undefined,
  ): void {
    this.#local('Pretending a leader').faultEngine.overrides.tellLeader(topic, partition, leader)
  }

  /** Consumers that fetch from the leader are sent to this replica. */
  preferReplica(topic: string, partition: number, nodeId: number | undefined): void {
    this.#local('Preferring a replica').faultEngine.overrides.preferReplica(topic, partition, nodeId)
  }

  /** Versions of an API that are told and taken; null: the API is not there. For playing an older Kafka. */
  limitVersions(api: ApiName, bounds: VersionBounds | null): void {
    const { key } = knownApi(api)
    this.#local('Limiting versions').faultEngine.overrides.limitVersions(key, bounds)
  }

  /** Deletes what retention says now, rather than at the next check. */
  applyRetention(): void {
    for (const { services } of this.#local('Retention on demand').engine.brokers)
      services.logs.deleteOldSegments()
  }

  /** Compacts what can be compacted now. The active segment stays, as always. */
  compact(): void {
    for (const { services } of this.#local('Compaction on demand').engine.brokers)
      services.logs.cleaner.runUntilClean()
  }

  // --- only in this process ----------------------------------------------------------------------------------------

  /** What clients have asked. */
  get requests(): Requests {
    this.#requests ??= new Requests(this.#parts.journal())
    return this.#requests
  }

  get faults(): Faults {
    this.#local('Fault injection')
    return this.#faults as Faults
  }

  broker(nodeId: number): BrokerControl {
    const local = this.#running('Control of brokers')
    return new BrokerControl({
      nodeId,
      cluster: () => local.engine,
      runtime: local.runtime,
      engine: local.faultEngine,
      faults: this.faults,
    })
  }

  /**
   * One broker more, without replicas until topics are created or a reassignment gives it some.
   * @returns its id @throws StartError
   */
  addBroker(options: AddBrokerOptions = {}): Promise<number> {
    return this.#running('Adding a broker').addBroker(options)
  }

  /**
   * Stops a broker and makes the cluster forget it; its replicas are lost.
   * @throws Error for a voter of the metadata quorum: the first broker, or the first three
   */
  removeBroker(nodeId: number): Promise<void> {
    return this.#running('Removing a broker').removeBroker(nodeId)
  }

  /** What the brokers say to each other; clients reach all of them in any case. */
  get network(): NetworkControl {
    const local = this.#local('The network between brokers')
    this.#network ??= new NetworkControl(() => local.engine)
    return this.#network
  }

  /** @throws Error unless it was started with `clock: 'virtual'` */
  get clock(): ClusterClock {
    const { runtime } = this.#local('A virtual clock')
    if (runtime.time === undefined)
      throw new Error("This cluster runs in real time. Start it with { clock: 'virtual' } to move its clock.")
    this.#clock ??= new ClusterClock(runtime, runtime.time)
    return this.#clock
  }

  /** The state at this moment; cheap, whatever its size. */
  snapshot(): Snapshot {
    return this.#running('A snapshot').snapshot()
  }

  /** Goes back to a snapshot on the same ports; connections break, as when brokers restart. */
  async restore(snapshot: Snapshot): Promise<void> {
    await this.#running('Restoring a snapshot').restore(snapshot)
  }

  /** A second cluster with the same state (or that of a snapshot), on ports of its own. Brokers that were down are down in it. */
  async fork(snapshot: Snapshot = this.snapshot()): Promise<TestCluster> {
    const { fork } = this.#parts
    if (fork === undefined) throw new NotLocalError('A fork')
    return fork(snapshot)
  }

  // --- ends --------------------------------------------------------------------------------------------------------

  /** Names of its own for one test. */
  scope(prefix = 'test'): Scope {
    return this.#scopes.open(prefix)
  }

  /**
   * At once for a cluster in this process; a promise for one elsewhere, of which only leaders and the groups of scopes can be seen.
   * @throws VerificationError when faults were never met or still hold requests, clients were refused for mistakes, replicas differ, or
   *   members are left
   */
  verify(): void | Promise<void> {
    const { local } = this.#parts
    if (local === undefined) return this.#verifyElsewhere()
    throwIfAny(problemsHere(local.engine, local.faultEngine, this.faults))
  }

  async #verifyElsewhere(): Promise<void> {
    const { wire, leftovers } = this.#parts
    throwIfAny(await problemsElsewhere(wire, this.#scopes.prefixes, leftovers))
  }

  /** Ends as a clean shutdown does, without verifying. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** Stops; verifies first when it is strict. */
  async [Symbol.asyncDispose](): Promise<void> {
    let failure: unknown
    if (this.#stopping === undefined && this.#parts.isStrict) {
      try {
        await this.verify()
      } catch (error) {
        failure = error
      }
    }
    await this.stop()
    if (failure !== undefined) throw failure
  }

  async #stop(): Promise<void> {
    const { local, http, wire, waits, close } = this.#parts
    waits.end('The cluster was stopped while a test waited')
    this.#faults?.reset()
    wire.close()
    await http?.close()
    await local?.stop()
    close()
  }

  // --- the engine, for tests of kafkito itself ---------------------------------------------------------------------

  /** @internal */
  get engine(): Cluster {
    return this.#local('The engine').engine
  }
  get clusterId(): string {
    return this.#local('The id of the cluster').engine.clusterId
  }
  /** @internal */
  get runtime(): LocalWorld['runtime'] {
    return this.#local('The runtime').runtime
  }
  /** @internal */
  get nodes(): readonly ClusterNode[] {
    return this.engine.nodes
  }
  /** @internal */
  node(nodeId: number): ClusterNode {
    return this.engine.node(nodeId)
  }
  get warnings(): readonly ClusterWarning[] {
    return this.#local('The warnings').engine.warnings
  }
  /** Ends as killed processes do. */
  kill(): void {
    const local = this.#local('Killing the cluster')
    this.#stopping ??= Promise.resolve()
    this.#parts.wire.close()
    void this.#parts.http?.close()
    local.kill()
  }

  /** For what would bring brokers to life of which nobody would be in charge. */
  #running(what: string): LocalWorld {
    const local = this.#local(what)
    if (this.#stopping !== undefined)
      throw new Error(`${what} needs a cluster that runs; this one was stopped.`)
    return local
  }

  #local(what: string): LocalWorld {
    const { local } = this.#parts
    if (local === undefined) throw new NotLocalError(what)
    return local
  }
}

/** @throws VerificationError */
function throwIfAny(problems: readonly string[]): void {
  if (problems.length > 0) throw new VerificationError(problems)
}
