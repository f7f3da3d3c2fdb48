/** Partitions of topics and their offsets, for kafkajs's calls that name topics alone. */
import type { AdminClient } from '../admin/admin-client.ts'
import { OffsetSpec } from '../admin/topics/offset-spec.ts'
import { TopicPartition } from '../values/topic-partition.ts'
import type { SeekEntry } from './admin-types.ts'

/** All partitions of the topics, in their order. */
export async function partitionsOfTopics(
  client: AdminClient,
  topics: readonly string[],
): Promise<TopicPartition[]> {
  const described = client.describeTopics(topics)
  const found = await Promise.all(
    topics.map(async (topic) => {
      const { partitions } = (await described.get(topic)) ?? { partitions: [] }
      return partitions.map(({ id }) => new TopicPartition(topic, id))
    }),
  )
  return found.flat()
}

/** The offset of each partition that the spec asks for; -1 where there is none. */
export async function offsetsAt(
  client: AdminClient,
  partitions: readonly TopicPartition[],
  spec: OffsetSpec,
): Promise<number[]> {
  const found = await client.listOffsets(partitions.map((partition) => [partition, spec] as const)).all()
  return partitions.map((partition) => found.get(partition)?.offset ?? -1)
}

/** Oldest and next offset of every partition. */
export async function topicWatermarks(
  client: AdminClient,
  topic: string,
): Promise<(SeekEntry & { high: string; low: string })[]> {
  const partitions = await partitionsOfTopics(client, [topic])
  const low = await offsetsAt(client, partitions, OffsetSpec.earliest())
  const high = await offsetsAt(client, partitions, OffsetSpec.latest())
  return partitions.map(({ partition }, index) => ({
    partition,
    offset: `${high[index]}`,
    high: `${high[index]}`,
    low: `${low[index]}`,
  }))
}

/** The first offset at or after the time, in milliseconds; the end where nothing is so late, or without a time. */
export async function topicOffsetsByTimestamp(
  client: AdminClient,
  topic: string,
  timestampMs: number | undefined,
): Promise<SeekEntry[]> {
  const partitions = await partitionsOfTopics(client, [topic])
  const end = await offsetsAt(client, partitions, OffsetSpec.latest())
  const found =
    timestampMs === undefined
      ? end
      : await offsetsAt(client, partitions, OffsetSpec.forTimestamp(timestampMs))
  return partitions.map(({ partition }, index) => {
    const offset = found[index] ?? -1
    return { partition, offset: `${offset < 0 ? end[index] : offset}` }
  })
}
