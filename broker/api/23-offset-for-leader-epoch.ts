/**
 * Behaviour: where a leader epoch ends in the leader's log, so that a replica or consumer finds where histories part (KIP-101, KIP-320).
 * Versions: v2 leader epoch check; v3 replica id (-2 debugging: any replica answers).
 * Errors: NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, UNKNOWN_TOPIC_OR_PARTITION.
 * Deviations: none.
 */
import { OffsetForLeaderEpoch } from '../../common/protocol/apis/23-offset-for-leader-epoch.ts'
import { endOffsetForLeaderEpoch } from '../replica/partition-reads.ts'
import { defineHandler } from './handler.ts'

export const offsetForLeaderEpoch = defineHandler(OffsetForLeaderEpoch, {
  versions: '2-4',
  runsOn: 'leader',
  handle: ({ broker }, request) => ({
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
        const partition = broker.replicas.partition(topic, index)
        if (partition === undefined) {
          return { partition: index, errorCode: broker.replicas.missingPartitionError(topic, index) }
        }
        const end = endOffsetForLeaderEpoch(partition, { leaderEpoch, currentLeaderEpoch, mustLead: true })
        return { partition: index, errorCode: end.error, leaderEpoch: end.epoch, endOffset: end.endOffset }
      }),
    })),
  }),
  refuse: (request, error) => ({
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ partition, errorCode: error })),
    })),
  }),
})
