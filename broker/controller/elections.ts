/**
 * Elections that somebody asks for (ElectLeaders, KIP-460) and those that the controller holds from time to time.
 */
import type { ElectLeaders } from '../../common/protocol/apis/43-elect-leaders.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import type { MetadataRecord } from '../metadata/metadata-record.ts'
import type { ControllerMachine } from './machine.ts'
import { changeOf, type Election, partitionChange } from './partitions.ts'
import { type ApiError, apiError, type ControllerOutcome, NO_ERROR, withoutRecords } from './refusals.ts'

type Request = RequestOf<typeof ElectLeaders>
type Response = ResponseInputOf<typeof ElectLeaders>

const ELECTION_TYPES: readonly (Election | undefined)[] = ['preferred', 'unclean']

/** Most partitions that get another leader in one sweep. */
const MAX_ELECTIONS_PER_SWEEP = 1000

export function electLeaders(machine: ControllerMachine, request: Request): ControllerOutcome<Response> {
  const election = ELECTION_TYPES[request.electionType]
  if (election === undefined) {
    const errorCode = ErrorCode.INVALID_REQUEST
    const errorMessage = `Unknown election type ${request.electionType}`
    const replicaElectionResults = (request.topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => ({ partitionId, errorCode, errorMessage })),
    }))
    return withoutRecords({ errorCode, replicaElectionResults })
  }
  const isForAll = request.topicPartitions === null
  const wanted =
    request.topicPartitions ??
    [...machine.image.topicsByName.values()].map(({ name, partitions }) => ({
      topic: name,
      partitions: [...partitions.keys()],
    }))
  const records: MetadataRecord[] = []
  const replicaElectionResults = wanted.map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions
      .map((partitionId) => {
        const { error, message } = elect(machine, { topic, partitionId, election }, records)
        return { partitionId, errorCode: error, errorMessage: message }
      })
      // Asked about everything, those that need no election are not worth a word.
      .filter(({ errorCode }) => !isForAll || errorCode !== ErrorCode.ELECTION_NOT_NEEDED),
  }))
  return { records, response: { errorCode: ErrorCode.NONE, replicaElectionResults } }
}

function elect(
  machine: ControllerMachine,
  { topic: name, partitionId, election }: { topic: string; partitionId: number; election: Election },
  records: MetadataRecord[],
): ApiError {
  const topic = machine.image.topicsByName.get(name)
  if (topic === undefined) return apiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `No such topic as ${name}`)
  const partition = topic.partitions[partitionId]
  if (partition === undefined) {
    return apiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `No such partition as ${name}-${partitionId}`)
  }
  const isNeeded =
    election === 'preferred' ? partition.leaderId !== partition.replicas[0] : partition.leaderId < 0
  if (!isNeeded) {
    return apiError(ErrorCode.ELECTION_NOT_NEEDED, 'Leader election not needed for topic partition.')
  }
  const record = partitionChange({ ...changeOf(machine, topic, partitionId, partition), election })
  if (record === undefined) {
    return election === 'preferred'
      ? apiError(ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE, 'The preferred leader was not available.')
      : apiError(
          ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE,
          'Eligible topic partition leaders are not available.',
        )
  }
  records.push(record)
  return NO_ERROR
}

/** Leaderless partitions of topics that allow unclean election (`unclean.leader.election.interval.ms`). */
export function sweepUnclean(machine: ControllerMachine): ControllerOutcome<void> {
  const records: MetadataRecord[] = []
  for (const { topicId, partitionId } of machine.leaderlessPartitions) {
    if (records.length >= MAX_ELECTIONS_PER_SWEEP) break
    const topic = machine.image.topicsById.get(topicId)
    const partition = topic?.partitions[partitionId]
    if (topic === undefined || partition === undefined) continue
    const change = changeOf(machine, topic, partitionId, partition)
    if (change.election !== 'unclean') continue
    const record = partitionChange(change)
    if (record !== undefined) records.push(record)
  }
  return { records, response: undefined }
}

/** Gives partitions back to their preferred leaders (`leader.imbalance.check.interval.seconds`). */
export function sweepPreferred(machine: ControllerMachine): ControllerOutcome<void> {
  const records: MetadataRecord[] = []
  for (const topic of machine.image.topicsById.values()) {
    for (const [partitionId, partition] of topic.partitions.entries()) {
      const [preferred] = partition.replicas
      if (preferred === partition.leaderId || preferred === undefined) continue
      if (records.length >= MAX_ELECTIONS_PER_SWEEP) return { records, response: undefined }
      const change = changeOf(machine, topic, partitionId, partition)
      const record = partitionChange({ ...change, election: 'preferred' })
      if (record !== undefined) records.push(record)
    }
  }
  return { records, response: undefined }
}
