/**
 * AllocateProducerIds: a broker gets the next thousand producer ids (KIP-730).
 *
 * Behaviour: no id is ever handed out twice.
 * Versions: v0.
 * Errors: STALE_BROKER_EPOCH, NOT_CONTROLLER.
 * Deviations: none.
 */
import { AllocateProducerIds } from '../../common/protocol/apis/67-allocate-producer-ids.ts'

import { writeMetadata } from '../controller/ask.ts'
import * as producerIds from '../controller/producer-ids.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

const refuse: HandlerDefinition<typeof AllocateProducerIds>['refuse'] = (_, errorCode) => ({
  errorCode,
  producerIdStart: 0,
  producerIdLen: 0,
})

export const allocateProducerIds = defineHandler(AllocateProducerIds, {
  versions: '0',
  runsOn: 'controller',
  handle(context, request) {
    return writeMetadata(
      context,
      'AllocateProducerIds',
      (machine) => producerIds.allocateProducerIds(machine, request),
      (error) => refuse(request, error),
    )
  },
  refuse,
})
