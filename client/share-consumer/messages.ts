/** What one `poll` of a share consumer hands out: a batch that is read like an array and never changes. */
import type { Message } from '../values/message.ts'

export class Messages<M = Message> extends Array<M> {
  /** `slice`, `map` and their like give plain arrays. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array
  }

  static holding<M>(messages: readonly M[]): Messages<M> {
    const batch = new Messages<M>()
    for (const message of messages) batch.push(message)
    return Object.freeze(batch) as Messages<M>
  }

  records(): readonly M[] {
    return this
  }

  count(): number {
    return this.length
  }

  isEmpty(): boolean {
    return this.length === 0
  }
}
