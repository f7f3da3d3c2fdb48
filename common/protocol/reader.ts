/**
 * Reads Kafka's primitives from a frame, fragment by fragment. A primitive never straddles two fragments; large `bytes`
 * and `records` are fragments of their own. Nothing is copied: what is returned as a Buffer is a view of the frame.
 *
 * Everything is checked as far as Kafka checks it, and whatever does not fit raises MalformedFrame: truncated input,
 * null where null is not allowed, strings above 32767 bytes, varints of more than five bytes, and counts of elements
 * that the bytes left cannot hold (so a hostile count never allocates). Lengths below -1 mean null, and the announced
 * size of a tagged field that the schema knows is ignored, both as in Kafka.
 */
import { type Frame, frameOf } from './frame.ts'
import { MalformedFrame } from './malformed-frame.ts'
import { EMPTY_BYTES, type UnknownTaggedField, ZERO_UUID } from './schema.ts'

/** Lengths of strings are int16 in the oldest versions; Kafka refuses longer ones everywhere. */
export const MAX_STRING_BYTES = 32767

const TWO_TO_32 = 2 ** 32

const EMPTY_VIEW = new DataView(EMPTY_BYTES.buffer, EMPTY_BYTES.byteOffset, 0)

export class Reader {
  /** The current fragment. */
  bytes: Buffer = EMPTY_BYTES
  view: DataView = EMPTY_VIEW
  position = 0
  private end = 0
  private readonly fragments: readonly Buffer[]
  private nextFragment = 0
  private laterBytes: number

  constructor(source: Frame | Buffer) {
    const frame = Buffer.isBuffer(source) ? frameOf(source) : source
    this.fragments = frame.fragments
    this.laterBytes = frame.sizeBytes
    this.openNextFragment()
  }

  /** Bytes not read yet, in all fragments. */
  get remainingBytes(): number {
    return this.end - this.position + this.laterBytes
  }

  private openNextFragment(): void {
    do {
      const fragment = this.fragments[this.nextFragment]
      if (fragment === undefined) return
      this.nextFragment++
      this.laterBytes -= fragment.length
      this.bytes = fragment
      this.view = new DataView(fragment.buffer, fragment.byteOffset, fragment.length)
      this.position = 0
      this.end = fragment.length
    } while (this.end === 0)
  }

  /** Claims the next bytes and returns where they start in `bytes` and `view`, which may have changed. */
  take(sizeBytes: number): number {
    const start = this.position
    const next = start + sizeBytes
    if (next > this.end) return this.takeFromNextFragment(sizeBytes)
    this.position = next
    return start
  }

  private takeFromNextFragment(sizeBytes: number): number {
    if (this.position === this.end) this.openNextFragment()
    const start = this.position
    if (sizeBytes > this.end - start) {
      throw new MalformedFrame(`${sizeBytes} bytes wanted, ${this.remainingBytes} left`)
    }
    this.position = start + sizeBytes
    return start
  }

  bool(): boolean {
    const position = this.take(1)
    return this.view.getInt8(position) !== 0
  }

  int8(): number {
    const position = this.take(1)
    return this.view.getInt8(position)
  }

  int16(): number {
    const position = this.take(2)
    return this.view.getInt16(position)
  }

  uint16(): number {
    const position = this.take(2)
    return this.view.getUint16(position)
  }

  int32(): number {
    const position = this.take(4)
    return this.view.getInt32(position)
  }

  uint32(): number {
    const position = this.take(4)
    return this.view.getUint32(position)
  }

  /** Exact within ±(2⁵³−1), the nearest double beyond. */
  int64(): number {
    const position = this.take(8)
    return this.view.getInt32(position) * TWO_TO_32 + this.view.getUint32(position + 4)
  }

  exactInt64(): bigint {
    const position = this.take(8)
    return this.view.getBigInt64(position)
  }

  float64(): number {
    const position = this.take(8)
    return this.view.getFloat64(position)
  }

  uuid(): string {
    return this.uuidAt(this.take(16))
  }

  uuidAt(position: number): string {
    const { view } = this
    // Most absent ids are zero, and the check is cheaper than the conversion.
    if (view.getInt32(position) === 0 && view.getInt32(position + 4) === 0) {
      if (view.getInt32(position + 8) === 0 && view.getInt32(position + 12) === 0) return ZERO_UUID
    }
    return this.bytes.toString('base64url', position, position + 16)
  }

  /** Kafka's unsigned varint is an int32: the fifth byte may make it negative. */
  unsignedVarint(): number {
    const position = this.take(1)
    const first = this.bytes[position]!
    return first < 128 ? first : this.longVarint(first & 127)
  }

  private longVarint(low: number): number {
    let value = low
    for (let shift = 7; shift <= 28; shift += 7) {
      const position = this.take(1)
      const byte = this.bytes[position]!
      value |= (byte & 127) << shift
      if (byte < 128) return value
    }
    throw new MalformedFrame('a varint of more than five bytes')
  }

  /** A compact length: the varint is one more, zero is null (negative). */
  compactLength(): number {
    return (this.unsignedVarint() - 1) | 0
  }

  /** UTF-8 of a length already read and known not to be negative. */
  text(sizeBytes: number): string {
    if (sizeBytes > MAX_STRING_BYTES) throw new MalformedFrame(`a string of ${sizeBytes} bytes`)
    if (sizeBytes === 0) return ''
    const start = this.take(sizeBytes)
    return this.bytes.toString('utf8', start, start + sizeBytes)
  }

  /** A view of a length already read and known not to be negative. */
  blob(sizeBytes: number): Buffer {
    if (sizeBytes === 0) return EMPTY_BYTES
    const start = this.take(sizeBytes)
    return this.bytes.subarray(start, start + sizeBytes)
  }

  string(field: string): string {
    return this.text(this.present(this.int16(), field))
  }

  nullableString(): string | null {
    const length = this.int16()
    return length < 0 ? null : this.text(length)
  }

  compactString(field: string): string {
    return this.text(this.present(this.compactLength(), field))
  }

  compactNullableString(): string | null {
    const length = this.compactLength()
    return length < 0 ? null : this.text(length)
  }

  blobOrNull(sizeBytes: number): Buffer | null {
    return sizeBytes < 0 ? null : this.blob(sizeBytes)
  }

  /** The length or count, which must not say null. */
  present(length: number, field: string): number {
    if (length < 0) throw new MalformedFrame(`${field} must not be null`)
    return length
  }

  /** Refuses a count of elements that the bytes left cannot hold. */
  checkCount(count: number, elementBytes: number, field: string): void {
    if (count * elementBytes > this.remainingBytes) {
      throw new MalformedFrame(
        `${field} has ${count} elements, but only ${this.remainingBytes} bytes are left`,
      )
    }
  }

  /** Skips a tagged section whose fields are all unknown, and keeps them. */
  unknownTaggedFields(): UnknownTaggedField[] | undefined {
    const count = this.unsignedVarint()
    let unknown: UnknownTaggedField[] | undefined
    for (let index = 0; index < count; index++) {
      unknown = this.unknownTaggedField(unknown, this.unsignedVarint(), this.unsignedVarint())
    }
    return unknown
  }

  unknownTaggedField(
    found: UnknownTaggedField[] | undefined,
    tag: number,
    sizeBytes: number,
  ): UnknownTaggedField[] {
    if (sizeBytes < 0) throw new MalformedFrame(`tagged field ${tag} has ${sizeBytes} bytes`)
    const unknown = found ?? []
    unknown.push({ tag, data: this.blob(sizeBytes) })
    return unknown
  }
}
