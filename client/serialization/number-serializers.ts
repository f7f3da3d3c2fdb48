/** Numbers as the Java serializers of the same names write them: big-endian, of fixed size. null stays null. */
import { SerializationError } from '../errors.ts'

/** 32-bit signed. */
export class IntegerSerializer {
  serialize(value: number | bigint | null): Buffer | null {
    if (value === null || value === undefined) return null
    const number = typeof value === 'bigint' ? Number(value) : value
    if (!Number.isInteger(number) || number !== (number | 0)) {
      throw new SerializationError(`${value} is not a 32-bit signed integer`)
    }
    const bytes = Buffer.allocUnsafe(4)
    bytes.writeInt32BE(number)
    return bytes
  }
}

export class IntegerDeserializer {
  deserialize(bytes: Uint8Array | null): number | null {
    return viewOf(bytes, 4)?.getInt32(0) ?? null
  }
}

/** 64-bit signed; the deserializer answers bigints. */
export class BigIntSerializer {
  serialize(value: number | bigint | null): Buffer | null {
    if (value === null || value === undefined) return null
    const isWhole = typeof value === 'bigint' || Number.isSafeInteger(value)
    if (!isWhole || BigInt.asIntN(64, BigInt(value)) !== BigInt(value)) {
      throw new SerializationError(`${value} is not a 64-bit signed integer`)
    }
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeBigInt64BE(BigInt(value))
    return bytes
  }
}

export class BigIntDeserializer {
  deserialize(bytes: Uint8Array | null): bigint | null {
    return viewOf(bytes, 8)?.getBigInt64(0) ?? null
  }
}

/** IEEE 754 binary64. */
export class DoubleSerializer {
  serialize(value: number | null): Buffer | null {
    if (value === null || value === undefined) return null
    if (typeof value !== 'number') throw new SerializationError(`${typeof value} is not a number`)
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeDoubleBE(value)
    return bytes
  }
}

export class DoubleDeserializer {
  deserialize(bytes: Uint8Array | null): number | null {
    return viewOf(bytes, 8)?.getFloat64(0) ?? null
  }
}

function viewOf(bytes: Uint8Array | null, sizeBytes: number): DataView | undefined {
  if (bytes === null || bytes === undefined) return undefined
  if (bytes.byteLength !== sizeBytes) {
    throw new SerializationError(`${bytes.byteLength} bytes in the place of ${sizeBytes}`)
  }
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
