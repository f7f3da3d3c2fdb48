/**
 * Behaviour: a member of a classic group shows that it lives and learns whether it has to rejoin.
 * Versions: v3 static members.
 * Errors: INVALID_GROUP_ID; UNKNOWN_MEMBER_ID; FENCED_INSTANCE_ID; ILLEGAL_GENERATION; REBALANCE_IN_PROGRESS; those of finding the coordinator
 *   (none while it loads: sessions begin anew afterwards).
 * Deviations: none.
 */
import { Heartbeat } from '../../common/protocol/apis/12-heartbeat.ts'
import { defineHandler } from './handler.ts'

export const heartbeat = defineHandler(Heartbeat, {
  versions: '0-4',
  runsOn: 'groupCoordinator',
  handle: ({ broker }, { groupId, generationId, memberId, groupInstanceId }) =>
    broker.groups
      .heartbeat(groupId, { generationId, memberId, groupInstanceId })
      .map((errorCode) => ({ errorCode })),
  refuse: (_request, error) => ({ errorCode: error }),
})
