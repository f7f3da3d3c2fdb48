/** `fetchTopicOffsetsByTimestamp`: where every partition of a topic stands at a time. */
import { TopicPartition } from '../../values/topic-partition.ts'
import type { AdminEngine } from '../admin-engine.ts'
import type { AdminOptions } from '../admin-options.ts'
import { OffsetSpec } from './offset-spec.ts'
import { listOffsets } from './offsets.ts'
import { describeTopics } from './topic-descriptions.ts'

/** @param timestampMs absent: the ends. Where no record is as late, the end too */
export async function fetchTopicOffsetsByTimestamp(
  engine: AdminEngine,
  topic: string,
  timestampMs?: number | null,
  options?: AdminOptions,
): Promise<TopicPartition[]> {
  const described = await describeTopics(engine, [topic], options).all()
  const partitions = (described.get(topic)?.partitions ?? []).map(({ id }) => new TopicPartition(topic, id))
  const look = async (spec: OffsetSpec): Promise<number[]> => {
    const found = await listOffsets(
      engine,
      partitions.map((partition) => [partition, spec] as const),
      options,
    ).all()
    return [...found.values()].map(({ offset }) => offset)
  }
  const ends = await look(OffsetSpec.latest())
  const isByTime = timestampMs !== undefined && timestampMs !== null
  const starts = isByTime ? await look(OffsetSpec.forTimestamp(timestampMs)) : ends
  return partitions.map(({ partition }, index) => {
    const start = starts[index] ?? -1
    return new TopicPartition(topic, partition, start < 0 ? (ends[index] ?? -1) : start)
  })
}
