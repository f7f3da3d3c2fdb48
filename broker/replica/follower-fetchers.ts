/**
 * The fetchers of one broker, one per leader that it follows. Owner: the broker; told by the replica manager what to follow.
 */
import type { FollowerFetcher } from './follower-fetcher.ts'
import type { Partition } from './partition.ts'
import type { FollowerListener } from './replica-manager.ts'

export class FollowerFetchers implements FollowerListener {
  readonly #create: (leaderId: number) => FollowerFetcher
  readonly #byLeader = new Map<number, FollowerFetcher>()
  readonly #leaderOf = new Map<Partition, FollowerFetcher>()
  #isPaused = false

  constructor(create: (leaderId: number) => FollowerFetcher) {
    this.#create = create
  }

  onFollowing(partition: Partition): void {
    this.onNotFollowing(partition)
    if (partition.leaderId < 0) return
    let fetcher = this.#byLeader.get(partition.leaderId)
    if (fetcher === undefined) {
      fetcher = this.#create(partition.leaderId)
      if (this.#isPaused) fetcher.pause()
      this.#byLeader.set(partition.leaderId, fetcher)
    }
    this.#leaderOf.set(partition, fetcher)
    fetcher.add(partition)
  }

  onNotFollowing(partition: Partition): void {
    const fetcher = this.#leaderOf.get(partition)
    if (fetcher === undefined) return
    this.#leaderOf.delete(partition)
    fetcher.remove(partition)
    if (!fetcher.isEmpty) return
    this.#byLeader.delete(fetcher.leaderId)
    fetcher.close()
  }

  /** All of this broker's fetching stops until `resume`. @param cutsShort also what is on its way */
  pause(cutsShort = false): void {
    this.#isPaused = true
    for (const fetcher of this.#byLeader.values()) fetcher.pause(cutsShort)
  }

  resume(): void {
    this.#isPaused = false
    for (const fetcher of this.#byLeader.values()) fetcher.resume()
  }

  /** One fetch from each leader, although paused; nobody waits for new records. */
  step(): void {
    for (const fetcher of this.#byLeader.values()) fetcher.step()
  }

  onFlushFailed(): void {
    for (const fetcher of this.#byLeader.values()) fetcher.onFlushFailed()
  }

  close(): void {
    for (const fetcher of this.#byLeader.values()) fetcher.close()
    this.#byLeader.clear()
    this.#leaderOf.clear()
  }
}
