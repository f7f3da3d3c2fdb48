/**
 * What the leader of a partition decides in one leader epoch: what is appended, who is in sync, and how far the log is committed.
 *
 * Owner: the partition, which holds one exactly while it leads. Invariants: the high watermark is the smallest end offset over the
 * maximal ISR (members, those being added, and caught-up replicas that may join), never goes back and does not move while the ISR is
 * smaller than `min.insync.replicas`; an ISR change counts as made only when the controller says so, until then the larger set counts
 * (KIP-497).
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Clock } from '../../common/runtime/clock.ts'
import type { AppendAsLeaderOptions, AppendAsLeaderResult, Log } from '../../storage/log.ts'
import type { PartitionImage } from '../metadata/image.ts'
import type { ReplicaHistory } from './replica-history.ts'
import { type FetchTimes, ReplicaProgress } from './replica-progress.ts'

export interface IsrProposal {
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly isr: readonly { readonly brokerId: number; readonly brokerEpoch: number }[]
  readonly leaderRecoveryState: 0 | 1
}

/** The controller's answer to a proposal: what is committed now, or why not. */
export type IsrAnswer =
  | {
      readonly error: 0
      readonly isr: readonly number[]
      readonly leaderEpoch: number
      readonly partitionEpoch: number
      readonly leaderId: number
    }
  | { readonly error: Exclude<ErrorCode, 0> }

/** A follower's fetch of this partition. */
export interface FollowerFetch {
  readonly replicaId: number
  readonly replicaEpoch: number
  readonly fetchOffset: number
  readonly logStartOffset: number
  /** The fetch session that from now on stands for it while nothing changes. */
  readonly session?: FetchTimes | undefined
}

/** What a leader must know of its broker, and through it of the others. */
export interface LeadershipHost {
  readonly nodeId: number
  readonly clock: Clock
  readonly history: ReplicaHistory
  replicaLagTimeMaxMs(): number
  /** Unfenced, not shutting down, and in this incarnation (-1: any). */
  isEligibleForIsr(brokerId: number, brokerEpoch: number): boolean
  brokerEpochOf(brokerId: number): number
}

/** The partition that is led. */
export interface LedPartition {
  /** Asks the controller for the ISR; the answer comes back through `onIsrAnswer`. */
  propose(proposal: IsrProposal): void
  /** Whoever waits on the partition should look again. */
  touch(): void
}

/** The appends of clients that this leader takes; with `requiredAcks` -1 only while enough replicas are in sync. */
export type LeaderAppendOptions = Omit<AppendAsLeaderOptions, 'leaderEpoch'> & {
  readonly requiredAcks: number
}

export type LeaderAppendResult = AppendAsLeaderResult | { readonly error: Exclude<ErrorCode, 0> }

export class PartitionLeadership {
  readonly #host: LeadershipHost
  readonly #partition: LedPartition
  #state: PartitionImage
  #log: Log
  /** End offset at the moment this broker took the lead: a follower below it may not join the ISR. */
  readonly #epochStartOffset: number
  /** Set while the controller has not answered; its members are added to the ISR for the watermark, never taken from it. */
  #proposedIsr: readonly number[] | undefined
  /** By broker id, of every replica but the own one. */
  readonly #progress = new Map<number, ReplicaProgress>()

  /** Begins the leader epoch of `state` at the end of `log`. */
  constructor(
    host: LeadershipHost,
    partition: LedPartition,
    { state, log }: { readonly state: PartitionImage; readonly log: Log },
  ) {
    this.#host = host
    this.#partition = partition
    this.#state = state
    this.#log = log
    this.#epochStartOffset = log.logEndOffset
    log.assignLeaderEpoch(state.leaderEpoch, log.logEndOffset)
    this.#followReplicas()
  }

  /** As the metadata log told, or the controller in its answer to a proposal, which may be ahead of it. */
  get state(): PartitionImage {
    return this.#state
  }
  get isr(): readonly number[] {
    return this.#state.isr
  }
  get hasIsrProposal(): boolean {
    return this.#proposedIsr !== undefined
  }
  progressOf(brokerId: number): ReplicaProgress | undefined {
    return this.#progress.get(brokerId)
  }

  /** The metadata tells something new of the partition in the same leader epoch. */
  renew(state: PartitionImage, log: Log): void {
    // It may be what the controller has answered already: what was proposed since then is still under way.
    if (state.partitionEpoch > this.#state.partitionEpoch) this.#proposedIsr = undefined
    this.#state = state
    this.#log = log
    this.#followReplicas()
  }

  #followReplicas(): void {
    const { replicas, isr } = this.#state
    const nowMs = this.#host.clock.monotonicMs()
    for (const brokerId of [...this.#progress.keys()]) {
      if (!replicas.includes(brokerId)) this.#progress.delete(brokerId)
    }
    for (const brokerId of replicas) {
      if (brokerId === this.#host.nodeId || this.#progress.has(brokerId)) continue
      // A member of the ISR gets the full lag time to show up in the new epoch.
      this.#progress.set(brokerId, new ReplicaProgress(brokerId, isr.includes(brokerId) ? nowMs : -Infinity))
    }
  }

  // --- the log -----------------------------------------------------------------------------------------------------

  /** `min.insync.replicas`, but never more than there are replicas. */
  get #effectiveMinIsr(): number {
    return Math.min(this.#log.config.minInsyncReplicas, this.#state.replicas.length)
  }

  get #isUnderMinIsr(): boolean {
    return this.isr.length < this.#effectiveMinIsr
  }

  /** Refused while the ISR is too small, when `requiredAcks` is -1 (NOT_ENOUGH_REPLICAS). The buffer is moved into the log. */
  append(records: Buffer, options: LeaderAppendOptions): LeaderAppendResult {
    if (options.requiredAcks === -1 && this.#isUnderMinIsr) return { error: ErrorCode.NOT_ENOUGH_REPLICAS }
    const { origin, verificationGuard, transactionVersion } = options
    const { leaderEpoch } = this.#state
    // Field by field: once a batch, and copying an object of unknown shape costs as much as checking the batch.
    const result = this.#log.appendAsLeader(records, {
      leaderEpoch,
      origin,
      verificationGuard,
      transactionVersion,
    })
    if (result.error === ErrorCode.NONE) {
      this.maybeAdvanceHighWatermark()
      this.#partition.touch()
    }
    return result
  }

  /**
   * Whether an acks=all append up to `requiredOffset` (exclusive) is committed.
   * @returns undefined while it is not decided
   */
  commitErrorOf(requiredOffset: number): ErrorCode | undefined {
    const log = this.#log
    if (log.isFailed) return ErrorCode.KAFKA_STORAGE_ERROR
    if (log.highWatermark < requiredOffset) return undefined
    return this.#maximalIsr().length < this.#effectiveMinIsr
      ? ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND
      : ErrorCode.NONE
  }

  /**
   * Moves the log start offset up (DeleteRecords). -1 means up to the high watermark.
   * @returns the offset that replicas must reach for the request to be done, or an error
   */
  deleteRecordsBefore(offset: number): { error: ErrorCode; requestedOffset: number } {
    const log = this.#log
    if (!log.config.cleanupPolicy.has('delete') && log.config.cleanupPolicy.size > 0) {
      return { error: ErrorCode.POLICY_VIOLATION, requestedOffset: -1 }
    }
    const requestedOffset = offset === -1 ? log.highWatermark : offset
    if (requestedOffset < 0 || requestedOffset > log.highWatermark) {
      return { error: ErrorCode.OFFSET_OUT_OF_RANGE, requestedOffset: -1 }
    }
    log.maybeIncrementLogStartOffset(requestedOffset)
    this.#partition.touch()
    return { error: ErrorCode.NONE, requestedOffset }
  }

  /** Smallest log start offset over the live replicas: DeleteRecords is done when it reaches the request. */
  get lowWatermark(): number {
    let low = this.#log.logStartOffset
    for (const [brokerId, progress] of this.#progress) {
      if (this.#host.isEligibleForIsr(brokerId, -1)) low = Math.min(low, progress.logStartOffset)
    }
    return low
  }

  // --- the high watermark ------------------------------------------------------------------------------------------

  /** Whether the watermark has come to where the epoch began: before that more may be committed than this leader knows. */
  get isSettled(): boolean {
    return this.#log.highWatermark >= this.#epochStartOffset
  }

  /** @returns whether the high watermark moved */
  maybeAdvanceHighWatermark(): boolean {
    const log = this.#log
    if (this.#isUnderMinIsr && !this.#host.history.commitsBelowMinIsr) return false
    let next = log.logEndOffset
    if (this.#progress.size > 0) {
      const nowMs = this.#host.clock.monotonicMs()
      const maxLagMs = this.#host.replicaLagTimeMaxMs()
      const maximalIsr = this.#maximalIsr()
      for (const progress of this.#progress.values()) {
        const mustWaitFor =
          maximalIsr.includes(progress.brokerId) ||
          (progress.isCaughtUp(log.logEndOffset, nowMs, maxLagMs) &&
            this.#host.isEligibleForIsr(progress.brokerId, progress.brokerEpoch))
        if (mustWaitFor) next = Math.min(next, progress.logEndOffset)
      }
    }
    if (next <= log.highWatermark) return false
    log.updateHighWatermark(next)
    return true
  }

  #maximalIsr(): readonly number[] {
    const { isr } = this
    if (this.#proposedIsr === undefined) return isr
    const added = this.#proposedIsr.filter((brokerId) => !isr.includes(brokerId))
    return added.length === 0 ? isr : [...isr, ...added]
  }

  // --- in-sync replicas --------------------------------------------------------------------------------------------

  /** A follower has fetched: it has everything below the fetch offset. @returns false when it is not a replica */
  recordFetch(fetch: FollowerFetch): boolean {
    const progress = this.#progress.get(fetch.replicaId)
    if (progress === undefined) return false
    const previousEndOffset = progress.logEndOffset
    const previousStartOffset = progress.logStartOffset
    progress.onFetch({
      fetchOffset: fetch.fetchOffset,
      logStartOffset: fetch.logStartOffset,
      leaderEndOffset: this.#log.logEndOffset,
      brokerEpoch: fetch.replicaEpoch,
      nowMs: this.#host.clock.monotonicMs(),
      session: fetch.session,
    })
    this.#maybeExpandIsr(progress)
    const isEndMoved = previousEndOffset !== progress.logEndOffset
    if ((isEndMoved && this.maybeAdvanceHighWatermark()) || previousStartOffset !== progress.logStartOffset)
      this.#partition.touch()
    return true
  }

  #maybeExpandIsr(progress: ReplicaProgress): void {
    const log = this.#log
    if (this.#proposedIsr !== undefined || this.isr.includes(progress.brokerId)) return
    const isInSync =
      progress.logEndOffset >= log.highWatermark && progress.logEndOffset >= this.#epochStartOffset
    if (!isInSync || !this.#host.isEligibleForIsr(progress.brokerId, progress.brokerEpoch)) return
    this.#propose([...this.isr, progress.brokerId])
  }

  /** Takes followers that lag too long out of the ISR; called at intervals. */
  maybeShrinkIsr(): void {
    if (this.#proposedIsr !== undefined) return
    const { logEndOffset } = this.#log
    const nowMs = this.#host.clock.monotonicMs()
    const maxLagMs = this.#host.replicaLagTimeMaxMs()
    const remaining = this.isr.filter(
      (brokerId) =>
        brokerId === this.#host.nodeId ||
        this.#progress.get(brokerId)?.isCaughtUp(logEndOffset, nowMs, maxLagMs) === true,
    )
    if (remaining.length < this.isr.length) this.#propose(remaining)
  }

  #propose(isr: readonly number[]): void {
    const { leaderEpoch, partitionEpoch } = this.#state
    this.#proposedIsr = isr
    this.#partition.propose({
      leaderEpoch,
      partitionEpoch,
      leaderRecoveryState: 0,
      isr: isr.map((brokerId) => ({
        brokerId,
        brokerEpoch:
          brokerId === this.#host.nodeId
            ? this.#host.brokerEpochOf(brokerId)
            : (this.#progress.get(brokerId)?.brokerEpoch ?? -1),
      })),
    })
  }

  /** What the controller said to the last proposal. */
  onIsrAnswer(proposal: IsrProposal, answer: IsrAnswer): 'done' | 'retry' {
    if (this.#proposedIsr === undefined || proposal.partitionEpoch !== this.#state.partitionEpoch)
      return 'done'
    if (answer.error !== 0) return this.#onProposalRefused(answer.error)
    const { isr, leaderEpoch, partitionEpoch } = answer
    if (leaderEpoch === this.#state.leaderEpoch && partitionEpoch > this.#state.partitionEpoch)
      this.#state = { ...this.#state, isr, partitionEpoch }
    this.#proposedIsr = undefined
    this.maybeAdvanceHighWatermark()
    this.#partition.touch()
    return 'done'
  }

  #onProposalRefused(error: Exclude<ErrorCode, 0>): 'done' | 'retry' {
    switch (error) {
      // The epochs were right and the change was not made, by this request or by an earlier try.
      case ErrorCode.INELIGIBLE_REPLICA:
      case ErrorCode.OPERATION_NOT_ATTEMPTED:
      case ErrorCode.INVALID_REQUEST:
        this.#proposedIsr = undefined
        return 'done'
      // An earlier try may have made the change: the larger set counts until the metadata log tells what holds now.
      case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
      case ErrorCode.UNKNOWN_TOPIC_ID:
      case ErrorCode.FENCED_LEADER_EPOCH:
      case ErrorCode.INVALID_UPDATE_VERSION:
      case ErrorCode.NEW_LEADER_ELECTED:
        return 'done'
      default:
        return 'retry'
    }
  }
}
