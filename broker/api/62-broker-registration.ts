/**
 * BrokerRegistration: a broker tells the controller that it is there (KIP-631).
 *
 * Behaviour: the broker gets an epoch, and stays fenced until a heartbeat shows that it has read its own registration. The same
 * incarnation may register again to change what it told.
 * Versions: v0-v4; v2 names directories (KIP-858), v3 the previous epoch as proof of a clean shutdown (KIP-966).
 * Errors: INCONSISTENT_CLUSTER_ID, DUPLICATE_BROKER_REGISTRATION, INVALID_REGISTRATION (directories), UNSUPPORTED_VERSION (features),
 * BROKER_ID_NOT_REGISTERED (brokers that migrate from ZooKeeper), NOT_CONTROLLER.
 * Deviations: none.
 */
import { BrokerRegistration } from '../../common/protocol/apis/62-broker-registration.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { writeMetadata } from '../controller/ask.ts'
import * as brokers from '../controller/brokers.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

const FIRST_VERSION_WITH_PREVIOUS_EPOCH = 3

const refuse: HandlerDefinition<typeof BrokerRegistration>['refuse'] = (_, errorCode) => ({ errorCode })

export const brokerRegistration = defineHandler(BrokerRegistration, {
  versions: '0-4',
  runsOn: 'controller',
  handle(context, request) {
    const { controller, runtime } = context.broker
    return writeMetadata(
      context,
      'BrokerRegistration',
      (machine) => {
        const outcome = brokers.registerBroker(machine, request, {
          sessionTimeoutMs: controller?.sessionTimeoutMs ?? 0,
          provesCleanShutdown: context.apiVersion >= FIRST_VERSION_WITH_PREVIOUS_EPOCH,
        })
        if (outcome.response.errorCode !== ErrorCode.NONE) {
          runtime.trace.emit({
            level: 'warn',
            kind: 'controller.registration-refused',
            message: `refused broker ${request.brokerId}: ${outcome.message}`,
          })
        }
        return outcome
      },
      (error) => refuse(request, error),
    )
  },
  refuse,
})
