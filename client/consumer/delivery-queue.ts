/**
 * What was fetched and waits for the application. Partitions take turns, one fetched chunk each; paused ones are left out.
 * Owned by the consumer. Invariant: a partition is in `#ready` exactly when it has items and is not paused.
 */
import type { Message } from '../values/message.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import { FetchChunk } from './fetch-chunk.ts'

/** A message or event that left the queue, and where it came from. */
export interface Taken {
  readonly message: Message
  readonly source: AssignedPartition | undefined
}

export class DeliveryQueue {
  /** Of fetched records. */
  bufferedBytes = 0
  bufferedMessages = 0
  /** Where the last message of `next` came from; undefined for events of no partition. */
  source: AssignedPartition | undefined
  readonly #ready = new Set<AssignedPartition>()
  readonly #events: Message[] = []
  #current: AssignedPartition | undefined
  readonly #onDrained: (partition: AssignedPartition) => void

  /** @param onDrained a fetched chunk was used up: there may be room to fetch more */
  constructor(onDrained: (partition: AssignedPartition) => void) {
    this.#onDrained = onDrained
  }

  /** An event that belongs to no partition's order. */
  pushEvent(event: Message): void {
    this.#events.push(event)
  }

  push(partition: AssignedPartition, item: FetchChunk | Message): void {
    partition.items.push(item)
    if (item instanceof FetchChunk) {
      partition.queuedMessages += item.messageCount
      partition.queuedBytes += item.sizeBytes
      this.bufferedMessages += item.messageCount
      this.bufferedBytes += item.sizeBytes
    }
    if (!partition.isPaused) this.#ready.add(partition)
  }

  /** The next message or event; undefined when there is none. `source` says where it came from. */
  next(): Message | undefined {
    this.source = undefined
    if (this.#events.length > 0) return this.#events.shift()
    for (;;) {
      const partition = this.#current ?? this.#chooseNext()
      if (partition === undefined) return undefined
      const item = partition.items[0]
      if (item instanceof FetchChunk) {
        const message = item.next()
        if (message !== undefined) {
          this.source = partition
          return message
        }
        this.#shift(partition, item)
      } else {
        this.source = partition
        partition.items.shift()
        // An event, or a message that was taken back, is no turn of its own: batches would shrink to one message each.
        if (partition.items.length === 0) this.#rotate(partition)
        if (item !== undefined) return item
      }
    }
  }

  /** Delivery of the partition stops or goes on; nothing is lost. */
  setPaused(partition: AssignedPartition, isPaused: boolean): void {
    partition.isPaused = isPaused
    if (!isPaused) {
      if (partition.items.length > 0) this.#ready.add(partition)
      return
    }
    this.#ready.delete(partition)
    if (this.#current === partition) this.#current = undefined
  }

  /** Forgets what is buffered for the partition. */
  drop(partition: AssignedPartition): void {
    this.bufferedMessages -= partition.queuedMessages
    this.bufferedBytes -= partition.queuedBytes
    partition.queuedMessages = 0
    partition.queuedBytes = 0
    partition.items.length = 0
    this.#ready.delete(partition)
    if (this.#current === partition) this.#current = undefined
  }

  /** Takes back what `next` gave and nobody saw, in the order it was given. */
  unread(taken: readonly Taken[]): void {
    for (const { message, source } of taken.toReversed()) {
      if (source === undefined) this.#events.unshift(message)
      else if (!source.isRemoved) {
        source.items.unshift(message)
        if (!source.isPaused) this.#ready.add(source)
      }
    }
  }

  #chooseNext(): AssignedPartition | undefined {
    for (const partition of this.#ready) {
      this.#current = partition
      return partition
    }
    return undefined
  }

  #shift(partition: AssignedPartition, chunk: FetchChunk): void {
    partition.items.shift()
    partition.queuedMessages -= chunk.messageCount
    partition.queuedBytes -= chunk.sizeBytes
    this.bufferedMessages -= chunk.messageCount
    this.bufferedBytes -= chunk.sizeBytes
    this.#rotate(partition)
    this.#onDrained(partition)
  }

  #rotate(partition: AssignedPartition): void {
    this.#current = undefined
    this.#ready.delete(partition)
    if (partition.items.length > 0) this.#ready.add(partition)
  }
}
