import { describe, expect, it } from 'vitest'
import { RaftCluster, type SimNode } from './raft-cluster.ts'

function started(options: { voters: number; observers?: number }): RaftCluster {
  const cluster = new RaftCluster({ seed: 1, ...options })
  cluster.world.network.setConditions({ delayMs: 1 })
  cluster.startAll()
  return cluster
}

/** A cluster of three whose first node leads and has committed a record. */
function led(options: { voters: number; observers?: number } = { voters: 3 }): RaftCluster {
  const cluster = started(options)
  cluster.world.advance(100)
  expect(cluster.leader).toBe(cluster.node(1))
  cluster.append(cluster.node(1))
  cluster.world.advance(100)
  return cluster
}

function others(cluster: RaftCluster, node: SimNode): SimNode[] {
  return cluster.nodes.filter((other) => other !== node)
}

describe('a quorum of three voters', () => {
  it('has a leader within tens of milliseconds when it starts from nothing', () => {
    const cluster = started({ voters: 3 })
    cluster.world.advance(30)
    expect(cluster.leader).toBe(cluster.node(1))
    expect(cluster.nodes.map(({ log }) => log.leaderEpoch)).toEqual([1, 1, 1])
  })

  it('has a leader as soon when the others come somewhat later', () => {
    const cluster = new RaftCluster({ seed: 1, voters: 3 })
    for (const node of cluster.nodes) {
      cluster.start(node)
      cluster.world.advance(30)
    }
    cluster.world.advance(200)
    expect(cluster.nodes.map(({ log }) => log.leaderId)).toEqual([1, 1, 1])
  })

  it('is led again by the node that led it, at once, when all of it was restarted', () => {
    const cluster = led()
    cluster.stop(cluster.node(1))
    cluster.world.advance(500)
    const next = cluster.leader as SimNode
    for (const node of cluster.nodes) if (node.life !== undefined) cluster.crash(node)
    cluster.startAll()
    cluster.world.advance(100)
    expect(cluster.leader).toBe(next)
    cluster.checkLogs()
  })

  it('commits what a majority has on disk, and tells everybody', () => {
    const cluster = led()
    cluster.crash(cluster.node(3))
    const offset = cluster.append(cluster.node(1)) as number
    cluster.world.advance(50)
    expect(cluster.node(1).log.highWatermark).toBe(offset + 1)
    expect(cluster.node(2).log.highWatermark).toBe(offset + 1)
  })

  it('commits nothing while the leader is alone', () => {
    const cluster = led()
    cluster.crash(cluster.node(2))
    cluster.crash(cluster.node(3))
    const offset = cluster.append(cluster.node(1)) as number
    cluster.world.advance(1000)
    expect(cluster.node(1).log.highWatermark).toBe(offset)
  })

  it('elects another leader when the leader dies, and keeps what was committed', () => {
    const cluster = led()
    cluster.crash(cluster.node(1))
    cluster.world.advance(6000)
    const leader = cluster.leader as SimNode
    expect([2, 3]).toContain(leader.id)
    expect(cluster.holds(leader, 'key-1')).toBe(true)
    expect(leader.log.leaderEpoch).toBeGreaterThan(1)
  })

  it('hands over without waiting for a time-out when the leader stops', () => {
    const cluster = led()
    cluster.stop(cluster.node(1))
    expect(cluster.leaders.map(({ id }) => id)).toHaveLength(1)
    expect(cluster.leader).not.toBe(cluster.node(1))
  })

  it('has a leader that resigns when it is cut off from the majority, before it hears of another', () => {
    const cluster = led()
    cluster.world.network.isolate(['node-1'], ['node-2', 'node-3'])
    cluster.world.advance(3200)
    expect(cluster.node(1).log.isLeader).toBe(false)
    cluster.world.advance(5000)
    expect([2, 3]).toContain(cluster.leader?.id)
  })

  it('is not disturbed by a voter that was cut off and comes back', () => {
    const cluster = led()
    cluster.world.network.isolate(['node-3'], ['node-1', 'node-2'])
    cluster.world.advance(20_000)
    cluster.world.network.heal()
    cluster.world.advance(8_000)
    expect(cluster.nodes.map(({ log }) => [log.leaderId, log.leaderEpoch])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ])
  })

  it('is not disturbed by a voter that hears nothing and yet can speak', () => {
    const cluster = led()
    cluster.world.network.cut('node-1', 'node-3')
    cluster.world.network.cut('node-2', 'node-3')
    cluster.world.advance(20_000)
    expect(cluster.node(1).log.isLeader).toBe(true)
    expect(cluster.node(1).log.leaderEpoch).toBe(1)
  })

  it('tells a node that comes back what is committed once it has all of it', () => {
    const cluster = led()
    for (let count = 0; count < 10; count++) cluster.append(cluster.node(1))
    cluster.world.advance(100)
    const { committedEnd } = cluster
    const node = cluster.node(3)
    cluster.crash(node)
    cluster.world.network.isolate(['node-3'], ['node-1', 'node-2'])
    cluster.start(node)
    cluster.world.advance(50)
    expect(node.life?.toldHighWatermarks).toEqual([])
    cluster.world.network.heal()
    cluster.world.advance(3000)
    expect(node.life?.toldHighWatermarks).toEqual([committedEnd])
  })

  it('cuts what an old leader could not commit', () => {
    const cluster = led()
    const old = cluster.node(1)
    cluster.world.network.isolate(['node-1'], ['node-2', 'node-3'])
    for (let count = 0; count < 3; count++) cluster.append(old)
    cluster.world.advance(8_000)
    const leader = cluster.leader as SimNode
    cluster.append(leader)
    cluster.world.network.heal()
    cluster.world.advance(4_000)
    expect(cluster.holds(old, 'key-2')).toBe(false)
    expect(cluster.imageOf(old)).toBe(cluster.imageOf(leader))
    cluster.checkLogs()
  })

  it('gives a snapshot to a follower that the log does not reach back to', () => {
    const cluster = led()
    const [leader, late] = [cluster.node(1), cluster.node(3)]
    cluster.crash(late)
    for (let count = 0; count < 40; count++) cluster.append(leader)
    cluster.world.advance(200)
    cluster.snapshot(leader)
    cluster.append(leader)
    cluster.start(late)
    cluster.world.advance(500)
    expect(late.log.logStartOffset).toBeGreaterThan(0)
    expect(late.log.logEndOffset).toBe(leader.log.logEndOffset)
    expect(cluster.imageOf(late)).toBe(cluster.imageOf(leader))
  })

  it('says how far voters and observers have come', () => {
    const cluster = led({ voters: 3, observers: 1 })
    const { voters, observers, leaderId, leaderEpoch } = cluster.node(1).log.describe()
    expect({ leaderId, leaderEpoch }).toEqual({ leaderId: 1, leaderEpoch: 1 })
    const nowMs = cluster.world.clock.wallMs()
    expect(voters.map(({ replicaId, logEndOffset }) => [replicaId, logEndOffset])).toEqual([
      [1, 2],
      [2, 2],
      [3, 2],
    ])
    expect(observers.map(({ replicaId, logEndOffset }) => [replicaId, logEndOffset])).toEqual([[4, 2]])
    for (const replica of [...voters, ...observers]) {
      expect(nowMs - replica.lastFetchTimestamp).toBeLessThan(600)
      expect(nowMs - replica.lastCaughtUpTimestamp).toBeLessThan(600)
    }
    expect(cluster.node(2).log.describe()).toMatchObject({ voters: [], observers: [], leaderId: 1 })
  })
})

describe('an observer', () => {
  it('finds the leader and follows it, and never votes or leads', () => {
    const cluster = led({ voters: 1, observers: 2 })
    const observer = cluster.node(2)
    expect(observer.log.role).toBe('follower')
    expect(cluster.holds(observer, 'key-1')).toBe(true)
    cluster.crash(cluster.node(1))
    cluster.world.advance(10_000)
    expect(observer.log.role).not.toBe('leader')
    cluster.start(cluster.node(1))
    cluster.world.advance(1000)
    expect(cluster.node(1).log.leaderEpoch).toBe(2)
    expect(cluster.nodes.map(({ log }) => log.leaderEpoch)).toEqual([2, 2, 2])
  })

  it('follows the next leader', () => {
    const cluster = led({ voters: 3, observers: 1 })
    cluster.stop(cluster.node(1))
    cluster.world.advance(1000)
    const leader = cluster.leader as SimNode
    cluster.append(leader)
    cluster.world.advance(100)
    expect(cluster.imageOf(cluster.node(4))).toBe(cluster.imageOf(leader))
    expect(others(cluster, leader).every(({ life }) => life?.log.isLeader !== true)).toBe(true)
  })
})

describe('a voter whose disk fails', () => {
  it('leads no more, and the others go on', () => {
    const cluster = led()
    cluster.node(1).disk?.failAt(1, 'EIO', { forever: true })
    cluster.append(cluster.node(1))
    cluster.world.advance(8000)
    expect(cluster.node(1).log.isLeader).toBe(false)
    expect([2, 3]).toContain(cluster.leader?.id)
  })
})
