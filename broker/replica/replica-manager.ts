/**
 * The partitions of one broker: their roles as the metadata says, and the entry points for everything that reads or appends.
 *
 * Owner: the broker. Follows the metadata image: after each published step the partitions that changed take or give up the lead,
 * start or stop following, or are deleted. Invariant: a partition is in the tables exactly while the image assigns a replica of it
 * to this broker.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import { RecycledBytes } from '../../common/runtime/recycled-bytes.ts'
import type { Runtime } from '../../common/runtime/runtime.ts'
import type { SchedulerScope } from '../../common/runtime/scheduler.ts'
import type { AppendOrigin, RecordError, VerificationGuard } from '../../storage/log.ts'
import type { LogConfig } from '../../storage/log-config.ts'
import type { LogManager } from '../../storage/log-manager.ts'
import type {
  MetadataDelta,
  MetadataImage,
  MetadataListener,
  PartitionImage,
  TopicImage,
} from '../metadata/image.ts'
import { TopicCounters } from '../metrics/counters.ts'
import { DelayedDeleteRecords, type PendingDeleteRecords } from './delayed-delete-records.ts'
import { DelayedFetch } from './delayed-fetch.ts'
import { DelayedProduce, type PendingAppend } from './delayed-produce.ts'
import type { FetchPartitionRequest } from './fetch-request.ts'
import type { FetchEntry, FetchEntryResult, Fetcher, FetchSource } from './fetch-source.ts'
import {
  EMPTY_RECORDS,
  type IsrProposal,
  Partition,
  type PartitionHost,
  type PartitionRead,
  refusedRead,
} from './partition.ts'
import { NO_HISTORY, type ReplicaHistory } from './replica-history.ts'
import { preferredReadReplica } from './replica-selector.ts'
import type { ReplicationThrottle } from './replication-throttle.ts'

export interface ReplicaManagerOptions {
  readonly nodeId: number
  readonly runtime: Runtime
  readonly scheduler: SchedulerScope
  readonly logs: LogManager
  readonly metadata: MetadataImage
  readonly topicConfig: (topic: string) => LogConfig
  readonly replicaLagTimeMaxMs: () => number
  /** Asks the controller for another ISR. */
  readonly proposeIsr: (partition: Partition, proposal: IsrProposal) => void
  /** Default: the rules of today. */
  readonly history?: ReplicaHistory
  /** What followers may copy from the replicas that this broker leads. */
  readonly throttle: ReplicationThrottle
}

/** Told when this broker takes or gives up the lead of a partition: coordinators load and unload. */
export interface LeadershipListener {
  onLeadershipGained(partition: Partition): void
  onLeadershipLost(partition: Partition): void
}

/** Told when a partition starts or stops following: the fetchers. */
export interface FollowerListener {
  onFollowing(partition: Partition): void
  onNotFollowing(partition: Partition): void
}

export interface AppendEntry {
  readonly partition: Partition
  readonly records: Buffer
  readonly guard?: VerificationGuard | undefined
  /** `transaction.version` of a marker (WriteTxnMarkers). */
  readonly transactionVersion?: number
  /** Told of the first offset right after the append, before it is committed. */
  readonly onAppended?: (firstOffset: number) => void
}

export interface AppendEntryResult {
  error: ErrorCode
  errorMessage: string | null
  baseOffset: number
  logAppendTimeMs: number
  logStartOffset: number
  recordErrors: readonly RecordError[]
}

export interface FetchOptions extends Fetcher {
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  /** Fetch v3+: the first batch of the answer is whole even above the limits. */
  readonly atLeastOneBatch: boolean
  /** Drops the wait when the connection closes. */
  readonly onClosed: (abandon: () => void) => () => void
  /** Told how to end the wait early, when there is one. */
  readonly onWait?: (expire: () => void) => void
  /** Where records that come from files may be put; whoever asked gives them back. Absent: they are the caller's for ever. */
  readonly memory?: RecycledBytes | undefined
}

/** Refusals of an append that do not tell where the log begins. */
const TELLS_NO_START: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.KAFKA_STORAGE_ERROR,
])

export class ReplicaManager implements MetadataListener, PartitionHost {
  readonly nodeId: number
  readonly counters: TopicCounters = new TopicCounters()
  readonly clock
  readonly reactor
  /** For the records of answers that are on their way. */
  readonly fetchMemory = new RecycledBytes()
  readonly #options: ReplicaManagerOptions
  /** topic -> partition index -> partition, only those with a replica here. */
  readonly #partitions = new Map<string, Map<number, Partition>>()
  readonly #leadershipListeners: LeadershipListener[] = []
  readonly #followerListeners: FollowerListener[] = []

  constructor(options: ReplicaManagerOptions) {
    this.#options = options
    this.nodeId = options.nodeId
    this.clock = options.runtime.clock
    this.reactor = options.runtime.reactor
    this.#scheduleIsrCheck()
  }

  listenToLeadership(listener: LeadershipListener): void {
    this.#leadershipListeners.push(listener)
  }

  listenToFollowing(listener: FollowerListener): void {
    this.#followerListeners.push(listener)
  }

  /** The local replica of a partition, whatever its role. */
  partition(topic: string, index: number): Partition | undefined {
    return this.#partitions.get(topic)?.get(index)
  }

  *partitions(): IterableIterator<Partition> {
    for (const ofTopic of this.#partitions.values()) yield* ofTopic.values()
  }

  /** Why a partition cannot be served here: unknown to the cluster, or led by others. */
  missingPartitionError(topic: string, index: number): ErrorCode {
    const image = this.#options.metadata.topicsByName.get(topic)
    return image?.partitions[index] === undefined
      ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      : ErrorCode.NOT_LEADER_OR_FOLLOWER
  }

  // --- PartitionHost -----------------------------------------------------------------------------------------------

  get history(): ReplicaHistory {
    return this.#options.history ?? NO_HISTORY
  }

  replicaLagTimeMaxMs(): number {
    return this.#options.replicaLagTimeMaxMs()
  }

  isEligibleForIsr(brokerId: number, brokerEpoch: number): boolean {
    const broker = this.#options.metadata.brokers.get(brokerId)
    if (broker === undefined || broker.isFenced || broker.inControlledShutdown) return false
    return brokerEpoch === -1 || brokerEpoch === broker.epoch
  }

  brokerEpochOf(brokerId: number): number {
    return this.#options.metadata.brokers.get(brokerId)?.epoch ?? -1
  }

  proposeIsr(partition: Partition, proposal: IsrProposal): void {
    this.#options.proposeIsr(partition, proposal)
  }

  // --- metadata ----------------------------------------------------------------------------------------------------

  onMetadata(image: MetadataImage, delta: MetadataDelta): void {
    for (const topic of delta.deletedTopics.values()) this.#deleteTopic(topic)
    for (const [topicId, before] of delta.changedTopics) {
      const topic = image.topicsById.get(topicId)
      if (topic !== undefined) this.#applyTopic(topic, before)
    }
    for (const key of delta.changedConfigs) {
      const [type, name] = key.split('\n') as [string, string]
      if (Number(type) === 2) this.#applyTopicConfig(name)
      else if (Number(type) === 4) for (const topic of this.#partitions.keys()) this.#applyTopicConfig(topic)
    }
    // A broker that was fenced or came back changes who may be waited for.
    if (delta.changedBrokers.size > 0)
      for (const partition of this.partitions()) if (partition.isLeader) partition.touch()
  }

  #applyTopic(topic: TopicImage, before: TopicImage | undefined): void {
    topic.partitions.forEach((state, index) => {
      if (before?.partitions[index] === state) return
      const hasReplica = state.replicas.includes(this.nodeId)
      const existing = this.partition(topic.name, index)
      if (!hasReplica) {
        if (existing !== undefined) this.#removePartition(existing, true)
        return
      }
      if (existing !== undefined && existing.topicId !== topic.id) this.#removePartition(existing, true)
      this.#applyPartition(topic, index, state)
    })
  }

  #applyPartition(topic: TopicImage, index: number, state: PartitionImage): void {
    const partition = this.partition(topic.name, index) ?? this.#addPartition(topic, index)
    const log = this.#options.logs.getOrCreate(
      { topic: topic.name, partition: index },
      { topicId: topic.id, config: this.#options.topicConfig(topic.name) },
    )
    if (log === undefined) {
      this.#giveUpLead(partition)
      partition.goOffline()
      return
    }
    if (state.leaderId === this.nodeId) {
      if (partition.role === 'follower')
        for (const listener of this.#followerListeners) listener.onNotFollowing(partition)
      const isNewEpoch = partition.becomeLeader(state, log)
      if (isNewEpoch) for (const listener of this.#leadershipListeners) listener.onLeadershipGained(partition)
      return
    }
    this.#giveUpLead(partition)
    if (partition.becomeFollower(state, log))
      for (const listener of this.#followerListeners) listener.onFollowing(partition)
  }

  #addPartition(topic: TopicImage, index: number): Partition {
    const partition = new Partition(this, { topic: topic.name, topicId: topic.id, index })
    let ofTopic = this.#partitions.get(topic.name)
    if (ofTopic === undefined) {
      ofTopic = new Map()
      this.#partitions.set(topic.name, ofTopic)
    }
    ofTopic.set(index, partition)
    return partition
  }

  #giveUpLead(partition: Partition): void {
    if (partition.isLeader)
      for (const listener of this.#leadershipListeners) listener.onLeadershipLost(partition)
  }

  #deleteTopic(topic: TopicImage): void {
    for (const partition of [...(this.#partitions.get(topic.name)?.values() ?? [])]) {
      if (partition.topicId === topic.id) this.#removePartition(partition, true)
    }
  }

  #removePartition(partition: Partition, isDeleted: boolean): void {
    this.#giveUpLead(partition)
    for (const listener of this.#followerListeners) listener.onNotFollowing(partition)
    const ofTopic = this.#partitions.get(partition.topic)
    ofTopic?.delete(partition.index)
    if (ofTopic?.size === 0) this.#partitions.delete(partition.topic)
    partition.goOffline()
    if (isDeleted) this.#options.logs.delete({ topic: partition.topic, partition: partition.index })
  }

  #applyTopicConfig(topic: string): void {
    const ofTopic = this.#partitions.get(topic)
    if (ofTopic === undefined) return
    const config = this.#options.topicConfig(topic)
    for (const partition of ofTopic.values()) {
      partition.log?.updateConfig(config)
      partition.touch()
    }
  }

  /** A log directory failed: its partitions cannot be served any more. */
  onDirectoryFailed(): void {
    for (const partition of this.partitions()) {
      if (partition.log?.isFailed !== true) continue
      this.#giveUpLead(partition)
      for (const listener of this.#followerListeners) listener.onNotFollowing(partition)
      partition.touch()
    }
  }

  #scheduleIsrCheck(): void {
    this.#options.scheduler.schedule(
      'check of lagging in-sync replicas',
      this.replicaLagTimeMaxMs() / 2,
      () => {
        for (const partition of this.partitions()) partition.maybeShrinkIsr()
        this.#scheduleIsrCheck()
      },
    )
  }

  // --- appends -----------------------------------------------------------------------------------------------------

  /**
   * Appends to partitions that this broker leads and answers as `acks` says: at once (0, 1) or when all is committed (-1),
   * at most after `timeoutMs`.
   */
  append(
    entries: readonly AppendEntry[],
    options: { acks: number; timeoutMs: number; origin: AppendOrigin },
  ): Deferred<AppendEntryResult[]> {
    const pending: PendingAppend[] = []
    const { counters } = this
    counters.totalProduceRequests += entries.length
    const results = entries.map(
      ({ partition, records, guard, transactionVersion, onAppended }): AppendEntryResult => {
        const appended = partition.appendAsLeader(records, {
          origin: options.origin,
          requiredAcks: options.acks,
          verificationGuard: guard,
          transactionVersion,
        })
        if (appended.error !== ErrorCode.NONE) {
          counters.failedProduceRequests += 1
          return {
            error: appended.error,
            errorMessage: 'errorMessage' in appended ? (appended.errorMessage ?? null) : null,
            baseOffset: -1,
            logAppendTimeMs: -1,
            logStartOffset: TELLS_NO_START.has(appended.error) ? -1 : (partition.log?.logStartOffset ?? -1),
            recordErrors: 'recordErrors' in appended ? (appended.recordErrors ?? []) : [],
          }
        }
        counters.messagesIn += appended.lastOffset - appended.firstOffset + 1
        counters.bytesIn += records.length
        onAppended?.(appended.firstOffset)
        pending.push({
          partition,
          leaderEpoch: partition.leaderEpoch,
          requiredOffset: appended.lastOffset + 1,
          commitError: undefined,
        })
        return {
          error: ErrorCode.NONE,
          errorMessage: null,
          baseOffset: appended.firstOffset,
          logAppendTimeMs: appended.logAppendTimeMs,
          logStartOffset: appended.logStartOffset,
          recordErrors: [],
        }
      },
    )
    if (options.acks !== -1 || pending.length === 0) return Deferred.of(results)
    const answer = new Deferred<AppendEntryResult[]>()
    const operation = new DelayedProduce(pending, () => {
      let next = 0
      for (const result of results) {
        if (result.error !== ErrorCode.NONE) continue
        result.error = pending[next]?.commitError ?? ErrorCode.NONE
        next += 1
      }
      answer.complete(results)
    })
    operation.start(
      this.#options.scheduler,
      `time limit of a Produce that waits for ${pending.length} partitions`,
      options.timeoutMs,
      pending.map((append) => append.partition),
    )
    return answer
  }

  /** Moves log start offsets up; answers when all live replicas have followed, at most after `timeoutMs`. */
  deleteRecords(
    entries: readonly { readonly partition: Partition; readonly offset: number }[],
    timeoutMs: number,
  ): Deferred<{ error: ErrorCode; lowWatermark: number }[]> {
    const items = entries.map(({ partition, offset }): PendingDeleteRecords => {
      const { error, requestedOffset } = partition.deleteRecordsBefore(offset)
      const isRefused = error !== ErrorCode.NONE
      return { partition, requestedOffset, error: isRefused ? error : undefined, lowWatermark: -1 }
    })
    const answer = new Deferred<{ error: ErrorCode; lowWatermark: number }[]>()
    const operation = new DelayedDeleteRecords(items, () =>
      answer.complete(
        items.map(({ error, lowWatermark }) => ({ error: error ?? ErrorCode.NONE, lowWatermark })),
      ),
    )
    operation.start(
      this.#options.scheduler,
      `time limit of a DeleteRecords on ${items.length} partitions`,
      timeoutMs,
      items.map(({ partition }) => partition),
    )
    return answer
  }

  // --- fetches -----------------------------------------------------------------------------------------------------

  /** Reads for a fetch; waits for `minBytes` when nothing speaks against it. */
  fetch(source: FetchSource, options: FetchOptions): Deferred<FetchEntryResult[]> {
    const first = this.#readAll(source.asked(options), options)
    if (options.replicaId >= 0) this.#recordFollower(first, options, source.times)
    const { size } = source
    if (this.#mustAnswerAtOnce(first, size, options))
      return Deferred.of(this.#answered(first, source, options))
    source.wait(first, this.#quietOf(first, options))
    for (const { records } of first) options.memory?.give(records)
    const answer = new Deferred<FetchEntryResult[]>()
    const operation = new DelayedFetch({
      news: () => source.news(),
      range: options.range,
      minBytes: options.minBytes,
      mayRead: (partition) => !this.#mustHoldBack(partition, options.replicaId),
      onDone: () => {
        stopListening()
        source.close()
        const reads = this.#readAll(source.answered(options), options)
        answer.complete(this.#answered(reads, source, options))
      },
    })
    const stopListening = options.onClosed(() => {
      source.close()
      operation.abandon()
    })
    const label = `long poll of a Fetch on ${size} partitions`
    source.start(operation, this.#options.scheduler, label, options.maxWaitMs)
    options.onWait?.(() => operation.expire())
    return answer
  }

  #answered(reads: FetchEntryResult[], source: FetchSource, options: FetchOptions): FetchEntryResult[] {
    source.done(this.#quietOf(reads, options))
    this.#count(reads, source.size, options)
    return reads
  }

  /** Which of the reads would give the same again until something happens to the partition. */
  #quietOf(reads: readonly FetchEntryResult[], { range, replicaId }: FetchOptions): boolean[] {
    return reads.map(
      ({ error, records, divergingEpoch, preferredReadReplica, highWatermark, partition, request }) =>
        error === ErrorCode.NONE &&
        records.length === 0 &&
        divergingEpoch === undefined &&
        preferredReadReplica === undefined &&
        request.knownHighWatermark >= highWatermark &&
        partition?.log?.isReadable(request.fetchOffset, range.upTo) === false &&
        // A follower outside the ISR asks with every fetch to be let in.
        (replicaId < 0 || partition.isr.includes(replicaId)),
    )
  }

  /**
   * Notes what a follower has: only the first read of a request tells, when it has waited it knows nothing newer. Of the partitions of its
   * session that were not read it has what it had, and at this time.
   */
  #recordFollower(
    reads: readonly FetchEntryResult[],
    { replicaId, replicaEpoch }: FetchOptions,
    session: FetchSource['times'],
  ): void {
    for (const { partition, error, divergingEpoch, request } of reads) {
      if (partition === undefined) continue
      if (error !== ErrorCode.NONE || divergingEpoch !== undefined) {
        partition.progressOf(replicaId)?.leaveSession(session)
        continue
      }
      const { fetchOffset, logStartOffset } = request
      partition.recordFollowerFetch({ replicaId, replicaEpoch, fetchOffset, logStartOffset, session })
    }
    if (session !== undefined) session.lastFetchMs = this.clock.monotonicMs()
  }

  #count(reads: readonly FetchEntryResult[], size: number, { replicaId }: FetchOptions): void {
    const { counters } = this
    const { throttle } = this.#options
    counters.totalFetchRequests += size
    let bytes = 0
    for (const { error, records, partition } of reads) {
      if (error !== ErrorCode.NONE) counters.failedFetchRequests += 1
      bytes += records.length
      if (replicaId < 0 || records.length === 0 || partition === undefined) continue
      if (throttle.isThrottled(partition.topic, partition.index)) throttle.record(records.length)
    }
    if (replicaId >= 0) counters.replicationBytesOut += bytes
    else counters.bytesOut += bytes
  }

  /** A follower outside the ISR that has had its share gets nothing for now (KIP-73). */
  #mustHoldBack(partition: Partition, replicaId: number): boolean {
    const { throttle } = this.#options
    if (replicaId < 0 || partition.isr.includes(replicaId)) return false
    return throttle.isThrottled(partition.topic, partition.index) && throttle.isExceeded
  }

  #mustAnswerAtOnce(reads: readonly FetchEntryResult[], size: number, options: FetchOptions): boolean {
    if (options.maxWaitMs <= 0 || size === 0) return true
    let bytes = 0
    for (const read of reads) {
      if (read.error !== ErrorCode.NONE || read.divergingEpoch !== undefined) return true
      if (read.preferredReadReplica !== undefined) return true
      bytes += read.records.length
    }
    return bytes >= options.minBytes
  }

  #readAll(entries: readonly FetchEntry[], options: FetchOptions): FetchEntryResult[] {
    let budget = options.maxBytes
    let atLeastOneBatch = options.atLeastOneBatch
    return entries.map(({ partition, error, request }): FetchEntryResult => {
      if (partition === undefined || error !== ErrorCode.NONE)
        return { ...refusedRead(error), request, partition }
      const elsewhere = options.rack === '' ? undefined : this.#readElsewhere(partition, request, options)
      if (elsewhere !== undefined) return { ...elsewhere, request, partition }
      const isHeldBack = this.#mustHoldBack(partition, options.replicaId)
      const read = partition.read(request, {
        range: options.range,
        maxBytes: isHeldBack ? 0 : Math.max(0, Math.min(request.partitionMaxBytes, budget)),
        atLeastOneBatch: atLeastOneBatch && !isHeldBack,
        memory: options.memory,
      })
      if (read.records.length > 0) atLeastOneBatch = false
      budget = Math.max(0, budget - read.records.length)
      return { ...read, request, partition }
    })
  }

  /** An empty read that sends the consumer to a replica near it; undefined when it reads here. */
  #readElsewhere(
    partition: Partition,
    request: FetchPartitionRequest,
    options: FetchOptions,
  ): PartitionRead | undefined {
    const replica = preferredReadReplica(partition, this.#options.metadata, {
      rack: options.rack,
      fetchOffset: request.fetchOffset,
    })
    if (replica === undefined) return undefined
    const read = partition.read(request, { range: options.range, maxBytes: 0, atLeastOneBatch: false })
    return { ...read, records: EMPTY_RECORDS, preferredReadReplica: replica }
  }
}
