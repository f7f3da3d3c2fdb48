/** A Fetch request without its wire: what is asked of each partition, and what of the answer counts in a session (KIP-227). */

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
