/**
 * What the leader of a partition knows about one follower, learnt from that follower's fetches.
 *
 * While neither the follower's request nor the leader's log end changes, the fetches of an incremental session (KIP-227) need not be
 * recorded one by one: the time of the session's latest fetch says the same.
 */

/** The fetches of one session. */
export interface FetchTimes {
  /** Monotonic time of the latest request, written after the partitions with news were recorded. */
  readonly lastFetchMs: number
}

export class ReplicaProgress {
  readonly brokerId: number
  /** Fetch offset of its latest fetch: everything below is in the follower's log. -1: not known in this epoch. */
  logEndOffset = -1
  logStartOffset = -1
  /** Epoch of the broker's incarnation that fetched, -1 when unknown. */
  brokerEpoch = -1
  #lastCaughtUpMs: number
  #session: FetchTimes | undefined
  #lastFetchMs = 0
  #leaderEndOffsetAtLastFetch = -1

  constructor(brokerId: number, lastCaughtUpMs: number) {
    this.brokerId = brokerId
    this.#lastCaughtUpMs = lastCaughtUpMs
  }

  get lastFetchMs(): number {
    return Math.max(this.#lastFetchMs, this.#session?.lastFetchMs ?? 0)
  }

  /** Monotonic time of the latest moment at which it had all that the leader had. */
  get lastCaughtUpMs(): number {
    const wasCaughtUp = this.#session !== undefined && this.logEndOffset >= this.#leaderEndOffsetAtLastFetch
    return wasCaughtUp ? Math.max(this.#lastCaughtUpMs, this.lastFetchMs) : this.#lastCaughtUpMs
  }

  /** The session's later fetches say nothing about this partition any more. */
  leaveSession(session: FetchTimes | undefined): void {
    if (session === undefined || session !== this.#session) return
    this.#lastCaughtUpMs = this.lastCaughtUpMs
    this.#lastFetchMs = this.lastFetchMs
    this.#session = undefined
  }

  onFetch(fetch: {
    fetchOffset: number
    logStartOffset: number
    leaderEndOffset: number
    brokerEpoch: number
    nowMs: number
    session?: FetchTimes | undefined
  }): void {
    this.leaveSession(this.#session)
    this.#session = fetch.session
    if (fetch.fetchOffset >= fetch.leaderEndOffset)
      this.#lastCaughtUpMs = Math.max(this.#lastCaughtUpMs, fetch.nowMs)
    else if (fetch.fetchOffset >= this.#leaderEndOffsetAtLastFetch) {
      this.#lastCaughtUpMs = Math.max(this.#lastCaughtUpMs, this.#lastFetchMs)
    }
    this.logEndOffset = fetch.fetchOffset
    this.logStartOffset = fetch.logStartOffset
    this.brokerEpoch = fetch.brokerEpoch
    this.#lastFetchMs = fetch.nowMs
    this.#leaderEndOffsetAtLastFetch = fetch.leaderEndOffset
  }

  /** A follower at the leader's end never lags, however long it has been idle. */
  isCaughtUp(leaderEndOffset: number, nowMs: number, maxLagMs: number): boolean {
    return this.logEndOffset === leaderEndOffset || nowMs - this.lastCaughtUpMs <= maxLagMs
  }
}
