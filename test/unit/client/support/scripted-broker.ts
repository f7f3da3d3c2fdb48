/**
 * A cluster for the client's tests: brokers that speak the protocol over the simulated network and do as the test says.
 * Produce behaves like Kafka's, sequences included, unless `onRequest` answers in its place.
 */
import { Produce, type ProduceRequest } from '../../../../common/protocol/apis/00-produce.ts'
import { Metadata, type MetadataRequest } from '../../../../common/protocol/apis/03-metadata.ts'
import {
  SaslHandshake,
  type SaslHandshakeRequest,
} from '../../../../common/protocol/apis/17-sasl-handshake.ts'
import { ApiVersions } from '../../../../common/protocol/apis/18-api-versions.ts'
import { InitProducerId } from '../../../../common/protocol/apis/22-init-producer-id.ts'
import { SaslAuthenticate } from '../../../../common/protocol/apis/36-sasl-authenticate.ts'
import { decodeRequest } from '../../../../common/protocol/codec.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { decodeRequestHeader, encodeResponseFrame } from '../../../../common/protocol/header.ts'
import type { ApiSchema, ResponseInputOf } from '../../../../common/protocol/schema.ts'
import { BatchView } from '../../../../common/record/batch.ts'
import type { DecodedRecord } from '../../../../common/record/record.ts'
import { RecordReader } from '../../../../common/record/record-reader.ts'
import { createSimRuntime, type SimRuntime } from '../../../../common/runtime/sim/runtime.ts'
import type { Link, Listener } from '../../../../common/runtime/transport.ts'

export interface SeenRequest {
  readonly nodeId: number
  readonly api: string
  readonly version: number
  readonly clientId: string
  readonly body: unknown
  readonly atMs: number
}

/** What a test may do with a request: answer, stay silent, close the connection; undefined: as usual. */
export type Reaction =
  /**
   * `delayMs`: what a broker does with a fetch that finds nothing. Later answers of the connection wait behind it. `isApplied`: what was
   * asked for is done as usual besides.
   */
  | { readonly answer: object; readonly delayMs?: number; readonly isApplied?: true }
  | 'silence'
  | 'disconnect'
  | 'apply-and-disconnect'
  | 'apply-and-stay-silent'
  | undefined

export interface PartitionLog {
  leaderId: number
  leaderEpoch: number
  readonly records: DecodedRecord[]
  readonly batches: {
    readonly producerId: number
    readonly producerEpoch: number
    readonly baseSequence: number
    readonly baseOffset: number
    readonly count: number
  }[]
}

const served = [
  Produce,
  Metadata,
  SaslHandshake,
  ApiVersions,
  InitProducerId,
  SaslAuthenticate,
] as readonly ApiSchema[]

/** An answer to FindCoordinator: group `g` is in the hands of broker 1. */
export const coordinatorOfG = {
  answer: {
    coordinators: [{ key: 'g', nodeId: 1, host: 'broker-1', port: 9092, errorCode: 0, errorMessage: null }],
  },
} as const

export class ScriptedCluster {
  readonly sim: SimRuntime
  readonly requests: SeenRequest[] = []
  readonly topics = new Map<
    string,
    { readonly id: string; errorCode: ErrorCode; readonly partitions: PartitionLog[] }
  >()
  onRequest: (request: SeenRequest) => Reaction = () => undefined
  /** Highest versions that the brokers claim; all that this code has when absent. */
  maxVersions: Readonly<Record<string, number>> = {}
  createsTopics = false
  /** Finalized level of `transaction.version`, and the epoch of the features: it only rises. */
  transactionVersion = 0
  /** What the brokers claim to have besides; `onRequest` answers. */
  otherApis: readonly ApiSchema[] = []
  /** What every successful authentication tells (KIP-368). */
  sessionLifetimeMs = 0
  readonly #listeners = new Map<number, Listener>()
  readonly #links = new Map<number, Set<Link>>()
  #nextProducerId = 1000

  constructor(seed: number) {
    this.sim = createSimRuntime({ seed })
  }

  get bootstrap(): string {
    return [...this.#listeners.values()].map(({ address }) => `${address.host}:${address.port}`).join(',')
  }

  async start(nodeId: number, port = 9092): Promise<void> {
    const transport = this.sim.network.endpoint(`broker-${nodeId}`)
    const links = new Set<Link>()
    this.#links.set(nodeId, links)
    const address = { host: `broker-${nodeId}`, port, maxFrameBytes: 100_000_000 }
    this.#listeners.set(
      nodeId,
      await transport.listen(address, (link) => {
        links.add(link)
        link.onClose = () => links.delete(link)
        let freeAtMs = 0
        link.onFrame = (frame) => {
          const { header, api, reader } = decodeRequestHeader(frame)
          const { apiVersion: version, correlationId, clientId } = header
          const isUnknownVersion = api === ApiVersions && version > this.#maxVersion(api)
          const body = isUnknownVersion ? {} : decodeRequest(api, version, reader)
          const request = {
            nodeId,
            api: api.name,
            version,
            clientId,
            body,
            atMs: this.sim.clock.monotonicMs(),
          }
          this.requests.push(request)
          const reply = (response: object, answerVersion = version, delayMs = 0): void => {
            const send = (): void =>
              link.send(
                encodeResponseFrame(
                  api,
                  { version: answerVersion, correlationId },
                  response as ResponseInputOf<ApiSchema>,
                ),
              )
            const nowMs = this.sim.clock.monotonicMs()
            if (delayMs === 0 && freeAtMs <= nowMs) {
              send()
              return
            }
            freeAtMs = Math.max(nowMs + delayMs, freeAtMs + 0.001)
            this.sim.scheduler.schedule('a delayed answer', freeAtMs - nowMs, send)
          }
          if (isUnknownVersion) {
            reply({ ...this.#versions(), errorCode: ErrorCode.UNSUPPORTED_VERSION }, 0)
            return
          }
          const reaction = this.onRequest(request)
          if (reaction === 'silence') return
          if (reaction === 'disconnect') {
            // Answers that were given before still arrive.
            link.close()
            return
          }
          const usual = typeof reaction !== 'object' || reaction.isApplied ? this.#serve(request) : undefined
          const response = typeof reaction === 'object' ? reaction.answer : (usual as object)
          if (reaction === 'apply-and-disconnect') link.close()
          else if (reaction === 'apply-and-stay-silent') return
          else if (!(api === Produce && (body as ProduceRequest).acks === 0)) {
            reply(response, version, typeof reaction === 'object' ? reaction.delayMs : 0)
          }
        }
      }),
    )
  }

  stop(nodeId: number): void {
    this.#listeners.get(nodeId)?.close()
    this.#listeners.delete(nodeId)
    for (const link of [...(this.#links.get(nodeId) ?? [])]) link.destroy()
  }

  topic(name: string, leaders: readonly number[]): PartitionLog[] {
    const id = Buffer.from(name.padEnd(16, '\0').slice(0, 16)).toString('base64url')
    const partitions = leaders.map((leaderId) => ({ leaderId, leaderEpoch: 0, records: [], batches: [] }))
    this.topics.set(name, { id, errorCode: ErrorCode.NONE, partitions })
    return partitions
  }

  seen(api: string): SeenRequest[] {
    return this.requests.filter((request) => request.api === api)
  }

  /** Runs the world, time included, until the promise is settled. */
  async settle<T>(promise: Promise<T>, limitMs = 1_000_000): Promise<T> {
    let isDone = false
    const done = (): void => {
      isDone = true
    }
    promise.then(done, done)
    const deadlineMs = this.sim.clock.monotonicMs() + limitMs
    for (;;) {
      await this.idle()
      if (isDone) return await promise
      if (this.sim.clock.monotonicMs() >= deadlineMs) throw new Error('not settled in time')
      if (!this.sim.time.advanceToNextTimer()) throw new Error('nothing will ever settle this')
    }
  }

  /** Lets `ms` of virtual time pass. */
  async advance(ms: number): Promise<void> {
    await this.idle()
    this.sim.advance(ms)
    await this.idle()
  }

  /** Everything that needs no time. */
  async idle(): Promise<void> {
    for (let round = 0; round < 10; round++) {
      this.sim.runUntilIdle()
      for (let tick = 0; tick < 10; tick++) await Promise.resolve()
    }
  }

  #maxVersion(api: ApiSchema): number {
    return this.maxVersions[api.name] ?? api.versions.highest
  }

  #versions(): object {
    const apiKeys = [...served, ...this.otherApis].map((api) => ({
      apiKey: api.key,
      minVersion: api.versions.lowest,
      maxVersion: this.#maxVersion(api),
    }))
    const level = this.transactionVersion
    return {
      errorCode: ErrorCode.NONE,
      apiKeys,
      finalizedFeaturesEpoch: level,
      finalizedFeatures: [{ name: 'transaction.version', minVersionLevel: level, maxVersionLevel: level }],
    }
  }

  #serve({ api, nodeId, body }: SeenRequest): object {
    switch (api) {
      case 'ApiVersions':
        return this.#versions()
      case 'Metadata':
        return this.#metadata(body as MetadataRequest)
      case 'InitProducerId':
        return { errorCode: ErrorCode.NONE, producerId: this.#nextProducerId++, producerEpoch: 0 }
      case 'SaslHandshake':
        return { errorCode: ErrorCode.NONE, mechanisms: [(body as SaslHandshakeRequest).mechanism] }
      case 'SaslAuthenticate':
        return {
          errorCode: ErrorCode.NONE,
          errorMessage: null,
          authBytes: Buffer.alloc(0),
          sessionLifetimeMs: this.sessionLifetimeMs,
        }
      case 'Produce':
        return this.#produce(nodeId, body as ProduceRequest)
      default:
        throw new Error(`the scripted broker has no ${api}`)
    }
  }

  #metadata(request: MetadataRequest): object {
    const names = request.topics?.map(({ name }) => name ?? '') ?? [...this.topics.keys()]
    return {
      brokers: [...this.#listeners].map(([nodeId, { address }]) => ({ nodeId, ...address })),
      clusterId: 'scripted',
      controllerId: 1,
      topics: names.map((name) => {
        if (!this.topics.has(name) && this.createsTopics && request.allowAutoTopicCreation)
          this.topic(name, [1])
        const topic = this.topics.get(name)
        if (topic === undefined)
          return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, name, partitions: [] }
        return {
          errorCode: topic.errorCode,
          name,
          topicId: topic.id,
          partitions: topic.partitions.map(({ leaderId, leaderEpoch }, partitionIndex) => ({
            errorCode: leaderId < 0 ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
            partitionIndex,
            leaderId,
            leaderEpoch,
            replicaNodes: [leaderId],
            isrNodes: [leaderId],
          })),
        }
      }),
    }
  }

  #produce(nodeId: number, request: ProduceRequest): object {
    return {
      responses: request.topicData.map(({ name, topicId, partitionData }) => ({
        name,
        topicId,
        partitionResponses: partitionData.map(({ index, records }) => {
          const topic = [...this.topics].find(([own, { id }]) => own === name || id === topicId)?.[1]
          const log = topic?.partitions[index]
          if (log === undefined)
            return { index, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, baseOffset: -1 }
          if (log.leaderId !== nodeId)
            return { index, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, baseOffset: -1 }
          return { index, ...append(log, records as Buffer) }
        }),
      })),
    }
  }
}

function append(log: PartitionLog, bytes: Buffer): { errorCode: ErrorCode; baseOffset: number } {
  const batch = new BatchView(bytes)
  const { producerId, producerEpoch, baseSequence, recordCount: count } = batch
  if (producerId >= 0) {
    const own = log.batches.filter((entry) => entry.producerId === producerId)
    const last = own.at(-1)
    const known = own
      .slice(-5)
      .find((entry) => entry.producerEpoch === producerEpoch && entry.baseSequence === baseSequence)
    if (known !== undefined) return { errorCode: ErrorCode.NONE, baseOffset: known.baseOffset }
    if (last !== undefined && producerEpoch < last.producerEpoch) {
      return { errorCode: ErrorCode.INVALID_PRODUCER_EPOCH, baseOffset: -1 }
    }
    // Of a producer that is not known any sequence is taken.
    const expected = last?.producerEpoch === producerEpoch ? (last.baseSequence + last.count) & 0x7fffffff : 0
    if (last !== undefined && baseSequence !== expected)
      return { errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, baseOffset: -1 }
  }
  const baseOffset = log.records.length
  const reader = new RecordReader(batch)
  while (reader.next()) {
    const { timestamp, key, value } = reader
    log.records.push({ offset: log.records.length, timestamp, key, value, headers: reader.headers() })
  }
  if (reader.error !== ErrorCode.NONE) throw new Error(reader.errorMessage)
  log.batches.push({ producerId, producerEpoch, baseSequence, baseOffset, count })
  return { errorCode: ErrorCode.NONE, baseOffset }
}
