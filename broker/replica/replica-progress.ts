/**
 * What the leader of a partition knows about one follower, learnt from that follower's fetches.
 */
export class ReplicaProgress {
  readonly brokerId: number
  /** Fetch offset of its latest fetch: everything below is in the follower's log. -1: not known in this epoch. */
  logEndOffset = -1
  logStartOffset = -1
  /** Epoch of the broker's incarnation that fetched, -1 when unknown. */
  brokerEpoch = -1
  /** Monotonic time of the latest moment at which it had all that the leader had. */
  lastCaughtUpMs: number
  #lastFetchMs = 0
  #leaderEndOffsetAtLastFetch = -1

  constructor(brokerId: number, lastCaughtUpMs: number) {
    this.brokerId = brokerId
    this.lastCaughtUpMs = lastCaughtUpMs
  }

  get lastFetchMs(): number {
    return this.#lastFetchMs
  }

  onFetch(fetch: {
    fetchOffset: number
    logStartOffset: number
    leaderEndOffset: number
    brokerEpoch: number
    nowMs: number
  }): void {
    if (fetch.fetchOffset >= fetch.leaderEndOffset)
      this.lastCaughtUpMs = Math.max(this.lastCaughtUpMs, fetch.nowMs)
    else if (fetch.fetchOffset >= this.#leaderEndOffsetAtLastFetch) {
      this.lastCaughtUpMs = Math.max(this.lastCaughtUpMs, this.#lastFetchMs)
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
