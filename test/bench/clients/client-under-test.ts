/** What every client can be asked for in this comparison, each in the way its own documents recommend for speed. */

export interface Destination {
  readonly bootstrap: string
  readonly topic: string
}

/** Same for all: acks=all, no compression, no idempotence, values as bytes, keys null. */
export interface BenchProducer {
  /** Resolves when it is acknowledged. */
  sendOne(value: Buffer): Promise<unknown>
  /** One call for all of them; resolves when all are acknowledged. */
  sendMany(values: readonly Buffer[]): Promise<unknown>
  /**
   * Message after message through the client's own batching, everything acknowledged at the end. Absent where the client batches
   * nothing by itself.
   */
  readonly stream?: (count: number, valueAt: (index: number) => Buffer) => Promise<void>
  close(): Promise<unknown>
}

/** `each`: one message a step; `fast`: the quickest form the client has. */
export type ConsumeStyle = 'each' | 'fast'

export interface BenchClient {
  /** @param lingerMs where the client knows such a thing */
  producer(to: Destination, lingerMs: number): Promise<BenchProducer>
  /** Reads a topic from its beginning in a group of its own until `take` answers false. */
  consume(from: Destination, style: ConsumeStyle, take: (value: Buffer | null) => boolean): Promise<void>
  /**
   * A group of its own whose handler takes `pauseMs` for each message and so falls behind for ever, until `isOver`.
   * @returns how many messages it handled
   */
  readonly consumeSlowly?: (from: Destination, pauseMs: number, isOver: () => boolean) => Promise<number>
}

/** Bytes that may wait in the local queue of a client that has one: a few requests' worth, as much as the others hold of themselves. */
export const QUEUE_KIB = 4 * 1024
/** What a consumer holds ready at most. Not for librdkafka: it rests for a second when its queue is full, so it keeps its own 64 MiB. */
export const CONSUMER_QUEUE_KIB = 4 * 1024
/** The same of the consumer that is too slow: it is full all the time. */
export const SLOW_QUEUE_KIB = 8 * 1024
export const FETCH_PARTITION_BYTES = 1024 * 1024
export const FETCH_WAIT_MS = 500
/** A loop that only calls `produce` lets the event loop turn after so many. */
export const MESSAGES_PER_TURN = 500
