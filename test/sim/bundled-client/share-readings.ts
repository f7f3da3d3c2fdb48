/**
 * What the members of one share group were given, what they said of it, and what of that was confirmed. Owner: the simulation. What is confirmed
 * is judged whenever a record comes again; the rest is held against the logs in the end.
 */
import { DeliveryState } from '../../../broker/share/record-run.ts'
import type { SharePartition } from '../../../broker/share/share-partition.ts'
import type { SimCluster } from '../cluster/sim-cluster.ts'
import { Violation } from '../cluster/violation.ts'

export interface SharedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export class ShareReadings {
  readonly groupId: string
  readonly values: { readonly place: string; readonly offset: number; readonly value: string }[] = []
  /** `place@offset` of what some member accepted or rejected, whether the broker heard of it or not. */
  readonly settled = new Set<string>()
  readonly #cluster: SimCluster
  /** What members were told to be settled for good. */
  readonly #confirmed = new Map<string, SharedRecord>()

  constructor(groupId: string, cluster: SimCluster) {
    this.groupId = groupId
    this.#cluster = cluster
  }

  get confirmedCount(): number {
    return this.#confirmed.size
  }

  got(record: SharedRecord, value: string): void {
    const { topic, partition, offset } = record
    this.values.push({ place: `${topic}-${partition}`, offset, value })
    // An old answer, or a leader that does not know yet that it is none any more, may bring it again; the leader that is one does not.
    if (this.#confirmed.has(keyOf(record))) this.checkConfirmed(record)
  }

  confirmed(record: SharedRecord): void {
    this.#confirmed.set(keyOf(record), record)
  }

  /** @throws Violation when a leader gives out again what was settled for good */
  checkAllConfirmed(): void {
    for (const record of this.#confirmed.values()) this.checkConfirmed(record)
  }

  /** Whether everything up to the end of this log has been settled, as its leader sees it. */
  hasSettled(topic: string, partition: number, endOffset: number): boolean {
    return (this.#sharePartition(topic, partition)?.startOffset ?? -1) >= endOffset
  }

  checkConfirmed({ topic, partition, offset }: SharedRecord): void {
    const sharePartition = this.#sharePartition(topic, partition)
    if (sharePartition === undefined || offset < sharePartition.startOffset) return
    const run = sharePartition.runs.find(
      ({ firstOffset, lastOffset }) => firstOffset <= offset && offset <= lastOffset,
    )
    if (run?.state === DeliveryState.ACKNOWLEDGED || run?.state === DeliveryState.ARCHIVED) return
    throw new Violation(
      'what is confirmed is given out no more',
      `${this.groupId} has settled ${offset} of ${topic}-${partition}, and the leader is in state ${run?.state} with it`,
    )
  }

  /** As the leader of the newest metadata has it, if it has read it and knows of its leadership. */
  #sharePartition(topic: string, partition: number): SharePartition | undefined {
    const { image, nodes } = this.#cluster
    const found = image?.topicsByName.get(topic)
    const state = found?.partitions[partition]
    const services = nodes[(state?.leaderId ?? 0) - 1]?.broker?.services
    if (found === undefined || state === undefined) return undefined
    const sharePartition = services?.sharePartitions.sharePartition(this.groupId, {
      topicId: found.id,
      partition,
    })
    return sharePartition?.leaderEpoch === state.leaderEpoch ? sharePartition : undefined
  }
}

export function keyOf({ topic, partition, offset }: SharedRecord): string {
  return `${topic}-${partition}@${offset}`
}
