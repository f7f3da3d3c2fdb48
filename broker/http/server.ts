/**
 * The HTTP interface of a cluster: health, metrics, views, and what may be done to its brokers.
 *
 * Owner: whoever opened its port (`open-http.ts`); it holds no state of its own. Limits: request bodies of a kilobyte, short header and URL
 * limits; requests with a foreign `Host` or `Origin` are refused before any route.
 */
import fastify, { type FastifyInstance } from 'fastify'
import type { ControlledCluster } from './cluster-control.ts'
import type { ClusterView } from './cluster-view.ts'
import { HostGuard } from './host-guard.ts'
import { brokerRoutes } from './routes/brokers.ts'
import { clusterRoutes } from './routes/cluster.ts'
import { groupRoutes } from './routes/groups.ts'
import { healthRoutes } from './routes/health.ts'
import { metricRoutes } from './routes/metrics.ts'
import { topicRoutes } from './routes/topics.ts'

export interface HttpServerOptions {
  /** Host names besides those of the loopback interface under which it may be addressed. */
  readonly allowedHosts?: readonly string[]
  /** Whose brokers may be stopped, killed, started and so on; absent: only looking is allowed. */
  readonly control?: ControlledCluster | undefined
  /** Whether all is in place that clients shall find; until then the cluster is not ready. */
  readonly isPrepared?: () => boolean
}

/** For whoever looks around. */
const PLACES = 'There are /health/ready, /metrics, /api/cluster, /api/brokers, /api/topics and /api/groups.'

const MAX_BODY_BYTES = 1024
/** Topic names are the longest thing in a path; escaped they take three characters each. */
const MAX_PARAMETER_LENGTH = 3 * 1024

export function createHttpServer(cluster: ClusterView, options: HttpServerOptions = {}): FastifyInstance {
  const guard = new HostGuard(options.allowedHosts)
  const server = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
  })
  server.addHook('onRequest', async (request, reply) => {
    // Answers are for tools and pages of this interface only; nobody may frame or keep them.
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    if (!guard.isAllowedHost(request.headers.host)) {
      return reply.code(403).send({
        error: 'FOREIGN_HOST',
        message: `This interface does not answer to the host name ${request.headers.host ?? '(none)'}.`,
      })
    }
    if (!guard.isAllowedOrigin(request.headers.origin)) {
      return reply.code(403).send({
        error: 'FOREIGN_ORIGIN',
        message: 'This interface does not answer to pages of other sites.',
      })
    }
  })
  server.setNotFoundHandler((request, reply) =>
    reply.code(404).send({
      error: 'NOT_FOUND',
      message: `There is nothing at ${request.method} ${request.url}. ${PLACES}`,
    }),
  )
  server.setErrorHandler((error: { statusCode?: number; message: string }, _request, reply) => {
    const status = error.statusCode ?? 500
    const isOurs = status >= 500
    return reply.code(status).send({
      error: isOurs ? 'INTERNAL' : 'INVALID_REQUEST',
      message: isOurs ? 'The request failed inside the server.' : error.message,
    })
  })
  healthRoutes(server, cluster, options.isPrepared)
  metricRoutes(server, cluster)
  clusterRoutes(server, cluster)
  topicRoutes(server, cluster)
  groupRoutes(server, cluster)
  brokerRoutes(server, options.control)
  return server
}
