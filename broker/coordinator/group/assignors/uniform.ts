/**
 * The uniform assignor: members get equally many partitions (as far as their subscriptions allow) and keep what they have as far
 * as that allows.
 *
 * With equal subscriptions every member keeps up to its quota and the rest is dealt out in order. With different ones the rest
 * goes to the member with the fewest, then partitions move from the fullest member to a member with at least two fewer until
 * no such move is left; each move lowers the sum of squares, so it ends.
 */
import {
  type Assignor,
  type AssignorInput,
  type AssignorMember,
  type AssignorResult,
  give,
  subscribedTopics,
} from './assignor.ts'

export const uniformAssignor: Assignor = (input) => {
  const [first, ...others] = input.members
  if (first === undefined) return new Map()
  return others.every((member) => isSameSet(member.topicIds, first.topicIds))
    ? assignEqual(input, first.topicIds)
    : assignUnequal(input)
}

function assignEqual(
  { members, partitionCountOf }: AssignorInput,
  topicIds: ReadonlySet<string>,
): AssignorResult {
  const result: AssignorResult = new Map()
  const topics = [...topicIds].sort()
  const total = topics.reduce((sum, topicId) => sum + partitionCountOf(topicId), 0)
  const least = Math.floor(total / members.length)
  let extras = total % members.length
  const taken = new TakenPartitions()
  const unfilled: { readonly memberId: string; readonly missing: number }[] = []
  for (const member of members) {
    let quota = least + (extras > 0 ? 1 : 0)
    for (const [topicId, partition] of keptBy(member, topicIds, partitionCountOf, taken)) {
      if (quota === 0) break
      quota -= 1
      taken.add(topicId, partition)
      give(result, member.memberId, topicId, partition)
    }
    const isFilled = quota === 0
    if (extras > 0 && isFilled) extras -= 1
    unfilled.push({ memberId: member.memberId, missing: extras > 0 && !isFilled ? quota - 1 : quota })
  }
  const free = topics.flatMap((topicId) =>
    range(partitionCountOf(topicId))
      .filter((partition) => !taken.has(topicId, partition))
      .map((partition) => ({ topicId, partition })),
  )
  let next = 0
  for (const { memberId, missing } of unfilled) {
    let count = missing
    if (extras > 0 && sizeOf(result, memberId) + missing === least) {
      count += 1
      extras -= 1
    }
    for (; count > 0; count -= 1) {
      const partition = free[next++]
      if (partition !== undefined) give(result, memberId, partition.topicId, partition.partition)
    }
  }
  return result
}

function assignUnequal({ members, partitionCountOf }: AssignorInput): AssignorResult {
  const result: AssignorResult = new Map()
  const taken = new TakenPartitions()
  for (const member of members) {
    for (const [topicId, partition] of keptBy(member, member.topicIds, partitionCountOf, taken)) {
      taken.add(topicId, partition)
      give(result, member.memberId, topicId, partition)
    }
  }
  const loads = new Map(members.map(({ memberId }) => [memberId, sizeOf(result, memberId)]))
  const loadOf = (member: AssignorMember) => loads.get(member.memberId) ?? 0
  const lightest = (candidates: readonly AssignorMember[]) =>
    candidates.reduce((best, member) => (loadOf(member) < loadOf(best) ? member : best))
  // Topics with few takers first: the others have more choice.
  const takersOf = new Map(
    subscribedTopics(members).map((topicId) => [
      topicId,
      members.filter(({ topicIds }) => topicIds.has(topicId)),
    ]),
  )
  const byChoice = [...takersOf].sort(([, left], [, right]) => left.length - right.length)
  for (const [topicId, takers] of byChoice) {
    for (const partition of range(partitionCountOf(topicId))) {
      if (taken.has(topicId, partition)) continue
      const member = lightest(takers)
      give(result, member.memberId, topicId, partition)
      loads.set(member.memberId, loadOf(member) + 1)
    }
  }
  let hasMoved = true
  while (hasMoved) {
    hasMoved = false
    for (const giver of [...members].sort((left, right) => loadOf(right) - loadOf(left))) {
      for (const [topicId, partitions] of result.get(giver.memberId) ?? []) {
        const receiver = lightest(takersOf.get(topicId) ?? [giver])
        if (loadOf(giver) - loadOf(receiver) < 2) continue
        const partition = Math.max(...partitions)
        partitions.delete(partition)
        if (partitions.size === 0) result.get(giver.memberId)?.delete(topicId)
        give(result, receiver.memberId, topicId, partition)
        loads.set(giver.memberId, loadOf(giver) - 1)
        loads.set(receiver.memberId, loadOf(receiver) + 1)
        hasMoved = true
        break
      }
    }
  }
  return result
}

/** What the member has, may keep and nobody else has taken. */
function* keptBy(
  member: AssignorMember,
  topicIds: ReadonlySet<string>,
  partitionCountOf: (topicId: string) => number,
  taken: TakenPartitions,
): Iterable<[string, number]> {
  for (const [topicId, partitions] of member.current) {
    if (!topicIds.has(topicId)) continue
    const count = partitionCountOf(topicId)
    for (const partition of [...partitions].sort((left, right) => left - right)) {
      if (partition < count && !taken.has(topicId, partition)) yield [topicId, partition]
    }
  }
}

class TakenPartitions {
  readonly #topics = new Map<string, Set<number>>()

  add(topicId: string, partition: number): void {
    const partitions = this.#topics.get(topicId)
    if (partitions === undefined) this.#topics.set(topicId, new Set([partition]))
    else partitions.add(partition)
  }

  has(topicId: string, partition: number): boolean {
    return this.#topics.get(topicId)?.has(partition) ?? false
  }
}

function sizeOf(result: AssignorResult, memberId: string): number {
  let size = 0
  for (const partitions of result.get(memberId)?.values() ?? []) size += partitions.size
  return size
}

function isSameSet(left: ReadonlySet<string>, right: ReadonlySet<string>): boolean {
  return left.size === right.size && [...left].every((item) => right.has(item))
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
