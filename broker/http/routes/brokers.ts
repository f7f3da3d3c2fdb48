/**
 * `/api/brokers`: the brokers as processes. With `POST /api/brokers/ID/ACTION` they are stopped, killed, frozen and so on, so that somebody
 * may watch what their clients make of it; `POST /api/brokers` adds one, `DELETE /api/brokers/ID` takes one out for good.
 *
 * Errors: CONTROL_IS_OFF (403) when this interface may only look, UNKNOWN_BROKER (404), WRONG_STATE (409) when the broker is not in a state
 * for it, NOT_READY (503) when it starts but does not serve clients within the limit, INVALID_REQUEST (400).
 */
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ControlledCluster, ControlledNode, IsolationWay } from '../cluster-control.ts'
import { brokerSchema, brokersSchema, errorSchema } from '../schemas.ts'
import { NotReadyYet, startWithinLimit } from '../start-limit.ts'

interface ActionBody {
  readonly loseTail?: boolean
  readonly way?: IsolationWay
}

type Act = (cluster: ControlledCluster, node: ControlledNode, body: ActionBody) => Promise<void> | void

const ACTIONS: Readonly<Record<string, Act>> = {
  start: (cluster, node) => startWithinLimit(cluster, node.start()),
  stop: (_, node) => node.stop(),
  kill: (_, node, { loseTail = false }) => node.kill({ loseTail }),
  freeze: (_, node) => node.freeze(),
  thaw: (_, node) => node.thaw(),
  isolate: (cluster, { nodeId }, { way = 'both' }) => cluster.isolate(nodeId, { way }),
  heal: (cluster, { nodeId }) => cluster.heal(nodeId),
}

/** Names of what may be done to a broker that is there. */
export const BROKER_ACTIONS: readonly string[] = Object.keys(ACTIONS)

const idSchema = {
  type: 'object',
  properties: { id: { type: 'integer', minimum: 0, maximum: 0x7fffffff } },
  required: ['id'],
}

const actionSchema = {
  params: {
    ...idSchema,
    properties: { ...idSchema.properties, action: { type: 'string', enum: BROKER_ACTIONS } },
    required: ['id', 'action'],
  },
  body: {
    type: ['object', 'null'],
    properties: { loseTail: { type: 'boolean' }, way: { type: 'string', enum: ['both', 'in', 'out'] } },
    additionalProperties: false,
  },
}

const newBrokerSchema = {
  type: ['object', 'null'],
  properties: {
    rack: { type: 'string', minLength: 1, maxLength: 249 },
    port: { type: 'integer', minimum: 0, maximum: 65_535 },
  },
  additionalProperties: false,
}

const errors = { 400: errorSchema, 403: errorSchema, 404: errorSchema, 409: errorSchema, 503: errorSchema }

/** @param cluster undefined: only looking is allowed */
export function brokerRoutes(server: FastifyInstance, cluster: ControlledCluster | undefined): void {
  server.get('/api/brokers', { schema: { response: { 200: brokersSchema, ...errors } } }, (_, reply) => {
    if (cluster === undefined) return refuseControl(reply)
    return { brokers: cluster.nodes.map(viewOf) }
  })

  server.post<{ Body: { rack?: string; port?: number } | null }>(
    '/api/brokers',
    { schema: { body: newBrokerSchema, response: { 201: brokerSchema, ...errors } } },
    async (request, reply) => {
      if (cluster === undefined) return refuseControl(reply)
      return carryOut(reply, async () => {
        const added = await startWithinLimit(cluster, cluster.addBroker(request.body ?? {}))
        return reply.code(201).send(viewOf(added))
      })
    },
  )

  server.post<{ Params: { id: number; action: string }; Body: ActionBody | null }>(
    '/api/brokers/:id/:action',
    { schema: { ...actionSchema, response: { 200: brokerSchema, ...errors } } },
    async ({ params, body }, reply) => {
      if (cluster === undefined) return refuseControl(reply)
      const node = cluster.nodes.find(({ nodeId }) => nodeId === params.id)
      if (node === undefined) return refuseUnknown(reply, params.id)
      return carryOut(reply, async () => {
        await ACTIONS[params.action]?.(cluster, node, body ?? {})
        return viewOf(node)
      })
    },
  )

  server.delete<{ Params: { id: number } }>(
    '/api/brokers/:id',
    { schema: { params: idSchema, response: errors } },
    async ({ params }, reply) => {
      if (cluster === undefined) return refuseControl(reply)
      if (!cluster.nodes.some(({ nodeId }) => nodeId === params.id)) return refuseUnknown(reply, params.id)
      return carryOut(reply, async () => {
        await cluster.removeBroker(params.id)
        return reply.code(204).send()
      })
    },
  )
}

/** What the cluster cannot do in its present state it says in an Error. */
async function carryOut(reply: FastifyReply, work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (error instanceof NotReadyYet) return reply.code(503).send({ error: 'NOT_READY', message })
    return reply.code(409).send({ error: 'WRONG_STATE', message })
  }
}

function refuseControl(reply: FastifyReply): FastifyReply {
  return reply.code(403).send({
    error: 'CONTROL_IS_OFF',
    message: 'This interface may only look. Start with --http-control to let it act.',
  })
}

function refuseUnknown(reply: FastifyReply, nodeId: number): FastifyReply {
  return reply.code(404).send({ error: 'UNKNOWN_BROKER', message: `There is no broker ${nodeId}.` })
}

function viewOf({ nodeId, state, advertisedAddresses }: ControlledNode) {
  return {
    nodeId,
    state,
    listeners: [...advertisedAddresses].map(([name, { host, port }]) => ({ name, host, port })),
  }
}
