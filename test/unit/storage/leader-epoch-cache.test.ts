import { describe, expect, it } from 'vitest'
import { LeaderEpochCache } from '../../../storage/leader-epoch-cache.ts'
import { memoryWorld } from '../../storage/world.ts'

function cacheOf(...entries: [epoch: number, startOffset: number][]) {
  const { files } = memoryWorld().context
  files.makeDirectory('/data')
  const cache = new LeaderEpochCache(files, '/data/leader-epoch-checkpoint', false)
  for (const [epoch, startOffset] of entries) cache.assign(epoch, startOffset)
  const entriesOf = (target = cache) => target.entries.map(({ epoch, startOffset }) => [epoch, startOffset])
  return { cache, files, entriesOf }
}

describe('the leader epoch cache', () => {
  it('answers where an epoch ended (KIP-101, KIP-279)', () => {
    const { cache } = cacheOf([2, 10], [4, 20], [7, 30])
    const end = (epoch: number) => Object.values(cache.endOffsetFor(epoch, 42))
    expect(end(7)).toEqual([7, 42])
    expect(end(4)).toEqual([4, 30])
    expect(end(5)).toEqual([4, 30])
    expect(end(2)).toEqual([2, 20])
    expect(end(1)).toEqual([1, 10])
    expect(end(8)).toEqual([-1, -1])
    expect(end(-1)).toEqual([-1, -1])
  })

  it('drops entries that a new one contradicts', () => {
    const { cache, entriesOf } = cacheOf([1, 0], [2, 10], [3, 20])
    cache.assign(3, 25)
    expect(entriesOf()).toEqual([
      [1, 0],
      [2, 10],
      [3, 20],
    ])
    cache.assign(4, 10)
    expect(entriesOf()).toEqual([
      [1, 0],
      [4, 10],
    ])
    cache.assign(2, 30)
    expect(entriesOf()).toEqual([
      [1, 0],
      [2, 30],
    ])
  })

  it('is cut from both ends and read back as it was', () => {
    const { cache, files, entriesOf } = cacheOf([1, 0], [2, 10], [3, 20])
    cache.truncateFromStart(15)
    expect(entriesOf()).toEqual([
      [2, 15],
      [3, 20],
    ])
    cache.truncateFromEnd(20)
    expect(entriesOf()).toEqual([[2, 15]])
    expect(files.readFile('/data/leader-epoch-checkpoint').toString()).toBe('0\n1\n2 15\n')
    expect(entriesOf(new LeaderEpochCache(files, '/data/leader-epoch-checkpoint', true))).toEqual([[2, 15]])
    files.replaceFile('/data/leader-epoch-checkpoint', '0\n2\n2 15\n')
    expect(new LeaderEpochCache(files, '/data/leader-epoch-checkpoint', true).wasUnreadable).toBe(true)
  })
})
