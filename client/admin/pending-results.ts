/** The results of one call while they are being found: settles the promises of its `ResultMap`, each at most once. */
import { KafkaError, KafkaException } from '../errors.ts'
import { keyText, type MapKey, ResultMap } from './keyed-map.ts'

interface Pending<K, T> {
  readonly key: K
  readonly resolve: (value: T) => void
  readonly reject: (reason: unknown) => void
}

export class PendingResults<K extends MapKey, T> {
  readonly map = new ResultMap<K, T>()
  readonly #open = new Map<string, Pending<K, T>>()

  constructor(keys: Iterable<K>) {
    for (const key of keys) {
      const text = keyText(key)
      if (this.#open.has(text)) continue
      const promise = new Promise<T>((resolve, reject) => this.#open.set(text, { key, resolve, reject }))
      promise.catch(() => {})
      this.map.set(key, promise)
    }
  }

  /** The keys without a result, as the caller gave them. */
  get openKeys(): K[] {
    return [...this.#open.values()].map(({ key }) => key)
  }

  /** Keys that were not asked for, or are settled, are ignored. */
  resolve(key: MapKey, value: T): void {
    this.#take(key)?.resolve(value)
  }

  reject(key: MapKey, reason: unknown): void {
    this.#take(key)?.reject(reason)
  }

  /** A broker's code and text; 0 resolves with `value`. */
  settle(key: MapKey, errorCode: number, errorMessage: string | null | undefined, value: T): void {
    if (errorCode === 0) this.resolve(key, value)
    else this.reject(key, new KafkaException(new KafkaError(errorCode, errorMessage || undefined)))
  }

  /** Finds every open result by itself, all at the same time. */
  async each(find: (key: K) => Promise<T>): Promise<void> {
    await Promise.all(
      this.openKeys.map(async (key) => {
        try {
          this.resolve(key, await find(key))
        } catch (error) {
          this.reject(key, error)
        }
      }),
    )
  }

  rejectOpen(reason: unknown): void {
    for (const key of [...this.#open.keys()]) this.#take(key)?.reject(reason)
  }

  #take(key: MapKey): Pending<K, T> | undefined {
    const text = keyText(key)
    const pending = this.#open.get(text)
    this.#open.delete(text)
    return pending
  }
}
