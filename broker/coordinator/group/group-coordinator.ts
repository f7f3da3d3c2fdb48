/**
 * The group coordinator of one broker: finds the shard of a group, asks it, and answers when the answer may be given.
 *
 * Owner: the broker, which tells it of leadership, watermarks and deleted topics. Who calls it are the handlers of the group
 * APIs; what they may ask of topics (existence, ids) they have looked up themselves.
 */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { CompressionType } from '../../../common/record/codecs.ts'
import { Deferred } from '../../../common/runtime/deferred.ts'
import type { Runtime } from '../../../common/runtime/runtime.ts'
import type { MetadataDelta, MetadataImage, MetadataListener } from '../../metadata/image.ts'
import type { ProducerIdentity } from '../../statemachine/state-machine.ts'
import { OFFSETS_TOPIC } from '../../topic-names.ts'
import { coordinatorRecordFormat } from '../coordinator-record.ts'
import { CoordinatorService } from '../coordinator-service.ts'
import { ShareGroupOffsets, type ShareGroupOffsetsOptions } from '../share/share-group-offsets.ts'
import { ShareGroups } from '../share/share-groups.ts'
import type { SharePersister } from '../share/share-persister.ts'
import { ShareStateSteps } from '../share/share-state-steps.ts'
import { type JoinAnswer, joinError, type SyncAnswer, syncError } from './classic-group.ts'
import type { JoinRequest } from './classic-join.ts'
import type { HeartbeatRequest, LeaveAnswer, LeavingMember, SyncRequest } from './classic-membership.ts'
import { checkHeartbeatRequest, consumerHeartbeat } from './consumer-heartbeat.ts'
import type { ConsumerHeartbeatAnswer, ConsumerHeartbeatRequest } from './consumer-member-checks.ts'
import {
  type DescribedConsumerGroup,
  type DescribedGroup,
  describeClassicGroup,
  describeConsumerGroup,
  failConsumerDescribe,
  failDescribe,
  type ListedGroup,
  type ListFilter,
  listGroups,
} from './describe.ts'
import { deleteGroup, deleteOffsetsOfTopics } from './expiry.ts'
import type { GroupCoordinatorConfig } from './group-config.ts'
import { GROUP_RECORD_TYPES } from './group-records.ts'
import type { WaitingOutcome } from './group-state.ts'
import type { OffsetCommitOperation, OffsetFetchOperation, TopicResult } from './offset-operations.ts'
import {
  commitOffsets,
  type DeletedTopic,
  deleteOffsets,
  type FetchedGroup,
  failTopics,
  fetchOffsets,
} from './offsets.ts'
import { GroupShard } from './shard.ts'
import { preferredAssignor } from './target-assignment.ts'

export interface GroupCoordinatorOptions {
  readonly runtime: Runtime
  readonly config: GroupCoordinatorConfig
  readonly metadata: () => MetadataImage
  /** Where the delivery state of share groups lies; without it they get no partitions. */
  readonly persister?: SharePersister
  /** Ends of partitions, for the lag of share groups. */
  readonly endOffsets?: ShareGroupOffsetsOptions['endOffsets']
}

export class GroupCoordinator implements MetadataListener {
  /** Takes leadership, watermarks and transaction markers of `__consumer_offsets`. */
  readonly service: CoordinatorService<GroupShard>
  readonly config: GroupCoordinatorConfig
  readonly share: ShareGroups
  readonly shareOffsets: ShareGroupOffsets

  constructor(options: GroupCoordinatorOptions) {
    const { runtime, config, metadata } = options
    this.config = config
    this.service = new CoordinatorService({
      name: 'group coordinator',
      topic: OFFSETS_TOPIC,
      runtime,
      format: coordinatorRecordFormat({
        types: GROUP_RECORD_TYPES,
        compressionType: compressionTypeOf(config.get('offsets.topic.compression.codec')),
      }),
      partitionCount: () => metadata().topicsByName.get(OFFSETS_TOPIC)?.partitions.length ?? 0,
      createShard: ({ timers }) =>
        new GroupShard({ timers, config, metadata, clock: runtime.clock, random: runtime.random }),
      writeTimeoutMs: () => config.get('offsets.commit.timeout.ms'),
      loadBytesPerSlice: () => config.get('offsets.load.buffer.size'),
    })
    const unknownEnds: ShareGroupOffsetsOptions['endOffsets'] = (partitions) =>
      Deferred.of(partitions.map(() => -1))
    const steps = new ShareStateSteps(this.service, options.persister)
    this.share = new ShareGroups(this.service, steps)
    this.shareOffsets = new ShareGroupOffsets({
      service: this.service,
      metadata,
      persister: options.persister,
      steps,
      endOffsets: options.endOffsets ?? unknownEnds,
    })
  }

  /** Offsets of deleted topics go with them. */
  onMetadata(_image: MetadataImage, delta: MetadataDelta): void {
    if (delta.deletedTopics.size === 0) return
    const topics = new Set([...delta.deletedTopics.values()].map(({ name }) => name))
    this.service.writeAll('offsets of deleted topics', (shard) => deleteOffsetsOfTopics(shard.state, topics))
    this.share.onTopicsDeleted(new Set(delta.deletedTopics.keys()))
  }

  // --- classic protocol --------------------------------------------------------------------------------------------

  join(request: JoinRequest): Deferred<JoinAnswer> {
    if (request.groupId === '') return Deferred.of(joinError(ErrorCode.INVALID_GROUP_ID, request.memberId))
    const { sessionTimeoutMs } = request
    if (
      sessionTimeoutMs < this.config.get('group.min.session.timeout.ms') ||
      sessionTimeoutMs > this.config.get('group.max.session.timeout.ms')
    ) {
      return Deferred.of(joinError(ErrorCode.INVALID_SESSION_TIMEOUT, request.memberId))
    }
    return this.#waiting(
      request.groupId,
      'join',
      (shard) => shard.join(request),
      (error) => joinError(error, request.memberId),
    )
  }

  sync(request: SyncRequest): Deferred<SyncAnswer> {
    if (request.groupId === '') return Deferred.of(syncError(ErrorCode.INVALID_GROUP_ID))
    return this.#waiting(request.groupId, 'sync', (shard) => shard.sync(request), syncError)
  }

  heartbeat(groupId: string, request: HeartbeatRequest): Deferred<ErrorCode> {
    if (groupId === '') return Deferred.of<ErrorCode>(ErrorCode.INVALID_GROUP_ID)
    return this.service
      .write(groupId, 'heartbeat', (shard) => shard.heartbeat(groupId, request))
      .map((result) => {
        if (result.error === ErrorCode.NONE) return result.value
        // Kafka lets members be while the coordinator loads: their sessions begin anew afterwards.
        return result.error === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? ErrorCode.NONE : result.error
      })
  }

  leave(
    groupId: string,
    leaving: readonly LeavingMember[],
  ): Deferred<{ error: ErrorCode; members: LeaveAnswer[] }> {
    if (groupId === '')
      return Deferred.of({ error: ErrorCode.INVALID_GROUP_ID, members: [] as LeaveAnswer[] })
    return this.service
      .write(groupId, 'leave', (shard) => shard.leave(groupId, leaving))
      .map((result) =>
        result.error === ErrorCode.NONE
          ? { error: ErrorCode.NONE, members: result.value }
          : { error: result.error, members: [] },
      )
  }

  describe(groupId: string, apiVersion: number): Deferred<DescribedGroup> {
    return this.service
      .read(groupId, 'describe', (shard) => describeClassicGroup(shard.state, groupId, apiVersion))
      .map((result) => (result.error === ErrorCode.NONE ? result.value : failDescribe(groupId, result.error)))
  }

  /** Every group of the partitions that this broker leads. */
  list(filter: ListFilter): Deferred<{ error: ErrorCode; groups: ListedGroup[] }> {
    return this.service
      .readAll('list', (shard) => listGroups(shard.state, filter))
      .map((results) => {
        const groups: ListedGroup[] = []
        for (const result of results) {
          if (result.error === ErrorCode.NONE) groups.push(...result.value)
          // A partition that has just moved is listed by its new leader.
          else if (result.error !== ErrorCode.NOT_COORDINATOR) return { error: result.error, groups: [] }
        }
        return { error: ErrorCode.NONE, groups }
      })
  }

  delete(groupId: string): Deferred<ErrorCode> {
    return this.share.delete(groupId).flatMap((error) => {
      if (error !== undefined) return Deferred.of(error)
      return this.service
        .write(groupId, 'delete', (shard) => deleteGroup(shard.state, groupId))
        .map((result) => (result.error === ErrorCode.NONE ? result.value : result.error))
    })
  }

  // --- offsets -----------------------------------------------------------------------------------------------------

  /** @param producer makes the commit part of that producer's transaction (API 28) */
  commitOffsets(operation: OffsetCommitOperation, producer?: ProducerIdentity): Deferred<TopicResult[]> {
    return this.service
      .write(operation.groupId, 'offset commit', (shard) => commitOffsets(shard.state, operation), producer)
      .map((result) =>
        result.error === ErrorCode.NONE ? result.value : failTopics(operation.topics, result.error),
      )
  }

  fetchOffsets(operation: OffsetFetchOperation): Deferred<FetchedGroup> {
    return this.service
      .read(operation.groupId, 'offset fetch', (shard) => fetchOffsets(shard.state, operation))
      .map((result) =>
        result.error === ErrorCode.NONE ? result.value : { errorCode: result.error, topics: [] },
      )
  }

  deleteOffsets(
    groupId: string,
    topics: readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[],
  ): Deferred<{ errorCode: ErrorCode; topics: DeletedTopic[] }> {
    if (groupId === '')
      return Deferred.of({ errorCode: ErrorCode.INVALID_GROUP_ID, topics: [] as DeletedTopic[] })
    return this.service
      .write(groupId, 'offset delete', (shard) => deleteOffsets(shard.state, groupId, topics))
      .map((result) =>
        result.error === ErrorCode.NONE ? result.value : { errorCode: result.error, topics: [] },
      )
  }

  // --- consumer protocol -------------------------------------------------------------------------------------------

  consumerHeartbeat(request: ConsumerHeartbeatRequest): Deferred<ConsumerHeartbeatAnswer> {
    const invalid = checkHeartbeatRequest(request, this.config)
    if (invalid !== undefined) return Deferred.of(invalid)
    return this.service
      .write(request.groupId, 'consumer heartbeat', (shard) => consumerHeartbeat(shard.state, request))
      .map((result) =>
        result.error === ErrorCode.NONE
          ? result.value
          : { errorCode: result.error, memberEpoch: 0, heartbeatIntervalMs: 0 },
      )
  }

  describeConsumerGroup(groupId: string): Deferred<DescribedConsumerGroup> {
    if (groupId === '') return Deferred.of(failConsumerDescribe(groupId, ErrorCode.INVALID_GROUP_ID))
    return this.service
      .read(groupId, 'consumer group describe', (shard) =>
        describeConsumerGroup(shard.state, groupId, (group) => preferredAssignor(group, this.config)),
      )
      .map((result) =>
        result.error === ErrorCode.NONE ? result.value : failConsumerDescribe(groupId, result.error),
      )
  }

  /** Runs an operation whose answer may wait for other members, and tells it how its records fared. */
  #waiting<Answer>(
    groupId: string,
    label: string,
    operation: (shard: GroupShard) => WaitingOutcome<Answer>,
    refuse: (error: Exclude<ErrorCode, 0>) => Answer,
  ): Deferred<Answer> {
    const answer = new Deferred<Answer>()
    let outcome: WaitingOutcome<Answer> | undefined
    const written = this.service.write(groupId, label, (shard) => {
      outcome = operation(shard)
      return outcome
    })
    written.whenDone((result) => {
      outcome?.onWritten?.(result.error)
      if (result.error === ErrorCode.NONE) result.value.whenDone((value) => answer.complete(value))
      else answer.complete(refuse(result.error))
    })
    return answer
  }
}

function compressionTypeOf(codec: number): CompressionType {
  return Object.values(CompressionType).find((type) => type === codec) ?? CompressionType.none
}
