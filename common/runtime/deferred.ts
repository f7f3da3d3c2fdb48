/**
 * A value that will be there later, without promises: callbacks run at once when it completes, inside the same turn, so
 * nothing else runs between the change and those who waited for it. Completing twice is a no-op (time-outs race with
 * the event they guard).
 */
export class Deferred<T> {
  #isDone = false
  #value: T | undefined
  // `never` keeps the type covariant: a Deferred<Dog> is a Deferred<Animal>.
  #callbacks: ((value: never) => void)[] | undefined

  static of<T>(value: T): Deferred<T> {
    const deferred = new Deferred<T>()
    deferred.complete(value)
    return deferred
  }

  /** The values of all, in order, when the last one is there. */
  static all<T>(deferreds: readonly Deferred<T>[]): Deferred<T[]> {
    const result = new Deferred<T[]>()
    const values = new Array<T>(deferreds.length)
    let missing = deferreds.length
    if (missing === 0) result.complete(values)
    deferreds.forEach((deferred, index) => {
      deferred.whenDone((value) => {
        values[index] = value
        missing -= 1
        if (missing === 0) result.complete(values)
      })
    })
    return result
  }

  get isDone(): boolean {
    return this.#isDone
  }

  /** The value, if it is there. */
  get value(): T | undefined {
    return this.#value
  }

  /** @returns false when it was complete already, and then nothing changes */
  complete(value: T): boolean {
    if (this.#isDone) return false
    this.#isDone = true
    this.#value = value
    const callbacks = this.#callbacks
    this.#callbacks = undefined
    if (callbacks !== undefined) for (const callback of callbacks) callback(value as never)
    return true
  }

  /** Calls back with the value: now, if it is there. Callbacks run in the order they were given. */
  whenDone(callback: (value: T) => void): void {
    if (this.#isDone) callback(this.#value as T)
    else if (this.#callbacks === undefined) this.#callbacks = [callback]
    else this.#callbacks.push(callback)
  }

  map<U>(change: (value: T) => U): Deferred<U> {
    const result = new Deferred<U>()
    this.whenDone((value) => result.complete(change(value)))
    return result
  }

  flatMap<U>(change: (value: T) => Deferred<U>): Deferred<U> {
    const result = new Deferred<U>()
    this.whenDone((value) => change(value).whenDone((inner) => result.complete(inner)))
    return result
  }
}

/** Wraps a plain value; passes a deferred one through. */
export function asDeferred<T>(value: T | Deferred<T>): Deferred<T> {
  return value instanceof Deferred ? value : Deferred.of(value)
}
