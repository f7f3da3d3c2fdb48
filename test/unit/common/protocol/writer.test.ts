import { describe, expect, it } from 'vitest'
import { joinFrame } from '../../../../common/protocol/frame.ts'
import { Reader } from '../../../../common/protocol/reader.ts'
import { BY_REFERENCE_BYTES, EncodeError, Writer } from '../../../../common/protocol/writer.ts'

function hexOf(write: (writer: Writer) => void): string {
  const writer = new Writer()
  writer.begin(true)
  write(writer)
  return writer.finishBuffer().toString('hex')
}

describe('the writer', () => {
  it('clamps numbers to the range of a long', () => {
    expect(hexOf((writer) => writer.int64(2 ** 63, 'x'))).toBe('7fffffffffffffff')
    expect(hexOf((writer) => writer.int64(Number.POSITIVE_INFINITY, 'x'))).toBe('7fffffffffffffff')
    expect(hexOf((writer) => writer.int64(-(2 ** 63), 'x'))).toBe('8000000000000000')
    expect(hexOf((writer) => writer.int64(-(2 ** 64), 'x'))).toBe('8000000000000000')
    expect(hexOf((writer) => writer.int64(-1, 'x'))).toBe('ffffffffffffffff')
    expect(hexOf((writer) => writer.int64(Number.MIN_SAFE_INTEGER, 'x'))).toBe('ffe0000000000001')
  })

  it('refuses values that do not fit their field', () => {
    const writer = new Writer()
    const refused: (() => void)[] = [
      () => writer.int8(128, 'x'),
      () => writer.int16(-32769, 'x'),
      () => writer.uint16(-1, 'x'),
      () => writer.int32(2 ** 31, 'x'),
      () => writer.int32(1.5, 'x'),
      () => writer.uint32(-1, 'x'),
      () => writer.int64(Number.NaN, 'x'),
      () => writer.int64(0.5, 'x'),
      () => writer.exactInt64(2n ** 63n, 'x'),
      () => writer.uuid('short', 'x'),
      () => writer.uuid('*'.repeat(22), 'x'),
      () => writer.string('x'.repeat(32768), 'x'),
      () => writer.compactString('é'.repeat(16384), 'x'),
      () => writer.string(undefined as never, 'x'),
      () => writer.bool(1 as never, 'x'),
      () => writer.blob('x' as never, 'x'),
    ]
    for (const write of refused) {
      writer.begin()
      expect(write).toThrow(EncodeError)
    }
    writer.begin()
    writer.int8(1, 'x')
    expect(joinFrame(writer.finish()).toString('hex')).toBe('01')
  })

  it('writes short and long strings alike', () => {
    for (const text of ['', 'a', 'größe', '日本語', '😀'.repeat(12), 'x'.repeat(24), 'x'.repeat(300)]) {
      const bytes = Buffer.from(
        hexOf((writer) => {
          writer.string(text, 'x')
          writer.compactString(text, 'x')
        }),
        'hex',
      )
      const reader = new Reader(bytes)
      expect([reader.string('x'), reader.compactString('x')]).toEqual([text, text])
    }
  })

  it('passes large blobs by reference as fragments of their own and copies small ones', () => {
    const large = Buffer.alloc(BY_REFERENCE_BYTES, 1)
    const small = Buffer.alloc(BY_REFERENCE_BYTES - 1, 2)
    const writer = new Writer()
    writer.begin()
    writer.blob(small, 'x')
    writer.blob(large, 'x')
    writer.int8(7, 'x')
    const frame = writer.finish()
    expect(frame.fragments).toHaveLength(3)
    expect(frame.fragments[1]).toBe(large)
    expect(frame.sizeBytes).toBe(4 + small.length + 4 + large.length + 1)
    const reader = new Reader(frame)
    expect(reader.blob(reader.int32()).equals(small)).toBe(true)
    expect(reader.blob(reader.int32())).toHaveLength(large.length)
    expect(reader.int8()).toBe(7)
  })

  it('gives every frame bytes of its own', () => {
    const writer = new Writer()
    const frames = Array.from({ length: 5000 }, (_, index) => {
      writer.begin()
      writer.int32(index, 'x')
      writer.string('x'.repeat(index % 50), 'x')
      return writer.finish()
    })
    frames.forEach((frame, index) => {
      expect(new Reader(frame).int32()).toBe(index)
    })
  })

  it('puts the size before a tagged field, however long it is', () => {
    for (const length of [0, 1, 126, 127, 128, 16_383, 16_384, 70_000]) {
      const writer = new Writer()
      writer.begin()
      writer.int8(1, 'x')
      const mark = writer.beginTaggedField(300)
      const inner = writer.beginTaggedField(1)
      writer.append(Buffer.alloc(length, 9))
      writer.endTaggedField(inner)
      writer.endTaggedField(mark)
      writer.int8(2, 'x')
      const reader = new Reader(joinFrame(writer.finish()))
      expect([reader.int8(), reader.unsignedVarint()]).toEqual([1, 300])
      const outer = new Reader(reader.blob(reader.unsignedVarint()))
      expect([outer.unsignedVarint(), outer.unsignedVarint()]).toEqual([1, length])
      expect(outer.blob(length).equals(Buffer.alloc(length, 9))).toBe(true)
      expect([outer.remainingBytes, reader.int8(), reader.remainingBytes]).toEqual([0, 2, 0])
    }
  })
})
