/**
 * AlterClientQuotas: sets and removes quotas of users, clients and addresses (KIP-546).
 *
 * Behaviour: each entity is decided for itself, all operations on it or none.
 * Versions: v0-v1; v1 is flexible.
 * Errors: INVALID_REQUEST for entities, keys and values that cannot be; NOT_CONTROLLER.
 * Deviations: names of hosts are not looked up, any well-formed one is accepted.
 */
import { AlterClientQuotas } from '../../common/protocol/apis/49-alter-client-quotas.ts'
import { errorInfo } from '../../common/protocol/errors.ts'
import { writeMetadata } from '../controller/ask.ts'
import * as quotas from '../controller/quotas.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

const refuse: HandlerDefinition<typeof AlterClientQuotas>['refuse'] = (
  request,
  errorCode,
  errorMessage = errorInfo(errorCode).message,
) => ({
  entries: request.entries.map(({ entity }) => ({ entity, errorCode, errorMessage })),
})

export const alterClientQuotas = defineHandler(AlterClientQuotas, {
  versions: '0-1',
  runsOn: 'controller',
  handle(context, request) {
    return writeMetadata(
      context,
      'AlterClientQuotas',
      (machine) => quotas.alterClientQuotas(machine, request),
      (error) => refuse(request, error),
    )
  },
  refuse,
})
