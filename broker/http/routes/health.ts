/**
 * `/health/live`: the process answers. `/health/ready`: every broker is registered and not fenced, so clients are served, and they find what
 * was to be put in place for them.
 */
import type { FastifyInstance } from 'fastify'
import type { ClusterView } from '../cluster-view.ts'
import { healthSchema, liveSchema } from '../schemas.ts'

export function healthRoutes(
  server: FastifyInstance,
  cluster: ClusterView,
  isPrepared: () => boolean = () => true,
): void {
  server.get('/health/live', { schema: { response: { 200: liveSchema } } }, () => ({ status: 'live' }))

  server.get(
    '/health/ready',
    { schema: { response: { 200: healthSchema, 503: healthSchema } } },
    (_request, reply) => {
      const fencedBrokers = cluster.brokers
        .filter(({ nodeId, services }) => !services.metadata.isBrokerActive(nodeId))
        .map(({ nodeId }) => nodeId)
      const isServing = cluster.brokers.length > 0 && fencedBrokers.length === 0
      const status = !isServing ? 'not ready' : isPrepared() ? 'ready' : 'seeding'
      return reply.code(status === 'ready' ? 200 : 503).send({ status, fencedBrokers })
    },
  )
}
