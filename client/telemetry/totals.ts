/** What was measured since the last look, for pushed metrics; apart from the windows of the statistics, which have looks of their own. */
export class Totals {
  #count = 0
  #sum = 0
  #max = 0

  add(value: number): void {
    this.#count++
    this.#sum += value
    if (value > this.#max) this.#max = value
  }

  /** undefined when nothing was measured; begins anew. */
  take(): { readonly average: number; readonly max: number } | undefined {
    if (this.#count === 0) return undefined
    const taken = { average: this.#sum / this.#count, max: this.#max }
    this.#count = 0
    this.#sum = 0
    this.#max = 0
    return taken
  }
}
