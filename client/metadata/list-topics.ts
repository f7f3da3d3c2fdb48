/** `listTopics` of all handles: the brokers, and all topics or one, as the documented `ClusterMetadata`. */
import type { MetadataResponse } from '../../common/protocol/apis/03-metadata.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Runtime } from '../../common/runtime/runtime.ts'
import type { Config } from '../config/config.ts'
import type { Broker } from '../connections/broker.ts'
import type { BrokerPool } from '../connections/broker-pool.ts'
import { KafkaError, KafkaException } from '../errors.ts'
import type { CallLimits } from '../timeouts.ts'
import type {
  BrokerMetadata,
  ClusterMetadata,
  PartitionMetadata,
  TopicMetadata,
} from '../values/cluster-metadata.ts'
import type { MetadataRefresher } from './metadata-refresher.ts'

/** Of the core of a handle, what asking takes. */
export interface ListingCore {
  readonly runtime: Runtime
  readonly config: Config
  readonly pool: BrokerPool
  readonly metadata: MetadataRefresher
  lateError(code: number, text?: string): KafkaError
  checkOpen(): void
  pause(label: string, delayMs: number, signal: AbortSignal | undefined): Promise<void>
}

/**
 * Asks brokers until one answers; the time between attempts doubles. Throws the last error when the time is over.
 * @param topic null: all topics
 */
export async function listTopics(
  core: ListingCore,
  topic: string | null,
  { timeoutMs, signal }: CallLimits,
): Promise<ClusterMetadata> {
  const { clock } = core.runtime
  const deadlineMs = clock.monotonicMs() + timeoutMs
  let lastError: KafkaError | undefined
  const late = (): KafkaException =>
    new KafkaException(lastError ?? core.lateError(KafkaError._TIMED_OUT, 'Failed to get metadata in time'))
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted()
    const leftMs = deadlineMs - clock.monotonicMs()
    if (leftMs <= 0) throw late()
    const query = {
      topics: topic === null ? null : [topic],
      mayCreate: core.config.get('allow.auto.create.topics'),
      timeoutMs: Math.min(leftMs, core.config.get('socket.timeout.ms')),
    }
    const result = await new Promise<ClusterMetadata | KafkaError>((resolve) => {
      core.metadata.query(query, (answer) =>
        resolve(answer.ok ? clusterMetadataOf(answer.response, answer.broker) : answer.error),
      )
    })
    if (!KafkaError.is(result)) return result
    core.checkOpen()
    const pauseMs = Math.min(leftMs, core.config.get('retry.backoff.ms') * 2 ** Math.min(attempt, 5))
    if (result.code() !== KafkaError._TIMED_OUT_QUEUE) lastError = result
    if (!core.pool.hasServers || (timeoutMs !== Number.POSITIVE_INFINITY && pauseMs >= leftMs)) {
      throw late()
    }
    await core.pause('listTopics tries again', pauseMs, signal)
    core.checkOpen()
  }
}

function clusterMetadataOf(response: MetadataResponse, broker: Broker): ClusterMetadata {
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
