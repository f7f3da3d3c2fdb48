/**
 * Variable-length integers of record batches: 7 bits a byte, least significant first. Signed ones are zig-zag encoded
 * (0, -1, 1, -2, …), as in Protocol Buffers. int64 values are numbers and saturate at ±(2^53 - 1).
 */

/** Longest encoding in bytes. */
export const MAX_VARLONG_BYTES = 10

/**
 * Reads primitives from `[position, end)` of a buffer. A read past the end or an overlong integer sets `malformed`,
 * moves to the end and yields 0, so callers check once after several reads.
 */
export class VarintCursor {
  buffer: Buffer
  position: number
  end: number
  malformed = false

  constructor(buffer: Buffer, position = 0, end = buffer.length) {
    this.buffer = buffer
    this.position = position
    this.end = Math.min(end, buffer.length)
  }

  get remaining(): number {
    return this.end - this.position
  }

  readInt8(): number {
    if (this.position >= this.end) return this.fail()
    return (this.buffer[this.position++]! << 24) >> 24
  }

  readUnsignedVarint(): number {
    const { buffer, end } = this
    let position = this.position
    let value = 0
    for (let shift = 0; shift <= 28; shift += 7) {
      if (position >= end) return this.fail()
      const byte = buffer[position++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = position
        return value >>> 0
      }
    }
    return this.fail()
  }

  readVarint(): number {
    const value = this.readUnsignedVarint()
    return (value >>> 1) ^ -(value & 1)
  }

  readVarlong(): number {
    const { buffer, end } = this
    let position = this.position
    if (position >= end) return this.fail()
    let byte = buffer[position++]!
    const isNegative = (byte & 1) === 1
    let magnitude = (byte & 0x7f) >> 1
    for (let weight = 64, size = 1; byte >= 0x80; weight *= 128, size++) {
      if (position >= end || size === MAX_VARLONG_BYTES) return this.fail()
      byte = buffer[position++]!
      magnitude += (byte & 0x7f) * weight
    }
    this.position = position
    // The tenth byte carries one bit: what lies beyond 64 bits is out of range for everybody and saturates with the rest.
    if (magnitude >= Number.MAX_SAFE_INTEGER)
      return isNegative ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER
    return isNegative ? -magnitude - 1 : magnitude
  }

  /** Passes over `sizeBytes` bytes; a negative size is malformed. */
  skip(sizeBytes: number): void {
    if (sizeBytes < 0 || sizeBytes > this.end - this.position) this.fail()
    else this.position += sizeBytes
  }

  /** A view of the next `sizeBytes` bytes (borrowed, not copied); -1 is null, any other negative size is malformed. */
  readBytes(sizeBytes: number): Buffer | null {
    const start = this.position
    if (sizeBytes === -1) return null
    this.skip(sizeBytes)
    return this.malformed ? null : this.buffer.subarray(start, start + sizeBytes)
  }

  private fail(): 0 {
    this.malformed = true
    this.position = this.end
    return 0
  }
}

export function unsignedVarintSizeBytes(value: number): number {
  const bits = 32 - Math.clz32(value)
  return bits <= 7 ? 1 : Math.ceil(bits / 7)
}

export function varintSizeBytes(value: number): number {
  return unsignedVarintSizeBytes((value << 1) ^ (value >> 31))
}

export function varlongSizeBytes(value: number): number {
  if (value === (value | 0)) return varintSizeBytes(value)
  let rest = Math.floor((value < 0 ? -value - 1 : value) / 64)
  let size = 1
  while (rest > 0) {
    rest = Math.floor(rest / 128)
    size++
  }
  return size
}

/** Writers return the position after what they wrote; the caller has made sure of the room. */
export function writeUnsignedVarint(buffer: Buffer, position: number, value: number): number {
  let rest = value >>> 0
  while (rest > 0x7f) {
    buffer[position++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buffer[position++] = rest
  return position
}

export function writeVarint(buffer: Buffer, position: number, value: number): number {
  return writeUnsignedVarint(buffer, position, (value << 1) ^ (value >> 31))
}

export function writeVarlong(buffer: Buffer, position: number, value: number): number {
  if (value === (value | 0)) return writeVarint(buffer, position, value)
  const magnitude = value < 0 ? -value - 1 : value
  const first = (magnitude % 64) * 2 + (value < 0 ? 1 : 0)
  let rest = Math.floor(magnitude / 64)
  buffer[position++] = rest > 0 ? first | 0x80 : first
  while (rest > 0) {
    const low = rest % 128
    rest = Math.floor(rest / 128)
    buffer[position++] = rest > 0 ? low | 0x80 : low
  }
  return position
}
