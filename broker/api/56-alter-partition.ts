/**
 * AlterPartition: a leader proposes its in-sync replicas (KIP-497, KIP-841, KIP-903).
 *
 * Behaviour: what is answered is what holds once the change is committed. A change that ends a reassignment may take the lead away.
 * Versions: v2-v3; v3 carries the epochs of the replicas.
 * Errors: for all STALE_BROKER_EPOCH, NOT_CONTROLLER; per partition UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION, NOT_CONTROLLER
 * (epochs of the future), FENCED_LEADER_EPOCH, INVALID_UPDATE_VERSION, INVALID_REQUEST, INELIGIBLE_REPLICA, NEW_LEADER_ELECTED.
 * Deviations: none.
 */
import { AlterPartition } from '../../common/protocol/apis/56-alter-partition.ts'

import { writeMetadata } from '../controller/ask.ts'
import * as isr from '../controller/isr.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

const refuse: HandlerDefinition<typeof AlterPartition>['refuse'] = (_, errorCode) => ({
  errorCode,
  topics: [],
})

export const alterPartition = defineHandler(AlterPartition, {
  versions: '2-3',
  runsOn: 'controller',
  handle(context, request) {
    return writeMetadata(
      context,
      'AlterPartition',
      (machine) => isr.alterPartition(machine, request),
      (error) => refuse(request, error),
    )
  },
  refuse,
})
