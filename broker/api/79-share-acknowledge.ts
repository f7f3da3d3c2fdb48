/**
 * Behaviour: a member says of records that it was handed out whether they are done with, to be handed out again, or rejected, or that it needs
 *   more time (KIP-932). Epoch -1 ends the session.
 * Versions: v1; v2 renewed locks (KIP-1222).
 * Errors: INVALID_REQUEST; SHARE_SESSION_NOT_FOUND; INVALID_SHARE_SESSION_EPOCH; UNSUPPORTED_VERSION when share groups are turned off. For a
 *   partition: UNKNOWN_TOPIC_ID; UNKNOWN_TOPIC_OR_PARTITION; NOT_LEADER_OR_FOLLOWER; INVALID_RECORD_STATE; COORDINATOR_NOT_AVAILABLE.
 * Deviations: none.
 */
import { ShareAcknowledge } from '../../common/protocol/apis/79-share-acknowledge.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ResponseInputOf } from '../../common/protocol/schema.ts'
import type { RequestContext } from '../network/request-context.ts'
import type { PartitionAcknowledged } from '../share/share-partition-manager.ts'
import { FINAL_EPOCH, INITIAL_EPOCH } from '../share/share-session-cache.ts'
import { defineHandler } from './handler.ts'
import { type LeaderHint, nodeEndpointsOf, shareLeaderOf } from './leader-hints.ts'
import { acknowledgementsIn } from './share-acknowledgements.ts'
import { areShareGroupsEnabled } from './share-feature.ts'

type Response = ResponseInputOf<typeof ShareAcknowledge>

function refused(errorCode: ErrorCode, errorMessage: string | null = null): Response {
  return { errorCode, errorMessage, responses: [], nodeEndpoints: [] }
}

function sessionError(
  { broker }: RequestContext,
  groupId: string,
  memberId: string,
  epoch: number,
): ErrorCode {
  const { sessions } = broker.sharePartitions
  if (epoch === INITIAL_EPOCH) return ErrorCode.INVALID_SHARE_SESSION_EPOCH
  if (epoch !== FINAL_EPOCH) return sessions.advance(groupId, memberId, epoch).error
  return sessions.get(groupId, memberId) === undefined ? ErrorCode.SHARE_SESSION_NOT_FOUND : ErrorCode.NONE
}

function responseOf(
  context: RequestContext,
  lockTimeoutMs: number,
  acknowledged: readonly PartitionAcknowledged[],
): Response {
  const hints: LeaderHint[] = []
  const topics = new Map<string, Response['responses'][number]['partitions'][number][]>()
  for (const { topicId, partition, error, message, leader } of acknowledged) {
    const partitions = topics.get(topicId) ?? []
    partitions.push({
      partitionIndex: partition,
      errorCode: error,
      errorMessage: message,
      currentLeader: shareLeaderOf(context, { topicId, partition }, error, leader, hints),
    })
    topics.set(topicId, partitions)
  }
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    acquisitionLockTimeoutMs: lockTimeoutMs,
    responses: [...topics].map(([topicId, partitions]) => ({ topicId, partitions })),
    nodeEndpoints: nodeEndpointsOf(context, hints),
  }
}

export const shareAcknowledge = defineHandler(ShareAcknowledge, {
  versions: '1-2',
  runsOn: 'leader',
  handle: (context, { groupId, memberId, shareSessionEpoch, isRenewAck, topics }) => {
    const { sharePartitions } = context.broker
    if (!areShareGroupsEnabled(context)) return refused(ErrorCode.UNSUPPORTED_VERSION)
    if (groupId === null || memberId === null) return refused(ErrorCode.INVALID_REQUEST)
    const error = sessionError(context, groupId, memberId, shareSessionEpoch)
    if (error !== ErrorCode.NONE) return refused(error)
    return sharePartitions
      .acknowledge(groupId, memberId, acknowledgementsIn(topics), isRenewAck)
      .map((acknowledged) => {
        if (shareSessionEpoch === FINAL_EPOCH) sharePartitions.closeSession(groupId, memberId)
        return responseOf(context, sharePartitions.lockDurationMs(groupId), acknowledged)
      })
  },
  refuse: (_request, error, message) => refused(error, message ?? null),
})
