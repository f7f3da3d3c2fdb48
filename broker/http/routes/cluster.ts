/** `/api/cluster`: the brokers and what they carry. */
import type { FastifyInstance } from 'fastify'
import type { ClusterView } from '../cluster-view.ts'
import { clusterSchema } from '../schemas.ts'
import { clusterSnapshot } from '../snapshots.ts'

export function clusterRoutes(server: FastifyInstance, cluster: ClusterView): void {
  server.get('/api/cluster', { schema: { response: { 200: clusterSchema } } }, () => clusterSnapshot(cluster))
}
