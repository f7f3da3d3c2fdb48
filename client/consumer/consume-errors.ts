/**
 * Errors of a consumer that carry the message they are about.
 */
import { KafkaError, serializationMark, WrappedFailure } from '../errors.ts'
import type { Message } from '../values/message.ts'

export class ConsumeError extends WrappedFailure {
  override readonly name: string = 'ConsumeError'
  readonly kafkaMessage: Message | null

  constructor(error: KafkaError, exception?: unknown, kafkaMessage: Message | null = null) {
    super(error, exception)
    this.kafkaMessage = kafkaMessage
  }
}

export class KeyDeserializationError extends ConsumeError {
  override readonly name = 'KeyDeserializationError'
  readonly [serializationMark] = true

  constructor(exception: unknown, kafkaMessage: Message | null = null) {
    super(new KafkaError(KafkaError._KEY_DESERIALIZATION, String(exception)), exception, kafkaMessage)
  }
}

export class ValueDeserializationError extends ConsumeError {
  override readonly name = 'ValueDeserializationError'
  readonly [serializationMark] = true

  constructor(exception: unknown, kafkaMessage: Message | null = null) {
    super(new KafkaError(KafkaError._VALUE_DESERIALIZATION, String(exception)), exception, kafkaMessage)
  }
}
