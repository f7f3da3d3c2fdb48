/**
 * `/health/live`: the process answers. `/health/ready`: every broker is registered and not fenced, so clients are served.
 */
import type { FastifyInstance } from 'fastify'
import type { ClusterView } from '../cluster-view.ts'
import { healthSchema, liveSchema } from '../schemas.ts'

export function healthRoutes(server: FastifyInstance, cluster: ClusterView): void {
  server.get('/health/live', { schema: { response: { 200: liveSchema } } }, () => ({ status: 'live' }))

  server.get(
    '/health/ready',
    { schema: { response: { 200: healthSchema, 503: healthSchema } } },
    (_request, reply) => {
      const fencedBrokers = cluster.brokers
        .filter(({ nodeId, services }) => !services.metadata.isBrokerActive(nodeId))
        .map(({ nodeId }) => nodeId)
      const isReady = cluster.brokers.length > 0 && fencedBrokers.length === 0
      return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'not ready', fencedBrokers })
    },
  )
}
