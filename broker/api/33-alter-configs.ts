/**
 * AlterConfigs: replaces all dynamic configs of a resource.
 *
 * Behaviour: what the request does not name goes back to its default; each resource is decided for itself.
 * Versions: v0-v2; v2 is flexible.
 * Errors: INVALID_REQUEST for a resource or key named twice and for keys that are not dynamic; INVALID_CONFIG for values;
 * UNKNOWN_TOPIC_OR_PARTITION; BROKER_ID_NOT_REGISTERED; NOT_CONTROLLER.
 * Deviations: the controller checks changes of broker settings once more, with its own start-up settings; a resource named twice is
 * refused, where Kafka 4.4 never answers.
 */
import { AlterConfigs } from '../../common/protocol/apis/33-alter-configs.ts'
import { errorInfo } from '../../common/protocol/errors.ts'
import { replacingOperations } from '../config/alter.ts'
import { writeMetadata } from '../controller/ask.ts'
import * as configs from '../controller/configs.ts'
import { brokerTexts, divideAlterations } from './alterations.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

const refuse: HandlerDefinition<typeof AlterConfigs>['refuse'] = (
  request,
  errorCode,
  errorMessage = errorInfo(errorCode).message,
) => ({
  responses: request.resources.map(({ resourceType, resourceName }) => {
    return { resourceType, resourceName, errorCode, errorMessage }
  }),
})

export const alterConfigs = defineHandler(AlterConfigs, {
  versions: '0-2',
  runsOn: 'controller',
  divide: ({ broker }, request) =>
    divideAlterations({
      broker,
      request,
      altersLoggers: false,
      operationsOf: (resource) => replacingOperations(brokerTexts(broker, resource), resource.configs),
    }),
  handle(context, request) {
    return writeMetadata(
      context,
      'AlterConfigs',
      (machine) => configs.alterConfigs(machine, request),
      (error) => refuse(request, error),
    )
  },
  refuse,
})
