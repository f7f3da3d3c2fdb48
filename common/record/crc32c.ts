/**
 * CRC-32C (Castagnoli), the checksum of record batches. Long inputs use the processor's instruction through
 * `@node-rs/crc32` when that loads; short ones are quicker in JavaScript than a call into native code.
 */
import { createRequire } from 'node:module'

type Crc32c = (input: Uint8Array, initialState?: number) => number

/** Below this many bytes the call into native code costs more than the table walk (measured in test/bench). */
const NATIVE_FROM_BYTES = 256

const POLYNOMIAL = 0x82f63b78

/** So much is summed in JavaScript before the native code is loaded: a start needs less, and has no time for it. */
const NATIVE_AFTER_BYTES = 64 * 1024

let native: Crc32c | null | undefined
let bytesBeforeNative = 0
let tables: readonly Int32Array[] | undefined

function loadNative(): Crc32c | null {
  try {
    const loaded = (createRequire(import.meta.url)('@node-rs/crc32') as { crc32c: Crc32c }).crc32c
    // A build that computes something else would make every batch unreadable elsewhere: trust it only after one check.
    return loaded(Buffer.from('123456789')) === 0xe3069283 ? loaded : null
  } catch {
    return null
  }
}

function buildTables(): readonly Int32Array[] {
  const built = Array.from({ length: 8 }, () => new Int32Array(256))
  const first = built[0]!
  for (let byte = 0; byte < 256; byte++) {
    let remainder = byte
    for (let bit = 0; bit < 8; bit++)
      remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1
    first[byte] = remainder
  }
  for (let slice = 1; slice < 8; slice++) {
    const previous = built[slice - 1]!
    for (let byte = 0; byte < 256; byte++) {
      built[slice]![byte] = (previous[byte]! >>> 8) ^ first[previous[byte]! & 0xff]!
    }
  }
  return built
}

/** The checksum in plain JavaScript, eight bytes a step; same contract as `crc32c`. */
export function crc32cPlain(buffer: Uint8Array, start = 0, end = buffer.length, previous = 0): number {
  tables ??= buildTables()
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as readonly [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ]
  let crc = ~previous
  let position = start
  for (const lastStep = end - 8; position <= lastStep; position += 8) {
    const low =
      crc ^
      (buffer[position]! |
        (buffer[position + 1]! << 8) |
        (buffer[position + 2]! << 16) |
        (buffer[position + 3]! << 24))
    crc =
      t7[low & 0xff]! ^
      t6[(low >>> 8) & 0xff]! ^
      t5[(low >>> 16) & 0xff]! ^
      t4[low >>> 24]! ^
      t3[buffer[position + 4]!]! ^
      t2[buffer[position + 5]!]! ^
      t1[buffer[position + 6]!]! ^
      t0[buffer[position + 7]!]!
  }
  for (; position < end; position++) crc = (crc >>> 8) ^ t0[(crc ^ buffer[position]!) & 0xff]!
  return ~crc >>> 0
}

/**
 * Checksum of `buffer[start, end)` as an unsigned 32-bit number. `previous` is the result for the bytes before these,
 * so several buffers are summed one after the other.
 */
export function crc32c(buffer: Uint8Array, start = 0, end = buffer.length, previous = 0): number {
  if (end - start < NATIVE_FROM_BYTES) return crc32cPlain(buffer, start, end, previous)
  if (native === undefined) {
    bytesBeforeNative += end - start
    if (bytesBeforeNative > NATIVE_AFTER_BYTES) native = loadNative()
  }
  if (native === undefined || native === null) return crc32cPlain(buffer, start, end, previous)
  return native(start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end), previous)
}
