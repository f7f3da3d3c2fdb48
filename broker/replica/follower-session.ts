/**
 * The fetching side of an incremental fetch session (KIP-227): remembers what the leader has been told, so that a request names only what
 * is different. Ten thousand idle partitions cost one small request per long poll.
 */
import type { FetchedPartition } from './fetched-partition.ts'

type PartitionRequest = NonNullable<ReturnType<FetchedPartition['request']>>

export interface FetchPlan {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly topics: readonly { readonly topicId: string; readonly partitions: readonly PartitionRequest[] }[]
  readonly forgotten: readonly { readonly topicId: string; readonly partitions: readonly number[] }[]
  /** Everything the answer may speak of, by `topicId-partition`. */
  readonly asked: ReadonlyMap<string, Told>
}

interface Told {
  readonly fetched: FetchedPartition
  readonly request: PartitionRequest
}

const MAX_EPOCH = 0x7fffffff

export class FollowerSession {
  #id = 0
  #epoch = 0
  #told = new Map<string, Told>()

  /** What to send so that the leader serves exactly `wanted`. */
  plan(wanted: readonly FetchedPartition[], maxBytes: number): FetchPlan {
    const next = new Map<string, Told>()
    const changed = new Map<string, { topicId: string; partitions: PartitionRequest[] }>()
    for (const fetched of wanted) {
      const request = fetched.request(maxBytes)
      if (request === undefined) continue
      const { topicId } = fetched.partition
      const key = `${topicId}-${request.partition}`
      const told = this.#told.get(key)
      next.set(key, { fetched, request })
      if (told !== undefined && told.fetched === fetched && isSame(told.request, request)) continue
      const topic = changed.get(topicId) ?? { topicId, partitions: [] }
      topic.partitions.push(request)
      changed.set(topicId, topic)
    }
    const forgotten = new Map<string, { topicId: string; partitions: number[] }>()
    for (const [key, { fetched, request }] of this.#told) {
      if (next.has(key)) continue
      const { topicId } = fetched.partition
      const topic = forgotten.get(topicId) ?? { topicId, partitions: [] }
      topic.partitions.push(request.partition)
      forgotten.set(topicId, topic)
    }
    this.#told = next
    return {
      sessionId: this.#id,
      sessionEpoch: this.#epoch,
      topics: [...changed.values()],
      forgotten: [...forgotten.values()],
      asked: next,
    }
  }

  /** The next request is a whole one, and ends the session that the leader may still keep. */
  restart(): void {
    this.#epoch = 0
    this.#told = new Map()
  }

  /** @param sessionId 0: the leader keeps no session; the next request is a whole one again */
  onAnswered(sessionId: number): void {
    this.#id = sessionId
    if (sessionId === 0) {
      this.#epoch = 0
      this.#told = new Map()
    } else {
      this.#epoch = this.#epoch === MAX_EPOCH ? 1 : this.#epoch + 1
    }
  }
}

function isSame(left: PartitionRequest, right: PartitionRequest): boolean {
  return (
    left.fetchOffset === right.fetchOffset &&
    left.lastFetchedEpoch === right.lastFetchedEpoch &&
    left.logStartOffset === right.logStartOffset &&
    left.currentLeaderEpoch === right.currentLeaderEpoch &&
    left.partitionMaxBytes === right.partitionMaxBytes
  )
}
