/**
 * The state of a cluster as waits and checks see it. The cluster in this process is looked into directly; another one is asked over the wire.
 */
import { OffsetFetch } from '../../common/protocol/apis/09-offset-fetch.ts'
import { DescribeGroups } from '../../common/protocol/apis/15-describe-groups.ts'
import { ConsumerGroupDescribe } from '../../common/protocol/apis/69-consumer-group-describe.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Cluster } from '../cluster.ts'
import type { GroupShardState } from '../coordinator/group/group-state.ts'
import type { TopicRecord } from './records.ts'
import { recordsIn } from './records.ts'
import { TopicHandle } from './topic-handle.ts'
import type { Wire } from './wire.ts'

export interface PartitionState {
  readonly partition: number
  /** -1: none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly startOffset: number
  readonly highWatermark: number
}

export interface GroupState {
  /** Kafka's words: Stable, Empty, PreparingRebalance, … ; Dead when there is no such group. */
  readonly state: string
  readonly type: string
  readonly memberIds: readonly string[]
}

/** topic-partition -> offset */
export type Committed = ReadonlyMap<string, number>

type Now<T> = T | Promise<T>

export interface ClusterView {
  /** undefined: there is no such topic. */
  partitions(topic: string): Now<readonly PartitionState[] | undefined>
  group(groupId: string): Now<GroupState>
  committed(groupId: string): Now<Committed>
  /** What consumers can see of a topic from these offsets on; moves the offsets. */
  read(topic: string, offsets: Map<number, number>): Now<readonly TopicRecord[]>
  /** Whether every broker that runs can serve the topic. */
  isUsable(topic: string): Now<boolean>
}

const NO_GROUP: GroupState = { state: 'Dead', type: 'classic', memberIds: [] }
const READ_BYTES = 1 << 20

/** @param current the cluster of the present life */
export function localView(current: () => Cluster): ClusterView {
  const shardOf = (groupId: string): GroupShardState | undefined => {
    for (const { services } of current().brokers) {
      const found = services.groups.service.shardFor(groupId)
      if (found.error === ErrorCode.NONE) return found.value.machine.state
    }
    return undefined
  }
  const leaderOf = (topic: string, index: number) => {
    for (const { services } of current().brokers) {
      const partition = services.replicas.partition(topic, index)
      if (partition?.isLeader === true) return partition
    }
    return undefined
  }
  const imageOf = (topic: string) => {
    const broker = current().brokers.find(({ services }) => services.controller !== undefined)
    return (broker ?? current().brokers[0])?.services.metadata.topicsByName.get(topic)
  }
  return {
    partitions: (topic) =>
      imageOf(topic)?.partitions.map((state, index): PartitionState => {
        const partition = leaderOf(topic, index)
        return {
          partition: index,
          leader: state.leaderId,
          leaderEpoch: state.leaderEpoch,
          replicas: state.replicas,
          isr: partition?.isr ?? state.isr,
          startOffset: partition?.log?.logStartOffset ?? 0,
          highWatermark: partition?.log?.highWatermark ?? 0,
        }
      }),
    group: (groupId) => {
      const group = shardOf(groupId)?.groups.get(groupId)
      if (group === undefined) return NO_GROUP
      return { state: group.state, type: group.type, memberIds: [...group.members.keys()] }
    },
    committed: (groupId) => {
      const offsets = new Map<string, number>()
      for (const [topic, partitions] of shardOf(groupId)?.offsets.topicsOf(groupId) ?? [])
        for (const [index, { offset }] of partitions) offsets.set(`${topic}-${index}`, offset)
      return offsets
    },
    read: (topic, offsets) => {
      const found: TopicRecord[] = []
      imageOf(topic)?.partitions.forEach((_state, index) => {
        const log = leaderOf(topic, index)?.log
        if (log === undefined) return
        let offset = Math.max(offsets.get(index) ?? 0, log.logStartOffset)
        while (offset < log.highWatermark) {
          const read = log.read({
            offset,
            maxBytes: READ_BYTES,
            upTo: 'highWatermark',
            atLeastOneBatch: true,
          })
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
    },
    isUsable: (topic) =>
      current().brokers.every(({ nodeId, services }) => {
        const image = services.metadata.topicsByName.get(topic)
        if (image === undefined) return false
        return image.partitions.every(
          ({ leaderId }, index) =>
            leaderId >= 0 &&
            (leaderId !== nodeId || services.replicas.partition(topic, index)?.isLeader === true),
        )
      }),
  }
}

export function remoteView(wire: Wire, nowMs: () => number): ClusterView {
  const host = { wire, nowMs, whenUsable: () => Promise.resolve() }
  const read = async (topic: string): Promise<readonly TopicRecord[]> =>
    new TopicHandle(host, topic).records()
  const partitions = async (topic: string): Promise<readonly PartitionState[] | undefined> => {
    const { topics } = await wire.metadata([topic])
    const found = topics?.[0]
    if (found === undefined || found.errorCode !== ErrorCode.NONE) return undefined
    const starts = await wire.offsets(topic, -2)
    const ends = await wire.offsets(topic, -1)
    return found.partitions.map(({ partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes }) => ({
      partition: partitionIndex,
      leader: leaderId,
      leaderEpoch,
      replicas: replicaNodes,
      isr: isrNodes,
      startOffset: starts.get(partitionIndex) ?? 0,
      highWatermark: ends.get(partitionIndex) ?? 0,
    }))
  }
  return {
    partitions,
    group: async (groupId) => {
      const consumer = await wire
        .coordinator(
          groupId,
          ConsumerGroupDescribe,
          { groupIds: [groupId], includeAuthorizedOperations: false },
          ({ groups }) => groups[0]?.errorCode ?? 0,
        )
        .catch(() => undefined)
      const modern = consumer?.groups[0]
      if (modern?.errorCode === ErrorCode.NONE) {
        const memberIds = modern.members.map(({ memberId }) => memberId)
        return { state: modern.groupState, type: 'consumer', memberIds }
      }
      const { groups } = await wire.coordinator(
        groupId,
        DescribeGroups,
        { groups: [groupId] },
        (answer) => answer.groups[0]?.errorCode ?? 0,
      )
      const group = groups[0]
      if (group === undefined || group.errorCode !== ErrorCode.NONE) return NO_GROUP
      const memberIds = group.members.map(({ memberId }) => memberId)
      return { state: group.groupState, type: 'classic', memberIds }
    },
    committed: async (groupId) => {
      const answer = await wire.coordinator(
        groupId,
        OffsetFetch,
        (version) => (version < 8 ? { groupId, topics: null } : { groups: [{ groupId, topics: null }] }),
        ({ groups, errorCode }) => groups[0]?.errorCode ?? errorCode,
      )
      const offsets = new Map<string, number>()
      const topicIds = new Map<string, string>()
      const topics = answer.groups[0]?.topics ?? answer.topics
      if (topics.some(({ name }) => name === '')) {
        const all = await wire.metadata(null)
        for (const { topicId, name } of all.topics ?? []) topicIds.set(topicId, name ?? '')
      }
      for (const topic of topics) {
        const name = topic.name || topicIds.get((topic as { topicId?: string }).topicId ?? '') || ''
        for (const { partitionIndex, committedOffset } of topic.partitions)
          if (committedOffset >= 0) offsets.set(`${name}-${partitionIndex}`, committedOffset)
      }
      return offsets
    },
    read: async (topic, offsets) => {
      if ((await partitions(topic)) === undefined) return []
      const all = await read(topic)
      const fresh = all.filter(({ partition, offset }) => offset >= (offsets.get(partition) ?? 0))
      for (const { partition, offset } of fresh) offsets.set(partition, offset + 1)
      return fresh
    },
    isUsable: async (topic) => {
      const { topics } = await wire.metadata([topic])
      const found = topics?.[0]
      return found?.errorCode === ErrorCode.NONE && found.partitions.every(({ leaderId }) => leaderId >= 0)
    },
  }
}
