/**
 * The documented DeserializingConsumer: a Consumer whose messages carry objects. The value is decoded before the key. Events
 * and failures leave `poll` as exceptions; the offset of a message that could not be decoded counts as consumed.
 */
import type { ClientHooks } from '../client-hooks.ts'
import type { ClientConfig } from '../config/table.ts'
import { ConsumeError } from '../consumer/consume-errors.ts'
import { Consumer } from '../consumer/consumer.ts'
import type { MessagesOptions } from '../consumer/iteration.ts'
import { NotImplementedError } from '../errors.ts'
import type { Timeout } from '../timeouts.ts'
import type { Message } from '../values/message.ts'
import { Decoder } from './decode.ts'
import type { Deserializer } from './serializer.ts'

export interface DeserializingConfig<K, V>
  extends Omit<ClientConfig, 'key.deserializer' | 'value.deserializer'> {
  readonly 'key.deserializer'?: Deserializer<K> | null | undefined
  readonly 'value.deserializer'?: Deserializer<V> | null | undefined
}

/** A Consumer in everything but what hands out messages. */
const Base = Consumer as unknown as new (
  conf?: ClientConfig,
  extra?: ClientConfig,
  hooks?: ClientHooks,
) => Omit<Consumer, 'poll' | 'consume' | 'messages' | typeof Symbol.asyncIterator>

export class DeserializingConsumer<K = Buffer, V = Buffer> extends Base {
  readonly #decoder: Decoder

  constructor(
    conf?: DeserializingConfig<K, V>,
    extra?: Partial<DeserializingConfig<K, V>>,
    hooks: ClientHooks = {},
  ) {
    const decoder = new Decoder(conf, extra)
    super(conf as ClientConfig | undefined, extra as ClientConfig | undefined, hooks)
    this.#decoder = decoder
  }

  /**
   * As `Consumer.poll`. Rejects with ConsumeError for events (`_PARTITION_EOF` too), with ValueDeserializationError or
   * KeyDeserializationError, which carry the raw message, when a deserializer fails.
   */
  async poll(timeout?: Timeout): Promise<Message<K, V> | null> {
    const message = (await Consumer.prototype.poll.call(this, timeout)) as Message | null
    if (message === null) return null
    const error = message.error()
    if (error !== null) throw new ConsumeError(error, undefined, message)
    const { key, value } = await this.#decoder.decode(message)
    const decoded = message as unknown as Message<K, V>
    decoded.setKey(key as K | null)
    decoded.setValue(value as V | null)
    return decoded
  }

  /** Always rejects with NotImplementedError. */
  async consume(..._arguments: unknown[]): Promise<never> {
    throw new NotImplementedError('DeserializingConsumer has no consume: use poll')
  }

  /** As `Consumer.messages`, with objects; a message that cannot be decoded ends the iteration. */
  messages(options?: MessagesOptions): AsyncGenerator<Message<K, V>, void, undefined> {
    const messages: AsyncGenerator<unknown, void, undefined> = Consumer.prototype.messages.call(this, options)
    return messages as AsyncGenerator<Message<K, V>, void, undefined>
  }

  [Symbol.asyncIterator](): AsyncGenerator<Message<K, V>, void, undefined> {
    return this.messages()
  }
}
