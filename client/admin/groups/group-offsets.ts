/** What a group has committed: read, changed, deleted, reset. Failures of single partitions stand in the entries. */
import { OffsetCommit } from '../../../common/protocol/apis/08-offset-commit.ts'
import { OffsetFetch } from '../../../common/protocol/apis/09-offset-fetch.ts'
import { OffsetDelete } from '../../../common/protocol/apis/47-offset-delete.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { OFFSET_INVALID, OFFSET_SPEC_EARLIEST, OFFSET_SPEC_LATEST } from '../../constants.ts'
import { lookUpOffsets } from '../../consumer/list-offsets.ts'
import { KafkaError, KafkaException, kafkaException, ValueError } from '../../errors.ts'
import { TopicPartition } from '../../values/topic-partition.ts'
import { wireOffsetError } from '../../values/wire-offset.ts'
import type { AdminCall } from '../admin-call.ts'
import type { AdminEngine } from '../admin-engine.ts'
import { type AdminOptions, OptionReader } from '../admin-options.ts'
import { byTopic, partitionsOf } from '../arguments.ts'
import { KeyedMap, type ResultMap } from '../keyed-map.ts'
import { coordinatorOf, groupIdOf, throwCode } from './group-arguments.ts'

/** Partitions of one group; null stands for all that it has committed. */
export class ConsumerGroupTopicPartitions {
  readonly groupId: string
  readonly topicPartitions: readonly TopicPartition[] | null

  constructor(groupId: string, topicPartitions: readonly TopicPartition[] | null = null) {
    this.groupId = groupId
    this.topicPartitions = topicPartitions
  }
}

export interface ListGroupOffsetsOptions extends AdminOptions {
  /** Waits for offsets of open transactions (KIP-447). Default false. */
  readonly requireStable?: boolean
}

/** The version from which offsets name topics by id only. */
const byTopicIdVersion = 10

export function listConsumerGroupOffsets(
  engine: AdminEngine,
  request: readonly ConsumerGroupTopicPartitions[],
  options?: ListGroupOffsetsOptions,
): ResultMap<string, ConsumerGroupTopicPartitions> {
  const { groupId, partitions } = oneGroup(request)
  for (const { offset } of partitions ?? []) {
    if (offset !== OFFSET_INVALID) throw new ValueError('no offset must be given where offsets are asked for')
  }
  const reader = new OptionReader(options)
  const requireStable = reader.flag('requireStable')
  return engine.keyed<string, ConsumerGroupTopicPartitions>(
    [groupId],
    reader.limits(),
    async (call, results) => {
      await results.each(async () => {
        const found = await fetchOffsets(call, groupId, partitions, requireStable)
        const listed = partitions?.map((entry) => found.get(entry) ?? entry) ?? [...found.values()]
        return new ConsumerGroupTopicPartitions(groupId, listed)
      })
    },
  )
}

export function alterConsumerGroupOffsets(
  engine: AdminEngine,
  request: readonly ConsumerGroupTopicPartitions[],
  options?: AdminOptions,
): ResultMap<string, ConsumerGroupTopicPartitions> {
  const { groupId, partitions } = placesOf(request)
  for (const { offset } of partitions) if (offset < 0) throw new ValueError('offsets must not be negative')
  const limits = new OptionReader(options).limits()
  return engine.keyed<string, ConsumerGroupTopicPartitions>([groupId], limits, async (call, results) => {
    await results.each(async () => {
      return new ConsumerGroupTopicPartitions(groupId, await commitOffsets(call, groupId, partitions))
    })
  })
}

/** Partitions of topics that a member reads are refused one by one; an addition. */
export function deleteConsumerGroupOffsets(
  engine: AdminEngine,
  request: readonly ConsumerGroupTopicPartitions[],
  options?: AdminOptions,
): ResultMap<string, ConsumerGroupTopicPartitions> {
  const { groupId, partitions } = placesOf(request)
  const limits = new OptionReader(options).limits()
  return engine.keyed<string, ConsumerGroupTopicPartitions>([groupId], limits, async (call, results) => {
    await results.each(async () => {
      const { response } = await call.ask(coordinatorOf(groupId), {
        api: OffsetDelete,
        body: {
          groupId,
          topics: byTopic(partitions).map(([name, entries]) => ({
            name,
            partitions: entries.map(({ partition }) => ({ partitionIndex: partition })),
          })),
        },
        codesOf: ({ errorCode }) => [errorCode],
      })
      throwCode(response.errorCode)
      const codes = codesIn(response.topics)
      return new ConsumerGroupTopicPartitions(
        groupId,
        partitions.map((entry) => {
          return new TopicPartition(entry.topic, entry.partition, OFFSET_INVALID, {
            error: errorFrom(codes, entry),
          })
        }),
      )
    })
  })
}

/** Where a group is to go on reading. */
export interface ResetOffsetsRequest {
  readonly groupId: string
  readonly topic: string
  /** From the beginning; otherwise from the end. Default false. */
  readonly earliest?: boolean
}

/** Commits the beginning or the end of all partitions of a topic. The group must be empty; an addition. */
export async function resetOffsets(
  engine: AdminEngine,
  { groupId, topic, earliest = false }: ResetOffsetsRequest,
  options?: AdminOptions,
): Promise<TopicPartition[]> {
  groupIdOf(groupId)
  if (typeof topic !== 'string') throw new TypeError('topic must be a string')
  const limits = new OptionReader(options).limits()
  return await engine.single(limits, async (call) => {
    const [described] = (await call.metadata([topic])).topics
    throwCode(described?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const ids = described?.partitions.map(({ partitionIndex }) => partitionIndex) ?? []
    const timestamp = earliest ? OFFSET_SPEC_EARLIEST : OFFSET_SPEC_LATEST
    const questions = ids.map((partition) => ({ topic, partition, timestamp }))
    const answers = await lookUpOffsets(engine.core, questions, {
      timeoutMs: call.leftMs,
      signal: limits.signal,
    })
    const wanted = ids
      .sort((one, other) => one - other)
      .map((id) => {
        const entry = new TopicPartition(topic, id)
        const answer = answers.get(entry.key())
        if (answer === undefined) throw kafkaException(KafkaError._FAIL)
        if (KafkaError.is(answer)) throw new KafkaException(answer)
        entry.offset = answer.offset
        return entry
      })
    return await commitOffsets(call, groupId, wanted)
  })
}

async function fetchOffsets(
  call: AdminCall,
  groupId: string,
  partitions: readonly TopicPartition[] | null,
  requireStable: boolean,
): Promise<KeyedMap<TopicPartition, TopicPartition>> {
  const topics =
    partitions === null
      ? null
      : byTopic(partitions).map(([name, entries]) => ({
          name,
          partitionIndexes: entries.map(({ partition }) => partition),
        }))
  const { response } = await call.ask(coordinatorOf(groupId), {
    api: OffsetFetch,
    minVersion: requireStable ? 7 : partitions === null ? 2 : 1,
    maxVersion: byTopicIdVersion - 1,
    body: (version) => ({
      ...(version >= 8 ? { groups: [{ groupId, topics }] } : { groupId, topics }),
      ...(version >= 7 ? { requireStable } : {}),
    }),
    codesOf: (answer) => {
      const group = answer.groups[0] ?? answer
      return [group.errorCode, ...codesIn(group.topics).values()]
    },
    retryOn: new Set([ErrorCode.UNSTABLE_OFFSET_COMMIT]),
  })
  const group = response.groups[0] ?? response
  throwCode(group.errorCode)
  const found = new KeyedMap<TopicPartition, TopicPartition>()
  for (const { name, partitions: entries } of group.topics) {
    for (const { partitionIndex, committedOffset, committedLeaderEpoch, metadata, errorCode } of entries) {
      const error =
        errorCode === ErrorCode.NONE ? wireOffsetError(committedOffset) : new KafkaError(errorCode)
      const offset = error !== null || committedOffset < 0 ? OFFSET_INVALID : committedOffset
      const entry = new TopicPartition(name, partitionIndex, offset, {
        leaderEpoch: committedLeaderEpoch,
        metadata: metadata === '' ? null : metadata,
        error,
      })
      found.set(entry, entry)
    }
  }
  return found
}

/** As somebody who is no member: the group must have none. */
async function commitOffsets(
  call: AdminCall,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<TopicPartition[]> {
  const { response } = await call.ask(coordinatorOf(groupId), {
    api: OffsetCommit,
    maxVersion: byTopicIdVersion - 1,
    body: (version) => ({
      groupId,
      memberId: '',
      topics: byTopic(partitions).map(([name, entries]) => ({
        name,
        partitions: entries.map(({ partition, offset, metadata, leaderEpoch }) => ({
          partitionIndex: partition,
          committedOffset: offset,
          committedMetadata: metadata ?? '',
          ...(version >= 6 ? { committedLeaderEpoch: leaderEpoch ?? -1 } : {}),
        })),
      })),
    }),
    codesOf: ({ topics }) => codesIn(topics).values(),
  })
  const codes = codesIn(response.topics)
  return partitions.map((entry) => {
    const { topic, partition, offset, metadata, leaderEpoch } = entry
    return new TopicPartition(topic, partition, offset, {
      metadata,
      leaderEpoch,
      error: errorFrom(codes, entry),
    })
  })
}

function codesIn(
  topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
  }[],
): KeyedMap<TopicPartition, number> {
  const codes = new KeyedMap<TopicPartition, number>()
  for (const { name, partitions } of topics) {
    for (const { partitionIndex, errorCode } of partitions) {
      codes.set(new TopicPartition(name, partitionIndex), errorCode)
    }
  }
  return codes
}

function errorFrom(codes: KeyedMap<TopicPartition, number>, entry: TopicPartition): KafkaError | null {
  const code = codes.get(entry) ?? KafkaError._BAD_MSG
  return code === ErrorCode.NONE ? null : new KafkaError(code)
}

/** Exactly one group with partitions; as `oneGroup`, and ValueError without. */
function placesOf(request: unknown): {
  readonly groupId: string
  readonly partitions: readonly TopicPartition[]
} {
  const { groupId, partitions } = oneGroup(request)
  if (partitions === null) throw new ValueError('topicPartitions must be a list with entries')
  return { groupId, partitions }
}

/** Exactly one group. TypeError for other classes, ValueError for empty or wrong values. */
function oneGroup(request: unknown): {
  readonly groupId: string
  readonly partitions: readonly TopicPartition[] | null
} {
  if (!Array.isArray(request)) throw new TypeError('request must be a list of ConsumerGroupTopicPartitions')
  if (request.length !== 1) throw new ValueError('request must name exactly one group')
  const [entry] = request as readonly unknown[]
  if (!(entry instanceof ConsumerGroupTopicPartitions)) {
    throw new TypeError('request must have entries of ConsumerGroupTopicPartitions')
  }
  const groupId = groupIdOf(entry.groupId)
  const { topicPartitions } = entry
  if (topicPartitions === null) return { groupId, partitions: null }
  const partitions = partitionsOf(topicPartitions, 'topicPartitions')
  if (partitions.length === 0) throw new ValueError('topicPartitions must be a list with entries, or null')
  return { groupId, partitions: [...partitions] }
}
