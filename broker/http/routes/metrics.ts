/** `/metrics`: the exposition format of Prometheus. The library is loaded by the first scrape. */
import type { FastifyInstance } from 'fastify'
import type { ClusterView } from '../cluster-view.ts'

export function metricRoutes(server: FastifyInstance, cluster: ClusterView): void {
  let exposition: Promise<{ contentType: string; metrics(): Promise<string> }> | undefined
  server.get('/metrics', async (_request, reply) => {
    exposition ??= import('../exposition.ts').then(({ createExposition }) => createExposition(cluster))
    const registry = await exposition
    return reply.type(registry.contentType).send(await registry.metrics())
  })
}
