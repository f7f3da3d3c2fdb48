/**
 * The partitions of one broker: their roles as the metadata says, and the entry points for everything that reads (`ReplicaReader`) or
 * appends (`ReplicaAppender`).
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
import type { FetchEntryResult, FetchSource } from './fetch-source.ts'
import { Partition, type PartitionHost } from './partition.ts'
import type { IsrProposal } from './partition-leadership.ts'
import {
  type AppendEntry,
  type AppendEntryResult,
  type AppendOptions,
  ReplicaAppender,
} from './replica-appender.ts'
import { NO_HISTORY, type ReplicaHistory } from './replica-history.ts'
import { type FetchOptions, ReplicaReader } from './replica-reader.ts'
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

export class ReplicaManager implements MetadataListener, PartitionHost {
  readonly nodeId: number
  readonly counters: TopicCounters = new TopicCounters()
  readonly clock
  readonly reactor
  /** For the records of answers that are on their way. */
  readonly fetchMemory = new RecycledBytes()
  readonly #options: ReplicaManagerOptions
  readonly #appender: ReplicaAppender
  readonly #reader: ReplicaReader
  /** topic -> partition index -> partition, only those with a replica here. */
  readonly #partitions = new Map<string, Map<number, Partition>>()
  readonly #leadershipListeners: LeadershipListener[] = []
  readonly #followerListeners: FollowerListener[] = []

  constructor(options: ReplicaManagerOptions) {
    this.#options = options
    this.nodeId = options.nodeId
    this.clock = options.runtime.clock
    this.reactor = options.runtime.reactor
    const { scheduler, metadata, throttle } = options
    const { clock, counters } = this
    this.#appender = new ReplicaAppender(scheduler, counters)
    this.#reader = new ReplicaReader({ clock, scheduler, metadata, counters, throttle })
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

  // --- what is done with the partitions ------------------------------------------------------------------------------

  /**
   * Appends to partitions that this broker leads and answers as `acks` says: at once (0, 1) or when all is committed (-1),
   * at most after `timeoutMs`.
   */
  append(entries: readonly AppendEntry[], options: AppendOptions): Deferred<AppendEntryResult[]> {
    return this.#appender.append(entries, options)
  }

  /** Reads for a fetch; waits for `minBytes` when nothing speaks against it. */
  fetch(source: FetchSource, options: FetchOptions): Deferred<FetchEntryResult[]> {
    return this.#reader.fetch(source, options)
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
}
