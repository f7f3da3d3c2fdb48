/**
 * How the image of topics and brokers reads to the clients of one listener.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { PartitionImage } from '../metadata/image.ts'
import type { BrokerServices } from '../services.ts'

/** Kafka's sentence beside UNKNOWN_TOPIC_OR_PARTITION. */
export const UNKNOWN_PARTITION_MESSAGE = 'This server does not host this topic-partition.'

export interface BrokerView {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** Unfenced brokers that clients of this listener can reach. */
export function liveBrokers(broker: BrokerServices, listenerName: string): BrokerView[] {
  return [...broker.metadata.brokers.values()].flatMap(({ id, rack }) => {
    const endpoint = broker.endpointOf(id, listenerName)
    return endpoint === undefined ? [] : [{ nodeId: id, host: endpoint.host, port: endpoint.port, rack }]
  })
}

/**
 * In KRaft the controller is not for clients: they are told of some live broker, which passes on what the controller must do. Here it
 * is the broker that was asked, when it is alive.
 */
export function activeControllerId(broker: BrokerServices): number {
  const { metadata } = broker
  if (metadata.isBrokerActive(broker.nodeId)) return broker.nodeId
  for (const id of metadata.brokers.keys()) if (metadata.isBrokerActive(id)) return id
  return -1
}

/** Leader and offline replicas of a partition, with the error that a missing leader makes. */
export function partitionPlacement(broker: BrokerServices, partition: PartitionImage, listenerName: string) {
  const { leaderId, leaderEpoch } = partition
  const isLeaderReachable = leaderId >= 0 && broker.endpointOf(leaderId, listenerName) !== undefined
  const offlineReplicas = partition.replicas.filter((id) => !broker.metadata.isBrokerActive(id))
  if (isLeaderReachable) return { errorCode: ErrorCode.NONE, leaderId, leaderEpoch, offlineReplicas }
  const errorCode =
    leaderId >= 0 && broker.metadata.isBrokerActive(leaderId)
      ? ErrorCode.LISTENER_NOT_FOUND
      : ErrorCode.LEADER_NOT_AVAILABLE
  return { errorCode, leaderId: -1, leaderEpoch, offlineReplicas }
}
