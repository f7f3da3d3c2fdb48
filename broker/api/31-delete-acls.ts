/**
 * DeleteAcls: removes the access rules that filters mean.
 *
 * Behaviour: each filter tells what it matched; all of that is deleted together.
 * Versions: v1-v3; v2 is flexible, v3 knows users as resources (KIP-373).
 * Errors: SECURITY_DISABLED when there is no authorizer; INVALID_REQUEST for a filter of unknown kinds and for more than 10,000 rules;
 * NOT_CONTROLLER.
 * Deviations: none.
 */
import { DeleteAcls } from '../../common/protocol/apis/31-delete-acls.ts'
import { ErrorCode, errorInfo } from '../../common/protocol/errors.ts'
import * as acls from '../controller/acls.ts'
import { writeMetadata } from '../controller/ask.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

const refuse: HandlerDefinition<typeof DeleteAcls>['refuse'] = (
  request,
  errorCode,
  errorMessage = errorInfo(errorCode).message,
) => ({
  filterResults: request.filters.map(() => ({ errorCode, errorMessage, matchingAcls: [] })),
})

export const deleteAcls = defineHandler(DeleteAcls, {
  versions: '1-3',
  runsOn: 'controller',
  handle(context, request) {
    if (context.broker.settings.config.get('authorizer.class.name') === '') {
      return refuse(request, ErrorCode.SECURITY_DISABLED, acls.NO_AUTHORIZER)
    }
    return writeMetadata(
      context,
      'DeleteAcls',
      (machine) => acls.deleteAcls(machine, request),
      (error) => refuse(request, error),
    )
  },
  refuse,
})
