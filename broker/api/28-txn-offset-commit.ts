/**
 * Behaviour: stores offsets of a group as part of a transaction: they count when its commit marker arrives. First the partition of
 *   `__consumer_offsets` is verified with the transaction coordinator (KIP-890).
 * Versions: v3 members and generations; v5 adds the partition to the transaction by itself; v6 names topics by id (KIP-1319).
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID; INVALID_GROUP_ID; ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID,
 *   STALE_MEMBER_EPOCH (ILLEGAL_GENERATION before v6); OFFSET_METADATA_TOO_LARGE; INVALID_TXN_STATE (v0–v3) or TRANSACTION_ABORTABLE when
 *   the partition is not in the transaction; INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING, CONCURRENT_TRANSACTIONS; those of
 *   finding the coordinator, where v0 and v1 do not know COORDINATOR_LOAD_IN_PROGRESS.
 * Deviations: none.
 */
import { TxnOffsetCommit } from '../../common/protocol/apis/28-txn-offset-commit.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf } from '../../common/protocol/schema.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import type { TopicResult, TopicToCommit } from '../coordinator/group/offset-operations.ts'
import { failTopics } from '../coordinator/group/offsets.ts'
import type { RequestContext } from '../network/request-context.ts'
import { OFFSETS_TOPIC } from '../topic-names.ts'
import type { VerifiedAppend } from '../transaction-verifier.ts'
import { mergeTopics, splitTopics } from './group-topics.ts'
import { defineHandler } from './handler.ts'

type Request = RequestOf<typeof TxnOffsetCommit>

/** 2 adds the partition, 1 verifies and knows TRANSACTION_ABORTABLE, 0 verifies. */
function transactionVersionOf(apiVersion: number): number {
  if (apiVersion >= 5) return 2
  return apiVersion >= 4 ? 1 : 0
}

function verify({ broker, apiVersion }: RequestContext, request: Request): Deferred<VerifiedAppend> {
  const index = broker.groups.service.partitionFor(request.groupId)
  if (index === undefined) return failed(ErrorCode.NOT_COORDINATOR)
  const partition = broker.replicas.partition(OFFSETS_TOPIC, index)
  if (partition === undefined || !partition.isLeader) return failed(ErrorCode.NOT_COORDINATOR)
  const { transactionalId, producerId, producerEpoch } = request
  const verified = broker.transactionVerifier.verifyPartition(
    { transactionalId, producerId, producerEpoch, partition },
    transactionVersionOf(apiVersion),
  )
  return verified.map(({ error, guard }) => ({ error: coordinatorErrorOf(error), guard }))
}

function failed(error: ErrorCode): Deferred<VerifiedAppend> {
  return Deferred.of<VerifiedAppend>({ error, guard: undefined })
}

/** What a verification that failed means to a client that talks to a group coordinator. */
function coordinatorErrorOf(error: ErrorCode): ErrorCode {
  switch (error) {
    // Makes clients ask again without looking for another coordinator.
    case ErrorCode.NETWORK_EXCEPTION:
      return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode.NOT_ENOUGH_REPLICAS:
    case ErrorCode.REQUEST_TIMED_OUT:
      return ErrorCode.COORDINATOR_NOT_AVAILABLE
    case ErrorCode.NOT_LEADER_OR_FOLLOWER:
    case ErrorCode.KAFKA_STORAGE_ERROR:
      return ErrorCode.NOT_COORDINATOR
    default:
      return error
  }
}

function commit(
  context: RequestContext,
  request: Request,
  topics: readonly TopicToCommit[],
): Deferred<TopicResult[]> {
  if (topics.length === 0) return Deferred.of<TopicResult[]>([])
  const { broker, apiVersion } = context
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch, producerId, producerEpoch } = request
  if (groupId === '') return Deferred.of(failTopics(topics, ErrorCode.INVALID_GROUP_ID))
  const operation = {
    groupId,
    memberId,
    groupInstanceId,
    generationIdOrMemberEpoch,
    retentionTimeMs: -1,
    topics,
    apiVersion,
    isTransactional: true,
  }
  return verify(context, request).flatMap(({ error, guard }) =>
    error === ErrorCode.NONE
      ? broker.groups.commitOffsets(operation, {
          producerId,
          producerEpoch,
          ...(guard === undefined ? {} : { verificationGuard: guard }),
        })
      : Deferred.of(failTopics(topics, error)),
  )
}

function withKnownErrors(topics: readonly TopicResult[], apiVersion: number): TopicResult[] {
  const shown = (error: ErrorCode): ErrorCode => {
    if (error === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS && apiVersion < 2) {
      return ErrorCode.COORDINATOR_NOT_AVAILABLE
    }
    return error === ErrorCode.STALE_MEMBER_EPOCH && apiVersion < 6 ? ErrorCode.ILLEGAL_GENERATION : error
  }
  return topics.map(({ partitions, ...topic }) => ({
    ...topic,
    partitions: partitions.map(({ partitionIndex, errorCode }) => ({
      partitionIndex,
      errorCode: shown(errorCode),
    })),
  }))
}

export const txnOffsetCommit = defineHandler(TxnOffsetCommit, {
  versions: '0-6',
  runsOn: 'groupCoordinator',
  handle: (context, request) => {
    const { broker, apiVersion } = context
    const { failed: missing, found } = splitTopics(broker.metadata, request.topics, apiVersion >= 6)
    return commit(context, request, found).map((results) => ({
      topics: mergeTopics(missing, withKnownErrors(results, apiVersion)),
    }))
  },
  refuse: (request, error) => ({
    topics: request.topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: error })),
    })),
  }),
})
