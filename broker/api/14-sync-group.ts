/**
 * Behaviour: the leader hands in the assignment, everybody gets a part of it when it is written.
 * Versions: v3 static members; v5 protocol type and name must be right (KIP-559).
 * Errors: INVALID_GROUP_ID; INCONSISTENT_GROUP_PROTOCOL; UNKNOWN_MEMBER_ID; FENCED_INSTANCE_ID; ILLEGAL_GENERATION; REBALANCE_IN_PROGRESS; those
 *   of finding the coordinator.
 * Deviations: none.
 */
import { SyncGroup } from '../../common/protocol/apis/14-sync-group.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { syncError } from '../coordinator/group/classic-group.ts'
import { defineHandler } from './handler.ts'

export const syncGroup = defineHandler(SyncGroup, {
  versions: '0-5',
  runsOn: 'groupCoordinator',
  handle: ({ broker, apiVersion }, request) => {
    const isProtocolMissing =
      apiVersion >= 5 && (request.protocolType === null || request.protocolName === null)
    if (isProtocolMissing) return syncError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    return broker.groups.sync({
      groupId: request.groupId,
      generationId: request.generationId,
      memberId: request.memberId,
      groupInstanceId: request.groupInstanceId,
      protocolType: request.protocolType,
      protocolName: request.protocolName,
      assignments: request.assignments,
    })
  },
  refuse: (_request, error) => syncError(error),
})
