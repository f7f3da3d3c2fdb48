/**
 * IncrementalAlterConfigs: sets, deletes, appends to and subtracts from dynamic configs (KIP-339).
 *
 * Behaviour: each resource is decided for itself, all operations on it or none. The broker that is asked sets the levels of its loggers
 * (KIP-412) and checks changes of broker settings before the controller does.
 * Versions: v0-v1; v1 is flexible.
 * Errors: INVALID_REQUEST for a resource or key named twice and for keys that are not dynamic; INVALID_CONFIG for values and for
 * list operations on other keys; UNKNOWN_TOPIC_OR_PARTITION; BROKER_ID_NOT_REGISTERED; NOT_CONTROLLER.
 * Deviations: the controller checks changes of broker settings once more, with its own start-up settings.
 */
import { IncrementalAlterConfigs } from '../../common/protocol/apis/44-incremental-alter-configs.ts'
import { errorInfo } from '../../common/protocol/errors.ts'
import { writeMetadata } from '../controller/ask.ts'
import * as configs from '../controller/configs.ts'
import { divideAlterations } from './alterations.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

const refuse: HandlerDefinition<typeof IncrementalAlterConfigs>['refuse'] = (
  request,
  errorCode,
  errorMessage = errorInfo(errorCode).message,
) => ({
  responses: request.resources.map(({ resourceType, resourceName }) => {
    return { resourceType, resourceName, errorCode, errorMessage }
  }),
})

export const incrementalAlterConfigs = defineHandler(IncrementalAlterConfigs, {
  versions: '0-1',
  runsOn: 'controller',
  divide: ({ broker }, request) =>
    divideAlterations({
      broker,
      request,
      altersLoggers: true,
      operationsOf: ({ configs }) =>
        configs.map(({ name, configOperation: operation, value }) => ({ name, operation, value })),
    }),
  handle(context, request) {
    return writeMetadata(
      context,
      'IncrementalAlterConfigs',
      (machine) => configs.incrementalAlterConfigs(machine, request),
      (error) => refuse(request, error),
    )
  },
  refuse,
})
