/** `/api/groups` and `/api/groups/ID`: consumer groups, and the members and lag of one. */
import type { FastifyInstance } from 'fastify'
import type { ClusterView } from '../cluster-view.ts'
import {
  errorSchema,
  groupSchema,
  groupsSchema,
  nameParameter,
  type PageQuery,
  pageQuerySchema,
} from '../schemas.ts'
import { groupSnapshots } from '../snapshots.ts'

/** Kafka sets no bound; a longer id does not fit into a URL anyhow. */
const MAX_GROUP_ID_LENGTH = 1024

export function groupRoutes(server: FastifyInstance, cluster: ClusterView): void {
  server.get<{ Querystring: PageQuery }>(
    '/api/groups',
    { schema: { querystring: pageQuerySchema, response: { 200: groupsSchema } } },
    ({ query: { offset, limit } }) => {
      const groups = groupSnapshots(cluster)
      return { groups: groups.slice(offset, offset + limit), totalCount: groups.length }
    },
  )

  server.get<{ Params: { group: string } }>(
    '/api/groups/:group',
    {
      schema: {
        params: nameParameter('group', MAX_GROUP_ID_LENGTH),
        response: { 200: groupSchema, 404: errorSchema },
      },
    },
    ({ params }, reply) => {
      const [group] = groupSnapshots(cluster, params.group)
      if (group !== undefined) return group
      return reply
        .code(404)
        .send({ error: 'GROUP_ID_NOT_FOUND', message: `There is no group ${params.group}.` })
    },
  )
}
