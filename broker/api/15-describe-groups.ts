/**
 * Behaviour: state and members of classic groups. Metadata and assignments are shown while the group is stable.
 * Versions: v3 authorized operations; v4 instance ids; v6 GROUP_ID_NOT_FOUND instead of a Dead group (KIP-1043).
 * Errors: GROUP_ID_NOT_FOUND; those of finding the coordinator, for each group.
 * Deviations: none.
 */
import { DescribeGroups } from '../../common/protocol/apis/15-describe-groups.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import { failDescribe } from '../coordinator/group/describe.ts'
import { groupOperations } from './authorized-operations.ts'
import { defineHandler } from './handler.ts'

export const describeGroups = defineHandler(DescribeGroups, {
  versions: '0-6',
  runsOn: 'groupCoordinator',
  handle: (context, request) => {
    const described = request.groups.map((groupId) =>
      context.broker.groups.describe(groupId, context.apiVersion),
    )
    return Deferred.all(described).map((groups) => ({
      groups: groups.map((group) =>
        request.includeAuthorizedOperations && group.errorCode === ErrorCode.NONE
          ? { ...group, authorizedOperations: groupOperations(context, group.groupId) }
          : group,
      ),
    }))
  },
  refuse: (request, error) => ({ groups: request.groups.map((groupId) => failDescribe(groupId, error)) }),
})
