/**
 * A group of the classic protocol: members, generation, and who waits for what.
 *
 * Owner: a group shard. As in Kafka a rebalance lives in memory only: members that join, the votes, the answers that wait.
 * What a generation decided is written as one GroupMetadataValue when the leader has sent the assignment (and when the group
 * becomes empty or a static member changes its id), and a restart continues from that record. So operations on classic groups
 * change this object directly, and replaying a group's own record changes nothing while the object is in memory.
 *
 *     Empty ──join──► PreparingRebalance ──all joined or time is up──► CompletingRebalance ──leader's sync──► Stable
 *       ▲                  ▲   │                                              │  ▲                              │
 *       └── nobody left ───┼───┘                                              └──┴──── join, leave, expiry ─────┘
 *                          └──────────────────────────────────────────────────────────────────────────────────
 */

import type { JoinGroup } from '../../../common/protocol/apis/11-join-group.ts'
import type { SyncGroup } from '../../../common/protocol/apis/14-sync-group.ts'
import { decodeMessage } from '../../../common/protocol/codec.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { MalformedFrame } from '../../../common/protocol/malformed-frame.ts'
import { ConsumerProtocolSubscription } from '../../../common/protocol/records/consumer-protocol-subscription.ts'
import type { GroupMetadataValue } from '../../../common/protocol/records/group-metadata.ts'
import { EMPTY_BYTES, type ResponseInputOf } from '../../../common/protocol/schema.ts'
import type { Deferred } from '../../../common/runtime/deferred.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import { groupMetadataRecord } from './group-records.ts'

export type JoinAnswer = ResponseInputOf<typeof JoinGroup>
export type SyncAnswer = ResponseInputOf<typeof SyncGroup>

export type ClassicGroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

export const CONSUMER_PROTOCOL_TYPE = 'consumer'

export interface ClassicProtocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface ClassicMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly protocolType: string
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  /** In the member's order of preference. */
  protocols: readonly ClassicProtocol[]
  assignment: Buffer
  /** Joined with an unknown member id and not answered yet: it cannot send heartbeats. */
  isNew: boolean
  awaitingJoin: Deferred<JoinAnswer> | undefined
  awaitingSync: Deferred<SyncAnswer> | undefined
}

/** Where the group is between generations: everything of a join answer but the members. */
export interface ClassicGroupClock {
  wallMs(): number
}

export class ClassicGroup {
  readonly type = 'classic'
  readonly groupId: string
  readonly members = new Map<string, ClassicMember>()
  /** Members that were told their id (MEMBER_ID_REQUIRED) and have not joined with it yet. */
  readonly pendingMembers = new Set<string>()
  /** Members that have not sent SyncGroup in this generation. */
  readonly pendingSyncMembers = new Set<string>()
  readonly #staticMembers = new Map<string, string>()
  readonly #clock: ClassicGroupClock
  generationId = 0
  protocolType: string | undefined
  protocolName: string | undefined
  leaderId: string | undefined
  /** Wall time of the last change of state; undefined in groups of old records. */
  stateTimestampMs: number | undefined
  /** Somebody joined during the initial delay, so that it is prolonged. */
  hasNewMember = false
  #state: ClassicGroupState = 'Empty'
  #previousState: ClassicGroupState = 'Empty'
  /** Topics of all members; undefined when they are not consumers or their metadata cannot be read. */
  #subscribedTopics: ReadonlySet<string> | undefined

  constructor(groupId: string, clock: ClassicGroupClock) {
    this.groupId = groupId
    this.#clock = clock
    this.stateTimestampMs = clock.wallMs()
  }

  /** The group as its last record tells. */
  static fromRecord(groupId: string, value: GroupMetadataValue, clock: ClassicGroupClock): ClassicGroup {
    const group = new ClassicGroup(groupId, clock)
    group.generationId = value.generation
    group.protocolType = value.protocolType === '' ? undefined : value.protocolType
    group.protocolName = value.protocol ?? undefined
    group.leaderId = value.leader ?? undefined
    for (const member of value.members) {
      group.#insert({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        protocolType: value.protocolType,
        rebalanceTimeoutMs: member.rebalanceTimeout === -1 ? member.sessionTimeout : member.rebalanceTimeout,
        sessionTimeoutMs: member.sessionTimeout,
        protocols: value.protocol === null ? [] : [{ name: value.protocol, metadata: member.subscription }],
        assignment: member.assignment,
        isNew: false,
        awaitingJoin: undefined,
        awaitingSync: undefined,
      })
    }
    group.#state = value.members.length > 0 ? 'Stable' : 'Empty'
    group.#previousState = group.#state
    group.stateTimestampMs = value.currentStateTimestamp === -1 ? undefined : value.currentStateTimestamp
    group.#subscribedTopics = group.#computeSubscribedTopics()
    return group
  }

  get state(): ClassicGroupState {
    return this.#state
  }
  get previousState(): ClassicGroupState {
    return this.#previousState
  }
  get isEmpty(): boolean {
    return this.#state === 'Empty'
  }
  /** Committed offsets make a group too, one that never had members. */
  get isSimple(): boolean {
    return this.protocolType === undefined && this.isEmpty && this.pendingMembers.size === 0
  }
  get usesConsumerProtocol(): boolean {
    return this.protocolType === CONSUMER_PROTOCOL_TYPE
  }

  transitionTo(state: ClassicGroupState): void {
    this.#previousState = this.#state
    this.#state = state
    this.stateTimestampMs = this.#clock.wallMs()
  }

  // --- members -----------------------------------------------------------------------------------------------------

  staticMemberId(groupInstanceId: string): string | undefined {
    return this.#staticMembers.get(groupInstanceId)
  }

  /** Adds a member that waits for its join answer. */
  add(member: ClassicMember): void {
    if (this.members.size === 0) this.protocolType = member.protocolType
    this.leaderId ??= member.memberId
    this.#insert(member)
    this.pendingMembers.delete(member.memberId)
  }

  remove(memberId: string): void {
    const member = this.members.get(memberId)
    if (member !== undefined) {
      this.members.delete(memberId)
      if (member.groupInstanceId !== null) this.#staticMembers.delete(member.groupInstanceId)
    }
    if (this.leaderId === memberId) this.leaderId = this.members.keys().next().value
    this.pendingMembers.delete(memberId)
    this.pendingSyncMembers.delete(memberId)
  }

  /** A static member came back under a new id: whoever waits under the old one is fenced (KIP-345). */
  replaceStaticMember(oldMemberId: string, newMemberId: string): ClassicMember {
    const old = this.members.get(oldMemberId)
    if (old === undefined || old.groupInstanceId === null) throw new Error('only static members are replaced')
    completeJoin(old, joinError(ErrorCode.FENCED_INSTANCE_ID, oldMemberId))
    completeSync(old, syncError(ErrorCode.FENCED_INSTANCE_ID))
    const member: ClassicMember = { ...old, memberId: newMemberId, isNew: false }
    this.members.delete(oldMemberId)
    if (this.leaderId === oldMemberId) this.leaderId = newMemberId
    if (this.pendingSyncMembers.delete(oldMemberId)) this.pendingSyncMembers.add(newMemberId)
    this.#insert(member)
    return member
  }

  /** @returns why this member may not speak in the group, or NONE */
  checkMember(memberId: string, groupInstanceId: string | null): ErrorCode {
    if (groupInstanceId !== null) {
      const known = this.#staticMembers.get(groupInstanceId)
      if (known === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
      if (known !== memberId) return ErrorCode.FENCED_INSTANCE_ID
    }
    return this.members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
  }

  get awaitingJoinCount(): number {
    let count = 0
    for (const member of this.members.values()) if (member.awaitingJoin !== undefined) count += 1
    return count
  }

  get hasAllMembersJoined(): boolean {
    return this.pendingMembers.size === 0 && this.awaitingJoinCount === this.members.size
  }

  /** The longest of the members': how long a rebalance waits. */
  get rebalanceTimeoutMs(): number {
    let longest = 0
    for (const member of this.members.values()) longest = Math.max(longest, member.rebalanceTimeoutMs)
    return longest
  }

  /** Makes somebody leader who has joined. @returns false when nobody has */
  tryElectJoinedLeader(): boolean {
    if (this.leaderId === undefined) return false
    if (this.members.get(this.leaderId)?.awaitingJoin !== undefined) return true
    for (const member of this.members.values()) {
      if (member.awaitingJoin === undefined) continue
      this.leaderId = member.memberId
      return true
    }
    return false
  }

  // --- protocols ---------------------------------------------------------------------------------------------------

  /** Whether a member with these protocols fits the others. */
  supportsProtocols(protocolType: string, protocolNames: readonly string[]): boolean {
    if (this.isEmpty) return protocolType !== '' && protocolNames.length > 0
    if (protocolType !== this.protocolType) return false
    const common = this.#commonProtocols()
    return protocolNames.some((name) => common.has(name))
  }

  /** The protocol that all members know and most prefer. */
  selectProtocol(): string {
    const common = this.#commonProtocols()
    const votes = new Map<string, number>()
    for (const member of this.members.values()) {
      const vote = member.protocols.find(({ name }) => common.has(name))
      if (vote !== undefined) votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1)
    }
    const [winner] = [...votes].sort(([, left], [, right]) => right - left)
    if (winner === undefined) throw new Error(`group ${this.groupId} has no protocol that all members know`)
    return winner[0]
  }

  /** Everybody is here: the next generation begins, empty or waiting for the leader's assignment. */
  beginNextGeneration(): void {
    this.generationId += 1
    if (this.members.size > 0) {
      this.protocolName = this.selectProtocol()
      this.transitionTo('CompletingRebalance')
    } else {
      this.protocolName = undefined
      this.transitionTo('Empty')
    }
    this.#subscribedTopics = this.#computeSubscribedTopics()
    this.pendingSyncMembers.clear()
  }

  /** Metadata of a member for the protocol of this generation. */
  metadataOf(member: ClassicMember): Buffer {
    return member.protocols.find(({ name }) => name === this.protocolName)?.metadata ?? EMPTY_BYTES
  }

  /** Consumers whose metadata cannot be read might read anything. */
  isSubscribedTo(topic: string): boolean {
    return this.#subscribedTopics?.has(topic) ?? this.usesConsumerProtocol
  }
  /** Whether the topics of the members are known. */
  get hasSubscriptions(): boolean {
    return this.#subscribedTopics !== undefined
  }

  /** What the leader needs for the assignment. */
  membersForLeader(): { memberId: string; groupInstanceId: string | null; metadata: Buffer }[] {
    return [...this.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      metadata: this.metadataOf(member),
    }))
  }

  /** The join answer of this generation. */
  joinAnswer(memberId: string): JoinAnswer {
    return {
      errorCode: ErrorCode.NONE,
      generationId: this.generationId,
      protocolType: this.protocolType ?? null,
      protocolName: this.protocolName ?? null,
      leader: this.leaderId ?? '',
      skipAssignment: false,
      memberId,
      members: memberId === this.leaderId ? this.membersForLeader() : [],
    }
  }

  syncAnswer(member: ClassicMember): SyncAnswer {
    return {
      errorCode: ErrorCode.NONE,
      protocolType: this.protocolType ?? null,
      protocolName: this.protocolName ?? null,
      assignment: member.assignment,
    }
  }

  /** The group as it is written, with these assignments (by member id). */
  toRecord(assignmentOf: (member: ClassicMember) => Buffer): CoordinatorRecord {
    return groupMetadataRecord(this.groupId, {
      protocolType: this.protocolType ?? '',
      generation: this.generationId,
      protocol: this.protocolName ?? null,
      leader: this.leaderId ?? null,
      currentStateTimestamp: this.stateTimestampMs ?? -1,
      members: [...this.members.values()].map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: Buffer.from(this.metadataOf(member)),
        assignment: assignmentOf(member),
      })),
    })
  }

  #insert(member: ClassicMember): void {
    this.members.set(member.memberId, member)
    if (member.groupInstanceId !== null) this.#staticMembers.set(member.groupInstanceId, member.memberId)
  }

  #commonProtocols(): Set<string> {
    let common: Set<string> | undefined
    for (const member of this.members.values()) {
      const names = member.protocols.map(({ name }) => name)
      common = new Set(common === undefined ? names : names.filter((name) => common?.has(name)))
    }
    return common ?? new Set()
  }

  #computeSubscribedTopics(): ReadonlySet<string> | undefined {
    if (!this.usesConsumerProtocol) return undefined
    const topics = new Set<string>()
    if (this.members.size > 0 && this.protocolName === undefined) return undefined
    for (const member of this.members.values()) {
      const subscription = subscriptionOf(this.metadataOf(member))
      if (subscription === undefined) return undefined
      for (const topic of subscription.topics) topics.add(topic)
    }
    return topics
  }
}

/** @returns undefined when the bytes are not the metadata of a consumer */
export function subscriptionOf(metadata: Buffer): ConsumerProtocolSubscription | undefined {
  if (metadata.length < 2) return undefined
  const version = metadata.readInt16BE(0)
  if (version < 0) return undefined
  try {
    return decodeMessage(ConsumerProtocolSubscription, Math.min(version, 3), metadata.subarray(2))
  } catch (error) {
    if (error instanceof MalformedFrame) return undefined
    throw error
  }
}

export function joinError(error: Exclude<ErrorCode, 0>, memberId = ''): JoinAnswer {
  return { errorCode: error, generationId: -1, protocolName: null, leader: '', memberId, members: [] }
}

export function syncError(error: Exclude<ErrorCode, 0>): SyncAnswer {
  return { errorCode: error, assignment: EMPTY_BYTES }
}

export function completeJoin(member: ClassicMember, answer: JoinAnswer): void {
  const waiting = member.awaitingJoin
  member.awaitingJoin = undefined
  waiting?.complete(answer)
}

export function completeSync(member: ClassicMember, answer: SyncAnswer): void {
  const waiting = member.awaitingSync
  member.awaitingSync = undefined
  waiting?.complete(answer)
}
