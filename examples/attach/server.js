import { startCluster } from 'kafkito'

const cluster = await startCluster({ bootstrapServers: '' })
process.send(cluster.bootstrapServers)
