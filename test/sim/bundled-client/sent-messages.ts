/**
 * What applications gave to producers and what they were told of it. Owner: the simulation. The promises compare the logs with it.
 */
export type Fate = 'pending' | 'delivered' | 'failed'

export interface SentMessage {
  /** Unique. */
  readonly value: string
  readonly topic: string
  /** Life of a producer, and the number of the call within it. */
  readonly producer: string
  readonly number: number
  readonly acks: number
  readonly isIdempotent: boolean
  fate: Fate
  /** Reports so far: one is right, more are wrong. */
  reports: number
  /** Of those that have one: where the report says that it is. */
  partition: number
  offset: number | null
  /** Of those that failed: whether a broker may have stored it. */
  isPossiblyPersisted: boolean
  error: string
}

export class SentMessages {
  readonly byValue = new Map<string, SentMessage>()

  add(
    init: Pick<SentMessage, 'value' | 'topic' | 'producer' | 'number' | 'acks' | 'isIdempotent'>,
  ): SentMessage {
    const message: SentMessage = {
      ...init,
      fate: 'pending',
      reports: 0,
      partition: -1,
      offset: null,
      isPossiblyPersisted: false,
      error: '',
    }
    this.byValue.set(message.value, message)
    return message
  }

  get deliveredCount(): number {
    let count = 0
    for (const { fate } of this.byValue.values()) if (fate === 'delivered') count++
    return count
  }
}
