/**
 * What the client believes of the cluster: brokers, topics, partitions and their leaders. Data only; `metadata-refresher.ts`
 * asks the brokers. Leader hints in responses (KIP-951) are taken in here too. A leader of an older epoch than the known
 * one is not believed, as long as the topic is the same and the known one was heard of within `metadata.max.age.ms`.
 *
 * Answers are taken with care: a partition whose id is not below the number of partitions does not exist.
 */
import type { MetadataResponse } from '../../common/protocol/apis/03-metadata.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { ZERO_UUID } from '../../common/protocol/schema.ts'
import type { KnownBroker } from '../connections/broker-pool.ts'

export interface PartitionInfo {
  readonly id: number
  /** -1: none, or not known. */
  leaderId: number
  /** -1: brokers before Kafka 2.2 do not tell. */
  leaderEpoch: number
  /** Monotonic time of the last metadata that was not older. */
  readonly confirmedMs: number
  readonly replicas: readonly number[]
  readonly inSyncReplicas: readonly number[]
  readonly errorCode: number
}

export interface TopicInfo {
  readonly name: string
  /** ZERO_UUID when the broker does not tell. */
  readonly topicId: string
  readonly errorCode: number
  readonly isInternal: boolean
  /** By id, without holes. */
  readonly partitions: readonly PartitionInfo[]
  /** Monotonic time of the answer. */
  readonly updatedMs: number
}

export class MetadataCache {
  clusterId: string | null = null
  controllerId = -1
  readonly brokers = new Map<number, KnownBroker>()
  readonly #maxAgeMs: number
  readonly #topics = new Map<string, TopicInfo>()
  readonly #namesById = new Map<string, string>()

  /** @param maxAgeMs `metadata.max.age.ms` */
  constructor(maxAgeMs: number) {
    this.#maxAgeMs = maxAgeMs
  }

  topic(name: string): TopicInfo | undefined {
    return this.#topics.get(name)
  }

  topicById(topicId: string): TopicInfo | undefined {
    const name = this.#namesById.get(topicId)
    return name === undefined ? undefined : this.#topics.get(name)
  }

  partition(topic: string, partition: number): PartitionInfo | undefined {
    return this.#topics.get(topic)?.partitions[partition]
  }

  topics(): IterableIterator<TopicInfo> {
    return this.#topics.values()
  }

  get topicCount(): number {
    return this.#topics.size
  }

  forget(name: string): void {
    const topic = this.#topics.get(name)
    if (topic === undefined) return
    this.#topics.delete(name)
    if (this.#namesById.get(topic.topicId) === name) this.#namesById.delete(topic.topicId)
  }

  /** The topic does not exist any more. */
  markMissing(name: string, nowMs: number): void {
    this.forget(name)
    this.#topics.set(name, {
      name,
      topicId: ZERO_UUID,
      errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      isInternal: false,
      partitions: [],
      updatedMs: nowMs,
    })
  }

  /** Takes an answer over. Topics that it does not mention stay as they are. */
  apply(response: MetadataResponse, nowMs: number): void {
    this.clusterId = response.clusterId
    this.controllerId = response.controllerId
    this.brokers.clear()
    for (const broker of response.brokers) this.brokers.set(broker.nodeId, broker)
    for (const answer of response.topics) {
      if (answer.name === null) continue
      const previous = this.#topics.get(answer.name)
      const isSameTopic = previous !== undefined && previous.topicId === answer.topicId
      const partitions: PartitionInfo[] = []
      for (const partition of answer.partitions) {
        if (partition.partitionIndex < 0 || partition.partitionIndex >= answer.partitions.length) continue
        const known = isSameTopic ? previous.partitions[partition.partitionIndex] : undefined
        const isOlder =
          known !== undefined &&
          partition.leaderEpoch >= 0 &&
          known.leaderEpoch > partition.leaderEpoch &&
          nowMs - known.confirmedMs < this.#maxAgeMs
        partitions[partition.partitionIndex] = {
          id: partition.partitionIndex,
          leaderId: isOlder ? known.leaderId : partition.leaderId,
          leaderEpoch: isOlder ? known.leaderEpoch : partition.leaderEpoch,
          confirmedMs: isOlder ? known.confirmedMs : nowMs,
          replicas: partition.replicaNodes,
          inSyncReplicas: partition.isrNodes,
          errorCode: partition.errorCode,
        }
      }
      if (previous !== undefined && !isSameTopic) this.#namesById.delete(previous.topicId)
      this.#topics.set(answer.name, {
        name: answer.name,
        topicId: answer.topicId,
        errorCode: answer.errorCode,
        isInternal: answer.isInternal,
        partitions: Array.from(partitions, (partition, id) => partition ?? missingPartition(id)),
        updatedMs: nowMs,
      })
      if (answer.topicId !== ZERO_UUID) this.#namesById.set(answer.topicId, answer.name)
    }
  }

  /** @returns whether the hint told something new */
  applyLeaderHint(topic: string, partition: number, leaderId: number, leaderEpoch: number): boolean {
    const known = this.partition(topic, partition)
    if (known === undefined || leaderId < 0 || leaderEpoch <= known.leaderEpoch) return false
    known.leaderId = leaderId
    known.leaderEpoch = leaderEpoch
    return true
  }
}

function missingPartition(id: number): PartitionInfo {
  const errorCode = ErrorCode.LEADER_NOT_AVAILABLE
  return { id, leaderId: -1, leaderEpoch: -1, confirmedMs: 0, replicas: [], inSyncReplicas: [], errorCode }
}
