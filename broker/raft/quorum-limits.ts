/** How much of the metadata log, or of a snapshot, one answer brings, in bytes. The defaults are Kafka's. */
export interface QuorumLimits {
  /** `controller.quorum.fetch.max.bytes`: what is asked for, and the most that is served; the first batch comes whole in any case. */
  readonly fetchMaxBytes: number
  /** `controller.quorum.fetch.snapshot.max.bytes` */
  readonly fetchSnapshotMaxBytes: number
}

export const DEFAULT_QUORUM_LIMITS: QuorumLimits = { fetchMaxBytes: 1 << 20, fetchSnapshotMaxBytes: 1 << 20 }
