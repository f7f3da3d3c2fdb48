/**
 * What a fetch looks at: the partitions about which there may be something new since they were looked at last, so that a fetch of
 * thousands of idle partitions costs nothing for each of them.
 *
 * Invariant: an interest that is not among the news is told of the next change of its partition. One change ends the watch; whoever
 * looks at the partition again watches it again, so that a fetcher that never comes back costs a busy partition nothing.
 */
import type { Reactor, Wakeable } from '../../common/runtime/reactor.ts'
import type { DelayedOperation, Watchable } from './delayed-operation.ts'
import type { FetchPartitionRequest } from './fetch-request.ts'
import type { ChangeObserver, Partition } from './partition.ts'

/** The interests with news, and the operations that wait for some. */
export class NewsBoard implements Wakeable, Watchable {
  readonly news = new Set<FetchInterest>()
  readonly #operations = new Set<DelayedOperation>()

  add(interest: FetchInterest, reactor: Reactor): void {
    this.news.add(interest)
    if (this.#operations.size > 0) reactor.touch(this)
  }

  watch(operation: DelayedOperation): void {
    this.#operations.add(operation)
  }

  unwatch(operation: DelayedOperation): void {
    this.#operations.delete(operation)
  }

  wake(): void {
    for (const operation of [...this.#operations]) operation.tryComplete()
  }
}

/** One partition of a fetch. */
export class FetchInterest implements ChangeObserver {
  readonly request: FetchPartitionRequest
  /** Something has happened since it was looked at. */
  isTouched = false
  readonly #board: NewsBoard
  #partition: Partition | undefined

  constructor(board: NewsBoard, request: FetchPartitionRequest) {
    this.#board = board
    this.request = request
  }

  /** The replica that is read; absent while there is none here. */
  get partition(): Partition | undefined {
    return this.#partition
  }

  set partition(partition: Partition | undefined) {
    if (partition !== this.#partition) this.#partition?.stopObserving(this)
    this.#partition = partition
  }

  /** It is looked at now: what happens from here on is news. */
  watch(): void {
    this.isTouched = false
    this.#partition?.observe(this)
  }

  unwatch(): void {
    this.#partition?.stopObserving(this)
  }

  onPartitionChanged(reactor: Reactor): void {
    this.isTouched = true
    this.#board.add(this, reactor)
  }
}
