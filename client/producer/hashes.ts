/** The hash functions of partitioners, and the documented functions that choose a partition with them. */
import { ValueError } from '../errors.ts'

const MURMUR_SEED = 0x9747b28c
const MURMUR_FACTOR = 0x5bd1e995

/** The Java client's 32-bit murmur2, unsigned. */
export function murmur2Hash(key: Uint8Array): number {
  const { length } = key
  let hash = MURMUR_SEED ^ length
  let position = 0
  for (const last = length - 4; position <= last; position += 4) {
    let word =
      key[position]! | (key[position + 1]! << 8) | (key[position + 2]! << 16) | (key[position + 3]! << 24)
    word = Math.imul(word, MURMUR_FACTOR)
    word ^= word >>> 24
    hash = Math.imul(hash, MURMUR_FACTOR) ^ Math.imul(word, MURMUR_FACTOR)
  }
  const rest = length - position
  if (rest > 2) hash ^= key[position + 2]! << 16
  if (rest > 1) hash ^= key[position + 1]! << 8
  if (rest > 0) hash = Math.imul(hash ^ key[position]!, MURMUR_FACTOR)
  hash ^= hash >>> 13
  hash = Math.imul(hash, MURMUR_FACTOR)
  return (hash ^ (hash >>> 15)) >>> 0
}

/** 32-bit FNV-1a, taken as a signed number and made absolute, as sarama does. */
export function fnv1aHash(key: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key[index]!, 0x01000193)
  return Math.abs(hash | 0)
}

const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++)
    remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1
  return remainder
})

/** CRC-32 (IEEE): keys are short, so a table walk is quicker than a call into native code. */
export function crc32Hash(key: Uint8Array): number {
  let crc = -1
  for (let index = 0; index < key.length; index++) crc = crcTable[(crc ^ key[index]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}

/** The partition that the Java client gives a key. Throws TypeError and ValueError for what are no key and no count. */
export function murmur2(key: Uint8Array, partitionCount: number): number {
  checkArguments(key, partitionCount)
  return (murmur2Hash(key) & 0x7fffffff) % partitionCount
}

/** The partition of the partitioner `consistent` (CRC-32); throws as `murmur2`. */
export function consistent(key: Uint8Array, partitionCount: number): number {
  checkArguments(key, partitionCount)
  return crc32Hash(key) % partitionCount
}

/** The partition of the partitioner `fnv1a`, sarama's; throws as `murmur2`. */
export function fnv1a(key: Uint8Array, partitionCount: number): number {
  checkArguments(key, partitionCount)
  return fnv1aHash(key) % partitionCount
}

function checkArguments(key: unknown, partitionCount: unknown): void {
  if (!(key instanceof Uint8Array)) throw new TypeError('key must be bytes')
  if (typeof partitionCount !== 'number') throw new TypeError('partitionCount must be a number')
  if (!Number.isInteger(partitionCount) || partitionCount <= 0)
    throw new ValueError('partitionCount must be above 0')
}
