/**
 * DescribeAcls: the ACLs that a filter means.
 *
 * Behaviour: answered from this broker's copy of the metadata, grouped by resource.
 * Versions: v1-v3; v3 knows users as resources (KIP-373).
 * Errors: SECURITY_DISABLED when there is no authorizer; INVALID_REQUEST for a filter of unknown kinds.
 * Deviations: none.
 */
import { DescribeAcls } from '../../common/protocol/apis/29-describe-acls.ts'
import { ErrorCode, errorInfo } from '../../common/protocol/errors.ts'
import * as acls from '../controller/acls.ts'
import type { AclImage } from '../metadata/image.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

/** Said of reading; of changes Kafka says it in fewer words. */
const NO_AUTHORIZER = 'No Authorizer is configured on the broker'

const refuse: HandlerDefinition<typeof DescribeAcls>['refuse'] = (
  _,
  errorCode,
  errorMessage = errorInfo(errorCode).message,
) => {
  return { errorCode, errorMessage, resources: [] }
}

export const describeAcls = defineHandler(DescribeAcls, {
  versions: '1-3',
  runsOn: 'any',
  handle(context, request) {
    if (context.broker.settings.config.get('authorizer.class.name') === '') {
      return refuse(request, ErrorCode.SECURITY_DISABLED, NO_AUTHORIZER)
    }
    const { error, message } = acls.checkFilter(request)
    if (error !== ErrorCode.NONE) return refuse(request, error, message ?? undefined)
    const groups = new Map<string, AclImage[]>()
    for (const acl of context.broker.metadata.acls.values()) {
      if (!acls.matchesFilter(acl, request)) continue
      const key = `${acl.resourceType} ${acl.patternType} ${acl.resourceName}`
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [acl])
      else group.push(acl)
    }
    return {
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      resources: [...groups.values()].flatMap((group) => {
        const [first] = group
        if (first === undefined) return []
        const { resourceType, resourceName, patternType } = first
        return [
          {
            ...{ resourceType, resourceName, patternType },
            acls: group.map(({ principal, host, operation, permissionType }) => {
              return { principal, host, operation, permissionType }
            }),
          },
        ]
      }),
    }
  },
  refuse,
})
