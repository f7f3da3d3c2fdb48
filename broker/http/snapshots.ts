/**
 * Snapshots of a cluster for the HTTP interface: plain values that nothing changes once they are made.
 */
import { isInternalTopic } from '../topic-names.ts'
import type { BrokerView, ClusterView, GroupShardView, GroupView, LogView } from './cluster-view.ts'

export interface BrokerSnapshot {
  readonly nodeId: number
  readonly rack: string | null
  readonly isFenced: boolean
  readonly listeners: readonly { readonly name: string; readonly host: string; readonly port: number }[]
  readonly leaderCount: number
  readonly replicaCount: number
}

export interface ClusterSnapshot {
  readonly clusterId: string
  readonly bootstrapServers: string
  readonly metadataOffset: number
  readonly topicCount: number
  readonly partitionCount: number
  readonly underReplicatedPartitionCount: number
  readonly offlinePartitionCount: number
  readonly features: Readonly<Record<string, number>>
  readonly brokers: readonly BrokerSnapshot[]
}

export interface PartitionSnapshot {
  readonly partition: number
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly sizeBytes: number
  /** -1 when the leader's log is not within reach of this process. */
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
}

export interface TopicSummary {
  readonly name: string
  readonly topicId: string
  readonly isInternal: boolean
  readonly partitionCount: number
  readonly replicationFactor: number
  readonly underReplicatedPartitionCount: number
  /** Of the leaders' logs. */
  readonly sizeBytes: number
}

export interface TopicSnapshot extends TopicSummary {
  readonly partitions: readonly PartitionSnapshot[]
}

export interface GroupSummary {
  readonly groupId: string
  readonly type: string
  readonly state: string
  readonly memberCount: number
}

export interface GroupSnapshot extends GroupSummary {
  readonly members: readonly {
    readonly memberId: string
    readonly clientId: string
    readonly clientHost: string
  }[]
  readonly offsets: readonly {
    readonly topic: string
    readonly partition: number
    readonly committedOffset: number
    /** -1 when unknown, as the lag then. */
    readonly logEndOffset: number
    readonly lag: number
  }[]
}

/** Every broker of the process follows the same metadata; the first one is as good as any. */
function anyBroker(cluster: ClusterView): BrokerView {
  const [first] = cluster.brokers
  if (first === undefined) throw new Error('a cluster has at least one broker')
  return first
}

/** `topic\npartition` -> log of the leader. */
function leaderLogs(cluster: ClusterView): ReadonlyMap<string, LogView> {
  const logs = new Map<string, LogView>()
  for (const { services } of cluster.brokers) {
    for (const { isLeader, log, topic, index } of services.replicas.partitions()) {
      if (isLeader && log !== undefined) logs.set(`${topic}\n${index}`, log)
    }
  }
  return logs
}

export function clusterSnapshot(cluster: ClusterView): ClusterSnapshot {
  const { services } = anyBroker(cluster)
  const { metadata } = services
  const leaderCounts = new Map<number, number>()
  const replicaCounts = new Map<number, number>()
  const count = (counts: Map<number, number>, id: number): void => {
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  let partitionCount = 0
  let underReplicatedPartitionCount = 0
  let offlinePartitionCount = 0
  for (const { partitions } of metadata.topicsByName.values()) {
    for (const { leaderId, replicas, isr } of partitions) {
      partitionCount += 1
      if (isr.length < replicas.length) underReplicatedPartitionCount += 1
      if (leaderId < 0) offlinePartitionCount += 1
      else count(leaderCounts, leaderId)
      for (const id of replicas) count(replicaCounts, id)
    }
  }
  return {
    clusterId: services.clusterId,
    bootstrapServers: cluster.bootstrapServers,
    metadataOffset: metadata.offset,
    topicCount: metadata.topicsByName.size,
    partitionCount,
    underReplicatedPartitionCount,
    offlinePartitionCount,
    features: Object.fromEntries([...metadata.features].sort(([left], [right]) => compareText(left, right))),
    brokers: [...metadata.brokers.values()]
      .sort((left, right) => left.id - right.id)
      .map(({ id, rack, isFenced, endpoints }) => ({
        nodeId: id,
        rack,
        isFenced,
        listeners: endpoints.map(({ listenerName, host, port }) => ({ name: listenerName, host, port })),
        leaderCount: leaderCounts.get(id) ?? 0,
        replicaCount: replicaCounts.get(id) ?? 0,
      })),
  }
}

export function topicSnapshots(cluster: ClusterView, only?: string): TopicSnapshot[] {
  const { metadata } = anyBroker(cluster).services
  const one = only === undefined ? undefined : metadata.topicsByName.get(only)
  const topics = only === undefined ? [...metadata.topicsByName.values()] : one === undefined ? [] : [one]
  const logs = leaderLogs(cluster)
  return topics
    .sort((left, right) => compareText(left.name, right.name))
    .map(({ name, id, partitions }) => {
      const rows = partitions.map(({ leaderId, leaderEpoch, replicas, isr }, partition) => {
        const log = logs.get(`${name}\n${partition}`)
        return {
          partition,
          leaderId,
          leaderEpoch,
          replicas,
          isr,
          sizeBytes: log?.sizeBytes ?? 0,
          logStartOffset: log?.logStartOffset ?? -1,
          logEndOffset: log?.logEndOffset ?? -1,
          highWatermark: log?.highWatermark ?? -1,
          lastStableOffset: log?.lastStableOffset ?? -1,
        }
      })
      return {
        name,
        topicId: id,
        isInternal: isInternalTopic(name),
        partitionCount: partitions.length,
        replicationFactor: partitions[0]?.replicas.length ?? 0,
        underReplicatedPartitionCount: rows.filter(({ isr, replicas }) => isr.length < replicas.length)
          .length,
        sizeBytes: rows.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        partitions: rows,
      }
    })
}

/** Shards that are loaded, of all brokers. */
export function groupShards(cluster: ClusterView): GroupShardView[] {
  return cluster.brokers.flatMap(({ services }) =>
    [...(services.groups?.service.ledPartitions().values() ?? [])]
      .filter(({ state }) => state === 'active')
      .map(({ machine }) => machine.state),
  )
}

export function groupSnapshots(cluster: ClusterView, only?: string): GroupSnapshot[] {
  const logs = leaderLogs(cluster)
  return groupShards(cluster)
    .flatMap((shard) => {
      const ids = new Set([...shard.groups.keys(), ...shard.offsets.allGroupIds()])
      return [...ids]
        .filter((groupId) => only === undefined || groupId === only)
        .map((groupId) => groupSnapshot(shard, groupId, logs))
    })
    .sort((left, right) => compareText(left.groupId, right.groupId))
}

function groupSnapshot(
  shard: GroupShardView,
  groupId: string,
  logs: ReadonlyMap<string, LogView>,
): GroupSnapshot {
  const group: GroupView | undefined = shard.groups.get(groupId)
  const members = [...(group?.members.values() ?? [])].map(({ memberId, clientId, clientHost }) => ({
    memberId,
    clientId,
    clientHost,
  }))
  const offsets = [...shard.offsets.topicsOf(groupId)].flatMap(([topic, partitions]) =>
    [...partitions].map(([partition, { offset }]) => {
      const logEndOffset = logs.get(`${topic}\n${partition}`)?.highWatermark ?? -1
      const lag = logEndOffset < 0 ? -1 : Math.max(0, logEndOffset - offset)
      return { topic, partition, committedOffset: offset, logEndOffset, lag }
    }),
  )
  return {
    groupId,
    type: group?.type ?? 'classic',
    state: group?.state ?? 'Empty',
    memberCount: members.length,
    members,
    offsets: offsets.sort(
      (left, right) => compareText(left.topic, right.topic) || left.partition - right.partition,
    ),
  }
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
