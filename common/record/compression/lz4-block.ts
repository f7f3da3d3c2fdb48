/**
 * LZ4 block coding: sequences of literals followed by a copy from earlier output.
 *
 *     token (literal length << 4 | match length - 4) │ more literal length │ literals │ offset u16 LE │ more match length
 *
 * A length nibble of 15 continues in bytes of 255 and one below. The last sequence has literals only.
 */

const MIN_MATCH = 4
/** The format wants the last 5 bytes to be literals, and no match to begin in the last 12. */
const LAST_LITERALS = 5
const MATCH_LIMIT = 12
const HASH_BITS = 14
/** After 2^6 fruitless probes the step grows: incompressible bytes are passed over quickly. */
const SKIP_TRIGGER = 6

let hashTable: Int32Array | undefined

/** Most bytes that `compressLz4Block` writes for `inputBytes`. */
export function lz4BlockBound(inputBytes: number): number {
  return inputBytes + Math.floor(inputBytes / 255) + 16
}

function writeLength(output: Buffer, position: number, rest: number): number {
  while (rest >= 255) {
    output[position++] = 255
    rest -= 255
  }
  output[position++] = rest
  return position
}

function writeLiterals(input: Buffer, from: number, to: number, output: Buffer, position: number): number {
  if (to - from > 32) {
    input.copy(output, position, from, to)
    return position + to - from
  }
  while (from < to) output[position++] = input[from++]!
  return position
}

/**
 * Compresses `input[start, end)` (at most 64 KiB, so that every offset fits) into `output` at `position`; answers the
 * position after it. The output has room for `lz4BlockBound` bytes.
 */
export function compressLz4Block(
  input: Buffer,
  start: number,
  end: number,
  output: Buffer,
  position: number,
): number {
  hashTable ??= new Int32Array(1 << HASH_BITS)
  const table = hashTable
  table.fill(-1)
  let anchor = start
  let current = start
  const matchLimit = end - MATCH_LIMIT
  const matchEnd = end - LAST_LITERALS
  let probes = 1 << SKIP_TRIGGER
  while (current < matchLimit) {
    const sequence =
      input[current]! | (input[current + 1]! << 8) | (input[current + 2]! << 16) | (input[current + 3]! << 24)
    const slot = Math.imul(sequence, 0x9e3779b1) >>> (32 - HASH_BITS)
    let candidate = table[slot]!
    table[slot] = current
    if (
      candidate < 0 ||
      current - candidate > 0xffff ||
      (input[candidate]! |
        (input[candidate + 1]! << 8) |
        (input[candidate + 2]! << 16) |
        (input[candidate + 3]! << 24)) !==
        sequence
    ) {
      current += probes++ >> SKIP_TRIGGER
      continue
    }
    probes = 1 << SKIP_TRIGGER
    while (current > anchor && candidate > start && input[current - 1] === input[candidate - 1]) {
      current--
      candidate--
    }
    let matched = current + MIN_MATCH
    let reference = candidate + MIN_MATCH
    while (matched < matchEnd && input[matched] === input[reference]) {
      matched++
      reference++
    }
    const literalLength = current - anchor
    const matchLength = matched - current - MIN_MATCH
    output[position++] = (Math.min(literalLength, 15) << 4) | Math.min(matchLength, 15)
    if (literalLength >= 15) position = writeLength(output, position, literalLength - 15)
    position = writeLiterals(input, anchor, current, output, position)
    const offset = current - candidate
    output[position++] = offset & 0xff
    output[position++] = offset >> 8
    if (matchLength >= 15) position = writeLength(output, position, matchLength - 15)
    current = matched
    anchor = matched
  }
  const literalLength = end - anchor
  output[position++] = Math.min(literalLength, 15) << 4
  if (literalLength >= 15) position = writeLength(output, position, literalLength - 15)
  return writeLiterals(input, anchor, end, output, position)
}

/**
 * Decodes `input[start, end)` into `output` from `position` on, never past `limit` nor reading before `floor` (the
 * first byte matches may refer to). Answers the position after the output, or -1 for bytes that are not a block or
 * do not fit.
 */
export function decompressLz4Block(
  input: Buffer,
  start: number,
  end: number,
  output: Buffer,
  position: number,
  limit: number,
  floor: number,
): number {
  let read = start
  for (;;) {
    if (read >= end) return -1
    const token = input[read++]!
    let literalLength = token >> 4
    if (literalLength === 15) {
      let more = 255
      while (more === 255) {
        if (read >= end) return -1
        more = input[read++]!
        literalLength += more
      }
    }
    if (literalLength > end - read || literalLength > limit - position) return -1
    if (literalLength > 32) {
      input.copy(output, position, read, read + literalLength)
      position += literalLength
      read += literalLength
    } else {
      for (const literalEnd = read + literalLength; read < literalEnd; ) output[position++] = input[read++]!
    }
    if (read === end) return position
    if (end - read < 2) return -1
    const offset = input[read]! | (input[read + 1]! << 8)
    read += 2
    let matchLength = (token & 15) + MIN_MATCH
    if (matchLength === 15 + MIN_MATCH) {
      let more = 255
      while (more === 255) {
        if (read >= end) return -1
        more = input[read++]!
        matchLength += more
      }
    }
    if (offset === 0 || offset > position - floor || matchLength > limit - position) return -1
    let from = position - offset
    if (matchLength > 48 && offset >= matchLength) {
      output.copyWithin(position, from, from + matchLength)
      position += matchLength
    } else if (matchLength > 48 && offset === 1) {
      output.fill(output[from]!, position, position + matchLength)
      position += matchLength
    } else {
      for (const matchEnd = position + matchLength; position < matchEnd; )
        output[position++] = output[from++]!
    }
  }
}
