/**
 * One broker with real logs on a memory disk, its group and share coordinators and its share partitions, asked through the handlers. What the
 * broker says to itself goes the same way.
 */
import { listOffsets } from '../../../../broker/api/02-list-offsets.ts'
import { shareGroupHeartbeat } from '../../../../broker/api/76-share-group-heartbeat.ts'
import { shareFetch } from '../../../../broker/api/78-share-fetch.ts'
import { shareAcknowledge } from '../../../../broker/api/79-share-acknowledge.ts'
import { initializeShareGroupState } from '../../../../broker/api/83-initialize-share-group-state.ts'
import { readShareGroupState } from '../../../../broker/api/84-read-share-group-state.ts'
import { writeShareGroupState } from '../../../../broker/api/85-write-share-group-state.ts'
import { deleteShareGroupState } from '../../../../broker/api/86-delete-share-group-state.ts'
import { readShareGroupStateSummary } from '../../../../broker/api/87-read-share-group-state-summary.ts'
import type { Handler } from '../../../../broker/api/handler.ts'
import { decodeCoordinatorRecord } from '../../../../broker/coordinator/coordinator-record.ts'
import { GroupCoordinator } from '../../../../broker/coordinator/group/group-coordinator.ts'
import { GROUP_RECORD_TYPES } from '../../../../broker/coordinator/group/group-records.ts'
import { followLeadership } from '../../../../broker/coordinator/leadership-follower.ts'
import { partitionEndOffsets } from '../../../../broker/coordinator/share/partition-end-offsets.ts'
import { ShareCoordinator } from '../../../../broker/coordinator/share/share-coordinator.ts'
import { NetworkSharePersister } from '../../../../broker/coordinator/share/share-persister.ts'
import { SHARE_STATE_RECORD_TYPES } from '../../../../broker/coordinator/share/share-state-records.ts'
import { metadataRecord } from '../../../../broker/metadata/metadata-record.ts'
import type { RequestContext } from '../../../../broker/network/request-context.ts'
import type { BrokerServices } from '../../../../broker/services.ts'
import { SharePartitionManager } from '../../../../broker/share/share-partition-manager.ts'
import type { ShareFetch } from '../../../../common/protocol/apis/78-share-fetch.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../../common/protocol/codec.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../../../common/protocol/schema.ts'
import { BatchCursor } from '../../../../common/record/batch.ts'
import { BatchBuilder } from '../../../../common/record/batch-builder.ts'
import { decodeRecords } from '../../../../common/record/record-reader.ts'
import type { CallResult } from '../../../../common/rpc/channel.ts'
import { asDeferred, Deferred } from '../../../../common/runtime/deferred.ts'
import type { AppendOrigin, VerificationGuard } from '../../../../storage/log.ts'
import { type BrokerHarness, brokerHarness, NODE_ID } from '../api/broker-harness.ts'

export const GROUP = 'g'
export const TOPIC = 'orders'

type AnyHandler = Handler<ApiSchema>

const PEER_HANDLERS = new Map<number, AnyHandler>(
  [
    listOffsets,
    initializeShareGroupState,
    readShareGroupState,
    writeShareGroupState,
    deleteShareGroupState,
    readShareGroupStateSummary,
  ].map((handler) => [handler.api.key, handler as unknown as AnyHandler]),
)

/** `first offset, last offset, types` */
export type Acknowledgement = readonly [number, number, readonly number[]]

export class ShareBroker {
  readonly harness: BrokerHarness
  readonly broker: BrokerServices
  readonly topicId: string
  /** Makes the share coordinator unreachable. */
  isCut = false
  readonly #closers: (() => void)[] = []

  constructor(properties: Readonly<Record<string, string>> = {}) {
    this.harness = brokerHarness({ 'group.share.min.record.lock.duration.ms': '1000', ...properties })
    const { broker, publish } = this.harness
    this.broker = broker
    const { runtime, settings, metadata, replicas, scheduler } = broker
    publish(metadataRecord('FeatureLevelRecord', 0, { name: 'share.version', featureLevel: 2 }))
    publish(metadataRecord('FeatureLevelRecord', 0, { name: 'group.version', featureLevel: 1 }))
    const config = {
      get: settings.config.get.bind(settings.config),
      groupConfigOf: (groupId: string) => metadata.configsOf(32, groupId),
    }
    const call = <A extends ApiSchema>(
      _brokerId: number,
      api: A,
      request: RequestInputOf<A>,
    ): Deferred<CallResult<ResponseOf<A>>> => this.#peer(api, request)
    const persister = new NetworkSharePersister({
      scheduler,
      metadata: () => metadata,
      createStateTopic: () => undefined,
      call,
    })
    const groups = new GroupCoordinator({
      runtime,
      config,
      metadata: () => metadata,
      persister,
      endOffsets: partitionEndOffsets({
        metadata: () => metadata,
        call: (brokerId, request) => call(brokerId, listOffsets.api, request),
      }),
    })
    const share = new ShareCoordinator({
      runtime,
      config,
      metadata: () => metadata,
      pruneBefore: () => undefined,
    })
    const { clock, reactor } = runtime
    const sharePartitions = new SharePartitionManager({
      clock,
      reactor,
      scheduler,
      config,
      metadata: () => metadata,
      replicas,
      persister,
    })
    followLeadership(replicas, groups.service)
    followLeadership(replicas, share.service)
    Object.assign(broker, { groups, share, sharePartitions })
    this.harness.registerBroker(NODE_ID)
    this.harness.createTopic('__share_group_state', [[NODE_ID]])
    this.harness.createTopic('__consumer_offsets', [[NODE_ID]])
    this.topicId = this.harness.createTopic(TOPIC, [[NODE_ID]])
    this.configure({ 'share.auto.offset.reset': 'earliest' })
    this.harness.advance(0)
  }

  configure(configs: Readonly<Record<string, string>>): void {
    this.harness.setConfig(32, GROUP, configs)
  }

  begin<A extends ApiSchema>(
    handler: Handler<A>,
    request: RequestInputOf<A>,
    version = handler.api.versions.highest,
  ): Deferred<ResponseOf<A>> {
    const { api } = handler
    const context = {
      broker: this.broker,
      apiVersion: version,
      apiKey: api.key,
      clientId: 'client',
      connection: {
        clientAddress: '127.0.0.1',
        listener: { name: 'PLAINTEXT' },
        onClosed: (callback: () => void) => {
          this.#closers.push(callback)
          return () => {
            const index = this.#closers.indexOf(callback)
            if (index >= 0) this.#closers.splice(index, 1)
          }
        },
      },
    } as unknown as RequestContext
    const decoded = decodeRequest(api, version, encodeRequest(api, version, request))
    const answer = asDeferred(handler.handle(context, decoded) as never) as Deferred<never>
    return answer.map((response) => decodeResponse(api, version, encodeResponse(api, version, response)))
  }

  call<A extends ApiSchema>(
    handler: Handler<A>,
    request: RequestInputOf<A>,
    version?: number,
  ): ResponseOf<A> {
    const answer = this.begin(handler, request, version)
    for (let tries = 0; tries < 5 && !answer.isDone; tries++) this.harness.advance(0)
    if (answer.value === undefined) throw new Error('not answered')
    return answer.value
  }

  /** The clients' connection breaks. */
  disconnect(): void {
    for (const callback of this.#closers.splice(0)) callback()
    this.harness.advance(0)
  }

  heartbeat(memberId: string, memberEpoch: number, topics: readonly string[] | null = null) {
    const request = { groupId: GROUP, memberId, memberEpoch, rackId: null, subscribedTopicNames: topics }
    const answer = this.call(shareGroupHeartbeat, request)
    this.harness.advance(0)
    return answer
  }

  /** Sets up the group's state, so that its members may fetch. */
  join(memberId = 'm'): void {
    this.heartbeat(memberId, 0, [TOPIC])
  }

  /** One batch. */
  produce(...values: readonly string[]): void {
    const builder = new BatchBuilder()
    for (const value of values) builder.append(this.broker.runtime.clock.wallMs(), null, Buffer.from(value))
    this.#append(builder.build(), 'client')
  }

  produceInTransaction(producerId: number, ...values: readonly string[]): void {
    const identity = { producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true }
    const builder = new BatchBuilder(identity)
    for (const value of values) builder.append(this.broker.runtime.clock.wallMs(), null, Buffer.from(value))
    const log = this.broker.replicas.partition(TOPIC, 0)?.log
    const started = log?.startVerification({
      producerId,
      producerEpoch: 0,
      sequence: 0,
      supportsEpochBump: false,
    })
    const guard = started?.error === 0 ? started.guard : undefined
    this.#append(builder.build(), 'client', guard)
  }

  endTransaction(producerId: number, isCommit: boolean): void {
    const builder = new BatchBuilder({ producerId, producerEpoch: 0, isTransactional: true, isControl: true })
    builder.append(
      this.broker.runtime.clock.wallMs(),
      Buffer.from([0, 0, 0, isCommit ? 1 : 0]),
      Buffer.alloc(6),
    )
    this.#append(builder.build(), 'coordinator')
  }

  #append(records: Buffer, origin: AppendOrigin, verificationGuard?: VerificationGuard): void {
    const partition = this.broker.replicas.partition(TOPIC, 0)
    const appended = partition?.appendAsLeader(records, {
      origin,
      requiredAcks: 1,
      ...(verificationGuard === undefined ? {} : { verificationGuard }),
    })
    if (appended?.error !== 0) throw new Error(`not appended: ${appended?.error}`)
  }

  /** A member with its session. */
  member(memberId: string): ShareClient {
    return new ShareClient(this, memberId)
  }

  /** The partition gets its leader anew. */
  changeLeader(topicId = this.topicId): void {
    this.harness.publish(
      metadataRecord('PartitionChangeRecord', 0, { topicId, partitionId: 0, leader: NODE_ID }),
    )
    this.harness.advance(0)
  }

  /** Values of the records of an internal topic, oldest first. */
  records(topic: '__share_group_state' | '__consumer_offsets'): { name: string; value: unknown }[] {
    const types = new Map(
      [...(topic === '__share_group_state' ? SHARE_STATE_RECORD_TYPES : GROUP_RECORD_TYPES)].map((type) => [
        type.type,
        type,
      ]),
    )
    const log = this.broker.replicas.partition(topic, 0)?.log
    if (log === undefined) throw new Error('no log')
    const found: { name: string; value: unknown }[] = []
    for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
      const read = log.read({ offset, maxBytes: 1 << 20, upTo: 'logEnd', atLeastOneBatch: true })
      const cursor = new BatchCursor(read.records)
      while (cursor.next()) {
        for (const record of decodeRecords(cursor.batch).records) {
          const decoded = decodeCoordinatorRecord(types, record.key, record.value)
          if (typeof decoded === 'string') throw new Error(decoded)
          found.push({ name: decoded.type.value.name, value: decoded.value })
        }
      }
      offset = read.nextOffset
    }
    return found
  }

  #peer<A extends ApiSchema>(api: A, request: RequestInputOf<A>): Deferred<CallResult<ResponseOf<A>>> {
    if (this.isCut) return Deferred.of<CallResult<ResponseOf<A>>>({ ok: false, failure: 'disconnected' })
    const handler = PEER_HANDLERS.get(api.key) as unknown as Handler<A>
    return this.begin(handler, request).map((response) => ({ ok: true, response }))
  }
}

type FetchOptions = Partial<RequestInputOf<typeof ShareFetch>> & {
  readonly acknowledgements?: readonly Acknowledgement[]
}

export class ShareClient {
  readonly memberId: string
  readonly #owner: ShareBroker
  #epoch = 0

  constructor(owner: ShareBroker, memberId: string) {
    this.#owner = owner
    this.memberId = memberId
  }

  begin(options: FetchOptions = {}) {
    const { acknowledgements = [], ...request } = options
    const answer = this.#owner.begin(shareFetch, {
      groupId: GROUP,
      memberId: this.memberId,
      shareSessionEpoch: this.#epoch,
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 1 << 20,
      maxRecords: 100,
      batchSize: 100,
      topics: this.#epoch === 0 || acknowledgements.length > 0 ? this.#topics(acknowledgements) : [],
      forgottenTopicsData: [],
      ...request,
    })
    this.#epoch = request.shareSessionEpoch === -1 ? 0 : this.#epoch + 1
    return answer
  }

  response(options: FetchOptions = {}): ResponseOf<typeof ShareFetch> {
    const answer = this.begin(options)
    for (let tries = 0; tries < 5 && !answer.isDone; tries++) this.#owner.harness.advance(0)
    if (answer.value === undefined) throw new Error('not answered')
    return answer.value
  }

  /** Ranges handed out: `first-last x delivery count`. */
  fetch(options: FetchOptions = {}): string[] {
    return acquiredIn(this.response(options))
  }

  acknowledge(...acknowledgements: readonly Acknowledgement[]) {
    return this.#acknowledge(acknowledgements, false)
  }

  renew(firstOffset: number, lastOffset: number) {
    return this.#acknowledge([[firstOffset, lastOffset, [4]]], true)
  }

  #acknowledge(acknowledgements: readonly Acknowledgement[], isRenewAck: boolean) {
    const answer = this.#owner.call(shareAcknowledge, {
      groupId: GROUP,
      memberId: this.memberId,
      shareSessionEpoch: this.#epoch,
      isRenewAck,
      topics: this.#topics(acknowledgements),
    })
    this.#epoch += 1
    const partition = answer.responses[0]?.partitions[0]
    return { errorCode: partition?.errorCode ?? answer.errorCode, errorMessage: partition?.errorMessage }
  }

  #topics(acknowledgements: readonly Acknowledgement[]) {
    const acknowledgementBatches = acknowledgements.map(([firstOffset, lastOffset, acknowledgeTypes]) => ({
      firstOffset,
      lastOffset,
      acknowledgeTypes,
    }))
    return [{ topicId: this.#owner.topicId, partitions: [{ partitionIndex: 0, acknowledgementBatches }] }]
  }
}

export function acquiredIn(response: ResponseOf<typeof ShareFetch>): string[] {
  return response.responses.flatMap(({ partitions }) =>
    partitions.flatMap(({ acquiredRecords }) =>
      acquiredRecords.map(
        ({ firstOffset, lastOffset, deliveryCount }) => `${firstOffset}-${lastOffset} x${deliveryCount}`,
      ),
    ),
  )
}
