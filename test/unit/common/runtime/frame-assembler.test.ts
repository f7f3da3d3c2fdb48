import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinFrame } from '../../../../common/protocol/frame.ts'
import { FrameAssembler } from '../../../../common/runtime/frame-assembler.ts'
import { joinFrames } from '../../../../common/runtime/frame-joiner.ts'

const megabyte = 1024 * 1024

function lengthOf(value: number): Buffer {
  const buffer = Buffer.allocUnsafeSlow(4)
  buffer.writeInt32BE(value)
  return buffer
}

describe('a frame assembler', () => {
  it('gives back the frames that were sent, however the stream is cut', () => {
    const sizes = fc.oneof(fc.nat(20), fc.nat(3000), fc.nat(300_000))
    fc.assert(
      fc.property(
        fc.array(sizes, { maxLength: 12 }),
        fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 70_000 }))),
        (frameSizes, cuts) => {
          const sent = frameSizes.map((size, index) => Buffer.alloc(size, index + 1))
          const stream = Buffer.concat(
            joinFrames(sent.map((buffer) => ({ fragments: [buffer], sizeBytes: buffer.length }))),
          )
          const assembler = new FrameAssembler(megabyte)
          const arrived: Buffer[] = []
          for (let position = 0; position < stream.length; ) {
            // Sockets hand out buffers of their own, not views of one large one.
            const chunk = Buffer.from(
              new Uint8Array(stream.subarray(position, position + (cuts.next().value ?? 1))).buffer,
            )
            position += chunk.length
            expect(assembler.push(chunk, (frame) => arrived.push(joinFrame(frame)))).toBeUndefined()
          }
          expect(arrived.length).toBe(sent.length)
          expect(arrived.every((frame, index) => frame.equals(sent[index] as Buffer))).toBe(true)
          expect(assembler.heldBytes).toBe(0)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('answers any bytes with frames within the limit or a refusal, and nothing after a refusal', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }),
        fc.nat(40),
        (chunks, limit) => {
          const assembler = new FrameAssembler(limit)
          let refusal: string | undefined
          for (const chunk of chunks) {
            const answer = assembler.push(Buffer.from(chunk), ({ sizeBytes }) => {
              expect(refusal).toBeUndefined()
              expect(sizeBytes).toBeLessThanOrEqual(limit)
            })
            if (refusal !== undefined) expect(answer).toBe(refusal)
            refusal = answer
          }
        },
      ),
    )
  })

  it('refuses a negative length and one above the limit, even when it arrives byte by byte', () => {
    for (const [length, refusal] of [
      [-1, 'frame-malformed'],
      [-(2 ** 31), 'frame-malformed'],
      [101, 'frame-too-large'],
      [2 ** 31 - 1, 'frame-too-large'],
    ] as const) {
      const whole = new FrameAssembler(100)
      expect(whole.push(lengthOf(length), () => {})).toBe(refusal)
      const bytewise = new FrameAssembler(100)
      const answers = [...lengthOf(length)].map((byte) => bytewise.push(Buffer.from([byte]), () => {}))
      expect(answers).toEqual([undefined, undefined, undefined, refusal])
    }
  })

  it('gives the frames before a refused length', () => {
    const assembler = new FrameAssembler(100)
    const frames: string[] = []
    const stream = Buffer.concat([lengthOf(2), Buffer.from('ok'), lengthOf(-5), Buffer.from('junk')])
    expect(assembler.push(stream, (frame) => frames.push(joinFrame(frame).toString()))).toBe(
      'frame-malformed',
    )
    expect(frames).toEqual(['ok'])
  })

  it('spends nothing on a large frame that is announced and not sent', () => {
    const assembler = new FrameAssembler(100 * megabyte)
    assembler.push(lengthOf(100 * megabyte), () => {})
    expect(assembler.heldBytes).toBe(0)
    for (let index = 0; index < 100; index++) assembler.push(Buffer.allocUnsafeSlow(1000), () => {})
    expect(assembler.heldBytes).toBe(100_000)
  })

  it('holds at most four times what has been sent of a large frame', () => {
    const assembler = new FrameAssembler(100 * megabyte)
    assembler.push(lengthOf(8 * megabyte), () => {})
    let sent = 0
    let frames = 0
    while (frames === 0) {
      sent += 65_536
      assembler.push(Buffer.allocUnsafeSlow(65_536), () => frames++)
      expect(assembler.heldBytes).toBeLessThanOrEqual(sent * 4)
    }
    expect(sent).toBe(8 * megabyte)
  })

  it('hands out a frame that fills its chunk as a view, and a small part of a chunk as a copy', () => {
    const body = Buffer.alloc(1000, 'x')
    const chunk = Buffer.from(new Uint8Array(Buffer.concat([lengthOf(1000), body])).buffer)
    const small = Buffer.from(
      new Uint8Array(Buffer.concat([lengthOf(5), Buffer.from('small'), chunk])).buffer,
    )
    const frames: Buffer[] = []
    new FrameAssembler(5000).push(chunk, (frame) => frames.push(joinFrame(frame)))
    new FrameAssembler(5000).push(small, (frame) => frames.push(joinFrame(frame)))
    expect(frames[0]?.buffer).toBe(chunk.buffer)
    expect(frames[1]?.buffer).not.toBe(small.buffer)
    expect(frames[2]?.buffer).toBe(small.buffer)
  })
})

describe('joining frames for a write', () => {
  it('copies small fragments together and passes large ones by reference', () => {
    const large = Buffer.alloc(20_000)
    const frame = {
      fragments: [Buffer.from('a'), Buffer.from('b'), large, Buffer.from('c')],
      sizeBytes: 20_003,
    }
    const buffers = joinFrames([frame, { fragments: [], sizeBytes: 0 }])
    expect(buffers.length).toBe(3)
    expect(buffers[1]).toBe(large)
    expect(Buffer.concat(buffers)).toEqual(Buffer.concat([lengthOf(20_003), ...frame.fragments, lengthOf(0)]))
  })
})
