/**
 * Share groups as the group coordinator offers them: membership, description, and the offsets that admins see, change and delete.
 *
 * A change that concerns the share coordinator goes in steps: written down in the group, asked of the coordinator, its outcome written
 * down again. A step that is lost is taken again with a later heartbeat or request.
 */
import type { DescribeShareGroupOffsets } from '../../../common/protocol/apis/90-describe-share-group-offsets.ts'
import { ErrorCode, errorInfo } from '../../../common/protocol/errors.ts'
import type { ResponseInputOf } from '../../../common/protocol/schema.ts'
import { ZERO_UUID } from '../../../common/protocol/schema.ts'
import { Deferred } from '../../../common/runtime/deferred.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import type { Outcome, Result } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import type { CoordinatorService } from '../coordinator-service.ts'
import type { GroupShard } from '../group/shard.ts'
import { type DescribedShareGroup, describeShareGroup, failShareDescribe } from './share-describe.ts'
import { ShareGroup, type ShareStatePartitions } from './share-group.ts'
import { shareGroupTombstones, shareStateTopicsRecord } from './share-group-records.ts'
import {
  checkShareHeartbeat,
  type ShareHeartbeatAnswer,
  type ShareHeartbeatRequest,
  shareHeartbeat,
  shareHeartbeatError,
} from './share-heartbeat.ts'
import type { SharePersister, TopicPartitionId } from './share-persister.ts'
import {
  allStateTopics,
  type StateInitialization,
  withDeleting,
  withInitialized,
  withInitializing,
  withoutInitializing,
  withoutTopics,
} from './share-state.ts'

export interface ShareGroupsOptions {
  readonly service: CoordinatorService<GroupShard>
  readonly metadata: () => MetadataImage
  readonly persister: SharePersister | undefined
  /** Ends of partitions, as their leaders know them; -1 where nobody answers. */
  readonly endOffsets: (
    partitions: readonly { readonly topicName: string; readonly partition: number }[],
  ) => Deferred<number[]>
}

type DescribedOffsets = ResponseInputOf<typeof DescribeShareGroupOffsets>['groups'][number]
type DescribedTopic = DescribedOffsets['topics'][number]

export interface OffsetsToAlter {
  readonly topicName: string
  readonly partitions: readonly { readonly partitionIndex: number; readonly startOffset: number }[]
}

export interface AlteredTopic {
  readonly topicName: string
  readonly topicId: string
  readonly partitions: readonly {
    readonly partitionIndex: number
    readonly errorCode: ErrorCode
    readonly errorMessage: string | null
  }[]
}

export interface DeletedOffsets {
  readonly topicName: string
  readonly topicId: string
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
}

export interface OffsetsAnswer<Topic> {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
  readonly responses: readonly Topic[]
}

const NOTHING: readonly CoordinatorRecord[] = []

export class ShareGroups {
  readonly #options: ShareGroupsOptions

  constructor(options: ShareGroupsOptions) {
    this.#options = options
  }

  heartbeat(request: ShareHeartbeatRequest): Deferred<ShareHeartbeatAnswer> {
    const invalid = checkShareHeartbeat(request)
    if (invalid !== undefined) return Deferred.of(invalid)
    return this.#options.service
      .write(request.groupId, 'share heartbeat', (shard) => shareHeartbeat(shard.state, request))
      .map((result) => {
        if (result.error !== ErrorCode.NONE) return shareHeartbeatError(result.error)
        const { answer, initialization } = result.value
        if (initialization !== undefined) this.#initialize(initialization)
        return answer
      })
  }

  describe(groupId: string): Deferred<DescribedShareGroup> {
    if (groupId === '') return Deferred.of(failShareDescribe(groupId, ErrorCode.INVALID_GROUP_ID))
    return this.#options.service
      .read(groupId, 'share group describe', (shard) => describeShareGroup(shard.state, groupId))
      .map((result) =>
        result.error === ErrorCode.NONE
          ? result.value
          : failShareDescribe(groupId, result.error, errorInfo(result.error).message),
      )
  }

  /** @returns undefined when the group is not a share group: others decide then */
  delete(groupId: string): Deferred<ErrorCode | undefined> {
    return this.#options.service
      .write(
        groupId,
        'share group delete',
        (
          shard,
        ): Outcome<{ error: ErrorCode | undefined; partitions: TopicPartitionId[] }, CoordinatorRecord> => {
          const group = shard.state.groups.get(groupId)
          if (!(group instanceof ShareGroup))
            return { records: NOTHING, response: { error: undefined, partitions: [] } }
          if (!group.isEmpty)
            return { records: NOTHING, response: { error: ErrorCode.NON_EMPTY_GROUP, partitions: [] } }
          const topics = allStateTopics(group.statePartitions)
          const names = new Map([...topics].map(([topicId, { topicName }]) => [topicId, topicName]))
          const record = shareStateTopicsRecord(groupId, withDeleting(group.statePartitions, names))
          return { records: [record], response: { error: ErrorCode.NONE, partitions: partitionsIn(topics) } }
        },
      )
      .flatMap((result) => {
        if (result.error !== ErrorCode.NONE) return Deferred.of<ErrorCode | undefined>(result.error)
        const { error, partitions } = result.value
        if (error !== ErrorCode.NONE) return Deferred.of(error)
        return this.#deleteState(groupId, partitions).flatMap((errors) => {
          const failed = [...errors.values()][0]
          if (failed !== undefined) return Deferred.of<ErrorCode | undefined>(failed)
          return this.#options.service
            .write(groupId, 'share group tombstones', (shard) => {
              const group = shard.state.groups.get(groupId)
              const isGone = group instanceof ShareGroup && group.isEmpty
              return { records: isGone ? shareGroupTombstones(group) : NOTHING, response: undefined }
            })
            .map((written): ErrorCode | undefined => written.error)
        })
      })
  }

  /** Topics are gone: so is what the groups knew of them. Their state at the share coordinator goes with them there. */
  onTopicsDeleted(topicIds: ReadonlySet<string>): void {
    this.#options.service.writeAll('share state of deleted topics', (shard) => {
      const records: CoordinatorRecord[] = []
      for (const group of shard.state.groups.values()) {
        if (!(group instanceof ShareGroup)) continue
        const { initializing, initialized, deleting } = group.statePartitions
        const known = [...initializing.keys(), ...initialized.keys(), ...deleting.keys()]
        if (!known.some((topicId) => topicIds.has(topicId))) continue
        records.push(shareStateTopicsRecord(group.groupId, withoutTopics(group.statePartitions, topicIds)))
      }
      return { records, response: undefined }
    })
  }

  // --- offsets -----------------------------------------------------------------------------------------------------

  /** @param wanted null: every topic that the group has state of */
  describeOffsets(
    groupId: string,
    wanted: readonly { readonly topicName: string; readonly partitions: readonly number[] }[] | null,
  ): Deferred<DescribedOffsets> {
    const { metadata } = this.#options
    // Of topics that do not exist there is nothing to ask a coordinator.
    if (wanted?.every(({ topicName }) => !metadata().topicsByName.has(topicName))) {
      return Deferred.all(wanted.map((topic) => this.#describeTopic(groupId, topic))).map((topics) => ({
        groupId,
        topics,
        errorCode: ErrorCode.NONE,
        errorMessage: null,
      }))
    }
    if (groupId === '' && wanted !== null)
      return Deferred.of(failOffsets(groupId, ErrorCode.UNKNOWN_SERVER_ERROR))
    return this.#options.service
      .read(groupId, 'share offsets describe', (shard) => {
        const group = shard.state.groups.get(groupId)
        if (group !== undefined && !(group instanceof ShareGroup)) return undefined
        return group?.statePartitions ?? null
      })
      .flatMap((result): Deferred<DescribedOffsets> => {
        if (result.error !== ErrorCode.NONE) return Deferred.of(failOffsets(groupId, result.error))
        if (result.value === undefined) {
          const message = `Group ${groupId} is not a share group.`
          return Deferred.of(failOffsets(groupId, ErrorCode.GROUP_ID_NOT_FOUND, message))
        }
        const topics = wanted ?? knownTopics(result.value)
        return Deferred.all(topics.map((topic) => this.#describeTopic(groupId, topic))).map((described) => ({
          groupId,
          topics: described,
          errorCode: ErrorCode.NONE,
          errorMessage: null,
        }))
      })
  }

  #describeTopic(
    groupId: string,
    { topicName, partitions }: { readonly topicName: string; readonly partitions: readonly number[] },
  ): Deferred<DescribedTopic> {
    const { metadata, persister } = this.#options
    const topic = metadata().topicsByName.get(topicName)
    const unknown = {
      startOffset: -1,
      leaderEpoch: 0,
      lag: -1,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
    }
    if (topic === undefined || persister === undefined) {
      return Deferred.of({
        topicName,
        topicId: ZERO_UUID,
        partitions: partitions.map((partitionIndex) => ({ partitionIndex, ...unknown })),
      })
    }
    const questions = partitions.map((partition) => ({
      topicId: topic.id,
      partition,
      leaderEpoch: Math.max(topic.partitions[partition]?.leaderEpoch ?? 0, 0),
    }))
    return persister.readSummary(groupId, questions).flatMap((answers) => {
      const begun = answers.filter((answer) => 'startOffset' in answer && answer.startOffset >= 0)
      return this.#options
        .endOffsets(begun.map(({ partition }) => ({ topicName, partition })))
        .map((ends): DescribedTopic => {
          const endOf = new Map(begun.map(({ partition }, index) => [partition, ends[index] ?? -1]))
          return {
            topicName,
            topicId: topic.id,
            partitions: answers.map((answer) => {
              const partitionIndex = answer.partition
              if (answer.errorCode !== ErrorCode.NONE || !('leaderEpoch' in answer)) {
                const { errorCode, errorMessage } = answer
                return { partitionIndex, ...unknown, errorCode, errorMessage }
              }
              const { startOffset, leaderEpoch, deliveryCompleteCount } = answer
              const end = endOf.get(partitionIndex) ?? -1
              const isKnown = end >= 0 && startOffset >= 0 && deliveryCompleteCount >= 0
              const lag = isKnown ? end - startOffset - deliveryCompleteCount : -1
              return { partitionIndex, ...unknown, startOffset, leaderEpoch, lag }
            }),
          }
        })
    })
  }

  /** Where the group begins anew; it must be without members. A group that does not exist comes into being. */
  alterOffsets(groupId: string, topics: readonly OffsetsToAlter[]): Deferred<OffsetsAnswer<AlteredTopic>> {
    const { metadata, persister, service } = this.#options
    if (groupId === '') return Deferred.of(failAnswer(ErrorCode.INVALID_GROUP_ID))
    const image = metadata()
    const refused: AlteredTopic[] = []
    const valid = topics.flatMap(({ topicName, partitions }) => {
      const topic = image.topicsByName.get(topicName)
      const exists = (partitionIndex: number) => topic?.partitions[partitionIndex] !== undefined
      const bad = partitions.filter(({ partitionIndex }) => !exists(partitionIndex))
      const good = partitions.filter(({ partitionIndex }) => exists(partitionIndex))
      const errors = bad.map(({ partitionIndex }) => ({
        partitionIndex,
        ...refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
      }))
      if (topic === undefined || good.length === 0) {
        refused.push({ topicName, topicId: topic?.id ?? ZERO_UUID, partitions: errors })
        return []
      }
      return [{ topicName, topicId: topic.id, partitions: good, errors }]
    })
    const initializing = new Map(
      valid.map(({ topicId, topicName, partitions }) => [
        topicId,
        { topicName, partitions: new Set(partitions.map(({ partitionIndex }) => partitionIndex)) },
      ]),
    )
    return service
      .write(groupId, 'share offsets alter', (shard): Outcome<Result<number>, CoordinatorRecord> => {
        const found = emptyShareGroup(shard, groupId)
        if (found.error !== ErrorCode.NONE && found.error !== ErrorCode.GROUP_ID_NOT_FOUND)
          return { records: NOTHING, response: found }
        if (found.error === ErrorCode.GROUP_ID_NOT_FOUND && shard.state.groups.has(groupId))
          return { records: NOTHING, response: found }
        const group = found.error === ErrorCode.NONE ? found.value : new ShareGroup(groupId)
        const record = shareStateTopicsRecord(groupId, withInitializing(group.statePartitions, initializing))
        return {
          records: valid.length > 0 ? [record] : NOTHING,
          response: { error: ErrorCode.NONE, value: group.groupEpoch },
        }
      })
      .flatMap((written): Deferred<OffsetsAnswer<AlteredTopic>> => {
        if (written.error !== ErrorCode.NONE) return Deferred.of(failAnswer(written.error))
        const decided = written.value
        if (decided.error !== ErrorCode.NONE) return Deferred.of(failAnswer(decided.error, decided.message))
        const wanted = {
          groupId,
          stateEpoch: decided.value,
          topics: valid.map(({ topicId, topicName, partitions }) => ({
            topicId,
            topicName,
            partitions: partitions.map(({ partitionIndex, startOffset }) => ({
              partition: partitionIndex,
              startOffset,
            })),
          })),
        }
        if (persister === undefined) return Deferred.of(failAnswer(ErrorCode.COORDINATOR_NOT_AVAILABLE))
        return this.#initialize(wanted).map((errors) => ({
          errorCode: ErrorCode.NONE,
          errorMessage: null,
          responses: [
            ...refused,
            ...valid.map(({ topicName, topicId, partitions, errors: bad }) => ({
              topicName,
              topicId,
              partitions: [
                ...partitions.map(({ partitionIndex }) => {
                  const error = errors.get(`${topicId} ${partitionIndex}`) ?? ErrorCode.NONE
                  const answer =
                    error === ErrorCode.NONE ? { errorCode: error, errorMessage: null } : refusal(error)
                  return { partitionIndex, ...answer }
                }),
                ...bad,
              ],
            })),
          ],
        }))
      })
  }

  deleteOffsets(groupId: string, topicNames: readonly string[]): Deferred<OffsetsAnswer<DeletedOffsets>> {
    const { metadata, service } = this.#options
    if (groupId === '') return Deferred.of(failAnswer(ErrorCode.INVALID_GROUP_ID))
    const image = metadata()
    const unknown: DeletedOffsets[] = []
    const wanted = topicNames.flatMap((topicName) => {
      const topic = image.topicsByName.get(topicName)
      if (topic !== undefined) return [topic]
      unknown.push({ topicName, topicId: ZERO_UUID, ...refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) })
      return []
    })
    return service
      .write(
        groupId,
        'share offsets delete',
        (shard): Outcome<Result<ReturnType<typeof allStateTopics>>, CoordinatorRecord> => {
          const found = emptyShareGroup(shard, groupId)
          if (found.error !== ErrorCode.NONE) return { records: NOTHING, response: found }
          const state = found.value.statePartitions
          const deleting = new Map(
            [...allStateTopics(state)].filter(([topicId]) => wanted.some(({ id }) => id === topicId)),
          )
          // What an earlier deletion did not finish is taken up again.
          for (const { id, name, partitions } of wanted) {
            if (state.deleting.has(id) && !deleting.has(id))
              deleting.set(id, { topicName: name, partitions: new Set(partitions.keys()) })
          }
          const names = new Map([...deleting].map(([topicId, { topicName }]) => [topicId, topicName]))
          return {
            records: [shareStateTopicsRecord(groupId, withDeleting(state, names))],
            response: { error: ErrorCode.NONE, value: deleting },
          }
        },
      )
      .flatMap((written): Deferred<OffsetsAnswer<DeletedOffsets>> => {
        if (written.error !== ErrorCode.NONE) return Deferred.of(failAnswer(written.error))
        const decided = written.value
        if (decided.error !== ErrorCode.NONE) return Deferred.of(failAnswer(decided.error, decided.message))
        const deleting = decided.value
        return this.#deleteState(groupId, partitionsIn(deleting)).flatMap((errors) => {
          const deleted = new Set([...deleting.keys()].filter((topicId) => !errors.has(topicId)))
          return this.#change(groupId, 'share offsets deleted', (state) =>
            deleted.size === 0 ? undefined : withoutTopics(state, deleted),
          ).map(() => ({
            errorCode: ErrorCode.NONE,
            errorMessage: null,
            responses: [
              ...wanted.map(({ id, name: topicName }): DeletedOffsets => {
                if (!deleting.has(id)) {
                  const errorMessage = 'There is no offset information to delete.'
                  const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
                  return { topicName, topicId: ZERO_UUID, errorCode, errorMessage }
                }
                const error = errors.get(id)
                const answer =
                  error === undefined ? { errorCode: ErrorCode.NONE, errorMessage: null } : refusal(error)
                return { topicName, topicId: id, ...answer }
              }),
              ...unknown,
            ],
          }))
        })
      })
  }

  // --- the share coordinator ---------------------------------------------------------------------------------------

  /** Sets up state and writes down how that went. @returns errors by `topicId partition` */
  #initialize({ groupId, stateEpoch, topics }: StateInitialization): Deferred<Map<string, ErrorCode>> {
    const { persister } = this.#options
    const questions = topics.flatMap(({ topicId, partitions }) =>
      partitions.map(({ partition, startOffset }) => ({ topicId, partition, stateEpoch, startOffset })),
    )
    if (persister === undefined || questions.length === 0) return Deferred.of(new Map<string, ErrorCode>())
    return persister.initialize(groupId, questions).flatMap((answers) => {
      const errors = new Map<string, ErrorCode>()
      for (const { topicId, partition, errorCode } of answers)
        if (errorCode !== ErrorCode.NONE) errors.set(`${topicId} ${partition}`, errorCode)
      const pick = (hasFailed: boolean) =>
        new Map(
          topics.flatMap(({ topicId, topicName, partitions }) => {
            const chosen = partitions
              .map(({ partition }) => partition)
              .filter((partition) => errors.has(`${topicId} ${partition}`) === hasFailed)
            return chosen.length === 0 ? [] : [[topicId, { topicName, partitions: new Set(chosen) }] as const]
          }),
        )
      return this.#change(groupId, 'share state initialized', (state) =>
        withoutInitializing(withInitialized(state, pick(false)), pick(true)),
      ).map(() => errors)
    })
  }

  /** @returns the first error of each topic that has one */
  #deleteState(groupId: string, partitions: readonly TopicPartitionId[]): Deferred<Map<string, ErrorCode>> {
    const { persister } = this.#options
    if (persister === undefined || partitions.length === 0) return Deferred.of(new Map<string, ErrorCode>())
    return persister.delete(groupId, partitions).map((answers) => {
      const errors = new Map<string, ErrorCode>()
      for (const { topicId, errorCode } of answers)
        if (errorCode !== ErrorCode.NONE && !errors.has(topicId)) errors.set(topicId, errorCode)
      return errors
    })
  }

  #change(
    groupId: string,
    label: string,
    change: (state: ShareStatePartitions) => ShareStatePartitions | undefined,
  ): Deferred<Result<void>> {
    return this.#options.service.write(groupId, label, (shard) => {
      const group = shard.state.groups.get(groupId)
      const changed = group instanceof ShareGroup ? change(group.statePartitions) : undefined
      return {
        records: changed === undefined ? NOTHING : [shareStateTopicsRecord(groupId, changed)],
        response: undefined,
      }
    })
  }
}

function emptyShareGroup(shard: GroupShard, groupId: string): Result<ShareGroup> {
  const group = shard.state.groups.get(groupId)
  if (group === undefined)
    return { error: ErrorCode.GROUP_ID_NOT_FOUND, message: `Group ${groupId} not found.` }
  if (!(group instanceof ShareGroup))
    return { error: ErrorCode.GROUP_ID_NOT_FOUND, message: `Group ${groupId} is not a share group.` }
  return group.isEmpty
    ? { error: ErrorCode.NONE, value: group }
    : { error: ErrorCode.NON_EMPTY_GROUP, message: errorInfo(ErrorCode.NON_EMPTY_GROUP).message }
}

function partitionsIn(topics: ReturnType<typeof allStateTopics>): TopicPartitionId[] {
  return [...topics].flatMap(([topicId, { partitions }]) =>
    [...partitions].map((partition) => ({ topicId, partition })),
  )
}

function knownTopics(state: ShareStatePartitions | null) {
  return [...(state?.initialized.values() ?? [])].map(({ topicName, partitions }) => ({
    topicName,
    partitions: [...partitions].sort((left, right) => left - right),
  }))
}

function refusal(errorCode: ErrorCode): { errorCode: ErrorCode; errorMessage: string } {
  return { errorCode, errorMessage: errorInfo(errorCode).message }
}

function failAnswer<Topic>(errorCode: Exclude<ErrorCode, 0>, message?: string): OffsetsAnswer<Topic> {
  return { errorCode, errorMessage: message ?? errorInfo(errorCode).message, responses: [] }
}

function failOffsets(
  groupId: string,
  errorCode: Exclude<ErrorCode, 0>,
  message: string | null = null,
): DescribedOffsets {
  return { groupId, topics: [], errorCode, errorMessage: message ?? errorInfo(errorCode).message }
}
