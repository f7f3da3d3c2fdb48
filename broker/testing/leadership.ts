/**
 * Who leads partitions and coordinates groups and transactions, and how that is changed for real: by the requests of an operator, so it works
 * on a cluster elsewhere as well.
 */
import { ElectLeaders } from '../../common/protocol/apis/43-elect-leaders.ts'
import { AlterPartitionReassignments } from '../../common/protocol/apis/45-alter-partition-reassignments.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { partitionForKey } from '../coordinator/coordinator-service.ts'
import { OFFSETS_TOPIC, TRANSACTION_TOPIC } from '../topic-names.ts'
import type { ClusterView, PartitionState } from './cluster-view.ts'
import { KafkaError } from './kafka-error.ts'
import type { WaitFor } from './wait-for.ts'
import type { Wire } from './wire.ts'

export type CoordinatorKind = 'group' | 'transaction'

export class Leadership {
  readonly #wire: Wire
  readonly #view: ClusterView
  readonly #waitFor: WaitFor

  constructor(parts: { wire: Wire; view: ClusterView; waitFor: WaitFor }) {
    this.#wire = parts.wire
    this.#view = parts.view
    this.#waitFor = parts.waitFor
  }

  /**
   * An election that an operator asks for: `preferred` gives the lead back to the first replica, `unclean` to one that may have lost records.
   * @returns Kafka's answer: NONE, ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE …
   */
  async elect(
    topic: string,
    partition: number,
    election: 'preferred' | 'unclean' = 'preferred',
  ): Promise<ErrorCode> {
    const answer = await this.#wire.any(ElectLeaders, {
      electionType: election === 'preferred' ? 0 : 1,
      topicPartitions: [{ topic, partitions: [partition] }],
    })
    return answer.replicaElectionResults[0]?.partitionResult[0]?.errorCode ?? answer.errorCode
  }

  /** Makes a broker the leader of a partition, for real; it copies the data first when it has no replica. */
  async move(topic: string, partition: number, nodeId: number): Promise<void> {
    const wire = this.#wire
    const state = (await this.#partitions(topic))[partition]
    if (state === undefined)
      throw new KafkaError(`${topic}-${partition}`, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const others = state.replicas.filter((replica) => replica !== nodeId)
    const replicas = state.replicas.includes(nodeId)
      ? [nodeId, ...others]
      : [nodeId, ...others].slice(0, state.replicas.length)
    const moved = await wire.any(AlterPartitionReassignments, {
      topics: [{ name: topic, partitions: [{ partitionIndex: partition, replicas }] }],
    })
    const errorCode = moved.responses[0]?.partitions[0]?.errorCode || moved.errorCode
    if (errorCode !== ErrorCode.NONE) throw new KafkaError(`moving ${topic}-${partition}`, errorCode)
    await this.#waitFor.condition(`broker ${nodeId} to be in sync`, async () =>
      (await this.#partitions(topic))[partition]?.isr.includes(nodeId),
    )
    await wire.any(ElectLeaders, { topicPartitions: [{ topic, partitions: [partition] }] })
    await this.#waitFor.leader({ topic, partition }, nodeId)
  }

  /** The broker that coordinates a group or a transactional id; -1: none yet. */
  async coordinatorOf(kind: CoordinatorKind, key: string): Promise<number> {
    const place = await this.#coordinatorPlace(kind, key)
    if (place === undefined) return -1
    return (await this.#partitions(place.topic))[place.partition]?.leader ?? -1
  }

  /** Moves the coordinator of a group or a transactional id, for real. */
  async moveCoordinator(kind: CoordinatorKind, key: string, nodeId: number): Promise<void> {
    const place = await this.#coordinatorPlace(kind, key)
    if (place === undefined)
      throw new KafkaError(`the coordinator of "${key}"`, ErrorCode.COORDINATOR_NOT_AVAILABLE)
    await this.move(place.topic, place.partition, nodeId)
  }

  async #coordinatorPlace(
    kind: CoordinatorKind,
    key: string,
  ): Promise<{ topic: string; partition: number } | undefined> {
    const topic = kind === 'group' ? OFFSETS_TOPIC : TRANSACTION_TOPIC
    const partitions = await this.#view.partitions(topic)
    return partitions === undefined
      ? undefined
      : { topic, partition: partitionForKey(key, partitions.length) }
  }

  async #partitions(topic: string): Promise<readonly PartitionState[]> {
    const partitions = await this.#view.partitions(topic)
    if (partitions === undefined)
      throw new KafkaError(`topic "${topic}"`, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    return partitions
  }
}
