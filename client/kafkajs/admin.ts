/** kafkajs's admin over the AdminClient. */
import { AdminClient } from '../admin/admin-client.ts'
import { ConfigResource } from '../admin/configs/config-resource.ts'
import { ConsumerGroupTopicPartitions } from '../admin/groups/group-offsets.ts'
import { NewPartitions } from '../admin/topics/new-partitions.ts'
import { NewTopic } from '../admin/topics/new-topic.ts'
import { OffsetSpec } from '../admin/topics/offset-spec.ts'
import { OFFSET_END } from '../constants.ts'
import { KafkaError, KafkaException } from '../errors.ts'
import { TopicPartition } from '../values/topic-partition.ts'
import { aclBindingFilterOf, aclBindingOf, aclsByResource, removedAcls } from './admin-acls.ts'
import { configResourceOf, describedResource } from './admin-configs.ts'
import { offsetsAt, partitionsOfTopics, topicOffsetsByTimestamp, topicWatermarks } from './admin-offsets.ts'
import type {
  AclEntry,
  AclFilter,
  DeleteAclResponse,
  DescribeAclResponse,
  DescribeConfigResponse,
  ITopicConfig,
  OngoingTopicReassignment,
  PartitionReassignment,
  ResourceConfig,
  ResourceConfigQuery,
  SeekEntry,
} from './admin-types.ts'
import { deadGroup, type GroupDescription, groupDescription } from './consumer.ts'
import type { TopicPartitions } from './consumer-types.ts'
import {
  KafkaJSAggregateError,
  KafkaJSCreateTopicError,
  KafkaJSDeleteGroupsError,
  KafkaJSDeleteTopicRecordsError,
  KafkaJSNonRetriableError,
  toKafkaJSError,
  translated,
} from './errors.ts'
import { type FacadeParts, lookUpMs } from './facade-parts.ts'
import { firstContact } from './first-contact.ts'
import { adminEvents, forwardRequests, Instrumentation, type Listener } from './instrumentation.ts'
import { forwardLog, type Logger } from './logger.ts'
import { type PartitionMetadata, partitionMetadataOf } from './partitioners.ts'

const defaultTimeoutMs = 5000
const leaderPauseMs = 50

export class Admin {
  readonly events = adminEvents
  readonly #parts: FacadeParts
  readonly #instrumentation: Instrumentation
  #client: AdminClient | undefined

  constructor(parts: FacadeParts) {
    this.#parts = parts
    this.#instrumentation = new Instrumentation(adminEvents, parts.timing, (error) =>
      parts.logger.error(`a listener failed: ${error}`),
    )
  }

  async connect(): Promise<void> {
    if (this.#client !== undefined) return
    const client = new AdminClient(await this.#parts.settings())
    forwardLog(client, this.#parts.logger)
    forwardRequests(client, this.#instrumentation, adminEvents, this.#parts.timing)
    try {
      await firstContact(client, this.#parts.patience)
    } catch (error) {
      await client.close()
      throw error
    }
    this.#client = client
    this.#instrumentation.emit(adminEvents.CONNECT, null)
  }

  async disconnect(): Promise<void> {
    const client = this.#client
    if (client === undefined) return
    this.#client = undefined
    await client.close()
    this.#instrumentation.emit(adminEvents.DISCONNECT, null)
  }

  async listTopics(): Promise<string[]> {
    return await this.#call(async (client) => [...(await client.listTopics()).topics.keys()])
  }

  /** @returns whether anything was created: false when all exist already */
  async createTopics(options: {
    readonly topics: readonly ITopicConfig[]
    readonly validateOnly?: boolean
    readonly waitForLeaders?: boolean
    readonly timeout?: number
  }): Promise<boolean> {
    const { topics, validateOnly = false, waitForLeaders = true, timeout = defaultTimeoutMs } = options
    if (!Array.isArray(topics)) throw new KafkaJSNonRetriableError('Invalid topics array')
    if (new Set(topics.map(({ topic }) => topic)).size < topics.length) {
      throw new KafkaJSNonRetriableError('Invalid topics array: a topic stands in it more than once')
    }
    const created = await this.#call((client) =>
      client.createTopics(topics.map(newTopic), { validateOnly, operationTimeoutMs: timeout }),
    )
    const others: Error[] = []
    let exists = false
    for (const [topic, result] of created) {
      const [error] = await failures([result])
      if (error === undefined) continue
      if (codeOf(error) === KafkaError.TOPIC_ALREADY_EXISTS) exists = true
      else others.push(creationError(error, topic))
    }
    if (others.length > 0) throw new KafkaJSAggregateError('Topic creation errors', others)
    if (exists) return false
    if (waitForLeaders && !validateOnly) await this.#waitForLeaders(topics.map(({ topic }) => topic))
    return true
  }

  async deleteTopics({
    topics,
    timeout = defaultTimeoutMs,
  }: {
    readonly topics: readonly string[]
    readonly timeout?: number
  }): Promise<void> {
    await this.#call((client) => client.deleteTopics(topics, { operationTimeoutMs: timeout }).all())
  }

  async createPartitions({
    topicPartitions,
    validateOnly = false,
    timeout = defaultTimeoutMs,
  }: {
    readonly topicPartitions: readonly {
      readonly topic: string
      readonly count: number
      readonly assignments?: readonly (readonly number[])[]
    }[]
    readonly validateOnly?: boolean
    readonly timeout?: number
  }): Promise<boolean> {
    const wanted = topicPartitions.map(
      ({ topic, count, assignments }) =>
        new NewPartitions(topic, count, assignments === undefined ? {} : { replicaAssignment: assignments }),
    )
    await this.#call((client) =>
      client.createPartitions(wanted, { validateOnly, operationTimeoutMs: timeout }).all(),
    )
    return true
  }

  /** Without topics: all of them. */
  async fetchTopicMetadata({ topics }: { readonly topics?: readonly string[] } = {}): Promise<{
    topics: { name: string; partitions: PartitionMetadata[] }[]
  }> {
    return await this.#call(async (client) => {
      const found = await client.listTopics()
      const names = topics === undefined || topics.length === 0 ? [...found.topics.keys()] : topics
      const missing = names.find((name) => !found.topics.has(name))
      if (missing !== undefined) {
        throw new KafkaException(new KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, `no topic ${missing}`))
      }
      return { topics: names.map((name) => ({ name, partitions: partitionMetadataOf(found, name) })) }
    })
  }

  /** What a group has committed; `-1` where there is nothing. */
  async fetchOffsets({
    groupId,
    topics,
    resolveOffsets = false,
  }: {
    readonly groupId: string
    readonly topics?: readonly string[]
    readonly resolveOffsets?: boolean
  }): Promise<{ topic: string; partitions: (SeekEntry & { metadata: string | null })[] }[]> {
    return await this.#call(async (client) => {
      const places = topics === undefined ? null : await partitionsOfTopics(client, topics)
      const request = [new ConsumerGroupTopicPartitions(groupId, places)]
      const found = (await client.listConsumerGroupOffsets(request).all()).get(groupId)?.topicPartitions ?? []
      const byTopic = new Map<string, (SeekEntry & { metadata: string | null })[]>()
      for (const entry of found) {
        const { topic, partition, metadata } = entry
        const known = byTopic.get(topic) ?? []
        const offset = entry.offset < 0 && resolveOffsets ? await endOf(client, entry) : entry.offset
        known.push({ partition, offset: `${Math.max(-1, offset)}`, metadata })
        byTopic.set(topic, known)
      }
      return [...byTopic].map(([topic, partitions]) => ({ topic, partitions }))
    })
  }

  async fetchTopicOffsets(topic: string): Promise<(SeekEntry & { high: string; low: string })[]> {
    return await this.#call((client) => topicWatermarks(client, topic))
  }

  /** Where nothing is so late: the end. */
  async fetchTopicOffsetsByTimestamp(topic: string, timestamp?: number): Promise<SeekEntry[]> {
    return await this.#call((client) => topicOffsetsByTimestamp(client, topic, timestamp))
  }

  async describeCluster(): Promise<{
    brokers: { nodeId: number; host: string; port: number }[]
    controller: number | null
    clusterId: string
  }> {
    return await this.#call(async (client) => {
      const { clusterId, controller, nodes } = await client.describeCluster()
      const brokers = nodes.map(({ id, host, port }) => ({ nodeId: id, host, port }))
      return { brokers, controller: controller?.id ?? null, clusterId: clusterId ?? '' }
    })
  }

  /** The group must have no members. */
  async setOffsets({
    groupId,
    topic,
    partitions,
  }: {
    readonly groupId: string
    readonly topic: string
    readonly partitions: readonly SeekEntry[]
  }): Promise<void> {
    const positions = partitions.map(
      ({ partition, offset }) => new TopicPartition(topic, partition, Number(offset)),
    )
    await this.#call(async (client) => {
      const request = [new ConsumerGroupTopicPartitions(groupId, positions)]
      const altered = await client.alterConsumerGroupOffsets(request).all()
      throwFirst(altered.get(groupId)?.topicPartitions ?? [])
    })
  }

  async resetOffsets({
    groupId,
    topic,
    earliest = false,
  }: {
    readonly groupId: string
    readonly topic: string
    readonly earliest?: boolean
  }): Promise<void> {
    await this.#call(async (client) => throwFirst(await client.resetOffsets({ groupId, topic, earliest })))
  }

  async describeConfigs({
    resources,
  }: {
    readonly resources: readonly ResourceConfigQuery[]
    readonly includeSynonyms?: boolean
  }): Promise<DescribeConfigResponse> {
    return await this.#call(async (client) => {
      const asked = resources.map(({ type, name }) => new ConfigResource(type, name))
      const answers = client.describeConfigs(asked)
      const described: DescribeConfigResponse['resources'][number][] = []
      for (const [index, query] of resources.entries()) {
        const configs = await answers.get(asked[index] as ConfigResource)
        described.push(describedResource(query, configs?.values() ?? []))
      }
      return { resources: described, throttleTime: 0 }
    })
  }

  /** Replaces whole configurations, as Kafka's AlterConfigs does. */
  async alterConfigs({
    resources,
    validateOnly = false,
  }: {
    readonly resources: readonly ResourceConfig[]
    readonly validateOnly?: boolean
  }): Promise<void> {
    const wanted = resources.map(configResourceOf)
    await this.#call((client) => client.alterConfigs(wanted, { validateOnly }).all())
  }

  async listGroups(): Promise<{ groups: { groupId: string; protocolType: string }[] }> {
    return await this.#call(async (client) => {
      const groups = await client.listGroups(null, { timeoutMs: lookUpMs })
      return { groups: groups.map(({ id: groupId, protocolType }) => ({ groupId, protocolType })) }
    })
  }

  async describeGroups(groupIds: readonly string[]): Promise<{ groups: GroupDescription[] }> {
    return await this.#call(async (client) => {
      const found = await Promise.all(groupIds.map((id) => client.listGroups(id, { timeoutMs: lookUpMs })))
      const groups = found.map(([group], index) => group ?? deadGroup(groupIds[index] as string))
      return { groups: groups.map(groupDescription) }
    })
  }

  async deleteGroups(groupIds: readonly string[]): Promise<{ groupId: string; errorCode: number }[]> {
    const results = await this.#call((client) => client.deleteConsumerGroups(groupIds))
    const failed: { groupId: string; errorCode: number; error: Error }[] = []
    for (const groupId of groupIds) {
      const [error] = await failures([results.get(groupId)])
      if (error !== undefined)
        failed.push({ groupId, errorCode: codeOf(error), error: toKafkaJSError(error) })
    }
    if (failed.length > 0) throw new KafkaJSDeleteGroupsError('Error in DeleteGroups', failed)
    return groupIds.map((groupId) => ({ groupId, errorCode: 0 }))
  }

  async createAcls({ acl }: { readonly acl: readonly AclEntry[] }): Promise<boolean> {
    const bindings = acl.map(aclBindingOf)
    await this.#call((client) => client.createAcls(bindings).all())
    return true
  }

  async describeAcls(filter: AclFilter): Promise<DescribeAclResponse> {
    const found = await this.#call((client) => client.describeAcls(aclBindingFilterOf(filter)))
    return { throttleTime: 0, errorCode: 0, resources: aclsByResource(found) }
  }

  async deleteAcls({ filters }: { readonly filters: readonly AclFilter[] }): Promise<DeleteAclResponse> {
    const wanted = filters.map(aclBindingFilterOf)
    const removed = await this.#call((client) => client.deleteAcls(wanted).all())
    const filterResponses = wanted.map((filter) => removedAcls(removed.get(filter) ?? []))
    return { throttleTime: 0, filterResponses }
  }

  /** Removes what lies before the offsets; `-1` removes everything. */
  async deleteTopicRecords({
    topic,
    partitions,
  }: {
    readonly topic: string
    readonly partitions: readonly SeekEntry[]
  }): Promise<void> {
    const places = partitions.map(({ partition, offset }) => {
      const before = Number(offset)
      return new TopicPartition(topic, partition, before < 0 ? OFFSET_END : before)
    })
    const deleted = await this.#call((client) => client.deleteRecords(places))
    const failed: { partition: number; offset: string; error: Error }[] = []
    for (const [index, place] of places.entries()) {
      const [error] = await failures([deleted.get(place)])
      if (error !== undefined)
        failed.push({ ...(partitions[index] as SeekEntry), error: toKafkaJSError(error) })
    }
    if (failed.length > 0) throw new KafkaJSDeleteTopicRecordsError(failed)
  }

  async alterPartitionReassignments({
    topics,
    timeout = defaultTimeoutMs,
  }: {
    readonly topics: readonly PartitionReassignment[]
    readonly timeout?: number
  }): Promise<void> {
    const moves = topics.flatMap(({ topic, partitionAssignment }) =>
      partitionAssignment.map(
        ({ partition, replicas }) => [new TopicPartition(topic, partition), replicas] as const,
      ),
    )
    await this.#call((client) =>
      client.alterPartitionReassignments(moves, { operationTimeoutMs: timeout }).all(),
    )
  }

  async listPartitionReassignments({
    topics,
    timeout = defaultTimeoutMs,
  }: {
    readonly topics?: readonly TopicPartitions[]
    readonly timeout?: number
  } = {}): Promise<{ topics: OngoingTopicReassignment[] }> {
    const places =
      topics?.flatMap(({ topic, partitions }) => partitions.map((id) => new TopicPartition(topic, id))) ??
      null
    const found = await this.#call((client) =>
      client.listPartitionReassignments(places, { operationTimeoutMs: timeout }),
    )
    const byTopic = new Map<string, OngoingTopicReassignment>()
    for (const [{ topic, partition }, { replicas, addingReplicas, removingReplicas }] of found) {
      const known = byTopic.get(topic) ?? { topic, partitions: [] }
      known.partitions.push({ partitionIndex: partition, replicas, addingReplicas, removingReplicas })
      byTopic.set(topic, known)
    }
    return { topics: [...byTopic.values()] }
  }

  on<N extends string>(name: N, listener: Listener<N>): () => void {
    return this.#instrumentation.on(name, listener)
  }

  logger(): Logger {
    return this.#parts.logger
  }

  async #call<T>(call: (client: AdminClient) => Promise<T> | T): Promise<T> {
    const client = this.#client
    if (client === undefined) throw new KafkaJSNonRetriableError('The admin client is not connected')
    return await translated(async () => {
      try {
        return await call(client)
      } catch (error) {
        // No code of the application runs in here.
        if (error instanceof TypeError) throw new KafkaJSNonRetriableError(error)
        throw error
      }
    })
  }

  async #waitForLeaders(topics: readonly string[]): Promise<void> {
    const { timing } = this.#parts
    const deadlineMs = timing.monotonicMs() + lookUpMs
    for (;;) {
      const found = await this.#call((client) => client.listTopics())
      const isLed = topics.every((topic) => {
        const partitions = [...(found.topics.get(topic)?.partitions.values() ?? [])]
        return partitions.length > 0 && partitions.every(({ leader }) => leader >= 0)
      })
      if (isLed || timing.monotonicMs() >= deadlineMs) return
      await timing.pause('waiting for the leaders of new topics', leaderPauseMs)
    }
  }
}

async function endOf(client: AdminClient, place: TopicPartition): Promise<number> {
  const [offset = -1] = await offsetsAt(client, [place], OffsetSpec.latest())
  return offset
}

function newTopic({
  topic,
  numPartitions,
  replicationFactor,
  replicaAssignment,
  configEntries = [],
}: ITopicConfig) {
  const assignment = replicaAssignment
    ?.toSorted((one, other) => one.partition - other.partition)
    .map(({ replicas }) => replicas)
  const config = Object.fromEntries(configEntries.map(({ name, value }) => [name, value]))
  if (assignment !== undefined && assignment.length > 0) {
    return new NewTopic({ topic, numPartitions: assignment.length, replicaAssignment: assignment, config })
  }
  return new NewTopic({
    topic,
    config,
    numPartitions: numPartitions ?? -1,
    replicationFactor: replicationFactor ?? -1,
  })
}

async function failures(promises: Iterable<Promise<unknown> | undefined>): Promise<Error[]> {
  const settled = await Promise.allSettled([...promises])
  return settled.filter((one) => one.status === 'rejected').map(({ reason }) => reason as Error)
}

function creationError(error: Error, topic: string): Error {
  const code = codeOf(error)
  const isAnswer = error instanceof KafkaException && code >= -1
  return isAnswer ? new KafkaJSCreateTopicError(error, code, topic) : toKafkaJSError(error)
}

function codeOf(error: Error): number {
  return error instanceof KafkaException ? error.error.code() : KafkaError.UNKNOWN
}

function throwFirst(partitions: readonly TopicPartition[]): void {
  const failed = partitions.find(({ error }) => error !== null)?.error
  if (failed !== undefined && failed !== null) throw new KafkaException(failed)
}
