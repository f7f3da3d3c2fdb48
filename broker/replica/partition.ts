/**
 * One partition as this broker sees it: its identity, its role, its log, and who waits for something to happen to it. What only a leader
 * decides is in `PartitionLeadership`, what is read for whom in `partition-reads.ts`, what a follower does with its leader's answers in
 * `FetchedPartition`.
 *
 * Owner: the replica manager. Invariant: there is a leadership exactly while this broker leads, and one for each leader epoch.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Reactor, Wakeable } from '../../common/runtime/reactor.ts'
import type { AppendAsFollowerResult, Log } from '../../storage/log.ts'
import type { PartitionImage } from '../metadata/image.ts'
import type { DelayedOperation, Watchable } from './delayed-operation.ts'
import {
  type FollowerFetch,
  type IsrAnswer,
  type IsrProposal,
  type LeaderAppendOptions,
  type LeaderAppendResult,
  type LeadershipHost,
  PartitionLeadership,
} from './partition-leadership.ts'
import type { ReplicaProgress } from './replica-progress.ts'

/** What a partition needs of its broker. */
export interface PartitionHost extends LeadershipHost {
  readonly reactor: Reactor
  /** Asks the controller for the ISR; the answer comes back through `onIsrAnswer`. */
  proposeIsr(partition: Partition, proposal: IsrProposal): void
}

export type PartitionRole = 'leader' | 'follower' | 'none'

/** Told after appends, watermark moves and role changes, in the wake phase. */
export interface PartitionListener {
  onPartitionTouched(partition: Partition): void
}

/** Told of the next change of anything that a fetch may depend on, at once and once: it may only take note. */
export interface ChangeObserver {
  onPartitionChanged(reactor: Reactor): void
}

export class Partition implements Wakeable, Watchable {
  readonly topic: string
  readonly topicId: string
  readonly index: number
  readonly #host: PartitionHost
  #log: Log | undefined
  #role: PartitionRole = 'none'
  /** As the metadata says, or the controller in its answer to a proposal of this leader. */
  #state: PartitionImage | undefined
  #leadership: PartitionLeadership | undefined
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
    return this.#leadership !== undefined
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
  /** As its leader knows it; empty when that is another broker. */
  get isr(): readonly number[] {
    return this.#leadership?.isr ?? []
  }
  get hasIsrProposal(): boolean {
    return this.#leadership?.hasIsrProposal === true
  }
  /** Whether whoever leads knows what is committed: its watermark has reached the start of its epoch (KIP-207). True for all others. */
  get isSettled(): boolean {
    return this.#leadership?.isSettled !== false
  }
  /** The rule before KIP-101: a follower asks nobody where histories part. */
  get cutsToOwnWatermark(): boolean {
    return this.#host.history.cutsToOwnWatermark
  }
  /** What the leader knows of a follower. */
  progressOf(brokerId: number): ReplicaProgress | undefined {
    return this.#leadership?.progressOf(brokerId)
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
    const current = state.leaderEpoch > this.leaderEpoch ? undefined : this.#leadership
    this.#takeLog(log)
    this.#role = 'leader'
    this.#state = state
    current?.renew(state, log)
    const leadership = current ?? this.#beginLeadership(state, log)
    this.#leadership = leadership
    leadership.maybeAdvanceHighWatermark()
    this.touch()
    return current === undefined
  }

  #beginLeadership(state: PartitionImage, log: Log): PartitionLeadership {
    const led = {
      propose: (proposal: IsrProposal) => this.#host.proposeIsr(this, proposal),
      touch: () => this.touch(),
    }
    return new PartitionLeadership(this.#host, led, { state, log })
  }

  /** @returns whether leader or epoch changed, so that fetching starts anew */
  becomeFollower(state: PartitionImage, log: Log | undefined): boolean {
    const isChanged =
      this.#role !== 'follower' || state.leaderEpoch > this.leaderEpoch || state.leaderId !== this.leaderId
    this.#takeLog(log)
    if (isChanged && log !== undefined && this.cutsToOwnWatermark) log.truncateTo(log.highWatermark)
    this.#role = 'follower'
    this.#state = state
    this.#leadership = undefined
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
    this.#leadership = undefined
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

  // --- as the leader -----------------------------------------------------------------------------------------------

  /**
   * Appends as the leader. With `requiredAcks` -1 it is refused while the ISR is too small (NOT_ENOUGH_REPLICAS).
   * The buffer is moved into the log.
   */
  appendAsLeader(records: Buffer, options: LeaderAppendOptions): LeaderAppendResult {
    return this.#leadership?.append(records, options) ?? { error: ErrorCode.NOT_LEADER_OR_FOLLOWER }
  }

  /**
   * Whether an acks=all append up to `requiredOffset` (exclusive) is committed.
   * @returns undefined while it is not decided
   */
  commitErrorOf(requiredOffset: number, leaderEpoch: number): ErrorCode | undefined {
    if (this.#leadership === undefined || leaderEpoch !== this.leaderEpoch)
      return ErrorCode.NOT_LEADER_OR_FOLLOWER
    return this.#leadership.commitErrorOf(requiredOffset)
  }

  /**
   * Moves the log start offset up (DeleteRecords). -1 means up to the high watermark.
   * @returns the offset that replicas must reach for the request to be done, or an error
   */
  deleteRecordsBefore(offset: number): { error: ErrorCode; requestedOffset: number } {
    const refused = { error: ErrorCode.NOT_LEADER_OR_FOLLOWER, requestedOffset: -1 }
    return this.#leadership?.deleteRecordsBefore(offset) ?? refused
  }

  /** Smallest log start offset over the live replicas: DeleteRecords is done when it reaches the request. */
  get lowWatermark(): number {
    return this.#leadership?.lowWatermark ?? -1
  }

  /** A follower has fetched: it has everything below the fetch offset. @returns false when it is not a replica */
  recordFollowerFetch(fetch: FollowerFetch): boolean {
    return this.#leadership?.recordFetch(fetch) === true
  }

  /** Takes followers that lag too long out of the ISR; called at intervals. */
  maybeShrinkIsr(): void {
    this.#leadership?.maybeShrinkIsr()
  }

  /** What the controller said to the last proposal. */
  onIsrAnswer(proposal: IsrProposal, answer: IsrAnswer): 'done' | 'retry' {
    const leadership = this.#leadership
    if (leadership === undefined) return 'done'
    const verdict = leadership.onIsrAnswer(proposal, answer)
    this.#state = leadership.state
    return verdict
  }

  // --- as a follower -----------------------------------------------------------------------------------------------

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
}
