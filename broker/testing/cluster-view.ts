/**
 * The state of a cluster as waits and checks see it. The cluster in this process is looked into directly (`LocalView`); another one is
 * asked over the wire (`RemoteView`).
 */
import type { TopicRecord } from './records.ts'

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

export const NO_GROUP: GroupState = { state: 'Dead', type: 'classic', memberIds: [] }
