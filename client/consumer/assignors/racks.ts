/** Which member is near which partition (KIP-881). */
import type { MemberSubscription, RacksOf } from './assignor.ts'

export type IsNear = (member: MemberSubscription, topic: string, partition: number) => boolean

/**
 * undefined where racks make no difference: members and replicas share none, or every partition has replicas in all racks. A member
 * without a rack is near everything.
 */
export function nearness(
  members: readonly MemberSubscription[],
  partitionCounts: ReadonlyMap<string, number>,
  racksOf: RacksOf | undefined,
): IsNear | undefined {
  if (racksOf === undefined) return undefined
  const memberRacks = new Set(members.map(({ rackId }) => rackId).filter((rack) => rack !== null))
  if (memberRacks.size === 0) return undefined
  const known = new Map<string, ReadonlySet<string>[]>()
  const all = new Set<string>()
  for (const [topic, count] of partitionCounts) {
    const racks = Array.from({ length: count }, (_, partition) => racksOf(topic, partition))
    known.set(topic, racks)
    for (const own of racks) for (const rack of own) all.add(rack)
  }
  if (![...memberRacks].some((rack) => all.has(rack))) return undefined
  if ([...known.values()].every((racks) => racks.every((own) => own.size === all.size))) return undefined
  return ({ rackId }, topic, partition) =>
    rackId === null || known.get(topic)?.[partition]?.has(rackId) === true
}
