/**
 * Topics in requests that commit offsets: named or by id (KIP-848), existing or not. The group coordinator is asked only about
 * partitions that exist.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { ZERO_UUID } from '../../common/protocol/schema.ts'
import type { OffsetToCommit, TopicResult, TopicToCommit } from '../coordinator/group/offset-operations.ts'
import type { MetadataImage } from '../metadata/image.ts'

interface AskedTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly OffsetToCommit[]
}

/** @param usesTopicIds whether the version names topics by id only */
export function splitTopics(
  image: MetadataImage,
  asked: readonly AskedTopic[],
  usesTopicIds: boolean,
): { failed: TopicResult[]; found: TopicToCommit[] } {
  const failed: TopicResult[] = []
  const found: TopicToCommit[] = []
  for (const { name, topicId, partitions } of asked) {
    const topic = usesTopicIds ? image.topicsById.get(topicId) : image.topicsByName.get(name)
    const identity = { name: topic?.name ?? name, topicId: topic?.id ?? (usesTopicIds ? topicId : ZERO_UUID) }
    const missing =
      usesTopicIds && topic === undefined ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    const exists = (index: number) => topic?.partitions[index] !== undefined
    failed.push({
      ...identity,
      partitions: partitions
        .filter(({ partitionIndex }) => !exists(partitionIndex))
        .map(({ partitionIndex }) => ({ partitionIndex, errorCode: missing })),
    })
    const existing = partitions.filter(({ partitionIndex }) => exists(partitionIndex))
    if (existing.length > 0) found.push({ ...identity, partitions: existing })
  }
  return { failed, found }
}

/** One entry a topic: the partitions that do not exist, then the others. */
export function mergeTopics(failed: readonly TopicResult[], results: readonly TopicResult[]): TopicResult[] {
  const merged = new Map<string, TopicResult>()
  for (const topic of [...failed, ...results]) {
    const key = topic.name === '' ? topic.topicId : topic.name
    const known = merged.get(key)
    if (known === undefined) merged.set(key, { ...topic, partitions: [...topic.partitions] })
    else known.partitions.push(...topic.partitions)
  }
  return [...merged.values()].filter(({ partitions }) => partitions.length > 0)
}
