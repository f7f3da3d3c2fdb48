/**
 * Behaviour: gives out a producer id, from the blocks of this broker when there is no transactional id; else the id and a raised epoch of
 *   the transactional id, which fences whoever used it before and aborts what he left open.
 * Versions: v3 recovers with the id and epoch in use (KIP-360); v4 PRODUCER_FENCED instead of INVALID_PRODUCER_EPOCH; v6 two-phase commits
 *   (KIP-939; unstable in Kafka, which hides it, and so do we).
 * Errors: INVALID_REQUEST for an empty transactional id or half of id and epoch; INVALID_TRANSACTION_TIMEOUT; PRODUCER_FENCED;
 *   CONCURRENT_TRANSACTIONS while a transaction ends; TRANSACTIONAL_ID_AUTHORIZATION_FAILED for 2PC that is off; UNSUPPORTED_VERSION for
 *   keepPreparedTxn; COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE.
 * Deviations: waits for a block of producer ids where Kafka answers COORDINATOR_LOAD_IN_PROGRESS.
 */
import { InitProducerId, type InitProducerIdRequest } from '../../common/protocol/apis/22-init-producer-id.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { defineHandler } from './handler.ts'
import { fencedErrorFor } from './transaction-errors.ts'

type Expected = { readonly producerId: number; readonly producerEpoch: number }

/** @returns 'invalid' when only one of the two is given */
function expectedOf({ producerId, producerEpoch }: InitProducerIdRequest): Expected | undefined | 'invalid' {
  if (producerId === -1 && producerEpoch === -1) return undefined
  return producerId === -1 || producerEpoch === -1 ? 'invalid' : { producerId, producerEpoch }
}

export const initProducerId = defineHandler(InitProducerId, {
  versions: '0-5',
  runsOn: 'transactionCoordinator',
  handle: ({ broker, apiVersion }, request) => {
    const expected = expectedOf(request)
    if (expected === 'invalid') {
      return { errorCode: ErrorCode.INVALID_REQUEST, producerId: -1, producerEpoch: -1 }
    }
    const { transactionalId, transactionTimeoutMs: timeoutMs, enable2Pc, keepPreparedTxn } = request
    return broker.transactions
      .initProducerId({ transactionalId, timeoutMs, enable2Pc, keepPreparedTxn, expected })
      .map(({ error, producerId, producerEpoch }) => ({
        errorCode: fencedErrorFor(error, apiVersion >= 4),
        producerId,
        producerEpoch,
      }))
  },
  refuse: (_request, error) => ({ errorCode: error, producerId: -1, producerEpoch: -1 }),
})
