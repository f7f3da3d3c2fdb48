/**
 * The leader's part in a group of the classic protocol: reads what the members subscribe to, waits for the metadata of all these
 * topics, assigns, and notices later when partitions have come or gone, or moved between racks (KIP-881). Owned by the membership.
 */
import type { JoinGroupResponse } from '../../common/protocol/apis/11-join-group.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { ClientCore } from '../client-core.ts'
import type { Assignor, MemberSubscription, RacksOf } from './assignors/assignor.ts'
import { decodeSubscription, encodeAssignment } from './classic-protocol.ts'

/** Longest wait for metadata before the leader assigns without. */
const metadataMs = 5000

export interface EncodedAssignment {
  readonly memberId: string
  readonly assignment: Buffer
}

export class GroupLeader {
  readonly #core: ClientCore
  /** What the group was assigned by: a text for each topic; undefined while somebody else leads. */
  #assignedBy: ReadonlyMap<string, string> | undefined
  #hasRacks = false
  #watchedTopics: readonly string[] = []
  #pending: (() => void) | undefined
  #timer: Timer | undefined

  constructor(core: ClientCore) {
    this.#core = core
  }

  /** Assigns as soon as the topics are known. */
  lead(
    response: JoinGroupResponse,
    assignor: Assignor | undefined,
    done: (assignments: EncodedAssignment[]) => void,
  ): void {
    const members = membersOf(response)
    const topics = this.#take(members)
    const { cache } = this.#core.metadata
    const assign = (): void => {
      this.#endWait()
      this.#assignedBy = this.#shapes(topics)
      const counts = new Map<string, number>()
      for (const topic of topics) {
        const count = this.#partitionCount(topic)
        if (count > 0) counts.set(topic, count)
      }
      const assignments = assignor?.assign(members, counts, this.#racksOf) ?? new Map()
      done([...assignments].map(([memberId, own]) => ({ memberId, assignment: encodeAssignment(own) })))
    }
    this.#pending = () => {
      if (topics.every((topic) => cache.topic(topic) !== undefined)) assign()
    }
    const { scheduler } = this.#core.runtime
    this.#timer = scheduler.schedule('metadata for the assignment', metadataMs, assign)
    this.#pending()
  }

  /** Leads without assigning: a static leader came back (KIP-814). */
  observe(response: JoinGroupResponse): void {
    this.#assignedBy = this.#shapes(this.#take(membersOf(response)))
  }

  /** Somebody else leads, or the group was left. */
  resign(): void {
    this.#endWait()
    this.#assignedBy = undefined
    this.#watch([])
  }

  /** What was begun for a join that is over. */
  drop(): void {
    this.#endWait()
    this.#assignedBy = undefined
  }

  metadataUpdated(): void {
    this.#pending?.()
  }

  /** Whether what the group was assigned by has changed. */
  get hasChanged(): boolean {
    if (this.#assignedBy === undefined) return false
    const now = this.#shapes(this.#assignedBy.keys())
    return [...this.#assignedBy].some(([topic, shape]) => now.get(topic) !== shape)
  }

  #take(members: readonly MemberSubscription[]): string[] {
    const topics = [...new Set(members.flatMap(({ topics: own }) => own))]
    this.#endWait()
    this.#hasRacks = members.some(({ rackId }) => rackId !== null)
    this.#watch(topics)
    return topics
  }

  #endWait(): void {
    this.#pending = undefined
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #watch(topics: readonly string[]): void {
    const { metadata } = this.#core
    for (const topic of topics) metadata.want(topic)
    for (const topic of this.#watchedTopics) metadata.unwant(topic)
    this.#watchedTopics = topics
  }

  #partitionCount(topic: string): number {
    const info = this.#core.metadata.cache.topic(topic)
    return info?.errorCode === ErrorCode.NONE ? info.partitions.length : 0
  }

  #shapes(topics: Iterable<string>): Map<string, string> {
    const shapes = new Map<string, string>()
    for (const topic of topics) {
      const count = this.#partitionCount(topic)
      // Racks matter to those only who say where they are.
      const racks = this.#hasRacks
        ? Array.from({ length: count }, (_, partition) => [...this.#racksOf(topic, partition)].sort())
        : []
      shapes.set(topic, JSON.stringify([count, racks]))
    }
    return shapes
  }

  readonly #racksOf: RacksOf = (topic, partition) => {
    const { cache } = this.#core.metadata
    const racks = new Set<string>()
    for (const nodeId of cache.partition(topic, partition)?.replicas ?? []) {
      const rack = cache.brokers.get(nodeId)?.rack
      if (rack !== undefined && rack !== null) racks.add(rack)
    }
    return racks
  }
}

function membersOf(response: JoinGroupResponse): MemberSubscription[] {
  return response.members.map(({ memberId, groupInstanceId, metadata }) => {
    try {
      return decodeSubscription(memberId, groupInstanceId, metadata)
    } catch {
      // Nothing can be assigned to whom nobody understands.
      const nothing = { topics: [], owned: new Map(), generationId: -1, rackId: null, userData: null }
      return { memberId, groupInstanceId, ...nothing }
    }
  })
}
