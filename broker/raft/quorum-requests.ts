/**
 * What other nodes ask of this one in elections: what is refused whatever its role, and in which form it answers. Whether a vote is given or
 * a leader followed is the quorum's to decide.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import {
  type BeginQuorumEpochRequest,
  type EndQuorumEpochRequest,
  epochAnswer,
  isOtherCluster,
  type KnownLeader,
  type nodeEndpoints,
  onlyPartition,
  type PartitionError,
  refusedAnswer,
  type VoteRequest,
  voteAnswer,
} from './raft-messages.ts'

/** A candidate, and what its log holds. */
export interface Candidacy {
  readonly replicaEpoch: number
  readonly replicaId: number
  readonly lastOffset: number
  readonly lastOffsetEpoch: number
  /** The candidate asks whether it would win, and makes no epoch for it (KIP-996). */
  readonly preVote: boolean
}

/** The node that is asked. */
export interface AskedNode {
  readonly nodeId: number
  readonly clusterId: string
  readonly voters: readonly number[]
}

/** The quorum of that node, as it stands. */
export interface AskedQuorum {
  readonly isVoter: boolean
  /** The disk failed, or the node stops. */
  readonly isEnded: boolean
  readonly epoch: number
  readonly known: KnownLeader
  readonly endpoints: ReturnType<typeof nodeEndpoints>
  /** Gives its vote or refuses it. */
  vote(candidacy: Candidacy): boolean
  /** A leader says that it leads. @returns false when that contradicts what is known */
  hearLeader(leader: KnownLeader): boolean
  /** A leader says that it leads no more; `successors` are to follow it, the first first. */
  hearResignation(leader: KnownLeader, successors: readonly number[]): void
}

export class QuorumRequests {
  readonly #node: AskedNode
  readonly #quorum: AskedQuorum

  constructor(node: AskedNode, quorum: AskedQuorum) {
    this.#node = node
    this.#quorum = quorum
  }

  vote(request: VoteRequest) {
    const refusal = this.#refusal(request)
    if (refusal !== undefined) return refusedAnswer(refusal)
    const candidacy = onlyPartition(request.topics)
    if (candidacy === undefined) return refusedAnswer(ErrorCode.INVALID_REQUEST)
    const quorum = this.#quorum
    const error = this.#voteError(candidacy, request.voterId)
    const isGranted = error === ErrorCode.NONE && quorum.vote(candidacy)
    if (quorum.isEnded) return refusedAnswer(ErrorCode.KAFKA_STORAGE_ERROR)
    return { ...voteAnswer(error, quorum.known, isGranted), nodeEndpoints: quorum.endpoints }
  }

  #voteError(candidacy: Candidacy, voterId: number): ErrorCode {
    const { replicaEpoch, replicaId, lastOffset, lastOffsetEpoch, preVote } = candidacy
    // Who campaigns has an epoch of its own, which its log knows nothing of yet; who only asks may not.
    const isAhead = preVote ? lastOffsetEpoch > replicaEpoch : lastOffsetEpoch >= replicaEpoch
    if (lastOffset < 0 || lastOffsetEpoch < 0 || isAhead) return ErrorCode.INVALID_REQUEST
    const error = this.#addresseeError(replicaEpoch, voterId)
    if (error !== ErrorCode.NONE) return error
    const isBetweenVoters = this.#quorum.isVoter && this.#node.voters.includes(replicaId)
    return isBetweenVoters ? ErrorCode.NONE : ErrorCode.INCONSISTENT_VOTER_SET
  }

  begin(request: BeginQuorumEpochRequest) {
    const refusal = this.#refusal(request)
    if (refusal !== undefined) return refusedAnswer(refusal)
    const leader = onlyPartition(request.topics)
    if (leader === undefined) return refusedAnswer(ErrorCode.INVALID_REQUEST)
    let error = this.#addresseeError(leader.leaderEpoch, request.voterId)
    if (error === ErrorCode.NONE && !this.#node.voters.includes(leader.leaderId))
      error = ErrorCode.INCONSISTENT_VOTER_SET
    if (error === ErrorCode.NONE && !this.#quorum.hearLeader(leader)) error = ErrorCode.INVALID_REQUEST
    return this.#epochAnswer(error)
  }

  end(request: EndQuorumEpochRequest) {
    const refusal = this.#refusal(request)
    if (refusal !== undefined) return refusedAnswer(refusal)
    const end = onlyPartition(request.topics)
    if (end === undefined) return refusedAnswer(ErrorCode.INVALID_REQUEST)
    const { leaderId, leaderEpoch, preferredCandidates, preferredSuccessors } = end
    const { nodeId, voters } = this.#node
    if (leaderEpoch < this.#quorum.epoch) return this.#epochAnswer(ErrorCode.FENCED_LEADER_EPOCH)
    if (!voters.includes(leaderId) || leaderId === nodeId)
      return this.#epochAnswer(ErrorCode.INCONSISTENT_VOTER_SET)
    const successors =
      preferredCandidates.length > 0
        ? preferredCandidates.map(({ candidateId }) => candidateId)
        : preferredSuccessors
    this.#quorum.hearResignation({ leaderId, leaderEpoch }, successors)
    return this.#epochAnswer(ErrorCode.NONE)
  }

  #refusal({ clusterId }: { readonly clusterId: string | null }): PartitionError | undefined {
    if (this.#quorum.isEnded) return ErrorCode.BROKER_NOT_AVAILABLE
    return isOtherCluster(clusterId, this.#node.clusterId) ? ErrorCode.INCONSISTENT_CLUSTER_ID : undefined
  }

  #addresseeError(epoch: number, voterId: number): ErrorCode {
    if (epoch < this.#quorum.epoch) return ErrorCode.FENCED_LEADER_EPOCH
    return voterId >= 0 && voterId !== this.#node.nodeId ? ErrorCode.INVALID_VOTER_KEY : ErrorCode.NONE
  }

  #epochAnswer(error: ErrorCode) {
    const { isEnded, known, endpoints } = this.#quorum
    if (isEnded) return refusedAnswer(ErrorCode.KAFKA_STORAGE_ERROR)
    return { ...epochAnswer(error, known), nodeEndpoints: endpoints }
  }
}
