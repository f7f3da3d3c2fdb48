/**
 * What the HTTP interface sees of a cluster: the brokers' own state, of which it takes snapshots and which it cannot change.
 * `Cluster` fits it as it is; tests give plain objects.
 */
import type { MetadataImage } from '../metadata/image.ts'
import type { RequestCounters, TopicCounters } from '../metrics/counters.ts'

export interface LogView {
  readonly sizeBytes: number
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
}

/** A replica on the broker that is asked. */
export interface PartitionView {
  readonly topic: string
  readonly index: number
  readonly isLeader: boolean
  readonly log: LogView | undefined
}

export interface GroupView {
  readonly groupId: string
  readonly type: string
  readonly state: string
  readonly members: ReadonlyMap<
    string,
    { readonly memberId: string; readonly clientId: string; readonly clientHost: string }
  >
}

export interface GroupShardView {
  readonly groups: ReadonlyMap<string, GroupView>
  readonly offsets: {
    /** topic -> partition -> what the group has committed */
    topicsOf(groupId: string): ReadonlyMap<string, ReadonlyMap<number, { readonly offset: number }>>
    allGroupIds(): Iterable<string>
  }
}

export interface GroupCoordinatorView {
  readonly service: {
    ledPartitions(): ReadonlyMap<
      number,
      { readonly state: string; readonly machine: { readonly state: GroupShardView } }
    >
  }
}

export interface BrokerServicesView {
  readonly clusterId: string
  readonly metadata: MetadataImage
  readonly replicas: { partitions(): Iterable<PartitionView>; readonly counters: TopicCounters }
  readonly groups?: GroupCoordinatorView
  readonly requestCounters: RequestCounters
}

export interface BrokerView {
  readonly nodeId: number
  /** Clients' connections that are open. */
  readonly connectionCount: number
  readonly services: BrokerServicesView
}

export interface ClusterView {
  readonly bootstrapServers: string
  readonly brokers: readonly BrokerView[]
}
