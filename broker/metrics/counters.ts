/**
 * What one broker counts: plain numbers that the hot path adds to and a scrape reads. Kafka's meters of the same things stand behind the
 * names.
 *
 * Invariants: every number only grows, and starts at zero with the broker. Adding to one costs an addition: no names, labels or clocks
 * are looked up here.
 */

/** Requests of one API. */
export class RequestCounter {
  count = 0
  /** From arrival to the answer being handed to the link, waiting included. */
  totalTimeMs = 0
  /** The longest so far. */
  maxTimeMs = 0
  requestBytes = 0
  responseBytes = 0
}

/** Requests by API. Owner: the broker. */
export class RequestCounters {
  readonly #counters: (RequestCounter | undefined)[] = []

  /** The counter of an API, made on first use. @param apiKey of an API there is: keys are small and dense */
  of(apiKey: number): RequestCounter {
    let counter = this.#counters[apiKey]
    if (counter === undefined) {
      counter = new RequestCounter()
      this.#counters[apiKey] = counter
    }
    return counter
  }

  /** A request was answered, or needed no answer, `elapsedMs` after it had arrived. */
  record(apiKey: number, sizes: { readonly responseBytes: number; readonly elapsedMs: number }): void {
    const counter = this.of(apiKey)
    counter.count += 1
    counter.responseBytes += sizes.responseBytes
    counter.totalTimeMs += sizes.elapsedMs
    if (sizes.elapsedMs > counter.maxTimeMs) counter.maxTimeMs = sizes.elapsedMs
  }

  /** Counters of the APIs that were asked for, by key. */
  *entries(): IterableIterator<readonly [apiKey: number, counter: RequestCounter]> {
    for (const [apiKey, counter] of this.#counters.entries()) {
      if (counter !== undefined) yield [apiKey, counter]
    }
  }
}

/** Records, all topics together. Owner: the replica manager. */
export class TopicCounters {
  /** Produced by clients. */
  messagesIn = 0
  bytesIn = 0
  /** Fetched by clients. */
  bytesOut = 0
  /** Fetched by followers. */
  replicationBytesOut = 0
  /** By partition, as in Kafka. */
  totalProduceRequests = 0
  failedProduceRequests = 0
  totalFetchRequests = 0
  failedFetchRequests = 0
}
