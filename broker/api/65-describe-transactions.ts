/**
 * Behaviour: tells state, timeout, start and partitions of transactional ids that this broker coordinates (KIP-664).
 * Versions: v0.
 * Errors: TRANSACTIONAL_ID_NOT_FOUND; INVALID_REQUEST for an empty transactional id; COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR,
 *   COORDINATOR_NOT_AVAILABLE; each beside its transactional id.
 * Deviations: none.
 */
import { DescribeTransactions } from '../../common/protocol/apis/65-describe-transactions.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import { describeRefusal } from '../coordinator/transaction/describe.ts'
import { defineHandler } from './handler.ts'

export const describeTransactions = defineHandler(DescribeTransactions, {
  versions: '0',
  runsOn: 'transactionCoordinator',
  handle: ({ broker }, { transactionalIds }) =>
    Deferred.all(transactionalIds.map((id) => broker.transactions.describe(id))).map((transactionStates) => ({
      transactionStates,
    })),
  refuse: ({ transactionalIds }, error) => ({
    transactionStates: transactionalIds.map((id) => describeRefusal(id, error)),
  }),
})
