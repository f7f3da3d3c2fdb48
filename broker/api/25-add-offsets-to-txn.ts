/**
 * Behaviour: adds the partition of `__consumer_offsets` that keeps a group's offsets to the transaction, so that its marker reaches it.
 * Versions: v2 PRODUCER_FENCED instead of INVALID_PRODUCER_EPOCH; v4 TRANSACTION_ABORTABLE. Clients of transaction.version 2 do not send it:
 *   TxnOffsetCommit v5 adds the partition.
 * Errors: INVALID_REQUEST for an empty transactional id; INVALID_PRODUCER_ID_MAPPING; PRODUCER_FENCED; CONCURRENT_TRANSACTIONS;
 *   COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR. The offsets topic need not exist: its partition is the one that it will have.
 * Deviations: none.
 */
import { AddOffsetsToTxn } from '../../common/protocol/apis/25-add-offsets-to-txn.ts'
import { partitionForKey } from '../coordinator/coordinator-service.ts'
import { OFFSETS_TOPIC } from '../topic-names.ts'
import { defineHandler } from './handler.ts'
import { fencedErrorFor } from './transaction-errors.ts'

export const addOffsetsToTxn = defineHandler(AddOffsetsToTxn, {
  versions: '0-4',
  runsOn: 'transactionCoordinator',
  handle: ({ broker, apiVersion }, { transactionalId, producerId, producerEpoch, groupId }) => {
    const partition =
      broker.groups.service.partitionFor(groupId) ??
      partitionForKey(groupId, broker.settings.config.get('offsets.topic.num.partitions'))
    const partitions = new Map([[OFFSETS_TOPIC, new Set([partition])]])
    return broker.transactions
      .addPartitions({ transactionalId, producerId, producerEpoch, partitions }, 0)
      .map((error) => ({ errorCode: fencedErrorFor(error, apiVersion >= 2) }))
  },
  refuse: (_request, error) => ({ errorCode: error }),
})
