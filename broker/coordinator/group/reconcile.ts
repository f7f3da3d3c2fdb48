/**
 * The next step of one member from what it has towards its target (KIP-848): first it gives back what is not its own any
 * more and says so, then it gets what others have given back.
 *
 *     STABLE ──has to give back──► UNREVOKED_PARTITIONS ──gave it back──► STABLE or UNRELEASED_PARTITIONS
 *     STABLE ──others still hold a part──► UNRELEASED_PARTITIONS ──all free──► STABLE
 */
import {
  type Assignment,
  type ConsumerMember,
  EMPTY_OWNED,
  isReconciled,
  MemberState,
  type OwnedAssignment,
} from './consumer-group.ts'

/** What the member says it reads; null: it did not say, nothing has changed since its last word. */
export type OwnedPartitions =
  | readonly { readonly topicId: string; readonly partitions: readonly number[] }[]
  | null

export interface ReconcileInput {
  readonly targetEpoch: number
  readonly target: Assignment
  /** Epoch of whoever holds the partition, -1 when it is free. */
  readonly ownerEpoch: (topicId: string, partition: number) => number
  readonly owned: OwnedPartitions
  /** Topics the member asks for now: what it no longer asks for it need not keep until the next target. */
  readonly subscribedTopicIds: ReadonlySet<string>
  readonly hasSubscriptionChanged: boolean
}

/** @returns the member itself when there is nothing to do */
export function reconcile(member: ConsumerMember, input: ReconcileInput): ConsumerMember {
  const { targetEpoch, hasSubscriptionChanged } = input
  if (isReconciled(member, targetEpoch) && !hasSubscriptionChanged) return member
  switch (member.state) {
    case MemberState.STABLE:
      if (member.memberEpoch !== targetEpoch) return nextAssignment(member, member.memberEpoch, input)
      return dropUnsubscribed(member, input)
    case MemberState.UNREVOKED_PARTITIONS:
      if (stillOwns(input.owned, member.pendingRevocation)) {
        return hasSubscriptionChanged ? dropUnsubscribed(member, input) : member
      }
      return nextAssignment({ ...member, pendingRevocation: EMPTY_OWNED }, member.memberEpoch, input)
    case MemberState.UNRELEASED_PARTITIONS:
      return nextAssignment(member, member.memberEpoch, input)
    case MemberState.UNKNOWN:
      return nextAssignment(member, member.memberEpoch, input)
  }
}

function nextAssignment(member: ConsumerMember, memberEpoch: number, input: ReconcileInput): ConsumerMember {
  const kept = new Map<string, Map<number, number>>()
  const revoked = new Map<string, Map<number, number>>()
  const added = new Map<string, Map<number, number>>()
  let hasUnreleased = false
  for (const topicId of new Set([...input.target.keys(), ...member.assigned.keys()])) {
    const target = input.target.get(topicId)
    const current = member.assigned.get(topicId)
    const isSubscribed = input.subscribedTopicIds.has(topicId)
    for (const [partition, epoch] of current ?? []) {
      const isKept = isSubscribed && target?.has(partition) === true
      put(isKept ? kept : revoked, topicId, partition, epoch)
    }
    if (!isSubscribed) continue
    for (const partition of target ?? []) {
      if (current?.has(partition) === true) continue
      if (input.ownerEpoch(topicId, partition) !== -1) hasUnreleased = true
      else put(added, topicId, partition, input.targetEpoch)
    }
  }
  if (revoked.size > 0 && stillOwns(input.owned, revoked)) {
    return step(member, MemberState.UNREVOKED_PARTITIONS, memberEpoch, kept, revoked)
  }
  for (const [topicId, partitions] of added) {
    for (const [partition, epoch] of partitions) put(kept, topicId, partition, epoch)
  }
  const state = hasUnreleased ? MemberState.UNRELEASED_PARTITIONS : MemberState.STABLE
  return step(member, state, input.targetEpoch, kept, EMPTY_OWNED)
}

/** The member asks for less than before: what it does not want is taken back without waiting for a new target. */
function dropUnsubscribed(member: ConsumerMember, input: ReconcileInput): ConsumerMember {
  const kept = new Map<string, ReadonlyMap<number, number>>()
  const revoked = new Map<string, ReadonlyMap<number, number>>(member.pendingRevocation)
  for (const [topicId, partitions] of member.assigned) {
    if (input.subscribedTopicIds.has(topicId)) kept.set(topicId, partitions)
    else revoked.set(topicId, new Map([...(revoked.get(topicId) ?? []), ...partitions]))
  }
  if (kept.size === member.assigned.size) return member
  return stillOwns(input.owned, revoked)
    ? step(member, MemberState.UNREVOKED_PARTITIONS, member.memberEpoch, kept, revoked)
    : step(member, member.state, member.memberEpoch, kept, EMPTY_OWNED)
}

function step(
  member: ConsumerMember,
  state: MemberState,
  memberEpoch: number,
  assigned: OwnedAssignment,
  pendingRevocation: OwnedAssignment,
): ConsumerMember {
  return {
    ...member,
    state,
    memberEpoch,
    previousMemberEpoch: member.memberEpoch,
    assigned,
    pendingRevocation,
  }
}

/** Whether the member reads any of these; silence means yes. */
function stillOwns(owned: OwnedPartitions, partitions: OwnedAssignment): boolean {
  if (owned === null) return true
  return owned.some(({ topicId, partitions: numbers }) => {
    const revoked = partitions.get(topicId)
    return revoked !== undefined && numbers.some((partition) => revoked.has(partition))
  })
}

function put(
  into: Map<string, Map<number, number>>,
  topicId: string,
  partition: number,
  epoch: number,
): void {
  const partitions = into.get(topicId)
  if (partitions === undefined) into.set(topicId, new Map([[partition, epoch]]))
  else partitions.set(partition, epoch)
}
