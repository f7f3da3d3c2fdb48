/** `/api/topics` and `/api/topics/NAME`: topics by name, and the partitions of one. */
import type { FastifyInstance } from 'fastify'
import { MAX_TOPIC_NAME_LENGTH } from '../../topic-names.ts'
import type { ClusterView } from '../cluster-view.ts'
import {
  errorSchema,
  nameParameter,
  type PageQuery,
  pageQuerySchema,
  topicSchema,
  topicsSchema,
} from '../schemas.ts'
import { topicSnapshots } from '../snapshots.ts'

export function topicRoutes(server: FastifyInstance, cluster: ClusterView): void {
  server.get<{ Querystring: PageQuery }>(
    '/api/topics',
    { schema: { querystring: pageQuerySchema, response: { 200: topicsSchema } } },
    ({ query: { offset, limit } }) => {
      const topics = topicSnapshots(cluster)
      return { topics: topics.slice(offset, offset + limit), totalCount: topics.length }
    },
  )

  server.get<{ Params: { topic: string } }>(
    '/api/topics/:topic',
    {
      schema: {
        params: nameParameter('topic', MAX_TOPIC_NAME_LENGTH),
        response: { 200: topicSchema, 404: errorSchema },
      },
    },
    ({ params }, reply) => {
      const [topic] = topicSnapshots(cluster, params.topic)
      if (topic !== undefined) return topic
      return reply
        .code(404)
        .send({ error: 'UNKNOWN_TOPIC_OR_PARTITION', message: `There is no topic ${params.topic}.` })
    },
  )
}
