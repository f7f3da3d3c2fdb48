/**
 * A member of a group, as a lesson plays it: every request when the script says so, none by itself but heartbeats.
 *
 *     eager        gives up all it owns before it joins again
 *     cooperative  keeps what it owns while it joins; what others are to have it gives up afterwards, and joins once more (KIP-429)
 *     consumer     the coordinator assigns; heartbeats say what is owned (KIP-848)
 */
import { OffsetCommit } from '../../common/protocol/apis/08-offset-commit.ts'
import { JoinGroup, type JoinGroupResponse } from '../../common/protocol/apis/11-join-group.ts'
import { Heartbeat } from '../../common/protocol/apis/12-heartbeat.ts'
import { SyncGroup, type SyncGroupResponse } from '../../common/protocol/apis/14-sync-group.ts'
import { ConsumerGroupHeartbeat } from '../../common/protocol/apis/68-consumer-group-heartbeat.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { decodeRecord, encodeRecordValue } from '../../common/protocol/record-codec.ts'
import { ConsumerProtocolAssignment } from '../../common/protocol/records/consumer-protocol-assignment.ts'
import { ConsumerProtocolSubscription } from '../../common/protocol/records/consumer-protocol-subscription.ts'
import type { Lab } from './lab.ts'
import { errorText, rangesText } from './texts.ts'

export type MemberProtocol = 'eager' | 'cooperative' | 'consumer'

const SESSION_TIMEOUT_MS = 45_000
const REBALANCE_TIMEOUT_MS = 300_000
const HEARTBEAT_MS = { eager: 3_000, cooperative: 3_000, consumer: 5_000 } as const
const PROTOCOL_NAMES = { eager: 'range', cooperative: 'cooperative-sticky', consumer: '' } as const
/** Versions of the client's own formats. */
const SUBSCRIPTION_VERSION = 1
const ASSIGNMENT_VERSION = 1
/** Names topics rather than giving their ids. */
const COMMIT_VERSION = 9

export class Member {
  readonly name: string
  readonly groupId: string
  readonly topic: string
  readonly protocol: MemberProtocol
  readonly instanceId: string | null
  memberId = ''
  /** Generation, or member epoch. */
  generation = -1
  owned: readonly number[] = []
  /** It crashed: nothing is heard of it by itself. */
  isSilent = false
  #isJoining = false
  #mustJoin = false
  #isLeader = false
  #followers: readonly Follower[] = []
  #silentMs = 0

  constructor(options: {
    name: string
    groupId: string
    topic: string
    protocol: MemberProtocol
    instanceId: string | null
  }) {
    this.name = options.name
    this.groupId = options.groupId
    this.topic = options.topic
    this.protocol = options.protocol
    this.instanceId = options.instanceId
    if (this.protocol === 'consumer') this.memberId = options.name
  }

  get isJoined(): boolean {
    return this.generation >= 0 && !this.#isJoining
  }

  async join(lab: Lab): Promise<readonly string[]> {
    if (this.protocol === 'consumer') {
      this.generation = 0
      return [await this.heartbeat(lab)]
    }
    const lines: string[] = []
    if (this.protocol === 'eager' && this.owned.length > 0) {
      lines.push(`${this.name} gives up ${rangesText(this.owned)}`)
      this.owned = []
    }
    const call = await lab.send(
      await lab.coordinatorOf(0, this.groupId),
      JoinGroup,
      {
        groupId: this.groupId,
        sessionTimeoutMs: SESSION_TIMEOUT_MS,
        rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS,
        memberId: this.memberId,
        groupInstanceId: this.instanceId,
        protocolType: 'consumer',
        protocols: [{ name: PROTOCOL_NAMES[this.protocol], metadata: this.#subscription() }],
      },
      // The coordinator begins member ids with it: the leader's shares go by the names.
      { clientId: this.name },
    )
    this.#isJoining = true
    this.#mustJoin = false
    const check = (): readonly string[] | undefined => {
      const { outcome } = call
      if (outcome === undefined) return undefined
      this.#isJoining = false
      return ['failure' in outcome ? `${this.name}: ${outcome.failure}` : this.#onJoined(outcome.response)]
    }
    return [...lines, ...this.#nowOrLater(lab, check)]
  }

  #onJoined(answer: JoinGroupResponse): string {
    if (answer.memberId !== '') this.memberId = answer.memberId
    if (answer.errorCode !== ErrorCode.NONE) return `${this.name}: ${errorText(answer.errorCode)}`
    this.generation = answer.generationId
    this.#isLeader = answer.leader === answer.memberId && !answer.skipAssignment
    this.#followers = followersIn(answer)
    return `${this.name}: generation ${this.generation}${this.#isLeader ? ', leads the group' : ''}`
  }

  async sync(lab: Lab): Promise<readonly string[]> {
    const call = await lab.send(await lab.coordinatorOf(0, this.groupId), SyncGroup, {
      groupId: this.groupId,
      generationId: this.generation,
      memberId: this.memberId,
      groupInstanceId: this.instanceId,
      protocolType: 'consumer',
      protocolName: PROTOCOL_NAMES[this.protocol],
      assignments: this.#isLeader ? this.#assignments(lab) : [],
    })
    const check = (): readonly string[] | undefined => {
      const { outcome } = call
      if (outcome === undefined) return undefined
      return ['failure' in outcome ? `${this.name}: ${outcome.failure}` : this.#onSynced(outcome.response)]
    }
    return this.#nowOrLater(lab, check)
  }

  #onSynced(answer: SyncGroupResponse): string {
    if (answer.errorCode !== ErrorCode.NONE) return `${this.name}: ${errorText(answer.errorCode)}`
    const assigned = partitionsIn(answer.assignment)
    return `${this.name}: ${this.#take(assigned)}`
  }

  /** @returns what it owns then, and what it had to give up */
  #take(assigned: readonly number[]): string {
    const revoked = this.owned.filter((partition) => !assigned.includes(partition))
    this.owned = assigned
    const owns = `owns ${assigned.length === 0 ? 'nothing' : rangesText(assigned)}`
    return revoked.length === 0 ? owns : `${owns}, gives up ${rangesText(revoked)}`
  }

  /** @param epoch another one than its own, for the consumer protocol */
  async heartbeat(lab: Lab, epoch = this.generation): Promise<string> {
    const nodeId = await lab.coordinatorOf(0, this.groupId)
    this.#silentMs = 0
    if (this.protocol !== 'consumer') {
      const { groupId, generation: generationId, memberId, instanceId: groupInstanceId } = this
      const answer = await lab.call(nodeId, Heartbeat, { groupId, generationId, memberId, groupInstanceId })
      this.#mustJoin = answer.errorCode !== ErrorCode.NONE
      return `${this.name}: ${errorOrFine(answer.errorCode)}`
    }
    const { topicId } = lab.partition(this.topic)
    const answer = await lab.call(nodeId, ConsumerGroupHeartbeat, {
      groupId: this.groupId,
      memberId: this.memberId,
      memberEpoch: epoch,
      ...(epoch === 0
        ? {
            rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS,
            subscribedTopicNames: [this.topic],
            topicPartitions: [],
          }
        : { topicPartitions: this.owned.length === 0 ? [] : [{ topicId, partitions: [...this.owned] }] }),
    })
    if (answer.errorCode !== ErrorCode.NONE) return `${this.name}: ${errorText(answer.errorCode)}`
    this.generation = answer.memberEpoch
    const assigned = answer.assignment?.topicPartitions.flatMap(({ partitions }) => [...partitions])
    const owns = assigned === undefined ? '' : `, ${this.#take(assigned)}`
    return `${this.name}: epoch ${this.generation}${owns}`
  }

  /** What it sends by itself while time passes. @returns a line when the answer tells it something */
  async beat(lab: Lab, passedMs: number): Promise<readonly string[]> {
    if (this.isSilent || !this.isJoined || this.#mustJoin) return []
    this.#silentMs += passedMs
    if (this.#silentMs < HEARTBEAT_MS[this.protocol]) return []
    const line = await this.heartbeat(lab)
    return line === `${this.name}: fine` || line === `${this.name}: epoch ${this.generation}` ? [] : [line]
  }

  async commit(
    lab: Lab,
    options: { partition: number; offset: number; generation: number },
  ): Promise<string> {
    const answer = await lab.call(
      await lab.coordinatorOf(0, this.groupId),
      OffsetCommit,
      {
        groupId: this.groupId,
        generationIdOrMemberEpoch: options.generation,
        memberId: this.memberId,
        groupInstanceId: this.instanceId,
        topics: [
          {
            name: this.topic,
            partitions: [
              {
                partitionIndex: options.partition,
                committedOffset: options.offset,
                committedMetadata: null,
              },
            ],
          },
        ],
      },
      { version: COMMIT_VERSION },
    )
    const errorCode = answer.topics[0]?.partitions[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    return `${this.name}: ${errorOrFine(errorCode)}`
  }

  #nowOrLater(lab: Lab, check: () => readonly string[] | undefined): readonly string[] {
    const said = check()
    if (said !== undefined) return said
    lab.whenever(check)
    return [`${this.name}: waits`]
  }

  #subscription(): Buffer {
    return encodeRecordValue(ConsumerProtocolSubscription, SUBSCRIPTION_VERSION, {
      topics: [this.topic],
      userData: null,
      ownedPartitions: this.owned.length === 0 ? [] : [{ topic: this.topic, partitions: [...this.owned] }],
    })
  }

  /** As the leader: in equal shares; a cooperative one takes nothing away and gives it to another in one step. */
  #assignments(lab: Lab): { memberId: string; assignment: Buffer }[] {
    const count = lab.partitionCount(this.topic)
    const shares =
      this.protocol === 'eager' ? rangeShares(this.#followers, count) : stickyShares(this.#followers, count)
    return this.#followers.map(({ memberId }, position) => ({
      memberId,
      assignment: encodeRecordValue(ConsumerProtocolAssignment, ASSIGNMENT_VERSION, {
        assignedPartitions: [{ topic: this.topic, partitions: [...(shares[position] ?? [])] }],
      }),
    }))
  }
}

/** What the leader is told of a member, itself included. */
interface Follower {
  readonly memberId: string
  readonly owned: readonly number[]
}

function followersIn(answer: JoinGroupResponse): readonly Follower[] {
  return answer.members
    .map(({ memberId, metadata }) => {
      const { ownedPartitions } = decodeRecord(
        ConsumerProtocolSubscription,
        metadata.readInt16BE(0),
        metadata.subarray(2),
      )
      return { memberId, owned: ownedPartitions.flatMap(({ partitions }) => [...partitions]) }
    })
    .sort((left, right) => (left.memberId < right.memberId ? -1 : 1))
}

function errorOrFine(errorCode: number): string {
  return errorCode === ErrorCode.NONE ? 'fine' : errorText(errorCode)
}

/** The partitions that an assignment names; no bytes name none. */
export function partitionsIn(assignment: Buffer): readonly number[] {
  if (assignment.length < 2) return []
  const { assignedPartitions } = decodeRecord(
    ConsumerProtocolAssignment,
    assignment.readInt16BE(0),
    assignment.subarray(2),
  )
  return assignedPartitions.flatMap(({ partitions }) => [...partitions])
}

function quotaOf(position: number, members: number, count: number): number {
  return Math.floor(count / members) + (position < count % members ? 1 : 0)
}

function rangeShares(members: readonly Follower[], count: number): number[][] {
  let next = 0
  return members.map((_member, position) => {
    const first = next
    next += quotaOf(position, members.length, count)
    return Array.from({ length: next - first }, (_, index) => first + index)
  })
}

function stickyShares(members: readonly Follower[], count: number): number[][] {
  const taken = new Set(members.flatMap(({ owned }) => owned))
  const free = Array.from({ length: count }, (_, index) => index).filter((index) => !taken.has(index))
  return members.map(({ owned }, position) => {
    const quota = quotaOf(position, members.length, count)
    const kept = owned.slice(0, quota)
    return [...kept, ...free.splice(0, quota - kept.length)]
  })
}
