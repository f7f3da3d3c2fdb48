/** Bytes as they are: for a field that is bytes beside one that is not. */
import { SerializationError } from '../errors.ts'
import { toBytes } from '../values/bytes.ts'

export class BufferSerializer {
  serialize(bytes: Uint8Array | null): Buffer | null {
    if (bytes === null || bytes === undefined) return null
    if (!(bytes instanceof Uint8Array)) throw new SerializationError(`${typeof bytes} is not bytes`)
    return toBytes(bytes, 'bytes')
  }
}

export class BufferDeserializer {
  deserialize(bytes: Buffer | null): Buffer | null {
    return bytes
  }
}
