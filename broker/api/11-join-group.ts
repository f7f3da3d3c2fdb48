/**
 * Behaviour: a member joins, or joins again; the answer waits until the rebalance has gathered everybody.
 * Versions: v1 rebalance timeout; v4 strangers are told their member id first (KIP-394); v5 static members (KIP-345); v7 protocol type;
 *   v8 reason; v9 skipAssignment for a static leader that came back (KIP-814).
 * Errors: INVALID_GROUP_ID; INVALID_SESSION_TIMEOUT; INCONSISTENT_GROUP_PROTOCOL; MEMBER_ID_REQUIRED; UNKNOWN_MEMBER_ID; FENCED_INSTANCE_ID;
 *   GROUP_MAX_SIZE_REACHED; those of finding the coordinator.
 * Deviations: none.
 */
import { JoinGroup } from '../../common/protocol/apis/11-join-group.ts'
import type { ResponseInputOf } from '../../common/protocol/schema.ts'
import { joinError } from '../coordinator/group/classic-group.ts'
import { memberClientOf } from './group-client.ts'
import { defineHandler } from './handler.ts'

export const joinGroup = defineHandler(JoinGroup, {
  versions: '0-9',
  runsOn: 'groupCoordinator',
  handle: (context, request) => {
    const { apiVersion, broker } = context
    const { rebalanceTimeoutMs, sessionTimeoutMs } = request
    return broker.groups
      .join({
        ...memberClientOf(context),
        groupId: request.groupId,
        memberId: request.memberId,
        groupInstanceId: request.groupInstanceId,
        sessionTimeoutMs,
        rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? sessionTimeoutMs : rebalanceTimeoutMs,
        protocolType: request.protocolType,
        // Kept for as long as the member lives: the frame must not be.
        protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
        requiresKnownMemberId: apiVersion >= 4,
        supportsSkippingAssignment: apiVersion >= 9,
      })
      .map((answer) => forVersion(answer, apiVersion))
  },
  refuse: (request, error) => ({ ...joinError(error, request.memberId), protocolName: '' }),
})

/** Before v7 there is no null protocol name. */
function forVersion(
  answer: ResponseInputOf<typeof JoinGroup>,
  apiVersion: number,
): ResponseInputOf<typeof JoinGroup> {
  return answer.protocolName === null && apiVersion < 7 ? { ...answer, protocolName: '' } : answer
}
