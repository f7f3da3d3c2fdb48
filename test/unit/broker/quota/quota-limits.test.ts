import { describe, expect, it } from 'vitest'
import type { QuotaImage } from '../../../../broker/metadata/image.ts'
import { QuotaLimits } from '../../../../broker/quota/quota-limits.ts'

const KEY = 'producer_byte_rate'

type Parts = readonly (readonly ['user' | 'client-id', string | null])[]

function quota(parts: Parts, limit: number, key = KEY): QuotaImage {
  return { parts: new Map(parts), values: new Map([[key, limit]]) }
}

/** The most special first. */
const PRECEDENCE: readonly Parts[] = [
  [
    ['user', 'ann'],
    ['client-id', 'app'],
  ],
  [
    ['user', 'ann'],
    ['client-id', null],
  ],
  [['user', 'ann']],
  [
    ['user', null],
    ['client-id', 'app'],
  ],
  [
    ['user', null],
    ['client-id', null],
  ],
  [['user', null]],
  [['client-id', 'app']],
  [['client-id', null]],
]

describe('the limit of a user and client id', () => {
  it.each(PRECEDENCE.map((parts, index) => ({ parts, index })))(
    'comes from the most special of its entities: $parts',
    ({ index }) => {
      const left = PRECEDENCE.slice(index).map((parts, place) => quota(parts, index + place + 1))
      // The order in which they were set is of no interest.
      expect(new QuotaLimits(left.reverse(), KEY).of('ann', 'app')?.limit).toBe(index + 1)
    },
  )

  it('is that of the kind of quota alone', () => {
    const limits = new QuotaLimits(
      [quota([['user', 'ann']], 1, 'consumer_byte_rate'), quota([['client-id', 'app']], 2)],
      KEY,
    )
    expect(limits.of('ann', 'app')?.limit).toBe(2)
  })

  it('is none for those that no quota names', () => {
    const limits = new QuotaLimits([quota([['user', 'ann']], 1), quota([['client-id', 'app']], 2)], KEY)
    expect(limits.of('bob', 'other')).toBeUndefined()
    expect(limits.of('bob', '')).toBeUndefined()
    expect(new QuotaLimits([], KEY).isEmpty).toBe(true)
  })
})

describe('the counter of a limit', () => {
  it('is one for all clients of a user with a quota', () => {
    const limits = new QuotaLimits([quota([['user', 'ann']], 1)], KEY)
    expect(limits.of('ann', 'one')?.counter).toBe(limits.of('ann', 'two')?.counter)
  })

  it('is one for each user of the default quota', () => {
    const limits = new QuotaLimits([quota([['user', null]], 1)], KEY)
    expect(limits.of('ann', 'one')?.counter).toBe(limits.of('ann', 'two')?.counter)
    expect(limits.of('ann', 'one')?.counter).not.toBe(limits.of('bob', 'one')?.counter)
  })

  it('is one for each client id of the default quota, whoever the user is', () => {
    const limits = new QuotaLimits([quota([['client-id', null]], 1)], KEY)
    expect(limits.of('ann', 'one')?.counter).toBe(limits.of('bob', 'one')?.counter)
    expect(limits.of('ann', 'one')?.counter).not.toBe(limits.of('ann', 'two')?.counter)
  })

  it('is one for each pair where the quota names both, also by default', () => {
    for (const user of ['ann', null]) {
      const entity: Parts = [
        ['user', user],
        ['client-id', null],
      ]
      const limits = new QuotaLimits([quota(entity, 1)], KEY)
      expect(limits.of('ann', 'one')?.counter).not.toBe(limits.of('ann', 'two')?.counter)
    }
  })

  it('tells names apart that look like parts of others', () => {
    const limits = new QuotaLimits([quota([['client-id', null]], 1), quota([['user', '*']], 2)], KEY)
    expect(limits.of('*', 'a')?.limit).toBe(2)
    expect(limits.of('', 'a')?.limit).toBe(1)
  })
})
