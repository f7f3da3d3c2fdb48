/**
 * `globalSetup: 'kafkito/jest/setup'`: one cluster for the whole run; workers find it by KAFKITO_BOOTSTRAP, which `startCluster` and `useKafka`
 * look at. Does nothing when that is set already.
 */
import { startCluster } from './start-cluster.ts'
import type { TestCluster } from './test-cluster.ts'

/** Where the tear-down, which is a module of its own to jest, finds the cluster. */
const PLACE = Symbol.for('kafkito.jest')

async function setup(): Promise<void> {
  if (process.env.KAFKITO_BOOTSTRAP !== undefined) return
  const cluster = await startCluster()
  process.env.KAFKITO_BOOTSTRAP = cluster.bootstrapServers
  ;(globalThis as { [PLACE]?: TestCluster })[PLACE] = cluster
}

export async function teardown(): Promise<void> {
  const place = globalThis as { [PLACE]?: TestCluster }
  await place[PLACE]?.stop()
  delete place[PLACE]
}

// biome-ignore lint/style/noDefaultExport: jest takes nothing else
export { setup as default, setup }
