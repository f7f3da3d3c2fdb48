/** 128 bits as Kafka writes them: URL-safe base64 without padding. Immutable, equal by value. */
import { inspect } from 'node:util'
import { ValueError } from '../errors.ts'

const mask = (1n << 64n) - 1n

export class Uuid {
  static readonly ZERO = new Uuid(0n, 0n)
  readonly #mostSignificantBits: bigint
  readonly #leastSignificantBits: bigint

  /** Both halves as 64-bit numbers, signed or not. */
  constructor(mostSignificantBits: bigint, leastSignificantBits: bigint) {
    this.#mostSignificantBits = int64(mostSignificantBits)
    this.#leastSignificantBits = int64(leastSignificantBits)
  }

  static fromString(text: string): Uuid {
    const bytes = Buffer.from(text, 'base64url')
    if (bytes.length !== 16 || bytes.toString('base64url') !== text)
      throw new ValueError(`not a Uuid: ${text}`)
    return new Uuid(bytes.readBigInt64BE(0), bytes.readBigInt64BE(8))
  }

  getMostSignificantBits(): bigint {
    return this.#mostSignificantBits
  }

  getLeastSignificantBits(): bigint {
    return this.#leastSignificantBits
  }

  toBigInt(): bigint {
    return ((this.#mostSignificantBits & mask) << 64n) | (this.#leastSignificantBits & mask)
  }

  equals(other: unknown): boolean {
    return other instanceof Uuid && other.toBigInt() === this.toBigInt()
  }

  toString(): string {
    const bytes = Buffer.allocUnsafe(16)
    bytes.writeBigInt64BE(this.#mostSignificantBits, 0)
    bytes.writeBigInt64BE(this.#leastSignificantBits, 8)
    return bytes.toString('base64url')
  }

  [inspect.custom](): string {
    return `Uuid(${this})`
  }
}

/** Whole numbers are taken for bigints. */
function int64(bits: unknown): bigint {
  if (typeof bits !== 'bigint' && !Number.isSafeInteger(bits)) throw new TypeError('bits must be a bigint')
  const wide = BigInt(bits as bigint)
  if (BigInt.asIntN(64, wide) !== wide && BigInt.asUintN(64, wide) !== wide)
    throw new ValueError(`${wide} has more than 64 bits`)
  return BigInt.asIntN(64, wide)
}
