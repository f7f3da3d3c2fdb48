/**
 * Behaviour: which broker coordinates a group (key type 0), a transactional id (1) or a share partition (2): the leader of the partition of
 *   the internal topic that the key belongs to. An internal topic that is missing is created; the answer is COORDINATOR_NOT_AVAILABLE
 *   until it is there.
 * Versions: v0 groups only; v1 key types; v4 several keys at once (KIP-699); v6 share partitions (KIP-932).
 * Errors: COORDINATOR_NOT_AVAILABLE; INVALID_REQUEST for an unknown key type or a key that names no share partition.
 * Deviations: none.
 */
import { FindCoordinator } from '../../common/protocol/apis/10-find-coordinator.ts'
import { ErrorCode, errorInfo } from '../../common/protocol/errors.ts'
import { partitionForKey } from '../coordinator/coordinator-service.ts'
import type { RequestContext } from '../network/request-context.ts'
import { OFFSETS_TOPIC, SHARE_STATE_TOPIC, TRANSACTION_TOPIC } from '../topic-names.ts'
import { defineHandler } from './handler.ts'

const TOPIC_OF_KEY_TYPE = new Map<number, string>([
  [0, OFFSETS_TOPIC],
  [1, TRANSACTION_TOPIC],
  [2, SHARE_STATE_TOPIC],
])
const SHARE_KEY_TYPE = 2
/** Group, topic id and partition; a group may have colons in its name. */
const SHARE_KEY = /^.+:[\w-]{22}:-?\d+$/s
const FIRST_VERSION_WITH_SHARE_KEYS = 6

interface Found {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

function notFound(errorCode: ErrorCode, errorMessage: string | null): Found {
  return { errorCode, errorMessage, nodeId: -1, host: '', port: -1 }
}

function find(context: RequestContext, keyType: number, key: string): Found {
  const { broker, connection } = context
  const topicName = TOPIC_OF_KEY_TYPE.get(keyType)
  const isRefused =
    keyType === SHARE_KEY_TYPE && (context.apiVersion < FIRST_VERSION_WITH_SHARE_KEYS || !SHARE_KEY.test(key))
  if (topicName === undefined || isRefused)
    return notFound(ErrorCode.INVALID_REQUEST, errorInfo(ErrorCode.INVALID_REQUEST).message)
  const unavailable = notFound(
    ErrorCode.COORDINATOR_NOT_AVAILABLE,
    errorInfo(ErrorCode.COORDINATOR_NOT_AVAILABLE).message,
  )
  const topic = broker.metadata.topicsByName.get(topicName)
  if (topic === undefined) {
    broker.topicCreator.createSoon([topicName])
    return unavailable
  }
  const leaderId = topic.partitions[partitionForKey(key, topic.partitions.length)]?.leaderId ?? -1
  const endpoint = broker.endpointOf(leaderId, connection.listener.name)
  if (endpoint === undefined) return unavailable
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    nodeId: leaderId,
    host: endpoint.host,
    port: endpoint.port,
  }
}

export const findCoordinator = defineHandler(FindCoordinator, {
  versions: '0-6',
  runsOn: 'any',
  handle: (context, request) => {
    if (context.apiVersion < 4) {
      const found = find(context, request.keyType, request.key)
      return { ...found, errorMessage: found.errorMessage ?? 'NONE' }
    }
    return {
      coordinators: request.coordinatorKeys.map((key) => {
        const found = find(context, request.keyType, key)
        // Only a kind that does not exist is explained: Kafka refuses the request as a whole then.
        const isExplained = !TOPIC_OF_KEY_TYPE.has(request.keyType)
        return { key, ...found, errorMessage: isExplained ? found.errorMessage : '' }
      }),
    }
  },
  refuse: (
    request,
    error,
    message = errorInfo(error).message,
    apiVersion = FindCoordinator.versions.highest,
  ) => {
    const failed = notFound(error, message)
    return apiVersion >= 4
      ? { coordinators: request.coordinatorKeys.map((key) => ({ key, ...failed })) }
      : failed
  },
})
