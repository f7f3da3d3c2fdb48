/**
 * A window of the statistics document: what was seen since the last document. Buckets of an eighth of a power of two, so
 * percentiles are within 9 %. Adding costs a few operations and no memory.
 */
const bucketsPerDoubling = 8
const bucketCount = 32 * bucketsPerDoubling

export class Window {
  readonly #buckets = new Uint32Array(bucketCount)
  #count = 0
  #sum = 0
  #sumOfSquares = 0
  #min = 0
  #max = 0

  add(value: number): void {
    const amount = Math.max(value, 0)
    if (this.#count === 0 || amount < this.#min) this.#min = amount
    if (amount > this.#max) this.#max = amount
    this.#count++
    this.#sum += amount
    this.#sumOfSquares += amount * amount
    const bucket =
      amount < 1 ? 0 : Math.min(bucketCount - 1, Math.floor(Math.log2(amount) * bucketsPerDoubling) + 1)
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1
  }

  /** The figures of the document, rounded; the window starts anew. */
  roll(): Readonly<Record<string, number>> {
    const average = this.#count === 0 ? 0 : this.#sum / this.#count
    const variance = this.#count === 0 ? 0 : this.#sumOfSquares / this.#count - average * average
    const figures = {
      min: Math.round(this.#min),
      max: Math.round(this.#max),
      avg: Math.round(average),
      sum: Math.round(this.#sum),
      cnt: this.#count,
      stddev: Math.round(Math.sqrt(Math.max(0, variance))),
      hdrsize: this.#buckets.byteLength,
      p50: this.#percentile(0.5),
      p75: this.#percentile(0.75),
      p90: this.#percentile(0.9),
      p95: this.#percentile(0.95),
      p99: this.#percentile(0.99),
      p99_99: this.#percentile(0.9999),
      outofrange: 0,
    }
    this.#buckets.fill(0)
    this.#count = 0
    this.#sum = 0
    this.#sumOfSquares = 0
    this.#min = 0
    this.#max = 0
    return figures
  }

  #percentile(share: number): number {
    let left = Math.ceil(share * this.#count)
    if (left === 0) return 0
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      left -= this.#buckets[bucket] ?? 0
      if (left <= 0) return Math.min(Math.round(this.#max), Math.round(2 ** (bucket / bucketsPerDoubling)))
    }
    return Math.round(this.#max)
  }
}
