/**
 * Who leads the metadata log: one node's part in the elections of the quorum (KIP-595, pre-vote: KIP-996, voters fixed by the
 * configuration: `kraft.version` 0).
 *
 *     unattached ──time-out──► prospective ──majority of pre-votes──► candidate ──majority of votes──► leader
 *         ▲  ▲                    │  ▲                                   │                               │
 *         │  └────── refused ─────┘  └───────── refused, time-out ───────┘       check quorum, resign()  ▼
 *         └─ newer epoch ─ (any)            follower ──fetch time-out──► prospective                  resigned
 *
 * A node that is no voter (an observer) is unattached or a follower. What it asks of the others is in `QuorumCalls`, what they ask of it
 * in `QuorumRequests`. Owner: the metadata log.
 * Invariants: the epoch never goes back; a node votes once an epoch; both are on disk before anybody hears of it. Who campaigns, and
 * when, is only a matter of speed: what makes it safe is how votes are given.
 */

import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Clock } from '../../common/runtime/clock.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import type { Random } from '../../common/runtime/random.ts'
import type { SchedulerScope } from '../../common/runtime/scheduler.ts'
import type { Trace } from '../../common/runtime/trace.ts'
import { LeaderState } from './leader-state.ts'
import {
  type Caller,
  type Campaign,
  QuorumCalls,
  type QuorumCallsOptions,
  type VotePartitionAnswer,
} from './quorum-calls.ts'
import { type AskedQuorum, type Candidacy, QuorumRequests } from './quorum-requests.ts'
import type { QuorumState } from './quorum-state.ts'
import {
  CHECK_QUORUM_FACTOR,
  electionTimeoutMs,
  lostElectionDelayMs,
  successionDelayMs,
} from './quorum-timeouts.ts'
import { type KnownLeader, nodeEndpoints } from './raft-messages.ts'
import { VoteTally } from './vote-tally.ts'

export type Role = 'unattached' | 'prospective' | 'candidate' | 'leader' | 'follower' | 'resigned'

/** What the quorum needs of the log and of whoever owns both. */
export interface QuorumHost {
  readonly logEndOffset: number
  /** Epoch of the last record; 0 for an empty log. */
  readonly lastLogEpoch: number
  readState(): QuorumState | undefined
  /** @returns false when it is not on disk */
  writeState(state: QuorumState): boolean
  /**
   * Writes the record that begins the epoch, durably.
   * @returns its offset; undefined when the log cannot take it
   */
  beginEpoch(epoch: number, grantingVoters: readonly number[]): number | undefined
  /** Role, leader or epoch changed. */
  onChanged(): void
}

export interface QuorumOptions extends QuorumCallsOptions {
  readonly voters: readonly number[]
  readonly clock: Clock
  readonly scheduler: SchedulerScope
  readonly random: Random
  readonly trace: Trace
  readonly host: QuorumHost
}

export class Quorum implements AskedQuorum, Caller {
  /** Of other nodes. */
  readonly requests: QuorumRequests
  readonly #options: QuorumOptions
  readonly #calls: QuorumCalls
  readonly #isVoter: boolean
  #role: Role = 'unattached'
  #epoch = 0
  /** -1 when not known. */
  #leaderId = -1
  /** -1: no vote in this epoch. */
  #votedId = -1
  /** What the file says. */
  #saved: KnownLeader & { readonly votedId: number } = { leaderEpoch: -1, leaderId: -1, votedId: -1 }
  #leader: LeaderState | undefined
  #tally: VoteTally | undefined
  /** Timers of the present role; an answer to a request of an earlier stay in a role is known by it. */
  #stay: SchedulerScope
  /** A follower: whether the leader has answered a fetch. */
  #hasFetched = false
  #fetchDeadlineMs = 0
  #lostElections = 0
  #isStopping = false
  #isEnded = false

  constructor(options: QuorumOptions) {
    this.#options = options
    this.requests = new QuorumRequests(options, this)
    this.#calls = new QuorumCalls(options, this)
    this.#isVoter = options.voters.includes(options.nodeId)
    this.#stay = options.scheduler.scope('quorum')
  }

  get role(): Role {
    return this.#role
  }
  get epoch(): number {
    return this.#epoch
  }
  get leaderId(): number {
    return this.#leaderId
  }
  get isVoter(): boolean {
    return this.#isVoter
  }
  get isEnded(): boolean {
    return this.#isEnded
  }
  /** While this node leads. */
  get leader(): LeaderState | undefined {
    return this.#leader
  }
  get known(): KnownLeader {
    return { leaderId: this.#leaderId, leaderEpoch: this.#epoch }
  }
  get endpoints() {
    return nodeEndpoints(this.known, this.#options.addressOf(this.#leaderId))
  }

  /** Holds the timers of the present role; another role has another. */
  get stay(): SchedulerScope {
    return this.#stay
  }

  /** Takes up the part that the file tells of. */
  start(): void {
    const { nodeId, voters, host } = this.#options
    const known = host.readState()
    this.#epoch = Math.max(known?.leaderEpoch ?? 0, host.lastLogEpoch)
    if (known !== undefined) {
      const { leaderEpoch, leaderId, votedId } = known
      this.#saved = { leaderEpoch, leaderId, votedId }
      // Who led has voted for itself, even where the file does not say so.
      if (leaderEpoch === this.#epoch) this.#votedId = votedId < 0 && leaderId === nodeId ? nodeId : votedId
    }
    const leaderId = known?.leaderEpoch === this.#epoch ? known.leaderId : -1
    const isNew = this.#epoch === 0 && host.logEndOffset === 0
    if (this.#isVoter && voters.length === 1) this.#becomeCandidate()
    else if (leaderId === nodeId || (isNew && nodeId === Math.min(...voters))) {
      // Nobody else is likelier to win, so this one need not wait.
      this.#role = 'resigned'
      this.#campaign()
    } else if (leaderId >= 0 && voters.includes(leaderId)) this.#becomeFollower(this.#epoch, leaderId)
    else this.#becomeUnattached(this.#epoch)
  }

  /** Gives leadership up: the others are told, those first who have most. The result is there when they answered. */
  resign(): Deferred<void> {
    this.#isStopping = true
    if (this.#role !== 'leader') return Deferred.of<void>(undefined)
    return this.#resign()
  }

  /** Takes part in nothing any more. */
  close(): void {
    this.#isEnded = true
    this.#stay.close()
    this.#leader = undefined
    this.#tally = undefined
  }

  /** The disk failed: what cannot be written cannot be promised. */
  fail(): void {
    if (this.#isEnded) return
    this.close()
    this.#role = this.#role === 'leader' ? 'resigned' : 'unattached'
    this.#leaderId = -1
    this.#options.host.onChanged()
  }

  /** A follower's fetch was answered by its leader. */
  noteFetched(): void {
    if (this.#role !== 'follower') return
    this.#hasFetched = true
    this.#fetchDeadlineMs = this.#nowMs() + this.#options.timeouts.fetchTimeoutMs
  }

  /** The node that was followed says that it does not lead. An observer looks for the leader; a voter waits to be told. */
  loseLeader(): void {
    if (this.#role === 'follower' && !this.#isVoter) this.#becomeUnattached(this.#epoch)
  }

  /** What some node told of leader and epoch. */
  learn({ leaderId, leaderEpoch }: KnownLeader): void {
    if (leaderEpoch < this.#epoch || this.#isEnded) return
    const { nodeId, voters } = this.#options
    const isLeader = leaderId !== nodeId && voters.includes(leaderId)
    if (leaderEpoch > this.#epoch) {
      if (isLeader) this.#becomeFollower(leaderEpoch, leaderId)
      else this.#becomeUnattached(leaderEpoch)
    } else if (isLeader && this.#leaderId < 0 && this.#role !== 'resigned') {
      this.#becomeFollower(leaderEpoch, leaderId)
    }
  }

  // --- what other nodes say -------------------------------------------------------------------------------------------

  vote(candidacy: Candidacy): boolean {
    return candidacy.preVote ? this.#givePreVote(candidacy) : this.#giveVote(candidacy)
  }

  hearLeader({ leaderId, leaderEpoch }: KnownLeader): boolean {
    const isKnown = leaderEpoch === this.#epoch && this.#leaderId >= 0
    if (leaderId === this.#options.nodeId || (isKnown && this.#leaderId !== leaderId)) return false
    // A node that had given its leader up hears that it is still there.
    if (isKnown && this.#role === 'prospective') this.#becomeFollower(leaderEpoch, leaderId)
    else this.learn({ leaderId, leaderEpoch })
    return true
  }

  hearResignation({ leaderId, leaderEpoch }: KnownLeader, successors: readonly number[]): void {
    const isOfLeader = this.#leaderId === leaderId || this.#role === 'unattached'
    if (leaderEpoch === this.#epoch && !isOfLeader) return
    const { nodeId, random, timeouts } = this.#options
    const campaignAfterMs = successionDelayMs(timeouts, random, successors.indexOf(nodeId))
    this.#becomeUnattached(leaderEpoch, { campaignAfterMs })
  }

  hasHeardOf(voterId: number): boolean {
    return this.#leader?.hasHeardOf(voterId, 0) !== false
  }

  /** Whether a candidate's log holds at least what this one holds, by Raft's comparison. */
  #isUpToDate({ lastOffset, lastOffsetEpoch }: Candidacy): boolean {
    const { lastLogEpoch, logEndOffset } = this.#options.host
    return lastOffsetEpoch > lastLogEpoch || (lastOffsetEpoch === lastLogEpoch && lastOffset >= logEndOffset)
  }

  /** Promises nothing; says only whether an election now would be won by this vote. */
  #givePreVote(candidacy: Candidacy): boolean {
    const { replicaEpoch: epoch, replicaId: candidateId } = candidacy
    const isUpToDate = this.#isUpToDate(candidacy)
    if (epoch > this.#epoch) this.#becomeUnattached(epoch)
    if (this.#role === 'leader') return false
    // Who is heard of needs no successor, unless it says itself that it leads no more.
    if (this.#role === 'follower' && this.#hasFetched && this.#leaderId !== candidateId) return false
    return isUpToDate
  }

  #giveVote(candidacy: Candidacy): boolean {
    const { replicaEpoch: epoch, replicaId: candidateId } = candidacy
    const isUpToDate = this.#isUpToDate(candidacy)
    if (epoch > this.#epoch) {
      this.#becomeUnattached(epoch, isUpToDate ? { votedId: candidateId } : {})
      return isUpToDate && this.#votedId === candidateId
    }
    if (this.#votedId >= 0) return this.#votedId === candidateId
    if (this.#leaderId >= 0 || (this.#role !== 'unattached' && this.#role !== 'prospective')) return false
    if (!isUpToDate) return false
    this.#becomeUnattached(epoch, { votedId: candidateId })
    return this.#votedId === candidateId && !this.#isEnded
  }

  // --- roles ----------------------------------------------------------------------------------------------------------

  /**
   * Enters a role; what it stands for is on disk first.
   * @returns false when that failed
   */
  #enter(role: Role, to: { epoch: number; leaderId?: number; votedId?: number }): boolean {
    if (to.epoch < this.#epoch) throw new Error(`epoch ${to.epoch} follows ${this.#epoch}`)
    const leaderId = to.leaderId ?? -1
    const votedId = to.votedId ?? (to.epoch === this.#epoch ? this.#votedId : -1)
    const { leaderEpoch, ...saved } = this.#saved
    const isNews = leaderEpoch !== to.epoch || saved.votedId !== votedId
    // That a leader is gone need not be remembered: at worst it is looked for once more.
    if ((isNews || (leaderId >= 0 && saved.leaderId !== leaderId)) && (to.epoch > 0 || votedId >= 0)) {
      const { host, voters } = this.#options
      const state = { leaderEpoch: to.epoch, leaderId, votedId }
      if (!host.writeState({ ...state, voterIds: voters })) {
        this.fail()
        return false
      }
      this.#saved = state
    }
    this.#stay.close()
    this.#stay = this.#options.scheduler.scope(`quorum: ${role} in epoch ${to.epoch}`)
    this.#role = role
    this.#epoch = to.epoch
    this.#leaderId = leaderId
    this.#votedId = votedId
    this.#leader = undefined
    this.#tally = undefined
    this.#hasFetched = false
    return true
  }

  #becomeUnattached(
    epoch: number,
    options: { votedId?: number; campaignAfterMs?: number | undefined } = {},
  ): void {
    const { votedId, campaignAfterMs } = options
    if (!this.#enter('unattached', { epoch, ...(votedId === undefined ? {} : { votedId }) })) return
    this.#options.host.onChanged()
    this.#campaignAfter(campaignAfterMs ?? this.#electionTimeoutMs())
  }

  #becomeFollower(epoch: number, leaderId: number): void {
    if (!this.#enter('follower', { epoch, leaderId })) return
    this.#lostElections = 0
    const { fetchTimeoutMs } = this.#options.timeouts
    this.#fetchDeadlineMs = this.#nowMs() + fetchTimeoutMs
    this.#watchFetches(fetchTimeoutMs)
    this.#trace('info', 'quorum.following', `follows node ${leaderId} in epoch ${epoch}`)
    this.#options.host.onChanged()
  }

  #watchFetches(delayMs: number): void {
    const stay = this.#stay
    stay.schedule(`fetch time-out of node ${this.#options.nodeId}`, delayMs, () => {
      const leftMs = this.#fetchDeadlineMs - this.#nowMs()
      if (leftMs > 0) this.#watchFetches(leftMs)
      else if (this.#isVoter) this.#campaign()
      else this.#becomeUnattached(this.#epoch)
    })
  }

  #campaignAfter(delayMs: number): void {
    if (!this.#isVoter || this.#isStopping) return
    this.#stay.schedule(`election of node ${this.#options.nodeId}`, delayMs, () => this.#campaign())
  }

  /** Asks whether an election would be won, before it makes an epoch for it. */
  #campaign(): void {
    if (this.#isStopping || this.#isEnded) return
    // The leader of this epoch is remembered: it may turn out that only this node lost it.
    const leaderId = this.#leaderId === this.#options.nodeId ? -1 : this.#leaderId
    if (!this.#enter('prospective', { epoch: this.#epoch, leaderId })) return
    this.#tally = new VoteTally(this.#options.voters)
    this.#tally.record(this.#options.nodeId, true)
    this.#options.host.onChanged()
    this.#stay.schedule(
      `time limit of the pre-election of node ${this.#options.nodeId}`,
      this.#electionTimeoutMs(),
      () => this.#onPreElectionLost(),
    )
    this.#askForVotes({ isPreVote: true })
  }

  #onPreElectionLost(): void {
    if (this.#leaderId >= 0) this.#becomeFollower(this.#epoch, this.#leaderId)
    else this.#becomeUnattached(this.#epoch)
  }

  #becomeCandidate(): void {
    const { nodeId, voters } = this.#options
    if (!this.#enter('candidate', { epoch: this.#epoch + 1, votedId: nodeId })) return
    this.#tally = new VoteTally(voters)
    this.#tally.record(nodeId, true)
    this.#options.host.onChanged()
    this.#campaignAfter(this.#electionTimeoutMs())
    if (this.#tally.isWon) this.#becomeLeader(this.#tally.grantingVoters)
    else this.#askForVotes({ isPreVote: false })
  }

  #becomeLeader(grantingVoters: readonly number[]): void {
    const { nodeId, voters, host, timeouts } = this.#options
    if (!this.#enter('leader', { epoch: this.#epoch, leaderId: nodeId })) return
    this.#lostElections = 0
    const epochStartOffset = host.beginEpoch(this.#epoch, grantingVoters)
    if (epochStartOffset === undefined) {
      this.fail()
      return
    }
    const nowMs = this.#nowMs()
    this.#leader = new LeaderState({ nodeId, epoch: this.#epoch, epochStartOffset, voters, nowMs })
    this.#trace('info', 'quorum.leading', `leads the metadata quorum in epoch ${this.#epoch}`)
    for (const voterId of this.#others()) this.#calls.begin(voterId)
    if (voters.length > 1) {
      this.#checkQuorum(timeouts.fetchTimeoutMs * CHECK_QUORUM_FACTOR)
      this.#remindVoters()
    }
    host.onChanged()
  }

  /** A leader that a majority does not fetch from cannot commit, and may not know that there is another. */
  #checkQuorum(delayMs: number): void {
    const limitMs = this.#options.timeouts.fetchTimeoutMs * CHECK_QUORUM_FACTOR
    this.#stay.schedule(`check of the quorum by node ${this.#options.nodeId}`, delayMs, () => {
      const nowMs = this.#nowMs()
      const leftMs = (this.#leader?.majorityHeardMs(nowMs) ?? nowMs) + limitMs - nowMs
      if (leftMs > 0) {
        this.#checkQuorum(leftMs)
        return
      }
      this.#trace('warn', 'quorum.lost', `resigns in epoch ${this.#epoch}: no majority fetches from it`)
      this.#resign()
    })
  }

  /** Voters that do not fetch may not know who leads. */
  #remindVoters(): void {
    const intervalMs = this.#options.timeouts.fetchTimeoutMs / 2
    this.#stay.schedule(`reminder of node ${this.#options.nodeId} that it leads`, intervalMs, () => {
      const sinceMs = this.#nowMs() - intervalMs
      for (const voterId of this.#others()) {
        if (this.#leader?.hasHeardOf(voterId, sinceMs) === false) this.#calls.remind(voterId)
      }
      this.#remindVoters()
    })
  }

  #resign(): Deferred<void> {
    const leader = this.known
    const successors = this.#leader?.successors() ?? []
    if (!this.#enter('resigned', { epoch: this.#epoch })) return Deferred.of<void>(undefined)
    this.#options.host.onChanged()
    this.#campaignAfter(this.#electionTimeoutMs())
    return this.#calls.end(this.#others(), { leader, successors })
  }

  // --- votes for this node --------------------------------------------------------------------------------------------

  #askForVotes({ isPreVote }: { isPreVote: boolean }): void {
    const { host } = this.#options
    this.#calls.askForVotes(
      this.#others(),
      (): Campaign => ({
        epoch: this.#epoch,
        lastEpoch: host.lastLogEpoch,
        endOffset: host.logEndOffset,
        isPreVote,
        onAnswer: (voterId, answer) => this.#onVoteAnswer(voterId, answer),
      }),
    )
  }

  #onVoteAnswer(voterId: number, answer: VotePartitionAnswer | undefined): boolean {
    const tally = this.#tally
    if (tally === undefined) return true
    if (answer === undefined || answer.errorCode !== ErrorCode.NONE) return false
    tally.record(voterId, answer.voteGranted)
    if (tally.isWon) {
      if (this.#role === 'prospective') this.#becomeCandidate()
      else this.#becomeLeader(tally.grantingVoters)
    } else if (tally.isLost) {
      if (this.#role === 'prospective') this.#onPreElectionLost()
      else this.#onElectionLost()
    }
    return true
  }

  #onElectionLost(): void {
    this.#tally = undefined
    this.#lostElections += 1
    const { random, timeouts } = this.#options
    this.#campaignAfter(lostElectionDelayMs(timeouts, random, this.#lostElections))
  }

  #others(): readonly number[] {
    return this.#options.voters.filter((voterId) => voterId !== this.#options.nodeId)
  }

  #electionTimeoutMs(): number {
    return electionTimeoutMs(this.#options.timeouts, this.#options.random)
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs()
  }

  #trace(level: 'info' | 'warn', kind: string, what: string): void {
    const { nodeId, trace } = this.#options
    trace.emit({ level, kind, nodeId, message: `node ${nodeId} ${what}` })
  }
}
