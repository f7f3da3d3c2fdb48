/** From a metadata response to the documented `ClusterMetadata`. */
import type { MetadataResponse } from '../../common/protocol/apis/03-metadata.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Broker } from '../connections/broker.ts'
import { KafkaError } from '../errors.ts'
import type {
  BrokerMetadata,
  ClusterMetadata,
  PartitionMetadata,
  TopicMetadata,
} from '../values/cluster-metadata.ts'

export function clusterMetadataOf(response: MetadataResponse, broker: Broker): ClusterMetadata {
  const brokers = new Map<number, BrokerMetadata>()
  for (const { nodeId, host, port } of response.brokers) brokers.set(nodeId, { id: nodeId, host, port })
  const topics = new Map<string, TopicMetadata>()
  for (const topic of response.topics) {
    if (topic.name === null) continue
    const partitions = new Map<number, PartitionMetadata>()
    for (const partition of [...topic.partitions].sort(
      (one, other) => one.partitionIndex - other.partitionIndex,
    )) {
      const hasNoLeader = partition.leaderId < 0 && partition.errorCode === ErrorCode.NONE
      partitions.set(partition.partitionIndex, {
        id: partition.partitionIndex,
        leader: partition.leaderId,
        replicas: partition.replicaNodes,
        isrs: partition.isrNodes,
        error: errorOf(hasNoLeader ? ErrorCode.LEADER_NOT_AVAILABLE : partition.errorCode),
      })
    }
    topics.set(topic.name, { topic: topic.name, partitions, error: errorOf(topic.errorCode) })
  }
  return {
    clusterId: response.clusterId,
    controllerId: response.controllerId,
    brokers,
    topics,
    origBrokerId: broker.nodeId,
    origBrokerName: broker.name,
  }
}

function errorOf(code: number): KafkaError | null {
  return code === ErrorCode.NONE ? null : new KafkaError(code)
}
