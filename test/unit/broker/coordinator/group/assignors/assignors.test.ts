import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type {
  Assignor,
  AssignorMember,
} from '../../../../../../broker/coordinator/group/assignors/assignor.ts'
import { rangeAssignor } from '../../../../../../broker/coordinator/group/assignors/range.ts'
import { uniformAssignor } from '../../../../../../broker/coordinator/group/assignors/uniform.ts'

const topic = fc.constantFrom('t1', 't2', 't3')
const sizes = fc.record({ t1: fc.nat(9), t2: fc.nat(9), t3: fc.nat(9) })
const input = fc.record({
  sizes,
  subscriptions: fc.array(fc.uniqueArray(topic, { minLength: 1 }), { minLength: 1, maxLength: 6 }),
})

function assign(
  assignor: Assignor,
  counts: Readonly<Record<string, number>>,
  subscriptions: readonly (readonly string[])[],
  current: readonly AssignorMember['current'][] = [],
): Map<string, Map<string, Set<number>>> {
  return assignor({
    members: subscriptions.map((topics, index) => ({
      memberId: `m${index}`,
      instanceId: null,
      topicIds: new Set(topics),
      current: current[index] ?? new Map(),
    })),
    partitionCountOf: (topicId) => counts[topicId] ?? 0,
  })
}

function loads(result: ReturnType<typeof assign>, count: number): number[] {
  return Array.from({ length: count }, (_, index) =>
    [...(result.get(`m${index}`)?.values() ?? [])].reduce((sum, partitions) => sum + partitions.size, 0),
  )
}

describe.each([
  ['uniform', uniformAssignor],
  ['range', rangeAssignor],
])('the %s assignor', (_name, assignor) => {
  it('gives every partition that somebody asks for to exactly one of those who ask', () => {
    fc.assert(
      fc.property(input, ({ sizes: counts, subscriptions }) => {
        const result = assign(assignor, counts, subscriptions)
        const given: string[] = []
        for (const [memberId, topics] of result) {
          for (const [topicId, partitions] of topics) {
            expect(subscriptions[Number(memberId.slice(1))]).toContain(topicId)
            given.push(...[...partitions].map((partition) => `${topicId}-${partition}`))
          }
        }
        const asked = new Set(subscriptions.flat())
        const all = Object.entries(counts).flatMap(([topicId, count]) =>
          asked.has(topicId as 't1')
            ? Array.from({ length: count }, (_, index) => `${topicId}-${index}`)
            : [],
        )
        expect(given.sort()).toEqual(all.sort())
      }),
    )
  })
})

describe('the uniform assignor', () => {
  it('with equal subscriptions nobody has two partitions more than another', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 7 }), (counts, memberCount) => {
        const subscriptions = Array.from({ length: memberCount }, () => ['t1', 't2', 't3'])
        const all = loads(assign(uniformAssignor, counts, subscriptions), memberCount)
        expect(Math.max(...all) - Math.min(...all)).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('takes no more away than the new member needs', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 5 }), (counts, memberCount) => {
        const subscriptions = Array.from({ length: memberCount + 1 }, () => ['t1', 't2', 't3'])
        const before = assign(uniformAssignor, counts, subscriptions.slice(1))
        const current = Array.from(
          { length: memberCount },
          (_, index) => before.get(`m${index}`) ?? new Map(),
        )
        const after = assign(uniformAssignor, counts, subscriptions, current)
        let moved = 0
        for (const [memberId, topics] of before) {
          for (const [topicId, partitions] of topics) {
            for (const partition of partitions)
              if (!after.get(memberId)?.get(topicId)?.has(partition)) moved += 1
          }
        }
        expect(moved).toBe(loads(after, memberCount + 1)[memberCount])
      }),
    )
  })

  it('keeps what Kafka 4.4 keeps when members join one by one', () => {
    const plain = (result: ReturnType<typeof assign>) =>
      Array.from({ length: result.size }, (_, index) => [...(result.get(`m${index}`)?.get('t') ?? [])])
    const counts = { t: 6 }
    const one = assign(uniformAssignor, counts, [['t']])
    const two = assign(uniformAssignor, counts, [['t'], ['t']], [...one.values()])
    expect(plain(two)).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ])
    const three = assign(uniformAssignor, counts, [['t'], ['t'], ['t']], [...two.values()])
    expect(plain(three)).toEqual([
      [0, 1],
      [3, 4],
      [2, 5],
    ])
  })
})

describe('the range assignor', () => {
  it('gives runs in the order of the members, static ones first', () => {
    const member = (memberId: string, instanceId: string | null): AssignorMember => ({
      memberId,
      instanceId,
      topicIds: new Set(['t']),
      current: new Map(),
    })
    const result = rangeAssignor({
      members: [member('a', null), member('z', 'i1'), member('b', null)],
      partitionCountOf: () => 7,
    })
    expect([...(result.get('z')?.get('t') ?? [])]).toEqual([0, 1, 2])
    expect([...(result.get('a')?.get('t') ?? [])]).toEqual([3, 4])
    expect([...(result.get('b')?.get('t') ?? [])]).toEqual([5, 6])
  })
})
