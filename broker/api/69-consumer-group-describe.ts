/**
 * Behaviour: epochs, members and assignments of consumer groups (KIP-848).
 * Versions: v1 tells which protocol a member speaks (KIP-1099).
 * Errors: INVALID_GROUP_ID; GROUP_ID_NOT_FOUND; UNSUPPORTED_VERSION when the protocol is turned off; those of finding the coordinator, for each group.
 * Deviations: none.
 */
import { ConsumerGroupDescribe } from '../../common/protocol/apis/69-consumer-group-describe.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import { failConsumerDescribe } from '../coordinator/group/describe.ts'
import { groupOperations } from './authorized-operations.ts'
import { areConsumerGroupsEnabled } from './consumer-group-feature.ts'
import { defineHandler } from './handler.ts'

export const consumerGroupDescribe = defineHandler(ConsumerGroupDescribe, {
  versions: '0-1',
  runsOn: 'groupCoordinator',
  handle: (context, request) => {
    const { groups } = context.broker
    if (!areConsumerGroupsEnabled(context))
      return {
        groups: request.groupIds.map((groupId) =>
          failConsumerDescribe(groupId, ErrorCode.UNSUPPORTED_VERSION),
        ),
      }
    return Deferred.all(request.groupIds.map((groupId) => groups.describeConsumerGroup(groupId))).map(
      (described) => ({
        groups: described.map((group) =>
          request.includeAuthorizedOperations && group.errorCode === ErrorCode.NONE
            ? { ...group, authorizedOperations: groupOperations(context, group.groupId) }
            : group,
        ),
      }),
    )
  },
  refuse: (request, error) => ({
    groups: request.groupIds.map((groupId) => failConsumerDescribe(groupId, error)),
  }),
})
