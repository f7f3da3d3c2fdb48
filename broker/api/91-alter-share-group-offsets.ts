/**
 * Behaviour: has a share group without members begin elsewhere; a group that does not exist comes into being (KIP-932).
 * Versions: v0.
 * Errors: NON_EMPTY_GROUP; GROUP_ID_NOT_FOUND for a group of another kind; UNKNOWN_TOPIC_OR_PARTITION and those of the share coordinator, for
 *   each partition.
 * Deviations: none.
 */
import { AlterShareGroupOffsets } from '../../common/protocol/apis/91-alter-share-group-offsets.ts'
import { defineHandler } from './handler.ts'

export const alterShareGroupOffsets = defineHandler(AlterShareGroupOffsets, {
  versions: '0',
  runsOn: 'groupCoordinator',
  handle: ({ broker }, { groupId, topics }) => broker.groups.shareOffsets.alter(groupId, topics),
  refuse: (_request, error, message) => ({
    errorCode: error,
    errorMessage: message ?? null,
    responses: [],
  }),
})
