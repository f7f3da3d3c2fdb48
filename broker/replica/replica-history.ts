/**
 * Rules of replication that Kafka has given up. A cluster obeys them only when it was started so, to show why they were given up; nothing
 * else in the broker knows of older versions.
 */
export interface ReplicaHistory {
  /** Before 3.7 the watermark went on while the ISR was smaller than `min.insync.replicas`. */
  readonly commitsBelowMinIsr: boolean
  /** Before KIP-101 who began to follow cut its log to its own watermark, which may lag one fetch behind what was committed. */
  readonly cutsToOwnWatermark: boolean
}

/** The rules of today. */
export const NO_HISTORY: ReplicaHistory = { commitsBelowMinIsr: false, cutsToOwnWatermark: false }
