/**
 * Where new replicas go: striped over racks, then over the brokers of each rack, so that leaders and replicas spread evenly.
 *
 * Each partition starts one rack and one broker further than the one before; the very first start is random. The first replica
 * (the preferred leader) is always on an unfenced broker; fenced brokers are taken only when there are too few others. Brokers
 * without rack count as one rack. Once every broker has led, the orders are shuffled, so that not the same pairs meet for ever.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Random } from '../../common/runtime/random.ts'
import type { Result } from '../statemachine/state-machine.ts'
import { accepted } from '../statemachine/state-machine.ts'

export interface UsableBroker {
  readonly id: number
  readonly rack: string | null
  readonly isFenced: boolean
}

export interface PlacementRequest {
  readonly partitionCount: number
  readonly replicationFactor: number
}

/**
 * Replicas of each new partition, the preferred leader first.
 * @returns INVALID_REPLICATION_FACTOR when the brokers cannot carry that many
 */
export function placeReplicas(
  brokers: Iterable<UsableBroker>,
  request: PlacementRequest,
  random: Random,
): Result<number[][]> {
  const { partitionCount, replicationFactor } = request
  const racks = new RackList(brokers, random)
  const refused = (message: string) => ({ error: ErrorCode.INVALID_REPLICATION_FACTOR, message }) as const
  if (replicationFactor <= 0) {
    return refused(
      `Invalid replication factor ${replicationFactor}: the replication factor must be positive.`,
    )
  }
  if (replicationFactor > racks.brokerCount) {
    return refused(
      `The target replication factor of ${replicationFactor} cannot be reached because only ${racks.brokerCount} broker(s) are registered or some brokers have all their log directories cordoned.`,
    )
  }
  if (racks.unfencedCount === 0) {
    return refused('All brokers are currently fenced, or have all their log directories cordoned.')
  }
  const placements: number[][] = []
  for (let index = 0; index < partitionCount; index++) placements.push(racks.place(replicationFactor))
  return accepted(placements)
}

/** Brokers of one rack in one state; each partition (epoch) begins one further. */
class BrokerRing {
  readonly #random: Random
  #ids: number[]
  #epoch = 0
  #index = 0
  #offset: number

  constructor(ids: readonly number[], random: Random) {
    this.#random = random
    this.#ids = [...ids].sort((left, right) => left - right)
    this.#offset = ids.length === 0 ? 0 : random.int(ids.length)
  }

  shuffle(): void {
    this.#ids = this.#random.shuffle(this.#ids)
  }

  /** The next broker for this partition; undefined when all were given. */
  next(epoch: number): number | undefined {
    const count = this.#ids.length
    if (count === 0) return undefined
    if (this.#epoch !== epoch) {
      this.#epoch = epoch
      this.#index = 0
      this.#offset = (this.#offset + 1) % count
    }
    if (this.#index >= count) return undefined
    const id = this.#ids[(this.#index + this.#offset) % count]
    this.#index += 1
    return id
  }
}

interface Rack {
  readonly unfenced: BrokerRing
  readonly fenced: BrokerRing
}

class RackList {
  readonly brokerCount: number
  readonly unfencedCount: number
  readonly #random: Random
  #racks: Rack[]
  #epoch = 0
  #offset: number

  constructor(brokers: Iterable<UsableBroker>, random: Random) {
    this.#random = random
    const all = [...brokers]
    this.brokerCount = all.length
    this.unfencedCount = all.filter(({ isFenced }) => !isFenced).length
    const names = [...new Set(all.map(({ rack }) => rack))].sort(compareRacks)
    this.#racks = names.map((name) => {
      const here = all.filter(({ rack }) => rack === name)
      const ids = (isFenced: boolean) =>
        here.filter((broker) => broker.isFenced === isFenced).map(({ id }) => id)
      return { fenced: new BrokerRing(ids(true), random), unfenced: new BrokerRing(ids(false), random) }
    })
    this.#offset = this.#racks.length === 0 ? 0 : random.int(this.#racks.length)
  }

  place(replicationFactor: number): number[] {
    if (this.#epoch === this.unfencedCount && this.unfencedCount > 1) {
      this.#racks = this.#random.shuffle(this.#racks)
      for (const { fenced, unfenced } of this.#racks) {
        fenced.shuffle()
        unfenced.shuffle()
      }
      this.#epoch = 0
    }
    const count = this.#racks.length
    if (this.#offset >= count) this.#offset = 0
    const replicas: number[] = []
    // The leader: the first rack from here on that has an unfenced broker left for this partition.
    let leaderRack: number | undefined = this.#offset
    for (;;) {
      const leader = this.#racks[leaderRack]?.unfenced.next(this.#epoch)
      if (leader !== undefined) {
        replicas.push(leader)
        break
      }
      leaderRack = (leaderRack + 1) % count
    }
    // The others: one of each rack in turn; the leader's rack is left out in the first round, it has its replica.
    let rackIndex = this.#offset
    while (replicas.length < replicationFactor) {
      const isLeaderRack = rackIndex === leaderRack
      if (isLeaderRack) leaderRack = undefined
      const rack = this.#racks[rackIndex]
      const next = isLeaderRack
        ? undefined
        : (rack?.unfenced.next(this.#epoch) ?? rack?.fenced.next(this.#epoch))
      rackIndex = (rackIndex + 1) % count
      if (next !== undefined) replicas.push(next)
    }
    this.#epoch += 1
    this.#offset += 1
    return replicas
  }
}

function compareRacks(left: string | null, right: string | null): number {
  if (left === right) return 0
  if (left === null) return -1
  if (right === null) return 1
  return left < right ? -1 : 1
}
