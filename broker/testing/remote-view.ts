/** The state of a cluster elsewhere, asked over the wire. */
import { OffsetFetch } from '../../common/protocol/apis/09-offset-fetch.ts'
import { DescribeGroups } from '../../common/protocol/apis/15-describe-groups.ts'
import { ConsumerGroupDescribe } from '../../common/protocol/apis/69-consumer-group-describe.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import {
  type ClusterView,
  type Committed,
  type GroupState,
  NO_GROUP,
  type PartitionState,
} from './cluster-view.ts'
import type { TopicRecord } from './records.ts'
import { TopicHandle } from './topic-handle.ts'
import type { Wire } from './wire.ts'

export class RemoteView implements ClusterView {
  readonly #wire: Wire
  readonly #nowMs: () => number

  constructor(wire: Wire, nowMs: () => number) {
    this.#wire = wire
    this.#nowMs = nowMs
  }

  async partitions(topic: string): Promise<readonly PartitionState[] | undefined> {
    const { topics } = await this.#wire.metadata([topic])
    const found = topics?.[0]
    if (found === undefined || found.errorCode !== ErrorCode.NONE) return undefined
    const starts = await this.#wire.offsets(topic, -2)
    const ends = await this.#wire.offsets(topic, -1)
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

  async group(groupId: string): Promise<GroupState> {
    const consumer = await this.#wire
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
    const { groups } = await this.#wire.coordinator(
      groupId,
      DescribeGroups,
      { groups: [groupId] },
      (answer) => answer.groups[0]?.errorCode ?? 0,
    )
    const group = groups[0]
    if (group === undefined || group.errorCode !== ErrorCode.NONE) return NO_GROUP
    const memberIds = group.members.map(({ memberId }) => memberId)
    return { state: group.groupState, type: 'classic', memberIds }
  }

  async committed(groupId: string): Promise<Committed> {
    const answer = await this.#wire.coordinator(
      groupId,
      OffsetFetch,
      (version) => (version < 8 ? { groupId, topics: null } : { groups: [{ groupId, topics: null }] }),
      ({ groups, errorCode }) => groups[0]?.errorCode ?? errorCode,
    )
    const offsets = new Map<string, number>()
    const topicIds = new Map<string, string>()
    const topics = answer.groups[0]?.topics ?? answer.topics
    if (topics.some(({ name }) => name === '')) {
      const all = await this.#wire.metadata(null)
      for (const { topicId, name } of all.topics ?? []) topicIds.set(topicId, name ?? '')
    }
    for (const topic of topics) {
      const name = topic.name || topicIds.get((topic as { topicId?: string }).topicId ?? '') || ''
      for (const { partitionIndex, committedOffset } of topic.partitions)
        if (committedOffset >= 0) offsets.set(`${name}-${partitionIndex}`, committedOffset)
    }
    return offsets
  }

  async read(topic: string, offsets: Map<number, number>): Promise<readonly TopicRecord[]> {
    if ((await this.partitions(topic)) === undefined) return []
    const host = { wire: this.#wire, nowMs: this.#nowMs, whenUsable: () => Promise.resolve() }
    const all: readonly TopicRecord[] = await new TopicHandle(host, topic).records()
    const fresh = all.filter(({ partition, offset }) => offset >= (offsets.get(partition) ?? 0))
    for (const { partition, offset } of fresh) offsets.set(partition, offset + 1)
    return fresh
  }

  async isUsable(topic: string): Promise<boolean> {
    const { topics } = await this.#wire.metadata([topic])
    const found = topics?.[0]
    return found?.errorCode === ErrorCode.NONE && found.partitions.every(({ leaderId }) => leaderId >= 0)
  }
}
