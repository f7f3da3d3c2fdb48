/**
 * Behaviour: acknowledges what the member was handed out before, and hands out more records of its partitions, each to one member at a time
 *   (KIP-932). The first request opens a session, later ones name changes only; epoch -1 ends it.
 * Versions: v1; v2 an exact limit of records (KIP-1206) and renewed locks (KIP-1222).
 * Errors: INVALID_REQUEST; SHARE_SESSION_NOT_FOUND; INVALID_SHARE_SESSION_EPOCH; SHARE_SESSION_LIMIT_REACHED; UNSUPPORTED_VERSION when share
 *   groups are turned off. For a partition: UNKNOWN_TOPIC_ID; UNKNOWN_TOPIC_OR_PARTITION; NOT_LEADER_OR_FOLLOWER; COORDINATOR_NOT_AVAILABLE;
 *   INVALID_RECORD_STATE for acknowledgements.
 * Deviations: ranges of records that are handed out again are told as long as they go.
 */
import { ShareFetch } from '../../common/protocol/apis/78-share-fetch.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import type { RequestContext } from '../network/request-context.ts'
import type { PartitionAcknowledged, SharedFetchResult } from '../share/share-partition-manager.ts'
import {
  FINAL_EPOCH,
  INITIAL_EPOCH,
  partitionKeyOf,
  type SharedTopicPartition,
} from '../share/share-session-cache.ts'
import type { Result } from '../statemachine/state-machine.ts'
import { defineHandler } from './handler.ts'
import { type LeaderHint, NO_HINT, nodeEndpointsOf, shareLeaderOf } from './leader-hints.ts'
import { acknowledgementsIn } from './share-acknowledgements.ts'
import { areShareGroupsEnabled } from './share-feature.ts'

type Request = RequestOf<typeof ShareFetch>
type Response = ResponseInputOf<typeof ShareFetch>
type PartitionAnswer = Response['responses'][number]['partitions'][number]

const RECORD_LIMIT = 1
const EMPTY = Buffer.alloc(0)

function refused(errorCode: ErrorCode, errorMessage: string | null = null): Response {
  return { errorCode, errorMessage, acquisitionLockTimeoutMs: 0, responses: [], nodeEndpoints: [] }
}

/** What the session asks to be fetched now. */
interface FetchPlan {
  readonly partitions: readonly SharedTopicPartition[]
  /** Whether partitions without news are named too. */
  readonly isFull: boolean
}

function planOf(
  context: RequestContext,
  request: Request,
  ids: { groupId: string; memberId: string },
): Result<FetchPlan> {
  const { sharePartitions } = context.broker
  const { groupId, memberId } = ids
  const named = request.topics.flatMap(({ topicId, partitions }) =>
    partitions.map(({ partitionIndex }) => ({ topicId, partition: partitionIndex })),
  )
  if (request.shareSessionEpoch === FINAL_EPOCH) {
    if (sharePartitions.sessions.get(groupId, memberId) === undefined)
      return { error: ErrorCode.SHARE_SESSION_NOT_FOUND }
    return { error: ErrorCode.NONE, value: { partitions: [], isFull: false } }
  }
  if (request.shareSessionEpoch === INITIAL_EPOCH) {
    if (hasAcknowledgements(request)) return { error: ErrorCode.INVALID_REQUEST }
    const opened = sharePartitions.openSession(groupId, memberId, named, (callback) =>
      context.connection.onClosed(callback),
    )
    if (opened.error !== ErrorCode.NONE) return opened
    return { error: ErrorCode.NONE, value: { partitions: named, isFull: true } }
  }
  const found = sharePartitions.sessions.advance(groupId, memberId, request.shareSessionEpoch)
  if (found.error !== ErrorCode.NONE) return found
  const session = found.value
  for (const partition of named)
    session.partitions.set(partitionKeyOf(partition), sharePartitions.remembered(partition))
  for (const { topicId, partitions } of request.forgottenTopicsData)
    for (const partition of partitions) session.partitions.delete(partitionKeyOf({ topicId, partition }))
  // Each time another partition comes first.
  const all = [...session.partitions.values()]
  const turn = all.length === 0 ? 0 : request.shareSessionEpoch % all.length
  const partitions = [...all.slice(turn), ...all.slice(0, turn)]
  return { error: ErrorCode.NONE, value: { partitions, isFull: false } }
}

function hasAcknowledgements(request: Request): boolean {
  return request.topics.some(({ partitions }) =>
    partitions.some(({ acknowledgementBatches }) => acknowledgementBatches.length > 0),
  )
}

function renewProblem({ isRenewAck, maxBytes, maxRecords, maxWaitMs, minBytes }: Request): boolean {
  return isRenewAck && (maxBytes !== 0 || maxRecords !== 0 || maxWaitMs !== 0 || minBytes !== 0)
}

function responseOf(
  context: RequestContext,
  lockTimeoutMs: number,
  fetched: readonly SharedFetchResult[],
  acknowledged: readonly PartitionAcknowledged[],
): Response {
  const hints: LeaderHint[] = []
  const answers = new Map<string, { topicId: string; answer: PartitionAnswer }>()
  for (const { topicId, partition, error, leader, records, acquired } of fetched) {
    const answer = {
      partitionIndex: partition,
      errorCode: error,
      errorMessage: null,
      acknowledgeErrorCode: ErrorCode.NONE,
      acknowledgeErrorMessage: null,
      currentLeader: shareLeaderOf(context, { topicId, partition }, error, leader, hints),
      records,
      acquiredRecords: acquired,
    }
    answers.set(partitionKeyOf({ topicId, partition }), { topicId, answer })
  }
  for (const { topicId, partition, error, message } of acknowledged) {
    const key = partitionKeyOf({ topicId, partition })
    const known = answers.get(key)?.answer ?? {
      partitionIndex: partition,
      errorCode: ErrorCode.NONE,
      currentLeader: NO_HINT,
      records: EMPTY,
      acquiredRecords: [],
    }
    const answer = {
      ...known,
      acknowledgeErrorCode: error,
      acknowledgeErrorMessage: message,
    }
    answers.set(key, { topicId, answer })
  }
  const topics = new Map<string, { topicId: string; partitions: PartitionAnswer[] }>()
  for (const { topicId, answer } of answers.values()) {
    const topic = topics.get(topicId) ?? { topicId, partitions: [] }
    topic.partitions.push(answer)
    topics.set(topicId, topic)
  }
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    acquisitionLockTimeoutMs: lockTimeoutMs,
    responses: [...topics.values()],
    nodeEndpoints: nodeEndpointsOf(context, hints),
  }
}

export const shareFetch = defineHandler(ShareFetch, {
  versions: '1-2',
  runsOn: 'leader',
  handle: (context, request) => {
    const { sharePartitions } = context.broker
    const { groupId, memberId } = request
    if (!areShareGroupsEnabled(context)) return refused(ErrorCode.UNSUPPORTED_VERSION)
    if (groupId === null || memberId === null || renewProblem(request))
      return refused(ErrorCode.INVALID_REQUEST)
    const plan = planOf(context, request, { groupId, memberId })
    if (plan.error !== ErrorCode.NONE) return refused(plan.error)
    const { partitions, isFull } = plan.value
    return sharePartitions
      .acknowledge(groupId, memberId, acknowledgementsIn(request.topics), request.isRenewAck)
      .flatMap((acknowledged) => {
        const isFetching = !request.isRenewAck && request.maxRecords > 0 && partitions.length > 0
        const fetched = isFetching
          ? sharePartitions.fetch({
              groupId,
              memberId,
              partitions,
              maxWaitMs: request.maxWaitMs,
              minBytes: request.minBytes,
              maxBytes: Math.min(request.maxBytes, context.broker.settings.config.get('fetch.max.bytes')),
              maxRecords: request.maxRecords,
              isExact: request.shareAcquireMode === RECORD_LIMIT,
              batchSize: request.batchSize,
              onClosed: (abandon) => context.connection.onClosed(abandon),
              onWait: (expire) => {
                context.expireWait = expire
              },
            })
          : Deferred.of<SharedFetchResult[]>([])
        return fetched.map((results) => {
          if (request.shareSessionEpoch === FINAL_EPOCH) sharePartitions.closeSession(groupId, memberId)
          const news = results.filter(
            ({ error, acquired, isOpen }) =>
              error !== ErrorCode.NONE || acquired.length > 0 || (isFull && isOpen),
          )
          return responseOf(context, sharePartitions.lockDurationMs(groupId), news, acknowledged)
        })
      })
  },
  refuse: (_request, error, message) => refused(error, message ?? null),
})
