/**
 * Maps whose keys are compared by value: topics, groups and resources are looked up with any equal instance, while iteration
 * gives the instances of the caller. `ResultMap` holds one promise a key: what the calls of the admin client return.
 */

/** A string, a number, or a value class with a string that equal instances share. */
export type MapKey = string | number | { key(): string }

export class KeyedMap<K extends MapKey, V> extends Map<K, V> {
  readonly #own = new Map<string, K>()

  override get(key: K): V | undefined {
    return super.get(this.#own.get(keyText(key)) ?? key)
  }

  override has(key: K): boolean {
    return this.#own.has(keyText(key))
  }

  /** An equal key keeps the instance that came first. */
  override set(key: K, value: V): this {
    const text = keyText(key)
    const known = this.#own.get(text)
    if (known === undefined) this.#own.set(text, key)
    return super.set(known ?? key, value)
  }

  override delete(key: K): boolean {
    const text = keyText(key)
    const known = this.#own.get(text)
    if (known === undefined) return false
    this.#own.delete(text)
    return super.delete(known)
  }

  override clear(): void {
    this.#own.clear()
    super.clear()
  }
}

/** One promise a key. Rejections that nobody looks at are not reported as unhandled. */
export class ResultMap<K extends MapKey, T> extends KeyedMap<K, Promise<T>> {
  /** All of them, or the first failure. */
  async all(): Promise<KeyedMap<K, T>> {
    const results = new KeyedMap<K, T>()
    const keys = [...this.keys()]
    const values = await Promise.all(this.values())
    for (const [index, key] of keys.entries()) results.set(key, values[index] as T)
    return results
  }
}

export function keyText(key: MapKey): string {
  return typeof key === 'object' ? key.key() : String(key)
}
