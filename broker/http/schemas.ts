/**
 * JSON schemas of what the HTTP interface answers. Fastify compiles them to serialisers, so a field that is not listed does not leave.
 */
type Schema = Readonly<Record<string, unknown>>

const text: Schema = { type: 'string' }
const textOrNull: Schema = { type: ['string', 'null'] }
const integer: Schema = { type: 'integer' }
const flag: Schema = { type: 'boolean' }
const listOf = (items: Schema): Schema => ({ type: 'array', items })
const object = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
})

export const errorSchema = object({ error: text, message: text })

export const healthSchema = object({ status: text, fencedBrokers: listOf(integer) })
export const liveSchema = object({ status: text })

export const clusterSchema = object({
  clusterId: text,
  bootstrapServers: text,
  metadataOffset: integer,
  topicCount: integer,
  partitionCount: integer,
  underReplicatedPartitionCount: integer,
  offlinePartitionCount: integer,
  features: { type: 'object', additionalProperties: integer },
  brokers: listOf(
    object({
      nodeId: integer,
      rack: textOrNull,
      isFenced: flag,
      listeners: listOf(object({ name: text, host: text, port: integer })),
      leaderCount: integer,
      replicaCount: integer,
    }),
  ),
})

/** A broker as a process. */
export const brokerSchema = object({
  nodeId: integer,
  state: text,
  listeners: listOf(object({ name: text, host: text, port: integer })),
})
export const brokersSchema = object({ brokers: listOf(brokerSchema) })

const topicSummaryFields = {
  name: text,
  topicId: text,
  isInternal: flag,
  partitionCount: integer,
  replicationFactor: integer,
  underReplicatedPartitionCount: integer,
  sizeBytes: integer,
}
export const topicsSchema = object({ topics: listOf(object(topicSummaryFields)), totalCount: integer })
export const topicSchema = object({
  ...topicSummaryFields,
  partitions: listOf(
    object({
      partition: integer,
      leaderId: integer,
      leaderEpoch: integer,
      replicas: listOf(integer),
      isr: listOf(integer),
      sizeBytes: integer,
      logStartOffset: integer,
      logEndOffset: integer,
      highWatermark: integer,
      lastStableOffset: integer,
    }),
  ),
})

const groupSummaryFields = { groupId: text, type: text, state: text, memberCount: integer }
export const groupsSchema = object({ groups: listOf(object(groupSummaryFields)), totalCount: integer })
export const groupSchema = object({
  ...groupSummaryFields,
  members: listOf(object({ memberId: text, clientId: text, clientHost: text })),
  offsets: listOf(
    object({
      topic: text,
      partition: integer,
      committedOffset: integer,
      logEndOffset: integer,
      lag: integer,
    }),
  ),
})

/** Lists are cut to pages, so that ten thousand topics do not become one answer. */
export const maxPageSize = 1000
export const pageQuerySchema: Schema = {
  type: 'object',
  properties: {
    offset: { type: 'integer', minimum: 0, default: 0 },
    limit: { type: 'integer', minimum: 1, maximum: maxPageSize, default: 100 },
  },
  additionalProperties: false,
}

export interface PageQuery {
  readonly offset: number
  readonly limit: number
}

export function nameParameter(name: string, maxLength: number): Schema {
  return {
    type: 'object',
    properties: { [name]: { type: 'string', minLength: 1, maxLength } },
    required: [name],
  }
}
