/**
 * Behaviour: the offset of the first record at or after a timestamp, or of a special point: latest (-1: high watermark, last stable
 *   offset when read_committed, log end for replicas), earliest (-2), largest timestamp (-3), earliest local (-4), latest tiered (-5),
 *   earliest pending upload (-6). Nothing found is offset -1 without an error.
 * Versions: v2 isolation; v4 leader epochs; v7 -3 (KIP-734); v8 -4 (KIP-405); v9 -5 (KIP-1005); v10 a time limit; v11 -6.
 * Errors: NOT_LEADER_OR_FOLLOWER; FENCED_LEADER_EPOCH; UNKNOWN_LEADER_EPOCH; UNKNOWN_TOPIC_OR_PARTITION; UNSUPPORTED_VERSION for a special
 *   point that the version lacks; INVALID_REQUEST for a partition named twice; OFFSET_NOT_AVAILABLE (before v5 LEADER_NOT_AVAILABLE)
 *   while a new leader's watermark has not reached the start of its epoch.
 * Deviations: without tiered storage -5 and -6 find nothing, as in Kafka without it.
 */
import { ListOffsets } from '../../common/protocol/apis/02-list-offsets.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestContext } from '../network/request-context.ts'
import { offsetForTimestamp } from '../replica/partition-reads.ts'
import { defineHandler } from './handler.ts'

const READ_COMMITTED = 1
const CONSUMER_REPLICA_ID = -1
const DEBUGGING_REPLICA_ID = -2

/** Special timestamp -> first version that knows it. */
const SPECIAL_TIMESTAMPS = new Map([
  [-1, 1],
  [-2, 1],
  [-3, 7],
  [-4, 8],
  [-5, 9],
  [-6, 11],
])

interface Query {
  readonly partitionIndex: number
  readonly currentLeaderEpoch: number
  readonly timestamp: number
}

function answerOf(partitionIndex: number, errorCode: ErrorCode) {
  return { partitionIndex, errorCode, timestamp: -1, offset: -1, leaderEpoch: -1 }
}

function lookUp(
  context: RequestContext,
  topic: string,
  query: Query,
  from: { replicaId: number; isolationLevel: number },
) {
  const { broker, apiVersion } = context
  const { partitionIndex, timestamp } = query
  const firstVersion = SPECIAL_TIMESTAMPS.get(timestamp)
  if (timestamp < 0 && (firstVersion === undefined || apiVersion < firstVersion)) {
    return answerOf(partitionIndex, ErrorCode.UNSUPPORTED_VERSION)
  }
  const partition = broker.replicas.partition(topic, partitionIndex)
  if (partition === undefined)
    return answerOf(partitionIndex, broker.replicas.missingPartitionError(topic, partitionIndex))
  const isConsumer = from.replicaId === CONSUMER_REPLICA_ID
  const found = offsetForTimestamp(partition, {
    timestamp,
    currentLeaderEpoch: query.currentLeaderEpoch,
    mustLead: from.replicaId !== DEBUGGING_REPLICA_ID,
    upTo: !isConsumer ? 'logEnd' : from.isolationLevel === READ_COMMITTED ? 'lastStable' : 'highWatermark',
  })
  if (found.error === ErrorCode.OFFSET_NOT_AVAILABLE && apiVersion < 5) {
    return answerOf(partitionIndex, ErrorCode.LEADER_NOT_AVAILABLE)
  }
  if (found.error !== ErrorCode.NONE) return answerOf(partitionIndex, found.error)
  return {
    partitionIndex,
    errorCode: ErrorCode.NONE,
    timestamp: found.timestamp,
    offset: found.offset,
    leaderEpoch: apiVersion >= 4 ? found.leaderEpoch : -1,
  }
}

export const listOffsets = defineHandler(ListOffsets, {
  versions: '1-11',
  runsOn: 'leader',
  handle: (context, request) => ({
    topics: request.topics.map(({ name, partitions }) => {
      const timesNamed = new Map<number, number>()
      for (const { partitionIndex } of partitions) {
        timesNamed.set(partitionIndex, (timesNamed.get(partitionIndex) ?? 0) + 1)
      }
      return {
        name,
        partitions: partitions
          .filter(({ partitionIndex }, index) => {
            const isNamedTwice = (timesNamed.get(partitionIndex) ?? 0) > 1
            return (
              !isNamedTwice || partitions.findIndex((one) => one.partitionIndex === partitionIndex) === index
            )
          })
          .map((query) =>
            (timesNamed.get(query.partitionIndex) ?? 0) > 1
              ? answerOf(query.partitionIndex, ErrorCode.INVALID_REQUEST)
              : lookUp(context, name, query, request),
          ),
      }
    }),
  }),
  refuse: (request, error) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => answerOf(partitionIndex, error)),
    })),
  }),
})
