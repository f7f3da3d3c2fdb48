/**
 * Topics come and go: CreateTopics, DeleteTopics and CreatePartitions.
 */

import type { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import type { DeleteTopics } from '../../common/protocol/apis/20-delete-topics.ts'
import type { CreatePartitions } from '../../common/protocol/apis/37-create-partitions.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { type RequestOf, type ResponseInputOf, ZERO_UUID } from '../../common/protocol/schema.ts'
import { validateNewTopicConfigs } from '../config/alter-topic.ts'
import { describeTopic } from '../config/describe.ts'
import { ConfigResourceType, type PartitionImage, type TopicImage } from '../metadata/image.ts'
import { partitionRecord } from '../metadata/image-records.ts'
import { type MetadataRecord, metadataRecord } from '../metadata/metadata-record.ts'
import { type MutationQuota, NO_MUTATION_QUOTA } from '../quota/mutation-quota.ts'
import { METADATA_TOPIC } from '../topic-names.ts'
import { checkManualAssignment, newPartition, placeAutomatically } from './assignments.ts'
import { configRecords } from './configs.ts'
import type { ControllerMachine } from './machine.ts'
import {
  type ApiError,
  apiError,
  type ControllerOutcome,
  MAX_RECORDS_PER_REQUEST,
  repeated,
  withoutRecords,
} from './refusals.ts'
import { checkTopicName } from './topic-names.ts'

type CreateTopicsRequest = RequestOf<typeof CreateTopics>
type NewTopic = CreateTopicsRequest['topics'][number]
type CreateTopicsResponse = ResponseInputOf<typeof CreateTopics>
type TopicResult = CreateTopicsResponse['topics'][number]

/** What the caller is allowed to, by topic name. */
export interface TopicPermissions {
  mayCreate(topic: string): boolean
  mayDescribe(topic: string): boolean
  mayDescribeConfigs(topic: string): boolean
  mayDelete(topic: string): boolean
  mayAlter(topic: string): boolean
}

export const ALL_TOPIC_PERMISSIONS: TopicPermissions = {
  mayCreate: () => true,
  mayDescribe: () => true,
  mayDescribeConfigs: () => true,
  mayDelete: () => true,
  mayAlter: () => true,
}

/**
 * CreateTopics. All topics that pass become records of one batch; a topic that is refused does not keep the others back. Answers
 * come in the order of the request, then duplicates and what the caller may not create.
 */
export function createTopics(
  machine: ControllerMachine,
  request: CreateTopicsRequest,
  permissions: TopicPermissions = ALL_TOPIC_PERMISSIONS,
  quota: MutationQuota = NO_MUTATION_QUOTA,
): ControllerOutcome<CreateTopicsResponse> {
  const duplicates = repeated(request.topics.map(({ name }) => name))
  const isAllowed = (name: string): boolean => name !== METADATA_TOPIC && permissions.mayCreate(name)
  const prohibited = `Creation of internal topic ${METADATA_TOPIC} is prohibited.`
  const topics = request.topics.filter(({ name }) => !duplicates.has(name) && isAllowed(name))
  const denied = request.topics.filter(({ name }) => !duplicates.has(name) && !isAllowed(name))
  const refusedApart = [
    ...[...duplicates].map((name) =>
      refusedTopic(name, apiError(ErrorCode.INVALID_REQUEST, 'Duplicate topic name.')),
    ),
    ...denied.map(({ name }) =>
      refusedTopic(
        name,
        name === METADATA_TOPIC
          ? apiError(ErrorCode.INVALID_REQUEST, prohibited)
          : apiError(ErrorCode.TOPIC_AUTHORIZATION_FAILED),
      ),
    ),
  ]
  const partitionCount = topics.reduce((total, topic) => total + requestedPartitions(machine, topic), 0)
  if (partitionCount > MAX_RECORDS_PER_REQUEST) {
    const message = 'Excessively large number of partitions per request.'
    const refused = request.topics.map(({ name }) =>
      refusedTopic(name, apiError(ErrorCode.POLICY_VIOLATION, message)),
    )
    return withoutRecords({ topics: refused })
  }
  const records: MetadataRecord[] = []
  const results = topics.map((topic) => {
    const created = createTopic(machine, topic, permissions, quota)
    if ('error' in created) return refusedTopic(topic.name, created)
    records.push(...created.records)
    return created.result
  })
  return { records: request.validateOnly ? [] : records, response: { topics: [...results, ...refusedApart] } }
}

/** Of a topic whose client is above `controller_mutation_rate` (KIP-599). */
const QUOTA_EXCEEDED: ApiError = apiError(ErrorCode.THROTTLING_QUOTA_EXCEEDED, null)

function requestedPartitions(machine: ControllerMachine, topic: NewTopic): number {
  if (topic.assignments.length > 0) return topic.assignments.length
  return topic.numPartitions === -1 ? defaultPartitionCount(machine) : Math.max(topic.numPartitions, 0)
}

function refusedTopic(name: string, { error, message }: ApiError): TopicResult {
  return { name, errorCode: error, errorMessage: message }
}

function createTopic(
  machine: ControllerMachine,
  topic: NewTopic,
  permissions: TopicPermissions,
  quota: MutationQuota,
): ApiError | { readonly records: readonly MetadataRecord[]; readonly result: TopicResult } {
  const { name } = topic
  const refusal = checkNewTopic(machine, topic)
  if (refusal !== undefined) return refusal
  const partitions =
    topic.assignments.length > 0 ? manualPartitions(machine, topic) : automaticPartitions(machine, topic)
  if ('error' in partitions) return partitions
  if (!quota.tryTake(partitions.length)) return QUOTA_EXCEEDED
  const topicId = machine.environment.random.uuid()
  const configs = new Map(topic.configs.map((config) => [config.name, config.value ?? '']))
  const records = [
    metadataRecord('TopicRecord', 0, { name, topicId }),
    ...configRecords(
      machine,
      { type: ConfigResourceType.TOPIC, name },
      { current: new Map(), wanted: configs },
    ),
    ...partitions.map((partition, index) => partitionRecord(topicId, index, partition)),
  ]
  const described = permissions.mayDescribeConfigs(name)
  const result = {
    name,
    topicId,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    ...(described
      ? {
          numPartitions: partitions.length,
          replicationFactor: partitions[0]?.replicas.length ?? -1,
          configs: describedConfigs(machine, configs),
        }
      : { topicConfigErrorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED }),
  }
  return { records, result }
}

function describedConfigs(machine: ControllerMachine, configs: ReadonlyMap<string, string>) {
  return [...describeTopic(machine.levels, configs)]
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .map(({ name, value, readOnly, configSource, isSensitive }) => {
      return { name, value, readOnly, configSource, isSensitive }
    })
}

function checkNewTopic(machine: ControllerMachine, topic: NewTopic): ApiError | undefined {
  const { name } = topic
  if (machine.image.topicsByName.has(name)) {
    return apiError(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`)
  }
  const nameError = checkTopicName(name)
  if (nameError.error !== ErrorCode.NONE) return nameError
  const [collision] = machine.collisionsOf(name)
  if (collision !== undefined) {
    const message = `Topic '${name}' collides with existing topic: ${collision}`
    return apiError(ErrorCode.INVALID_TOPIC_EXCEPTION, message)
  }
  return validateNewTopicConfigs(machine.levels, topic.configs) ?? undefined
}

function manualPartitions(machine: ControllerMachine, topic: NewTopic): ApiError | PartitionImage[] {
  const specified = 'A manual partition assignment was specified, but'
  if (topic.replicationFactor !== -1) {
    return apiError(ErrorCode.INVALID_REQUEST, `${specified} replication factor was not set to -1.`)
  }
  if (topic.numPartitions !== -1) {
    return apiError(ErrorCode.INVALID_REQUEST, `${specified} numPartitions was not set to -1.`)
  }
  const partitions = new Map<number, PartitionImage>()
  let replicationFactor: number | undefined
  for (const { partitionIndex, brokerIds } of topic.assignments) {
    if (partitions.has(partitionIndex)) {
      const message = `Found multiple manual partition assignments for partition ${partitionIndex}`
      return apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
    }
    const invalid = checkManualAssignment(machine, brokerIds, replicationFactor)
    if (invalid.error !== ErrorCode.NONE) return invalid
    replicationFactor = brokerIds.length
    const partition = newPartition(machine, brokerIds)
    if (partition === undefined) return allFenced(partitionIndex)
    partitions.set(partitionIndex, partition)
  }
  const inOrder: PartitionImage[] = []
  for (let index = 0; index < partitions.size; index++) {
    const partition = partitions.get(index)
    if (partition === undefined) {
      return apiError(
        ErrorCode.INVALID_REPLICA_ASSIGNMENT,
        'partitions should be a consecutive 0-based integer sequence',
      )
    }
    inOrder.push(partition)
  }
  return inOrder
}

function allFenced(partitionId: number): ApiError {
  const message = `All brokers specified in the manual partition assignment for partition ${partitionId} are fenced or in controlled shutdown.`
  return apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
}

function automaticPartitions(machine: ControllerMachine, topic: NewTopic): ApiError | PartitionImage[] {
  if (topic.replicationFactor < -1 || topic.replicationFactor === 0) {
    const message = 'Replication factor must be larger than 0, or -1 to use the default value.'
    return apiError(ErrorCode.INVALID_REPLICATION_FACTOR, message)
  }
  if (topic.numPartitions < -1 || topic.numPartitions === 0) {
    const message = 'Number of partitions was set to an invalid non-positive value.'
    return apiError(ErrorCode.INVALID_PARTITIONS, message)
  }
  const partitionCount = topic.numPartitions === -1 ? defaultPartitionCount(machine) : topic.numPartitions
  const replicationFactor =
    topic.replicationFactor === -1
      ? startUpNumber(machine, 'default.replication.factor')
      : topic.replicationFactor
  return placedPartitions(machine, { partitionCount, replicationFactor })
}

function placedPartitions(
  machine: ControllerMachine,
  request: { partitionCount: number; replicationFactor: number },
): ApiError | PartitionImage[] {
  const times = `Unable to replicate the partition ${request.replicationFactor} time(s)`
  const placed = placeAutomatically(machine, request)
  if (placed.error !== ErrorCode.NONE) return apiError(placed.error, `${times}: ${placed.message}`)
  const partitions: PartitionImage[] = []
  for (const replicas of placed.value) {
    const partition = newPartition(machine, replicas)
    if (partition === undefined) {
      const message = `${times}: All brokers are currently fenced or in controlled shutdown.`
      return apiError(ErrorCode.INVALID_REPLICATION_FACTOR, message)
    }
    partitions.push(partition)
  }
  return partitions
}

function defaultPartitionCount(machine: ControllerMachine): number {
  return startUpNumber(machine, 'num.partitions')
}

/** Defaults of new topics are those this node was started with, as in Kafka. */
function startUpNumber(machine: ControllerMachine, key: string): number {
  return Number(machine.environment.startUp.static.get(key) ?? 1)
}

const UNKNOWN_TOPIC_MESSAGE = 'This server does not host this topic-partition.'
const UNKNOWN_TOPIC_ID_MESSAGE = 'This server does not host this topic ID.'

type DeleteTopicsResponse = ResponseInputOf<typeof DeleteTopics>
type DeleteResult = DeleteTopicsResponse['responses'][number]

/** DeleteTopics by name and by id. */
export function deleteTopics(
  machine: ControllerMachine,
  request: RequestOf<typeof DeleteTopics>,
  permissions: TopicPermissions = ALL_TOPIC_PERMISSIONS,
  quota: MutationQuota = NO_MUTATION_QUOTA,
): ControllerOutcome<DeleteTopicsResponse> {
  const responses: DeleteResult[] = []
  const refuse = (name: string | null, topicId: string, { error, message }: ApiError) => {
    responses.push({ name, topicId, errorCode: error, errorMessage: message })
  }
  const invalid = (message: string): ApiError => apiError(ErrorCode.INVALID_REQUEST, message)
  const names = [...request.topicNames]
  const ids: string[] = []
  for (const { name, topicId } of request.topics) {
    if (name !== null && topicId === ZERO_UUID) names.push(name)
    else if (name !== null)
      refuse(name, topicId, invalid('You may not specify both topic name and topic id.'))
    else if (topicId === ZERO_UUID) {
      refuse(null, ZERO_UUID, invalid('Neither topic name nor id were specified.'))
    } else ids.push(topicId)
  }
  const repeatedNames = repeated(names)
  const repeatedIds = repeated(ids)
  for (const name of repeatedNames) refuse(name, ZERO_UUID, invalid('Duplicate topic name.'))
  for (const id of repeatedIds) refuse(null, id, invalid('Duplicate topic id.'))
  const deletable = new Map<string, TopicImage>()
  for (const id of ids) {
    if (repeatedIds.has(id)) continue
    const topic = machine.image.topicsById.get(id)
    if (topic === undefined) refuse(null, id, apiError(ErrorCode.UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_ID_MESSAGE))
    else if (!permissions.mayDescribe(topic.name)) {
      refuse(null, id, apiError(ErrorCode.TOPIC_AUTHORIZATION_FAILED))
    } else deletable.set(id, topic)
  }
  for (const name of names) {
    if (repeatedNames.has(name)) continue
    const topic = machine.image.topicsByName.get(name)
    if (!permissions.mayDescribe(name)) {
      refuse(name, ZERO_UUID, apiError(ErrorCode.TOPIC_AUTHORIZATION_FAILED))
    } else if (topic === undefined)
      refuse(name, ZERO_UUID, apiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_MESSAGE))
    else if (deletable.has(topic.id)) {
      deletable.delete(topic.id)
      const message = 'The provided topic name maps to an ID that was already supplied.'
      refuse(name, topic.id, invalid(message))
    } else deletable.set(topic.id, topic)
  }
  const records: MetadataRecord[] = []
  for (const topic of deletable.values()) {
    if (!permissions.mayDelete(topic.name)) {
      refuse(topic.name, topic.id, apiError(ErrorCode.TOPIC_AUTHORIZATION_FAILED))
    } else if (!quota.tryTake(topic.partitions.length)) refuse(topic.name, topic.id, QUOTA_EXCEEDED)
    else {
      records.push(metadataRecord('RemoveTopicRecord', 0, { topicId: topic.id }))
      responses.push({ name: topic.name, topicId: topic.id, errorCode: ErrorCode.NONE })
    }
  }
  return { records, response: { responses } }
}

type CreatePartitionsRequest = RequestOf<typeof CreatePartitions>
type MorePartitions = CreatePartitionsRequest['topics'][number]

/** CreatePartitions: `count` is the wanted total. */
export function createPartitions(
  machine: ControllerMachine,
  request: CreatePartitionsRequest,
  permissions: TopicPermissions = ALL_TOPIC_PERMISSIONS,
  quota: MutationQuota = NO_MUTATION_QUOTA,
): ControllerOutcome<ResponseInputOf<typeof CreatePartitions>> {
  const duplicates = repeated(request.topics.map(({ name }) => name))
  const topics = request.topics.filter(({ name }) => !duplicates.has(name) && permissions.mayAlter(name))
  const refusals = [...duplicates].map((name) => ({
    name,
    errorCode: ErrorCode.INVALID_REQUEST,
    errorMessage: 'Duplicate topic name.',
  }))
  const denied = request.topics
    .filter(({ name }) => !duplicates.has(name) && !permissions.mayAlter(name))
    .map(({ name }) => ({ name, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED }))
  const added = topics.reduce((total, { name, count }) => {
    const present = machine.image.topicsByName.get(name)?.partitions.length
    return total + (present === undefined ? 0 : Math.max(count - present, 0))
  }, 0)
  if (added > MAX_RECORDS_PER_REQUEST) {
    const message = 'Excessively large number of additional partitions per request.'
    const refuse = ({ name }: MorePartitions) => {
      return { name, errorCode: ErrorCode.POLICY_VIOLATION, errorMessage: message }
    }
    return withoutRecords({ results: request.topics.map(refuse) })
  }
  const records: MetadataRecord[] = []
  const results = topics.map((topic) => {
    const created = addPartitions(machine, topic, quota)
    if ('error' in created) {
      return { name: topic.name, errorCode: created.error, errorMessage: created.message }
    }
    records.push(...created)
    return { name: topic.name, errorCode: ErrorCode.NONE }
  })
  return {
    records: request.validateOnly ? [] : records,
    response: { results: [...refusals, ...denied, ...results] },
  }
}

function addPartitions(
  machine: ControllerMachine,
  request: MorePartitions,
  quota: MutationQuota,
): ApiError | MetadataRecord[] {
  const { name, count, assignments } = request
  const topic = machine.image.topicsByName.get(name)
  if (topic === undefined) return apiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, null)
  const present = topic.partitions.length
  if (count === present) {
    return apiError(ErrorCode.INVALID_PARTITIONS, `Topic already has ${present} partition(s).`)
  }
  if (count < present) {
    const message = `The topic ${name} currently has ${present} partition(s); ${count} would not be an increase.`
    return apiError(ErrorCode.INVALID_PARTITIONS, message)
  }
  const additional = count - present
  if (assignments !== null && assignments.length !== additional) {
    const message = `Attempted to add ${additional} additional partition(s), but only ${assignments.length} assignment(s) were specified.`
    return apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
  }
  if (!quota.tryTake(additional)) return QUOTA_EXCEEDED
  const replicationFactor = topic.partitions[0]?.replicas.length ?? 0
  const partitions: PartitionImage[] = []
  if (assignments === null) {
    const placed = placedPartitions(machine, { partitionCount: additional, replicationFactor })
    if ('error' in placed) return placed
    partitions.push(...placed)
  }
  for (const [index, { brokerIds }] of (assignments ?? []).entries()) {
    const invalid = checkManualAssignment(machine, brokerIds, replicationFactor)
    if (invalid.error !== ErrorCode.NONE) return invalid
    const partition = newPartition(machine, brokerIds)
    if (partition === undefined) return allFenced(present + index)
    partitions.push(partition)
  }
  return partitions.map((partition, index) => partitionRecord(topic.id, present + index, partition))
}
