/** `alterPartitionReassignments`, `listPartitionReassignments`: moving partitions between brokers (KIP-455). */
import { AlterPartitionReassignments } from '../../../common/protocol/apis/45-alter-partition-reassignments.ts'
import { ListPartitionReassignments } from '../../../common/protocol/apis/46-list-partition-reassignments.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { KafkaError, KafkaException, ValueError } from '../../errors.ts'
import { TopicPartition, topicPartitionKey } from '../../values/topic-partition.ts'
import type { AdminEngine } from '../admin-engine.ts'
import { type OperationOptions, OptionReader } from '../admin-options.ts'
import { byTopic, checkPartition, partitionsOf } from '../arguments.ts'
import { KeyedMap, type ResultMap } from '../keyed-map.ts'

const controller = { kind: 'controller' } as const

/** Broker ids by partition; null takes a reassignment back that is in progress. */
export type Reassignments =
  | ReadonlyMap<TopicPartition, readonly number[] | null>
  | readonly (readonly [TopicPartition, readonly number[] | null])[]

export interface PartitionReassignment {
  /** While it goes on: the old replicas and the new ones. */
  readonly replicas: readonly number[]
  readonly addingReplicas: readonly number[]
  readonly removingReplicas: readonly number[]
}

export function alterPartitionReassignments(
  engine: AdminEngine,
  reassignments: Reassignments,
  options?: OperationOptions,
): ResultMap<TopicPartition, void> {
  const wanted = reassignmentsOf(reassignments)
  const reader = new OptionReader(options)
  const operationTimeoutMs = reader.operationTimeoutMs()
  const entries = [...wanted.keys()]
  return engine.keyed<TopicPartition, void>(entries, reader.limits(), async (call, results) => {
    const topics = byTopic(entries).map(([name, list]) => ({
      name,
      partitions: list.map((entry) => ({
        partitionIndex: entry.partition,
        replicas: wanted.get(entry) ?? null,
      })),
    }))
    const { response } = await call.ask(controller, {
      api: AlterPartitionReassignments,
      body: () => ({ topics, timeoutMs: call.brokerTimeoutMs(operationTimeoutMs) }),
      codesOf: ({ errorCode }) => [errorCode],
    })
    if (response.errorCode !== ErrorCode.NONE) throw refusal(response)
    for (const { name, partitions } of response.responses) {
      for (const { partitionIndex, errorCode, errorMessage } of partitions) {
        results.settle(topicPartitionKey(name, partitionIndex), errorCode, errorMessage, undefined)
      }
    }
  })
}

/** @param partitions null: every reassignment in progress */
export async function listPartitionReassignments(
  engine: AdminEngine,
  partitions?: readonly TopicPartition[] | null,
  options?: OperationOptions,
): Promise<KeyedMap<TopicPartition, PartitionReassignment>> {
  const entries = partitions === undefined || partitions === null ? null : [...partitionsOf(partitions)]
  const reader = new OptionReader(options)
  const operationTimeoutMs = reader.operationTimeoutMs()
  return await engine.single(reader.limits(), async (call) => {
    const topics =
      entries === null
        ? null
        : byTopic(entries).map(([name, list]) => ({
            name,
            partitionIndexes: list.map(({ partition }) => partition),
          }))
    const { response } = await call.ask(controller, {
      api: ListPartitionReassignments,
      body: () => ({ topics, timeoutMs: call.brokerTimeoutMs(operationTimeoutMs) }),
      codesOf: ({ errorCode }) => [errorCode],
    })
    if (response.errorCode !== ErrorCode.NONE) throw refusal(response)
    const found = new KeyedMap<TopicPartition, PartitionReassignment>()
    for (const { name, partitions: inProgress } of response.topics) {
      for (const { partitionIndex, replicas, addingReplicas, removingReplicas } of inProgress) {
        found.set(new TopicPartition(name, partitionIndex), { replicas, addingReplicas, removingReplicas })
      }
    }
    return found
  })
}

function refusal({
  errorCode,
  errorMessage,
}: {
  errorCode: number
  errorMessage: string | null
}): KafkaException {
  return new KafkaException(new KafkaError(errorCode, errorMessage || undefined))
}

function reassignmentsOf(given: unknown): KeyedMap<TopicPartition, number[] | null> {
  if (!(given instanceof Map) && !Array.isArray(given)) {
    throw new TypeError('reassignments must be a Map or a list of pairs')
  }
  const wanted = new KeyedMap<TopicPartition, number[] | null>()
  for (const pair of given as Iterable<unknown>) {
    if (!Array.isArray(pair) || pair.length !== 2) throw new TypeError('each entry must be a pair')
    const [entry, brokers] = pair as [unknown, unknown]
    checkPartition(entry, 'reassignments')
    if (brokers !== null && !(Array.isArray(brokers) && brokers.every((id) => Number.isInteger(id)))) {
      throw new TypeError('each partition needs a list of broker ids, or null')
    }
    if (brokers?.length === 0) throw new ValueError('a list of broker ids must not be empty')
    wanted.set(entry, brokers === null ? null : [...brokers])
  }
  return wanted
}
