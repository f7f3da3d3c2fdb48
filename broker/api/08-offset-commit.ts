/**
 * Behaviour: stores offsets of a group, of its members or (without a generation) of anybody while the group is empty.
 * Versions: v2–v4 with a retention of their own, v6 leader epochs, v7 static members, v9 member epochs (KIP-848), v10 topic ids.
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID; OFFSET_METADATA_TOO_LARGE; ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID,
 *   FENCED_INSTANCE_ID, REBALANCE_IN_PROGRESS in classic groups; STALE_MEMBER_EPOCH, UNSUPPORTED_VERSION before v9 in consumer groups;
 *   GROUP_ID_NOT_FOUND (ILLEGAL_GENERATION before v9) when a member commits to no group; those of finding the coordinator.
 * Deviations: none.
 */
import { OffsetCommit } from '../../common/protocol/apis/08-offset-commit.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import type { TopicResult } from '../coordinator/group/offset-operations.ts'
import { mergeTopics, splitTopics } from './group-topics.ts'
import { defineHandler } from './handler.ts'

export const offsetCommit = defineHandler(OffsetCommit, {
  versions: '2-10',
  runsOn: 'groupCoordinator',
  handle: ({ broker, apiVersion }, request) => {
    const { failed, found } = splitTopics(broker.metadata, request.topics, apiVersion >= 10)
    const committed =
      found.length === 0
        ? Deferred.of<TopicResult[]>([])
        : broker.groups.commitOffsets({
            groupId: request.groupId,
            memberId: request.memberId,
            groupInstanceId: request.groupInstanceId,
            generationIdOrMemberEpoch: request.generationIdOrMemberEpoch,
            retentionTimeMs: request.retentionTimeMs,
            topics: found,
            apiVersion,
            isTransactional: false,
          })
    return committed.map((results) => ({ topics: mergeTopics(failed, results) }))
  },
  refuse: (request, error) => ({
    topics: request.topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: error })),
    })),
  }),
})
