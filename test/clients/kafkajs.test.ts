import { afterAll, beforeAll, describe, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/index.ts'
import { kafkajsCases } from '../interop/kafkajs/cases.ts'
import { makeLines } from '../interop/lib/text.ts'

let cluster: Cluster

beforeAll(async () => {
  // Some records are from the past: retention, which begins after half a minute, must leave them alone.
  const config = { 'group.initial.rebalance.delay.ms': 0, 'log.initial.task.delay.ms': 3_600_000 }
  cluster = await startCluster({ profile: 'kafka', config })
})

afterAll(async () => {
  await cluster.stop()
})

/** The cases that foreign clients run in the interop suite; here in memory, with a shorter text. */
describe('kafkajs, as it comes from its package', () => {
  const lines = makeLines(20_000)
  const names = kafkajsCases({ bootstrap: '', replication: 1, lines }).map(({ name }) => name)
  for (const [index, name] of names.entries()) {
    it(name, async () => {
      const cases = kafkajsCases({ bootstrap: cluster.bootstrapServers, replication: 1, lines })
      await cases[index]?.run()
    })
  }
})
