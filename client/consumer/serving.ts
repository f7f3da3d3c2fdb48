/**
 * The consumer's serving calls: they hand callbacks, then messages, to the application, and count as polling while they wait.
 * What an aborted or failing call took comes with the next one. Owned by the consumer.
 */
import { KafkaException } from '../errors.ts'
import type { CallLimits } from '../timeouts.ts'
import type { Message } from '../values/message.ts'
import type { ConsumerEngine } from './consumer-engine.ts'
import type { Taken } from './delivery-queue.ts'

/** A call that always finds a message lets the event loop turn after so many. */
const messagesPerTurn = 256
/** `consume` hands over what it has at such intervals. */
const fillMs = 200

export class Serving<C> {
  readonly #engine: ConsumerEngine<C>
  #sinceTurn = 0

  constructor(engine: ConsumerEngine<C>) {
    this.#engine = engine
  }

  /** The next message or event; null when the time is over or the consumer was closed. */
  poll({ timeoutMs, signal }: CallLimits): Promise<Message | null> {
    const { delivery } = this.#engine
    return this.#serve(timeoutMs, signal, () => {
      const message = delivery.next()
      if (message !== undefined) this.#engine.deliver(message, delivery.source)
      return message
    })
  }

  /** As `poll` where a message is there and nothing else is to be done first: without a promise. undefined: `poll` must find out. */
  tryPoll(): Message | undefined {
    const { core, delivery, pollWatch, rebalances, fatalError } = this.#engine
    if (this.#sinceTurn + 1 >= messagesPerTurn || core.isClosed || fatalError !== undefined) return undefined
    if (core.events.size > 0 || rebalances.isReady) return undefined
    this.#engine.polled()
    const message = delivery.next()
    if (message === undefined) return undefined
    this.#sinceTurn++
    pollWatch.touch()
    this.#engine.deliver(message, delivery.source)
    return message
  }

  /** Up to `count` messages and events; fewer when time runs out. */
  async consume(count: number, { timeoutMs, signal }: CallLimits): Promise<Message[]> {
    const { core, delivery } = this.#engine
    const { clock } = core.runtime
    const deadlineMs = clock.monotonicMs() + timeoutMs
    const taken: Taken[] = []
    const fill = (): true | undefined => {
      while (taken.length < count) {
        const message = delivery.next()
        if (message === undefined) return undefined
        taken.push({ message, source: delivery.source })
      }
      return true
    }
    for (;;) {
      const sliceMs = Math.max(0, Math.min(fillMs, deadlineMs - clock.monotonicMs()))
      const isFull = await this.#takeBackOnFailure(taken, () => this.#serve(sliceMs, signal, fill))
      if (isFull === true || taken.length > 0) break
      if (core.isClosed || clock.monotonicMs() >= deadlineMs) break
    }
    return this.#handOver(taken)
  }

  /**
   * Messages of one partition, or one event alone: waits for the first, and up to `maxWaitMs` for `count`. Empty only when
   * the consumer was closed.
   */
  async batch(count: number, maxWaitMs: number, signal: AbortSignal | undefined): Promise<Message[]> {
    const { core } = this.#engine
    for (;;) {
      const taken: Taken[] = []
      let isEnded = false
      await this.#takeBackOnFailure(taken, async () => {
        const fill = (): true | undefined => {
          isEnded = this.#fillFromOne(taken, count)
          return isEnded || (taken.length > 0 && maxWaitMs <= 0) ? true : undefined
        }
        const first = (): true | undefined => (fill() === true || taken.length > 0 ? true : undefined)
        await this.#serve(Number.POSITIVE_INFINITY, signal, first)
        if (!isEnded && taken.length > 0 && maxWaitMs > 0) await this.#serve(maxWaitMs, signal, fill)
      })
      const messages = this.#handOver(taken)
      if (messages.length > 0 || core.isClosed) return messages
    }
  }

  /**
   * Serves a last time, gives back, leaves and ends, at the latest when the time is over. Rejects with the first failure of a
   * callback; the consumer is closed nevertheless.
   */
  async close({ timeoutMs, signal }: CallLimits): Promise<void> {
    const { core, rebalances } = this.#engine
    if (core.isClosed) return
    const { clock } = core.runtime
    const caller = rebalances.isCalling ? rebalances.current : undefined
    const deadlineMs = clock.monotonicMs() + timeoutMs
    let isDone = false
    const failures: unknown[] = []
    const serve = async (): Promise<void> => {
      try {
        await this.serveCallbacks()
      } catch (error) {
        if (!(error instanceof KafkaException && error.error.fatal())) failures.push(error)
      }
    }
    try {
      await serve()
      this.#engine.beginClose(() => {
        isDone = true
        core.events.notify()
      })
      // A callback that awaits this call would be waited for.
      if (caller !== undefined && rebalances.current === caller) rebalances.concludeCurrent()
      for (;;) {
        await serve()
        const leftMs = deadlineMs - clock.monotonicMs()
        if (isDone || leftMs <= 0 || signal?.aborted === true) break
        if (core.events.size === 0 && !rebalances.isReady) await core.events.wait(leftMs, signal)
      }
      await serve()
      await core.pushLastMetrics({ timeoutMs: deadlineMs - clock.monotonicMs(), signal })
    } finally {
      this.#engine.close()
    }
    if (failures.length > 0) throw failures[0]
  }

  async serveCallbacks(): Promise<void> {
    const { core, pollWatch, rebalances } = this.#engine
    for (;;) {
      if (core.events.size > 0) core.events.serveReady()
      if (!rebalances.isReady) return
      await pollWatch.during(() => rebalances.serveOne())
    }
  }

  /** @returns whether the batch is complete: full, or something else comes next */
  #fillFromOne(taken: Taken[], count: number): boolean {
    const { delivery } = this.#engine
    while (taken.length < count) {
      const message = delivery.next()
      if (message === undefined) return false
      const { source } = delivery
      const isAlone = source === undefined || message.error() !== null
      if (taken.length > 0 && (isAlone || source !== taken[0]?.source)) {
        delivery.unread([{ message, source }])
        return true
      }
      taken.push({ message, source })
      if (isAlone) return true
    }
    return true
  }

  /** An abort, or a callback that threw: what was taken comes with the next call. */
  async #takeBackOnFailure<T>(taken: readonly Taken[], call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      this.#engine.delivery.unread(taken)
      throw error
    }
  }

  /** Partitions that were revoked meanwhile belong to others. */
  #handOver(taken: readonly Taken[]): Message[] {
    const kept = taken.filter(({ source }) => source?.isRemoved !== true)
    for (const { message, source } of kept) this.#engine.deliver(message, source)
    return kept.map(({ message }) => message)
  }

  /** Serves until `take` gives something or the time is over. */
  async #serve<T>(
    timeoutMs: number,
    signal: AbortSignal | undefined,
    take: () => T | undefined,
  ): Promise<T | null> {
    signal?.throwIfAborted()
    const { core, pollWatch } = this.#engine
    const { clock } = core.runtime
    const deadlineMs = clock.monotonicMs() + timeoutMs
    pollWatch.enter()
    try {
      this.#engine.polled()
      let hasTurned = ++this.#sinceTurn >= messagesPerTurn
      if (hasTurned) await this.#turn()
      for (;;) {
        await this.serveCallbacks()
        const fatal = this.#engine.fatalError
        if (fatal !== undefined) throw new KafkaException(fatal)
        const taken = core.isClosed ? undefined : take()
        if (taken !== undefined) return taken
        if (core.isClosed) return null
        if (!hasTurned) {
          // What has arrived at the sockets is processed before a time of 0 is over.
          hasTurned = true
          await this.#turn()
          continue
        }
        signal?.throwIfAborted()
        const leftMs = deadlineMs - clock.monotonicMs()
        if (leftMs <= 0) return null
        await core.events.wait(leftMs, signal)
      }
    } finally {
      pollWatch.leave()
    }
  }

  async #turn(): Promise<void> {
    this.#sinceTurn = 0
    await this.#engine.core.events.turn()
  }
}
