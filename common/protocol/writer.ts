/**
 * Writes Kafka's primitives and hands over frames. Bytes are collected in a slab that consecutive frames share, each
 * owning its own slice; `bytes` and `records` from 16 KiB on are not copied but become fragments of their own.
 *
 * One message at a time: `begin`, writes, then `finish` or `finishBuffer`. A writer whose message threw is usable again
 * after `begin`. Values that do not fit their field raise EncodeError: they are the caller's mistake.
 */
import type { Frame } from './frame.ts'
import { MAX_STRING_BYTES } from './reader.ts'
import { EMPTY_BYTES, type UnknownTaggedField, ZERO_UUID } from './schema.ts'

/** Below this, copying is cheaper than another fragment. */
export const BY_REFERENCE_BYTES = 16 * 1024

const SLAB_BYTES = 64 * 1024
const TWO_TO_32 = 2 ** 32
const TWO_TO_63 = 2 ** 63

/** The longest string that is copied character by character: shorter than a call into native code takes. */
const SHORT_STRING = 24

/** The value cannot be written: wrong type or range, or a field the version lacks. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError'
}

export class Writer {
  bytes: Buffer = EMPTY_BYTES
  view: DataView = new DataView(EMPTY_BYTES.buffer, EMPTY_BYTES.byteOffset, 0)
  /** Where the open fragment starts in the slab, and where the next byte goes. */
  private start = 0
  private position = 0
  private fragments: Buffer[] = []
  private closedBytes = 0
  private openTaggedFields = 0
  private copiesAll = false

  /** Starts a message. `copiesAll` promises one contiguous buffer. */
  begin(copiesAll = false): void {
    this.start = this.position
    this.fragments = []
    this.closedBytes = 0
    this.openTaggedFields = 0
    this.copiesAll = copiesAll
  }

  finish(): Frame {
    this.closeFragment()
    const { fragments } = this
    const sizeBytes = this.closedBytes
    this.begin()
    return { fragments, sizeBytes }
  }

  /** Ends a message that was begun with `copiesAll`. */
  finishBuffer(): Buffer {
    this.closeFragment()
    const buffer = this.fragments[0] ?? EMPTY_BYTES
    this.begin()
    return buffer
  }

  private closeFragment(): void {
    if (this.position === this.start) return
    this.fragments.push(this.bytes.subarray(this.start, this.position))
    this.closedBytes += this.position - this.start
    this.start = this.position
  }

  /** Makes room and returns where it starts in `bytes` and `view`, which may have changed. */
  reserve(sizeBytes: number): number {
    if (this.position + sizeBytes > this.bytes.length) this.openSlab(sizeBytes)
    const { position } = this
    this.position = position + sizeBytes
    return position
  }

  private openSlab(sizeBytes: number): void {
    const usedBytes = this.position - this.start
    const slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, 2 * (usedBytes + sizeBytes)))
    this.bytes.copy(slab, 0, this.start, this.position)
    this.bytes = slab
    this.view = new DataView(slab.buffer, slab.byteOffset, slab.length)
    this.start = 0
    this.position = usedBytes
  }

  /** Takes back the last bytes of what was reserved last. */
  retract(sizeBytes: number): void {
    this.position -= sizeBytes
  }

  bool(value: boolean, field: string): void {
    const position = this.reserve(1)
    this.boolAt(position, value, field)
  }

  boolAt(position: number, value: boolean, field: string): void {
    if (value !== true && value !== false) refuseValue(value, 'a boolean', field)
    this.bytes[position] = value ? 1 : 0
  }

  int8(value: number, field: string): void {
    const position = this.reserve(1)
    this.int8At(position, value, field)
  }

  int8At(position: number, value: number, field: string): void {
    if ((value << 24) >> 24 !== value) refuseValue(value, 'an int8', field)
    this.view.setInt8(position, value)
  }

  int16(value: number, field: string): void {
    const position = this.reserve(2)
    this.int16At(position, value, field)
  }

  int16At(position: number, value: number, field: string): void {
    if ((value << 16) >> 16 !== value) refuseValue(value, 'an int16', field)
    this.view.setInt16(position, value)
  }

  uint16(value: number, field: string): void {
    const position = this.reserve(2)
    this.uint16At(position, value, field)
  }

  uint16At(position: number, value: number, field: string): void {
    if ((value & 65535) !== value) refuseValue(value, 'a uint16', field)
    this.view.setUint16(position, value)
  }

  int32(value: number, field: string): void {
    const position = this.reserve(4)
    this.int32At(position, value, field)
  }

  int32At(position: number, value: number, field: string): void {
    if ((value | 0) !== value) refuseValue(value, 'an int32', field)
    this.view.setInt32(position, value)
  }

  uint32(value: number, field: string): void {
    const position = this.reserve(4)
    this.uint32At(position, value, field)
  }

  uint32At(position: number, value: number, field: string): void {
    if (value >>> 0 !== value) refuseValue(value, 'a uint32', field)
    this.view.setUint32(position, value)
  }

  int64(value: number, field: string): void {
    const position = this.reserve(8)
    this.int64At(position, value, field)
  }

  /** Clamped to the range of an int64, so what was read as 2⁶³ is written as Kafka's greatest long again. */
  int64At(position: number, value: number, field: string): void {
    const high = Math.floor(value / TWO_TO_32)
    if (high >= -(2 ** 31) && high < 2 ** 31) {
      const low = value - high * TWO_TO_32
      if (low !== low >>> 0) refuseValue(value, 'an int64', field)
      this.view.setInt32(position, high)
      this.view.setUint32(position + 4, low)
    } else if (value >= TWO_TO_63) {
      this.view.setInt32(position, 0x7fffffff)
      this.view.setInt32(position + 4, -1)
    } else if (value < -TWO_TO_63) {
      this.view.setInt32(position, -0x80000000)
      this.view.setInt32(position + 4, 0)
    } else refuseValue(value, 'an int64', field)
  }

  exactInt64(value: bigint, field: string): void {
    const position = this.reserve(8)
    this.exactInt64At(position, value, field)
  }

  exactInt64At(position: number, value: bigint, field: string): void {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) {
      refuseValue(value, 'an int64 as bigint', field)
    }
    this.view.setBigInt64(position, value)
  }

  float64(value: number, field: string): void {
    const position = this.reserve(8)
    this.float64At(position, value, field)
  }

  float64At(position: number, value: number, field: string): void {
    if (typeof value !== 'number') refuseValue(value, 'a number', field)
    this.view.setFloat64(position, value)
  }

  uuid(value: string, field: string): void {
    const position = this.reserve(16)
    this.uuidAt(position, value, field)
  }

  uuidAt(position: number, value: string, field: string): void {
    if (value === ZERO_UUID) {
      this.bytes.fill(0, position, position + 16)
      return
    }
    if (typeof value !== 'string' || value.length !== 22) refuseValue(value, 'a uuid', field)
    if (this.bytes.write(value, position, 16, 'base64url') !== 16) refuseValue(value, 'a uuid', field)
  }

  unsignedVarint(value: number): void {
    let rest = value >>> 0
    while (rest > 127) {
      const position = this.reserve(1)
      this.bytes[position] = (rest & 127) | 128
      rest >>>= 7
    }
    const position = this.reserve(1)
    this.bytes[position] = rest
  }

  string(value: string, field: string): void {
    if (typeof value !== 'string') refuseValue(value, 'a string', field)
    const { length } = value
    if (length <= SHORT_STRING) {
      const start = this.reserve(length + 2)
      if (this.shortAscii(value, start + 2)) {
        this.view.setInt16(start, length)
        return
      }
      this.position = start
    }
    const sizeBytes = checkedStringBytes(value, field)
    const start = this.reserve(sizeBytes + 2)
    this.view.setInt16(start, sizeBytes)
    this.bytes.write(value, start + 2, sizeBytes, 'utf8')
  }

  nullableString(value: string | null, field: string): void {
    if (value === null) this.int16(-1, field)
    else this.string(value, field)
  }

  compactString(value: string, field: string): void {
    if (typeof value !== 'string') refuseValue(value, 'a string', field)
    const { length } = value
    if (length <= SHORT_STRING) {
      const start = this.reserve(length + 1)
      if (this.shortAscii(value, start + 1)) {
        this.bytes[start] = length + 1
        return
      }
      this.position = start
    }
    const sizeBytes = checkedStringBytes(value, field)
    this.unsignedVarint(sizeBytes + 1)
    const start = this.reserve(sizeBytes)
    this.bytes.write(value, start, sizeBytes, 'utf8')
  }

  compactNullableString(value: string | null, field: string): void {
    if (value === null) this.unsignedVarint(0)
    else this.compactString(value, field)
  }

  /** false at the first character that is more than one byte. */
  private shortAscii(value: string, start: number): boolean {
    const { bytes } = this
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index)
      if (code > 127) return false
      bytes[start + index] = code
    }
    return true
  }

  /** `bytes` or `records` with an int32 length. */
  blob(value: Buffer, field: string): void {
    if (!Buffer.isBuffer(value)) refuseValue(value, 'a Buffer', field)
    this.int32(value.length, field)
    this.append(value)
  }

  nullableBlob(value: Buffer | null, field: string): void {
    if (value === null) this.int32(-1, field)
    else this.blob(value, field)
  }

  compactBlob(value: Buffer, field: string): void {
    if (!Buffer.isBuffer(value)) refuseValue(value, 'a Buffer', field)
    this.unsignedVarint(value.length + 1)
    this.append(value)
  }

  compactNullableBlob(value: Buffer | null, field: string): void {
    if (value === null) this.unsignedVarint(0)
    else this.compactBlob(value, field)
  }

  /** The bytes as they are; from 16 KiB on by reference. */
  append(value: Buffer): void {
    if (value.length >= BY_REFERENCE_BYTES && this.openTaggedFields === 0 && !this.copiesAll) {
      this.closeFragment()
      this.fragments.push(value)
      this.closedBytes += value.length
      return
    }
    const start = this.reserve(value.length)
    value.copy(this.bytes, start)
  }

  /** Opens a tagged field whose size is not known yet. */
  beginTaggedField(tag: number): number {
    this.unsignedVarint(tag)
    this.openTaggedFields++
    const position = this.reserve(1)
    return position + 1 - this.start
  }

  /** Writes the size before what was written since `beginTaggedField` gave `mark`. */
  endTaggedField(mark: number): void {
    this.openTaggedFields--
    const sizeBytes = this.position - this.start - mark
    let extraBytes = 0
    for (let rest = sizeBytes >>> 7; rest > 0; rest >>>= 7) extraBytes++
    if (extraBytes > 0) this.reserve(extraBytes)
    const from = this.start + mark
    if (extraBytes > 0) this.bytes.copyWithin(from + extraBytes, from, from + sizeBytes)
    const end = this.position
    this.position = from - 1
    this.unsignedVarint(sizeBytes)
    this.position = end
  }

  /** A tagged field that the schema does not know, as it was read. */
  unknownTaggedField(field: UnknownTaggedField): void {
    this.unsignedVarint(field.tag)
    this.unsignedVarint(field.data.length)
    const start = this.reserve(field.data.length)
    field.data.copy(this.bytes, start)
  }
}

function checkedStringBytes(value: string, field: string): number {
  const sizeBytes = Buffer.byteLength(value)
  if (sizeBytes > MAX_STRING_BYTES) throw new EncodeError(`${field} is too long: ${sizeBytes} bytes`)
  return sizeBytes
}

export function refuseValue(value: unknown, wanted: string, field: string): never {
  throw new EncodeError(`${field} is ${String(value)}, not ${wanted}`)
}

/** The fields that may not be dropped: Kafka's UnsupportedVersionException. */
export function refuseUnsupportedField(field: string, version: number): never {
  throw new EncodeError(`${field} cannot be written in version ${version}`)
}

export function refuseNull(field: string): never {
  throw new EncodeError(`${field} must not be null`)
}

/** In the order of their tags, as they must be written; undefined when there are none. */
export function sortedTaggedFields(
  fields: readonly UnknownTaggedField[] | undefined,
): readonly UnknownTaggedField[] | undefined {
  if (fields === undefined || fields.length === 0) return undefined
  return fields.length === 1 ? fields : [...fields].sort((left, right) => left.tag - right.tag)
}

/** Writes the fields from `next` on whose tags are below `limit`; returns the index of the first one left. */
export function writeUnknownTaggedFields(
  writer: Writer,
  fields: readonly UnknownTaggedField[] | undefined,
  next: number,
  limit: number,
): number {
  let index = next
  for (; fields !== undefined && index < fields.length; index++) {
    const field = fields[index]!
    if (field.tag >= limit) break
    writer.unknownTaggedField(field)
  }
  return index
}
