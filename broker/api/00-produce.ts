/**
 * Behaviour: appends one batch to each partition as its leader; answers at once (acks 0 and 1) or when the records are committed
 *   (acks -1). Partitions are independent: each has its own error.
 * Versions: v3 record batches v2 only; v7 zstd; v8 record errors; v10 the new leader beside NOT_LEADER_OR_FOLLOWER (KIP-951);
 *   v12 adds partitions to the transaction implicitly (KIP-890); v13 names topics by id.
 * Errors: INVALID_REQUIRED_ACKS; UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, NOT_LEADER_OR_FOLLOWER; INVALID_RECORD when a partition
 *   does not carry exactly one v2 batch; UNSUPPORTED_COMPRESSION_TYPE for zstd before v7; INVALID_TOPIC_EXCEPTION for clients that write
 *   to internal topics; the append's own errors. With acks=0 any error closes the connection.
 * Deviations: none.
 */
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import { BATCH_LENGTH_POSITION, BatchCursor, MAGIC_POSITION } from '../../common/record/batch.ts'
import type { Deferred } from '../../common/runtime/deferred.ts'
import type { VerificationGuard } from '../../storage/log.ts'
import type { RequestContext } from '../network/request-context.ts'
import type { Partition } from '../replica/partition.ts'
import type { AppendEntryResult } from '../replica/replica-appender.ts'
import { isInternalTopic } from '../topic-names.ts'
import type { VerifiedAppend } from '../transaction-verifier.ts'
import { type Answer, CLOSE_CONNECTION, defineHandler, NO_RESPONSE } from './handler.ts'
import { currentLeaderOf, type LeaderHint, nodeEndpointsOf } from './leader-hints.ts'

type Request = RequestOf<typeof Produce>
type Response = ResponseInputOf<typeof Produce>

/** One partition of the request and what became of it. */
interface Item {
  readonly index: number
  readonly partition: Partition | undefined
  readonly records: Buffer
  result: AppendEntryResult
  guard: VerificationGuard | undefined
}

interface TopicItems {
  readonly name: string
  readonly topicId: string
  readonly items: readonly Item[]
}

/** An item whose append is still to be tried. */
type OpenItem = Item & { readonly partition: Partition }

/** From this version on a transaction takes in partitions by being produced to (KIP-890). */
const IMPLICIT_ADD_VERSION = 12
/** From this version on clients know TRANSACTION_ABORTABLE. */
const ABORTABLE_VERSION = 11
const ZSTD = 4
/** Kafka's tools write to internal topics under this client id. */
const ADMIN_CLIENT_ID = '__admin_client'
const CURRENT_MAGIC = 2

function transactionVersionOf(apiVersion: number): number {
  if (apiVersion >= IMPLICIT_ADD_VERSION) return 2
  return apiVersion >= ABORTABLE_VERSION ? 1 : 0
}

function failed(error: ErrorCode, errorMessage: string | null = null): AppendEntryResult {
  return { error, errorMessage, baseOffset: -1, logAppendTimeMs: -1, logStartOffset: -1, recordErrors: [] }
}

const NOT_TRIED: AppendEntryResult = failed(ErrorCode.NONE)

/** Bytes that Kafka asks a batch to have behind its length. */
const MINIMUM_BATCH_LENGTH = 14

/** What Kafka checks of a partition's records before it looks at the partition. Bytes behind the batch that are no batch are left out. */
function checkRecords(records: Buffer | null, version: number): AppendEntryResult | undefined {
  if (records === null) return failed(ErrorCode.INVALID_RECORD)
  const cursor = new BatchCursor(records)
  if (!cursor.next())
    return cursor.stop === 'corrupt' ? corrupt(records, 0) : failed(ErrorCode.INVALID_RECORD)
  const { magic, compressionType } = cursor.batch
  if (magic !== CURRENT_MAGIC) return failed(ErrorCode.INVALID_RECORD)
  if (version < 7 && compressionType === ZSTD) return failed(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE)
  const { position } = cursor
  if (cursor.next()) return failed(ErrorCode.INVALID_RECORD)
  return cursor.stop === 'corrupt' ? corrupt(records, position) : undefined
}

function corrupt(records: Buffer, position: number): AppendEntryResult {
  const length = records.readInt32BE(position + BATCH_LENGTH_POSITION)
  const message =
    length < MINIMUM_BATCH_LENGTH
      ? `Record size ${length} is less than the minimum record overhead (${MINIMUM_BATCH_LENGTH})`
      : `Invalid magic found in record: ${records.readInt8(position + MAGIC_POSITION)}`
  return failed(ErrorCode.CORRUPT_MESSAGE, message)
}

/** Errors of the append that Kafka reports without the start of the log. */
const WITHOUT_LOG_START: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.KAFKA_STORAGE_ERROR,
])

/** An append's refusal as Kafka tells it: words only where single records are to blame. */
function told(result: AppendEntryResult): AppendEntryResult {
  if (result.error === ErrorCode.NONE) return result
  return {
    ...result,
    errorMessage: result.recordErrors.length > 0 ? result.errorMessage : null,
    logStartOffset: WITHOUT_LOG_START.has(result.error) ? -1 : result.logStartOffset,
  }
}

function itemsOf(context: RequestContext, request: Request): readonly TopicItems[] {
  const { broker, apiVersion } = context
  return request.topicData.map((topic) => {
    const image =
      apiVersion >= 13
        ? broker.metadata.topicsById.get(topic.topicId)
        : broker.metadata.topicsByName.get(topic.name)
    const name = image?.name ?? topic.name
    const items = topic.partitionData.map(({ index, records }): Item => {
      if (image === undefined) {
        const error = apiVersion >= 13 ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        return { index, partition: undefined, records: EMPTY, result: failed(error), guard: undefined }
      }
      if (isInternalTopic(name) && context.clientId !== ADMIN_CLIENT_ID) {
        const result = failed(ErrorCode.INVALID_TOPIC_EXCEPTION)
        return { index, partition: undefined, records: EMPTY, result, guard: undefined }
      }
      const refused = checkRecords(records, apiVersion)
      if (refused !== undefined)
        return { index, partition: undefined, records: EMPTY, result: refused, guard: undefined }
      const partition = broker.replicas.partition(name, index)
      if (partition === undefined) {
        const error = broker.replicas.missingPartitionError(name, index)
        return { index, partition, records: EMPTY, result: failed(error), guard: undefined }
      }
      return { index, partition, records: records as Buffer, result: NOT_TRIED, guard: undefined }
    })
    return { name: topic.name, topicId: topic.topicId, items }
  })
}

const EMPTY = Buffer.alloc(0)
const FIRST_VERSION_WITH_HINTS = 10

function openItems(topics: readonly TopicItems[]): readonly OpenItem[] {
  const open: OpenItem[] = []
  for (const { items } of topics) {
    for (const item of items) if (item.result === NOT_TRIED) open.push(item as OpenItem)
  }
  return open
}

function responseOf(context: RequestContext, topics: readonly TopicItems[]): Answer<Response> {
  const hints: LeaderHint[] = []
  const answered = topics.filter(({ items }) => items.length > 0)
  const responses = answered.map(({ name, topicId, items }) => ({
    name,
    topicId,
    partitionResponses: items.map(({ index, partition, result }) => {
      const known = partition ?? context.broker.metadata.topicsByName.get(name)?.partitions[index]
      const currentLeader =
        context.apiVersion >= FIRST_VERSION_WITH_HINTS
          ? currentLeaderOf(result.error, known, hints)
          : undefined
      const answer = {
        index,
        errorCode: result.error,
        baseOffset: result.baseOffset,
        logAppendTimeMs: result.logAppendTimeMs,
        logStartOffset: result.logStartOffset,
        recordErrors: result.recordErrors.map(({ batchIndex, message }) => ({
          batchIndex,
          batchIndexErrorMessage: message,
        })),
        errorMessage: result.errorMessage,
      }
      return currentLeader === undefined ? answer : { ...answer, currentLeader }
    }),
  }))
  return { responses, nodeEndpoints: nodeEndpointsOf(context, hints) }
}

/** acks=0 has no answer; a failure is told by closing the connection, so that the client learns of it at all. */
function silentAnswer(topics: readonly TopicItems[]): Answer<Response> {
  const hasFailed = topics.some(({ items }) => items.some(({ result }) => result.error !== ErrorCode.NONE))
  return hasFailed ? CLOSE_CONNECTION : NO_RESPONSE
}

function appendAll(
  context: RequestContext,
  request: Request,
  topics: readonly TopicItems[],
): Deferred<Answer<Response>> {
  const open = openItems(topics)
  const entries = open.map(({ partition, records, guard }) => ({ partition, records, guard }))
  const { acks, timeoutMs } = request
  const appended = context.broker.replicas.append(entries, { acks, timeoutMs, origin: 'client' })
  context.isCarriedOut = true
  return appended.map((results) => {
    results.forEach((result, index) => {
      ;(open[index] as OpenItem).result = told(result)
    })
    return acks === 0 ? silentAnswer(topics) : responseOf(context, topics)
  })
}

export const produce = defineHandler(Produce, {
  versions: '3-13',
  runsOn: 'leader',
  // Records are with the operating system before their answer leaves; the log's tail has copies of what it keeps.
  forgetsRequest: true,
  handle: (context, request) => {
    if (request.acks < -1 || request.acks > 1) {
      return refuse(request, ErrorCode.INVALID_REQUIRED_ACKS)
    }
    const topics = itemsOf(context, request)
    const open = openItems(topics)
    const transactionVersion = transactionVersionOf(context.apiVersion)
    const verified = context.broker.transactionVerifier.verify(
      request.transactionalId,
      open,
      transactionVersion,
    )
    if (verified === undefined) return appendAll(context, request, topics)
    return verified.flatMap((results) => {
      open.forEach((item, index) => {
        const { error, errorMessage, guard } = results[index] as VerifiedAppend
        item.guard = guard
        if (error !== ErrorCode.NONE) item.result = failed(error, errorMessage ?? null)
      })
      return appendAll(context, request, topics)
    })
  },
  refuse,
})

function refuse(request: Request, error: Exclude<ErrorCode, 0>, message?: string): Response {
  return {
    responses: request.topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => ({
        index,
        errorCode: error,
        baseOffset: -1,
        errorMessage: message ?? null,
      })),
    })),
  }
}
