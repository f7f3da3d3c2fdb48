import { describe, expect, it } from 'vitest'
import type { Frame } from '../../../../common/protocol/frame.ts'
import { FrameAssembler } from '../../../../common/runtime/frame-assembler.ts'
import { isRecycled, lasting, RecycledBytes } from '../../../../common/runtime/recycled-bytes.ts'

const kilobyte = 1024

function taken(recycled: RecycledBytes, sizeBytes: number): Buffer {
  const body = recycled.take(sizeBytes)
  if (body === undefined) throw new Error(`no room for ${sizeBytes} bytes`)
  return body
}

describe('recycled bytes', () => {
  it('serve the next body of about the size once they are given back', () => {
    const recycled = new RecycledBytes()
    const first = taken(recycled, 64 * kilobyte + 100)
    const second = taken(recycled, 64 * kilobyte + 90)
    expect(second.buffer).not.toBe(first.buffer)
    recycled.give(first)
    const third = taken(recycled, 65 * kilobyte)
    expect(third.buffer).toBe(first.buffer)
    expect(third.length).toBe(65 * kilobyte)
  })

  it('are left to the garbage collector when too many wait', () => {
    const recycled = new RecycledBytes()
    const bodies = Array.from({ length: 12 }, () => taken(recycled, 1024 * kilobyte))
    for (const body of bodies) recycled.give(body)
    const memories = new Set(bodies.map(({ buffer }) => buffer))
    const again = Array.from({ length: 12 }, () => taken(recycled, 1024 * kilobyte))
    expect(again.filter(({ buffer }) => memories.has(buffer))).toHaveLength(8)
  })

  it('give way, when too many wait, to sizes that are still asked for', () => {
    const recycled = new RecycledBytes()
    const bodies = Array.from({ length: 8 }, () => taken(recycled, 1024 * kilobyte))
    const other = taken(recycled, 512 * kilobyte)
    for (const body of bodies) recycled.give(body)
    recycled.give(other)
    expect(taken(recycled, 512 * kilobyte).buffer).toBe(other.buffer)
    const memories = new Set(bodies.map(({ buffer }) => buffer))
    const again = Array.from({ length: 8 }, () => taken(recycled, 1024 * kilobyte))
    expect(again.filter(({ buffer }) => memories.has(buffer))).toHaveLength(7)
  })

  it('are taken back only by those who gave them out', () => {
    const [first, second] = [new RecycledBytes(), new RecycledBytes()]
    const body = taken(first, 64 * kilobyte)
    second.give(body)
    expect(taken(second, 64 * kilobyte).buffer).not.toBe(body.buffer)
    first.give(body.subarray(100, 200))
    expect(taken(first, 64 * kilobyte).buffer).toBe(body.buffer)
  })

  it('are not for small bodies', () => {
    expect(new RecycledBytes().take(4 * kilobyte)).toBeUndefined()
  })

  it('are told from others in every view, and what must last is copied', () => {
    const body = taken(new RecycledBytes(), 10 * kilobyte)
    const records = body.subarray(100, 200)
    expect(isRecycled(records)).toBe(true)
    expect(isRecycled(lasting(records))).toBe(false)
    expect(lasting(records).equals(records)).toBe(true)
    const own = Buffer.alloc(10)
    expect(lasting(own)).toBe(own)
  })

  it('carry the large frames of a stream, each with the way back', () => {
    const assembler = new FrameAssembler(1024 * kilobyte, new RecycledBytes())
    const frames: Frame[] = []
    for (let round = 0; round < 3; round++) {
      const chunk = Buffer.alloc(4 + 20 * kilobyte, round)
      chunk.writeInt32BE(20 * kilobyte)
      assembler.pushBorrowed(chunk, (frame) => frames.push(frame))
      if (round === 0) frames[0]?.recycle?.()
    }
    const [first, second, third] = frames.map(({ fragments }) => fragments[0] as Buffer)
    expect(second?.buffer).toBe(first?.buffer)
    expect(third?.buffer).not.toBe(second?.buffer)
    expect(second?.every((byte) => byte === 1)).toBe(true)
    expect(third?.every((byte) => byte === 2)).toBe(true)
  })
})
