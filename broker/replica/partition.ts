/**
 * One partition as this broker sees it: its role, its log, the in-sync replicas and the progress of the followers.
 *
 * Owner: the replica manager. Invariants: only a leader stamps and appends client batches; the high watermark is the smallest end
 * offset over the maximal ISR (members, those being added, and caught-up replicas that may join), never goes back in an epoch and
 * does not move while the ISR is smaller than `min.insync.replicas`; an ISR change counts as made only when the controller says
 * so, until then the larger set counts (KIP-497).
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Clock } from '../../common/runtime/clock.ts'
import type { Reactor, Wakeable } from '../../common/runtime/reactor.ts'
import type { RecycledBytes } from '../../common/runtime/recycled-bytes.ts'
import type {
  AbortedTransaction,
  AppendAsFollowerResult,
  AppendAsLeaderOptions,
  AppendAsLeaderResult,
  EpochEndOffset,
  Log,
  ReadUpperBound,
} from '../../storage/log.ts'
import { LATEST_TIMESTAMP } from '../../storage/time-lookup.ts'
import type { PartitionImage } from '../metadata/image.ts'
import type { DelayedOperation, Watchable } from './delayed-operation.ts'
import type { FetchPartitionRequest } from './fetch-request.ts'
import type { ReplicaHistory } from './replica-history.ts'
import { type FetchTimes, ReplicaProgress } from './replica-progress.ts'

/** What a partition needs of its broker. */
export interface PartitionHost {
  readonly nodeId: number
  readonly clock: Clock
  readonly reactor: Reactor
  readonly history: ReplicaHistory
  replicaLagTimeMaxMs(): number
  /** Unfenced, not shutting down, and in this incarnation (-1: any). */
  isEligibleForIsr(brokerId: number, brokerEpoch: number): boolean
  brokerEpochOf(brokerId: number): number
  /** Asks the controller for the ISR; the answer comes back through `onIsrAnswer`. */
  proposeIsr(partition: Partition, proposal: IsrProposal): void
}

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

export type PartitionRole = 'leader' | 'follower' | 'none'

/** Told after appends, watermark moves and role changes, in the wake phase. */
export interface PartitionListener {
  onPartitionTouched(partition: Partition): void
}

/** Told of the next change of anything that a fetch may depend on, at once and once: it may only take note. */
export interface ChangeObserver {
  onPartitionChanged(reactor: Reactor): void
}

/** How far a fetch may read, and who may answer it. */
export interface ReadRange {
  /** A replica reads to the log's end, a consumer to the high watermark, a `read_committed` one to the last stable offset. */
  readonly upTo: ReadUpperBound
  readonly mustLead: boolean
}

export interface PartitionRead {
  readonly error: ErrorCode
  readonly records: Buffer
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /** null unless the fetch is `read_committed`. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null
  readonly divergingEpoch: EpochEndOffset | undefined
  /** The consumer should go there; -1: stay. */
  readonly preferredReadReplica?: number
}

export const EMPTY_RECORDS = Buffer.alloc(0)

export interface FollowerFetch {
  readonly replicaId: number
  readonly replicaEpoch: number
  readonly fetchOffset: number
  readonly logStartOffset: number
  /** The fetch session that from now on stands for it while nothing changes. */
  readonly session?: FetchTimes | undefined
}

export class Partition implements Wakeable, Watchable {
  readonly topic: string
  readonly topicId: string
  readonly index: number
  readonly #host: PartitionHost
  #log: Log | undefined
  #role: PartitionRole = 'none'
  #state: PartitionImage | undefined
  /** End offset at the moment this broker took the lead of the current epoch: a follower below it may not join the ISR. */
  #leaderEpochStartOffset = 0
  #isr: readonly number[] = []
  /** Set while the controller has not answered; its members are added to the ISR for the watermark, never taken from it. */
  #proposedIsr: readonly number[] | undefined
  readonly #progress = new Map<number, ReplicaProgress>()
  readonly #watchers = new Set<DelayedOperation>()
  readonly #listeners = new Set<PartitionListener>()
  readonly #observers = new Set<ChangeObserver>()

  constructor(host: PartitionHost, options: { topic: string; topicId: string; index: number }) {
    this.#host = host
    this.topic = options.topic
    this.topicId = options.topicId
    this.index = options.index
  }

  toString(): string {
    return `${this.topic}-${this.index}`
  }

  get role(): PartitionRole {
    return this.#role
  }
  get isLeader(): boolean {
    return this.#role === 'leader'
  }
  /** The local replica; undefined when its directory failed or this broker has none. */
  get log(): Log | undefined {
    return this.#log
  }
  get leaderId(): number {
    return this.#state?.leaderId ?? -1
  }
  get leaderEpoch(): number {
    return this.#state?.leaderEpoch ?? -1
  }
  get partitionEpoch(): number {
    return this.#state?.partitionEpoch ?? -1
  }
  get replicas(): readonly number[] {
    return this.#state?.replicas ?? []
  }
  get addingReplicas(): readonly number[] {
    return this.#state?.addingReplicas ?? []
  }
  get isr(): readonly number[] {
    return this.#isr
  }
  /** The rule before KIP-101: a follower asks nobody where histories part. */
  get cutsToOwnWatermark(): boolean {
    return this.#host.history.cutsToOwnWatermark
  }
  get hasIsrProposal(): boolean {
    return this.#proposedIsr !== undefined
  }
  progressOf(brokerId: number): ReplicaProgress | undefined {
    return this.#progress.get(brokerId)
  }

  watch(operation: DelayedOperation): void {
    this.#watchers.add(operation)
  }
  unwatch(operation: DelayedOperation): void {
    this.#watchers.delete(operation)
  }
  listen(listener: PartitionListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  observe(observer: ChangeObserver): void {
    this.#observers.add(observer)
  }
  stopObserving(observer: ChangeObserver): void {
    this.#observers.delete(observer)
  }

  /** Tells the observers, and asks everybody who waits on this partition, once, in this turn's wake phase. */
  touch(): void {
    if (this.#observers.size > 0) {
      for (const observer of this.#observers) observer.onPartitionChanged(this.#host.reactor)
      this.#observers.clear()
    }
    if (this.#watchers.size > 0 || this.#listeners.size > 0) this.#host.reactor.touch(this)
  }

  wake(): void {
    for (const listener of [...this.#listeners]) listener.onPartitionTouched(this)
    for (const operation of [...this.#watchers]) operation.tryComplete()
  }

  // --- roles -------------------------------------------------------------------------------------------------------

  /** Takes or keeps the lead. @returns whether it is a new leader epoch */
  becomeLeader(state: PartitionImage, log: Log): boolean {
    // The controller's own answer to an ISR proposal may be ahead of the metadata log.
    if (this.isLeader && state.partitionEpoch < this.partitionEpoch) {
      this.touch()
      return false
    }
    const isNewEpoch = this.#role !== 'leader' || state.leaderEpoch > this.leaderEpoch
    // The metadata log may tell what the controller has answered already: what was proposed since then is still under way.
    if (isNewEpoch || state.partitionEpoch > this.partitionEpoch) this.#proposedIsr = undefined
    this.#takeLog(log)
    this.#role = 'leader'
    this.#state = state
    this.#isr = state.isr
    const nowMs = this.#host.clock.monotonicMs()
    if (isNewEpoch) {
      this.#leaderEpochStartOffset = log.logEndOffset
      log.assignLeaderEpoch(state.leaderEpoch, log.logEndOffset)
      this.#progress.clear()
    }
    for (const brokerId of [...this.#progress.keys()]) {
      if (!state.replicas.includes(brokerId)) this.#progress.delete(brokerId)
    }
    for (const brokerId of state.replicas) {
      if (brokerId === this.#host.nodeId || this.#progress.has(brokerId)) continue
      // A member of the ISR gets the full lag time to show up in the new epoch.
      this.#progress.set(
        brokerId,
        new ReplicaProgress(brokerId, state.isr.includes(brokerId) ? nowMs : -Infinity),
      )
    }
    this.#maybeAdvanceHighWatermark()
    this.touch()
    return isNewEpoch
  }

  /** @returns whether leader or epoch changed, so that fetching starts anew */
  becomeFollower(state: PartitionImage, log: Log | undefined): boolean {
    const isChanged =
      this.#role !== 'follower' || state.leaderEpoch > this.leaderEpoch || state.leaderId !== this.leaderId
    this.#takeLog(log)
    if (isChanged && log !== undefined && this.cutsToOwnWatermark) log.truncateTo(log.highWatermark)
    this.#role = 'follower'
    this.#state = state
    this.#isr = []
    this.#proposedIsr = undefined
    this.#progress.clear()
    this.touch()
    return isChanged
  }

  #takeLog(log: Log | undefined): void {
    this.#log = log
    // Retention moves it without asking the partition.
    if (log !== undefined) log.onStartOffsetMoved = () => this.touch()
  }

  /** The replica is gone from this broker (deleted, reassigned) or its directory failed: everybody who waits is told. */
  goOffline(): void {
    this.#role = 'none'
    this.#log = undefined
    this.#isr = []
    this.#proposedIsr = undefined
    this.#progress.clear()
    this.touch()
  }

  /**
   * Kafka's epoch check of a request (KIP-320). -1 is not checked.
   * @param mustLead whether only the leader may answer
   */
  checkLeaderEpoch(currentLeaderEpoch: number, mustLead: boolean): ErrorCode {
    if (currentLeaderEpoch >= 0) {
      if (currentLeaderEpoch < this.leaderEpoch) return ErrorCode.FENCED_LEADER_EPOCH
      if (currentLeaderEpoch > this.leaderEpoch) return ErrorCode.UNKNOWN_LEADER_EPOCH
    }
    if (mustLead && !this.isLeader) return ErrorCode.NOT_LEADER_OR_FOLLOWER
    if (this.#log === undefined) return ErrorCode.NOT_LEADER_OR_FOLLOWER
    return this.#log.isFailed ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE
  }

  // --- appends -----------------------------------------------------------------------------------------------------

  /** `min.insync.replicas`, but never more than there are replicas. */
  get effectiveMinIsr(): number {
    return Math.min(this.#log?.config.minInsyncReplicas ?? 1, this.replicas.length)
  }

  get isUnderMinIsr(): boolean {
    return this.isLeader && this.#isr.length < this.effectiveMinIsr
  }

  /**
   * Appends as the leader. With `requiredAcks` -1 it is refused while the ISR is too small (NOT_ENOUGH_REPLICAS).
   * The buffer is moved into the log.
   */
  appendAsLeader(
    records: Buffer,
    options: Omit<AppendAsLeaderOptions, 'leaderEpoch'> & { requiredAcks: number },
  ): AppendAsLeaderResult | { readonly error: Exclude<ErrorCode, 0> } {
    const log = this.#log
    if (!this.isLeader || log === undefined) return { error: ErrorCode.NOT_LEADER_OR_FOLLOWER }
    if (options.requiredAcks === -1 && this.isUnderMinIsr) return { error: ErrorCode.NOT_ENOUGH_REPLICAS }
    const { origin, verificationGuard, transactionVersion } = options
    const { leaderEpoch } = this
    // Field by field: once a batch, and copying an object of unknown shape costs as much as checking the batch.
    const result = log.appendAsLeader(records, { leaderEpoch, origin, verificationGuard, transactionVersion })
    if (result.error === ErrorCode.NONE) {
      this.#maybeAdvanceHighWatermark()
      this.touch()
    }
    return result
  }

  /** Appends what the leader sent; offsets and epochs are taken as they are. */
  appendAsFollower(records: Buffer): AppendAsFollowerResult {
    const log = this.#log
    if (this.#role !== 'follower' || log === undefined) return { error: ErrorCode.NOT_LEADER_OR_FOLLOWER }
    const result = log.appendAsFollower(records, this.leaderEpoch)
    this.touch()
    return result
  }

  /** Follows the leader's watermark as far as the own log reaches. */
  followHighWatermark(leaderHighWatermark: number): void {
    const log = this.#log
    if (this.#role !== 'follower' || log === undefined) return
    const next = Math.min(leaderHighWatermark, log.logEndOffset)
    if (next !== log.highWatermark) {
      log.updateHighWatermark(next)
      this.touch()
    }
  }

  /**
   * Whether an acks=all append up to `requiredOffset` (exclusive) is committed.
   * @returns undefined while it is not decided
   */
  commitErrorOf(requiredOffset: number, leaderEpoch: number): ErrorCode | undefined {
    const log = this.#log
    if (!this.isLeader || log === undefined || leaderEpoch !== this.leaderEpoch)
      return ErrorCode.NOT_LEADER_OR_FOLLOWER
    if (log.isFailed) return ErrorCode.KAFKA_STORAGE_ERROR
    if (log.highWatermark < requiredOffset) return undefined
    return this.#maximalIsr().length < this.effectiveMinIsr
      ? ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND
      : ErrorCode.NONE
  }

  /**
   * Moves the log start offset up (DeleteRecords). -1 means up to the high watermark.
   * @returns the offset that replicas must reach for the request to be done, or an error
   */
  deleteRecordsBefore(offset: number): { error: ErrorCode; requestedOffset: number } {
    const log = this.#log
    if (!this.isLeader || log === undefined)
      return { error: ErrorCode.NOT_LEADER_OR_FOLLOWER, requestedOffset: -1 }
    if (!log.config.cleanupPolicy.has('delete') && log.config.cleanupPolicy.size > 0) {
      return { error: ErrorCode.POLICY_VIOLATION, requestedOffset: -1 }
    }
    const requestedOffset = offset === -1 ? log.highWatermark : offset
    if (requestedOffset < 0 || requestedOffset > log.highWatermark) {
      return { error: ErrorCode.OFFSET_OUT_OF_RANGE, requestedOffset: -1 }
    }
    log.maybeIncrementLogStartOffset(requestedOffset)
    this.touch()
    return { error: ErrorCode.NONE, requestedOffset }
  }

  /** Smallest log start offset over the live replicas: DeleteRecords is done when it reaches the request. */
  get lowWatermark(): number {
    let low = this.#log?.logStartOffset ?? -1
    for (const [brokerId, progress] of this.#progress) {
      if (this.#host.isEligibleForIsr(brokerId, -1)) low = Math.min(low, progress.logStartOffset)
    }
    return low
  }

  // --- reads -------------------------------------------------------------------------------------------------------

  /**
   * Where the fetcher's log and this one part (KIP-595): it must truncate before it goes on.
   * @returns undefined when they agree or the fetcher does not say what it has
   */
  divergenceOf(request: FetchPartitionRequest): EpochEndOffset | undefined {
    if (request.lastFetchedEpoch < 0 || this.#log === undefined) return undefined
    const end = this.#log.endOffsetForEpoch(request.lastFetchedEpoch)
    if (end.endOffset < 0) return undefined
    return end.endOffset < request.fetchOffset || end.epoch < request.lastFetchedEpoch ? end : undefined
  }

  /** Reads for a fetch of any kind. `maxBytes` does not cut the first batch when `atLeastOneBatch`. */
  read(
    request: FetchPartitionRequest,
    options: {
      range: ReadRange
      maxBytes: number
      atLeastOneBatch: boolean
      memory?: RecycledBytes | undefined
    },
  ): PartitionRead {
    const error = this.checkLeaderEpoch(request.currentLeaderEpoch, options.range.mustLead)
    const log = this.#log
    if (error !== ErrorCode.NONE || log === undefined) return refusedRead(error)
    const divergingEpoch = this.divergenceOf(request)
    if (request.lastFetchedEpoch >= 0 && log.endOffsetForEpoch(request.lastFetchedEpoch).endOffset < 0) {
      return refusedRead(ErrorCode.OFFSET_OUT_OF_RANGE)
    }
    const watermarks = {
      highWatermark: log.highWatermark,
      lastStableOffset: log.lastStableOffset,
      logStartOffset: log.logStartOffset,
    }
    if (divergingEpoch !== undefined) {
      return {
        error: ErrorCode.NONE,
        records: EMPTY_RECORDS,
        ...watermarks,
        abortedTransactions: null,
        divergingEpoch,
      }
    }
    const read = log.read({
      offset: request.fetchOffset,
      maxBytes: options.maxBytes,
      upTo: options.range.upTo,
      atLeastOneBatch: options.atLeastOneBatch,
      memory: options.memory,
    })
    if (read.error !== ErrorCode.NONE) return refusedRead(read.error)
    return {
      error: ErrorCode.NONE,
      records: read.records,
      ...watermarks,
      abortedTransactions: options.range.upTo === 'lastStable' ? (read.abortedTransactions ?? []) : null,
      divergingEpoch: undefined,
    }
  }

  /**
   * The offset for a timestamp (ListOffsets). A new leader does not know the true end of the partition before its watermark has
   * reached the start of its epoch: OFFSET_NOT_AVAILABLE for consumers until then (KIP-207).
   */
  offsetForTimestamp(query: {
    timestamp: number
    currentLeaderEpoch: number
    mustLead: boolean
    upTo: ReadUpperBound
  }): { error: ErrorCode; timestamp: number; offset: number; leaderEpoch: number } {
    const nothing = { timestamp: -1, offset: -1, leaderEpoch: -1 }
    const error = this.checkLeaderEpoch(query.currentLeaderEpoch, query.mustLead)
    const log = this.#log
    if (error !== ErrorCode.NONE || log === undefined) return { error, ...nothing }
    const isUnsettled =
      this.isLeader && query.upTo !== 'logEnd' && log.highWatermark < this.#leaderEpochStartOffset
    if (isUnsettled && query.timestamp === LATEST_TIMESTAMP)
      return { error: ErrorCode.OFFSET_NOT_AVAILABLE, ...nothing }
    const found = log.fetchOffsetByTimestamp(query.timestamp, query.upTo)
    if (found.error !== ErrorCode.NONE) return { error: found.error, ...nothing }
    if (found.found === undefined) {
      return { error: isUnsettled ? ErrorCode.OFFSET_NOT_AVAILABLE : ErrorCode.NONE, ...nothing }
    }
    return { error: ErrorCode.NONE, ...found.found }
  }

  /** End offset of a leader epoch in this log (OffsetForLeaderEpoch, KIP-320). */
  endOffsetForLeaderEpoch(query: {
    leaderEpoch: number
    currentLeaderEpoch: number
    mustLead: boolean
  }): { error: ErrorCode } & EpochEndOffset {
    const error = this.checkLeaderEpoch(query.currentLeaderEpoch, query.mustLead)
    if (error !== ErrorCode.NONE || this.#log === undefined) return { error, epoch: -1, endOffset: -1 }
    return { error: ErrorCode.NONE, ...this.#log.endOffsetForEpoch(query.leaderEpoch) }
  }

  // --- in-sync replicas --------------------------------------------------------------------------------------------

  /** A follower has fetched: it has everything below the fetch offset. @returns false when it is not a replica */
  recordFollowerFetch(fetch: FollowerFetch): boolean {
    const progress = this.#progress.get(fetch.replicaId)
    const log = this.#log
    if (!this.isLeader || log === undefined || progress === undefined) return false
    const previousEndOffset = progress.logEndOffset
    const previousStartOffset = progress.logStartOffset
    progress.onFetch({
      fetchOffset: fetch.fetchOffset,
      logStartOffset: fetch.logStartOffset,
      leaderEndOffset: log.logEndOffset,
      brokerEpoch: fetch.replicaEpoch,
      nowMs: this.#host.clock.monotonicMs(),
      session: fetch.session,
    })
    this.#maybeExpandIsr(progress)
    const isEndMoved = previousEndOffset !== progress.logEndOffset
    if ((isEndMoved && this.#maybeAdvanceHighWatermark()) || previousStartOffset !== progress.logStartOffset)
      this.touch()
    return true
  }

  /** Takes followers that lag too long out of the ISR; called at intervals. */
  maybeShrinkIsr(): void {
    const log = this.#log
    if (!this.isLeader || log === undefined || this.#proposedIsr !== undefined) return
    const nowMs = this.#host.clock.monotonicMs()
    const maxLagMs = this.#host.replicaLagTimeMaxMs()
    const remaining = this.#isr.filter(
      (brokerId) =>
        brokerId === this.#host.nodeId ||
        this.#progress.get(brokerId)?.isCaughtUp(log.logEndOffset, nowMs, maxLagMs) === true,
    )
    if (remaining.length < this.#isr.length) this.#propose(remaining)
  }

  /** What the controller said to the last proposal. */
  onIsrAnswer(proposal: IsrProposal, answer: IsrAnswer): 'done' | 'retry' {
    if (this.#proposedIsr === undefined || proposal.partitionEpoch !== this.partitionEpoch || !this.isLeader)
      return 'done'
    if (answer.error !== 0) {
      switch (answer.error) {
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
    if (
      answer.leaderEpoch === this.leaderEpoch &&
      answer.partitionEpoch > this.partitionEpoch &&
      this.#state !== undefined
    ) {
      this.#state = { ...this.#state, isr: answer.isr, partitionEpoch: answer.partitionEpoch }
      this.#isr = answer.isr
    }
    this.#proposedIsr = undefined
    this.#maybeAdvanceHighWatermark()
    this.touch()
    return 'done'
  }

  #maybeExpandIsr(progress: ReplicaProgress): void {
    const log = this.#log
    if (log === undefined || this.#proposedIsr !== undefined || this.#isr.includes(progress.brokerId)) return
    const isInSync =
      progress.logEndOffset >= log.highWatermark && progress.logEndOffset >= this.#leaderEpochStartOffset
    if (!isInSync || !this.#host.isEligibleForIsr(progress.brokerId, progress.brokerEpoch)) return
    this.#propose([...this.#isr, progress.brokerId])
  }

  #propose(isr: readonly number[]): void {
    const state = this.#state
    if (state === undefined) return
    this.#proposedIsr = isr
    this.#host.proposeIsr(this, {
      leaderEpoch: state.leaderEpoch,
      partitionEpoch: state.partitionEpoch,
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

  #maximalIsr(): readonly number[] {
    if (this.#proposedIsr === undefined) return this.#isr
    const added = this.#proposedIsr.filter((brokerId) => !this.#isr.includes(brokerId))
    return added.length === 0 ? this.#isr : [...this.#isr, ...added]
  }

  /** @returns whether the high watermark moved */
  #maybeAdvanceHighWatermark(): boolean {
    const log = this.#log
    if (log === undefined || (this.isUnderMinIsr && !this.#host.history.commitsBelowMinIsr)) return false
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
}

/** A read that gave nothing but its error. */
export function refusedRead(error: ErrorCode): PartitionRead {
  return {
    error,
    records: EMPTY_RECORDS,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    abortedTransactions: null,
    divergingEpoch: undefined,
  }
}
