/**
 * The quorum's requests and answers, reduced to the one partition that they are about: `__cluster_metadata-0`.
 */
import type { VoteRequest, VoteResponse } from '../../common/protocol/apis/52-vote.ts'
import type { BeginQuorumEpochRequest } from '../../common/protocol/apis/53-begin-quorum-epoch.ts'
import type { EndQuorumEpochRequest } from '../../common/protocol/apis/54-end-quorum-epoch.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { ZERO_UUID } from '../../common/protocol/schema.ts'
import type { Address } from '../../common/runtime/transport.ts'
import { METADATA_TOPIC } from '../topic-names.ts'

/** Kafka's fixed id of `__cluster_metadata`. */
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
export const METADATA_PARTITION = 0
const CONTROLLER_LISTENER_NAME = 'CONTROLLER'

/** Who leads, as told in every answer; leader -1 when it is not known. */
export interface KnownLeader {
  readonly leaderId: number
  readonly leaderEpoch: number
}

export type PartitionError = Exclude<ErrorCode, 0>

/** The one partition of a request or answer; undefined when it is about anything else, or about more. */
export function onlyPartition<Partition extends { readonly partitionIndex: number }>(
  topics: readonly { readonly topicName: string; readonly partitions: readonly Partition[] }[],
): Partition | undefined {
  const [topic] = topics
  const partition = topic?.partitions[0]
  if (topics.length !== 1 || topic?.topicName !== METADATA_TOPIC || topic.partitions.length !== 1)
    return undefined
  return partition?.partitionIndex === METADATA_PARTITION ? partition : undefined
}

/** An absent cluster id is not checked (KIP-595). */
export function isOtherCluster(asked: string | null, own: string): boolean {
  return asked !== null && asked !== own
}

function topicsOf<Partition>(partition: Partition) {
  return [{ topicName: METADATA_TOPIC, partitions: [{ partitionIndex: METADATA_PARTITION, ...partition }] }]
}

export function voteRequest(vote: {
  clusterId: string
  voterId: number
  epoch: number
  candidateId: number
  lastEpoch: number
  endOffset: number
  isPreVote: boolean
}): VoteRequest {
  return {
    clusterId: vote.clusterId,
    voterId: vote.voterId,
    topics: topicsOf({
      replicaEpoch: vote.epoch,
      replicaId: vote.candidateId,
      // Voters that the configuration names (kraft.version 0) have no directory ids.
      replicaDirectoryId: ZERO_UUID,
      voterDirectoryId: ZERO_UUID,
      lastOffsetEpoch: vote.lastEpoch,
      lastOffset: vote.endOffset,
      preVote: vote.isPreVote,
    }),
  }
}

export function voteAnswer(error: ErrorCode, leader: KnownLeader, voteGranted: boolean) {
  return {
    errorCode: ErrorCode.NONE,
    topics: topicsOf({ errorCode: error, ...leader, voteGranted }),
  }
}

export function epochAnswer(error: ErrorCode, leader: KnownLeader) {
  return { errorCode: ErrorCode.NONE, topics: topicsOf({ errorCode: error, ...leader }) }
}

/** The whole request is refused. */
export function refusedAnswer(error: PartitionError) {
  return { errorCode: error, topics: [] }
}

export function beginRequest(begin: {
  clusterId: string
  voterId: number
  leader: KnownLeader
  endpoint: Address | undefined
}): BeginQuorumEpochRequest {
  return {
    clusterId: begin.clusterId,
    voterId: begin.voterId,
    topics: topicsOf({ voterDirectoryId: ZERO_UUID, ...begin.leader }),
    leaderEndpoints: leaderEndpoints(begin.endpoint),
  }
}

export function endRequest(end: {
  clusterId: string
  leader: KnownLeader
  successors: readonly number[]
  endpoint: Address | undefined
}): EndQuorumEpochRequest {
  return {
    clusterId: end.clusterId,
    topics: topicsOf({
      ...end.leader,
      preferredSuccessors: [],
      preferredCandidates: end.successors.map((candidateId) => ({
        candidateId,
        candidateDirectoryId: ZERO_UUID,
      })),
    }),
    leaderEndpoints: leaderEndpoints(end.endpoint),
  }
}

function leaderEndpoints(endpoint: Address | undefined) {
  if (endpoint === undefined) return []
  return [{ name: CONTROLLER_LISTENER_NAME, host: endpoint.host, port: endpoint.port }]
}

/** Where the leader listens, for those who were told of it (KIP-853). */
export function nodeEndpoints({ leaderId }: KnownLeader, address: Address | undefined) {
  if (leaderId < 0 || address === undefined) return []
  return [{ nodeId: leaderId, host: address.host, port: address.port }]
}

export type { BeginQuorumEpochRequest, EndQuorumEpochRequest, VoteRequest, VoteResponse }
