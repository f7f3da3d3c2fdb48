/**
 * The documented DeserializingShareConsumer: a ShareConsumer whose messages carry objects. The value is decoded before the key. A record that
 * cannot be decoded stays in its batch with raw bytes and `error()` set, since others of the batch must be acknowledged all the same.
 */
import type { ClientHooks } from '../client-hooks.ts'
import type { ClientConfig } from '../config/table.ts'
import { MessageField } from '../constants.ts'
import { KafkaError } from '../errors.ts'
import type { Messages } from '../share-consumer/messages.ts'
import { ShareConsumer } from '../share-consumer/share-consumer.ts'
import type { Timeout } from '../timeouts.ts'
import type { Message } from '../values/message.ts'
import type { DeserializingConfig } from './deserializing-consumer.ts'
import { type DeserializerFunction, deserializerFunction, SerializationContext } from './serializer.ts'

/** A ShareConsumer in everything but what hands out messages. */
const Base = ShareConsumer as unknown as new (
  conf?: ClientConfig,
  extra?: ClientConfig,
  hooks?: ClientHooks,
) => Omit<ShareConsumer, 'poll'>

export class DeserializingShareConsumer<K = Buffer, V = Buffer> extends Base {
  readonly #key: DeserializerFunction<unknown> | undefined
  readonly #value: DeserializerFunction<unknown> | undefined

  constructor(
    conf?: DeserializingConfig<K, V>,
    extra?: Partial<DeserializingConfig<K, V>>,
    hooks: ClientHooks = {},
  ) {
    const [key, value] = (['key.deserializer', 'value.deserializer'] as const).map((name) =>
      deserializerFunction(name, extra?.[name] ?? conf?.[name]),
    )
    super(conf as ClientConfig | undefined, extra as ClientConfig | undefined, hooks)
    this.#key = key
    this.#value = value
  }

  /** As `ShareConsumer.poll`; failures to decode are errors of their messages. */
  async poll(timeout?: Timeout): Promise<Messages<Message<K, V>>> {
    const messages = (await ShareConsumer.prototype.poll.call(this, timeout)) as Messages
    for (const message of messages) if (message.error() === null) await this.#decode(message)
    return messages as unknown as Messages<Message<K, V>>
  }

  async #decode(message: Message): Promise<void> {
    const decoded = message as unknown as Message<unknown, unknown>
    let field: MessageField = MessageField.VALUE
    try {
      const context = (): SerializationContext =>
        new SerializationContext(message.topic(), field, message.headers())
      const value =
        this.#value === undefined ? message.value() : await this.#value(message.value(), context())
      field = MessageField.KEY
      const key = this.#key === undefined ? message.key() : await this.#key(message.key(), context())
      decoded.setKey(key)
      decoded.setValue(value)
    } catch (error) {
      const { _KEY_DESERIALIZATION, _VALUE_DESERIALIZATION } = KafkaError
      const code = field === MessageField.KEY ? _KEY_DESERIALIZATION : _VALUE_DESERIALIZATION
      message.setError(new KafkaError(code, String(error)))
    }
  }
}
