/**
 * Behaviour: the brokers that are alive, and for the topics asked (null: all) their partitions with leader, replicas and ISR. Topics that
 *   do not exist are created when broker and request allow it; until they are there the answer says so.
 * Versions: v0 an empty list means all topics; v4 the client may forbid creation; v5 offline replicas; v7 leader epochs; v8 authorised
 *   operations; v10 topic ids; v12 topics may be asked by id alone; v13 an error for the whole answer.
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, INVALID_TOPIC_EXCEPTION per topic; LEADER_NOT_AVAILABLE, LISTENER_NOT_FOUND per
 *   partition; INVALID_REQUEST for what only a later version may ask.
 * Deviations: none.
 */
import { Metadata } from '../../common/protocol/apis/03-metadata.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { type RequestOf, type ResponseInputOf, ZERO_UUID } from '../../common/protocol/schema.ts'
import type { TopicImage } from '../metadata/image.ts'
import type { RequestContext } from '../network/request-context.ts'
import { isInternalTopic, topicNameProblem } from '../topic-names.ts'
import { clusterOperations, topicOperations } from './authorized-operations.ts'
import { defineHandler } from './handler.ts'
import { activeControllerId, liveBrokers, partitionPlacement } from './topic-view.ts'

type Request = RequestOf<typeof Metadata>
type TopicAnswer = NonNullable<ResponseInputOf<typeof Metadata>['topics']>[number]

function describe(context: RequestContext, topic: TopicImage, withOperations: boolean): TopicAnswer {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.map((partition, partitionIndex) => {
      const placement = partitionPlacement(context.broker, partition, context.connection.listener.name)
      return { partitionIndex, ...placement, replicaNodes: partition.replicas, isrNodes: partition.isr }
    }),
    ...(withOperations ? { topicAuthorizedOperations: topicOperations(context, topic.name) } : {}),
  }
}

function missing(errorCode: ErrorCode, name: string | null, topicId = ZERO_UUID): TopicAnswer {
  return { errorCode, name, topicId, isInternal: name !== null && isInternalTopic(name), partitions: [] }
}

function topicsOf(context: RequestContext, request: Request): TopicAnswer[] {
  const { broker, apiVersion } = context
  const { topicsByName, topicsById } = broker.metadata
  const withOperations = request.includeTopicAuthorizedOperations
  if (request.topics === null || (apiVersion === 0 && request.topics.length === 0)) {
    return [...topicsByName.values()].map((topic) => describe(context, topic, withOperations))
  }
  const usesIds = request.topics.some(({ topicId }) => topicId !== ZERO_UUID)
  if (usesIds) {
    return request.topics.map(({ topicId }) => {
      const topic = topicsById.get(topicId)
      // A name is not told for an id that leads nowhere; older versions cannot say null.
      return topic === undefined
        ? missing(ErrorCode.UNKNOWN_TOPIC_ID, apiVersion >= 12 ? null : '', topicId)
        : describe(context, topic, withOperations)
    })
  }
  const known: TopicAnswer[] = []
  const unknown: string[] = []
  for (const name of new Set(request.topics.map((topic) => topic.name as string))) {
    const topic = topicsByName.get(name)
    if (topic === undefined) unknown.push(name)
    else known.push(describe(context, topic, withOperations))
  }
  return [...missingTopics(context, request, unknown), ...known]
}

function missingTopics(context: RequestContext, request: Request, names: readonly string[]): TopicAnswer[] {
  const mayCreate =
    request.allowAutoTopicCreation && context.broker.settings.config.get('auto.create.topics.enable')
  const toCreate: string[] = []
  const answers = names.map((name) => {
    if (topicNameProblem(name) !== undefined) return missing(ErrorCode.INVALID_TOPIC_EXCEPTION, name)
    if (mayCreate) toCreate.push(name)
    return missing(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, name)
  })
  if (toCreate.length > 0) context.broker.topicCreator.createSoon(toCreate)
  return answers
}

function invalidRequest(context: RequestContext, request: Request): boolean {
  if (request.topics === null) return false
  const { apiVersion } = context
  return request.topics.some(
    ({ name, topicId }) =>
      (name === null && (apiVersion < 12 || topicId === ZERO_UUID)) ||
      (apiVersion < 12 && topicId !== ZERO_UUID),
  )
}

export const metadata = defineHandler(Metadata, {
  versions: '0-13',
  runsOn: 'any',
  handle: (context, request) => {
    const { broker, apiVersion, connection } = context
    if (invalidRequest(context, request)) return refuse(request, ErrorCode.INVALID_REQUEST)
    const wantsClusterOperations =
      apiVersion >= 8 && apiVersion <= 10 && request.includeClusterAuthorizedOperations
    return {
      brokers: liveBrokers(broker, connection.listener.name),
      clusterId: broker.clusterId,
      controllerId: activeControllerId(broker),
      topics: topicsOf(context, request),
      ...(wantsClusterOperations ? { clusterAuthorizedOperations: clusterOperations(context) } : {}),
    }
  },
  refuse,
})

function refuse(request: Request, error: Exclude<ErrorCode, 0>): ResponseInputOf<typeof Metadata> {
  return {
    brokers: [],
    topics: (request.topics ?? []).map(({ name, topicId }) => missing(error, name ?? '', topicId)),
    errorCode: error,
  }
}
