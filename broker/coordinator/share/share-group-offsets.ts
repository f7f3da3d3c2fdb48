/**
 * Where share groups are in topics, as admins see, change and forget it (KIP-932): the group coordinator knows of which partitions there
 * is state, the share coordinator has it.
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
import { ShareGroup, type ShareStatePartitions } from './share-group.ts'
import { shareStateTopicsRecord } from './share-group-records.ts'
import type { SharePersister } from './share-persister.ts'
import {
  allStateTopics,
  type StateInitialization,
  withDeleting,
  withInitializing,
  withoutTopics,
} from './share-state.ts'
import type { ShareStateSteps } from './share-state-steps.ts'

export interface ShareGroupOffsetsOptions {
  readonly service: CoordinatorService<GroupShard>
  readonly metadata: () => MetadataImage
  readonly persister: SharePersister | undefined
  readonly steps: ShareStateSteps
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

export class ShareGroupOffsets {
  readonly #options: ShareGroupOffsetsOptions

  constructor(options: ShareGroupOffsetsOptions) {
    this.#options = options
  }

  /** @param wanted null: every topic that the group has state of */
  describe(
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
  alter(groupId: string, topics: readonly OffsetsToAlter[]): Deferred<OffsetsAnswer<AlteredTopic>> {
    const { metadata, persister, service, steps } = this.#options
    if (groupId === '') return Deferred.of(failAnswer(ErrorCode.INVALID_GROUP_ID))
    const { refused, valid } = checkTopics(metadata(), topics)
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
        if (persister === undefined) return Deferred.of(failAnswer(ErrorCode.COORDINATOR_NOT_AVAILABLE))
        return steps.initialize(initializationAt(groupId, decided.value, valid)).map((errors) => ({
          errorCode: ErrorCode.NONE,
          errorMessage: null,
          responses: [...refused, ...valid.map((topic) => alteredTopic(topic, errors))],
        }))
      })
  }

  /** Forgets where the group was in these topics; it must be without members. */
  delete(groupId: string, topicNames: readonly string[]): Deferred<OffsetsAnswer<DeletedOffsets>> {
    const { metadata, service, steps } = this.#options
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
        return steps.delete(groupId, deleting).flatMap((errors) => {
          const deleted = new Set([...deleting.keys()].filter((topicId) => !errors.has(topicId)))
          return steps
            .change(groupId, 'share offsets deleted', (state) =>
              deleted.size === 0 ? undefined : withoutTopics(state, deleted),
            )
            .map(() => ({
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

/** A topic of an alteration, with the partitions that there are, and the answers for those that there are not. */
interface ValidTopic extends OffsetsToAlter {
  readonly topicId: string
  readonly errors: AlteredTopic['partitions']
}

function checkTopics(
  image: MetadataImage,
  topics: readonly OffsetsToAlter[],
): { refused: AlteredTopic[]; valid: ValidTopic[] } {
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
  return { refused, valid }
}

function initializationAt(
  groupId: string,
  stateEpoch: number,
  topics: readonly ValidTopic[],
): StateInitialization {
  return {
    groupId,
    stateEpoch,
    topics: topics.map(({ topicId, topicName, partitions }) => ({
      topicId,
      topicName,
      partitions: partitions.map(({ partitionIndex, startOffset }) => ({
        partition: partitionIndex,
        startOffset,
      })),
    })),
  }
}

/** @param errors those of the share coordinator, by `topicId partition` */
function alteredTopic(
  { topicName, topicId, partitions, errors: bad }: ValidTopic,
  errors: ReadonlyMap<string, ErrorCode>,
): AlteredTopic {
  const answers = partitions.map(({ partitionIndex }) => {
    const error = errors.get(`${topicId} ${partitionIndex}`) ?? ErrorCode.NONE
    const answer = error === ErrorCode.NONE ? { errorCode: error, errorMessage: null } : refusal(error)
    return { partitionIndex, ...answer }
  })
  return { topicName, topicId, partitions: [...answers, ...bad] }
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
