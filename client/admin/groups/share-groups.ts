/** Share groups (KIP-932): their members, and where they begin to read; additions to the documented API. */
import { ShareGroupDescribe } from '../../../common/protocol/apis/77-share-group-describe.ts'
import { DescribeShareGroupOffsets } from '../../../common/protocol/apis/90-describe-share-group-offsets.ts'
import { AlterShareGroupOffsets } from '../../../common/protocol/apis/91-alter-share-group-offsets.ts'
import { DeleteShareGroupOffsets } from '../../../common/protocol/apis/92-delete-share-group-offsets.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { AclOperation } from '../../constants.ts'
import { KafkaError, kafkaException, ValueError } from '../../errors.ts'
import type { Node } from '../../values/cluster-metadata.ts'
import { TopicPartition } from '../../values/topic-partition.ts'
import type { AdminEngine } from '../admin-engine.ts'
import { type AdminOptions, type AuthorizedOptions, OptionReader } from '../admin-options.ts'
import { byTopic, partitionsOf } from '../arguments.ts'
import { authorizedOperations } from '../authorized-operations.ts'
import type { ResultMap } from '../keyed-map.ts'
import { coordinatorOf, groupIdOf, groupIdsOf, refuseDuplicates, throwCode } from './group-arguments.ts'
import { type MemberAssignment, nodeOf } from './group-descriptions.ts'

export interface ShareMemberDescription {
  readonly memberId: string
  readonly clientId: string
  readonly host: string
  readonly memberEpoch: number
  readonly assignment: MemberAssignment
}

export interface ShareGroupDescription {
  readonly groupId: string
  /** As the broker names it: `Stable`, `Empty`, `Dead`. */
  readonly state: string
  readonly groupEpoch: number
  readonly assignmentEpoch: number
  readonly members: readonly ShareMemberDescription[]
  readonly coordinator: Node
  /** null when they were not asked for. */
  readonly authorizedOperations: readonly AclOperation[] | null
}

export interface ShareGroupOffset {
  readonly topic: string
  readonly partition: number
  /** null when the group has not read the partition. */
  readonly startOffset: number | null
  readonly leaderEpoch: number | null
  /** Records that are not done with (KIP-1226); null when the broker does not tell. */
  readonly lag: number | null
  readonly error: KafkaError | null
}

export function describeShareGroups(
  engine: AdminEngine,
  groupIds: readonly string[],
  options?: AdminOptions & AuthorizedOptions,
): ResultMap<string, ShareGroupDescription> {
  const ids = groupIdsOf(groupIds)
  const reader = new OptionReader(options)
  const includeAuthorizedOperations = reader.flag('includeAuthorizedOperations')
  return engine.keyed<string, ShareGroupDescription>(ids, reader.limits(), async (call, results) => {
    refuseDuplicates(ids)
    await results.each(async (groupId) => {
      const { response, broker } = await call.ask(coordinatorOf(groupId), {
        api: ShareGroupDescribe,
        body: { groupIds: [groupId], includeAuthorizedOperations },
        codesOf: ({ groups }) => groups.map(({ errorCode }) => errorCode),
      })
      const [group] = response.groups
      if (group === undefined) throw kafkaException(KafkaError._BAD_MSG, 'The answer has no such entry')
      throwCode(group.errorCode, group.errorMessage)
      return {
        groupId,
        state: group.groupState,
        groupEpoch: group.groupEpoch,
        assignmentEpoch: group.assignmentEpoch,
        members: group.members.map(({ memberId, clientId, clientHost, memberEpoch, assignment }) => ({
          memberId,
          clientId,
          host: clientHost,
          memberEpoch,
          assignment: {
            topicPartitions: assignment.topicPartitions
              .flatMap(({ topicName, partitions }) =>
                partitions.map((partition) => new TopicPartition(topicName, partition)),
              )
              .sort(TopicPartition.compare),
          },
        })),
        coordinator: nodeOf(broker),
        authorizedOperations: authorizedOperations(group.authorizedOperations),
      }
    })
  })
}

/** @param partitions null: all that the group has read */
export async function listShareGroupOffsets(
  engine: AdminEngine,
  groupId: string,
  partitions?: readonly TopicPartition[] | null,
  options?: AdminOptions,
): Promise<ShareGroupOffset[]> {
  const id = groupIdOf(groupId)
  const wanted = partitions === undefined || partitions === null ? null : partitionsOf(partitions)
  const topics =
    wanted === null
      ? null
      : byTopic(wanted).map(([topicName, entries]) => ({
          topicName,
          partitions: entries.map(({ partition }) => partition),
        }))
  return await engine.single(new OptionReader(options).limits(), async (call) => {
    const { response } = await call.ask(coordinatorOf(id), {
      api: DescribeShareGroupOffsets,
      body: { groups: [{ groupId: id, topics }] },
      codesOf: ({ groups }) => groups.map(({ errorCode }) => errorCode),
    })
    const [group] = response.groups
    if (group === undefined) throw kafkaException(KafkaError._BAD_MSG, 'The answer has no such entry')
    throwCode(group.errorCode, group.errorMessage)
    return group.topics.flatMap(({ topicName, partitions: entries }) =>
      entries.map(({ partitionIndex, startOffset, leaderEpoch, lag, errorCode, errorMessage }) => ({
        topic: topicName,
        partition: partitionIndex,
        startOffset: startOffset < 0 ? null : startOffset,
        leaderEpoch: leaderEpoch < 0 ? null : leaderEpoch,
        lag: lag < 0 ? null : lag,
        error: errorCode === ErrorCode.NONE ? null : new KafkaError(errorCode, errorMessage || undefined),
      })),
    )
  })
}

/** The group must be empty. @param partitions with the offsets to begin at */
export function alterShareGroupOffsets(
  engine: AdminEngine,
  groupId: string,
  partitions: readonly TopicPartition[],
  options?: AdminOptions,
): ResultMap<TopicPartition, void> {
  const id = groupIdOf(groupId)
  const entries = [...partitionsOf(partitions)]
  for (const { offset } of entries) if (offset < 0) throw new ValueError('offsets must not be negative')
  const limits = new OptionReader(options).limits()
  return engine.keyed<TopicPartition, void>(entries, limits, async (call, results) => {
    const { response } = await call.ask(coordinatorOf(id), {
      api: AlterShareGroupOffsets,
      body: {
        groupId: id,
        topics: byTopic(entries).map(([topicName, own]) => ({
          topicName,
          partitions: own.map(({ partition, offset }) => ({
            partitionIndex: partition,
            startOffset: offset,
          })),
        })),
      },
      codesOf: ({ errorCode }) => [errorCode],
    })
    throwCode(response.errorCode, response.errorMessage)
    for (const { topicName, partitions: answers } of response.responses) {
      for (const { partitionIndex, errorCode, errorMessage } of answers) {
        results.settle(new TopicPartition(topicName, partitionIndex), errorCode, errorMessage, undefined)
      }
    }
  })
}

/** The group must be empty. */
export function deleteShareGroupOffsets(
  engine: AdminEngine,
  groupId: string,
  topics: readonly string[],
  options?: AdminOptions,
): ResultMap<string, void> {
  const id = groupIdOf(groupId)
  if (!Array.isArray(topics) || !topics.every((topic) => typeof topic === 'string')) {
    throw new TypeError('topics must be a list of strings')
  }
  if (topics.length === 0) throw new ValueError('topics must be a list with entries')
  const names: readonly string[] = [...topics]
  const limits = new OptionReader(options).limits()
  return engine.keyed<string, void>(names, limits, async (call, results) => {
    const { response } = await call.ask(coordinatorOf(id), {
      api: DeleteShareGroupOffsets,
      body: { groupId: id, topics: names.map((topicName) => ({ topicName })) },
      codesOf: ({ errorCode }) => [errorCode],
      isRepeatable: false,
    })
    throwCode(response.errorCode, response.errorMessage)
    for (const { topicName, errorCode, errorMessage } of response.responses) {
      results.settle(topicName, errorCode, errorMessage, undefined)
    }
  })
}
