import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileCodec } from '../../common/protocol/compile.ts'
import { interpretCodec } from '../../common/protocol/interpret.ts'
import { MalformedFrame } from '../../common/protocol/malformed-frame.ts'
import { Reader } from '../../common/protocol/reader.ts'
import { apis } from '../../common/protocol/registry.ts'
import type { ApiSchema, MessageSchema } from '../../common/protocol/schema.ts'
import { shapeOf, type WireShape } from '../../common/protocol/shape.ts'
import { Writer } from '../../common/protocol/writer.ts'
import { arbitraryMessage } from './arbitrary-message.ts'
import { goldenCases, goldenFiles } from './golden-cases.ts'
import { recordSchemas } from './record-schemas.ts'

const messages: readonly MessageSchema[] = [
  ...apis.flatMap(({ request, response }: ApiSchema) => [request, response]),
  ...recordSchemas.values(),
]

function versionsOf({ versions: { lowest, highest } }: MessageSchema): number[] {
  return Array.from({ length: highest - lowest + 1 }, (_, index) => lowest + index)
}

describe('the compiled and the interpreted codec', () => {
  const writer = new Writer()

  it.each(messages.map((message) => [message.name, message] as const))(
    'agree on random values of %s in every version',
    (_name, message) => {
      for (const version of versionsOf(message)) {
        const compiled = compileCodec(message, version)
        const interpreted = interpretCodec(message, version)
        const property = fc.property(arbitraryMessage(message, version), (value) => {
          writer.begin(true)
          compiled.encode(writer, value)
          const bytes = writer.finishBuffer()
          writer.begin(true)
          interpreted.encode(writer, value)
          expect(writer.finishBuffer().equals(bytes)).toBe(true)

          const decoded = compiled.decode(new Reader(bytes))
          expect(interpreted.decode(new Reader(bytes))).toStrictEqual(decoded)
          expect(decoded.unknownTaggedFields).toEqual(value.unknownTaggedFields)
          writer.begin(true)
          compiled.encode(writer, decoded)
          expect(writer.finishBuffer().equals(bytes)).toBe(true)
        })
        fc.assert(property, { numRuns: 10, seed: 20_26 + version })
      }
    },
  )

  it('never meet an element that takes no bytes, so a count is bounded by the bytes left', () => {
    const check = (shape: WireShape): void => {
      for (const { field, inner, isPresent } of shape.plain) {
        if (field.element === 'struct' && isPresent) expect(inner?.minimumBytes).toBeGreaterThan(0)
        if (inner !== undefined) check(inner)
      }
    }
    for (const message of messages)
      for (const version of versionsOf(message)) check(shapeOf(message, version))
  })
})

/** A small generator of its own: fuzzing wants speed more than shrinking. */
function xorshift(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % limit
  }
}

function mutate(bytes: Buffer, random: (limit: number) => number): Buffer {
  const mutated = Buffer.from(bytes)
  for (let edits = 1 + random(3); edits > 0 && mutated.length > 0; edits--) {
    const position = random(mutated.length)
    switch (random(4)) {
      case 0:
        mutated[position] = random(256)
        break
      case 1:
        mutated[position] = [0, 1, 127, 128, 255][random(5)] as number
        break
      case 2:
        mutated.fill(0xff, position, Math.min(mutated.length, position + 4))
        break
      default:
        return mutated.subarray(0, position)
    }
  }
  return mutated
}

function countValues(value: unknown): number {
  if (Buffer.isBuffer(value) || typeof value !== 'object' || value === null) return 1
  let count = 1
  for (const inner of Object.values(value)) count += countValues(inner)
  return count
}

describe('damaged frames', () => {
  it('decode to something small or raise MalformedFrame, the same with both codecs', () => {
    const random = xorshift(7)
    let frames = 0
    let refused = 0
    for (const file of goldenFiles()) {
      for (const { message, version, bytes } of goldenCases(file)) {
        const codecs = [compileCodec(message, version), interpretCodec(message, version)]
        for (let round = 0; round < 20; round++) {
          const damaged = mutate(bytes, random)
          const outcomes = codecs.map((codec) => {
            try {
              return codec.decode(new Reader(damaged))
            } catch (error) {
              if (!(error instanceof MalformedFrame)) throw error
              return undefined
            }
          })
          frames++
          if (outcomes[0] === undefined) refused++
          else if (countValues(outcomes[0]) > 200 + 40 * damaged.length) {
            expect.fail(`${message.name} v${version}: ${damaged.toString('hex')}`)
          }
          if (round === 0) expect(outcomes[1]).toStrictEqual(outcomes[0])
          else if ((outcomes[1] === undefined) !== (outcomes[0] === undefined)) {
            expect.fail(`${message.name} v${version}: ${damaged.toString('hex')}`)
          }
        }
      }
    }
    expect(frames).toBeGreaterThan(50_000)
    expect(refused).toBeGreaterThan(frames / 10)
  })

  it('that are cut short never decode to the whole message', () => {
    for (const file of goldenFiles().slice(0, 10)) {
      for (const { message, version, bytes } of goldenCases(file).slice(0, 20)) {
        const codec = compileCodec(message, version)
        for (let length = 0; length < bytes.length; length++) {
          expect(() => codec.decode(new Reader(bytes.subarray(0, length)))).toThrow(MalformedFrame)
        }
      }
    }
  })
})
