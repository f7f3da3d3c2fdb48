/**
 * CreateAcls: adds access rules.
 *
 * Behaviour: each rule is decided for itself; one that exists already is accepted and not made again.
 * Versions: v1-v3; v2 is flexible, v3 knows users as resources (KIP-373).
 * Errors: SECURITY_DISABLED when there is no authorizer; INVALID_REQUEST for values that only filters may have, empty names, principals
 * without type, hosts that look like CIDR notation and are not; NOT_CONTROLLER.
 * Deviations: rules decide over nothing, every request is allowed. Zones of IPv6 hosts are not looked up.
 */
import { CreateAcls } from '../../common/protocol/apis/30-create-acls.ts'
import { ErrorCode, errorInfo } from '../../common/protocol/errors.ts'
import * as acls from '../controller/acls.ts'
import { writeMetadata } from '../controller/ask.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

const refuse: HandlerDefinition<typeof CreateAcls>['refuse'] = (
  request,
  errorCode,
  errorMessage = errorInfo(errorCode).message,
) => ({
  results: request.creations.map(() => ({ errorCode, errorMessage })),
})

export const createAcls = defineHandler(CreateAcls, {
  versions: '1-3',
  runsOn: 'controller',
  handle(context, request) {
    if (context.broker.settings.config.get('authorizer.class.name') === '') {
      return refuse(request, ErrorCode.SECURITY_DISABLED, acls.NO_AUTHORIZER)
    }
    return writeMetadata(
      context,
      'CreateAcls',
      (machine) => acls.createAcls(machine, request),
      (error) => refuse(request, error),
    )
  },
  refuse,
})
