import { describe, expect, it } from 'vitest'
import type {
  Assignor,
  MemberSubscription,
  RacksOf,
  TopicPartitions,
} from '../../../../../client/consumer/assignors/assignor.ts'
import { assignorNamed } from '../../../../../client/consumer/assignors/assignors.ts'
import { SeededRandom } from '../../../../../common/runtime/seeded-random.ts'

type Owned = Readonly<Record<string, readonly number[]>>

function member(
  memberId: string,
  topics: readonly string[],
  owned: Owned = {},
  generationId = -1,
): MemberSubscription {
  return {
    memberId,
    groupInstanceId: null,
    topics,
    owned: new Map(Object.entries(owned)),
    generationId,
    rackId: null,
    userData: null,
  }
}

function named(name: string): Assignor {
  const assignor = assignorNamed(name)
  if (assignor === undefined) throw new Error(name)
  return assignor
}

function plain(assignments: ReadonlyMap<string, TopicPartitions>): Record<string, Record<string, number[]>> {
  return Object.fromEntries([...assignments].map(([id, assigned]) => [id, Object.fromEntries(assigned)]))
}

const counts = (...pairs: [string, number][]): Map<string, number> => new Map(pairs)

describe('range', () => {
  it('gives neighbours to each member, one more to the first ones, topic by topic', () => {
    const members = [member('b', ['t', 'u']), member('a', ['t', 'u']), member('c', ['t'])]
    expect(plain(named('range').assign(members, counts(['t', 4], ['u', 3])))).toEqual({
      a: { t: [0, 1], u: [0, 1] },
      b: { t: [2], u: [2] },
      c: { t: [3] },
    })
  })

  it('gives nothing to members beyond the partitions', () => {
    const members = [member('a', ['t']), member('b', ['t'])]
    expect(plain(named('range').assign(members, counts(['t', 1])))).toEqual({ a: { t: [0] }, b: {} })
  })

  it('orders static members by their instance ids, before dynamic ones', () => {
    const members = [
      member('a', ['t']),
      { ...member('z', ['t']), groupInstanceId: 'one' },
      { ...member('b', ['t']), groupInstanceId: 'two' },
    ]
    expect(plain(named('range').assign(members, counts(['t', 3])))).toEqual({
      z: { t: [0] },
      b: { t: [1] },
      a: { t: [2] },
    })
  })
})

describe('roundrobin', () => {
  it('deals the partitions of all topics in turn', () => {
    const members = [member('a', ['t', 'u']), member('b', ['t', 'u'])]
    expect(plain(named('roundrobin').assign(members, counts(['t', 3], ['u', 3])))).toEqual({
      a: { t: [0, 2], u: [1] },
      b: { t: [1], u: [0, 2] },
    })
  })

  it('passes over who does not subscribe', () => {
    const members = [member('a', ['t']), member('b', ['t', 'u']), member('c', ['t', 'u', 'v'])]
    expect(plain(named('roundrobin').assign(members, counts(['t', 1], ['u', 2], ['v', 3])))).toEqual({
      a: { t: [0] },
      b: { u: [0] },
      c: { u: [1], v: [0, 1, 2] },
    })
  })
})

describe('cooperative-sticky', () => {
  const sticky = named('cooperative-sticky')

  it('is even from the beginning', () => {
    const assigned = plain(sticky.assign([member('a', ['t']), member('b', ['t'])], counts(['t', 5])))
    expect([assigned.a?.t?.length, assigned.b?.t?.length].sort()).toEqual([2, 3])
  })

  it('takes from the owner first, and gives in the next round', () => {
    const joined = [member('a', ['t'], { t: [0, 1, 2, 3] }, 1), member('b', ['t'])]
    const first = plain(sticky.assign(joined, counts(['t', 4])))
    expect([first.a?.t?.length, first.b]).toEqual([2, {}])
    const next = [member('a', ['t'], { t: first.a?.t ?? [] }, 2), member('b', ['t'], {}, 2)]
    const second = plain(sticky.assign(next, counts(['t', 4])))
    expect(second.a).toEqual(first.a)
    expect(second.b?.t?.length).toBe(2)
  })

  it('moves nothing when the rest is even', () => {
    const members = [member('a', ['t'], { t: [0, 3] }, 4), member('b', ['t'], { t: [1, 2] }, 4)]
    expect(plain(sticky.assign(members, counts(['t', 4])))).toEqual({ a: { t: [0, 3] }, b: { t: [1, 2] } })
  })

  it('believes the newer of two claims, and neither of two of the same generation', () => {
    const older = [member('a', ['t'], { t: [0] }, 1), member('b', ['t'], { t: [0] }, 2)]
    expect(plain(sticky.assign(older, counts(['t', 1])))).toEqual({ a: {}, b: {} })
    const next = [member('a', ['t'], {}, 3), member('b', ['t'], { t: [0] }, 2)]
    expect(plain(sticky.assign(next, counts(['t', 1])))).toEqual({ a: {}, b: { t: [0] } })
  })

  it('reads the generation from the user data of older clients', () => {
    const old = { ...member('a', ['t'], { t: [0] }), userData: sticky.userData(7) }
    expect(plain(sticky.assign([old, member('b', ['t'], {}, 7)], counts(['t', 2])))).toEqual({
      a: { t: [0] },
      b: { t: [1] },
    })
  })

  it('whatever the subscriptions, two rounds give every partition to one subscriber, evenly, and a third changes nothing', () => {
    const random = new SeededRandom(11)
    for (let run = 0; run < 200; run++) {
      const topics = ['t', 'u', 'v'].slice(0, 1 + random.int(3))
      const partitionCounts = new Map(topics.map((topic) => [topic, random.int(9)]))
      const ids = ['a', 'b', 'c', 'd', 'e'].slice(0, 1 + random.int(5))
      const subscribed = new Map(ids.map((id) => [id, topics.filter(() => random.int(4) > 0)]))
      let members = ids.map((id) => {
        const owned: Owned = Object.fromEntries(
          topics.map((topic) => [topic, random.int(3) === 0 ? [0, 1] : []]),
        )
        return member(id, subscribed.get(id) ?? [], owned, random.int(3))
      })
      let assigned = new Map<string, TopicPartitions>()
      for (let round = 0; round < 3; round++) {
        const before = JSON.stringify(plain(assigned))
        assigned = sticky.assign(members, partitionCounts)
        if (round === 2) expect(JSON.stringify(plain(assigned))).toBe(before)
        const now = plain(assigned)
        members = ids.map((id) => member(id, subscribed.get(id) ?? [], now[id], 10 + round))
      }
      for (const topic of topics) {
        const all = [...assigned.values()]
          .flatMap((own) => own.get(topic) ?? [])
          .sort((one, other) => one - other)
        const isWanted = ids.some((id) => subscribed.get(id)?.includes(topic))
        expect(all).toEqual(
          isWanted ? Array.from({ length: partitionCounts.get(topic) ?? 0 }, (_, id) => id) : [],
        )
      }
      const total = (id: string): number => [...(assigned.get(id)?.values() ?? [])].flat().length
      for (const id of ids) {
        for (const topic of assigned.get(id)?.keys() ?? []) {
          expect(subscribed.get(id)).toContain(topic)
          for (const other of ids)
            if (subscribed.get(other)?.includes(topic))
              expect(total(id) - total(other)).toBeLessThanOrEqual(1)
        }
      }
    }
  })
})

describe('racks (KIP-881)', () => {
  const at = (rackId: string, one: MemberSubscription): MemberSubscription => ({ ...one, rackId })
  /** Each partition has one replica; the list names the racks by partition. */
  const racks =
    (...byPartition: string[]): RacksOf =>
    (_, partition) =>
      new Set([byPartition[partition] ?? ''])

  it('range gives members what is near them, as many as are theirs, and then what is left', () => {
    const members = [at('x', member('a', ['t'])), at('y', member('b', ['t']))]
    const range = named('range')
    expect(plain(range.assign(members, counts(['t', 4]), racks('y', 'x', 'y', 'x')))).toEqual({
      a: { t: [1, 3] },
      b: { t: [0, 2] },
    })
    expect(plain(range.assign(members, counts(['t', 4]), racks('y', 'y', 'y', 'x')))).toEqual({
      a: { t: [2, 3] },
      b: { t: [0, 1] },
    })
  })

  it('range shares topics of the same members and size alike', () => {
    const members = [at('x', member('a', ['t', 'u'])), at('y', member('b', ['t', 'u']))]
    const assigned = named('range').assign(members, counts(['t', 2], ['u', 2]), racks('y', 'x'))
    expect(plain(assigned)).toEqual({ a: { t: [1], u: [1] }, b: { t: [0], u: [0] } })
  })

  it('cooperative-sticky exchanges partitions so that more are near, and then leaves them', () => {
    const sticky = named('cooperative-sticky')
    const near = racks('y', 'x', 'y', 'x')
    const owned = [
      at('x', member('a', ['t'], { t: [0, 1] }, 1)),
      at('y', member('b', ['t'], { t: [2, 3] }, 1)),
    ]
    expect(plain(sticky.assign(owned, counts(['t', 4]), near))).toEqual({ a: { t: [1] }, b: { t: [2] } })
    const released = [at('x', member('a', ['t'], { t: [1] }, 2)), at('y', member('b', ['t'], { t: [2] }, 2))]
    const settled = { a: { t: [1, 3] }, b: { t: [0, 2] } }
    expect(plain(sticky.assign(released, counts(['t', 4]), near))).toEqual(settled)
    const again = [
      at('x', member('a', ['t'], { t: [1, 3] }, 3)),
      at('y', member('b', ['t'], { t: [0, 2] }, 3)),
    ]
    expect(plain(sticky.assign(again, counts(['t', 4]), near))).toEqual(settled)
  })

  it('make no difference when every partition is everywhere, or nobody says where it is', () => {
    const everywhere: RacksOf = () => new Set(['x', 'y'])
    const members = [at('y', member('a', ['t'])), at('x', member('b', ['t']))]
    const silent = [member('a', ['t']), member('b', ['t'])]
    for (const name of ['range', 'roundrobin', 'cooperative-sticky']) {
      const without = plain(named(name).assign(silent, counts(['t', 4])))
      expect(plain(named(name).assign(members, counts(['t', 4]), everywhere))).toEqual(without)
      expect(plain(named(name).assign(silent, counts(['t', 4]), racks('x', 'y', 'x', 'y')))).toEqual(without)
    }
  })

  it('never cost evenness', () => {
    const random = new SeededRandom(7)
    for (let round = 0; round < 50; round++) {
      const rackOf = (): string => `r${random.int(3)}`
      const members = Array.from({ length: 1 + random.int(5) }, (_, index) =>
        at(rackOf(), member(`m${index}`, ['t'])),
      )
      const count = 1 + random.int(20)
      const byPartition = Array.from({ length: count }, rackOf)
      for (const name of ['range', 'cooperative-sticky']) {
        const assigned = plain(named(name).assign(members, counts(['t', count]), racks(...byPartition)))
        const all = Object.values(assigned).map(({ t = [] }) => t)
        const sizes = all.map((own) => own.length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
        expect(all.flat().sort((one, other) => one - other)).toEqual([...byPartition.keys()])
      }
    }
  })
})
