/**
 * The fetch session with one broker (KIP-227): after a full request only changes are sent, and only what is new comes back.
 * One request at a time; a failure of any kind starts a new session.
 */
import type { FetchRequest } from '../../common/protocol/apis/01-fetch.ts'
import { ZERO_UUID } from '../../common/protocol/schema.ts'

/** One partition as a request names it. */
export interface SessionPartition {
  readonly topic: string
  /** ZERO_UUID when the broker does not tell. */
  readonly topicId: string
  readonly partition: number
  readonly fetchOffset: number
  readonly currentLeaderEpoch: number
  readonly maxBytes: number
}

type Topics = {
  topic: string
  topicId: string
  partitions: {
    partition: number
    currentLeaderEpoch: number
    fetchOffset: number
    partitionMaxBytes: number
  }[]
}[]

export type SessionRequest = Pick<FetchRequest, 'sessionId' | 'sessionEpoch'> & {
  readonly topics: Topics
  readonly forgottenTopicsData: { topic: string; topicId: string; partitions: number[] }[]
}

const NO_SESSION = 0
const FIRST_EPOCH = 0

export class FetchSession {
  #sessionId = NO_SESSION
  #epoch = FIRST_EPOCH
  #partitions = new Map<string, SessionPartition>()

  get sessionId(): number {
    return this.#sessionId
  }

  /** The request for exactly these partitions, by their keys. */
  request(wanted: ReadonlyMap<string, SessionPartition>): SessionRequest {
    const isFull = this.#epoch === FIRST_EPOCH
    const changed: SessionPartition[] = []
    const forgotten: SessionPartition[] = []
    for (const [key, partition] of wanted) {
      const known = isFull ? undefined : this.#partitions.get(key)
      if (known === undefined || !isSame(known, partition)) changed.push(partition)
      if (known !== undefined && known.topicId !== partition.topicId) forgotten.push(known)
    }
    if (!isFull) {
      for (const [key, partition] of this.#partitions) if (!wanted.has(key)) forgotten.push(partition)
    }
    this.#partitions = new Map(wanted)
    return {
      sessionId: this.#sessionId,
      sessionEpoch: this.#epoch,
      topics: topicsOf(changed),
      forgottenTopicsData: topicsOf(forgotten).map(({ topic, topicId, partitions }) => ({
        topic,
        topicId,
        partitions: partitions.map(({ partition }) => partition),
      })),
    }
  }

  /** The broker answered without an error of the session. */
  answered(sessionId: number): void {
    if (sessionId === NO_SESSION) {
      this.reset()
      return
    }
    this.#sessionId = sessionId
    this.#epoch = this.#epoch === 0x7fffffff ? 1 : this.#epoch + 1
  }

  /** The next request begins anew. The broker's half is replaced by it, or expires. */
  reset(): void {
    this.#sessionId = NO_SESSION
    this.#epoch = FIRST_EPOCH
    this.#partitions.clear()
  }

  /** As `reset`, and the next request also ends the broker's half. */
  restart(): void {
    this.#epoch = FIRST_EPOCH
    this.#partitions.clear()
  }
}

function isSame(one: SessionPartition, other: SessionPartition): boolean {
  return (
    one.fetchOffset === other.fetchOffset &&
    one.currentLeaderEpoch === other.currentLeaderEpoch &&
    one.maxBytes === other.maxBytes &&
    one.topicId === other.topicId
  )
}

function topicsOf(partitions: readonly SessionPartition[]): Topics {
  const topics = new Map<string, Topics[number]>()
  for (const { topic, topicId, partition, fetchOffset, currentLeaderEpoch, maxBytes } of partitions) {
    const key = topicId === ZERO_UUID ? topic : topicId
    let entry = topics.get(key)
    if (entry === undefined) {
      entry = { topic, topicId, partitions: [] }
      topics.set(key, entry)
    }
    entry.partitions.push({ partition, currentLeaderEpoch, fetchOffset, partitionMaxBytes: maxBytes })
  }
  return [...topics.values()]
}
