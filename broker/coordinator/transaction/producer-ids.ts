/**
 * Producer ids of one broker, from the blocks that the controller hands out (KIP-730).
 *
 * Owner: the transaction coordinator. The next block is asked for before the current one is used up; who comes when there is
 * none waits for the answer. Limits: one request for a block at a time.
 */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { Deferred } from '../../../common/runtime/deferred.ts'
import { accepted, type Result } from '../../statemachine/state-machine.ts'

export type ProducerIdBlock =
  | { readonly error: 0; readonly firstProducerId: number; readonly count: number }
  | { readonly error: Exclude<ErrorCode, 0> }

/** Asks the controller for a block (AllocateProducerIds). Must be completed in the end, with an error if need be. */
export type AllocateProducerIds = () => Deferred<ProducerIdBlock>

/** The next block is asked for when this part of the current one is used, as in Kafka. */
const PREFETCH_SHARE = 0.9

export class ProducerIds {
  readonly #allocate: AllocateProducerIds
  readonly #waiting: Deferred<Result<number>>[] = []
  #next = 0
  #end = 0
  #prefetchAt = 0
  #following: { readonly firstProducerId: number; readonly count: number } | undefined
  #isAsking = false

  constructor(allocate: AllocateProducerIds) {
    this.#allocate = allocate
  }

  /** @returns COORDINATOR_LOAD_IN_PROGRESS when the controller gives none: clients ask again */
  next(): Deferred<Result<number>> {
    const result = new Deferred<Result<number>>()
    this.#waiting.push(result)
    this.#serve()
    return result
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      if (this.#next >= this.#end && !this.#takeFollowing()) {
        this.#ask()
        return
      }
      const id = this.#next
      this.#next += 1
      // The answer to either may come at once and lead back here.
      this.#waiting.shift()?.complete(accepted(id))
      if (id >= this.#prefetchAt) this.#ask()
    }
  }

  #takeFollowing(): boolean {
    if (this.#following === undefined) return false
    const { firstProducerId, count } = this.#following
    this.#following = undefined
    this.#next = firstProducerId
    this.#end = firstProducerId + count
    this.#prefetchAt = firstProducerId + Math.floor(count * PREFETCH_SHARE)
    return true
  }

  #ask(): void {
    if (this.#isAsking || this.#following !== undefined) return
    this.#isAsking = true
    this.#allocate().whenDone((block) => {
      this.#isAsking = false
      if (block.error === ErrorCode.NONE && block.count > 0) {
        this.#following = block
        this.#serve()
        return
      }
      if (this.#next < this.#end) return
      const refusal: Result<number> = { error: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS }
      for (const waiting of this.#waiting.splice(0)) waiting.complete(refusal)
    })
  }
}
