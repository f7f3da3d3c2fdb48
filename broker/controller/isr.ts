/**
 * AlterPartition: a leader proposes its in-sync replicas (KIP-497, KIP-841, KIP-903). The controller alone decides; a proposal
 * that was made against an older state is refused, so that no ISR is ever made from two sides.
 */
import type { AlterPartition } from '../../common/protocol/apis/56-alter-partition.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import type { PartitionImage, TopicImage } from '../metadata/image.ts'
import { changedPartition } from '../metadata/image-builder.ts'
import type { MetadataRecord } from '../metadata/metadata-record.ts'
import { checkBrokerEpoch } from './brokers.ts'
import type { ControllerMachine } from './machine.ts'
import { changeOf, includesAll, partitionChange } from './partitions.ts'
import { type ControllerOutcome, withoutRecords } from './refusals.ts'

type AlterPartitionRequest = RequestOf<typeof AlterPartition>
type Proposal = AlterPartitionRequest['topics'][number]['partitions'][number]
type Response = ResponseInputOf<typeof AlterPartition>
type PartitionAnswer = Response['topics'][number]['partitions'][number]

export function alterPartition(
  machine: ControllerMachine,
  request: AlterPartitionRequest,
): ControllerOutcome<Response> {
  const stale = checkBrokerEpoch(machine, request.brokerId, request.brokerEpoch)
  if (stale.error !== ErrorCode.NONE) return withoutRecords({ errorCode: stale.error, topics: [] })
  const records: MetadataRecord[] = []
  const topics = request.topics.map(({ topicId, partitions }) => {
    const topic = machine.image.topicsById.get(topicId)
    return {
      topicId,
      partitions: partitions.map((proposal) =>
        topic === undefined
          ? refused(proposal, ErrorCode.UNKNOWN_TOPIC_ID)
          : decide(machine, request.brokerId, topic, proposal, records),
      ),
    }
  })
  return { records, response: { errorCode: ErrorCode.NONE, topics } }
}

function refused({ partitionIndex }: Proposal, errorCode: ErrorCode): PartitionAnswer {
  return { partitionIndex, errorCode, leaderId: 0, leaderEpoch: 0, isr: [], partitionEpoch: 0 }
}

function decide(
  machine: ControllerMachine,
  brokerId: number,
  topic: TopicImage,
  proposal: Proposal,
  records: MetadataRecord[],
): PartitionAnswer {
  const partition = topic.partitions[proposal.partitionIndex]
  if (partition === undefined) return refused(proposal, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  const isr = isrOf(proposal)
  const error = check(machine, brokerId, partition, proposal, isr)
  if (error !== ErrorCode.NONE) return refused(proposal, error)
  const record = partitionChange({
    ...changeOf(machine, topic, proposal.partitionIndex, partition),
    isr: isr.map((replica) => replica.brokerId),
    leaderRecoveryState: proposal.leaderRecoveryState === 1 ? 1 : 0,
  })
  if (record !== undefined) records.push(record)
  const after = record === undefined ? partition : changedPartition(partition, record)
  // The ISR completed a reassignment which took the lead away: the change is made, and the old leader is told to look.
  const hasNewLeader = record !== undefined && record.value.leader !== -2 && record.value.leader !== brokerId
  if (hasNewLeader) return refused(proposal, ErrorCode.NEW_LEADER_ELECTED)
  return {
    partitionIndex: proposal.partitionIndex,
    errorCode: ErrorCode.NONE,
    leaderId: after.leaderId,
    leaderEpoch: after.leaderEpoch,
    isr: after.isr,
    leaderRecoveryState: after.leaderRecoveryState,
    partitionEpoch: after.partitionEpoch,
  }
}

interface ProposedReplica {
  readonly brokerId: number
  readonly brokerEpoch: number
}

function isrOf({ newIsr, newIsrWithEpochs }: Proposal): readonly ProposedReplica[] {
  if (newIsrWithEpochs.length > 0) return newIsrWithEpochs
  return newIsr.map((brokerId) => ({ brokerId, brokerEpoch: -1 }))
}

/** In Kafka's order: of several faults the first is told. */
function check(
  machine: ControllerMachine,
  brokerId: number,
  partition: PartitionImage,
  proposal: Proposal,
  isr: readonly ProposedReplica[],
): ErrorCode {
  // Only a newer controller can have given these epochs.
  if (proposal.leaderEpoch > partition.leaderEpoch) return ErrorCode.NOT_CONTROLLER
  if (proposal.partitionEpoch > partition.partitionEpoch) return ErrorCode.NOT_CONTROLLER
  if (proposal.leaderEpoch < partition.leaderEpoch) return ErrorCode.FENCED_LEADER_EPOCH
  if (brokerId !== partition.leaderId) return ErrorCode.INVALID_REQUEST
  if (proposal.partitionEpoch < partition.partitionEpoch) return ErrorCode.INVALID_UPDATE_VERSION
  const ids = isr.map((replica) => replica.brokerId)
  const isIsrValid =
    ids.length > 0 && new Set(ids).size === ids.length && includesAll(partition.replicas, ids)
  if (!isIsrValid || !ids.includes(partition.leaderId)) return ErrorCode.INVALID_REQUEST
  const isRecovering = proposal.leaderRecoveryState === 1
  if (isRecovering && (ids.length > 1 || partition.leaderRecoveryState === 0))
    return ErrorCode.INVALID_REQUEST
  return isr.every((replica) => isEligible(machine, replica)) ? ErrorCode.NONE : ErrorCode.INELIGIBLE_REPLICA
}

function isEligible(machine: ControllerMachine, { brokerId, brokerEpoch }: ProposedReplica): boolean {
  const broker = machine.image.brokers.get(brokerId)
  return machine.isActive(brokerId) && (brokerEpoch === -1 || brokerEpoch === broker?.epoch)
}
