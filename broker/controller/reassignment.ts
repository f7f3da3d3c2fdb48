/**
 * Moving replicas (KIP-455): the new ones are added first, and when all of them are in sync the others are removed. The last
 * step is part of any later change of the partition (`partitionChange`), usually of its ISR.
 */
import type { AlterPartitionReassignments } from '../../common/protocol/apis/45-alter-partition-reassignments.ts'
import type { ListPartitionReassignments } from '../../common/protocol/apis/46-list-partition-reassignments.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import type { PartitionImage, TopicImage } from '../metadata/image.ts'
import type { MetadataRecord } from '../metadata/metadata-record.ts'
import { checkManualAssignment } from './assignments.ts'
import { type ControllerMachine, isReassigning } from './machine.ts'
import { changeOf, equalLists, type PartitionChangeRecord, partitionChange } from './partitions.ts'
import { type ApiError, apiError, type ControllerOutcome, NO_ERROR, withoutRecords } from './refusals.ts'

type AlterRequest = RequestOf<typeof AlterPartitionReassignments>
type AlterResponse = ResponseInputOf<typeof AlterPartitionReassignments>
type ListResponse = ResponseInputOf<typeof ListPartitionReassignments>

/** AlterPartitionReassignments; replicas null takes a reassignment back. */
export function alterPartitionReassignments(
  machine: ControllerMachine,
  request: AlterRequest,
): ControllerOutcome<AlterResponse> {
  const records: MetadataRecord[] = []
  const responses = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, replicas }) => {
      const { error, message } = reassign(machine, { name, partitionIndex, replicas, request }, records)
      return { partitionIndex, errorCode: error, errorMessage: message }
    }),
  }))
  return {
    records,
    response: {
      allowReplicationFactorChange: request.allowReplicationFactorChange,
      errorCode: ErrorCode.NONE,
      // Asked for nothing, Kafka's controller does not even look.
      errorMessage: request.topics.length === 0 ? '' : null,
      responses,
    },
  }
}

interface Reassignment {
  readonly name: string
  readonly partitionIndex: number
  readonly replicas: readonly number[] | null
  readonly request: AlterRequest
}

function reassign(machine: ControllerMachine, wanted: Reassignment, records: MetadataRecord[]): ApiError {
  const { name, partitionIndex, replicas } = wanted
  const topic = machine.image.topicsByName.get(name)
  if (topic === undefined) {
    return apiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Unable to find a topic named ${name}.`)
  }
  const partition = topic.partitions[partitionIndex]
  if (partition === undefined) {
    return apiError(
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      `Unable to find partition ${name}:${partitionIndex}.`,
    )
  }
  const record =
    replicas === null
      ? cancel(machine, topic, partitionIndex, partition)
      : begin(machine, topic, partition, { ...wanted, replicas })
  if (record === undefined) return NO_ERROR
  if ('error' in record) return record
  records.push(record)
  return NO_ERROR
}

function cancel(
  machine: ControllerMachine,
  topic: TopicImage,
  partitionId: number,
  partition: PartitionImage,
): ApiError | PartitionChangeRecord | undefined {
  if (!isReassigning(partition)) return apiError(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, null)
  const isOriginal = (replica: number): boolean => !partition.addingReplicas.includes(replica)
  const replicas = partition.replicas.filter(isOriginal)
  const inSync = partition.isr.filter(isOriginal)
  const [first] = replicas
  if (first === undefined) {
    const message = 'Invalid replica assignment: addingReplicas contains all replicas.'
    return apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
  }
  const change = changeOf(machine, topic, partitionId, partition)
  if (inSync.length === 0 && change.election !== 'unclean') {
    const message = `Unable to revert partition assignment for ${topic.name}:${partitionId} because it would require an unclean leader election.`
    return apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
  }
  const isr = inSync.length > 0 ? inSync : [first]
  return partitionChange({ ...change, isr, replicas, removingReplicas: [], addingReplicas: [] })
}

function begin(
  machine: ControllerMachine,
  topic: TopicImage,
  partition: PartitionImage,
  { partitionIndex, replicas, request }: Reassignment & { readonly replicas: readonly number[] },
): ApiError | PartitionChangeRecord | undefined {
  const invalid = checkManualAssignment(machine, replicas, undefined)
  if (invalid.error !== ErrorCode.NONE) return invalid
  const present = partition.replicas.filter((replica) => !partition.removingReplicas.includes(replica))
  if (!request.allowReplicationFactorChange && present.length !== replicas.length) {
    const message = `The replication factor is changed from ${present.length} to ${replicas.length}`
    return apiError(ErrorCode.INVALID_REPLICATION_FACTOR, message)
  }
  const ascending = (left: number, right: number): number => left - right
  const removing = partition.replicas.filter((replica) => !replicas.includes(replica)).sort(ascending)
  const adding = replicas.filter((replica) => !partition.replicas.includes(replica)).sort(ascending)
  const target = [...replicas, ...removing]
  return partitionChange({
    ...changeOf(machine, topic, partitionIndex, partition),
    // An election of its own is not asked for: the lead moves only when its replica goes.
    election: 'online',
    ...(equalLists(target, partition.replicas) ? {} : { replicas: target }),
    ...(removing.length > 0 ? { removingReplicas: removing } : {}),
    ...(adding.length > 0 ? { addingReplicas: adding } : {}),
  })
}

/** ListPartitionReassignments: those in progress, of the topics asked for or of all. */
export function listPartitionReassignments(
  machine: ControllerMachine,
  request: RequestOf<typeof ListPartitionReassignments>,
): ControllerOutcome<ListResponse> {
  const wanted =
    request.topics === null ? undefined : new Map(request.topics.map((topic) => [topic.name, topic]))
  const topics = new Map<string, { name: string; partitions: ReturnType<typeof describe>[] }>()
  for (const { topicId, partitionId } of machine.reassigningPartitions) {
    const topic = machine.image.topicsById.get(topicId)
    const partition = topic?.partitions[partitionId]
    if (topic === undefined || partition === undefined) continue
    const { name } = topic
    if (wanted !== undefined && wanted.get(name)?.partitionIndexes.includes(partitionId) !== true) continue
    const entry = topics.get(name) ?? { name, partitions: [] }
    topics.set(name, entry)
    entry.partitions.push(describe(partitionId, partition))
  }
  return withoutRecords({ errorCode: ErrorCode.NONE, errorMessage: null, topics: [...topics.values()] })
}

function describe(partitionIndex: number, partition: PartitionImage) {
  const { replicas, addingReplicas, removingReplicas } = partition
  return { partitionIndex, replicas, addingReplicas, removingReplicas }
}
