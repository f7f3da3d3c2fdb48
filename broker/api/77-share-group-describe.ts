/**
 * Behaviour: epochs, members and assignments of share groups (KIP-932).
 * Versions: v1, the first that is not an early access one.
 * Errors: INVALID_GROUP_ID; GROUP_ID_NOT_FOUND; UNSUPPORTED_VERSION when share groups are turned off; those of finding the coordinator.
 * Deviations: none.
 */
import { ShareGroupDescribe } from '../../common/protocol/apis/77-share-group-describe.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import { failShareDescribe } from '../coordinator/share/share-describe.ts'
import { groupOperations } from './authorized-operations.ts'
import { defineHandler } from './handler.ts'
import { areShareGroupsEnabled } from './share-feature.ts'

const emptyFirst = (left: string, right: string) => Number(right === '') - Number(left === '')

export const shareGroupDescribe = defineHandler(ShareGroupDescribe, {
  versions: '1',
  runsOn: 'groupCoordinator',
  handle: (context, request) => {
    const isEnabled = areShareGroupsEnabled(context)
    return Deferred.all(
      // Kafka names what it need not ask about first.
      [...request.groupIds]
        .sort(emptyFirst)
        .map((groupId) =>
          isEnabled
            ? context.broker.groups.share.describe(groupId)
            : Deferred.of(failShareDescribe(groupId, ErrorCode.UNSUPPORTED_VERSION)),
        ),
    ).map((described) => ({
      groups: described.map((group) =>
        request.includeAuthorizedOperations && group.errorCode === ErrorCode.NONE
          ? { ...group, authorizedOperations: groupOperations(context, group.groupId) }
          : group,
      ),
    }))
  },
  refuse: (request, error, message) => ({
    groups: request.groupIds.map((groupId) => failShareDescribe(groupId, error, message ?? null)),
  }),
})
