/**
 * A partition as nobody outside can see it: every replica's own log beside what the controller has decided.
 */
import type { Cluster } from '../cluster.ts'

export interface ReplicaState {
  readonly nodeId: number
  readonly isRunning: boolean
  /** -1 while the broker is down, or has no replica. */
  readonly logEndOffset: number
  readonly highWatermark: number
  readonly logStartOffset: number
  /** First offset of each leader epoch in its log. */
  readonly epochs: readonly { readonly epoch: number; readonly startOffset: number }[]
}

export interface ReplicatedPartition {
  readonly topicId: string
  /** -1: none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly isr: readonly number[]
  readonly elr: readonly number[]
  /** Who led before there was nobody; -1 while there is a leader, or nobody is remembered. */
  readonly lastKnownLeader: number
  /** The leader was elected although it may have lost records. */
  readonly isRecovering: boolean
  /** In the order of the assignment. */
  readonly replicas: readonly ReplicaState[]
}

/** @returns undefined when there is no such partition, or no controller to ask */
export function replicatedPartition(
  cluster: Cluster,
  topic: string,
  partition: number,
): ReplicatedPartition | undefined {
  const controller = cluster.brokers.find(({ services }) => services.controller !== undefined)
  const image = controller?.services.metadata.topicsByName.get(topic)
  const state = image?.partitions[partition]
  if (image === undefined || state === undefined) return undefined
  const [lastKnownLeader = -1] = state.lastKnownElr
  return {
    topicId: image.id,
    leader: state.leaderId,
    leaderEpoch: state.leaderEpoch,
    partitionEpoch: state.partitionEpoch,
    isr: [...state.isr].sort((left, right) => left - right),
    elr: [...state.elr].sort((left, right) => left - right),
    lastKnownLeader: state.leaderId < 0 ? lastKnownLeader : -1,
    isRecovering: state.leaderRecoveryState === 1,
    replicas: state.replicas.map((nodeId): ReplicaState => {
      const broker = cluster.brokers.find((candidate) => candidate.nodeId === nodeId)
      const log = broker?.services.replicas.partition(topic, partition)?.log
      return {
        nodeId,
        isRunning: broker !== undefined,
        logEndOffset: log?.logEndOffset ?? -1,
        highWatermark: log?.highWatermark ?? -1,
        logStartOffset: log?.logStartOffset ?? -1,
        epochs: log?.epochEntries.map(({ epoch, startOffset }) => ({ epoch, startOffset })) ?? [],
      }
    }),
  }
}
