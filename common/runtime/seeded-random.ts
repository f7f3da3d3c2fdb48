/**
 * A deterministic `Random`: xoshiro128** (Blackman and Vigna), seeded through splitmix32. Owned by simulations and
 * tests; equal seeds give equal runs. Not for secrets.
 */
import { GeneratedRandom } from './generated-random.ts'
import type { Random } from './random.ts'

export class SeededRandom extends GeneratedRandom {
  // Words of the state in fields: the elements of an array of large numbers are an object each.
  #a: number
  #b: number
  #c: number
  #d: number

  constructor(seed: number | string) {
    super()
    const next = splitmix(hash(String(seed), 0x9e3779b9))
    this.#a = next()
    this.#b = next()
    this.#c = next()
    this.#d = next()
    // All zero is the one state xoshiro never leaves.
    if ((this.#a | this.#b | this.#c | this.#d) === 0) this.#a = 1
  }

  protected override uint32(): number {
    const b = this.#b
    const c = this.#c ^ this.#a
    const d = this.#d ^ b
    this.#b = b ^ c
    this.#a ^= d
    this.#c = c ^ (b << 9)
    this.#d = rotateLeft(d, 11)
    return Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0
  }

  /** Does not advance this generator: forks with different labels are independent of the order they are made in. */
  override fork(label: string): Random {
    const words = [this.#a, this.#b, this.#c, this.#d].map((word) => word >>> 0)
    return new SeededRandom(`${words.join('.')}/${label}`)
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

/** Gives 32 bits a call. */
function splitmix(seed: number): () => number {
  let counter = seed
  return () => {
    counter = (counter + 0x9e3779b9) | 0
    return avalanche(counter)
  }
}
