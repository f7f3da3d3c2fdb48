/**
 * Committing, fetching and deleting offsets: what a group allows, what is written, what is answered.
 */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { Outcome } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import { ShareGroup } from '../share/share-group.ts'
import { ClassicGroup } from './classic-group.ts'
import { maybeRenewSession } from './classic-membership.ts'
import { checkConsumerCommit, checkConsumerFetch } from './consumer-offset-checks.ts'
import { committedOffsetRecord, committedOffsetTombstone } from './group-records.ts'
import type { Group, GroupShardState } from './group-state.ts'
import type {
  CommitCheck,
  OffsetCommitOperation,
  OffsetFetchOperation,
  PartitionResult,
  TopicResult,
  TopicToCommit,
} from './offset-operations.ts'
import { type CommittedOffset, NO_TOPIC_ID } from './offset-store.ts'

/** Kafka's "no offset committed". */
export const NO_OFFSET = -1

/** The same error for every partition asked for. */
export function failTopics(topics: readonly TopicToCommit[], errorCode: ErrorCode): TopicResult[] {
  return topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  }))
}

/** Decides a commit, of a client (API 8) or within a transaction (API 28). */
export function commitOffsets(
  shard: GroupShardState,
  operation: OffsetCommitOperation,
): Outcome<TopicResult[], CoordinatorRecord> {
  const group = shard.groups.get(operation.groupId)
  const check = checkCommit(group, operation)
  if (check.error !== ErrorCode.NONE) {
    return { records: [], response: failTopics(operation.topics, check.error) }
  }
  if (
    group instanceof ClassicGroup &&
    !operation.isTransactional &&
    operation.generationIdOrMemberEpoch >= 0
  ) {
    maybeRenewSession(shard, group, operation.memberId)
  }
  const nowMs = shard.clock.wallMs()
  const maxMetadataLength = shard.config.get('offset.metadata.max.bytes')
  const expireTimestamp = operation.retentionTimeMs === -1 ? -1 : nowMs + operation.retentionTimeMs
  const records: CoordinatorRecord[] = []
  const response = operation.topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map((partition) => {
      const { partitionIndex } = partition
      const metadata = partition.committedMetadata ?? ''
      if (metadata.length > maxMetadataLength) {
        return { partitionIndex, errorCode: ErrorCode.OFFSET_METADATA_TOO_LARGE }
      }
      const errorCode = check.checkPartition?.(topicId, partitionIndex) ?? ErrorCode.NONE
      if (errorCode === ErrorCode.NONE) {
        records.push(
          committedOffsetRecord(
            { group: operation.groupId, topic: name, partition: partitionIndex },
            {
              offset: partition.committedOffset,
              leaderEpoch: partition.committedLeaderEpoch,
              metadata,
              commitTimestamp: nowMs,
              expireTimestamp,
              topicId,
            },
          ),
        )
      }
      return { partitionIndex, errorCode }
    }),
  }))
  return { records, response }
}

function checkCommit(group: Group | undefined, operation: OffsetCommitOperation): CommitCheck {
  if (group === undefined) {
    // Without a generation the offsets themselves make the group, a so-called simple one.
    if (operation.generationIdOrMemberEpoch < 0) return { error: ErrorCode.NONE }
    const knowsNotFound = !operation.isTransactional && operation.apiVersion >= 9
    return { error: knowsNotFound ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.ILLEGAL_GENERATION }
  }
  // Nobody commits for a share group: what it has delivered is known to the share coordinator.
  if (group instanceof ShareGroup) return { error: ErrorCode.GROUP_ID_NOT_FOUND }
  return group instanceof ClassicGroup
    ? { error: checkClassicCommit(group, operation) }
    : checkConsumerCommit(group, operation)
}

function checkClassicCommit(group: ClassicGroup, operation: OffsetCommitOperation): ErrorCode {
  const { generationIdOrMemberEpoch: generationId, memberId, groupInstanceId, isTransactional } = operation
  if (group.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  if (generationId < 0 && group.isEmpty) return ErrorCode.NONE
  if (generationId >= 0 || memberId !== '' || groupInstanceId !== null) {
    const error = group.checkMember(memberId, groupInstanceId)
    if (error !== ErrorCode.NONE) return error
    if (generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION
  } else if (!isTransactional && !group.isEmpty) {
    return ErrorCode.UNKNOWN_MEMBER_ID
  }
  // The generation is right but not begun: the member will see the rebalance with its next heartbeat or sync.
  return !isTransactional && group.state === 'CompletingRebalance'
    ? ErrorCode.REBALANCE_IN_PROGRESS
    : ErrorCode.NONE
}

// --- fetching --------------------------------------------------------------------------------------------------------

export interface FetchedOffset {
  readonly partitionIndex: number
  readonly committedOffset: number
  readonly committedLeaderEpoch: number
  readonly metadata: string
  readonly errorCode: ErrorCode
}

export interface FetchedTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: FetchedOffset[]
}

export interface FetchedGroup {
  readonly errorCode: ErrorCode
  readonly topics: FetchedTopic[]
}

export function noOffset(partitionIndex: number, errorCode: ErrorCode): FetchedOffset {
  return { partitionIndex, committedOffset: NO_OFFSET, committedLeaderEpoch: -1, metadata: '', errorCode }
}

/** An unknown group has no offsets, which is no error: that is how a new consumer begins. */
export function fetchOffsets(shard: GroupShardState, operation: OffsetFetchOperation): FetchedGroup {
  const { groupId, topics, requireStable } = operation
  const group = shard.groups.get(groupId)
  const errorCode = group === undefined ? ErrorCode.NONE : checkFetch(group, operation)
  if (errorCode !== ErrorCode.NONE) return { errorCode, topics: [] }
  const fetch = (name: string, topicId: string, partition: number): FetchedOffset => {
    if (requireStable && shard.offsets.isPending(groupId, name, partition)) {
      return noOffset(partition, ErrorCode.UNSTABLE_OFFSET_COMMIT)
    }
    const known = shard.offsets.get(groupId, name, partition)
    return known === undefined || isOfOlderTopic(known, topicId)
      ? noOffset(partition, ErrorCode.NONE)
      : {
          partitionIndex: partition,
          committedOffset: known.offset,
          committedLeaderEpoch: known.leaderEpoch,
          metadata: known.metadata,
          errorCode: ErrorCode.NONE,
        }
  }
  const asked =
    topics ??
    [...shard.offsets.topicsOf(groupId)].map(([name, partitions]) => ({
      name,
      topicId: NO_TOPIC_ID,
      partitionIndexes: [...partitions.keys()],
    }))
  return {
    errorCode,
    topics: asked.map(({ name, topicId, partitionIndexes }) => ({
      name,
      topicId,
      partitions: partitionIndexes.map((partition) => fetch(name, topicId, partition)),
    })),
  }
}

/** The topic was deleted and made anew since: its old offsets mean nothing. Unknown ids are given the benefit. */
function isOfOlderTopic(known: CommittedOffset, topicId: string): boolean {
  return topicId !== NO_TOPIC_ID && known.topicId !== NO_TOPIC_ID && known.topicId !== topicId
}

function checkFetch(group: Group, operation: OffsetFetchOperation): ErrorCode {
  if (group instanceof ClassicGroup) {
    return group.state === 'Dead' ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.NONE
  }
  return group instanceof ShareGroup ? ErrorCode.NONE : checkConsumerFetch(group, operation)
}

// --- deleting --------------------------------------------------------------------------------------------------------

export interface DeletedTopic {
  readonly name: string
  readonly partitions: PartitionResult[]
}

/** OffsetDelete (KIP-496): offsets of topics that no member reads. */
export function deleteOffsets(
  shard: GroupShardState,
  groupId: string,
  topics: readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[],
): Outcome<{ errorCode: ErrorCode; topics: DeletedTopic[] }, CoordinatorRecord> {
  const group = shard.groups.get(groupId)
  const errorCode = checkDelete(group)
  if (errorCode !== ErrorCode.NONE || group === undefined) {
    return { records: [], response: { errorCode, topics: [] } }
  }
  const records: CoordinatorRecord[] = []
  const deleted = topics.map(({ name, partitionIndexes }) => {
    const isRead = isSubscribedTo(group, name)
    const partitions = partitionIndexes.map((partitionIndex) => {
      if (isRead) return { partitionIndex, errorCode: ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC }
      if (shard.offsets.get(groupId, name, partitionIndex) !== undefined) {
        records.push(committedOffsetTombstone(groupId, name, partitionIndex))
      }
      return { partitionIndex, errorCode: ErrorCode.NONE }
    })
    return { name, partitions }
  })
  return { records, response: { errorCode: ErrorCode.NONE, topics: deleted } }
}

function checkDelete(group: Group | undefined): ErrorCode {
  if (group === undefined || group instanceof ShareGroup) return ErrorCode.GROUP_ID_NOT_FOUND
  if (!(group instanceof ClassicGroup)) return ErrorCode.NONE
  if (group.state === 'Dead') return ErrorCode.GROUP_ID_NOT_FOUND
  return group.isEmpty || group.usesConsumerProtocol ? ErrorCode.NONE : ErrorCode.NON_EMPTY_GROUP
}

export function isSubscribedTo(group: Group, topic: string): boolean {
  return group.isSubscribedTo(topic)
}
