import { describe, expect, it } from 'vitest'
import { assignSimply } from '../../../../../broker/coordinator/share/simple-assignor.ts'

const TOPIC = 't'
const assignable = (count: number) =>
  new Map([[TOPIC, new Set(Array.from({ length: count }, (_, index) => index))]])
const member = (memberId: string, held: readonly number[] = [], topicIds: readonly string[] = [TOPIC]) => ({
  memberId,
  topicIds: new Set(topicIds),
  current: new Map([[TOPIC, new Set(held)]]),
})
const plain = (result: ReturnType<typeof assignSimply>) =>
  Object.fromEntries(
    [...result].map(([memberId, topics]) => [memberId, [...(topics.get(TOPIC) ?? [])].sort()]),
  )

describe('the simple assignor', () => {
  it('gives each partition to one member while there are enough', () => {
    expect(plain(assignSimply([member('a'), member('b')], assignable(4)))).toEqual({ a: [0, 1], b: [2, 3] })
  })

  it('lets members share a partition when there are more of them', () => {
    const members = ['a', 'b', 'c', 'd'].map((memberId) => member(memberId))
    const result = Object.values(plain(assignSimply(members, assignable(2)))).flat()
    expect(result.sort()).toEqual([0, 0, 1, 1])
  })

  it('lets members keep what they have as far as that is fair', () => {
    const result = plain(assignSimply([member('b'), member('a', [0, 1])], assignable(2)))
    expect(result).toEqual({ a: [1], b: [0] })
  })

  it('gives nobody what may not be given', () => {
    expect(plain(assignSimply([member('a', [0])], new Map()))).toEqual({ a: [] })
    expect(plain(assignSimply([member('a'), member('b', [], [])], assignable(2)))).toEqual({
      a: [0, 1],
      b: [],
    })
  })
})
