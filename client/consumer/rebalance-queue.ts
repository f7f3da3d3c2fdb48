/**
 * Rebalances on their way to the application: served one at a time inside its calls. A callback may return a promise, which
 * is awaited while the group goes on heartbeating. What the callback leaves undone is done right after it.
 */
import type { TopicPartition } from '../values/topic-partition.ts'
import type { Rebalance } from './membership.ts'

export type RebalanceCallback<C> = (consumer: C, partitions: TopicPartition[]) => void | Promise<void>

export interface RebalanceCallbacks<C> {
  readonly onAssign?: RebalanceCallback<C> | null | undefined
  readonly onRevoke?: RebalanceCallback<C> | null | undefined
  readonly onLost?: RebalanceCallback<C> | null | undefined
}

export interface RebalanceApplication {
  /** Changes the assignment as the rebalance says. */
  apply(rebalance: Rebalance): void
  /** Whatever the callback did: nothing that was taken is still there. Calls `done` in the end. */
  finish(rebalance: Rebalance): void
}

export class RebalanceQueue<C> {
  callbacks: RebalanceCallbacks<C> = {}
  readonly #consumer: C
  readonly #application: RebalanceApplication
  readonly #queue: Rebalance[] = []
  #current: Rebalance | undefined
  #isApplied = false
  #isCalling = false

  constructor(consumer: C, application: RebalanceApplication) {
    this.#consumer = consumer
    this.#application = application
  }

  /** Something waits and nothing is being served. */
  get isReady(): boolean {
    return this.#queue.length > 0 && this.#current === undefined
  }

  /** The one whose callback is running. */
  get current(): Rebalance | undefined {
    return this.#current
  }

  /** Whether the call that asks comes from within a callback; only until the first `await` in it. */
  get isCalling(): boolean {
    return this.#isCalling
  }

  push(rebalance: Rebalance): void {
    this.#queue.push(rebalance)
  }

  /** @returns whether something that was not begun was taken back */
  withdraw(): boolean {
    return this.#queue.splice(0).length > 0
  }

  /** The application changed the assignment itself. */
  noteApplied(): void {
    this.#isApplied = true
  }

  /** Serves the first. Rejects with what the callback throws; the rebalance goes on nevertheless. */
  async serveOne(): Promise<void> {
    const rebalance = this.#queue.shift()
    if (rebalance === undefined) return
    const { onAssign, onRevoke, onLost } = this.callbacks
    const callback = { assign: onAssign, revoke: onRevoke, lost: onLost ?? onRevoke }[rebalance.kind]
    this.#current = rebalance
    this.#isApplied = false
    try {
      await this.#call(callback, rebalance)
    } finally {
      if (this.#current === rebalance) this.concludeCurrent()
    }
  }

  /** The rebalance whose callback is running goes on without the rest of it. */
  concludeCurrent(): void {
    const rebalance = this.#current
    if (rebalance === undefined) return
    if (!this.#isApplied) this.#application.apply(rebalance)
    this.#current = undefined
    this.#application.finish(rebalance)
  }

  #call(callback: RebalanceCallback<C> | null | undefined, { partitions }: Rebalance): void | Promise<void> {
    this.#isCalling = true
    try {
      return callback?.(this.#consumer, partitions.slice())
    } finally {
      this.#isCalling = false
    }
  }
}
