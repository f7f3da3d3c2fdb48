/** The state of the cluster in this process, looked into directly. */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Cluster } from '../cluster.ts'
import type { GroupShardState } from '../coordinator/group/group-state.ts'
import type { TopicImage } from '../metadata/image.ts'
import type { Partition } from '../replica/partition.ts'
import {
  type ClusterView,
  type Committed,
  type GroupState,
  NO_GROUP,
  type PartitionState,
} from './cluster-view.ts'
import { recordsIn, type TopicRecord } from './records.ts'

const READ_BYTES = 1 << 20

export class LocalView implements ClusterView {
  readonly #current: () => Cluster

  /** @param current the cluster of the present life */
  constructor(current: () => Cluster) {
    this.#current = current
  }

  partitions(topic: string): PartitionState[] | undefined {
    return this.#imageOf(topic)?.partitions.map((state, index): PartitionState => {
      const partition = this.#leaderOf(topic, index)
      return {
        partition: index,
        leader: state.leaderId,
        leaderEpoch: state.leaderEpoch,
        replicas: state.replicas,
        isr: partition?.isr ?? state.isr,
        startOffset: partition?.log?.logStartOffset ?? 0,
        highWatermark: partition?.log?.highWatermark ?? 0,
      }
    })
  }

  group(groupId: string): GroupState {
    const group = this.#shardOf(groupId)?.groups.get(groupId)
    if (group === undefined) return NO_GROUP
    return { state: group.state, type: group.type, memberIds: [...group.members.keys()] }
  }

  committed(groupId: string): Committed {
    const offsets = new Map<string, number>()
    for (const [topic, partitions] of this.#shardOf(groupId)?.offsets.topicsOf(groupId) ?? [])
      for (const [index, { offset }] of partitions) offsets.set(`${topic}-${index}`, offset)
    return offsets
  }

  read(topic: string, offsets: Map<number, number>): TopicRecord[] {
    const found: TopicRecord[] = []
    this.#imageOf(topic)?.partitions.forEach((_state, index) => {
      const log = this.#leaderOf(topic, index)?.log
      if (log === undefined) return
      let offset = Math.max(offsets.get(index) ?? 0, log.logStartOffset)
      while (offset < log.highWatermark) {
        const read = log.read({ offset, maxBytes: READ_BYTES, upTo: 'highWatermark', atLeastOneBatch: true })
        if (read.error !== ErrorCode.NONE || read.records.length === 0) break
        const part = recordsIn<string | null>(read.records, {
          topic,
          partition: index,
          fromOffset: offset,
          decode: 'text',
        })
        found.push(...part.records)
        offset = part.nextOffset
      }
      offsets.set(index, offset)
    })
    return found
  }

  isUsable(topic: string): boolean {
    return this.#current().brokers.every(({ nodeId, services }) => {
      const image = services.metadata.topicsByName.get(topic)
      if (image === undefined) return false
      return image.partitions.every(
        ({ leaderId }, index) =>
          leaderId >= 0 &&
          (leaderId !== nodeId || services.replicas.partition(topic, index)?.isLeader === true),
      )
    })
  }

  #shardOf(groupId: string): GroupShardState | undefined {
    for (const { services } of this.#current().brokers) {
      const found = services.groups.service.shardFor(groupId)
      if (found.error === ErrorCode.NONE) return found.value.machine.state
    }
    return undefined
  }

  #leaderOf(topic: string, index: number): Partition | undefined {
    for (const { services } of this.#current().brokers) {
      const partition = services.replicas.partition(topic, index)
      if (partition?.isLeader === true) return partition
    }
    return undefined
  }

  /** As the controller has it, where there is one. */
  #imageOf(topic: string): TopicImage | undefined {
    const { brokers } = this.#current()
    const broker = brokers.find(({ services }) => services.controller !== undefined)
    return (broker ?? brokers[0])?.services.metadata.topicsByName.get(topic)
  }
}
