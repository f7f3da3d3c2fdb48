/**
 * UnregisterBroker: forgets a broker that will not come back (KIP-631).
 *
 * Behaviour: it leaves every ISR and ELR.
 * Versions: v0.
 * Errors: BROKER_ID_NOT_REGISTERED, NOT_CONTROLLER.
 * Deviations: none.
 */
import { UnregisterBroker } from '../../common/protocol/apis/64-unregister-broker.ts'
import { errorInfo } from '../../common/protocol/errors.ts'
import { writeMetadata } from '../controller/ask.ts'
import * as brokers from '../controller/brokers.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

const refuse: HandlerDefinition<typeof UnregisterBroker>['refuse'] = (
  _,
  errorCode,
  errorMessage = errorInfo(errorCode).message,
) => ({ errorCode, errorMessage })

export const unregisterBroker = defineHandler(UnregisterBroker, {
  versions: '0',
  runsOn: 'controller',
  handle(context, request) {
    return writeMetadata(
      context,
      'UnregisterBroker',
      (machine) => brokers.unregisterBroker(machine, request),
      (error) => refuse(request, error),
    )
  },
  refuse,
})
