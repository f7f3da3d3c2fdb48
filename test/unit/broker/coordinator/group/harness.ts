/** A group coordinator on logs in memory, asked through the handlers with requests that went through the codec. */

import { offsetCommit } from '../../../../../broker/api/08-offset-commit.ts'
import { offsetFetch } from '../../../../../broker/api/09-offset-fetch.ts'
import { joinGroup } from '../../../../../broker/api/11-join-group.ts'
import { heartbeat } from '../../../../../broker/api/12-heartbeat.ts'
import { leaveGroup } from '../../../../../broker/api/13-leave-group.ts'
import { syncGroup } from '../../../../../broker/api/14-sync-group.ts'
import { describeGroups } from '../../../../../broker/api/15-describe-groups.ts'
import { listGroups } from '../../../../../broker/api/16-list-groups.ts'
import { deleteGroups } from '../../../../../broker/api/42-delete-groups.ts'
import { offsetDelete } from '../../../../../broker/api/47-offset-delete.ts'
import { consumerGroupHeartbeat } from '../../../../../broker/api/68-consumer-group-heartbeat.ts'
import { consumerGroupDescribe } from '../../../../../broker/api/69-consumer-group-describe.ts'
import type { Handler } from '../../../../../broker/api/handler.ts'
import { GROUP_KEYS } from '../../../../../broker/config/broker-keys/groups.ts'
import { decodeCoordinatorRecord } from '../../../../../broker/coordinator/coordinator-record.ts'
import type { GroupCoordinatorConfig } from '../../../../../broker/coordinator/group/group-config.ts'
import { GroupCoordinator } from '../../../../../broker/coordinator/group/group-coordinator.ts'
import { GROUP_RECORD_TYPES } from '../../../../../broker/coordinator/group/group-records.ts'
import type { MetadataImage, PartitionImage, TopicImage } from '../../../../../broker/metadata/image.ts'
import type { RequestContext } from '../../../../../broker/network/request-context.ts'
import type { BrokerServices } from '../../../../../broker/services.ts'
import type { ReplicatedLog } from '../../../../../broker/statemachine/replicated-log.ts'
import { OFFSETS_TOPIC } from '../../../../../broker/topic-names.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../../../common/protocol/codec.ts'
import { ErrorCode } from '../../../../../common/protocol/errors.ts'
import type {
  ApiSchema,
  RequestInputOf,
  ResponseInputOf,
  ResponseOf,
} from '../../../../../common/protocol/schema.ts'
import { BatchCursor, BatchView } from '../../../../../common/record/batch.ts'
import { BatchBuilder } from '../../../../../common/record/batch-builder.ts'
import { decodeRecords } from '../../../../../common/record/record-reader.ts'
import { asDeferred, type Deferred } from '../../../../../common/runtime/deferred.ts'
import { createSimRuntime, type SimRuntime } from '../../../../../common/runtime/sim/runtime.ts'

export class MemoryLog implements ReplicatedLog {
  readonly logStartOffset = 0
  leaderEpoch = 0
  logEndOffset = 0
  highWatermark = 0
  commitsAtOnce = true
  refusal: ErrorCode = ErrorCode.NONE
  readonly batches: Buffer[] = []

  appendStateBatch(batch: Buffer) {
    if (this.refusal !== ErrorCode.NONE) return { error: this.refusal, lastOffset: -1 }
    const view = new BatchView(batch)
    view.stamp(this.logEndOffset, this.leaderEpoch)
    this.batches.push(batch)
    this.logEndOffset = view.nextOffset
    if (this.commitsAtOnce) this.highWatermark = this.logEndOffset
    return { error: ErrorCode.NONE, lastOffset: this.logEndOffset - 1 }
  }

  /** Like a real log, at least one batch is read. */
  bytesPerRead = Number.MAX_SAFE_INTEGER

  readStateBatches(offset: number): Buffer | undefined {
    const wanted = this.batches.filter((batch) => new BatchView(batch).lastOffset >= offset)
    let sizeBytes = 0
    return Buffer.concat(
      wanted.filter((batch, index) => {
        sizeBytes += batch.length
        return index === 0 || sizeBytes <= this.bytesPerRead
      }),
    )
  }
}

/** A record as tests compare it: name of the key, key and value. */
export interface PlainRecord {
  readonly name: string
  readonly key: unknown
  readonly version: number
  readonly value: unknown
}

function partition(): PartitionImage {
  return {
    replicas: [1],
    directories: ['AAAAAAAAAAAAAAAAAAAAAQ'],
    isr: [1],
    removingReplicas: [],
    addingReplicas: [],
    elr: [],
    lastKnownElr: [],
    leaderId: 1,
    leaderRecoveryState: 0,
    leaderEpoch: 0,
    partitionEpoch: 0,
  }
}

export class TestImage {
  readonly topicsByName = new Map<string, TopicImage>()
  readonly features = new Map([['group.version', 1]])
  readonly topicsById = new Map<string, TopicImage>()
  readonly brokers = new Map()
  offset = 1

  setTopic(name: string, partitionCount: number, id = `${name.padEnd(21, 'A').slice(0, 21)}A`): void {
    const topic = { name, id, partitions: Array.from({ length: partitionCount }, partition) }
    this.topicsByName.set(name, topic)
    this.topicsById.set(id, topic)
    this.offset += 1
  }

  deleteTopic(name: string): TopicImage {
    const topic = this.topicsByName.get(name)
    if (topic === undefined) throw new Error(`no topic ${name}`)
    this.topicsByName.delete(name)
    this.topicsById.delete(topic.id)
    this.offset += 1
    return topic
  }
}

export interface HarnessOptions {
  readonly config?: Partial<Record<keyof typeof GROUP_KEYS, number | string | readonly string[]>>
  readonly log?: MemoryLog
  readonly image?: TestImage
  readonly sim?: SimRuntime
}

type Loose = Handler<ApiSchema>

export class GroupHarness {
  readonly sim: SimRuntime
  readonly image: TestImage
  readonly log: MemoryLog
  readonly coordinator: GroupCoordinator
  readonly groupConfigs = new Map<string, Map<string, string>>()
  readonly #config: Required<HarnessOptions>['config']

  constructor(options: HarnessOptions = {}) {
    this.#config = { 'group.initial.rebalance.delay.ms': 0, ...options.config }
    this.sim = options.sim ?? createSimRuntime({ seed: 1 })
    this.image = options.image ?? new TestImage()
    if (!this.image.topicsByName.has(OFFSETS_TOPIC)) {
      this.image.setTopic(OFFSETS_TOPIC, 1)
      this.image.setTopic('orders', 6)
    }
    this.log = options.log ?? new MemoryLog()
    this.coordinator = new GroupCoordinator({
      runtime: this.sim,
      config: this.#testConfig(),
      metadata: () => this.image as unknown as MetadataImage,
    })
    this.coordinator.service.onLeadershipGained(0, this.log.leaderEpoch, this.log)
    this.sim.runUntilIdle()
  }

  #testConfig(): GroupCoordinatorConfig {
    const values = this.#config as Record<string, unknown>
    const get = (key: keyof typeof GROUP_KEYS): unknown => {
      const row = GROUP_KEYS[key]
      const text = values[key] ?? row.defaultText
      if (row.type === 'LIST') return typeof text === 'string' ? text.split(',') : text
      return row.type === 'STRING' ? text : Number(text)
    }
    return {
      get: get as GroupCoordinatorConfig['get'],
      groupConfigOf: (groupId) => this.groupConfigs.get(groupId) ?? new Map(),
    }
  }

  /** The coordinator after a restart: a new one that replays the same log. */
  restart(): GroupHarness {
    this.coordinator.service.close()
    return new GroupHarness({ config: this.#config, log: this.log, image: this.image, sim: this.sim })
  }

  /** Asks without waiting. */
  ask<A extends ApiSchema>(
    handler: Handler<A>,
    request: RequestInputOf<A>,
    version = handler.api.versions.highest,
    clientId = 'client',
  ): Deferred<ResponseOf<A>> {
    const context = {
      broker: {
        groups: this.coordinator,
        metadata: this.image as unknown as MetadataImage,
        runtime: this.sim,
      } as Partial<BrokerServices> as BrokerServices,
      connection: { clientAddress: '127.0.0.1' },
      apiKey: handler.api.key,
      apiVersion: version,
      clientId,
    } as unknown as RequestContext
    const decoded = decodeRequest(handler.api, version, encodeRequest(handler.api, version, request))
    const answer = asDeferred((handler as Loose).handle(context, decoded))
    return answer.map((response) => {
      const frame = encodeResponse(handler.api, version, response as ResponseInputOf<A>)
      return decodeResponse(handler.api, version, frame)
    })
  }

  /** Asks and expects the answer without time passing. */
  call<A extends ApiSchema>(
    handler: Handler<A>,
    request: RequestInputOf<A>,
    version = handler.api.versions.highest,
    clientId = 'client',
  ): ResponseOf<A> {
    const answer = this.ask(handler, request, version, clientId)
    this.sim.runUntilIdle()
    if (answer.value === undefined) throw new Error(`${handler.api.name} is not answered yet`)
    return answer.value
  }

  advance(ms: number): void {
    this.sim.advance(ms)
  }

  /** Everything appended so far (or since `offset`), decoded. */
  records(offset = 0): PlainRecord[] {
    const types = new Map(GROUP_RECORD_TYPES.map((type) => [type.type, type]))
    return this.log.batches.flatMap((bytes) => {
      const cursor = new BatchCursor(bytes)
      const records: PlainRecord[] = []
      while (cursor.next()) {
        if (cursor.batch.isControl) continue
        for (const record of decodeRecords(cursor.batch).records) {
          if (record.offset < offset) continue
          const decoded = decodeCoordinatorRecord(types, record.key, record.value)
          if (typeof decoded === 'string') throw new Error(decoded)
          const { type, key, value, version } = decoded
          records.push({ name: type.value.name, key, version, value })
        }
      }
      return records
    })
  }

  commitAll(): void {
    this.log.highWatermark = this.log.logEndOffset
    this.coordinator.service.onHighWatermark(0)
    this.sim.runUntilIdle()
  }

  /** Ends the transaction of a producer as WriteTxnMarkers does. */
  endTransaction(producerId: number, isCommit: boolean): void {
    const builder = new BatchBuilder({ producerId, producerEpoch: 0, isTransactional: true, isControl: true })
    const key = Buffer.from([0, 0, 0, isCommit ? 1 : 0])
    builder.append(this.sim.clock.wallMs(), key, Buffer.alloc(6))
    const { lastOffset } = this.log.appendStateBatch(builder.build())
    this.coordinator.service.onTransactionMarker(0, { producerId, producerEpoch: 0, isCommit }, lastOffset)
  }

  // --- classic members ---------------------------------------------------------------------------------------------

  join(groupId: string, options: JoinOptions = {}, version = 9): Deferred<ResponseOf<typeof joinGroup.api>> {
    return this.ask(
      joinGroup,
      {
        groupId,
        sessionTimeoutMs: options.sessionTimeoutMs ?? 45_000,
        rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 60_000,
        memberId: options.memberId ?? '',
        groupInstanceId: options.instanceId ?? null,
        protocolType: options.protocolType ?? 'consumer',
        protocols: options.protocols ?? [
          { name: 'range', metadata: subscription(options.topics ?? ['orders']) },
        ],
      },
      version,
    )
  }

  /** Asks for a member id and joins with it; the answer waits for the rebalance. */
  joinFully(groupId: string, options: JoinOptions = {}): JoiningMember {
    const first = this.join(groupId, options)
    this.sim.runUntilIdle()
    const memberId = first.value?.memberId ?? ''
    if (first.value?.errorCode !== ErrorCode.MEMBER_ID_REQUIRED) throw new Error('a member id was expected')
    const answer = this.join(groupId, { ...options, memberId })
    this.sim.runUntilIdle()
    return { memberId, answer }
  }

  sync(groupId: string, generationId: number, memberId: string, options: SyncOptions = {}) {
    return this.ask(syncGroup, {
      groupId,
      generationId,
      memberId,
      groupInstanceId: options.instanceId ?? null,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: Object.entries(options.assignments ?? {}).map(([id, text]) => ({
        memberId: id,
        assignment: Buffer.from(text, 'latin1'),
      })),
    })
  }

  /** A stable group of one member in generation 1. */
  stableGroup(groupId: string, options: JoinOptions = {}): string {
    const { memberId, answer } = this.joinFully(groupId, options)
    this.sim.runUntilIdle()
    const generation = answer.value?.generationId ?? -1
    this.sync(groupId, generation, memberId, { assignments: { [memberId]: 'all' } })
    this.sim.runUntilIdle()
    return memberId
  }

  heartbeat(
    groupId: string,
    generationId: number,
    memberId: string,
    instanceId: string | null = null,
  ): ErrorCode {
    return this.call(heartbeat, { groupId, generationId, memberId, groupInstanceId: instanceId }).errorCode
  }

  leave(groupId: string, members: readonly { memberId: string; groupInstanceId?: string | null }[]) {
    return this.call(leaveGroup, { groupId, members })
  }

  // --- offsets -----------------------------------------------------------------------------------------------------

  commit(groupId: string, options: CommitOptions = {}, version = 9): ErrorCode[] {
    const response = this.call(
      offsetCommit,
      {
        groupId,
        generationIdOrMemberEpoch: options.generation ?? -1,
        memberId: options.memberId ?? '',
        groupInstanceId: options.instanceId ?? null,
        ...(version <= 4 ? { retentionTimeMs: options.retentionMs ?? -1 } : {}),
        topics: [
          {
            name: options.topic ?? 'orders',
            partitions: (options.partitions ?? [0]).map((partitionIndex) => ({
              partitionIndex,
              committedOffset: options.offset ?? 5,
              ...(version >= 6 ? { committedLeaderEpoch: options.leaderEpoch ?? -1 } : {}),
              committedMetadata: options.metadata ?? null,
            })),
          },
        ],
      },
      version,
    )
    return response.topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
  }

  fetch(groupId: string, options: { partition?: number; topic?: string; requireStable?: boolean } = {}) {
    const response = this.call(
      offsetFetch,
      {
        groups: [
          {
            groupId,
            topics: [{ name: options.topic ?? 'orders', partitionIndexes: [options.partition ?? 0] }],
          },
        ],
        requireStable: options.requireStable ?? false,
      },
      9,
    )
    const found = response.groups[0]?.topics[0]?.partitions[0]
    if (found === undefined) throw new Error('the partition is missing in the answer')
    return found
  }

  fetchAll(groupId: string): Record<string, number> {
    const response = this.call(offsetFetch, { groups: [{ groupId, topics: null }] }, 9)
    return Object.fromEntries(
      (response.groups[0]?.topics ?? []).flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, committedOffset }) => [
          `${name}-${partitionIndex}`,
          committedOffset,
        ]),
      ),
    )
  }

  deleteOffsets(groupId: string, topic: string, partitions: readonly number[]) {
    return this.call(offsetDelete, {
      groupId,
      topics: [{ name: topic, partitions: partitions.map((partitionIndex) => ({ partitionIndex })) }],
    })
  }

  describe(groupId: string, version = 6) {
    const [group] = this.call(describeGroups, { groups: [groupId] }, version).groups
    if (group === undefined) throw new Error('the group is missing in the answer')
    return group
  }

  list(statesFilter: readonly string[] = [], typesFilter: readonly string[] = []) {
    return this.call(listGroups, { statesFilter, typesFilter }).groups
  }

  delete(groupId: string): ErrorCode | undefined {
    return this.call(deleteGroups, { groupsNames: [groupId] }).results[0]?.errorCode
  }

  // --- consumer members --------------------------------------------------------------------------------------------

  consumer(groupId: string, memberId: string, memberEpoch: number, options: ConsumerOptions = {}) {
    const isJoin = memberEpoch === 0
    return this.call(
      consumerGroupHeartbeat,
      {
        groupId,
        memberId,
        memberEpoch,
        instanceId: options.instanceId ?? null,
        rackId: null,
        rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? (isJoin ? 60_000 : -1),
        subscribedTopicNames:
          options.topics === undefined
            ? isJoin && options.regex === undefined
              ? ['orders']
              : null
            : options.topics,
        ...(options.version === 0 ? {} : { subscribedTopicRegex: options.regex ?? null }),
        serverAssignor: options.assignor ?? null,
        topicPartitions:
          options.owned === undefined
            ? isJoin
              ? []
              : null
            : [{ topicId: this.topicId('orders'), partitions: options.owned }].filter(
                (t) => t.partitions.length > 0,
              ),
      },
      options.version ?? 1,
    )
  }

  topicId(name: string): string {
    return this.image.topicsByName.get(name)?.id ?? ''
  }

  describeConsumer(groupId: string) {
    const [group] = this.call(consumerGroupDescribe, {
      groupIds: [groupId],
      includeAuthorizedOperations: false,
    }).groups
    if (group === undefined) throw new Error('the group is missing in the answer')
    return group
  }
}

export interface ConsumerOptions {
  readonly instanceId?: string
  readonly topics?: readonly string[] | null
  readonly regex?: string
  readonly assignor?: string
  readonly owned?: readonly number[]
  readonly rebalanceTimeoutMs?: number
  readonly version?: number
}

export interface JoinOptions {
  readonly memberId?: string
  readonly instanceId?: string
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  readonly protocolType?: string
  readonly protocols?: readonly { readonly name: string; readonly metadata: Buffer }[]
  readonly topics?: readonly string[]
}

export interface JoiningMember {
  readonly memberId: string
  readonly answer: Deferred<ResponseOf<typeof joinGroup.api>>
}

export interface SyncOptions {
  readonly instanceId?: string
  /** Bytes as Latin-1. */
  readonly assignments?: Readonly<Record<string, string>>
}

export interface CommitOptions {
  readonly generation?: number
  readonly memberId?: string
  readonly instanceId?: string
  readonly topic?: string
  readonly partitions?: readonly number[]
  readonly offset?: number
  readonly leaderEpoch?: number
  readonly metadata?: string
  readonly retentionMs?: number
}

/** ConsumerProtocolSubscription version 0 of these topics. */
export function subscription(topics: readonly string[]): Buffer {
  const parts = [Buffer.from([0, 0]), int32(topics.length)]
  for (const topic of topics) {
    const length = Buffer.alloc(2)
    length.writeInt16BE(topic.length)
    parts.push(length, Buffer.from(topic))
  }
  parts.push(int32(-1))
  return Buffer.concat(parts)
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}
