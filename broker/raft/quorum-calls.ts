/**
 * What this node asks of the other voters in elections: votes, that they follow it, and that one of them succeeds it. Calls that belong
 * to a stay in a role are repeated until they are answered or the stay ends, whose scope holds their timers. Owned by the quorum.
 */
import { Vote } from '../../common/protocol/apis/52-vote.ts'
import { BeginQuorumEpoch } from '../../common/protocol/apis/53-begin-quorum-epoch.ts'
import { EndQuorumEpoch } from '../../common/protocol/apis/54-end-quorum-epoch.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../common/protocol/schema.ts'
import type { CallResult } from '../../common/rpc/channel.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import type { SchedulerScope } from '../../common/runtime/scheduler.ts'
import type { Address } from '../../common/runtime/transport.ts'
import { type QuorumTimeouts, retryDelayMs } from './quorum-timeouts.ts'
import {
  beginRequest,
  endRequest,
  type KnownLeader,
  onlyPartition,
  type VoteResponse,
  voteRequest,
} from './raft-messages.ts'

/** Sends a request to a node's controller listener; fails at once when its address is not known. */
export type RaftSender = <A extends ApiSchema>(
  nodeId: number,
  api: A,
  request: RequestInputOf<A>,
) => Deferred<CallResult<ResponseOf<A>>>

export interface QuorumCallsOptions {
  readonly nodeId: number
  readonly clusterId: string
  readonly timeouts: QuorumTimeouts
  readonly send: RaftSender
  readonly addressOf: (nodeId: number) => Address | undefined
}

/** The quorum in whose name is called. */
export interface Caller {
  readonly isEnded: boolean
  readonly known: KnownLeader
  /** Of the present role. */
  readonly stay: SchedulerScope
  /** What some node told of leader and epoch. */
  learn(leader: KnownLeader): void
  /** Whether a voter has fetched from this node, or it does not matter any more. */
  hasHeardOf(voterId: number): boolean
}

/** One node's campaign in one epoch. */
export interface Campaign {
  readonly epoch: number
  readonly lastEpoch: number
  readonly endOffset: number
  readonly isPreVote: boolean
  /** A voter answered. @returns whether the answer counts, and need not be asked for again */
  onAnswer(voterId: number, answer: VotePartitionAnswer | undefined): boolean
}

export type VotePartitionAnswer = VoteResponse['topics'][number]['partitions'][number]

export class QuorumCalls {
  readonly #options: QuorumCallsOptions
  readonly #caller: Caller

  constructor(options: QuorumCallsOptions, caller: Caller) {
    this.#options = options
    this.#caller = caller
  }

  /** Asks the others for their votes, until they answer or the role ends. */
  askForVotes(voterIds: readonly number[], campaign: () => Campaign): void {
    const { stay } = this.#caller
    for (const voterId of voterIds) {
      if (stay !== this.#caller.stay) return
      this.#askForVote(voterId, { stay, campaign, attempt: 1 })
    }
  }

  #askForVote(
    voterId: number,
    ask: { stay: SchedulerScope; campaign: () => Campaign; attempt: number },
  ): void {
    const { stay, attempt } = ask
    const { nodeId: candidateId, clusterId, send } = this.#options
    const campaign = ask.campaign()
    send(voterId, Vote, voteRequest({ clusterId, voterId, candidateId, ...campaign })).whenDone((result) => {
      if (this.#caller.isEnded) return
      if (result.ok) {
        const answer = onlyPartition(result.response.topics)
        this.#learnFrom(answer)
        if (stay !== this.#caller.stay || campaign.onAnswer(voterId, answer)) return
      }
      stay.schedule(`Vote to node ${voterId} once more`, this.#retryMs(attempt), () =>
        this.#askForVote(voterId, { ...ask, attempt: attempt + 1 }),
      )
    })
  }

  /** Tells a voter that this node leads, until it answers, fetches, or the role ends. */
  begin(voterId: number): void {
    this.#sendBegin(voterId, this.#caller.stay, 1)
  }

  /** Tells it once: whoever reminds does so again. */
  remind(voterId: number): void {
    this.#sendBegin(voterId, this.#caller.stay, undefined)
  }

  #sendBegin(voterId: number, stay: SchedulerScope, attempt: number | undefined): void {
    const { nodeId, clusterId, send, addressOf } = this.#options
    const leader = this.#caller.known
    const request = beginRequest({ clusterId, voterId, leader, endpoint: addressOf(nodeId) })
    send(voterId, BeginQuorumEpoch, request).whenDone((result) => {
      if (this.#caller.isEnded) return
      if (result.ok) this.#learnFrom(onlyPartition(result.response.topics))
      if (result.ok || stay !== this.#caller.stay || attempt === undefined) return
      stay.schedule(`BeginQuorumEpoch to node ${voterId} once more`, this.#retryMs(attempt), () => {
        if (!this.#caller.hasHeardOf(voterId)) this.#sendBegin(voterId, stay, attempt + 1)
      })
    })
  }

  /** Tells the others that `leader`, this node, leads no more. The result is there when all have answered. */
  end(
    voterIds: readonly number[],
    resignation: { leader: KnownLeader; successors: readonly number[] },
  ): Deferred<void> {
    const { nodeId, clusterId, send, addressOf } = this.#options
    const request = endRequest({ clusterId, ...resignation, endpoint: addressOf(nodeId) })
    const answers = voterIds.map((voterId) => send(voterId, EndQuorumEpoch, request))
    for (const answer of answers) {
      answer.whenDone((result) => {
        if (result.ok) this.#learnFrom(onlyPartition(result.response.topics))
      })
    }
    return Deferred.all<unknown>(answers).map(() => undefined)
  }

  #learnFrom(answer: KnownLeader | undefined): void {
    if (answer !== undefined) this.#caller.learn(answer)
  }

  #retryMs(attempt: number): number {
    return retryDelayMs(this.#options.timeouts, attempt)
  }
}
