/** A broker that lives until its standard input ends. Arguments: data directory, settings as JSON. */
import { startCluster } from '../../broker/cluster.ts'

const [dataDir = '', config = '{}'] = process.argv.slice(2)
const cluster = await startCluster({ dataDir, config: JSON.parse(config) as Record<string, string> })
process.stdout.write(`READY ${cluster.bootstrapServers}\n`)
process.stdin.resume()
process.stdin.once('end', () => {
  void cluster.stop().then(() => process.exit(0))
})
