/** xxHash32, the checksum of LZ4 frames. */

const PRIME_1 = 0x9e3779b1 | 0
const PRIME_2 = 0x85ebca77 | 0
const PRIME_3 = 0xc2b2ae3d | 0
const PRIME_4 = 0x27d4eb2f
const PRIME_5 = 0x165667b1

function round(accumulator: number, lane: number): number {
  const mixed = (accumulator + Math.imul(lane, PRIME_2)) | 0
  return Math.imul((mixed << 13) | (mixed >>> 19), PRIME_1)
}

function readLane(buffer: Buffer, position: number): number {
  return (
    buffer[position]! |
    (buffer[position + 1]! << 8) |
    (buffer[position + 2]! << 16) |
    (buffer[position + 3]! << 24)
  )
}

/** Hash of `buffer[start, end)` with seed 0, unsigned. */
export function xxhash32(buffer: Buffer, start: number, end: number): number {
  let position = start
  let hash = PRIME_5
  if (end - start >= 16) {
    let first = (PRIME_1 + PRIME_2) | 0
    let second = PRIME_2
    let third = 0
    let fourth = -PRIME_1 | 0
    for (const lastStripe = end - 16; position <= lastStripe; position += 16) {
      first = round(first, readLane(buffer, position))
      second = round(second, readLane(buffer, position + 4))
      third = round(third, readLane(buffer, position + 8))
      fourth = round(fourth, readLane(buffer, position + 12))
    }
    hash =
      (((first << 1) | (first >>> 31)) +
        ((second << 7) | (second >>> 25)) +
        ((third << 12) | (third >>> 20)) +
        ((fourth << 18) | (fourth >>> 14))) |
      0
  }
  hash = (hash + (end - start)) | 0
  for (; position + 4 <= end; position += 4) {
    hash = (hash + Math.imul(readLane(buffer, position), PRIME_3)) | 0
    hash = Math.imul((hash << 17) | (hash >>> 15), PRIME_4)
  }
  for (; position < end; position++) {
    hash = (hash + Math.imul(buffer[position]!, PRIME_5)) | 0
    hash = Math.imul((hash << 11) | (hash >>> 21), PRIME_1)
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2)
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3)
  return (hash ^ (hash >>> 16)) >>> 0
}
