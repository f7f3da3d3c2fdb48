/**
 * Behaviour: the committed offsets of groups; no offset is -1 and no error. Null topics mean every topic that has one.
 * Versions: v1 single group; v2 null topics and an error of the group; v5 leader epochs; v7 requireStable (KIP-447); v8 several groups;
 *   v9 members say who they are (KIP-848); v10 topic ids.
 * Errors: UNSTABLE_OFFSET_COMMIT for partitions with offsets of an open transaction when requireStable is set; UNKNOWN_TOPIC_ID;
 *   UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH (ILLEGAL_GENERATION for classic members) in consumer groups; those of finding the coordinator.
 * Deviations: none.
 */
import { OffsetFetch, type OffsetFetchRequest } from '../../common/protocol/apis/09-offset-fetch.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { type ResponseInputOf, ZERO_UUID } from '../../common/protocol/schema.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import { type FetchedGroup, type FetchedTopic, noOffset } from '../coordinator/group/offsets.ts'
import type { BrokerServices } from '../services.ts'
import { defineHandler } from './handler.ts'

type Response = ResponseInputOf<typeof OffsetFetch>
type AskedGroup = OffsetFetchRequest['groups'][number]

export const offsetFetch = defineHandler(OffsetFetch, {
  versions: '1-10',
  runsOn: 'groupCoordinator',
  handle: ({ broker, apiVersion }, request): Deferred<Response> => {
    const { requireStable } = request
    if (apiVersion < 8) {
      const group = singleGroup(request)
      return fetchGroup(broker, group, requireStable, apiVersion).map((fetched) =>
        singleAnswer(group, fetched, apiVersion),
      )
    }
    const fetches = request.groups.map((group) => fetchGroup(broker, group, requireStable, apiVersion))
    return Deferred.all(fetches).map((fetched) => ({
      groups: fetched.map((group, index) => ({ groupId: request.groups[index]?.groupId ?? '', ...group })),
    }))
  },
  refuse: (request, error, _message, apiVersion = OffsetFetch.versions.highest) =>
    apiVersion < 8
      ? singleAnswer(singleGroup(request), { errorCode: error, topics: [] }, apiVersion)
      : { groups: request.groups.map(({ groupId }) => ({ groupId, errorCode: error, topics: [] })) },
})

/** Before v8 the request is one group. */
function singleGroup(request: OffsetFetchRequest): AskedGroup {
  const topics =
    request.topics?.map(({ name, partitionIndexes }) => ({ name, topicId: ZERO_UUID, partitionIndexes })) ??
    null
  return { groupId: request.groupId, memberId: null, memberEpoch: -1, topics }
}

/** v1 knows no error of the group: every partition carries it. */
function singleAnswer(group: AskedGroup, { errorCode, topics }: FetchedGroup, apiVersion: number): Response {
  if (errorCode === ErrorCode.NONE) return { topics, errorCode }
  return { errorCode, topics: apiVersion < 2 ? failedTopics(group.topics, errorCode) : [] }
}

function failedTopics(
  topics: readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[] | null,
  error: ErrorCode,
) {
  return (topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => noOffset(partitionIndex, error)),
  }))
}

function fetchGroup(
  broker: BrokerServices,
  group: AskedGroup,
  requireStable: boolean,
  apiVersion: number,
): Deferred<FetchedGroup> {
  const { topicsById, topicsByName } = broker.metadata
  const usesTopicIds = apiVersion >= 10
  const unknown: FetchedTopic[] = []
  const known = group.topics?.flatMap((topic) => {
    const name = usesTopicIds ? topicsById.get(topic.topicId)?.name : topic.name
    if (name !== undefined) return [{ ...topic, name }]
    unknown.push({
      name: '',
      topicId: topic.topicId,
      partitions: topic.partitionIndexes.map((partition) => noOffset(partition, ErrorCode.UNKNOWN_TOPIC_ID)),
    })
    return []
  })
  const { groupId, memberId, memberEpoch } = group
  return broker.groups
    .fetchOffsets({ groupId, memberId, memberEpoch, topics: known ?? null, requireStable })
    .map(({ errorCode, topics }) => {
      if (errorCode !== ErrorCode.NONE || !usesTopicIds) return { errorCode, topics }
      // Offsets of topics that are gone have no id to be told by.
      const withIds = topics.flatMap((topic) => {
        const topicId = topicsByName.get(topic.name)?.id
        return topicId === undefined ? [] : [{ ...topic, topicId }]
      })
      return { errorCode, topics: [...withIds, ...unknown] }
    })
}
