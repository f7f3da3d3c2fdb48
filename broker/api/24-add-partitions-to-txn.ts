/**
 * Behaviour: adds partitions to the transaction of a transactional id, or tells whether they are in it. A partition that does not exist
 *   fails its whole transaction: the others are not attempted.
 * Versions: v0–v3 one transaction, from clients; v2 PRODUCER_FENCED instead of INVALID_PRODUCER_EPOCH; v4+ several, from brokers (KIP-890),
 *   each added (then its end raises the epoch) or verified only.
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, OPERATION_NOT_ATTEMPTED; INVALID_REQUEST for an empty transactional id; INVALID_PRODUCER_ID_MAPPING;
 *   PRODUCER_FENCED; CONCURRENT_TRANSACTIONS; TRANSACTION_ABORTABLE for verified partitions that are not in the transaction;
 *   COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE.
 * Deviations: none.
 */
import { AddPartitionsToTxn } from '../../common/protocol/apis/24-add-partitions-to-txn.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import type { PartitionsOperation } from '../coordinator/transaction/add-partitions.ts'
import { EPOCH_BUMP_VERSION } from '../coordinator/transaction/transaction-metadata.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { RequestContext } from '../network/request-context.ts'
import { defineHandler } from './handler.ts'
import { fencedErrorFor } from './transaction-errors.ts'

type Request = RequestOf<typeof AddPartitionsToTxn>
type Response = ResponseInputOf<typeof AddPartitionsToTxn>
type Topic = Request['v3AndBelowTopics'][number]
type Verdict = (topic: string, partition: number) => ErrorCode
type Transaction = Request['transactions'][number]

/** From this version on it is brokers that ask. */
const BROKER_VERSION = 4

function resultsOf(topics: readonly Topic[], verdict: Verdict) {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: verdict(name, partitionIndex),
    })),
  }))
}

function partitionsOf(topics: readonly Topic[]): PartitionsOperation['partitions'] {
  const partitions = new Map<string, Set<number>>()
  for (const { name, partitions: indexes } of topics) {
    partitions.set(name, new Set([...(partitions.get(name) ?? []), ...indexes]))
  }
  return partitions
}

/** @returns undefined when every partition exists */
function missingVerdict(image: MetadataImage, topics: readonly Topic[]): Verdict | undefined {
  const exists = (topic: string, index: number) =>
    image.topicsByName.get(topic)?.partitions[index] !== undefined
  if (topics.every(({ name, partitions }) => partitions.every((index) => exists(name, index))))
    return undefined
  return (topic, index) =>
    exists(topic, index) ? ErrorCode.OPERATION_NOT_ATTEMPTED : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
}

function decide({ broker, apiVersion }: RequestContext, transaction: Transaction): Deferred<Verdict> {
  const { transactionalId, producerId, producerEpoch, topics, verifyOnly } = transaction
  const missing = missingVerdict(broker.metadata, topics)
  if (missing !== undefined) return Deferred.of(missing)
  const operation = { transactionalId, producerId, producerEpoch, partitions: partitionsOf(topics) }
  if (verifyOnly) return broker.transactions.verifyPartitions(operation)
  return broker.transactions
    .addPartitions(operation, apiVersion >= BROKER_VERSION ? EPOCH_BUMP_VERSION : 0)
    .map((error): Verdict => {
      const shown = fencedErrorFor(error, apiVersion >= 2)
      return () => shown
    })
}

export const addPartitionsToTxn = defineHandler(AddPartitionsToTxn, {
  versions: '0-5',
  runsOn: 'transactionCoordinator',
  handle: (context, request): Deferred<Response> => {
    if (context.apiVersion < BROKER_VERSION) {
      const transaction = {
        transactionalId: request.v3AndBelowTransactionalId,
        producerId: request.v3AndBelowProducerId,
        producerEpoch: request.v3AndBelowProducerEpoch,
        verifyOnly: false,
        topics: request.v3AndBelowTopics,
      }
      return decide(context, transaction as Transaction).map((verdict) => ({
        resultsByTopicV3AndBelow: resultsOf(request.v3AndBelowTopics, verdict),
      }))
    }
    const { transactions } = request
    return Deferred.all(transactions.map((transaction) => decide(context, transaction))).map((verdicts) => ({
      resultsByTransaction: transactions.map(({ transactionalId, topics }, index) => ({
        transactionalId,
        topicResults: resultsOf(topics, verdicts[index] as Verdict),
      })),
    }))
  },
  refuse: (request, error) => ({
    errorCode: error,
    resultsByTopicV3AndBelow: resultsOf(request.v3AndBelowTopics, () => error),
  }),
})
