/** What the deserializing consumers share: bytes of a message to objects, the value before the key. */
import { MessageField } from '../constants.ts'
import { KeyDeserializationError, ValueDeserializationError } from '../consume-errors.ts'
import type { Message } from '../values/message.ts'
import { type DeserializerFunction, SerializationContext } from './serializer.ts'

/** Rejects with ValueDeserializationError or KeyDeserializationError; the message stays as it is. */
export async function decode(
  message: Message,
  key: DeserializerFunction<unknown> | undefined,
  value: DeserializerFunction<unknown> | undefined,
): Promise<{ readonly key: unknown; readonly value: unknown }> {
  const context = (field: MessageField) => new SerializationContext(message.topic(), field, message.headers())
  const decoded = { key: message.key() as unknown, value: message.value() as unknown }
  try {
    if (value !== undefined) decoded.value = await value(message.value(), context(MessageField.VALUE))
  } catch (error) {
    throw new ValueDeserializationError(error, message)
  }
  try {
    if (key !== undefined) decoded.key = await key(message.key(), context(MessageField.KEY))
  } catch (error) {
    throw new KeyDeserializationError(error, message)
  }
  return decoded
}
