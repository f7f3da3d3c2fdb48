/**
 * Who may commit and fetch offsets in a consumer group: members in their epoch.
 */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { ConsumerGroup, ConsumerMember } from './consumer-group.ts'
import type { CommitCheck, OffsetCommitOperation, OffsetFetchOperation } from './offset-operations.ts'

export function checkConsumerCommit(group: ConsumerGroup, operation: OffsetCommitOperation): CommitCheck {
  const { memberId, groupInstanceId, generationIdOrMemberEpoch: epoch, isTransactional } = operation
  if (epoch < 0 && group.isEmpty) return { error: ErrorCode.NONE }
  // Producers that do not pass the group's metadata along are not checked.
  if (isTransactional && epoch === -1 && memberId === '' && groupInstanceId === null) {
    return { error: ErrorCode.NONE }
  }
  const member = group.members.get(memberId)
  if (member === undefined) return { error: ErrorCode.UNKNOWN_MEMBER_ID }
  const isClassic = member.classic !== null
  if (!isTransactional && !isClassic && operation.apiVersion < 9)
    return { error: ErrorCode.UNSUPPORTED_VERSION }
  if (epoch === member.memberEpoch) return { error: ErrorCode.NONE }
  const stale = isClassic ? ErrorCode.ILLEGAL_GENERATION : ErrorCode.STALE_MEMBER_EPOCH
  if (epoch > member.memberEpoch || epoch < 0) return { error: stale }
  // An older epoch may still commit what the member has held since then (KIP-1251).
  return {
    error: ErrorCode.NONE,
    checkPartition: (topicId, partition) => {
      const since = heldSince(member, topicId, partition)
      return since !== undefined && since <= epoch ? ErrorCode.NONE : stale
    },
  }
}

function heldSince(member: ConsumerMember, topicId: string, partition: number): number | undefined {
  return member.assigned.get(topicId)?.get(partition) ?? member.pendingRevocation.get(topicId)?.get(partition)
}

export function checkConsumerFetch(group: ConsumerGroup, operation: OffsetFetchOperation): ErrorCode {
  if (operation.memberId === null && operation.memberEpoch < 0) return ErrorCode.NONE
  const member = group.members.get(operation.memberId ?? '')
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
  if (member.memberEpoch === operation.memberEpoch) return ErrorCode.NONE
  return member.classic === null ? ErrorCode.STALE_MEMBER_EPOCH : ErrorCode.ILLEGAL_GENERATION
}
