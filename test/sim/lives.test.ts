import { describe, expect, it } from 'vitest'
import { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import { SeededRandom } from '../../common/runtime/seeded-random.ts'
import { Producer } from './clients/producer.ts'
import { Ledger } from './cluster/ledger.ts'
import { SimCluster } from './cluster/sim-cluster.ts'
import { startError } from './cluster/start-error.ts'
import { simulationSettings } from './settings.ts'

async function started(): Promise<SimCluster> {
  const cluster = new SimCluster({
    seed: 'lives',
    brokers: 3,
    settings: simulationSettings(new SeededRandom('lives')),
  })
  cluster.world.network.setConditions({ delayMs: 1 })
  await cluster.startAll()
  await cluster.run(1_000)
  return cluster
}

describe('a broker', () => {
  it('that is killed in any moment of its start does not go on with it', async () => {
    const cluster = await started()
    const node = cluster.node(3)
    const { network } = cluster.world
    for (let turns = 0; turns < 25; turns++) {
      node.kill()
      const start = startError(node.open().then(() => node.join()))
      const broker = node.broker
      for (let turn = 0; turn < turns; turn++) {
        await cluster.run(1)
        if (turn % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      const wasRunning = node.state === 'running'
      node.kill()
      if (!wasRunning) expect(await start).toMatch(/was stopped while it started/)
      await cluster.run(500)
      expect(node.state).toBe('down')
      expect(network.openLinks('broker-3')).toBe(0)
      expect(
        [...(broker?.services.replicas.partitions() ?? [])].filter(({ log }) => log !== undefined),
      ).toEqual([])
    }
  })

  it('that is killed in any moment of its clean stop leaves no proof of a clean end', async () => {
    const cluster = await started()
    const node = cluster.node(3)
    for (let ms = 0; ms < 12; ms++) {
      const stop = node.stop()
      await cluster.run(ms)
      if (node.state === 'down') break
      node.kill()
      await stop
      await cluster.run(500)
      expect(node.disk.list('/data')).not.toContain('.kafka_cleanshutdown')
      await cluster.run(2_500)
      cluster.start(node)
      await cluster.runUntil(() => node.state === 'running', 20_000, 'the broker to run')
    }
  })

  it('that cannot read its disk when it starts lets go of it, and starts when the disk is whole again', async () => {
    const cluster = await started()
    const node = cluster.node(3)
    node.kill()
    // The first call finds the directory; then it is locked and read.
    node.failDiskCall(2, true)
    expect(await startError(node.open())).toMatch(/disk|director/i)
    expect(node.state).toBe('down')
    node.repairDisk()
    cluster.start(node)
    await cluster.runUntil(() => node.state === 'running', 20_000, 'the broker to run')
  })

  it('is another incarnation each time it starts, also with chance from a seed', async () => {
    const cluster = await started()
    const node = cluster.node(3)
    const before = cluster.image?.brokers.get(3)
    node.kill()
    cluster.start(node)
    await cluster.runUntil(() => node.state === 'running', 20_000, 'the broker to run')
    const after = cluster.image?.brokers.get(3)
    expect(after?.incarnationId).not.toBe(before?.incarnationId)
    expect(after?.epoch).toBeGreaterThan(before?.epoch as number)
  })

  it('that lost its tail and is back before its session ends does not lead on in its old epoch', async () => {
    const cluster = await started()
    const common = { cluster, ledger: new Ledger(), topics: ['orders'] }
    const producer = new Producer({ ...common, name: 'p', acks: 1, isIdempotent: false, intervalMs: 5 })
    const topic = { name: 'orders', numPartitions: 3, replicationFactor: 3, assignments: [], configs: [] }
    producer.call(1, CreateTopics, { topics: [topic], timeoutMs: 1_000 })
    await cluster.run(500)
    producer.start()
    await cluster.run(1_000)
    const led = cluster.image?.topicsByName
      .get('orders')
      ?.partitions.findIndex(({ leaderId }) => leaderId === 2)
    const node = cluster.node(2)
    node.kill(cluster.world.random.fork('power'))
    const epochs = new Set<number>()
    cluster.onTurn = () => {
      const replica = node.broker?.services.replicas.partition('orders', led as number)
      if (replica?.isLeader === true) epochs.add(replica.leaderEpoch)
    }
    cluster.start(node)
    await cluster.runUntil(() => node.state === 'running', 20_000, 'the broker to run')
    await cluster.run(2_000)
    expect([...epochs].filter((epoch) => epoch === 0)).toEqual([])
    producer.kill()
  })
})
