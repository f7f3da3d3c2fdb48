import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/cluster.ts'
import { FindCoordinator } from '../../common/protocol/apis/10-find-coordinator.ts'
import { rawClient } from '../support/raw-client.ts'

let dataDir: string

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'kafkito-internal-'))
})

afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true })
})

function policyOf(cluster: Cluster, topic: string): string[] | undefined {
  const policy = cluster.brokers[0]?.services.logs.get({ topic, partition: 0 })?.config.cleanupPolicy
  return policy === undefined ? undefined : [...policy]
}

async function createInternalTopics(bootstrapServers: string): Promise<void> {
  const client = rawClient(bootstrapServers)
  for (const keyType of [0, 1]) {
    for (let isFound = false; !isFound; ) {
      const { coordinators } = await client.call(FindCoordinator, { keyType, coordinatorKeys: ['any'] })
      isFound = coordinators[0]?.errorCode === 0
    }
  }
  client.close()
}

describe('the logs of internal topics', () => {
  it('are compacted when they are made, and when they are loaded again', async () => {
    const before = await startCluster({ dataDir })
    await createInternalTopics(before.bootstrapServers)
    const topics = ['__consumer_offsets', '__transaction_state']
    expect(topics.map((topic) => policyOf(before, topic))).toEqual([['compact'], ['compact']])
    await before.stop()
    const after = await startCluster({ dataDir })
    expect(topics.map((topic) => policyOf(after, topic))).toEqual([['compact'], ['compact']])
    await after.stop()
  })
})
