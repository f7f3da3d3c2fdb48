/**
 * The documented DeserializingShareConsumer: a ShareConsumer whose records carry objects. A record that cannot be decoded
 * stays in the batch, with its bytes and an error; it is acknowledged like the others.
 */
import type { ClientHooks } from '../client-hooks.ts'
import type { ClientConfig } from '../config/table.ts'
import { ConsumeError } from '../consumer/consume-errors.ts'
import type { Messages } from '../share-consumer/messages.ts'
import { ShareConsumer } from '../share-consumer/share-consumer.ts'
import type { Timeout } from '../timeouts.ts'
import type { Message } from '../values/message.ts'
import { Decoder } from './decode.ts'
import type { DeserializingConfig } from './deserializing-consumer.ts'

/** A ShareConsumer in everything but what hands out records and takes them back. */
const Base = ShareConsumer as unknown as new (
  conf?: ClientConfig,
  extra?: ClientConfig,
  hooks?: ClientHooks,
) => Omit<ShareConsumer, 'poll' | 'acknowledge'>

export class DeserializingShareConsumer<K = Buffer, V = Buffer> extends Base {
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

  /** As `ShareConsumer.poll`. `error()` is `_VALUE_DESERIALIZATION` or `_KEY_DESERIALIZATION` where decoding failed. */
  async poll(timeout?: Timeout): Promise<Messages<Message<K, V>>> {
    const batch: Messages = await ShareConsumer.prototype.poll.call(this, timeout)
    for (const message of batch) if (message.error() === null) await this.#decode(message)
    return batch as unknown as Messages<Message<K, V>>
  }

  /** As `ShareConsumer.acknowledge`. */
  acknowledge(message: Message<K, V>, type?: Parameters<ShareConsumer['acknowledge']>[1]): void {
    ShareConsumer.prototype.acknowledge.call(this, message as unknown as Message, type)
  }

  async #decode(message: Message): Promise<void> {
    try {
      const { key, value } = await this.#decoder.decode(message)
      message.setKey(key as Buffer | null)
      message.setValue(value as Buffer | null)
    } catch (error) {
      if (!(error instanceof ConsumeError)) throw error
      message.setError(error.error)
    }
  }
}
