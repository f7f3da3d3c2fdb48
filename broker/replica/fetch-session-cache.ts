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
import type { FetchPartitionAnswer, FetchPartitionRequest, FetchSessionRequest } from './fetch-request.ts'
import { FetchSession } from './fetch-session.ts'

/** What a Fetch request turned out to mean. */
export type FetchContext =
  | { readonly kind: 'error'; readonly error: Exclude<ErrorCode, 0> }
  | { readonly kind: 'sessionless'; readonly partitions: readonly FetchPartitionRequest[] }
  | { readonly kind: 'full'; readonly partitions: readonly FetchPartitionRequest[] }
  | {
      readonly kind: 'incremental'
      readonly session: FetchSession
      /** Epoch of the session after this request; an answer with another one is out of date. */
      readonly epoch: number
    }

const NO_SESSION = 0
const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
const MAX_EPOCH = 0x7fffffff

function nextEpoch(epoch: number): number {
  if (epoch < 0) return FINAL_EPOCH
  return epoch === MAX_EPOCH ? 1 : epoch + 1
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
    return [...(this.#sessions.get(sessionId)?.partitions.values() ?? [])].map(({ request }) => request)
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
      if (sessionId !== NO_SESSION) this.#close(this.#sessions.get(sessionId))
      return { kind: sessionEpoch === FINAL_EPOCH ? 'sessionless' : 'full', partitions: request.partitions }
    }
    const session = this.#sessions.get(sessionId)
    if (session === undefined) return { kind: 'error', error: ErrorCode.FETCH_SESSION_ID_NOT_FOUND }
    if (session.epoch !== sessionEpoch) return { kind: 'error', error: ErrorCode.INVALID_FETCH_SESSION_EPOCH }
    if (session.usesTopicIds !== request.usesTopicIds) {
      return { kind: 'error', error: ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR }
    }
    session.update(request)
    if (session.partitions.size === 0) {
      this.#close(session)
      return { kind: 'sessionless', partitions: [] }
    }
    session.epoch = nextEpoch(session.epoch)
    session.lastUsedMs = this.#clock.monotonicMs()
    return { kind: 'incremental', session, epoch: session.epoch }
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
    const session = new FetchSession({
      id: this.#newSessionId(),
      isPrivileged: isFollower,
      usesTopicIds,
      createdMs: nowMs,
      epoch: nextEpoch(INITIAL_EPOCH),
    })
    for (const [index, partition] of partitions.entries()) session.add(partition, answers[index])
    session.cachedSize = partitions.length
    this.#sessions.set(session.id, session)
    return session.id
  }

  /**
   * Decides which of the answers an incremental response names, and remembers what was sent. With `commit: false` nothing is
   * remembered or moved: for asking whether a response would be empty.
   * @param answers to what the session was `answered` with, in that order
   * @returns undefined when another request has moved the session on
   */
  changedAnswers(
    context: FetchContext & { kind: 'incremental' },
    answers: readonly FetchPartitionAnswer[],
    commit: boolean,
  ): boolean[] | undefined {
    const session = this.#sessions.get(context.session.id)
    if (session !== context.session || session.epoch !== context.epoch) return undefined
    return session.changedAnswers(answers, commit)
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
    this.#close(session)
    this.#evictions += 1
    return true
  }

  #close(session: FetchSession | undefined): void {
    if (session === undefined) return
    this.#sessions.delete(session.id)
    session.end()
  }

  #newSessionId(): number {
    for (;;) {
      const id = this.#random.int(MAX_EPOCH - 1) + 1
      if (!this.#sessions.has(id)) return id
    }
  }
}
