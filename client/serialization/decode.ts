/** What the deserializing consumers share: bytes of a message to objects, the value before the key. */

import { MessageField } from '../constants.ts'
import { KeyDeserializationError, ValueDeserializationError } from '../consumer/consume-errors.ts'
import type { Message } from '../values/message.ts'
import { type DeserializerFunction, deserializerFunction, SerializationContext } from './serializer.ts'

interface Deserializers {
  readonly 'key.deserializer'?: unknown
  readonly 'value.deserializer'?: unknown
}

export class Decoder {
  readonly #key: DeserializerFunction<unknown> | undefined
  readonly #value: DeserializerFunction<unknown> | undefined

  /** Settings of `extra` count before those of `conf`. Throws TypeError for what does not deserialize. */
  constructor(conf: Deserializers | undefined, extra: Deserializers | undefined) {
    const given = (name: keyof Deserializers): DeserializerFunction<unknown> | undefined =>
      deserializerFunction(name, extra?.[name] ?? conf?.[name])
    this.#key = given('key.deserializer')
    this.#value = given('value.deserializer')
  }

  /** Rejects with ValueDeserializationError or KeyDeserializationError; the message stays as it is. */
  async decode(message: Message): Promise<{ readonly key: unknown; readonly value: unknown }> {
    const context = (field: MessageField) =>
      new SerializationContext(message.topic(), field, message.headers())
    const [ofKey, ofValue] = [this.#key, this.#value]
    const decoded = { key: message.key() as unknown, value: message.value() as unknown }
    try {
      if (ofValue !== undefined) decoded.value = await ofValue(message.value(), context(MessageField.VALUE))
    } catch (error) {
      throw new ValueDeserializationError(error, message)
    }
    try {
      if (ofKey !== undefined) decoded.key = await ofKey(message.key(), context(MessageField.KEY))
    } catch (error) {
      throw new KeyDeserializationError(error, message)
    }
    return decoded
  }
}
