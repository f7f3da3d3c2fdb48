/**
 * Tells a coordinator service which partitions of its internal topic this broker leads, and when their watermarks move.
 */

import type { Partition } from '../replica/partition.ts'
import type { LeadershipListener, ReplicaManager } from '../replica/replica-manager.ts'
import type { StateMachine } from '../statemachine/state-machine.ts'
import type { CoordinatorRecord } from './coordinator-record.ts'
import type { CoordinatorService } from './coordinator-service.ts'
import { PartitionLog } from './partition-log.ts'

export function followLeadership<Shard extends StateMachine<CoordinatorRecord>>(
  replicas: ReplicaManager,
  service: CoordinatorService<Shard>,
): void {
  const stopListening = new Map<number, () => void>()
  const listener: LeadershipListener = {
    onLeadershipGained(partition: Partition): void {
      if (partition.topic !== service.topic) return
      const { index } = partition
      if (!stopListening.has(index)) {
        stopListening.set(
          index,
          partition.listen({ onPartitionTouched: () => service.onHighWatermark(index) }),
        )
      }
      service.onLeadershipGained(index, partition.leaderEpoch, new PartitionLog(partition))
    },
    onLeadershipLost(partition: Partition): void {
      if (partition.topic !== service.topic) return
      stopListening.get(partition.index)?.()
      stopListening.delete(partition.index)
      service.onLeadershipLost(partition.index, undefined)
    },
  }
  replicas.listenToLeadership(listener)
}
