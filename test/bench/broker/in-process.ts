/** From the call of `startCluster` to the answer of a first request; once cold, then as the median of later starts. */
import { startCluster } from '../../../broker/index.ts'
import { ApiVersions } from '../../../common/protocol/apis/18-api-versions.ts'
import { ask } from './admin.ts'

async function once(): Promise<number> {
  const startMs = performance.now()
  const cluster = await startCluster()
  await ask(cluster.bootstrapServers, ApiVersions, 0, {})
  const tookMs = performance.now() - startMs
  await cluster.stop()
  return tookMs
}

const coldMs = await once()
const later: number[] = []
for (let round = 0; round < 20; round++) later.push(await once())
later.sort((left, right) => left - right)
console.log(JSON.stringify({ coldMs, warmMs: later[10] }))
