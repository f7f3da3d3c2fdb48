/**
 * One simulated life of a metadata quorum, as a function of its seed: a random history of crashes, partitions and appends, and after it the proof
 * that the quorum still works and has lost nothing.
 */
import type { QuorumTimeouts } from '../../broker/raft/quorum-timeouts.ts'
import { SeededRandom } from '../../common/runtime/seeded-random.ts'
import { RaftCluster, type SimNode } from './raft-cluster.ts'

const STEPS = 50
/** Longer than an election takes. */
const HAPPENS_LIMIT_MS = 8_000
/** Time-outs near the delays of the network: many elections, few of them undisturbed. */
const IMPATIENT: QuorumTimeouts = {
  electionTimeoutMs: 100,
  fetchTimeoutMs: 150,
  electionBackoffMaxMs: 100,
  requestTimeoutMs: 200,
  retryBackoffMs: 20,
  fetchMaxWaitMs: 50,
}

/** A random history, and after it the proof that the quorum still works and has lost nothing. */
export function simulateQuorum(seed: string, voters: number): RaftCluster {
  const random = new SeededRandom(`${seed}/steps`)
  const timeouts = random.int(3) === 0 ? {} : IMPATIENT
  // In small pieces a node may have what an earlier leader wrote without what the present one wrote behind it.
  const fetchMaxBytes = random.int(2) === 0 ? 1 : 1 << 20
  const cluster = new RaftCluster({ seed, voters, observers: 1, timeouts, fetchMaxBytes })
  const { world } = cluster
  const pick = <T>(items: readonly T[]): T => items[random.int(items.length)] as T
  world.network.setConditions({ delayMs: 0.5, jitterMs: random.int(40) })
  cluster.startAll()
  for (let step = 0; step < STEPS; step++) {
    const node = pick(cluster.nodes)
    switch (random.int(19)) {
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
      case 13:
        oldLeaderReturns(cluster, random)
        break
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

/**
 * What a leader wrote alone reaches others only when it leads again, after somebody else has led for a moment; and then it dies, perhaps before
 * anything of its new epoch is with them. A majority has the old record then, and the one in between may overwrite it: it is not committed.
 */
function oldLeaderReturns(cluster: RaftCluster, random: SeededRandom): void {
  const { world, nodes } = cluster
  const alone = (node: SimNode): void => {
    const others = nodes.filter((other) => other !== node)
    world.network.isolate(
      [node.name],
      others.map(({ name }) => name),
    )
  }
  const happens = (condition: () => boolean): boolean => {
    for (let left = HAPPENS_LIMIT_MS; left > 0 && !condition(); left--) world.advance(1)
    return condition()
  }
  world.network.heal()
  cluster.startAll()
  if (!happens(() => cluster.leader !== undefined)) return
  const first = cluster.leader as SimNode
  alone(first)
  const offset = cluster.append(first) as number
  world.advance(1)
  cluster.crash(first)
  if (!happens(() => cluster.leader !== undefined)) return
  const between = cluster.leader as SimNode
  alone(between)
  cluster.crash(between)
  world.network.heal()
  cluster.start(first)
  const hasArrived = ({ life }: SimNode): boolean => (life?.log.logEndOffset ?? 0) > offset
  if (!happens(() => first.log.isLeader && nodes.some((node) => node !== first && hasArrived(node)))) return
  world.advance(random.int(20))
  if (first.life !== undefined) cluster.crash(first)
  cluster.start(between)
  happens(() => cluster.leader !== undefined)
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
