import { describe, expect, it } from 'vitest'
import { SimCluster } from './cluster/sim-cluster.ts'
import { startError } from './cluster/start-error.ts'
import { simulationSettings } from './settings.ts'

async function started(): Promise<SimCluster> {
  const cluster = new SimCluster({ seed: 'lives', brokers: 3, settings: simulationSettings() })
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
})
