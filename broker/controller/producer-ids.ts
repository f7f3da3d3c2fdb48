/**
 * Producer ids are handed to brokers in blocks (KIP-730), so that no id is ever given twice in a cluster.
 */
import type { AllocateProducerIds } from '../../common/protocol/apis/67-allocate-producer-ids.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import { metadataRecord } from '../metadata/metadata-record.ts'
import { checkBrokerEpoch } from './brokers.ts'
import type { ControllerMachine } from './machine.ts'
import { type ControllerOutcome, withoutRecords } from './refusals.ts'

export const PRODUCER_ID_BLOCK_SIZE = 1000

export function allocateProducerIds(
  machine: ControllerMachine,
  { brokerId, brokerEpoch }: RequestOf<typeof AllocateProducerIds>,
): ControllerOutcome<ResponseInputOf<typeof AllocateProducerIds>> {
  const refused = (errorCode: ErrorCode) =>
    withoutRecords({ errorCode, producerIdStart: 0, producerIdLen: 0 })
  const stale = checkBrokerEpoch(machine, brokerId, brokerEpoch)
  if (stale.error !== ErrorCode.NONE) return refused(stale.error)
  const producerIdStart = machine.image.nextProducerId
  const nextProducerId = producerIdStart + PRODUCER_ID_BLOCK_SIZE
  if (nextProducerId > Number.MAX_SAFE_INTEGER) return refused(ErrorCode.UNKNOWN_SERVER_ERROR)
  return {
    records: [metadataRecord('ProducerIdsRecord', 0, { brokerId, brokerEpoch, nextProducerId })],
    response: { errorCode: ErrorCode.NONE, producerIdStart, producerIdLen: PRODUCER_ID_BLOCK_SIZE },
  }
}
