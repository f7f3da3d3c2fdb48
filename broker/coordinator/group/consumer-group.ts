/**
 * A group of the consumer protocol (KIP-848): members with epochs, the target assignment and how far each member has come
 * towards it.
 *
 * Owner: a group shard; only replay changes it, so it is exactly what the log says. Invariants: a partition is owned by at most
 * one member (assigned or not yet given back); a member's epoch never exceeds the epoch of the target assignment, which never
 * exceeds the group's.
 */
import type { ConsumerGroupCurrentMemberAssignmentValue } from '../../../common/protocol/records/consumer-group-current-member-assignment.ts'
import type { ConsumerGroupMemberMetadataValue } from '../../../common/protocol/records/consumer-group-member-metadata.ts'
import type { ClassicProtocol } from './classic-group.ts'

/** Numbers as in ConsumerGroupCurrentMemberAssignmentValue. */
export const MemberState = {
  STABLE: 0,
  UNREVOKED_PARTITIONS: 1,
  UNRELEASED_PARTITIONS: 2,
  UNKNOWN: 127,
} as const
export type MemberState = (typeof MemberState)[keyof typeof MemberState]

/** Epochs of a request that mean something else. */
export const JOIN_EPOCH = 0
export const LEAVE_EPOCH = -1
/** A static member goes for a moment and keeps its partitions. */
export const STATIC_LEAVE_EPOCH = -2

/** topic id -> partitions */
export type Assignment = ReadonlyMap<string, ReadonlySet<number>>
/** topic id -> partition -> member epoch in which the member got it (KIP-1251) */
export type OwnedAssignment = ReadonlyMap<string, ReadonlyMap<number, number>>

export const EMPTY_ASSIGNMENT: Assignment = new Map()
export const EMPTY_OWNED: OwnedAssignment = new Map()

export interface ClassicMemberMetadata {
  readonly sessionTimeoutMs: number
  readonly supportedProtocols: readonly ClassicProtocol[]
}

/** Immutable; a change makes a new one. */
export interface ConsumerMember {
  readonly memberId: string
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly state: MemberState
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly rebalanceTimeoutMs: number
  readonly clientId: string
  readonly clientHost: string
  /** Sorted. */
  readonly subscribedTopicNames: readonly string[]
  /** Empty: none. */
  readonly subscribedTopicRegex: string
  readonly serverAssignor: string | null
  /** Set while the member speaks the classic protocol (online migration). */
  readonly classic: ClassicMemberMetadata | null
  readonly assigned: OwnedAssignment
  readonly pendingRevocation: OwnedAssignment
}

export interface ResolvedRegex {
  readonly topics: ReadonlySet<string>
  /** Metadata offset at which it was resolved. */
  readonly version: number
  readonly timestampMs: number
}

export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable' | 'Dead'

export function newConsumerMember(memberId: string): ConsumerMember {
  return {
    memberId,
    memberEpoch: 0,
    previousMemberEpoch: 0,
    state: MemberState.STABLE,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: -1,
    clientId: '',
    clientHost: '',
    subscribedTopicNames: [],
    subscribedTopicRegex: '',
    serverAssignor: null,
    classic: null,
    assigned: EMPTY_OWNED,
    pendingRevocation: EMPTY_OWNED,
  }
}

export class ConsumerGroup {
  readonly type = 'consumer'
  readonly groupId: string
  /** Grows with every change of subscriptions; what the target assignment has to catch up with. */
  groupEpoch = 1
  /** Fingerprint of the subscribed topics; 0 when there are none. */
  metadataHash = 0n
  /** Epoch 1 assigns nothing to nobody, as the group of epoch 1 asks for nothing. */
  assignmentEpoch = 1
  assignmentTimestampMs = 0
  /** Metadata offset at which `metadataHash` was found right: saves heartbeats the comparison. Not durable. */
  checkedMetadataOffset = -1
  readonly members = new Map<string, ConsumerMember>()
  readonly targets = new Map<string, Assignment>()
  readonly regexes = new Map<string, ResolvedRegex>()
  readonly #staticMembers = new Map<string, string>()
  readonly #owners = new Map<string, Map<number, number>>()

  constructor(groupId: string) {
    this.groupId = groupId
  }

  get isEmpty(): boolean {
    return this.members.size === 0
  }

  get state(): ConsumerGroupState {
    if (this.members.size === 0) return 'Empty'
    if (this.groupEpoch > this.assignmentEpoch) return 'Assigning'
    for (const member of this.members.values()) {
      if (!isReconciled(member, this.assignmentEpoch)) return 'Reconciling'
    }
    return 'Stable'
  }

  staticMember(instanceId: string): ConsumerMember | undefined {
    const memberId = this.#staticMembers.get(instanceId)
    return memberId === undefined ? undefined : this.members.get(memberId)
  }

  /** Epoch of the member that holds the partition, -1 when it is free. */
  ownerEpoch(topicId: string, partition: number): number {
    return this.#owners.get(topicId)?.get(partition) ?? -1
  }

  targetOf(memberId: string): Assignment {
    return this.targets.get(memberId) ?? EMPTY_ASSIGNMENT
  }

  /** Topics that the member asks for, by name and by what its pattern matched last. */
  topicsOf(member: ConsumerMember): Set<string> {
    const topics = new Set(member.subscribedTopicNames)
    for (const topic of this.regexes.get(member.subscribedTopicRegex)?.topics ?? []) topics.add(topic)
    return topics
  }

  isSubscribedTo(topic: string): boolean {
    for (const member of this.members.values()) {
      if (member.subscribedTopicNames.includes(topic)) return true
      if (this.regexes.get(member.subscribedTopicRegex)?.topics.has(topic) === true) return true
    }
    return false
  }

  /** Members that speak the classic protocol. */
  get classicMembers(): ConsumerMember[] {
    return [...this.members.values()].filter(({ classic }) => classic !== null)
  }

  // --- replay ------------------------------------------------------------------------------------------------------

  replayMemberMetadata(memberId: string, value: ConsumerGroupMemberMetadataValue): void {
    const known = this.members.get(memberId) ?? newConsumerMember(memberId)
    if (known.instanceId !== null) this.#forgetStatic(known)
    const member: ConsumerMember = {
      ...known,
      instanceId: value.instanceId,
      rackId: value.rackId,
      rebalanceTimeoutMs: value.rebalanceTimeoutMs,
      clientId: value.clientId,
      clientHost: value.clientHost,
      subscribedTopicNames: [...value.subscribedTopicNames].sort(),
      subscribedTopicRegex: value.subscribedTopicRegex ?? '',
      serverAssignor: value.serverAssignor,
      classic: value.classicMemberMetadata,
    }
    this.members.set(memberId, member)
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, memberId)
  }

  removeMember(memberId: string): void {
    const member = this.members.get(memberId)
    if (member === undefined) return
    this.#release(member)
    this.#forgetStatic(member)
    this.members.delete(memberId)
  }

  replayCurrentAssignment(memberId: string, value: ConsumerGroupCurrentMemberAssignmentValue | null): void {
    const known = this.members.get(memberId)
    // A tombstone may follow that of the member.
    if (known === undefined && value === null) return
    const before = known ?? newConsumerMember(memberId)
    this.#release(before)
    const member: ConsumerMember =
      value === null
        ? {
            ...before,
            memberEpoch: LEAVE_EPOCH,
            previousMemberEpoch: LEAVE_EPOCH,
            state: MemberState.STABLE,
            assigned: EMPTY_OWNED,
            pendingRevocation: EMPTY_OWNED,
          }
        : {
            ...before,
            memberEpoch: value.memberEpoch,
            previousMemberEpoch: value.previousMemberEpoch,
            state: memberStateOf(value.state),
            assigned: ownedOf(value.assignedPartitions, value.memberEpoch),
            pendingRevocation: ownedOf(value.partitionsPendingRevocation, value.memberEpoch),
          }
    this.adopt(member)
  }

  /** Puts a member in its place, with all that it holds. */
  adopt(member: ConsumerMember): void {
    this.members.set(member.memberId, member)
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.memberId)
    for (const owned of [member.assigned, member.pendingRevocation]) {
      for (const [topicId, partitions] of owned) {
        let owners = this.#owners.get(topicId)
        if (owners === undefined) {
          owners = new Map()
          this.#owners.set(topicId, owners)
        }
        for (const partition of partitions.keys()) owners.set(partition, member.memberEpoch)
      }
    }
  }

  #release(member: ConsumerMember): void {
    for (const owned of [member.assigned, member.pendingRevocation]) {
      for (const [topicId, partitions] of owned) {
        const owners = this.#owners.get(topicId)
        for (const partition of partitions.keys()) owners?.delete(partition)
        if (owners?.size === 0) this.#owners.delete(topicId)
      }
    }
  }

  #forgetStatic(member: ConsumerMember): void {
    if (member.instanceId === null) return
    // A replacement may have taken the instance id already.
    if (this.#staticMembers.get(member.instanceId) === member.memberId)
      this.#staticMembers.delete(member.instanceId)
  }
}

/** Whether two members, or one before and after, name the same topics; the names are sorted. */
export function namesSameTopics(left: ConsumerMember, right: ConsumerMember): boolean {
  return left.subscribedTopicNames.join('\n') === right.subscribedTopicNames.join('\n')
}

/** Whether the member has all of its target of this epoch. */
export function isReconciled(member: ConsumerMember, assignmentEpoch: number): boolean {
  return member.state === MemberState.STABLE && member.memberEpoch === assignmentEpoch
}

export function assignmentOf(
  topics: readonly { readonly topicId: string; readonly partitions: readonly number[] }[],
): Assignment {
  return new Map(topics.map(({ topicId, partitions }) => [topicId, new Set(partitions)]))
}

function ownedOf(
  topics: ConsumerGroupCurrentMemberAssignmentValue['assignedPartitions'],
  memberEpoch: number,
): OwnedAssignment {
  return new Map(
    topics.map(({ topicId, partitions, assignmentEpochs }) => [
      topicId,
      new Map(partitions.map((partition, index) => [partition, assignmentEpochs?.[index] ?? memberEpoch])),
    ]),
  )
}

function memberStateOf(state: number): MemberState {
  switch (state) {
    case MemberState.STABLE:
    case MemberState.UNREVOKED_PARTITIONS:
    case MemberState.UNRELEASED_PARTITIONS:
      return state
    default:
      return MemberState.UNKNOWN
  }
}

/** Sorted partitions of each topic: the form of answers and records. */
export function sortedPartitions(
  assignment: ReadonlyMap<string, { keys(): Iterable<number> }>,
): { topicId: string; partitions: number[] }[] {
  return [...assignment].map(([topicId, partitions]) => ({
    topicId,
    partitions: [...partitions.keys()].sort((left, right) => left - right),
  }))
}

export function isSameAssignment(
  left: ReadonlyMap<string, { readonly size: number; keys(): Iterable<number> }>,
  right: ReadonlyMap<string, { readonly size: number; has(partition: number): boolean }>,
): boolean {
  if (left.size !== right.size) return false
  for (const [topicId, partitions] of left) {
    const others = right.get(topicId)
    if (others === undefined || others.size !== partitions.size) return false
    for (const partition of partitions.keys()) if (!others.has(partition)) return false
  }
  return true
}
