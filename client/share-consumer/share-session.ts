/**
 * The share session with one broker: what the broker knows to be wanted, and the epoch that keeps requests in order. Begins with epoch 0,
 * which names everything and acknowledges nothing; later requests name what is new, what is gone and what is acknowledged.
 */
import type { Acknowledgements } from './in-flight-batch.ts'
import { acknowledgementBatches } from './in-flight-batch.ts'

const FINAL_EPOCH = -1
const MAX_EPOCH = 0x7fffffff

export interface WantedPartition {
  readonly topicId: string
  readonly partition: number
}

interface TopicRequest {
  topicId: string
  partitions: { partitionIndex: number; acknowledgementBatches: ReturnType<typeof acknowledgementBatches> }[]
}

export class ShareSession {
  #epoch = 0
  #known = new Map<string, WantedPartition>()

  get isOpen(): boolean {
    return this.#epoch > 0
  }

  reset(): void {
    this.#epoch = 0
    this.#known.clear()
  }

  /** A request was answered without an error of the session. */
  succeeded(): void {
    this.#epoch = this.#epoch === MAX_EPOCH ? 1 : this.#epoch + 1
  }

  fetch(wanted: ReadonlyMap<string, WantedPartition>, acknowledged: readonly Acknowledgements[]) {
    const fresh = [...wanted].filter(([key]) => !this.#known.has(key)).map(([, one]) => one)
    const gone = [...this.#known].filter(([key]) => !wanted.has(key)).map(([, one]) => one)
    this.#known = new Map(wanted)
    return {
      shareSessionEpoch: this.#epoch,
      topics: topicsOf(fresh, acknowledged),
      forgottenTopicsData: forgotten(gone),
    }
  }

  acknowledge(acknowledged: readonly Acknowledgements[]) {
    return { shareSessionEpoch: this.#epoch, topics: topicsOf([], acknowledged) }
  }

  /** The last request: what is not acknowledged is released. */
  end(acknowledged: readonly Acknowledgements[]) {
    this.reset()
    return { shareSessionEpoch: FINAL_EPOCH, topics: topicsOf([], acknowledged) }
  }
}

function topicsOf(
  wanted: readonly WantedPartition[],
  acknowledged: readonly Acknowledgements[],
): TopicRequest[] {
  const topics = new Map<string, TopicRequest>()
  const at = ({ topicId, partition }: WantedPartition): TopicRequest['partitions'][number] => {
    let topic = topics.get(topicId)
    if (topic === undefined) {
      topic = { topicId, partitions: [] }
      topics.set(topicId, topic)
    }
    const known = topic.partitions.find(({ partitionIndex }) => partitionIndex === partition)
    if (known !== undefined) return known
    const fresh = { partitionIndex: partition, acknowledgementBatches: [] }
    topic.partitions.push(fresh)
    return fresh
  }
  for (const one of wanted) at(one)
  for (const { from, verdicts } of acknowledged) {
    at(from).acknowledgementBatches.push(...acknowledgementBatches(verdicts))
  }
  for (const { partitions } of topics.values()) {
    // Verdicts over one partition may come from several batches; the broker wants them in order.
    for (const { acknowledgementBatches: batches } of partitions) {
      batches.sort((one, other) => one.firstOffset - other.firstOffset)
    }
  }
  return [...topics.values()]
}

function forgotten(gone: readonly WantedPartition[]): { topicId: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const { topicId, partition } of gone) {
    const known = topics.get(topicId)
    if (known === undefined) topics.set(topicId, [partition])
    else known.push(partition)
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }))
}
