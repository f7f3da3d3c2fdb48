/**
 * What the leader of the metadata quorum knows about the other nodes: how far each has come, and when it was heard of.
 *
 * Owner: the quorum, for one epoch. Commit rule (KIP-595): the largest offset that a majority of the voters has durably, but nothing
 * before the leader's own first record is so: records of earlier epochs are committed by one of this epoch behind them.
 */
import { majorityOf } from './vote-tally.ts'

/** A replica of the metadata log as DescribeQuorum shows it. Times in wall clock milliseconds, -1 when not known. */
export interface ReplicaDescription {
  readonly replicaId: number
  readonly logEndOffset: number
  readonly lastFetchTimestamp: number
  readonly lastCaughtUpTimestamp: number
}

interface Progress {
  /** -1 until it fetched in this epoch. */
  endOffset: number
  /** Monotonic; the beginning of the epoch until it was heard of. */
  heardMs: number
  hasFetched: boolean
  lastFetchTimestamp: number
  lastCaughtUpTimestamp: number
  /** End of the leader's log at the fetch before. */
  leaderEndOffsetAtFetch: number
}

/** A node that is no voter is forgotten when it has not fetched for so long. */
const OBSERVER_SESSION_MS = 300_000
const MAX_OBSERVERS = 1000

export interface LeaderFetch {
  readonly replicaId: number
  readonly fetchOffset: number
  readonly leaderEndOffset: number
  readonly nowMs: number
  readonly wallMs: number
}

export class LeaderState {
  readonly epoch: number
  /** Where the leader's first record of the epoch lies. */
  readonly epochStartOffset: number
  readonly #nodeId: number
  readonly #voters: ReadonlyMap<number, Progress>
  readonly #observers = new Map<number, Progress>()
  #hasCommitted = false

  constructor(init: {
    nodeId: number
    epoch: number
    epochStartOffset: number
    voters: readonly number[]
    nowMs: number
  }) {
    this.#nodeId = init.nodeId
    this.epoch = init.epoch
    this.epochStartOffset = init.epochStartOffset
    this.#voters = new Map(init.voters.map((voterId) => [voterId, newProgress(init.nowMs)]))
  }

  /** A fetch whose position was found in the leader's log: everything before it is durable with the replica. */
  recordFetch(fetch: LeaderFetch): void {
    const progress = this.#progressOf(fetch)
    if (progress === undefined) return
    this.#note(progress, fetch.nowMs)
    if (fetch.fetchOffset >= fetch.leaderEndOffset) {
      progress.lastCaughtUpTimestamp = Math.max(progress.lastCaughtUpTimestamp, fetch.wallMs)
    } else if (progress.hasFetched && fetch.fetchOffset >= progress.leaderEndOffsetAtFetch) {
      progress.lastCaughtUpTimestamp = Math.max(progress.lastCaughtUpTimestamp, progress.lastFetchTimestamp)
    }
    progress.hasFetched = true
    // A voter that lost its disk comes back with less.
    progress.endOffset = fetch.fetchOffset
    progress.lastFetchTimestamp = fetch.wallMs
    progress.leaderEndOffsetAtFetch = fetch.leaderEndOffset
  }

  /** A voter that follows in this epoch, wherever its log ends. */
  recordContact(replicaId: number, nowMs: number): void {
    const progress = this.#voters.get(replicaId)
    if (progress !== undefined) this.#note(progress, nowMs)
  }

  /** Whether the voter was heard of since then. */
  hasHeardOf(voterId: number, sinceMs: number): boolean {
    const { hasFetched = false, heardMs = -1 } = this.#voters.get(voterId) ?? {}
    return hasFetched && heardMs >= sinceMs
  }

  /** Everything below is committed; undefined while nothing of this epoch is. */
  committedOffset(ownDurableOffset: number): number | undefined {
    const ends = [...this.#voters]
      .map(([voterId, { endOffset }]) => (voterId === this.#nodeId ? ownDurableOffset : endOffset))
      .sort((left, right) => right - left)
    const committed = ends[majorityOf(ends.length) - 1] as number
    if (committed <= this.epochStartOffset) return undefined
    this.#hasCommitted = true
    return committed
  }

  /** Until then the leader does not know how much of what came before it is committed, and must not say. */
  get hasCommitted(): boolean {
    return this.#hasCommitted
  }

  /** When the last fetch came without which there would be no majority. */
  majorityHeardMs(nowMs: number): number {
    const times = [...this.#voters]
      .map(([voterId, { heardMs }]) => (voterId === this.#nodeId ? nowMs : heardMs))
      .sort((left, right) => right - left)
    return times[majorityOf(times.length) - 1] as number
  }

  /** The other voters, those that have come furthest first: who should lead next. */
  successors(): number[] {
    return [...this.#voters]
      .filter(([voterId]) => voterId !== this.#nodeId)
      .sort(([leftId, left], [rightId, right]) => right.endOffset - left.endOffset || leftId - rightId)
      .map(([voterId]) => voterId)
  }

  describe(own: { logEndOffset: number; nowMs: number; wallMs: number }): {
    readonly voters: readonly ReplicaDescription[]
    readonly observers: readonly ReplicaDescription[]
  } {
    this.#forgetObservers(own.nowMs)
    const voters = [...this.#voters].map(([replicaId, progress]) =>
      replicaId === this.#nodeId
        ? {
            replicaId,
            logEndOffset: own.logEndOffset,
            // The leader is always caught up with itself.
            lastFetchTimestamp: own.wallMs,
            lastCaughtUpTimestamp: own.wallMs,
          }
        : describeProgress(replicaId, progress),
    )
    const observers = [...this.#observers].map(([replicaId, progress]) =>
      describeProgress(replicaId, progress),
    )
    return { voters, observers }
  }

  #note(progress: Progress, nowMs: number): void {
    progress.heardMs = Math.max(progress.heardMs, nowMs)
  }

  #progressOf({ replicaId, nowMs }: LeaderFetch): Progress | undefined {
    if (replicaId < 0 || replicaId === this.#nodeId) return undefined
    const known = this.#voters.get(replicaId) ?? this.#observers.get(replicaId)
    if (known !== undefined) return known
    if (this.#observers.size >= MAX_OBSERVERS) this.#forgetObservers(nowMs)
    if (this.#observers.size >= MAX_OBSERVERS) return undefined
    const progress = newProgress(nowMs)
    this.#observers.set(replicaId, progress)
    return progress
  }

  #forgetObservers(nowMs: number): void {
    for (const [replicaId, { heardMs }] of this.#observers) {
      if (nowMs - heardMs > OBSERVER_SESSION_MS) this.#observers.delete(replicaId)
    }
  }
}

function newProgress(nowMs: number): Progress {
  return {
    endOffset: -1,
    heardMs: nowMs,
    hasFetched: false,
    lastFetchTimestamp: -1,
    lastCaughtUpTimestamp: -1,
    leaderEndOffsetAtFetch: -1,
  }
}

function describeProgress(replicaId: number, progress: Progress): ReplicaDescription {
  const { endOffset: logEndOffset, lastFetchTimestamp, lastCaughtUpTimestamp } = progress
  return { replicaId, logEndOffset, lastFetchTimestamp, lastCaughtUpTimestamp }
}
