/** JSON as UTF-8. null is a tombstone, not the word. */
import { SerializationError } from '../errors.ts'
import { StringDeserializer } from './string-serializer.ts'

export class JsonSerializer<T = unknown> {
  serialize(object: T | null): Buffer | null {
    if (object === null || object === undefined) return null
    let text: string | undefined
    try {
      text = JSON.stringify(object)
    } catch (error) {
      throw new SerializationError(`the object cannot be JSON: ${String(error)}`, { cause: error })
    }
    if (text === undefined) throw new SerializationError(`${typeof object} cannot be JSON`)
    return Buffer.from(text)
  }
}

/** The type is what the application says it is; nothing is checked beyond the syntax. */
export class JsonDeserializer<T = unknown> {
  readonly #strings = new StringDeserializer()

  deserialize(bytes: Uint8Array | null): T | null {
    const text = this.#strings.deserialize(bytes)
    if (text === null) return null
    try {
      return JSON.parse(text) as T
    } catch (error) {
      throw new SerializationError(`the bytes are not JSON: ${String(error)}`, { cause: error })
    }
  }
}
