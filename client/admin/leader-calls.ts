/**
 * Requests to the leaders of partitions: one request a broker, until each partition has an answer that asking again cannot
 * change. Which broker leads is asked anew in each round, of metadata that the call asks for itself.
 */
import type { MetadataResponse } from '../../common/protocol/apis/03-metadata.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Broker } from '../connections/broker.ts'
import { KafkaError, KafkaException } from '../errors.ts'
import { passingLeaderCodes } from '../metadata/leader-errors.ts'
import { type TopicPartition, topicPartitionKey } from '../values/topic-partition.ts'
import type { AdminCall } from './admin-call.ts'
import type { PendingResults } from './pending-results.ts'

/** The same, or a topic that some broker does not know yet. */
const passingOrUnknown: ReadonlySet<number> = new Set([
  ...passingLeaderCodes,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
])
/** So often a topic has to be unknown: one that was just made may not have reached the broker that was asked. */
const unknownRounds = 3

/** What a leader said of one partition. */
export interface LeaderAnswer<T> {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly errorMessage?: string | null
  readonly value: T
}

/** One request to one leader; throws KafkaException when that failed and trying again is of no use; undefined: try again. */
export type LeaderQuestion<P extends TopicPartition, T> = (
  broker: Broker,
  partitions: readonly P[],
) => Promise<readonly LeaderAnswer<T>[] | undefined>

/** Settles every partition. One that does not exist is told after a few rounds. */
export async function askLeaders<P extends TopicPartition, T>(
  call: AdminCall,
  results: PendingResults<TopicPartition, T>,
  partitions: readonly P[],
  question: LeaderQuestion<P, T>,
): Promise<void> {
  const backoff = call.backoff()
  let open = [...partitions]
  for (let round = 1; ; round++) {
    const passing = round < unknownRounds ? passingOrUnknown : passingLeaderCodes
    const leaders = await findLeaders(call, open)
    const byBroker = new Map<Broker, P[]>()
    for (const entry of open) {
      const leader = leaders.get(entry.key())
      if (KafkaError.is(leader)) {
        if (!passing.has(leader.code())) results.reject(entry, new KafkaException(leader))
      } else if (leader !== undefined) byBroker.set(leader, [...(byBroker.get(leader) ?? []), entry])
    }
    await Promise.all(
      [...byBroker].map(([broker, own]) =>
        askLeader(call, results, broker, { partitions: own, question, passing }),
      ),
    )
    const openKeys = new Set(results.openKeys.map((entry) => entry.key()))
    open = open.filter((entry) => openKeys.has(entry.key()))
    if (open.length === 0) return
    await call.pause(backoff.nextMs())
  }
}

async function askLeader<P extends TopicPartition, T>(
  call: AdminCall,
  results: PendingResults<TopicPartition, T>,
  broker: Broker,
  {
    partitions,
    question,
    passing,
  }: {
    readonly partitions: readonly P[]
    readonly question: LeaderQuestion<P, T>
    readonly passing: ReadonlySet<number>
  },
): Promise<void> {
  try {
    for (const answer of (await question(broker, partitions)) ?? []) {
      const { topic, partition, errorCode, errorMessage, value } = answer
      if (passing.has(errorCode)) continue
      results.settle(topicPartitionKey(topic, partition), errorCode, errorMessage, value)
    }
  } catch (reason) {
    // Of this broker only: the others may have good answers.
    call.check()
    for (const entry of partitions) results.reject(entry, reason)
  }
}

/** Brokers by partition, or what metadata says against it; nothing where it names no leader. */
async function findLeaders(
  call: AdminCall,
  partitions: readonly TopicPartition[],
): Promise<Map<string, Broker | KafkaError>> {
  const topics = [...new Set(partitions.map(({ topic }) => topic))]
  const response = await call.metadata(topics)
  const found = new Map<string, Broker | KafkaError>()
  for (const { topic, partition } of partitions) {
    const leader = leaderOf(call, response, topic, partition)
    if (leader !== undefined) found.set(topicPartitionKey(topic, partition), leader)
  }
  return found
}

function leaderOf(
  call: AdminCall,
  response: MetadataResponse,
  topicName: string,
  index: number,
): Broker | KafkaError | undefined {
  const topic = response.topics.find(({ name }) => name === topicName)
  if (topic === undefined) return undefined
  if (topic.errorCode !== ErrorCode.NONE) return new KafkaError(topic.errorCode)
  const partition = topic.partitions.find(({ partitionIndex }) => partitionIndex === index)
  if (partition === undefined) return new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  return partition.leaderId < 0 ? undefined : call.core.pool.byId(partition.leaderId)
}
