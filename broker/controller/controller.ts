/**
 * The active controller: the machine on the metadata log, and what it does of its own accord.
 *
 * Owner: the node that leads `__cluster_metadata-0`, as long as it leads. Requests come through `write` and `read`; answers
 * leave when their records are committed. At activation a new cluster gets its bootstrap records (as one metadata
 * transaction), an interrupted transaction is aborted, and every unfenced broker gets a whole session to be heard of.
 */

import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Deferred } from '../../common/runtime/deferred.ts'
import type { Runtime } from '../../common/runtime/runtime.ts'
import { BrokerConfig } from '../config/broker-config.ts'
import type { BrokerLevels } from '../config/levels.ts'
import { defaultBootstrapRecords } from '../metadata/bootstrap.ts'
import type { BrokerImage, EndpointImage, MetadataImage } from '../metadata/image.ts'
import { METADATA_FORMAT } from '../metadata/metadata-format.ts'
import { type MetadataRecord, metadataRecord } from '../metadata/metadata-record.ts'
import type { DecodedSnapshot, SnapshotId } from '../metadata/snapshot.ts'
import type { ReplicatedLog } from '../statemachine/replicated-log.ts'
import { type MachineTimers, StateMachineRuntime } from '../statemachine/runtime.ts'
import type { Result } from '../statemachine/state-machine.ts'
import { fenceRecords } from './brokers.ts'
import { sweepPreferred, sweepUnclean } from './elections.ts'
import { elrActivationRecords } from './features.ts'
import { ControllerMachine } from './machine.ts'
import type { ControllerOutcome } from './refusals.ts'

export interface ControllerOptions {
  readonly nodeId: number
  readonly clusterId: string
  readonly runtime: Runtime
  readonly log: ReplicatedLog
  /** Start-up settings of this node. */
  readonly startUp: BrokerLevels
  /** Content of the bootstrap checkpoint, asked for when the log is empty; absent: what a new cluster finalizes by default. */
  readonly bootstrapRecords?: () => readonly MetadataRecord[]
  /** What the log continues, when its beginning is gone; asked for at `start`. */
  readonly startingSnapshot?: () => { readonly content: DecodedSnapshot; readonly id: SnapshotId } | undefined
  /**
   * Whether the registered incarnation of a broker is known to be gone, because its process was this one's predecessor: it need not wait
   * for the end of a session that nobody holds any more before it registers again.
   */
  readonly isGone?: (broker: BrokerImage) => boolean
  /** How this controller registers; absent: it does not (a combined node without controller listener). */
  readonly registration?: () => ControllerRegistration
}

export interface ControllerRegistration {
  readonly incarnationId: string
  readonly endpoints: readonly EndpointImage[]
  readonly features: ReadonlyMap<string, { readonly min: number; readonly max: number }>
}

export class Controller {
  readonly nodeId: number
  readonly #options: ControllerOptions
  readonly #config: BrokerConfig
  readonly #runtime: StateMachineRuntime<MetadataRecord, ControllerMachine>
  #timers: MachineTimers<MetadataRecord> | undefined

  constructor(options: ControllerOptions) {
    const { runtime, log, nodeId } = options
    this.nodeId = nodeId
    this.#options = options
    this.#config = new BrokerConfig(options.startUp)
    this.#runtime = new StateMachineRuntime({
      name: `controller ${nodeId}`,
      runtime,
      log,
      format: METADATA_FORMAT,
      createMachine: (timers) => {
        this.#timers = timers
        return new ControllerMachine({
          nodeId,
          clusterId: options.clusterId,
          clock: runtime.clock,
          random: runtime.random,
          startUp: options.startUp,
          nextWriteOffset: () => log.logEndOffset,
        })
      },
      errors: {
        loading: ErrorCode.NOT_CONTROLLER,
        notLeader: ErrorCode.NOT_CONTROLLER,
        timedOut: ErrorCode.REQUEST_TIMED_OUT,
        fromAppend: () => ErrorCode.NOT_CONTROLLER,
      },
      writeTimeoutMs: undefined,
    })
  }

  /** true from the end of activation to `stop`. */
  get isActive(): boolean {
    return this.#runtime.state === 'active'
  }

  /** What the controller decides on: ahead of the brokers' images by what is not committed yet. */
  get image(): MetadataImage {
    return this.#runtime.machine.image
  }

  get sessionTimeoutMs(): number {
    return this.#config.get('broker.session.timeout.ms')
  }

  /** Replays the log; the result tells whether the controller became active (false: it was stopped before). */
  start(): Deferred<boolean> {
    const snapshot = this.#options.startingSnapshot?.()
    for (const record of snapshot?.content.records ?? []) {
      this.#runtime.machine.replay(record, {
        offset: (snapshot?.id.endOffset ?? 0) - 1,
        timestampMs: snapshot?.content.lastContainedTimestampMs ?? -1,
        producerId: -1,
        producerEpoch: -1,
      })
    }
    this.#runtime.startLoading()
    return this.#runtime.loaded.map((isLoaded) => {
      if (isLoaded) this.#activate()
      return isLoaded
    })
  }

  /** Leadership of the metadata log is lost: who waits is told NOT_CONTROLLER. */
  stop(): void {
    this.#runtime.unload()
  }

  /** To be called when the metadata log's high watermark has moved. */
  onHighWatermark(): void {
    this.#runtime.onHighWatermark()
  }

  write<Response>(
    label: string,
    operation: (machine: ControllerMachine) => ControllerOutcome<Response>,
  ): Deferred<Result<Response>> {
    return this.#runtime.write(label, operation)
  }

  read<Response>(
    label: string,
    operation: (machine: ControllerMachine) => Response,
  ): Deferred<Result<Response>> {
    return this.#runtime.read(label, operation)
  }

  /** (Re)starts the session of a broker that was just heard of, and ends that of one that was fenced. */
  watchSession(brokerId: number): void {
    const { machine } = this.#runtime
    const key = `session ${brokerId}`
    const broker = machine.image.brokers.get(brokerId)
    if (broker === undefined || broker.isFenced) {
      this.#timers?.cancel(key)
      return
    }
    const delayMs = Math.max(machine.sessions.remainingMs(brokerId, this.sessionTimeoutMs), 0)
    this.#timers?.schedule(key, `session timeout of broker ${brokerId}`, delayMs, () =>
      this.#expire(brokerId),
    )
  }

  #expire(brokerId: number): ControllerOutcome<void> {
    const { machine } = this.#runtime
    const broker = machine.image.brokers.get(brokerId)
    const isAlive = machine.sessions.isValid(brokerId, this.sessionTimeoutMs)
    if (broker === undefined || broker.isFenced || isAlive) return { records: [], response: undefined }
    this.#options.runtime.trace.emit({
      level: 'info',
      kind: 'controller.broker-fenced',
      nodeId: this.nodeId,
      message: `fenced broker ${brokerId}: no heartbeat for ${this.sessionTimeoutMs} ms`,
    })
    return { records: fenceRecords(machine, broker), response: undefined }
  }

  #activate(): void {
    const { machine } = this.#runtime
    this.#runtime.write('activation', () => ({ records: this.#activationRecords(), response: undefined }))
    this.#registerController()
    for (const broker of machine.image.brokers.values()) {
      if (broker.isFenced || this.#options.isGone?.(broker) === true) continue
      machine.sessions.touch(broker.id, -1)
      this.watchSession(broker.id)
    }
    this.#sweep(
      'unclean leader election',
      this.#config.get('unclean.leader.election.interval.ms'),
      sweepUnclean,
    )
    if (this.#config.get('auto.leader.rebalance.enable')) {
      const intervalMs = this.#config.get('leader.imbalance.check.interval.seconds') * 1000
      this.#sweep('preferred leader election', intervalMs, sweepPreferred)
    }
  }

  #activationRecords(): MetadataRecord[] {
    const { machine } = this.#runtime
    const records: MetadataRecord[] = []
    if (machine.hasOpenTransaction) {
      records.push(metadataRecord('AbortTransactionRecord', 0, { reason: 'Controller failover' }))
    }
    if (machine.image.features.size > 0) return records
    const bootstrap = (this.#options.bootstrapRecords ?? defaultBootstrapRecords)()
    const hasElr = bootstrap.some(
      (record) =>
        record.type === 'FeatureLevelRecord' &&
        record.value.name === 'eligible.leader.replicas.version' &&
        record.value.featureLevel > 0,
    )
    return [
      ...records,
      metadataRecord('BeginTransactionRecord', 0, { name: 'Bootstrap records' }),
      ...bootstrap,
      ...(hasElr ? elrActivationRecords(machine) : []),
      metadataRecord('EndTransactionRecord', 0, {}),
    ]
  }

  #registerController(): void {
    const { nodeId } = this.#options
    const registration = this.#options.registration?.()
    if (registration === undefined) return
    this.#runtime.write('controller registration', () => ({
      records: [
        metadataRecord('RegisterControllerRecord', 0, {
          controllerId: nodeId,
          incarnationId: registration.incarnationId,
          zkMigrationReady: false,
          endPoints: registration.endpoints.map(({ listenerName: name, host, port, securityProtocol }) => {
            return { name, host, port, securityProtocol }
          }),
          features: [...registration.features].map(([name, { min, max }]) => {
            return { name, minSupportedVersion: min, maxSupportedVersion: max }
          }),
        }),
      ],
      response: undefined,
    }))
  }

  #sweep(
    name: string,
    intervalMs: number,
    operation: (machine: ControllerMachine) => ControllerOutcome<void>,
  ): void {
    this.#timers?.schedule(name, `${name} of controller ${this.nodeId}`, intervalMs, () => {
      this.#sweep(name, intervalMs, operation)
      return operation(this.#runtime.machine)
    })
  }
}
