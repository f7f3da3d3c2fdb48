/**
 * Behaviour: topics in name order with their partitions, eligible leader replicas and last known ones (KIP-966); a page holds at most
 *   `responsePartitionLimit` partitions and names where the next begins.
 * Versions: v0.
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION per topic; INVALID_REQUEST for a cursor with a negative partition. None of a
 *   partition that has no leader.
 * Deviations: none.
 */
import { DescribeTopicPartitions } from '../../common/protocol/apis/75-describe-topic-partitions.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { type RequestOf, type ResponseInputOf, ZERO_UUID } from '../../common/protocol/schema.ts'
import type { TopicImage } from '../metadata/image.ts'
import type { RequestContext } from '../network/request-context.ts'
import { isInternalTopic, topicNameProblem } from '../topic-names.ts'
import { topicOperations } from './authorized-operations.ts'
import { defineHandler } from './handler.ts'
import { partitionPlacement } from './topic-view.ts'

type Request = RequestOf<typeof DescribeTopicPartitions>
type Response = ResponseInputOf<typeof DescribeTopicPartitions>
type TopicAnswer = Response['topics'][number]

function describe(context: RequestContext, topic: TopicImage, from: number, limit: number): TopicAnswer {
  const { broker, connection } = context
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.slice(from, from + limit).map((partition, index) => ({
      ...partitionPlacement(broker, partition, connection.listener.name),
      // Unlike Metadata: that there is no leader says the leader itself, and the eligible replicas are wanted just then.
      errorCode: ErrorCode.NONE,
      partitionIndex: from + index,
      replicaNodes: partition.replicas,
      isrNodes: partition.isr,
      eligibleLeaderReplicas: partition.elr,
      lastKnownElr: partition.lastKnownElr,
    })),
    topicAuthorizedOperations: topicOperations(context, topic.name),
  }
}

function missing(context: RequestContext, name: string): TopicAnswer {
  const errorCode =
    topicNameProblem(name) === undefined
      ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      : ErrorCode.INVALID_TOPIC_EXCEPTION
  return {
    errorCode,
    name,
    topicId: ZERO_UUID,
    isInternal: isInternalTopic(name),
    partitions: [],
    topicAuthorizedOperations: topicOperations(context, name),
  }
}

function wantedNames(context: RequestContext, request: Request): string[] {
  const all = request.topics.length === 0
  const names = all
    ? [...context.broker.metadata.topicsByName.keys()]
    : request.topics.map(({ name }) => name)
  const from = request.cursor?.topicName ?? ''
  return [...new Set(names)].filter((name) => name >= from).sort()
}

export const describeTopicPartitions = defineHandler(DescribeTopicPartitions, {
  versions: '0',
  runsOn: 'any',
  handle: (context, request) => {
    const { cursor } = request
    if (cursor !== null && cursor.partitionIndex < 0) return refuse(request, ErrorCode.INVALID_REQUEST)
    const { topicsByName } = context.broker.metadata
    const maxPartitions = context.broker.settings.config.get('max.request.partition.size.limit')
    let left = Math.max(1, Math.min(request.responsePartitionLimit, maxPartitions))
    const topics: TopicAnswer[] = []
    for (const name of wantedNames(context, request)) {
      const topic = topicsByName.get(name)
      const first = cursor?.topicName === name ? cursor.partitionIndex : 0
      if (topic === undefined) {
        topics.push(missing(context, name))
        continue
      }
      if (left === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } }
      const answer = describe(context, topic, first, left)
      topics.push(answer)
      left -= answer.partitions.length
      const next = first + answer.partitions.length
      if (next < topic.partitions.length)
        return { topics, nextCursor: { topicName: name, partitionIndex: next } }
    }
    return { topics }
  },
  refuse,
})

function refuse(request: Request, error: Exclude<ErrorCode, 0>): Response {
  return {
    topics: request.topics.map(({ name }) => ({
      errorCode: error,
      name,
      topicId: ZERO_UUID,
      partitions: [],
    })),
  }
}
