import { describe, expect, it } from 'vitest'
import { placeReplicas, type UsableBroker } from '../../../../broker/controller/placement.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { SeededRandom } from '../../../../common/runtime/seeded-random.ts'

const brokers = (count: number, rackOf: (id: number) => string | null = () => null): UsableBroker[] =>
  Array.from({ length: count }, (_, id) => ({ id, rack: rackOf(id), isFenced: false }))

function place(
  cluster: readonly UsableBroker[],
  partitionCount: number,
  replicationFactor: number,
  seed = 1,
) {
  const placed = placeReplicas(cluster, { partitionCount, replicationFactor }, new SeededRandom(seed))
  if (placed.error !== ErrorCode.NONE) throw new Error(placed.message)
  return placed.value
}

const countBy = (ids: readonly (number | undefined)[]): number[] => [
  ...ids.reduce((counts, id) => counts.set(id, (counts.get(id) ?? 0) + 1), new Map()).values(),
]

describe('replica placement', () => {
  it('spreads leaders and replicas evenly, and never puts two replicas on one broker', () => {
    for (let seed = 0; seed < 20; seed++) {
      const placements = place(brokers(6), 60, 3, seed)
      for (const replicas of placements) expect(new Set(replicas).size).toBe(3)
      expect(countBy(placements.map(([leader]) => leader))).toEqual(Array(6).fill(10))
      expect(countBy(placements.flat())).toHaveLength(6)
    }
  })

  it('puts the replicas of a partition into different racks as far as there are racks', () => {
    const placements = place(
      brokers(6, (id) => `rack-${id % 3}`),
      30,
      3,
    )
    for (const replicas of placements) expect(new Set(replicas.map((id) => id % 3)).size).toBe(3)
  })

  it('begins at a random broker, so that topics of one partition spread', () => {
    const leaders = new Set(Array.from({ length: 50 }, (_, seed) => place(brokers(5), 1, 1, seed)[0]?.[0]))
    expect(leaders.size).toBe(5)
  })

  it('takes fenced brokers only when there are too few others, and never as leaders', () => {
    const cluster = brokers(4).map((broker) => ({ ...broker, isFenced: broker.id === 3 }))
    for (const replicas of place(cluster, 20, 3)) expect(replicas).not.toContain(3)
    for (const replicas of place(cluster, 20, 4)) {
      expect(replicas).toHaveLength(4)
      expect(replicas[0]).not.toBe(3)
    }
  })

  it('refuses more replicas than brokers, and a cluster that is all fenced', () => {
    const random = new SeededRandom(1)
    expect(placeReplicas(brokers(2), { partitionCount: 1, replicationFactor: 3 }, random)).toEqual({
      error: ErrorCode.INVALID_REPLICATION_FACTOR,
      message:
        'The target replication factor of 3 cannot be reached because only 2 broker(s) are registered or some brokers have all their log directories cordoned.',
    })
    const fenced = brokers(2).map((broker) => ({ ...broker, isFenced: true }))
    expect(placeReplicas(fenced, { partitionCount: 1, replicationFactor: 1 }, random).error).toBe(
      ErrorCode.INVALID_REPLICATION_FACTOR,
    )
  })
})
