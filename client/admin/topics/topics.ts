/** `createTopics`, `deleteTopics`, `createPartitions`: requests for the controller. */
import { CreateTopics } from '../../../common/protocol/apis/19-create-topics.ts'
import { DeleteTopics } from '../../../common/protocol/apis/20-delete-topics.ts'
import { CreatePartitions } from '../../../common/protocol/apis/37-create-partitions.ts'
import { ZERO_UUID } from '../../../common/protocol/schema.ts'
import { ValueError } from '../../errors.ts'
import type { AdminEngine } from '../admin-engine.ts'
import { type OperationOptions, OptionReader, type ValidateOptions } from '../admin-options.ts'
import { listOf } from '../arguments.ts'
import type { ResultMap } from '../keyed-map.ts'
import { checkNewPartitions, NewPartitions } from './new-partitions.ts'
import { checkNewTopic, NewTopic } from './new-topic.ts'

const controller = { kind: 'controller' } as const

/** Topics that are named twice are sent twice: the broker refuses them. */
export function createTopics(
  engine: AdminEngine,
  newTopics: readonly NewTopic[],
  options?: OperationOptions & ValidateOptions,
): ResultMap<string, void> {
  const entries = [...listOf(newTopics, NewTopic, 'newTopics')]
  entries.forEach(checkNewTopic)
  const reader = new OptionReader(options)
  const validateOnly = reader.flag('validateOnly')
  const operationTimeoutMs = reader.operationTimeoutMs()
  const topics = entries.map(({ topic, numPartitions, replicationFactor, replicaAssignment, config }) => ({
    name: topic,
    // With an assignment, the numbers follow from it.
    numPartitions: replicaAssignment === null ? numPartitions : -1,
    replicationFactor,
    assignments: (replicaAssignment ?? []).map((brokerIds, partitionIndex) => ({
      partitionIndex,
      brokerIds: [...brokerIds],
    })),
    configs: Object.entries(config).map(([name, value]) => ({ name, value })),
  }))
  const names = entries.map(({ topic }) => topic)
  return engine.keyed<string, void>(names, reader.limits(), async (call, results) => {
    const { response } = await call.ask(controller, {
      api: CreateTopics,
      body: () => ({ topics, timeoutMs: call.brokerTimeoutMs(operationTimeoutMs), validateOnly }),
      codesOf: (answer) => answer.topics.map(({ errorCode }) => errorCode),
      isRepeatable: validateOnly,
      // The broker's defaults can be asked for since Kafka 2.4 (KIP-464).
      minVersion: entries.some(wantsDefaults) ? 4 : 0,
    })
    for (const { name, errorCode, errorMessage } of response.topics) {
      results.settle(name, errorCode, errorMessage, undefined)
    }
  })
}

function wantsDefaults({ numPartitions, replicationFactor, replicaAssignment }: NewTopic): boolean {
  return replicaAssignment === null && (numPartitions === -1 || replicationFactor === -1)
}

export function deleteTopics(
  engine: AdminEngine,
  topics: readonly string[],
  options?: OperationOptions,
): ResultMap<string, void> {
  if (!Array.isArray(topics)) throw new TypeError('topics must be a list of names')
  if (topics.length === 0) throw new ValueError('topics must be a list with entries')
  if (!topics.every((name) => typeof name === 'string')) throw new ValueError('topics must be names')
  const names: string[] = [...topics]
  const reader = new OptionReader(options)
  const operationTimeoutMs = reader.operationTimeoutMs()
  return engine.keyed<string, void>(names, reader.limits(), async (call, results) => {
    const { response } = await call.ask(controller, {
      api: DeleteTopics,
      body: (version) => {
        const timeoutMs = call.brokerTimeoutMs(operationTimeoutMs)
        return version >= 6
          ? { topics: names.map((name) => ({ name, topicId: ZERO_UUID })), timeoutMs }
          : { topicNames: names, timeoutMs }
      },
      codesOf: (answer) => answer.responses.map(({ errorCode }) => errorCode),
      isRepeatable: false,
    })
    for (const { name, errorCode, errorMessage } of response.responses) {
      if (name !== null) results.settle(name, errorCode, errorMessage, undefined)
    }
  })
}

export function createPartitions(
  engine: AdminEngine,
  newPartitions: readonly NewPartitions[],
  options?: OperationOptions & ValidateOptions,
): ResultMap<string, void> {
  const entries = [...listOf(newPartitions, NewPartitions, 'newPartitions')]
  entries.forEach(checkNewPartitions)
  const reader = new OptionReader(options)
  const validateOnly = reader.flag('validateOnly')
  const operationTimeoutMs = reader.operationTimeoutMs()
  const topics = entries.map(({ topic, newTotalCount, replicaAssignment }) => ({
    name: topic,
    count: newTotalCount,
    assignments: replicaAssignment?.map((brokerIds) => ({ brokerIds: [...brokerIds] })) ?? null,
  }))
  const names = entries.map(({ topic }) => topic)
  return engine.keyed<string, void>(names, reader.limits(), async (call, results) => {
    const { response } = await call.ask(controller, {
      api: CreatePartitions,
      body: () => ({ topics, timeoutMs: call.brokerTimeoutMs(operationTimeoutMs), validateOnly }),
      codesOf: (answer) => answer.results.map(({ errorCode }) => errorCode),
      isRepeatable: validateOnly,
    })
    for (const { name, errorCode, errorMessage } of response.results) {
      results.settle(name, errorCode, errorMessage, undefined)
    }
  })
}
