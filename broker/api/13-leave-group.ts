/**
 * Behaviour: members leave a group at once; who is left rebalances.
 * Versions: v3 several members, also by instance id alone (KIP-345); v5 reason (KIP-800).
 * Errors: INVALID_GROUP_ID; UNKNOWN_MEMBER_ID and FENCED_INSTANCE_ID for single members (for the request before v3); those of finding the
 *   coordinator.
 * Deviations: none.
 */
import { LeaveGroup } from '../../common/protocol/apis/13-leave-group.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { defineHandler } from './handler.ts'

export const leaveGroup = defineHandler(LeaveGroup, {
  versions: '0-5',
  runsOn: 'groupCoordinator',
  handle: ({ broker, apiVersion }, request) => {
    const leaving =
      apiVersion >= 3
        ? request.members.map(({ memberId, groupInstanceId }) => ({ memberId, groupInstanceId }))
        : [{ memberId: request.memberId, groupInstanceId: null }]
    return broker.groups.leave(request.groupId, leaving).map(({ error, members }) => {
      if (error !== ErrorCode.NONE) return { errorCode: error }
      if (apiVersion < 3) return { errorCode: members[0]?.error ?? ErrorCode.NONE }
      return {
        errorCode: ErrorCode.NONE,
        members: members.map(({ memberId, groupInstanceId, error: errorCode }) => ({
          memberId,
          groupInstanceId,
          errorCode,
        })),
      }
    })
  },
  refuse: (_request, error) => ({ errorCode: error }),
})
