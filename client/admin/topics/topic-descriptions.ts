/** `describeTopics`: partitions, replicas and permitted operations of topics by name. */
import { Metadata, type MetadataResponse } from '../../../common/protocol/apis/03-metadata.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { AclOperation } from '../../constants.ts'
import { KafkaError, KafkaException, kafkaException, ValueError } from '../../errors.ts'
import { Node } from '../../values/cluster-metadata.ts'
import { Uuid } from '../../values/uuid.ts'
import type { AdminEngine } from '../admin-engine.ts'
import { type AdminOptions, type AuthorizedOptions, OptionReader } from '../admin-options.ts'
import { authorizedOperations } from '../authorized-operations.ts'
import type { ResultMap } from '../keyed-map.ts'

/** Topics by name. */
export class TopicCollection {
  readonly topicNames: readonly string[]

  constructor(topicNames: readonly string[]) {
    if (!Array.isArray(topicNames)) throw new TypeError('topicNames must be a list of names')
    this.topicNames = [...topicNames]
  }
}

export interface TopicPartitionInfo {
  readonly id: number
  readonly leader: Node | null
  readonly replicas: readonly Node[]
  readonly isr: readonly Node[]
}

export interface TopicDescription {
  readonly name: string
  /** Zero where the broker does not tell (before Kafka 2.8). */
  readonly topicId: Uuid
  readonly isInternal: boolean
  /** By id. */
  readonly partitions: readonly TopicPartitionInfo[]
  /** null when they were not asked for. */
  readonly authorizedOperations: readonly AclOperation[] | null
}

/** Topics that are named twice are refused with `_INVALID_ARG`. */
export function describeTopics(
  engine: AdminEngine,
  topics: TopicCollection | readonly string[],
  options?: AdminOptions & AuthorizedOptions,
): ResultMap<string, TopicDescription> {
  const names = namesOf(topics)
  const reader = new OptionReader(options)
  const withOperations = reader.flag('includeAuthorizedOperations')
  return engine.keyed<string, TopicDescription>(names, reader.limits(), async (call, results) => {
    if (new Set(names).size !== names.length) {
      throw kafkaException(KafkaError._INVALID_ARG, 'A topic is named twice')
    }
    const { response } = await call.ask(
      { kind: 'any' },
      {
        api: Metadata,
        minVersion: 4,
        body: (version) => ({
          topics: names.map((name) => ({ name })),
          allowAutoTopicCreation: false,
          ...(withOperations && version >= 8 ? { includeTopicAuthorizedOperations: true } : {}),
        }),
      },
    )
    const nodes = new Map<number, Node>()
    for (const { nodeId, host, port, rack } of response.brokers) {
      nodes.set(nodeId, new Node(nodeId, host, port, rack))
    }
    for (const topic of response.topics) {
      const { name, errorCode } = topic
      if (name === null) continue
      if (errorCode === ErrorCode.NONE) results.resolve(name, descriptionOf(name, topic, nodes))
      else results.reject(name, new KafkaException(new KafkaError(errorCode)))
    }
  })
}

function descriptionOf(
  name: string,
  topic: MetadataResponse['topics'][number],
  nodes: ReadonlyMap<number, Node>,
): TopicDescription {
  const partitions = topic.partitions.map(({ partitionIndex, leaderId, replicaNodes, isrNodes }) => ({
    id: partitionIndex,
    leader: leaderId < 0 ? null : nodeOf(leaderId),
    replicas: replicaNodes.map(nodeOf),
    isr: isrNodes.map(nodeOf),
  }))
  return {
    name,
    topicId: Uuid.fromString(topic.topicId),
    isInternal: topic.isInternal,
    partitions: partitions.sort((one, other) => one.id - other.id),
    authorizedOperations: authorizedOperations(topic.topicAuthorizedOperations),
  }

  /** A broker that is down has no address. */
  function nodeOf(nodeId: number): Node {
    return nodes.get(nodeId) ?? new Node(nodeId, '', -1)
  }
}

function namesOf(topics: unknown): readonly string[] {
  const names: unknown = topics instanceof TopicCollection ? topics.topicNames : topics
  if (!Array.isArray(names)) throw new TypeError('topics must be a TopicCollection or a list of names')
  for (const name of names) {
    if (typeof name !== 'string') throw new TypeError('the name of a topic must be a string')
    if (name === '') throw new ValueError('the name of a topic must not be empty')
  }
  return [...names]
}
