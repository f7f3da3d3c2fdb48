/**
 * Incremental fetch sessions (KIP-227): what each fetching client told us about its partitions, so that later requests and
 * answers name only what changed.
 *
 * Owner: the replica manager of one broker; memory only, empty after a restart as in Kafka. Limits: at most
 * `max.incremental.fetch.session.cache.slots` sessions; an idle one may be evicted after
 * `min.incremental.fetch.session.eviction.ms`.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Clock } from '../../common/runtime/clock.ts'
import type { Random } from '../../common/runtime/random.ts'

/** One partition of a fetch, as the client asked for it. */
export interface FetchPartitionRequest {
  /** Empty when the request names topics by id and the id is not known here. */
  topic: string
  topicId: string
  partition: number
  /** -1: not checked. */
  currentLeaderEpoch: number
  fetchOffset: number
  /** -1: no divergence check. */
  lastFetchedEpoch: number
  logStartOffset: number
  partitionMaxBytes: number
  /** The high watermark the fetcher knows (KIP-1166); MAX means that it does not say. */
  knownHighWatermark: number
}

/** What of an answer decides whether an incremental response must name the partition. */
export interface FetchPartitionAnswer {
  readonly errorCode: number
  readonly highWatermark: number
  readonly logStartOffset: number
  readonly preferredReadReplica: number
  readonly recordsSizeBytes: number
  readonly hasDivergingEpoch: boolean
}

interface CachedPartition extends FetchPartitionRequest {
  sentHighWatermark: number
  sentLogStartOffset: number
}

interface FetchSession {
  readonly id: number
  readonly isPrivileged: boolean
  readonly usesTopicIds: boolean
  readonly createdMs: number
  /** In the order in which they are served; a partition that gave records moves to the end. */
  readonly partitions: Map<string, CachedPartition>
  lastUsedMs: number
  /** The epoch that the next request must carry. */
  epoch: number
  /** Number of partitions when it was last measured: eviction prefers small ones. */
  cachedSize: number
}

/** What a Fetch request turned out to mean. */
export type FetchContext =
  | { readonly kind: 'error'; readonly error: Exclude<ErrorCode, 0> }
  | { readonly kind: 'sessionless'; readonly partitions: readonly FetchPartitionRequest[] }
  | { readonly kind: 'full'; readonly partitions: readonly FetchPartitionRequest[] }
  | {
      readonly kind: 'incremental'
      readonly partitions: readonly FetchPartitionRequest[]
      readonly session: FetchSessionView
      /** Epoch of the session after this request; an answer with another one is out of date. */
      readonly epoch: number
    }

export interface FetchSessionView {
  readonly id: number
}

export interface FetchSessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly usesTopicIds: boolean
  readonly isFollower: boolean
  readonly partitions: readonly FetchPartitionRequest[]
  readonly forgotten: readonly {
    readonly topic: string
    readonly topicId: string
    readonly partition: number
  }[]
}

const NO_SESSION = 0
const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
const MAX_EPOCH = 0x7fffffff

function nextEpoch(epoch: number): number {
  if (epoch < 0) return FINAL_EPOCH
  return epoch === MAX_EPOCH ? 1 : epoch + 1
}

function keyOf(
  partition: { topic: string; topicId: string; partition: number },
  usesTopicIds: boolean,
): string {
  return `${usesTopicIds ? partition.topicId : partition.topic}\n${partition.partition}`
}

export class FetchSessionCache {
  readonly #sessions = new Map<number, FetchSession>()
  readonly #clock: Clock
  readonly #random: Random
  readonly #maxSessions: number
  readonly #evictionMs: number
  #evictions = 0

  constructor(options: { clock: Clock; random: Random; maxSessions: number; evictionMs: number }) {
    this.#clock = options.clock
    this.#random = options.random
    this.#maxSessions = options.maxSessions
    this.#evictionMs = options.evictionMs
  }

  get size(): number {
    return this.#sessions.size
  }

  /** What a session asks for, whatever its next request names; empty when there is no such session. */
  partitionsOf(sessionId: number): readonly FetchPartitionRequest[] {
    return [...(this.#sessions.get(sessionId)?.partitions.values() ?? [])]
  }

  /** Sessions evicted so far, for metrics. */
  get evictions(): number {
    return this.#evictions
  }

  /** Number of partitions in all sessions, for metrics. */
  get partitionCount(): number {
    let count = 0
    for (const session of this.#sessions.values()) count += session.partitions.size
    return count
  }

  /** Works out the partitions that a request is about, and moves its session on. */
  resolve(request: FetchSessionRequest): FetchContext {
    const { sessionId, sessionEpoch } = request
    if (sessionEpoch === INITIAL_EPOCH || sessionEpoch === FINAL_EPOCH) {
      if (sessionId !== NO_SESSION) this.#sessions.delete(sessionId)
      return { kind: sessionEpoch === FINAL_EPOCH ? 'sessionless' : 'full', partitions: request.partitions }
    }
    const session = this.#sessions.get(sessionId)
    if (session === undefined) return { kind: 'error', error: ErrorCode.FETCH_SESSION_ID_NOT_FOUND }
    if (session.epoch !== sessionEpoch) return { kind: 'error', error: ErrorCode.INVALID_FETCH_SESSION_EPOCH }
    if (session.usesTopicIds !== request.usesTopicIds) {
      return { kind: 'error', error: ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR }
    }
    this.#update(session, request)
    if (session.partitions.size === 0) {
      this.#sessions.delete(session.id)
      return { kind: 'sessionless', partitions: [] }
    }
    session.epoch = nextEpoch(session.epoch)
    session.lastUsedMs = this.#clock.monotonicMs()
    return {
      kind: 'incremental',
      partitions: [...session.partitions.values()],
      session,
      epoch: session.epoch,
    }
  }

  /**
   * After a full fetch: keeps a session for what was asked.
   * @returns its id, or 0 when there is no room (the client then goes on with full requests)
   */
  create(request: FetchSessionRequest, answers: readonly FetchPartitionAnswer[]): number {
    const nowMs = this.#clock.monotonicMs()
    const { partitions, isFollower, usesTopicIds } = request
    if (this.#sessions.size >= this.#maxSessions && !this.#tryEvict(isFollower, partitions.length, nowMs)) {
      return NO_SESSION
    }
    const session: FetchSession = {
      id: this.#newSessionId(),
      isPrivileged: isFollower,
      usesTopicIds,
      createdMs: nowMs,
      partitions: new Map(),
      lastUsedMs: nowMs,
      epoch: nextEpoch(INITIAL_EPOCH),
      cachedSize: partitions.length,
    }
    partitions.forEach((partition, index) => {
      const answer = answers[index]
      session.partitions.set(keyOf(partition, usesTopicIds), {
        ...partition,
        sentHighWatermark: answer === undefined || answer.errorCode !== 0 ? -1 : answer.highWatermark,
        sentLogStartOffset: answer === undefined ? -1 : answer.logStartOffset,
      })
    })
    this.#sessions.set(session.id, session)
    return session.id
  }

  /**
   * Decides which of the answers an incremental response names, and remembers what was sent. With `commit: false` nothing is
   * remembered or moved: for asking whether a response would be empty.
   */
  changedAnswers(
    context: FetchContext & { kind: 'incremental' },
    answers: readonly FetchPartitionAnswer[],
    commit: boolean,
  ): boolean[] | undefined {
    const session = this.#sessions.get(context.session.id)
    if (session === undefined || session.epoch !== context.epoch) return undefined
    return context.partitions.map((partition, index) => {
      const answer = answers[index] as FetchPartitionAnswer
      const key = keyOf(partition, session.usesTopicIds)
      const cached = session.partitions.get(key)
      if (cached === undefined) return true
      const mustName =
        answer.recordsSizeBytes > 0 ||
        answer.errorCode !== 0 ||
        answer.hasDivergingEpoch ||
        answer.preferredReadReplica >= 0 ||
        answer.highWatermark !== cached.sentHighWatermark ||
        answer.logStartOffset !== cached.sentLogStartOffset
      if (mustName && commit) this.#remember(session, key, cached, answer)
      return mustName
    })
  }

  #remember(session: FetchSession, key: string, cached: CachedPartition, answer: FetchPartitionAnswer): void {
    // An error must be repeated until it is gone, so the watermark is forgotten with it.
    cached.sentHighWatermark = answer.errorCode === 0 ? answer.highWatermark : -1
    cached.sentLogStartOffset = answer.logStartOffset
    if (answer.recordsSizeBytes > 0) {
      session.partitions.delete(key)
      session.partitions.set(key, cached)
    }
  }

  #update(session: FetchSession, request: FetchSessionRequest): void {
    for (const partition of request.partitions) {
      const key = keyOf(partition, session.usesTopicIds)
      const cached = session.partitions.get(key)
      if (cached === undefined) {
        session.partitions.set(key, { ...partition, sentHighWatermark: -1, sentLogStartOffset: -1 })
      } else {
        Object.assign(cached, partition)
      }
    }
    for (const forgotten of request.forgotten)
      session.partitions.delete(keyOf(forgotten, session.usesTopicIds))
    session.cachedSize = session.partitions.size
  }

  /** Makes room: for anybody by dropping the session idle for too long, else a smaller or less privileged one. */
  #tryEvict(isPrivileged: boolean, sizeInPartitions: number, nowMs: number): boolean {
    let oldest: FetchSession | undefined
    for (const session of this.#sessions.values()) {
      if (oldest === undefined || session.lastUsedMs < oldest.lastUsedMs) oldest = session
    }
    if (oldest !== undefined && nowMs - oldest.lastUsedMs > this.#evictionMs) return this.#evict(oldest)
    let candidate: FetchSession | undefined
    for (const session of this.#sessions.values()) {
      if (nowMs - session.createdMs <= this.#evictionMs) continue
      const isWeaker =
        isPrivileged === session.isPrivileged
          ? session.cachedSize < sizeInPartitions
          : isPrivileged && !session.isPrivileged
      if (!isWeaker) continue
      if (
        candidate === undefined ||
        Number(session.isPrivileged) < Number(candidate.isPrivileged) ||
        (session.isPrivileged === candidate.isPrivileged && session.cachedSize < candidate.cachedSize)
      ) {
        candidate = session
      }
    }
    return candidate !== undefined && this.#evict(candidate)
  }

  #evict(session: FetchSession): boolean {
    this.#sessions.delete(session.id)
    this.#evictions += 1
    return true
  }

  #newSessionId(): number {
    for (;;) {
      const id = this.#random.int(MAX_EPOCH - 1) + 1
      if (!this.#sessions.has(id)) return id
    }
  }
}
