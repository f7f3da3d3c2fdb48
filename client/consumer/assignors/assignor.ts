/** What an assignor of the classic protocol is: a function from subscriptions and partition counts to assignments. */

/** Partition ids by topic. */
export type TopicPartitions = Map<string, number[]>

export interface MemberSubscription {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly string[]
  /** What the member says that it owns. */
  readonly owned: ReadonlyMap<string, readonly number[]>
  /** In which it got that; -1 when it does not tell. */
  readonly generationId: number
  /** `client.rack`; null when the member does not tell. */
  readonly rackId: string | null
  readonly userData: Buffer | null
}

/** Racks of the replicas of a partition. */
export type RacksOf = (topic: string, partition: number) => ReadonlySet<string>

export interface Assignor {
  /** As in `partition.assignment.strategy` and on the wire. */
  readonly name: string
  /** Whether partitions change hands in two rounds, kept ones without interruption (KIP-429). */
  readonly isCooperative: boolean
  userData(generationId: number): Buffer | null
  /**
   * @param partitionCounts of the topics that exist
   * @param racksOf absent where nobody knows; partitions then go to whom they go without racks
   * @returns an entry for every member
   */
  assign(
    members: readonly MemberSubscription[],
    partitionCounts: ReadonlyMap<string, number>,
    racksOf?: RacksOf,
  ): Map<string, TopicPartitions>
}

/** Static members by their instance id, which stays, before dynamic ones. */
export function compareMembers(one: MemberSubscription, other: MemberSubscription): number {
  if (one.groupInstanceId !== null && other.groupInstanceId !== null)
    return compareText(one.groupInstanceId, other.groupInstanceId)
  if (one.groupInstanceId !== null) return -1
  if (other.groupInstanceId !== null) return 1
  return compareText(one.memberId, other.memberId)
}

/** By UTF-16 units, as Java's strings compare. */
export function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

/** An assignment without partitions for every member. */
export function emptyAssignments(members: readonly MemberSubscription[]): Map<string, TopicPartitions> {
  return new Map(members.map(({ memberId }) => [memberId, new Map()]))
}

/** Adds a partition to what a member is assigned. */
export function give(assigned: TopicPartitions | undefined, topic: string, partition: number): void {
  const partitions = assigned?.get(topic)
  if (partitions === undefined) assigned?.set(topic, [partition])
  else partitions.push(partition)
}
