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
  /** Not to be fetched any more, and told of. */
  #dropped = new Set<FetchedPartition>()

  /** The next request must name every partition. */
  get isWhole(): boolean {
    return this.#epoch === 0
  }

  drop(fetched: FetchedPartition): void {
    this.#dropped.add(fetched)
  }

  /**
   * What to send so that the leader serves, of the partitions that may have changed, exactly the `wanted`. The others stay as told.
   * @param changed all of them when the session `isWhole`
   */
  plan(
    changed: Iterable<FetchedPartition>,
    isWanted: (fetched: FetchedPartition) => boolean,
    maxBytes: number,
  ): FetchPlan {
    const told = this.#told
    const named = new Map<string, { topicId: string; partitions: PartitionRequest[] }>()
    const forgotten = new Map<string, { topicId: string; partitions: number[] }>()
    const forget = ({ partition: { topicId, index } }: FetchedPartition): void => {
      if (!told.delete(`${topicId}-${index}`)) return
      const topic = forgotten.get(topicId) ?? { topicId, partitions: [] }
      topic.partitions.push(index)
      forgotten.set(topicId, topic)
    }
    for (const fetched of changed) {
      const request = isWanted(fetched) ? fetched.request(maxBytes) : undefined
      if (request === undefined) {
        forget(fetched)
        continue
      }
      const { topicId } = fetched.partition
      const key = `${topicId}-${request.partition}`
      const last = told.get(key)
      told.set(key, { fetched, request })
      if (last !== undefined && last.fetched === fetched && isSame(last.request, request)) continue
      const topic = named.get(topicId) ?? { topicId, partitions: [] }
      topic.partitions.push(request)
      named.set(topicId, topic)
    }
    for (const fetched of this.#dropped) {
      const { topicId, index } = fetched.partition
      if (told.get(`${topicId}-${index}`)?.fetched === fetched) forget(fetched)
    }
    this.#dropped.clear()
    return {
      sessionId: this.#id,
      sessionEpoch: this.#epoch,
      topics: [...named.values()],
      forgotten: [...forgotten.values()],
      asked: told,
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
    if (sessionId === 0) this.restart()
    else this.#epoch = this.#epoch === MAX_EPOCH ? 1 : this.#epoch + 1
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
