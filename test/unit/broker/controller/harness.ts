/** A controller on a log in memory, whose commits a test may hold back. */

import { BrokerConfig } from '../../../../broker/config/broker-config.ts'
import { staticLevels } from '../../../../broker/config/levels.ts'
import { brokerHeartbeat, registerBroker } from '../../../../broker/controller/brokers.ts'
import { Controller, type ControllerOptions } from '../../../../broker/controller/controller.ts'
import type { ControllerMachine } from '../../../../broker/controller/machine.ts'
import type { ControllerOutcome } from '../../../../broker/controller/refusals.ts'
import { createTopics } from '../../../../broker/controller/topics.ts'
import { SUPPORTED_FEATURES } from '../../../../broker/metadata/features.ts'
import type { PartitionImage } from '../../../../broker/metadata/image.ts'
import { METADATA_FORMAT } from '../../../../broker/metadata/metadata-format.ts'
import type { MetadataRecord } from '../../../../broker/metadata/metadata-record.ts'
import type { ReplicatedLog } from '../../../../broker/statemachine/replicated-log.ts'
import type { Result } from '../../../../broker/statemachine/state-machine.ts'
import { CreateTopics } from '../../../../common/protocol/apis/19-create-topics.ts'
import { BrokerRegistration } from '../../../../common/protocol/apis/62-broker-registration.ts'
import { BrokerHeartbeat } from '../../../../common/protocol/apis/63-broker-heartbeat.ts'
import { decodeRequest, encodeRequest } from '../../../../common/protocol/codec.ts'
import type { ApiSchema, RequestInputOf, RequestOf } from '../../../../common/protocol/schema.ts'
import { BatchCursor, BatchView } from '../../../../common/record/batch.ts'
import type { Deferred } from '../../../../common/runtime/deferred.ts'
import { createSimRuntime } from '../../../../common/runtime/sim/runtime.ts'

export const CLUSTER_ID = 'test-cluster-id-000000'

export class MemoryLog implements ReplicatedLog {
  readonly leaderEpoch = 1
  readonly logStartOffset = 0
  logEndOffset = 0
  highWatermark = 0
  /** Commits what is appended at once. */
  commitsAtOnce = true
  #batches: Buffer[] = []

  appendStateBatch(batch: Buffer) {
    const view = new BatchView(batch)
    view.stamp(this.logEndOffset, this.leaderEpoch)
    this.#batches.push(batch)
    this.logEndOffset = view.nextOffset
    if (this.commitsAtOnce) this.highWatermark = this.logEndOffset
    return { error: 0, lastOffset: this.logEndOffset - 1 } as const
  }

  readStateBatches(offset: number): Buffer | undefined {
    return Buffer.concat(this.#batches.filter((batch) => new BatchView(batch).lastOffset >= offset))
  }

  /** All records so far, from `offset` on. */
  records(offset = 0): MetadataRecord[] {
    const records: MetadataRecord[] = []
    const bytes = this.readStateBatches(offset) ?? Buffer.alloc(0)
    const cursor = new BatchCursor(bytes)
    while (cursor.next()) {
      METADATA_FORMAT.decodeBatch(bytes, cursor.batch.position, {
        onRecord: (record, context) => {
          if (context.offset >= offset) records.push(record)
        },
        onMarker: () => {},
        onUnknown: (description) => {
          throw new Error(description)
        },
      })
    }
    return records
  }
}

/** A request with every field, as a handler gets it: encoded and decoded in its newest version. */
export function requestOf<A extends ApiSchema>(
  api: A,
  request: RequestInputOf<A>,
  version = api.versions.highest,
): RequestOf<A> {
  return decodeRequest(api, version, encodeRequest(api, version, request))
}

export interface HarnessOptions {
  readonly settings?: Readonly<Record<string, string>>
  readonly log?: MemoryLog
  readonly bootstrapRecords?: NonNullable<ControllerOptions['bootstrapRecords']>
  readonly startingSnapshot?: NonNullable<ReturnType<NonNullable<ControllerOptions['startingSnapshot']>>>
  readonly seed?: number
}

export class Harness {
  readonly sim
  readonly log: MemoryLog
  readonly controller: Controller
  /** Incarnation and epoch of each broker that registered through `addBroker`. */
  readonly brokers = new Map<number, { incarnationId: string; epoch: number }>()

  constructor({
    settings = {},
    log = new MemoryLog(),
    bootstrapRecords,
    startingSnapshot,
    seed = 1,
  }: HarnessOptions = {}) {
    this.sim = createSimRuntime({ seed })
    this.log = log
    const config = new BrokerConfig(staticLevels(new Map(Object.entries(settings))))
    this.controller = new Controller({
      nodeId: 1,
      clusterId: CLUSTER_ID,
      runtime: this.sim,
      log,
      startUp: config.levels,
      ...(bootstrapRecords === undefined ? {} : { bootstrapRecords }),
      ...(startingSnapshot === undefined ? {} : { startingSnapshot: () => startingSnapshot }),
    })
    this.controller.start()
    this.sim.runUntilIdle()
  }

  get image() {
    return this.controller.image
  }

  /** The response; what is not committed yet is a failure of the test. */
  write<Response>(operation: (machine: ControllerMachine) => ControllerOutcome<Response>): Response {
    return answerOf(this.controller.write('test', operation))
  }

  /** As `write`, with the records that it made. */
  writeAndSee<Response>(operation: (machine: ControllerMachine) => ControllerOutcome<Response>) {
    const offset = this.log.logEndOffset
    const response = this.write(operation)
    return { response, records: this.log.records(offset) }
  }

  register(
    id: number,
    options: { rack?: string; previousEpoch?: number; incarnationId?: string; clusterId?: string } = {},
  ) {
    const incarnationId = options.incarnationId ?? this.sim.random.uuid()
    const request = requestOf(BrokerRegistration, {
      brokerId: id,
      clusterId: options.clusterId ?? CLUSTER_ID,
      incarnationId,
      listeners: [{ name: 'PLAINTEXT', host: 'localhost', port: 9000 + id, securityProtocol: 0 }],
      features: [...SUPPORTED_FEATURES].map(([name, { min, max }]) => {
        return { name, minSupportedVersion: min, maxSupportedVersion: max }
      }),
      rack: options.rack ?? null,
      logDirs: [directoryOf(id)],
      previousBrokerEpoch: options.previousEpoch ?? -1,
    })
    const response = this.write((machine) =>
      registerBroker(machine, request, {
        sessionTimeoutMs: this.controller.sessionTimeoutMs,
        provesCleanShutdown: true,
      }),
    )
    if (response.errorCode === 0) this.brokers.set(id, { incarnationId, epoch: response.brokerEpoch ?? -1 })
    return response
  }

  heartbeat(id: number, options: { wantFence?: boolean; wantShutDown?: boolean; offset?: number } = {}) {
    const request = requestOf(BrokerHeartbeat, {
      brokerId: id,
      brokerEpoch: this.brokers.get(id)?.epoch ?? -1,
      currentMetadataOffset: options.offset ?? this.log.logEndOffset,
      wantFence: options.wantFence ?? false,
      wantShutDown: options.wantShutDown ?? false,
    })
    const response = this.write((machine) => brokerHeartbeat(machine, request))
    this.controller.watchSession(id)
    return response
  }

  /** Registers and unfences. */
  addBroker(id: number, options: { rack?: string } = {}): void {
    this.register(id, options)
    this.heartbeat(id)
  }

  addBrokers(...ids: number[]): this {
    for (const id of ids) this.addBroker(id)
    return this
  }

  /** The broker falls silent for as long as a session lasts; all others go on. */
  silence(id: number): void {
    for (let second = 0; second < 10; second++) {
      this.sim.advance(1000)
      for (const other of this.brokers.keys()) {
        if (other !== id && this.image.brokers.get(other)?.isFenced === false) this.heartbeat(other)
      }
    }
  }

  createTopic(name: string, assignments: number[][], configs: Record<string, string> = {}) {
    const request = requestOf(CreateTopics, {
      topics: [
        {
          name,
          numPartitions: -1,
          replicationFactor: -1,
          assignments: assignments.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        },
      ],
    })
    const [result] = this.write((machine) => createTopics(machine, request)).topics
    if (result?.errorCode !== 0)
      throw new Error(`topic ${name}: ${result?.errorCode} ${result?.errorMessage}`)
    return result
  }

  partition(topic: string, index = 0): PartitionImage {
    const partition = this.image.topicsByName.get(topic)?.partitions[index]
    if (partition === undefined) throw new Error(`no ${topic}-${index}`)
    return partition
  }
}

export function directoryOf(id: number): string {
  const bytes = Buffer.alloc(16, 7)
  bytes[15] = id
  return bytes.toString('base64url')
}

export function answerOf<T>(deferred: Deferred<Result<T>>): T {
  const result = deferred.value
  if (result === undefined) throw new Error('not committed')
  if (result.error !== 0) throw new Error(`refused: ${result.error}`)
  return result.value
}
