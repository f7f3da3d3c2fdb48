import { Message } from '../values/message.ts'

/** A message of a stream: commits itself, and with it all before it in its partition. */
export class StreamMessage<K = Buffer, V = Buffer> extends Message<K, V> {
  readonly #commit: () => Promise<void>

  constructor(message: Message<K, V>, commit: () => Promise<void>) {
    super({
      topic: message.topic(),
      partition: message.partition(),
      offset: message.offset(),
      key: message.key() as Buffer | null,
      value: message.value() as Buffer | null,
      headers: message.headers(),
      timestamp: message.timestamp(),
      leaderEpoch: message.leaderEpoch(),
      deliveryCount: message.deliveryCount(),
    })
    this.#commit = commit
  }

  /** Rejects with `_ASSIGNMENT_LOST` when the partition belongs to another member by now. */
  commit(): Promise<void> {
    return this.#commit()
  }
}
