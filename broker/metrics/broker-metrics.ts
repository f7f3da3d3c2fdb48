/**
 * What one broker counts: plain numbers that the hot path adds to and a scrape reads.
 *
 * Owner: the broker; reset by nothing but a restart, as Kafka's meters. Invariant: every number only grows. Adding to one costs an
 * addition: no names, labels or clocks are looked up here.
 */

/** Requests of one API. */
export class RequestCounter {
  count = 0
  /** Answered by `refuse`: the whole request was turned down. */
  refusedCount = 0
  /** From arrival to the answer being handed to the link, waiting included. */
  totalTimeMs = 0
  /** The longest so far. */
  maxTimeMs = 0
  requestBytes = 0
  responseBytes = 0
}

/** Records of clients, all topics together. Replication counts in its own two numbers, as in Kafka. */
export class TopicCounters {
  messagesIn = 0
  /** Bytes of record batches as they were produced. */
  bytesIn = 0
  bytesOut = 0
  replicationBytesIn = 0
  replicationBytesOut = 0
  totalProduceRequests = 0
  failedProduceRequests = 0
  totalFetchRequests = 0
  failedFetchRequests = 0
}

/** API keys are small and dense; anything else is a frame that was refused before it had a key. */
const MAX_API_KEY = 127

export class BrokerMetrics {
  readonly topics = new TopicCounters()
  connectionsAccepted = 0
  connectionsClosed = 0
  isrShrinks = 0
  isrExpands = 0
  readonly #requests: (RequestCounter | undefined)[] = []

  /** The counter of an API, made on first use. */
  request(apiKey: number): RequestCounter {
    if (apiKey < 0 || apiKey > MAX_API_KEY) throw new RangeError(`no API has the key ${apiKey}`)
    let counter = this.#requests[apiKey]
    if (counter === undefined) {
      counter = new RequestCounter()
      this.#requests[apiKey] = counter
    }
    return counter
  }

  /** Counters of the APIs that were asked for, by key. */
  *requests(): IterableIterator<readonly [apiKey: number, counter: RequestCounter]> {
    for (const [apiKey, counter] of this.#requests.entries()) {
      if (counter !== undefined) yield [apiKey, counter]
    }
  }

  /** A request was answered `elapsedMs` after it had arrived. */
  recordAnswer(apiKey: number, elapsedMs: number): void {
    const counter = this.request(apiKey)
    counter.count += 1
    counter.totalTimeMs += elapsedMs
    if (elapsedMs > counter.maxTimeMs) counter.maxTimeMs = elapsedMs
  }
}
