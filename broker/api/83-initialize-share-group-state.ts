/**
 * Behaviour: a group coordinator has the share coordinator set up, or begin anew, the delivery state of partitions (KIP-932).
 * Versions: v0.
 * Errors: INVALID_REQUEST; FENCED_STATE_EPOCH; UNKNOWN_TOPIC_OR_PARTITION; those of finding the coordinator; for each partition.
 * Deviations: the messages are ours.
 */
import { InitializeShareGroupState } from '../../common/protocol/apis/83-initialize-share-group-state.ts'
import { defineHandler } from './handler.ts'
import { refuseEach } from './share-state-results.ts'

export const initializeShareGroupState = defineHandler(InitializeShareGroupState, {
  versions: '0',
  runsOn: 'shareCoordinator',
  handle: ({ broker }, { groupId, topics }) =>
    broker.share
      .writeEach(groupId, topics, 'initialize share group state', (shard, key, partition) =>
        shard.initialize(key, partition),
      )
      .map((results) => ({ results })),
  refuse: ({ topics }, error, message) => ({ results: refuseEach(topics, error, message) }),
})
