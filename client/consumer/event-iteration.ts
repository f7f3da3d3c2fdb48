/** `consumer.events()`: what happens to the consumer, in order, for those who would rather loop than listen. */
import type { ClientCore } from '../client-core.ts'
import type { ConsumerEvents } from '../events/event-maps.ts'

const iteratedNames = ['rebalance', 'offset-commit', 'partition-eof', 'lag'] as const
type IteratedName = (typeof iteratedNames)[number]

/** An event, or how many of the oldest were dropped because the loop was too slow. */
export type ConsumerEvent =
  | { readonly [N in IteratedName]: { readonly name: N; readonly event: ConsumerEvents[N][0] } }[IteratedName]
  | { readonly name: 'dropped'; readonly count: number }

/** Longest queue of a loop that does not keep up. */
const maxQueued = 1024

interface Listened {
  on(name: IteratedName, listener: (event: never) => void): unknown
  off(name: IteratedName, listener: (event: never) => void): unknown
}

/** Ends when the consumer is closed. Listens from the first `next` on. */
export async function* iterateEvents(
  consumer: Listened,
  core: ClientCore,
  signal: AbortSignal | undefined,
): AsyncGenerator<ConsumerEvent, void, undefined> {
  const queue: ConsumerEvent[] = []
  let dropped = 0
  let wake: (() => void) | undefined
  const listeners = iteratedNames.map((name) => {
    const listener = (event: never): void => {
      queue.push({ name, event })
      if (queue.length > maxQueued) {
        queue.shift()
        dropped++
      }
      wake?.()
    }
    consumer.on(name, listener)
    return { name, listener }
  })
  const end = (): void => wake?.()
  const unlisten = core.onClose(end)
  signal?.addEventListener('abort', end)
  try {
    for (;;) {
      signal?.throwIfAborted()
      if (dropped > 0) {
        const count = dropped
        dropped = 0
        yield { name: 'dropped', count }
        continue
      }
      const event = queue.shift()
      if (event !== undefined) yield event
      else if (core.isClosed) return
      else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    for (const { name, listener } of listeners) consumer.off(name, listener)
    unlisten()
    signal?.removeEventListener('abort', end)
  }
}
