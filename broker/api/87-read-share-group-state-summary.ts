/**
 * Behaviour: a group coordinator reads where a group begins in partitions (KIP-932).
 * Versions: v0; v1 how many records from there on are done with (KIP-1226).
 * Errors: INVALID_REQUEST; UNKNOWN_TOPIC_OR_PARTITION; those of finding the coordinator; for each partition.
 * Deviations: the messages are ours.
 */
import { ReadShareGroupStateSummary } from '../../common/protocol/apis/87-read-share-group-state-summary.ts'
import { defineHandler } from './handler.ts'
import { refuseEach, withDefaults } from './share-state-results.ts'

const DEFAULTS = { stateEpoch: 0, leaderEpoch: 0, startOffset: 0 }

export const readShareGroupStateSummary = defineHandler(ReadShareGroupStateSummary, {
  versions: '0-1',
  runsOn: 'shareCoordinator',
  handle: ({ broker }, { groupId, topics }) =>
    broker.share
      .readEach(groupId, topics, 'read share group state summary', (shard, key) => shard.readSummary(key))
      .map((results) => withDefaults(results, DEFAULTS))
      .map((results) => ({ results })),
  refuse: ({ topics }, error, message) => ({
    results: withDefaults(refuseEach(topics, error, message), DEFAULTS),
  }),
})
