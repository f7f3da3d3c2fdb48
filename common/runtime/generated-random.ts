/**
 * Everything of `Random` that follows from a source of 32 random bits. Subclasses supply the source.
 */
import type { Random } from './random.ts'

export abstract class GeneratedRandom implements Random {
  /** A whole number in [0, 2^32). */
  protected abstract uint32(): number
  abstract fork(label: string): Random

  int(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32) {
      throw new Error(`bound must be a whole number in [1, 2^32], not ${bound}`)
    }
    // Values past the last whole multiple of the bound would favour small results.
    const limit = 2 ** 32 - (2 ** 32 % bound)
    let value = this.uint32()
    while (value >= limit) value = this.uint32()
    return value % bound
  }

  float(): number {
    return (this.uint32() * 2 ** 21 + (this.uint32() >>> 11)) / 2 ** 53
  }

  bytes(sizeBytes: number): Buffer {
    const result = Buffer.alloc(sizeBytes)
    for (let index = 0; index < sizeBytes; index += 4) {
      const word = this.uint32()
      for (let part = 0; part < 4 && index + part < sizeBytes; part++) {
        result[index + part] = word >>> (8 * part)
      }
    }
    return result
  }

  uuid(): string {
    for (;;) {
      const bytes = this.bytes(16)
      bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
      const text = bytes.toString('base64url')
      // Kafka refuses a leading dash because command lines take it for an option.
      if (!text.startsWith('-')) return text
    }
  }

  shuffle<T>(items: readonly T[]): T[] {
    const result = items.slice()
    for (let last = result.length - 1; last > 0; last--) {
      const other = this.int(last + 1)
      const swapped = result[last] as T
      result[last] = result[other] as T
      result[other] = swapped
    }
    return result
  }
}
