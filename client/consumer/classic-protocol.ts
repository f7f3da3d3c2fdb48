/** The consumer protocol inside JoinGroup and SyncGroup: subscriptions and assignments as bytes (two bytes of version first). */

import { decodeRecord, encodeRecordValue } from '../../common/protocol/record-codec.ts'
import { ConsumerProtocolAssignment } from '../../common/protocol/records/consumer-protocol-assignment.ts'
import { ConsumerProtocolSubscription } from '../../common/protocol/records/consumer-protocol-subscription.ts'
import { TopicPartition } from '../values/topic-partition.ts'
import type { MemberSubscription, TopicPartitions } from './assignors/assignor.ts'

const highestVersion = 3

export function encodeSubscription(
  topics: readonly string[],
  owned: readonly TopicPartition[],
  generationId: number,
  rackId: string | null,
  userData: Buffer | null,
): Buffer {
  return encodeRecordValue(ConsumerProtocolSubscription, highestVersion, {
    topics: [...topics],
    userData,
    ownedPartitions: toTopics(owned),
    generationId,
    rackId,
  })
}

/** Versions of the future read as the highest known one, as Kafka's own clients do. Throws for what is no subscription. */
export function decodeSubscription(
  memberId: string,
  groupInstanceId: string | null,
  bytes: Buffer,
): MemberSubscription {
  const version = Math.min(bytes.readInt16BE(0), highestVersion)
  const { topics, userData, ownedPartitions, generationId, rackId } = decodeRecord(
    ConsumerProtocolSubscription,
    version,
    bytes.subarray(2),
  )
  return {
    memberId,
    groupInstanceId,
    topics,
    owned: new Map(ownedPartitions.map(({ topic, partitions }) => [topic, partitions])),
    generationId,
    rackId,
    userData,
  }
}

export function encodeAssignment(assigned: TopicPartitions): Buffer {
  return encodeRecordValue(ConsumerProtocolAssignment, 1, {
    assignedPartitions: [...assigned].map(([topic, partitions]) => ({ topic, partitions: [...partitions] })),
  })
}

/** No bytes are an empty assignment. */
export function decodeAssignment(bytes: Buffer): TopicPartition[] {
  if (bytes.length < 2) return []
  const version = Math.min(bytes.readInt16BE(0), highestVersion)
  const { assignedPartitions } = decodeRecord(ConsumerProtocolAssignment, version, bytes.subarray(2))
  return assignedPartitions
    .flatMap(({ topic, partitions }) => partitions.map((partition) => new TopicPartition(topic, partition)))
    .sort(TopicPartition.compare)
}

function toTopics(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const known = topics.get(topic)
    if (known === undefined) topics.set(topic, [partition])
    else known.push(partition)
  }
  return [...topics].map(([topic, ids]) => ({ topic, partitions: ids }))
}
