/**
 * A deterministic `Random`: xoshiro128** (Blackman and Vigna), seeded through splitmix32. Owned by simulations and
 * tests; equal seeds give equal runs. Not for secrets.
 */
import { GeneratedRandom } from './generated-random.ts'
import type { Random } from './random.ts'

type State = [number, number, number, number]

export class SeededRandom extends GeneratedRandom {
  readonly #state: State

  constructor(seed: number | string) {
    super()
    this.#state = stateFrom(hash(String(seed), 0x9e3779b9))
  }

  protected override uint32(): number {
    const state = this.#state
    const result = Math.imul(rotateLeft(Math.imul(state[1], 5), 7), 9) >>> 0
    const shifted = state[1] << 9
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= shifted
    state[3] = rotateLeft(state[3], 11)
    return result
  }

  /** Does not advance this generator: forks with different labels are independent of the order they are made in. */
  override fork(label: string): Random {
    const [a, b, c, d] = this.#state
    return new SeededRandom(`${a >>> 0}.${b >>> 0}.${c >>> 0}.${d >>> 0}/${label}`)
  }
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

/** 32-bit FNV-1a over UTF-16 code units, finished by an avalanche so that near seeds give far states. */
function hash(text: string, start: number): number {
  let value = start ^ 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  }
  return avalanche(value)
}

function avalanche(input: number): number {
  let value = input
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

function stateFrom(seed: number): State {
  let counter = seed
  const next = (): number => {
    counter = (counter + 0x9e3779b9) | 0
    return avalanche(counter)
  }
  const state: State = [next(), next(), next(), next()]
  // All zero is the one state xoshiro never leaves.
  return state.every((word) => word === 0) ? [1, 2, 3, 4] : state
}
