/**
 * Behaviour: a member of a share group joins, lives, changes its subscription or leaves, and learns its partitions (KIP-932).
 * Versions: v1, the first that is not an early access one.
 * Errors: INVALID_REQUEST; GROUP_ID_NOT_FOUND; UNKNOWN_MEMBER_ID; FENCED_MEMBER_EPOCH; GROUP_MAX_SIZE_REACHED; UNSUPPORTED_VERSION when share
 *   groups are turned off; those of finding the coordinator.
 * Deviations: none.
 */
import { ShareGroupHeartbeat } from '../../common/protocol/apis/76-share-group-heartbeat.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { shareHeartbeatError } from '../coordinator/share/share-heartbeat.ts'
import { memberClientOf } from './group-client.ts'
import { defineHandler } from './handler.ts'
import { areShareGroupsEnabled } from './share-feature.ts'

export const shareGroupHeartbeat = defineHandler(ShareGroupHeartbeat, {
  versions: '1',
  runsOn: 'groupCoordinator',
  handle: (context, request) => {
    if (!areShareGroupsEnabled(context)) return shareHeartbeatError(ErrorCode.UNSUPPORTED_VERSION)
    const { groupId, memberId, memberEpoch, rackId, subscribedTopicNames } = request
    return context.broker.groups.share.heartbeat({
      ...memberClientOf(context),
      groupId,
      memberId,
      memberEpoch,
      rackId,
      subscribedTopicNames,
    })
  },
  refuse: (_request, error, message) => shareHeartbeatError(error, message ?? null),
})
