/**
 * Behaviour: lists the transactional ids that this broker coordinates, those that every filter lets through.
 * Versions: v1 the least duration (KIP-994); v2 a pattern that the whole id must match (KIP-1152).
 * Errors: INVALID_REGULAR_EXPRESSION; COORDINATOR_LOAD_IN_PROGRESS while a partition of the log is loading. Names that are no state are told
 *   back in `unknownStateFilters`.
 * Deviations: the pattern is one of JavaScript, not of RE2.
 */
import { ListTransactions } from '../../common/protocol/apis/66-list-transactions.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { unknownStates, wholeIdPattern } from '../coordinator/transaction/describe.ts'
import { defineHandler } from './handler.ts'

export const listTransactions = defineHandler(ListTransactions, {
  versions: '0-2',
  runsOn: 'any',
  handle: ({ broker }, request) => {
    const source = request.transactionalIdPattern ?? ''
    const pattern = source === '' ? undefined : wholeIdPattern(source)
    if (source !== '' && pattern === undefined) {
      return {
        errorCode: ErrorCode.INVALID_REGULAR_EXPRESSION,
        unknownStateFilters: [],
        transactionStates: [],
      }
    }
    const filter = {
      states: request.stateFilters,
      producerIds: request.producerIdFilters,
      durationMs: request.durationFilter,
      pattern,
    }
    return broker.transactions.list(filter).map(({ error, transactions }) => ({
      errorCode: error,
      unknownStateFilters: error === ErrorCode.NONE ? unknownStates(filter) : [],
      transactionStates: transactions,
    }))
  },
  refuse: (_request, error) => ({ errorCode: error, unknownStateFilters: [], transactionStates: [] }),
})
