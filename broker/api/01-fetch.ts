/**
 * Behaviour: reads batches from each partition, as bytes, up to the high watermark (consumers), the last stable offset
 *   (read_committed) or the log end (replicas); waits for `minBytes` at most `maxWaitMs`. Incremental sessions name only what
 *   changed (KIP-227). Any broker with a replica answers clients that give a rack (KIP-392); others need the leader.
 * Versions: v4 isolation and aborted transactions; v7 sessions; v9 leader epochs; v11 rack; v12 divergence (KIP-595); v13 topic ids;
 *   v15 replica state; v16 leader hints (KIP-951); v17 directory ids; v18 the fetcher's high watermark (KIP-1166).
 * Errors: OFFSET_OUT_OF_RANGE; NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH; UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID,
 *   INCONSISTENT_TOPIC_ID; session errors for the whole answer.
 * Deviations: an answer always ends with a whole batch; Kafka may cut the last one, and clients drop the rest.
 */
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { encodeResponseFrame } from '../../common/protocol/header.ts'
import type { RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import { asDeferred, type Deferred } from '../../common/runtime/deferred.ts'
import type { RequestContext } from '../network/request-context.ts'
import type { FetchPartitionAnswer, FetchPartitionRequest } from '../replica/fetch-request.ts'
import { SessionFetch } from '../replica/fetch-session.ts'
import type { FetchContext } from '../replica/fetch-session-cache.ts'
import { type FetchEntry, type FetchEntryResult, WholeFetch } from '../replica/fetch-source.ts'
import { isRackAware } from '../replica/replica-selector.ts'
import { defineHandler } from './handler.ts'
import { currentLeaderOf, type LeaderHint, nodeEndpointsOf } from './leader-hints.ts'

type Request = RequestOf<typeof Fetch>
type Response = ResponseInputOf<typeof Fetch>

const READ_COMMITTED = 1
const FIRST_VERSION_WITH_TOPIC_IDS = 13
const FIRST_VERSION_WITH_RACK = 11
const FIRST_VERSION_WITH_DIVERGENCE = 12
const FIRST_FLEXIBLE_VERSION = 12
const FIRST_VERSION_WITH_ENDPOINTS = 16

/** Of a partition that is named twice, the later wish counts, in the place of the earlier. */
function requestedPartitions(context: RequestContext, request: Request): FetchPartitionRequest[] {
  const wishes = new Map<string, FetchPartitionRequest>()
  for (const { topic, topicId, partitions } of request.topics) {
    const name = topicNameOf(context, topic, topicId)
    for (const partition of partitions) {
      wishes.set(`${partition.partition} ${topicId} ${name}`, {
        topic: name,
        topicId,
        partition: partition.partition,
        currentLeaderEpoch: partition.currentLeaderEpoch,
        fetchOffset: partition.fetchOffset,
        lastFetchedEpoch: partition.lastFetchedEpoch,
        logStartOffset: partition.logStartOffset,
        partitionMaxBytes: partition.partitionMaxBytes,
        knownHighWatermark: partition.highWatermark,
      })
    }
  }
  return [...wishes.values()]
}

function topicNameOf(context: RequestContext, topic: string, topicId: string): string {
  if (context.apiVersion < FIRST_VERSION_WITH_TOPIC_IDS) return topic
  return context.broker.metadata.topicsById.get(topicId)?.name ?? ''
}

function forgottenPartitions(context: RequestContext, request: Request) {
  return request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
    partitions.map((partition) => ({ topic: topicNameOf(context, topic, topicId), topicId, partition })),
  )
}

/**
 * The partition that a request is about, or why there is none. A session may have been opened before its topic existed; one
 * that knew its name goes on by that name, and so meets a topic that was made anew.
 */
function entryOf(context: RequestContext, replicaId: number, request: FetchPartitionRequest): FetchEntry {
  const { broker } = context
  const usesTopicIds = context.apiVersion >= FIRST_VERSION_WITH_TOPIC_IDS
  const topic = request.topic === '' ? topicNameOf(context, '', request.topicId) : request.topic
  if (usesTopicIds && topic === '')
    return { partition: undefined, error: ErrorCode.UNKNOWN_TOPIC_ID, request }
  const partition = broker.replicas.partition(topic, request.partition)
  if (partition === undefined) {
    return { partition, error: broker.replicas.missingPartitionError(topic, request.partition), request }
  }
  if (usesTopicIds && partition.topicId !== request.topicId) {
    return { partition: undefined, error: ErrorCode.INCONSISTENT_TOPIC_ID, request }
  }
  const replicas = broker.metadata.topicsByName.get(topic)?.partitions[request.partition]?.replicas
  if (replicaId >= 0 && (replicaId === broker.nodeId || replicas?.includes(replicaId) === false)) {
    return { partition, error: ErrorCode.NOT_LEADER_OR_FOLLOWER, request }
  }
  return { partition, error: ErrorCode.NONE, request }
}

function fetchOptions(context: RequestContext, request: Request) {
  const replicaId = context.apiVersion >= 15 ? request.replicaState.replicaId : request.replicaId
  const isConsumer = replicaId < 0
  const { config } = context.broker.settings
  const fetchMaxBytes = config.get('fetch.max.bytes')
  const { quotas } = context.broker
  const quotaBytes = isConsumer && quotas.isActive ? quotas.maxFetchBytes(context) : Number.POSITIVE_INFINITY
  const maxBytes = Math.min(request.maxBytes, fetchMaxBytes, quotaBytes)
  return {
    replicaId,
    replicaEpoch: context.apiVersion >= 15 ? request.replicaState.replicaEpoch : -1,
    range: {
      upTo: !isConsumer
        ? ('logEnd' as const)
        : request.isolationLevel === READ_COMMITTED
          ? ('lastStable' as const)
          : ('highWatermark' as const),
      // A client that knows of racks may read from a follower.
      mustLead: !isConsumer || context.apiVersion < FIRST_VERSION_WITH_RACK,
    },
    maxWaitMs: request.maxWaitMs,
    minBytes: Math.min(request.minBytes, fetchMaxBytes, quotaBytes),
    maxBytes,
    atLeastOneBatch: true,
    rack: isConsumer && isRackAware(config.get('replica.selector.class')) ? request.rackId : '',
    onClosed: (abandon: () => void) => context.connection.onClosed(abandon),
    onWait: (expire: () => void) => {
      context.expireWait = expire
    },
    memory: context.mayReuseMemory ? context.broker.replicas.fetchMemory : undefined,
  }
}

function answerOf(result: FetchEntryResult): FetchPartitionAnswer {
  return {
    errorCode: result.error,
    highWatermark: result.highWatermark,
    logStartOffset: result.logStartOffset,
    preferredReadReplica: result.preferredReadReplica ?? -1,
    recordsSizeBytes: result.records.length,
    hasDivergingEpoch: result.divergingEpoch !== undefined,
  }
}

/** Whether the cluster knows the partition. */
function isThere({ partition, error }: FetchEntryResult): boolean {
  if (partition !== undefined) return true
  return error !== ErrorCode.UNKNOWN_TOPIC_ID && error !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
}

/**
 * In the order of the request, which tells who was served first; what the cluster does not know comes last. A topic is named
 * again when another came between.
 */
function responseOf(
  context: RequestContext,
  results: readonly FetchEntryResult[],
  sessionId: number,
): Response {
  const hints: LeaderHint[] = []
  const usesTopicIds = context.apiVersion >= FIRST_VERSION_WITH_TOPIC_IDS
  const topics: { topic: string; topicId: string; partitions: PartitionAnswer[] }[] = []
  for (const result of [...results.filter(isThere), ...results.filter((result) => !isThere(result))]) {
    const { topic, topicId, partition: partitionIndex } = result.request
    const last = topics.at(-1)
    const isSame = last !== undefined && (usesTopicIds ? last.topicId === topicId : last.topic === topic)
    const entry = isSame ? last : { topic, topicId, partitions: [] }
    if (!isSame) topics.push(entry)
    entry.partitions.push(partitionAnswer(context, result, partitionIndex, hints))
  }
  return {
    errorCode: ErrorCode.NONE,
    throttleTimeMs: 0,
    sessionId,
    responses: topics,
    nodeEndpoints: context.apiVersion >= 16 ? nodeEndpointsOf(context, hints) : [],
  }
}

type PartitionAnswer = Response['responses'][number]['partitions'][number]

function partitionAnswer(
  context: RequestContext,
  result: FetchEntryResult,
  partitionIndex: number,
  hints: LeaderHint[],
): PartitionAnswer {
  const { topicsById, topicsByName } = context.broker.metadata
  const topic = topicsById.get(result.request.topicId) ?? topicsByName.get(result.request.topic)
  const known = result.partition ?? topic?.partitions[partitionIndex]
  const currentLeader = context.apiVersion >= 16 ? currentLeaderOf(result.error, known, hints) : undefined
  const isUnknown =
    result.partition === undefined &&
    result.error !== ErrorCode.NOT_LEADER_OR_FOLLOWER &&
    result.error !== ErrorCode.INCONSISTENT_TOPIC_ID
  return {
    partitionIndex,
    errorCode: result.error,
    highWatermark: result.highWatermark,
    lastStableOffset: result.lastStableOffset,
    logStartOffset: result.logStartOffset,
    abortedTransactions: isUnknown ? [] : result.abortedTransactions,
    preferredReadReplica: result.preferredReadReplica ?? -1,
    records: result.records,
    ...(result.divergingEpoch === undefined ? {} : { divergingEpoch: result.divergingEpoch }),
    ...(currentLeader === undefined ? {} : { currentLeader }),
  }
}

export const fetch = defineHandler(Fetch, {
  versions: '4-18',
  runsOn: 'leader',
  handle: (context, request) => {
    const { broker } = context
    // A controller serves one log, to the replicas of the metadata quorum.
    if (context.connection.listener.kind === 'controller') return fetchMetadata(context, request)
    const sessionRequest = {
      sessionId: request.sessionId,
      sessionEpoch: request.sessionEpoch,
      usesTopicIds: context.apiVersion >= FIRST_VERSION_WITH_TOPIC_IDS,
      isFollower: (context.apiVersion >= 15 ? request.replicaState.replicaId : request.replicaId) >= 0,
      partitions: requestedPartitions(context, request),
      forgotten: forgottenPartitions(context, request),
    }
    const replicaId = context.apiVersion >= 15 ? request.replicaState.replicaId : request.replicaId
    // Whether replicas are held back is decided elsewhere (KIP-73).
    if (replicaId >= 0) context.throttleTimeMs = 0
    const session = broker.fetchSessions.resolve(sessionRequest)
    if (session.kind === 'error') return refuseSession(session.error)
    const resolve = (partition: FetchPartitionRequest): FetchEntry => entryOf(context, replicaId, partition)
    const source =
      session.kind === 'incremental'
        ? new SessionFetch(session.session, resolve)
        : new WholeFetch(session.partitions.map(resolve))
    const options = fetchOptions(context, request)
    const { memory } = options
    return broker.replicas.fetch(source, options).map((results) => {
      const answers = results.map(answerOf)
      if (memory !== undefined) {
        context.onSent = () => {
          for (const { records } of results) memory.give(records)
        }
      }
      if (isThrottled(context, session, results, answers)) return throttled(context, session, answers)
      if (session.kind === 'incremental') return incrementalResponse(context, session, results, answers)
      const sessionId = session.kind === 'full' ? broker.fetchSessions.create(sessionRequest, answers) : 0
      return responseOf(context, results, sessionId)
    })
  },
  refuse: (request, error) => ({
    errorCode: error,
    sessionId: request.sessionId,
    responses: request.topics.map(({ topic, topicId, partitions }) => ({
      topic,
      topicId,
      partitions: partitions.map(({ partition }) => ({
        partitionIndex: partition,
        errorCode: error,
        highWatermark: -1,
        abortedTransactions: [],
        records: EMPTY,
      })),
    })),
  }),
})

const EMPTY = Buffer.alloc(0)

/** Whether a consumer would be above its quota with this answer. What followers fetch is no client's (KIP-73 limits it). */
function isThrottled(
  context: RequestContext,
  session: Exclude<FetchContext, { kind: 'error' }>,
  results: readonly FetchEntryResult[],
  answers: readonly FetchPartitionAnswer[],
): boolean {
  const { broker, apiVersion: version, correlationId } = context
  if (!broker.quotas.isActive) return false
  if (context.throttleTimeMs !== undefined) return false
  const sizeBytes = (): number => {
    const named =
      session.kind === 'incremental'
        ? broker.fetchSessions.changedAnswers(session, answers, false)
        : undefined
    const told = named === undefined ? results : results.filter((_, index) => named[index] === true)
    const response = responseOf(context, told, 0)
    const { sizeBytes } = encodeResponseFrame(Fetch, { version, correlationId }, response as never)
    // Kafka counts the header of old versions, without tagged fields.
    return version >= FIRST_FLEXIBLE_VERSION ? sizeBytes - 1 : sizeBytes
  }
  return broker.quotas.meterFetch(context, sizeBytes) > 0
}

/** Empty, and the session stays as it was: the next request of it asks for the same. */
function throttled(
  context: RequestContext,
  session: Exclude<FetchContext, { kind: 'error' }>,
  answers: readonly FetchPartitionAnswer[],
): Response {
  if (session.kind !== 'incremental') return { errorCode: ErrorCode.NONE, sessionId: 0, responses: [] }
  if (context.broker.fetchSessions.changedAnswers(session, answers, false) === undefined) {
    return refuseSession(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
  }
  return { errorCode: ErrorCode.NONE, sessionId: session.session.id, responses: [] }
}

/** Versions before 12 cannot say how far the replica's log agrees with the leader's. */
function fetchMetadata(context: RequestContext, request: Request): Response | Deferred<Response> {
  const { broker, connection, apiVersion } = context
  if (apiVersion < FIRST_VERSION_WITH_DIVERGENCE) return refuseSession(ErrorCode.INVALID_REQUEST)
  const answer = broker.metadataLog.handleFetch(request, (abandon) => connection.onClosed(abandon))
  if (apiVersion >= FIRST_VERSION_WITH_ENDPOINTS) return answer
  return asDeferred(answer).map((response) => ({ ...response, nodeEndpoints: [] }))
}

function incrementalResponse(
  context: RequestContext,
  session: FetchContext & { kind: 'incremental' },
  results: readonly FetchEntryResult[],
  answers: readonly FetchPartitionAnswer[],
): Response {
  const changed = context.broker.fetchSessions.changedAnswers(session, answers, true)
  if (changed === undefined) return refuseSession(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
  return responseOf(
    context,
    results.filter((_, index) => changed[index] === true),
    session.session.id,
  )
}

function refuseSession(error: ErrorCode): Response {
  return { errorCode: error, sessionId: 0, responses: [] }
}
