/**
 * The share partitions of the partitions that this broker leads, and the entry points of members: fetching and acknowledging (KIP-932).
 *
 * Owner: the broker. A share partition comes into being with the first fetch of its group, when its state is read from the share
 * coordinator, and goes with the leadership, with a newer state elsewhere, or with the last session of its group.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Clock } from '../../common/runtime/clock.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import type { Reactor } from '../../common/runtime/reactor.ts'
import type { SchedulerScope } from '../../common/runtime/scheduler.ts'
import type { ReadUpperBound } from '../../storage/log.ts'
import {
  isReadCommitted,
  recordLockDurationMs,
  type ShareConfig,
  shareOffsetReset,
} from '../coordinator/share/share-config.ts'
import type { SharePersister } from '../coordinator/share/share-persister.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { Partition } from '../replica/partition.ts'
import type { LeadershipListener, ReplicaManager } from '../replica/replica-manager.ts'
import type { Result } from '../statemachine/state-machine.ts'
import { type AcknowledgementBatch, areSound } from './acknowledgement.ts'
import { DelayedShareFetch } from './delayed-share-fetch.ts'
import { persisterError } from './persister-error.ts'
import type { AcquiredRecords } from './record-acquirer.ts'
import { type AcknowledgeResult, SharePartition, type SharePartitionHost } from './share-partition.ts'
import { acquireFrom, NO_RECORDS, resetOffset } from './share-partition-reads.ts'
import {
  partitionKeyOf,
  type SharedTopicPartition,
  type ShareSession,
  ShareSessionCache,
} from './share-session-cache.ts'

export interface SharePartitionManagerOptions {
  readonly clock: Clock
  readonly reactor: Reactor
  readonly scheduler: SchedulerScope
  readonly config: ShareConfig
  readonly metadata: () => MetadataImage
  readonly replicas: ReplicaManager
  readonly persister: SharePersister
}

export interface ShareFetchOptions {
  readonly groupId: string
  readonly memberId: string
  readonly partitions: readonly SharedTopicPartition[]
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly maxRecords: number
  readonly isExact: boolean
  readonly batchSize: number
  /** Drops the wait when the connection closes. */
  readonly onClosed: (abandon: () => void) => () => void
  /** Told how to end the wait early, when there is one. */
  readonly onWait?: (expire: () => void) => void
}

export interface SharedFetchResult extends SharedTopicPartition {
  readonly error: ErrorCode
  readonly leader: Partition | undefined
  readonly records: Buffer
  readonly acquired: readonly AcquiredRecords[]
  /** False when the group may not have more records of the partition now. */
  readonly isOpen: boolean
}

export interface PartitionAcknowledgement extends SharedTopicPartition {
  readonly batches: readonly AcknowledgementBatch[]
}

export interface PartitionAcknowledged extends SharedTopicPartition, AcknowledgeResult {
  readonly leader: Partition | undefined
}

/** A fetch that would wait for less waits this long for the state of its partitions. */
const LOAD_WAIT_MS = 500

export class SharePartitionManager implements LeadershipListener {
  readonly sessions: ShareSessionCache
  readonly #options: SharePartitionManagerOptions
  readonly #host: SharePartitionHost
  /** group id -> `topicId partition` -> the share partition, or the one that is being read */
  readonly #partitions = new Map<string, Map<string, Deferred<Result<SharePartition>>>>()

  constructor(options: SharePartitionManagerOptions) {
    this.#options = options
    const { reactor, scheduler, config, persister } = options
    this.sessions = new ShareSessionCache(() => config.get('group.share.max.share.sessions'))
    this.#host = {
      reactor,
      scheduler,
      config,
      persister,
      onFenced: (sharePartition) => this.#drop(sharePartition),
    }
    options.replicas.listenToLeadership(this)
  }

  lockDurationMs(groupId: string): number {
    return recordLockDurationMs(this.#options.config, groupId)
  }

  /** The share partition, if it has been read; for views and tests. */
  sharePartition(groupId: string, at: SharedTopicPartition): SharePartition | undefined {
    const found = this.#partitions.get(groupId)?.get(partitionKeyOf(at))?.value
    return found?.error === ErrorCode.NONE ? found.value : undefined
  }

  // --- leadership --------------------------------------------------------------------------------------------------

  onLeadershipGained(partition: Partition): void {
    // In a new epoch the state is read anew.
    this.onLeadershipLost(partition)
  }

  onLeadershipLost({ topicId, index }: Partition): void {
    const key = partitionKeyOf({ topicId, partition: index })
    for (const [groupId, ofGroup] of this.#partitions) {
      const entry = ofGroup.get(key)
      if (entry === undefined) continue
      ofGroup.delete(key)
      if (ofGroup.size === 0) this.#partitions.delete(groupId)
      entry.whenDone((found) => {
        if (found.error === ErrorCode.NONE) found.value.fence()
      })
    }
  }

  #drop(sharePartition: SharePartition): void {
    const { groupId, partition } = sharePartition
    const key = partitionKeyOf({ topicId: partition.topicId, partition: partition.index })
    const found = this.#partitions.get(groupId)?.get(key)?.value
    if (found?.error === ErrorCode.NONE && found.value === sharePartition)
      this.#partitions.get(groupId)?.delete(key)
    sharePartition.fence()
  }

  // --- sessions ----------------------------------------------------------------------------------------------------

  /** The partition as a session keeps it. */
  remembered({ topicId, partition }: SharedTopicPartition): SharedTopicPartition {
    return { topicId, partition, wasKnown: this.#options.metadata().topicsById.has(topicId) }
  }

  /** Opens a session that ends with its connection. */
  openSession(
    groupId: string,
    memberId: string,
    partitions: readonly SharedTopicPartition[],
    onClosed: (callback: () => void) => () => void,
  ): Result<ShareSession> {
    const created = this.sessions.create(
      groupId,
      memberId,
      partitions.map((partition) => this.remembered(partition)),
    )
    if (created.error !== ErrorCode.NONE) return created
    const session = created.value
    session.stopListening = onClosed(() => {
      if (this.sessions.get(groupId, memberId) === session) this.closeSession(groupId, memberId)
    })
    return created
  }

  /** What the member was handed out is free again. */
  closeSession(groupId: string, memberId: string): void {
    const session = this.sessions.remove(groupId, memberId)
    if (session === undefined) return
    const ofGroup = this.#partitions.get(groupId)
    for (const entry of ofGroup?.values() ?? []) {
      if (entry.value?.error === ErrorCode.NONE) entry.value.value.releaseMember(memberId)
    }
    if (!this.sessions.hasGroup(groupId)) this.#forgetGroup(groupId)
  }

  /** Nobody of the group is here any more: its state may be changed elsewhere, so it is read anew for whoever comes next. */
  #forgetGroup(groupId: string): void {
    const ofGroup = this.#partitions.get(groupId)
    this.#partitions.delete(groupId)
    for (const entry of ofGroup?.values() ?? []) {
      entry.whenDone((found) => {
        if (found.error === ErrorCode.NONE) found.value.fence()
      })
    }
  }

  // --- share partitions --------------------------------------------------------------------------------------------

  #leaderOf({ topicId, partition: index, wasKnown }: SharedTopicPartition): {
    readonly error: ErrorCode
    readonly partition: Partition | undefined
  } {
    const { metadata, replicas } = this.#options
    const topic = metadata().topicsById.get(topicId)
    if (topic === undefined) {
      const error = wasKnown === true ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.UNKNOWN_TOPIC_ID
      return { error, partition: undefined }
    }
    const partition = replicas.partition(topic.name, index)
    if (partition === undefined)
      return { error: replicas.missingPartitionError(topic.name, index), partition }
    return { error: partition.checkLeaderEpoch(-1, true), partition }
  }

  #load(groupId: string, partition: Partition): Deferred<Result<SharePartition>> {
    const at = { topicId: partition.topicId, partition: partition.index }
    const key = partitionKeyOf(at)
    let ofGroup = this.#partitions.get(groupId)
    if (ofGroup === undefined) {
      ofGroup = new Map()
      this.#partitions.set(groupId, ofGroup)
    }
    const known = ofGroup.get(key)
    if (known !== undefined) return known
    const entry = new Deferred<Result<SharePartition>>()
    ofGroup.set(key, entry)
    const { clock, config, persister } = this.#options
    const { leaderEpoch } = partition
    const fail = (error: Exclude<ErrorCode, 0>): void => {
      if (this.#partitions.get(groupId)?.get(key) === entry) this.#partitions.get(groupId)?.delete(key)
      entry.complete({ error })
    }
    persister.read(groupId, [{ ...at, leaderEpoch }]).whenDone(([state]) => {
      const error = persisterError(state?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR)
      if (error !== ErrorCode.NONE) return fail(error)
      if (!partition.isLeader || partition.leaderEpoch !== leaderEpoch)
        return fail(ErrorCode.NOT_LEADER_OR_FOLLOWER)
      if (state === undefined || !('stateBatches' in state)) return fail(ErrorCode.UNKNOWN_SERVER_ERROR)
      const startOffset =
        state.startOffset >= 0
          ? state.startOffset
          : resetOffset(partition, shareOffsetReset(config, groupId), clock.wallMs())
      if (startOffset === undefined) return fail(ErrorCode.LEADER_NOT_AVAILABLE)
      const sharePartition = new SharePartition(this.#host, groupId, partition)
      sharePartition.load(state, startOffset)
      entry.complete({ error: ErrorCode.NONE, value: sharePartition })
    })
    return entry
  }

  // --- fetching ----------------------------------------------------------------------------------------------------

  /** Hands out records; waits for `minBytes` when nothing speaks against it. Answers come in the order of the partitions. */
  fetch(options: ShareFetchOptions): Deferred<SharedFetchResult[]> {
    const { groupId, partitions } = options
    const entries = partitions.map((at) => {
      const { error, partition: leader } = this.#leaderOf(at)
      const loaded =
        error === ErrorCode.NONE && leader !== undefined
          ? this.#load(groupId, leader)
          : Deferred.of<Result<SharePartition>>({ error: error || ErrorCode.UNKNOWN_SERVER_ERROR })
      return { at, leader, loaded }
    })
    const settled = new Deferred<LoadedPartition[]>()
    const settle = () =>
      settled.complete(entries.map(({ at, leader, loaded }) => ({ at, leader, found: loaded.value })))
    // One share coordinator that does not answer must not hold back the partitions of the others.
    const limit = this.#options.scheduler.schedule(
      'time limit of share partitions that are read',
      Math.max(options.maxWaitMs, LOAD_WAIT_MS),
      settle,
    )
    Deferred.all(entries.map(({ loaded }) => loaded)).whenDone(settle)
    settled.whenDone(() => limit.cancel())
    return settled.flatMap((loaded) => this.#whenReadable(options, loaded))
  }

  #whenReadable(
    options: ShareFetchOptions,
    loaded: readonly LoadedPartition[],
  ): Deferred<SharedFetchResult[]> {
    const upTo: ReadUpperBound = isReadCommitted(this.#options.config, options.groupId)
      ? 'lastStable'
      : 'highWatermark'
    const shared = loaded.flatMap(({ found }) => (found?.error === ErrorCode.NONE ? [found.value] : []))
    const hasError = shared.length < loaded.length
    const answer = new Deferred<SharedFetchResult[]>()
    const finish = () => answer.complete(this.#acquireAll(options, loaded, upTo))
    if (shared.length === 0 || hasError || options.maxWaitMs <= 0) {
      finish()
      return answer
    }
    const operation = new DelayedShareFetch({
      partitions: shared,
      upTo,
      minBytes: options.minBytes,
      onDone: () => {
        stopListening()
        finish()
      },
    })
    const stopListening = options.onClosed(() => operation.abandon())
    operation.start(
      this.#options.scheduler,
      `long poll of a ShareFetch on ${shared.length} partitions`,
      options.maxWaitMs,
      shared.flatMap((sharePartition) => [sharePartition, sharePartition.partition]),
    )
    options.onWait?.(() => operation.expire())
    return answer
  }

  #acquireAll(
    options: ShareFetchOptions,
    loaded: readonly LoadedPartition[],
    upTo: ReadUpperBound,
  ): SharedFetchResult[] {
    // Whoever went away while it waited is given nothing: it would be locked for nobody.
    if (this.sessions.get(options.groupId, options.memberId) === undefined) return []
    let records = options.maxRecords
    let bytes = options.maxBytes
    return loaded.map(({ at, leader, found }): SharedFetchResult => {
      const nothing = { leader, records: NO_RECORDS, acquired: [], isOpen: true, ...at }
      if (found === undefined) return { ...nothing, error: ErrorCode.NONE, isOpen: false }
      if (found.error !== ErrorCode.NONE) return { ...nothing, error: found.error }
      const sharePartition = found.value
      const error = this.#leaderOf(at).error
      if (error !== ErrorCode.NONE) return { ...nothing, error }
      if (sharePartition.isFenced) return { ...nothing, error: ErrorCode.NOT_LEADER_OR_FOLLOWER }
      if (!sharePartition.canAcquire) return { ...nothing, error: ErrorCode.NONE, isOpen: false }
      if (records <= 0 || bytes <= 0) return { ...nothing, error: ErrorCode.NONE }
      const taken = acquireFrom(sharePartition, { ...options, maxRecords: records, maxBytes: bytes }, upTo)
      for (const { firstOffset, lastOffset } of taken.acquired) records -= lastOffset - firstOffset + 1
      bytes -= taken.records.length
      return { ...nothing, ...taken }
    })
  }

  // --- acknowledging -----------------------------------------------------------------------------------------------

  acknowledge(
    groupId: string,
    memberId: string,
    acknowledgements: readonly PartitionAcknowledgement[],
    isRenewAck: boolean,
  ): Deferred<PartitionAcknowledged[]> {
    return Deferred.all(
      acknowledgements.map(({ topicId, partition, batches }) => {
        const at = { topicId, partition }
        const { error, partition: leader } = this.#leaderOf(at)
        const answer = (result: AcknowledgeResult): PartitionAcknowledged => ({ ...at, leader, ...result })
        if (error !== ErrorCode.NONE) return Deferred.of(answer({ error, message: null }))
        if (!areSound(batches, isRenewAck))
          return Deferred.of(answer({ error: ErrorCode.INVALID_REQUEST, message: null }))
        const sharePartition = this.sharePartition(groupId, at)
        return sharePartition === undefined
          ? Deferred.of(answer({ error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message: null }))
          : sharePartition.acknowledge(memberId, batches).map(answer)
      }),
    )
  }
}

interface LoadedPartition {
  readonly at: SharedTopicPartition
  readonly leader: Partition | undefined
  /** undefined while it is being read. */
  readonly found: Result<SharePartition> | undefined
}
