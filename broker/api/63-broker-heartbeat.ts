/**
 * BrokerHeartbeat: a broker is alive, and says what it wants (KIP-631).
 *
 * Behaviour: keeps the session; unfences a broker that has caught up, fences one that asks for it, leads one that wants to stop
 * through a controlled shutdown.
 * Versions: v0-v2; v1 names failed directories (KIP-858), v2 cordoned ones (KIP-1066).
 * Errors: STALE_BROKER_EPOCH, NOT_CONTROLLER.
 * Deviations: none.
 */
import { BrokerHeartbeat } from '../../common/protocol/apis/63-broker-heartbeat.ts'
import { writeMetadata } from '../controller/ask.ts'
import * as brokers from '../controller/brokers.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

const refuse: HandlerDefinition<typeof BrokerHeartbeat>['refuse'] = (_, errorCode) => ({
  errorCode,
  shouldShutDown: false,
})

export const brokerHeartbeat = defineHandler(BrokerHeartbeat, {
  versions: '0-2',
  runsOn: 'controller',
  handle(context, request) {
    const answer = writeMetadata(
      context,
      'BrokerHeartbeat',
      (machine) => brokers.brokerHeartbeat(machine, request),
      (error) => refuse(request, error),
    )
    // The records are replayed by now, also when they are not committed yet.
    if (context.broker.controller?.isActive === true) context.broker.controller.watchSession(request.brokerId)
    return answer
  },
  refuse,
})
