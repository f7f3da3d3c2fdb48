import { describe, expect, it } from 'vitest'
import type { QuorumTimeouts } from '../../broker/raft/quorum-timeouts.ts'
import { SeededRandom } from '../../common/runtime/seeded-random.ts'
import { RaftCluster } from './raft-cluster.ts'

const STEPS = 50
/** Time-outs near the delays of the network: many elections, few of them undisturbed. */
const IMPATIENT: QuorumTimeouts = {
  electionTimeoutMs: 100,
  fetchTimeoutMs: 150,
  electionBackoffMaxMs: 100,
  requestTimeoutMs: 200,
  retryBackoffMs: 20,
  fetchMaxWaitMs: 50,
}
const SEEDS = Number(process.env.SEEDS ?? 60)

/** A random history, and after it the proof that the quorum still works and has lost nothing. */
function simulate(seed: string, voters: number): RaftCluster {
  const random = new SeededRandom(`${seed}/steps`)
  const timeouts = random.int(3) === 0 ? {} : IMPATIENT
  const cluster = new RaftCluster({ seed, voters, observers: 1, timeouts })
  const { world } = cluster
  const pick = <T>(items: readonly T[]): T => items[random.int(items.length)] as T
  world.network.setConditions({ delayMs: 0.5, jitterMs: random.int(40) })
  cluster.startAll()
  for (let step = 0; step < STEPS; step++) {
    const node = pick(cluster.nodes)
    switch (random.int(18)) {
      case 0:
        cluster.crash(node)
        break
      case 1:
      case 2:
        cluster.startAll()
        break
      case 3: {
        const names = random.shuffle(cluster.nodes.map(({ name }) => name))
        const size = 1 + random.int(names.length - 1)
        world.network.isolate(names.slice(0, size), names.slice(size))
        break
      }
      case 4:
        world.network.cut(node.name, pick(cluster.nodes).name)
        break
      case 5:
      case 6:
        world.network.heal()
        break
      case 7:
        cluster.snapshot(node)
        break
      case 8:
        if (node.life !== undefined) cluster.stop(node)
        break
      case 9: {
        // The leader dies in the middle of what it does.
        const leader = cluster.leader
        if (leader === undefined) break
        cluster.append(leader)
        for (let turns = random.int(6); turns > 0; turns--) world.reactor.runTurn()
        if (random.int(2) === 0) cluster.crash(leader)
        break
      }
      case 10: {
        // Power fails for a moment, here and there.
        for (const each of cluster.nodes) {
          if (each.life === undefined || random.int(2) === 0) continue
          cluster.crash(each)
          cluster.start(each)
        }
        break
      }
      case 11: {
        // A leader that nobody, or not enough, can hear goes on writing for a while.
        const { leader } = cluster
        if (leader === undefined) break
        const rest = random.shuffle(cluster.nodes.filter((other) => other !== leader)).map(({ name }) => name)
        const size = random.int(2)
        world.network.isolate([leader.name, ...rest.slice(0, size)], rest.slice(size))
        for (let count = random.int(6); count > 0; count--) cluster.append(leader)
        break
      }
      case 12: {
        // Whoever has just been elected dies.
        const { leader } = cluster
        if (leader === undefined) break
        cluster.crash(leader)
        for (let left = 400; left > 0 && cluster.leader === undefined; left--) world.advance(random.int(5))
        for (const other of cluster.leaders) if (random.int(2) === 0) cluster.crash(other)
        break
      }
      default:
        for (const leader of cluster.leaders)
          for (let count = random.int(4); count > 0; count--) cluster.append(leader)
    }
    world.advance(random.int(5) === 0 ? random.int(4000) : random.int(200))
    cluster.checkNow()
  }
  prove(cluster)
  return cluster
}

function prove(cluster: RaftCluster): void {
  const { world } = cluster
  world.network.heal()
  world.network.setConditions({ delayMs: 0.5 })
  cluster.startAll()
  world.advance(12_000)
  const { leader } = cluster
  if (leader === undefined || cluster.leaders.length !== 1) {
    throw new Error(`${cluster.leaders.length} nodes lead when all is well`)
  }
  const offset = cluster.append(leader) as number
  world.advance(1000)
  cluster.checkNow()
  cluster.checkLogs()
  for (const node of cluster.nodes) {
    if (node.log.highWatermark <= offset) throw new Error(`${node.name} has not heard of offset ${offset}`)
    if (cluster.imageOf(node) !== cluster.imageOf(leader)) throw new Error(`${node.name} has other metadata`)
    for (const { key } of cluster.acknowledged) {
      if (!cluster.holds(node, key)) throw new Error(`${node.name} lost ${key}, which was acknowledged`)
    }
  }
}

function run(seed: string, voters: number): RaftCluster {
  try {
    return simulate(seed, voters)
  } catch (error) {
    throw new Error(`SEED=${seed} (${voters} voters): ${(error as Error).message}`, { cause: error })
  }
}

const ONLY = process.env.SEED

describe('the metadata quorum under crashes, partitions and delays', () => {
  const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, index) => String(index)) : [ONLY]

  it.each([3, 5])('keeps what it acknowledged, and one leader an epoch, with %i voters', (voters) => {
    let acknowledged = 0
    for (const seed of seeds) acknowledged += run(seed, voters).acknowledged.length
    expect(acknowledged).toBeGreaterThan(seeds.length * 5)
  })

  it('is the same history for the same seed', () => {
    expect(run('again', 3).events).toEqual(run('again', 3).events)
  })
})
