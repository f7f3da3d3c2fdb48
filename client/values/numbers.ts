/** 64-bit numbers at the edge of the API: `number | bigint` in, `number` out, never rounded. */
import { ValueError } from '../errors.ts'

/** TypeError for what is no number; ValueError for fractions and for what lies beyond 2^53-1. */
export function wholeNumber(value: unknown, name: string): number {
  if (typeof value === 'bigint') {
    const number = Number(value)
    if (!Number.isSafeInteger(number)) throw new ValueError(`${name} ${value} is beyond 2^53-1`)
    return number
  }
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`)
  if (Number.isSafeInteger(value)) return value
  if (Number.isInteger(value)) throw new ValueError(`${name} ${value} is beyond 2^53-1`)
  throw new ValueError(`${name} must be a whole number, not ${value}`)
}
