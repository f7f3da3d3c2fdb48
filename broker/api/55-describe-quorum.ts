/**
 * Behaviour: who votes in the metadata quorum and how far each has come, as its leader sees it (KIP-595). The one partition of
 *   `__cluster_metadata` must be asked for, and nothing beside it.
 * Versions: v1 times of the last fetch and of the last time a replica was caught up (KIP-836); v2 directory ids, the nodes' listeners
 *   and error messages (KIP-853).
 * Errors: UNKNOWN_TOPIC_OR_PARTITION for every partition of a request that asks for something else; NOT_LEADER_OR_FOLLOWER when this
 *   node does not lead the quorum.
 * Deviations: none
 */
import { DescribeQuorum } from '../../common/protocol/apis/55-describe-quorum.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { type RequestOf, type ResponseInputOf, ZERO_UUID } from '../../common/protocol/schema.ts'
import type { ReplicaDescription } from '../raft/leader-state.ts'
import type { BrokerServices } from '../services.ts'
import { METADATA_TOPIC } from '../topic-names.ts'
import { defineHandler } from './handler.ts'
import { UNKNOWN_PARTITION_MESSAGE } from './topic-view.ts'

type Request = RequestOf<typeof DescribeQuorum>
type Response = ResponseInputOf<typeof DescribeQuorum>
type PartitionAnswer = Response['topics'][number]['partitions'][number]

const METADATA_PARTITION = 0

function asksForMetadata({ topics }: Request): boolean {
  return (
    topics.every(({ topicName }) => topicName === METADATA_TOPIC) &&
    topics.length <= 1 &&
    topics.every(({ partitions }) => partitions.length <= 1) &&
    topics.every(({ partitions }) =>
      partitions.every(({ partitionIndex }) => partitionIndex === METADATA_PARTITION),
    )
  )
}

function answer(request: Request, partitionAnswer: (partitionIndex: number) => PartitionAnswer): Response {
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: '',
    topics: request.topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) => partitionAnswer(partitionIndex)),
    })),
  }
}

function unknownPartition(partitionIndex: number): PartitionAnswer {
  return {
    partitionIndex,
    errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    errorMessage: UNKNOWN_PARTITION_MESSAGE,
    leaderId: 0,
    leaderEpoch: 0,
    highWatermark: 0,
    currentVoters: [],
    observers: [],
  }
}

function describePartition({ metadataLog }: BrokerServices, partitionIndex: number): PartitionAnswer {
  const { leaderId, leaderEpoch, highWatermark, voters, observers } = metadataLog.describe()
  return {
    partitionIndex,
    errorCode: ErrorCode.NONE,
    errorMessage: '',
    leaderId,
    leaderEpoch,
    highWatermark,
    currentVoters: voters.map(withoutDirectory),
    observers: observers.map(withoutDirectory),
  }
}

/** Voters that the configuration names (kraft.version 0) have no directory ids. */
function withoutDirectory(replica: ReplicaDescription) {
  return { ...replica, replicaDirectoryId: ZERO_UUID }
}

function nodesOf({ metadata, metadataLog }: BrokerServices): NonNullable<Response['nodes']> {
  return metadataLog.voterIds.flatMap((nodeId) => {
    const controller = metadata.controllers.get(nodeId)
    if (controller === undefined) return []
    const listeners = controller.endpoints.map(({ listenerName, host, port }) => ({
      name: listenerName,
      host,
      port,
    }))
    return [{ nodeId, listeners }]
  })
}

export const describeQuorum = defineHandler(DescribeQuorum, {
  versions: '0-2',
  runsOn: 'controller',
  handle: ({ broker, apiVersion }, request) => {
    if (!asksForMetadata(request)) return answer(request, unknownPartition)
    if (!broker.metadataLog.isLeader) return refuse(request, ErrorCode.NOT_LEADER_OR_FOLLOWER)
    const described = answer(request, (partitionIndex) => describePartition(broker, partitionIndex))
    const hasPartition = request.topics.some(({ partitions }) => partitions.length > 0)
    return apiVersion >= 2 && hasPartition ? { ...described, nodes: nodesOf(broker) } : described
  },
  refuse,
})

function refuse(_request: Request, error: Exclude<ErrorCode, 0>, message?: string): Response {
  return { errorCode: error, errorMessage: message ?? '', topics: [] }
}
