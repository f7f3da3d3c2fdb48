/**
 * Behaviour: forgets where a share group without members was in topics (KIP-932).
 * Versions: v0.
 * Errors: NON_EMPTY_GROUP; GROUP_ID_NOT_FOUND; UNKNOWN_TOPIC_OR_PARTITION and those of the share coordinator, for each topic.
 * Deviations: none.
 */
import { DeleteShareGroupOffsets } from '../../common/protocol/apis/92-delete-share-group-offsets.ts'
import { defineHandler } from './handler.ts'

export const deleteShareGroupOffsets = defineHandler(DeleteShareGroupOffsets, {
  versions: '0',
  runsOn: 'groupCoordinator',
  handle: ({ broker }, { groupId, topics }) =>
    broker.groups.shareOffsets.delete(
      groupId,
      topics.map(({ topicName }) => topicName),
    ),
  refuse: (_request, error, message) => ({
    errorCode: error,
    errorMessage: message ?? null,
    responses: [],
  }),
})
