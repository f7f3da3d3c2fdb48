/**
 * Behaviour: the leader of a partition writes down how its delivery goes on (KIP-932).
 * Versions: v0; v1 how many records from the start offset on are done with (KIP-1226).
 * Errors: INVALID_REQUEST; FENCED_LEADER_EPOCH; FENCED_STATE_EPOCH; UNKNOWN_TOPIC_OR_PARTITION; those of finding the coordinator; for each partition.
 * Deviations: the messages are ours.
 */
import { WriteShareGroupState } from '../../common/protocol/apis/85-write-share-group-state.ts'
import { defineHandler } from './handler.ts'
import { refuseEach } from './share-state-results.ts'

export const writeShareGroupState = defineHandler(WriteShareGroupState, {
  versions: '0-1',
  runsOn: 'shareCoordinator',
  handle: ({ broker }, { groupId, topics }) =>
    broker.share
      .writeEach(groupId, topics, 'write share group state', (shard, key, partition) =>
        shard.write(key, partition),
      )
      .map((results) => ({ results })),
  refuse: ({ topics }, error, message) => ({ results: refuseEach(topics, error, message) }),
})
