/**
 * Behaviour: a group coordinator has the delivery state of partitions forgotten (KIP-932).
 * Versions: v0.
 * Errors: INVALID_REQUEST; UNKNOWN_TOPIC_OR_PARTITION; those of finding the coordinator; for each partition.
 * Deviations: the messages are ours.
 */
import { DeleteShareGroupState } from '../../common/protocol/apis/86-delete-share-group-state.ts'
import { defineHandler } from './handler.ts'
import { refuseEach } from './share-state-results.ts'

export const deleteShareGroupState = defineHandler(DeleteShareGroupState, {
  versions: '0',
  runsOn: 'shareCoordinator',
  handle: ({ broker }, { groupId, topics }) =>
    broker.share
      .writeEach(groupId, topics, 'delete share group state', (shard, key) => shard.delete(key))
      .map((results) => ({ results })),
  refuse: ({ topics }, error, message) => ({ results: refuseEach(topics, error, message) }),
})
