/**
 * The counters of one kind of quota, one for each entity that is limited; those that nothing is left in are forgotten.
 *
 * Limits: as many as there were active clients in the last windows, or `FEW`; nobody is timed, forgetting happens when new ones come.
 */
interface Counter {
  isIdle(nowMs: number): boolean
}

const FEW = 1_000

export class QuotaCounters<C extends Counter> {
  readonly #create: () => C
  readonly #counters = new Map<string, C>()
  #sweepAt = FEW

  constructor(create: () => C) {
    this.#create = create
  }

  get size(): number {
    return this.#counters.size
  }

  of(name: string, nowMs: number): C {
    const known = this.#counters.get(name)
    if (known !== undefined) return known
    if (this.#counters.size >= this.#sweepAt) this.#forgetIdle(nowMs)
    const counter = this.#create()
    this.#counters.set(name, counter)
    return counter
  }

  #forgetIdle(nowMs: number): void {
    for (const [name, counter] of this.#counters) if (counter.isIdle(nowMs)) this.#counters.delete(name)
    this.#sweepAt = Math.max(FEW, 2 * this.#counters.size)
  }
}
