/**
 * Behaviour: commits or aborts the transaction of a transactional id. Answers when the decision is committed; the markers follow.
 * Versions: v2 PRODUCER_FENCED instead of INVALID_PRODUCER_EPOCH; v4 TRANSACTION_ABORTABLE; v5 raises the epoch and tells the client which
 *   producer id and epoch to go on with (KIP-890).
 * Errors: INVALID_REQUEST for an empty transactional id; INVALID_PRODUCER_ID_MAPPING; PRODUCER_FENCED; CONCURRENT_TRANSACTIONS while it
 *   ends already; INVALID_TXN_STATE when it can not end that way; COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE.
 * Deviations: none.
 */
import { EndTxn } from '../../common/protocol/apis/26-end-txn.ts'
import { EPOCH_BUMP_VERSION } from '../coordinator/transaction/transaction-metadata.ts'
import { defineHandler } from './handler.ts'
import { fencedErrorFor } from './transaction-errors.ts'

export const endTxn = defineHandler(EndTxn, {
  versions: '0-5',
  runsOn: 'transactionCoordinator',
  handle: ({ broker, apiVersion }, { transactionalId, producerId, producerEpoch, committed }) =>
    broker.transactions
      .endTransaction({
        transactionalId,
        producerId,
        producerEpoch,
        isCommit: committed,
        clientTransactionVersion: apiVersion >= 5 ? EPOCH_BUMP_VERSION : 0,
      })
      .map((ended) => ({
        errorCode: fencedErrorFor(ended.error, apiVersion >= 2),
        producerId: ended.producerId,
        producerEpoch: ended.producerEpoch,
      })),
  refuse: (_request, error) => ({ errorCode: error }),
})
