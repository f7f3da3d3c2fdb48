/** What brokers answer about offsets, as the application gets it: entries that carry an offset or an error each. */
import type { ClientCore } from '../client-core.ts'
import { OFFSET_END, OFFSET_INVALID, OFFSET_SPEC_EARLIEST, OFFSET_SPEC_LATEST } from '../constants.ts'
import { KafkaError, KafkaException, kafkaException } from '../errors.ts'
import { type CallLimits, untilAborted } from '../timeouts.ts'
import { TopicPartition } from '../values/topic-partition.ts'
import type { CommittedOffsets } from './committed-offsets.ts'
import { lookUpOffsets } from './list-offsets.ts'

/** What the group has committed; OFFSET_INVALID where there is nothing. */
export async function committedOffsets(
  committed: CommittedOffsets,
  wanted: readonly TopicPartition[],
  limits: CallLimits,
): Promise<TopicPartition[]> {
  if (wanted.length === 0) return []
  const answers = await untilAborted(limits.signal, () => committed.look(wanted, limits))
  return wanted.map((entry) => {
    const answer = answers.get(entry.key())
    const { topic, partition } = entry
    if (answer === undefined) return new TopicPartition(topic, partition)
    if (KafkaError.is(answer)) return new TopicPartition(topic, partition, OFFSET_INVALID, { error: answer })
    const { offset, leaderEpoch, metadata } = answer
    return new TopicPartition(topic, partition, offset < 0 ? OFFSET_INVALID : offset, {
      leaderEpoch,
      metadata: metadata === '' ? null : metadata,
    })
  })
}

/** The first offsets at or after the timestamps that the entries have as offsets, in milliseconds; OFFSET_END where none is. */
export async function offsetsForTimes(
  core: ClientCore,
  wanted: readonly TopicPartition[],
  limits: CallLimits,
): Promise<TopicPartition[]> {
  const questions = wanted.map(({ topic, partition, offset: timestamp }) => ({ topic, partition, timestamp }))
  const answers = await untilAborted(limits.signal, () => lookUpOffsets(core, questions, limits))
  return wanted.map((entry) => {
    const { topic, partition } = entry
    const answer = answers.get(entry.key())
    if (answer === undefined || KafkaError.is(answer)) {
      const error = answer ?? new KafkaError(KafkaError._FAIL)
      return new TopicPartition(topic, partition, OFFSET_INVALID, { error })
    }
    const { offset, leaderEpoch } = answer
    return new TopicPartition(topic, partition, offset < 0 ? OFFSET_END : offset, { leaderEpoch })
  })
}

/** Oldest and next offset of a partition, asked of its leader at the same time. Rejects with the first error. */
export async function watermarkOffsets(
  core: ClientCore,
  topic: string,
  partition: number,
  limits: CallLimits,
): Promise<[low: number, high: number]> {
  const offsetAt = async (timestamp: number): Promise<number> => {
    const [answer] = (await lookUpOffsets(core, [{ topic, partition, timestamp }], limits)).values()
    if (answer === undefined) throw kafkaException(KafkaError._FAIL)
    if (KafkaError.is(answer)) throw new KafkaException(answer)
    return answer.offset
  }
  return await untilAborted(limits.signal, () =>
    Promise.all([offsetAt(OFFSET_SPEC_EARLIEST), offsetAt(OFFSET_SPEC_LATEST)]),
  )
}
