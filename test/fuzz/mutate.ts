/** Frames that no client would send, made from frames that one would, by a seeded generator. */
import { apis } from '../../common/protocol/registry.ts'

/** mulberry32: small, fast, and the same everywhere. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

type Random = () => number

const below = (random: Random, limit: number): number => Math.floor(random() * limit)

const EXTREMES = [0, -1, 1, 0x7fffffff, -0x80000000, 0x7fff, -0x8000, 100_000_000]
const HEADER_BYTES = 8

/** Each takes a frame (header and body, without length) and answers another, or the same changed in place. */
const mutations: readonly ((frame: Buffer, random: Random, seeds: readonly Buffer[]) => Buffer)[] = [
  // A few bits.
  (frame, random) => {
    for (let flips = 1 + below(random, 4); flips > 0 && frame.length > 0; flips--) {
      const at = below(random, frame.length)
      frame[at] = (frame[at] ?? 0) ^ (1 << below(random, 8))
    }
    return frame
  },
  // Only behind the header, so that the API stays what it is.
  (frame, random) => {
    if (frame.length <= HEADER_BYTES) return frame
    frame[HEADER_BYTES + below(random, frame.length - HEADER_BYTES)] = below(random, 256)
    return frame
  },
  // Cut off.
  (frame, random) => frame.subarray(0, below(random, frame.length + 1)),
  // A number that is a lie: lengths, counts, epochs and the like.
  (frame, random) => {
    if (frame.length < HEADER_BYTES + 4) return frame
    const at = HEADER_BYTES + below(random, frame.length - HEADER_BYTES - 3)
    frame.writeInt32BE(EXTREMES[below(random, EXTREMES.length)] ?? 0, at)
    return frame
  },
  // A varint that never ends, or is huge.
  (frame, random) => {
    const at = Math.min(frame.length, HEADER_BYTES + below(random, 40))
    return Buffer.concat([
      frame.subarray(0, at),
      Buffer.alloc(1 + below(random, 9), 0xff),
      frame.subarray(at),
    ])
  },
  // The header of one on the body of another.
  (frame, random, seeds) => {
    const other = seeds[below(random, seeds.length)] ?? frame
    return Buffer.concat([frame.subarray(0, 10), other.subarray(10)])
  },
  // Another API, another version.
  (frame, random) => {
    if (frame.length < 4) return frame
    const api = apis[below(random, apis.length)]
    frame.writeInt16BE(random() < 0.2 ? below(random, 65_536) - 32_768 : (api?.key ?? 0), 0)
    frame.writeInt16BE(random() < 0.3 ? below(random, 65_536) - 32_768 : below(random, 14), 2)
    return frame
  },
  // A part twice.
  (frame, random) => {
    const from = below(random, frame.length + 1)
    const to = from + below(random, Math.min(200, frame.length - from + 1))
    return Buffer.concat([frame.subarray(0, to), frame.subarray(from, to), frame.subarray(to)])
  },
  // A part away.
  (frame, random) => {
    const from = below(random, frame.length + 1)
    const to = from + below(random, Math.min(40, frame.length - from + 1))
    return Buffer.concat([frame.subarray(0, from), frame.subarray(to)])
  },
  // Nothing: valid frames in an odd order.
  ...Array.from({ length: 9 }, () => (frame: Buffer) => frame),
]

export function mutated(seeds: readonly Buffer[], random: Random): Buffer {
  const seed = seeds[below(random, seeds.length)] ?? Buffer.alloc(0)
  const mutate = mutations[below(random, mutations.length)]
  const frame = Buffer.from(seed)
  return mutate === undefined ? frame : mutate(frame, random, seeds)
}
