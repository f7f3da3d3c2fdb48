/**
 * Behaviour: the leader of a partition reads how far its delivery has come; its leader epoch fences earlier leaders (KIP-932).
 * Versions: v0.
 * Errors: INVALID_REQUEST; FENCED_LEADER_EPOCH; UNKNOWN_TOPIC_OR_PARTITION; those of finding the coordinator; for each partition.
 * Deviations: the messages are ours.
 */
import { ReadShareGroupState } from '../../common/protocol/apis/84-read-share-group-state.ts'
import { defineHandler } from './handler.ts'
import { refuseEach, withDefaults } from './share-state-results.ts'

const DEFAULTS = { stateEpoch: 0, startOffset: 0, stateBatches: [] }

export const readShareGroupState = defineHandler(ReadShareGroupState, {
  versions: '0',
  runsOn: 'shareCoordinator',
  handle: ({ broker }, { groupId, topics }) =>
    broker.share
      .writeEach(groupId, topics, 'read share group state', (shard, key, { leaderEpoch }) =>
        shard.read(key, leaderEpoch),
      )
      .map((results) => withDefaults(results, DEFAULTS))
      .map((results) => ({ results })),
  refuse: ({ topics }, error, message) => ({
    results: withDefaults(refuseEach(topics, error, message), DEFAULTS),
  }),
})
