// biome-ignore-all lint/suspicious/noThenProperty: `when` and `then` are the words of fault rules, and no rule is ever awaited
import { describe, expect, it } from 'vitest'
import { type FaultCondition, FaultRules, type FaultSubject } from '../../../../common/runtime/faults.ts'
import { SeededRandom } from '../../../../common/runtime/seeded-random.ts'

const produce: FaultSubject = {
  api: 'Produce',
  broker: 1,
  clientId: 'app',
  topics: [
    { name: 'orders', partitions: [0, 2] },
    { name: 'payments', partitions: [1] },
  ],
}
const rules = (): FaultRules => new FaultRules({ random: new SeededRandom(1) })
const fail = { error: 'NOT_LEADER_OR_FOLLOWER' }

function hits(when: FaultCondition, subject: FaultSubject = produce, times = 1): number {
  const faults = rules()
  const handle = faults.add({ when, then: fail })
  for (let index = 0; index < times; index++) faults.match(subject)
  return handle.hits
}

describe('a fault rule', () => {
  it('applies when every field of its condition matches', () => {
    expect(hits({})).toBe(1)
    expect(hits({ api: 'Produce', broker: 1, clientId: 'app', topic: 'orders' })).toBe(1)
    expect(hits({ api: ['Fetch', 'Produce'], broker: [1, 2] })).toBe(1)
    expect(hits({ api: 'Fetch' })).toBe(0)
    expect(hits({ broker: 2 })).toBe(0)
    expect(hits({ topic: 'refunds' })).toBe(0)
    expect(hits({ clientId: 'other' })).toBe(0)
    expect(hits({ clientId: 'app' }, { ...produce, clientId: null })).toBe(0)
  })

  it('wants topic and partition at the same place', () => {
    expect(hits({ topic: 'orders', partition: 2 })).toBe(1)
    expect(hits({ topic: 'orders', partition: 1 })).toBe(0)
    expect(hits({ partition: 1 })).toBe(1)
    expect(hits({ partition: 7 })).toBe(0)
  })

  it('matches groups and transactional ids', () => {
    expect(hits({ group: 'g' }, { api: 'JoinGroup', groups: ['g'] })).toBe(1)
    expect(hits({ group: 'g' }, { api: 'JoinGroup', groups: ['h'] })).toBe(0)
    expect(hits({ group: 'g' })).toBe(0)
    expect(hits({ transactionalId: 't' }, { transactionalIds: ['s', 't'] })).toBe(1)
  })

  it('applies to requests unless it says otherwise', () => {
    const response: FaultSubject = { ...produce, direction: 'response' }
    expect(hits({}, response)).toBe(0)
    expect(hits({ direction: 'response' }, response)).toBe(1)
    expect(hits({ direction: 'request' })).toBe(1)
  })

  it('hits the n-th match, every n-th, or so many times', () => {
    const pattern = (when: FaultCondition): string => {
      const faults = rules()
      faults.add({ when, then: fail })
      return Array.from({ length: 8 }, () => (faults.match(produce) === undefined ? '.' : 'x')).join('')
    }
    expect(pattern({ nth: 3 })).toBe('..x.....')
    expect(pattern({ every: 3 })).toBe('..x..x..')
    expect(pattern({ times: 2 })).toBe('xx......')
    expect(pattern({ every: 2, times: 2 })).toBe('.x.x....')
  })

  it('hits a share of the matches, the same ones for the same seed', () => {
    const count = hits({ probability: 0.25 }, produce, 10_000)
    expect(count).toBeGreaterThan(2300)
    expect(count).toBeLessThan(2700)
    expect(hits({ probability: 0.25 }, produce, 10_000)).toBe(count)
    expect(hits({ probability: 0 }, produce, 100)).toBe(0)
    expect(hits({ probability: 1 }, produce, 100)).toBe(100)
  })

  it('gives way to the next one when it is exhausted', () => {
    const faults = rules()
    faults.add({ when: { times: 1 }, then: { error: 'FIRST' } })
    faults.add({ when: { times: 1 }, then: { error: 'SECOND' } })
    expect([1, 2, 3].map(() => faults.match(produce)?.action.error)).toEqual(['FIRST', 'SECOND', undefined])
    expect(faults.isEmpty).toBe(true)
    expect(faults.list().map(({ isExhausted }) => isExhausted)).toEqual([true, true])
  })

  it('is refused when it is nonsense', () => {
    for (const when of [{ nth: 0 }, { every: 1.5 }, { times: -1 }, { probability: 2 }]) {
      expect(() => rules().add({ when, then: fail })).toThrow(/fault rule/)
    }
    expect(() => rules().add({ when: {}, then: {} })).toThrow(/would do nothing/)
  })
})

describe('a handle of a fault rule', () => {
  it('tells when there were enough hits, at once when they were before', () => {
    const faults = rules()
    const handle = faults.add({ when: {}, then: fail })
    const told: string[] = []
    handle.waitForHit(() => told.push('one'))
    handle.waitForHit(() => told.push('two'), 2)
    handle.waitForHit(() => told.push('never'))()
    faults.match(produce)
    expect(told).toEqual(['one'])
    faults.match(produce)
    expect(told).toEqual(['one', 'two'])
    handle.waitForHit(() => told.push('late'), 2)
    expect(told).toEqual(['one', 'two', 'late'])
  })

  it('holds what goes on until it is released, and again afterwards', () => {
    const faults = rules()
    const handle = faults.add({ when: {}, then: { hold: true } })
    const went: number[] = []
    for (const id of [1, 2]) faults.match(produce)?.hold(() => went.push(id))
    expect([went, handle.heldCount]).toEqual([[], 2])
    handle.release()
    faults.match(produce)?.hold(() => went.push(3))
    expect([went, handle.heldCount]).toEqual([[1, 2], 1])
    handle.remove()
    expect(went).toEqual([1, 2, 3])
    expect(faults.match(produce)).toBeUndefined()
  })

  it('shows rules that were never used, and a reset takes all back', () => {
    const faults = rules()
    const used = faults.add({ when: { api: 'Produce' }, then: { hold: true } })
    const unused = faults.add({ when: { api: 'Fetch' }, then: fail })
    let went = 0
    faults.match(produce)?.hold(() => went++)
    expect(faults.unused()).toEqual([unused])
    expect(used.matches).toBe(1)
    faults.reset()
    expect(went).toBe(1)
    expect(faults.list()).toEqual([])
    expect(faults.isEmpty).toBe(true)
  })
})
