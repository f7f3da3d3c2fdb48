import { describe, expect, it } from 'vitest'
import { LogTail, TailCache } from '../../../storage/tail-cache.ts'

function add(tail: LogTail, baseOffset: number, sizeBytes = 10): void {
  const buffer = Buffer.alloc(sizeBytes, baseOffset)
  tail.add({
    segmentBaseOffset: 0,
    position: baseOffset * 10,
    baseOffset,
    nextOffset: baseOffset + 1,
    buffer,
  })
}

describe('the tail cache', () => {
  it('keeps to its budget over all logs, and of every log the last appends', () => {
    const cache = new TailCache(100)
    const [first, second] = [new LogTail(cache), new LogTail(cache)]
    for (let offset = 0; offset < 8; offset++) add(first, offset)
    for (let offset = 0; offset < 5; offset++) add(second, offset)
    expect(cache.usedBytes).toBeLessThanOrEqual(100)
    expect(first.find(2)).toBeUndefined()
    expect(first.find(3)?.baseOffset).toBe(3)
    expect(second.find(0)?.baseOffset).toBe(0)
    second.clear()
    expect(cache.usedBytes).toBe(50)
  })

  it('joins what a reader takes together once, and shares it', () => {
    const cache = new TailCache(1000)
    const tail = new LogTail(cache)
    for (let offset = 0; offset < 6; offset++) add(tail, offset)
    const joined = tail.gather(2, 30)
    expect(joined).toMatchObject({ baseOffset: 2, nextOffset: 5 })
    expect(joined?.buffer.length).toBe(30)
    expect(tail.gather(2, 30)?.buffer).toBe(joined?.buffer)
    expect(tail.find(4)?.buffer).toBe(joined?.buffer)
    expect(cache.usedBytes).toBe(60)
  })

  it('keeps nothing for a log whose end nobody reads, until somebody does', () => {
    const cache = new TailCache(100_000)
    const tail = new LogTail(cache)
    for (let offset = 0; offset < 300; offset++) add(tail, offset)
    expect(cache.usedBytes).toBe(0)
    expect(tail.gather(299, 10)).toBeUndefined()
    add(tail, 300)
    expect(tail.gather(300, 10)?.baseOffset).toBe(300)
  })

  it('goes on within its budget when appends and reads alternate', () => {
    const cache = new TailCache(500)
    const tail = new LogTail(cache)
    for (let offset = 0; offset < 5000; offset++) {
      add(tail, offset)
      if (offset % 7 === 0) tail.gather(Math.max(0, offset - 20), 100)
      expect(cache.usedBytes).toBeLessThanOrEqual(500)
    }
    expect(tail.find(4999)).toBeDefined()
  })

  it('lets go of the bytes of entries that are gone, whoever still holds the entry', () => {
    const cache = new TailCache(100)
    const tail = new LogTail(cache)
    add(tail, 0)
    const first = tail.find(0)
    for (let offset = 1; offset < 12; offset++) add(tail, offset)
    expect(first?.buffer.length).toBe(0)
    const joined = [tail.find(5), tail.find(6)]
    tail.gather(5, 20)
    expect(joined.map((entry) => entry?.buffer.length)).toEqual([0, 0])
  })
})
