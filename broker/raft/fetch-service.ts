/**
 * What the leader of the metadata log serves to its replicas: Fetch, without sessions and with a long poll, and FetchSnapshot.
 *
 * A fetch that stands where the logs agree says how far the replica is durable. It is answered at once when there are records for it, or
 * a high watermark above the one it names (KIP-1166); otherwise it waits for either, for the loss of leadership, or for its time.
 * Owner: the metadata log. Limits: a waiting fetch a connection; answers of at most as much as the settings of this node say.
 */
import type { Fetch, FetchRequest, FetchResponse } from '../../common/protocol/apis/01-fetch.ts'
import type { FetchSnapshot, FetchSnapshotRequest } from '../../common/protocol/apis/59-fetch-snapshot.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { type ResponseInputOf, ZERO_UUID } from '../../common/protocol/schema.ts'
import type { Clock } from '../../common/runtime/clock.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import type { SchedulerScope } from '../../common/runtime/scheduler.ts'
import { DelayedOperation, type Watchable } from '../replica/delayed-operation.ts'
import { METADATA_TOPIC } from '../topic-names.ts'
import type { Quorum } from './quorum.ts'
import type { QuorumLimits } from './quorum-limits.ts'
import type { RaftLog } from './raft-log.ts'
import { isOtherCluster, METADATA_PARTITION, METADATA_TOPIC_ID } from './raft-messages.ts'

type Response = ResponseInputOf<typeof Fetch>
type PartitionAnswer = Response['responses'][number]['partitions'][number]
type SnapshotResponse = ResponseInputOf<typeof FetchSnapshot>

const MAX_WAIT_MS = 60_000
const NOTHING = Buffer.alloc(0)

export interface FetchServiceOptions {
  readonly nodeId: number
  readonly clusterId: string
  readonly clock: Clock
  readonly scheduler: SchedulerScope
  readonly quorum: Quorum
  readonly log: RaftLog
  readonly limits: QuorumLimits
  /** A replica has come further. */
  readonly onProgress: () => void
}

/** Takes the callback that is to be called when the connection of the request closes; @returns how to take it back */
export type OnClosed = (abandon: () => void) => () => void

interface AskedPartition {
  readonly topic: string
  readonly topicId: string
  readonly leaderEpoch: number
  readonly fetchOffset: number
  readonly lastFetchedEpoch: number
  readonly highWatermark: number
  readonly replicaId: number
  readonly maxBytes: number
}

export class FetchService implements Watchable {
  readonly #options: FetchServiceOptions
  readonly #waiting = new Set<DelayedOperation>()

  constructor(options: FetchServiceOptions) {
    this.#options = options
  }

  watch(operation: DelayedOperation): void {
    this.#waiting.add(operation)
  }

  unwatch(operation: DelayedOperation): void {
    this.#waiting.delete(operation)
  }

  /** Records, high watermark or leadership may have changed. */
  wake(): void {
    for (const operation of [...this.#waiting]) operation.tryComplete()
  }

  close(): void {
    for (const operation of [...this.#waiting]) operation.abandon()
  }

  handleFetch(request: FetchRequest, onClosed?: OnClosed): Response | Deferred<Response> {
    const { clusterId, nodeId, quorum, scheduler } = this.#options
    if (quorum.isEnded) return refused(ErrorCode.BROKER_NOT_AVAILABLE)
    if (isOtherCluster(request.clusterId, clusterId)) return refused(ErrorCode.INCONSISTENT_CLUSTER_ID)
    const asked = askedPartition(request)
    if (asked === undefined) return refused(ErrorCode.INVALID_REQUEST)
    if (
      asked.fetchOffset < 0 ||
      asked.lastFetchedEpoch < 0 ||
      asked.leaderEpoch < 0 ||
      request.maxWaitMs < 0
    ) {
      return this.#answer(asked, { errorCode: ErrorCode.INVALID_REQUEST })
    }
    this.#recordFetch(asked)
    if (request.maxWaitMs === 0 || this.#hasNews(asked)) return this.#read(asked)
    const answer = new Deferred<Response>()
    const fetch = new WaitingFetch(
      () => this.#hasNews(asked),
      () => answer.complete(this.#read(asked)),
    )
    const forget = onClosed?.(() => fetch.abandon())
    if (forget !== undefined) answer.whenDone(forget)
    const waitMs = Math.min(request.maxWaitMs, MAX_WAIT_MS)
    fetch.start(scheduler, `metadata fetch of node ${asked.replicaId} from node ${nodeId}`, waitMs, [this])
    return answer
  }

  handleFetchSnapshot(request: FetchSnapshotRequest): SnapshotResponse {
    const { clusterId, quorum, log, clock } = this.#options
    if (quorum.isEnded) return { errorCode: ErrorCode.BROKER_NOT_AVAILABLE, topics: [] }
    if (isOtherCluster(request.clusterId, clusterId))
      return { errorCode: ErrorCode.INCONSISTENT_CLUSTER_ID, topics: [] }
    const [topic] = request.topics
    const partition = topic?.partitions[0]
    if (
      topic === undefined ||
      partition === undefined ||
      request.topics.length > 1 ||
      topic.partitions.length > 1
    )
      return { errorCode: ErrorCode.INVALID_REQUEST, topics: [] }
    const { snapshotId, position, currentLeaderEpoch } = partition
    const answer = (errorCode: ErrorCode, sizeBytes = 0, bytes: Buffer = NOTHING): SnapshotResponse => ({
      errorCode: ErrorCode.NONE,
      topics: [
        {
          name: topic.name,
          partitions: [
            {
              index: partition.partition,
              errorCode,
              snapshotId,
              currentLeader: quorum.known,
              size: sizeBytes,
              position,
              unalignedRecords: bytes,
            },
          ],
        },
      ],
      nodeEndpoints: quorum.endpoints,
    })
    if (topic.name !== METADATA_TOPIC || partition.partition !== METADATA_PARTITION)
      return answer(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const error = this.#leaderError(currentLeaderEpoch)
    if (error !== ErrorCode.NONE) return answer(error)
    quorum.leader?.recordContact(request.replicaId, clock.monotonicMs())
    if (position < 0) return answer(ErrorCode.POSITION_OUT_OF_RANGE)
    const maxBytes = Math.max(1, Math.min(request.maxBytes, this.#options.limits.fetchSnapshotMaxBytes))
    const chunk = log.readChunk(snapshotId, position, maxBytes)
    if (chunk === undefined) return answer(ErrorCode.SNAPSHOT_NOT_FOUND)
    if (position >= chunk.sizeBytes) return answer(ErrorCode.POSITION_OUT_OF_RANGE)
    return answer(ErrorCode.NONE, chunk.sizeBytes, chunk.bytes)
  }

  /** -1 until the leader has committed something of its own. */
  get #knownHighWatermark(): number {
    const { quorum, log } = this.#options
    return quorum.leader?.hasCommitted === true ? log.highWatermark : -1
  }

  #leaderError(leaderEpoch: number): ErrorCode {
    const { quorum } = this.#options
    if (leaderEpoch < quorum.epoch) return ErrorCode.FENCED_LEADER_EPOCH
    if (leaderEpoch > quorum.epoch) return ErrorCode.UNKNOWN_LEADER_EPOCH
    return quorum.leader === undefined ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.NONE
  }

  #recordFetch(asked: AskedPartition): void {
    const { quorum, log, clock, onProgress } = this.#options
    const { leader } = quorum
    if (leader === undefined || asked.leaderEpoch !== quorum.epoch) return
    const nowMs = clock.monotonicMs()
    const position = log.positionOf(asked.fetchOffset, asked.lastFetchedEpoch)
    if (position.kind !== 'valid') {
      leader.recordContact(asked.replicaId, nowMs)
      return
    }
    leader.recordFetch({
      replicaId: asked.replicaId,
      fetchOffset: asked.fetchOffset,
      leaderEndOffset: log.endOffset,
      nowMs,
      wallMs: clock.wallMs(),
    })
    onProgress()
  }

  #hasNews(asked: AskedPartition): boolean {
    const { log } = this.#options
    return (
      this.#leaderError(asked.leaderEpoch) !== ErrorCode.NONE ||
      log.positionOf(asked.fetchOffset, asked.lastFetchedEpoch).kind !== 'valid' ||
      (asked.replicaId >= 0 ? log.endOffset : log.highWatermark) > asked.fetchOffset ||
      this.#knownHighWatermark > asked.highWatermark
    )
  }

  #read(asked: AskedPartition): Response {
    const error = this.#leaderError(asked.leaderEpoch)
    if (error !== ErrorCode.NONE) return this.#answer(asked, { errorCode: error })
    const { log, limits } = this.#options
    const position = log.positionOf(asked.fetchOffset, asked.lastFetchedEpoch)
    if (position.kind === 'diverging') return this.#answer(asked, { divergingEpoch: position.end })
    if (position.kind === 'snapshot') return this.#answer(asked, { snapshotId: position.id })
    const read = log.log.read({
      offset: asked.fetchOffset,
      maxBytes: Math.min(asked.maxBytes, limits.fetchMaxBytes),
      // Who is no replica may see what is committed.
      upTo: asked.replicaId >= 0 ? 'logEnd' : 'highWatermark',
      atLeastOneBatch: true,
    })
    return this.#answer(asked, { errorCode: read.error, records: read.records })
  }

  #answer(asked: AskedPartition, found: Partial<PartitionAnswer>): Response {
    const { log, quorum } = this.#options
    return {
      errorCode: ErrorCode.NONE,
      sessionId: 0,
      responses: [
        {
          topic: asked.topic,
          topicId: asked.topicId,
          partitions: [
            {
              partitionIndex: METADATA_PARTITION,
              errorCode: ErrorCode.NONE,
              highWatermark: this.#knownHighWatermark,
              logStartOffset: log.log.logStartOffset,
              currentLeader: quorum.known,
              abortedTransactions: null,
              records: NOTHING,
              ...found,
            },
          ],
        },
      ],
      nodeEndpoints: quorum.endpoints.map((endpoint) => ({ ...endpoint, rack: null })),
    }
  }
}

class WaitingFetch extends DelayedOperation {
  readonly #hasNews: () => boolean
  readonly #answer: () => void

  constructor(hasNews: () => boolean, answer: () => void) {
    super()
    this.#hasNews = hasNews
    this.#answer = answer
  }

  protected override canComplete(): boolean {
    return this.#hasNews()
  }

  protected override onComplete(): void {
    this.#answer()
  }

  protected override onExpired(): void {
    this.#answer()
  }
}

function refused(error: Exclude<ErrorCode, 0>): Response {
  return { errorCode: error, sessionId: 0, responses: [] }
}

/** @returns undefined when the request is about anything but the metadata log */
function askedPartition(request: FetchRequest): AskedPartition | undefined {
  const [topic] = request.topics
  const partition = topic?.partitions[0]
  if (topic === undefined || partition === undefined) return undefined
  if (request.topics.length > 1 || topic.partitions.length > 1) return undefined
  const isMetadata =
    topic.topicId === METADATA_TOPIC_ID || (topic.topicId === ZERO_UUID && topic.topic === METADATA_TOPIC)
  if (!isMetadata || partition.partition !== METADATA_PARTITION) return undefined
  const { fetchOffset, lastFetchedEpoch, highWatermark, currentLeaderEpoch: leaderEpoch } = partition
  const { replicaState, replicaId } = request
  return {
    topic: topic.topic,
    topicId: topic.topicId,
    leaderEpoch,
    fetchOffset,
    lastFetchedEpoch,
    highWatermark,
    // One of the two, by version.
    replicaId: Math.max(replicaState.replicaId, replicaId),
    maxBytes: request.maxBytes,
  }
}

/** The answer about the metadata log; undefined when there is none in it. */
export function fetchedPartition({ responses }: FetchResponse) {
  return responses[0]?.partitions[0]
}
