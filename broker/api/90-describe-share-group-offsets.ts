/**
 * Behaviour: where share groups begin in partitions and how much lies before them (KIP-932, KIP-1226).
 * Versions: v0; v1 the lag.
 * Errors: INVALID_GROUP_ID; GROUP_ID_NOT_FOUND for a group of another kind; those of the share coordinator, for each partition.
 * Deviations: none.
 */
import { DescribeShareGroupOffsets } from '../../common/protocol/apis/90-describe-share-group-offsets.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import { defineHandler } from './handler.ts'

export const describeShareGroupOffsets = defineHandler(DescribeShareGroupOffsets, {
  versions: '0-1',
  runsOn: 'groupCoordinator',
  handle: ({ broker }, request) =>
    Deferred.all(
      request.groups.map(({ groupId, topics }) => broker.groups.shareOffsets.describe(groupId, topics)),
    ).map((groups) => ({ groups })),
  refuse: (request, error, message) => ({
    groups: request.groups.map(({ groupId }) => ({
      groupId,
      topics: [],
      errorCode: error,
      errorMessage: message ?? null,
    })),
  }),
})
